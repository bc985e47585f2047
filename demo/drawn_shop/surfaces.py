"""Colours with their spread, the patterns of a body, and what stands behind it."""

import colorsys
import math
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from demo.drawn_shop.looks import Colour, Pattern
from demo.drawn_shop.pen import Rgb

Pixels: TypeAlias = NDArray[np.floating[Any]]

_LEAST_CONTRAST = 95.0  # between a product and what is behind it, as a distance in RGB
_ATTEMPTS = 50
_NOISE_CELLS = 6


@dataclass(frozen=True, slots=True)
class _Range:
    middle: float
    spread: float

    def sample(self, rng: random.Random) -> float:
        return self.middle + rng.uniform(-self.spread, self.spread)


# Hue in degrees, lightness, saturation.
_COLOURS: dict[Colour, tuple[_Range, _Range, _Range]] = {
    "red": (_Range(0, 7), _Range(0.47, 0.05), _Range(0.82, 0.12)),
    "orange": (_Range(26, 5), _Range(0.53, 0.03), _Range(0.95, 0.05)),
    "yellow": (_Range(52, 5), _Range(0.55, 0.05), _Range(0.92, 0.08)),
    "green": (_Range(125, 18), _Range(0.38, 0.07), _Range(0.62, 0.15)),
    "blue": (_Range(220, 12), _Range(0.45, 0.08), _Range(0.78, 0.15)),
    "purple": (_Range(276, 10), _Range(0.42, 0.07), _Range(0.6, 0.15)),
    "pink": (_Range(336, 8), _Range(0.75, 0.05), _Range(0.85, 0.1)),
    "brown": (_Range(24, 5), _Range(0.27, 0.05), _Range(0.55, 0.1)),
    "black": (_Range(0, 180), _Range(0.09, 0.04), _Range(0.08, 0.08)),
    "white": (_Range(0, 180), _Range(0.95, 0.03), _Range(0.2, 0.2)),
}
_ON_BRIGHT: tuple[Rgb, ...] = ((60, 60, 65), (120, 120, 125), (30, 40, 80))
_ON_DARK: tuple[Rgb, ...] = ((235, 235, 235), (190, 190, 190))
_ON_OTHERS: tuple[Rgb, ...] = ((248, 248, 245), (248, 248, 245), (30, 30, 32))


def sample_colour(colour: Colour, rng: random.Random) -> Rgb:
    hue, lightness, saturation = _COLOURS[colour]
    return _rgb(hue.sample(rng), lightness.sample(rng), saturation.sample(rng))


def luminance(colour: Rgb) -> float:
    """0 is black, 1 is white."""
    return (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]) / 255


@lru_cache(maxsize=4)
def grid(side: int) -> tuple[Pixels, Pixels]:
    """Each pixel's x and y, from 0 to 1; read-only."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    x.flags.writeable = y.flags.writeable = False
    return x, y


def cloth(side: int, colour: Rgb, pattern: Pattern, rng: random.Random) -> Pixels:
    """The colour with its pattern, 0 to 255, of shape (side, side, 3)."""
    if pattern == "plain":
        return np.full((side, side, 3), colour, np.float32)
    second = rng.choice(_second_colours(colour))
    period, phases = rng.uniform(0.105, 0.165), (rng.random(), rng.random())
    share = _stripes(side, period, phases[0], rng) if pattern == "striped" else None
    if share is None:
        u, v = _turned_grid(side, period, phases, rng)
        share = _dots(u, v, rng) if pattern == "dotted" else _checks(u, v, rng)
    return np.asarray(colour, np.float32) * (1 - share[..., None]) + np.asarray(second, np.float32) * share[..., None]


def background(side: int, colour: Rgb, rng: random.Random) -> Image.Image:
    """A wall or a table in a colour that the product stands out from."""
    tone = _background_tone(colour, rng)
    pixels = np.full((side, side, 3), tone, np.float32)
    x, y = grid(side)
    kind = rng.random()
    if kind < 0.35:  # light from one side
        pixels *= (1 + rng.uniform(-0.18, 0.18) * (y - 0.5) + rng.uniform(-0.12, 0.12) * (x - 0.5))[..., None]
    elif kind < 0.6:  # the edge of a table
        pixels *= np.where(y > rng.uniform(0.6, 0.85), rng.uniform(0.8, 0.93), 1.0)[..., None]
    elif kind < 0.8:  # blotches
        pixels *= (1 + 0.07 * _blotches(side, rng))[..., None]
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.random() < 0.15:
        _draw_clutter(picture, tone, rng)
    return picture


def _rgb(hue: float, lightness: float, saturation: float) -> Rgb:
    parts = colorsys.hls_to_rgb((hue % 360) / 360, min(max(lightness, 0), 1), min(max(saturation, 0), 1))
    red, green, blue = (int(255 * part) for part in parts)
    return red, green, blue


def _second_colours(colour: Rgb) -> tuple[Rgb, ...]:
    brightness = luminance(colour)
    if brightness > 0.8:
        return _ON_BRIGHT
    return _ON_DARK if brightness < 0.15 else _ON_OTHERS


def _stripes(side: int, period: float, phase: float, rng: random.Random) -> Pixels:
    angle = math.radians(rng.choice([0, 90, 90, 45, -45]) + rng.uniform(-8, 8))
    x, y = grid(side)
    u = (x * math.cos(angle) + y * math.sin(angle)) / period + phase
    return ((u % 1) < rng.uniform(0.3, 0.42)).astype(np.float32)


def _turned_grid(side: int, period: float, phases: tuple[float, float], rng: random.Random) -> tuple[Pixels, Pixels]:
    angle = math.radians(rng.uniform(-10, 10) + (45 if rng.random() < 0.3 else 0))
    cosine, sine = math.cos(angle), math.sin(angle)
    x, y = grid(side)
    return (x * cosine + y * sine) / period + phases[0], (-x * sine + y * cosine) / period + phases[1]


def _dots(u: Pixels, v: Pixels, rng: random.Random) -> Pixels:
    v = v + 0.5 * (np.floor(u) % 2)  # every second column is moved by half a step
    radius = rng.uniform(0.24, 0.32)
    return (((u % 1) - 0.5) ** 2 + ((v % 1) - 0.5) ** 2 < radius * radius).astype(np.float32)


def _checks(u: Pixels, v: Pixels, rng: random.Random) -> Pixels:
    if rng.random() < 0.5:  # a chessboard
        return ((np.floor(u) + np.floor(v)) % 2).astype(np.float32) * 0.9
    width = rng.uniform(0.35, 0.5)  # bands that cross
    bands: Pixels = (((u * 0.8) % 1) < width) * 0.45 + (((v * 0.8) % 1) < width) * 0.45
    return bands


def _background_tone(colour: Rgb, rng: random.Random) -> Rgb:
    for _ in range(_ATTEMPTS):
        tone = _any_tone(rng)
        if math.dist(tone, colour) > _LEAST_CONTRAST:
            break
    return tone


def _any_tone(rng: random.Random) -> Rgb:
    kind = rng.random()
    if kind < 0.45:
        lightness = rng.uniform(0.86, 1)
        return _rgb(rng.uniform(0, 360), lightness, 0.3)
    if kind < 0.75:
        lightness = rng.uniform(0.4, 0.85)
        return _rgb(rng.uniform(0, 360), lightness, rng.uniform(0, 0.35))
    return _rgb(rng.uniform(0, 360), rng.uniform(0.15, 0.5), rng.uniform(0, 0.3))


def _blotches(side: int, rng: random.Random) -> Pixels:
    cells = [[rng.uniform(-1, 1) for _ in range(_NOISE_CELLS)] for _ in range(_NOISE_CELLS)]
    small = Image.fromarray(np.array(cells, np.float32))
    return np.asarray(small.resize((side, side), Image.Resampling.BICUBIC), np.float32)


def _draw_clutter(picture: Image.Image, tone: Rgb, rng: random.Random) -> None:
    """Something round and darker at the edge."""
    side, draw = picture.width, ImageDraw.Draw(picture)
    darker = (int(tone[0] * 0.8), int(tone[1] * 0.8), int(tone[2] * 0.8))
    for _ in range(rng.randint(1, 2)):
        x, y = rng.choice([(rng.random(), rng.choice([0.02, 0.98])), (rng.choice([0.02, 0.98]), rng.random())])
        radius = rng.uniform(0.03, 0.08)
        box = ((x - radius) * side, (y - radius) * side, (x + radius) * side, (y + radius) * side)
        draw.ellipse(box, fill=darker)
