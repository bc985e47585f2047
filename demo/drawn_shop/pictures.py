"""A picture of one product: drawn, lit, turned, put before a background, and noisy where a model shall find it hard."""

import math
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from demo.drawn_shop.looks import Look
from demo.drawn_shop.pen import Pen, Rgb, Rgba, shade
from demo.drawn_shop.shapes import SHAPES
from demo.drawn_shop.surfaces import Pixels, background, cloth, grid, luminance, sample_colour

_SMALL = 128  # pictures up to this side are drawn at three times their size, larger ones at one and a half times
_TOO_DARK_FOR_DARKER_LINES = 0.25
_SHADOWS = 0.6
_SHADOW_STRENGTH = 0.3


@dataclass(frozen=True, slots=True)
class _Pose:
    """How the product lies in the picture: degrees, and shares of the side."""

    scale: float
    angle: float
    right: float
    down: float
    mirrored: bool


def draw_picture(look: Look, seed: int, side: int = 64, *, clean: bool = False) -> Image.Image:
    """RGB, side x side; equal arguments give equal pixels. Clean: as from a studio, hardly turned and without noise."""
    return _draw(look, seed, side, clean=clean)[0]


def draw_outline(look: Look, seed: int, side: int = 64, *, clean: bool = False) -> Image.Image:
    """Where the product lies in `draw_picture` of the same arguments: one band, 255 on the product, 0 beside it."""
    return _draw(look, seed, side, clean=clean)[1]


def _draw(look: Look, seed: int, side: int, *, clean: bool) -> tuple[Image.Image, Image.Image]:
    rng = random.Random(f"{look.kind}|{look.colour}|{look.pattern}|{seed}")
    canvas = side * 3 if side <= _SMALL else int(side * 1.5)
    colour = sample_colour(look.colour, rng)
    pen = Pen(canvas, colour, _ink(colour), rng)
    SHAPES[look.kind](pen)
    product = _assemble(pen, _light(cloth(canvas, colour, look.pattern, rng), rng))
    product = _place(product, _pose(rng, clean=clean))
    scene = background(canvas, colour, rng).convert("RGBA")
    if rng.random() < _SHADOWS:
        scene.alpha_composite(_shadow(product))
    scene.alpha_composite(product)
    method = Image.Resampling.BOX if canvas % side == 0 else Image.Resampling.LANCZOS
    picture = scene.convert("RGB").resize((side, side), method)
    return picture if clean else _add_noise(picture, rng), product.getchannel("A").resize((side, side), method)


def _ink(colour: Rgb) -> Rgba:
    """For lines on the product: darker than it, or brighter where it is almost black."""
    return shade(colour, 0.62) if luminance(colour) > _TOO_DARK_FOR_DARKER_LINES else shade(colour, 2.2, lift=25)


def _light(pixels: Pixels, rng: random.Random) -> Pixels:
    x, y = grid(pixels.shape[0])
    lit: Pixels = pixels * (1 + rng.uniform(-0.22, 0.22) * (x - 0.5) + rng.uniform(-0.2, 0.1) * (y - 0.5))[..., None]
    return lit


def _assemble(pen: Pen, surface: Pixels) -> Image.Image:
    """What lies under the body, the body, its edge, and what lies over it."""
    product = pen.under.image
    body = Image.fromarray(np.clip(surface, 0, 255).astype(np.uint8)).convert("RGBA")
    body.putalpha(pen.body.image)
    product.alpha_composite(body)
    blurred = np.asarray(pen.body.image.filter(ImageFilter.GaussianBlur(pen.side * 0.006)), np.float32)
    strength = np.clip(1 - np.abs(blurred - 128) / 128, 0, 1) * 120
    edge = Image.new("RGBA", product.size, (*pen.ink[:3], 0))
    edge.putalpha(Image.fromarray(strength.astype(np.uint8)))
    product.alpha_composite(edge)
    product.alpha_composite(pen.over.image)
    return product


def _pose(rng: random.Random, *, clean: bool) -> _Pose:
    scale = rng.uniform(0.85, 1.05) if clean else rng.uniform(0.62, 1.08)
    angle = rng.uniform(-4, 4) if clean else rng.gauss(0, 10)
    right, down = (0.0, 0.0) if clean else (rng.uniform(-0.09, 0.09), rng.uniform(-0.09, 0.09))
    return _Pose(scale, angle, right, down, mirrored=rng.random() < 0.5)


def _place(product: Image.Image, pose: _Pose) -> Image.Image:
    side, middle = product.width, product.width / 2
    flip = -1 if pose.mirrored else 1
    cosine = math.cos(math.radians(pose.angle)) / pose.scale
    sine = math.sin(math.radians(pose.angle)) / pose.scale
    x, y = middle + pose.right * side, middle + pose.down * side
    top_row = (flip * cosine, flip * sine, middle - flip * cosine * x - flip * sine * y)
    bottom_row = (-sine, cosine, middle + sine * x - cosine * y)
    return product.transform(
        (side, side), Image.Transform.AFFINE, (*top_row, *bottom_row), resample=Image.Resampling.BILINEAR
    )


def _shadow(product: Image.Image) -> Image.Image:
    side = product.width
    outline = product.getchannel("A").filter(ImageFilter.GaussianBlur(side * 0.02))
    faint = np.asarray(outline.point(lambda value: int(value * _SHADOW_STRENGTH)))
    offset = int(side * 0.025)
    shadow = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    shadow.putalpha(Image.fromarray(np.roll(faint, (offset, offset), (0, 1))))
    return shadow


def _add_noise(picture: Image.Image, rng: random.Random) -> Image.Image:
    pixels = np.asarray(picture, np.float32) * rng.uniform(0.85, 1.1) + rng.uniform(-8, 8)
    noise = np.random.default_rng(rng.getrandbits(32))
    pixels = pixels + noise.normal(0, rng.uniform(0, 7), pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
