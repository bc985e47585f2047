"""Drawing in unit coordinates: (0, 0) is the top left corner of the picture and (1, 1) the bottom right one."""

import random
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw

Rgb: TypeAlias = tuple[int, int, int]
Rgba: TypeAlias = tuple[int, int, int, int]
Point: TypeAlias = tuple[float, float]
Box: TypeAlias = tuple[float, float, float, float]
Fill: TypeAlias = int | Rgba

SOLID = 255
HOLE = 0


def opaque(colour: Rgb) -> Rgba:
    return (*colour, 255)


def shade(colour: Rgb, factor: float, lift: int = 0) -> Rgba:
    """Darker below 1, brighter above it."""
    red, green, blue = (int(min(255, part * factor + lift)) for part in colour)
    return red, green, blue, 255


class Layer:
    """One sheet that is drawn on; coordinates and widths are shares of its side."""

    def __init__(self, side: int, mode: str) -> None:
        self._side = side
        self.image = Image.new(mode, (side, side), 0 if mode == "L" else (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self.image)

    def polygon(self, points: Sequence[Point], fill: Fill) -> None:
        self._draw.polygon(self._points(points), fill=fill)

    def polygon_outline(self, points: Sequence[Point], colour: Rgba, width: float) -> None:
        self._draw.polygon(self._points(points), outline=colour, width=self._width(width))

    def line(self, points: Sequence[Point], colour: Rgba, width: float, *, rounded: bool = False) -> None:
        joint = "curve" if rounded else None
        self._draw.line(self._points(points), fill=colour, width=self._width(width), joint=joint)

    def rectangle(self, box: Box, fill: Fill) -> None:
        self._draw.rectangle(self._box(box), fill=fill)

    def ellipse(self, box: Box, fill: Fill) -> None:
        self._draw.ellipse(self._box(box), fill=fill)

    def rimmed_ellipse(self, box: Box, fill: Fill, rim: Rgba, width: float) -> None:
        self._draw.ellipse(self._box(box), fill=fill, outline=rim, width=self._width(width))

    def rounded(self, box: Box, radius: float, fill: Fill) -> None:
        self._draw.rounded_rectangle(self._box(box), radius * self._side, fill=fill)

    def rounded_outline(self, box: Box, radius: float, colour: Rgba, width: float) -> None:
        self._draw.rounded_rectangle(self._box(box), radius * self._side, outline=colour, width=self._width(width))

    def arc(self, box: Box, degrees: tuple[int, int], colour: Rgba, width: float) -> None:
        """Degrees run clockwise from the right."""
        self._draw.arc(self._box(box), *degrees, fill=colour, width=self._width(width))

    def sector(self, box: Box, degrees: tuple[int, int], fill: Fill) -> None:
        self._draw.pieslice(self._box(box), *degrees, fill=fill)

    def cut_below(self, height: float) -> None:
        """Makes everything under a height empty."""
        pixels = np.array(self.image)
        pixels[int(height * self._side) + 1 :] = 0
        self.image = Image.fromarray(pixels)
        self._draw = ImageDraw.Draw(self.image)

    def _points(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._side, y * self._side) for x, y in points]

    def _box(self, box: Box) -> list[float]:
        return [edge * self._side for edge in box]

    def _width(self, share: float) -> int:
        return max(1, int(share * self._side))


class Pen:
    """What one product is drawn with: a body that takes colour and pattern, and details under and over it."""

    def __init__(self, side: int, colour: Rgb, ink: Rgba, rng: random.Random) -> None:
        self.side = side
        self.colour = colour
        self.ink = ink
        self.rng = rng
        self.under = Layer(side, "RGBA")
        self.body = Layer(side, "L")
        self.over = Layer(side, "RGBA")

    def about(self, value: float, spread: float) -> float:
        """A number that differs from picture to picture by at most the spread."""
        return value + self.rng.uniform(-spread, spread)

    def either(self) -> bool:
        return self.rng.random() < 0.5
