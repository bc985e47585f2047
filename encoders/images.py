"""Bytes that claim to be a picture to an RGB picture, or the reason why not."""

import io
import struct
import zlib
from enum import StrEnum

import numpy as np
from PIL import Image, UnidentifiedImageError

from encoders.base import EncoderError
from encoders.settings import ImageLimits

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM")
_OTHER_PICTURES = (
    b"II*\x00",
    b"MM\x00*",
    b"<svg",
    b"8BPS",
    b"\xff\x0a",
    b"\x00\x00\x00\x0cJXL ",
    b"\x00\x00\x00\x0cjP  ",
)
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow raises over broken bytes; it has no root of its own for them.
_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError, SyntaxError,
    TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip


class ImageFailure(StrEnum):
    """Why there is no picture: the label of its counter."""

    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    BROKEN = "broken"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    INVALID_LINK = "invalid_link"
    PRIVATE_ADDRESS = "private_address"
    FORBIDDEN_FILE = "forbidden_file"
    FILE_NOT_FOUND = "file_not_found"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    HTTP_STATUS = "http_status"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    TRUNCATED = "truncated"


class ImageError(EncoderError):
    """There is no picture. `reason` is for counters, the message for people.

    `transient`: the same link may give a picture when it is asked again later.
    """

    def __init__(self, reason: ImageFailure, detail: str, *, transient: bool = False) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.transient = transient


def decode_image(data: bytes, limits: ImageLimits) -> Image.Image:
    """An RGB picture, upright, on white where it was transparent, shrunk to `max_edge`; of an animation the first.

    Raises ImageError. Sizes are checked before any pixel is decoded; what is cut off in the middle is refused.
    """
    if len(data) > limits.max_bytes:
        raise ImageError(ImageFailure.TOO_MANY_BYTES, f"{len(data)} bytes, more than {limits.max_bytes}")
    _check_magic(data)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_pixels(image.size, limits)
            orientation = _orientation(image)
            image.thumbnail((limits.max_edge, limits.max_edge), Image.Resampling.BICUBIC, reducing_gap=1.0)
            image.load()
            picture = on_white(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(ImageFailure.TOO_MANY_PIXELS, f"{error}; allowed are {limits.max_pixels}") from error
    except UnidentifiedImageError as error:
        raise ImageError(ImageFailure.BROKEN, "begins like a picture, but its header cannot be read") from error
    except _BROKEN as error:
        raise ImageError(ImageFailure.BROKEN, f"cannot be decoded: {error}") from error
    return picture.transpose(_TURNS[orientation]) if orientation in _TURNS else picture


def on_white(image: Image.Image) -> Image.Image:
    """The picture as RGB, any mode, what was transparent white. An RGB picture is given back as it is."""
    if image.mode.startswith("I"):
        image = _to_8_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _check_magic(data: bytes) -> None:
    head = data[:32]
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    is_avif = head[4:8] == b"ftyp" and (b"avif" in head or b"avis" in head)
    if is_webp or is_avif or head.startswith(_MAGIC):
        return
    if head.startswith(_OTHER_PICTURES) or head[4:8] == b"ftyp" or b"<svg" in data[:1000]:
        raise ImageError(ImageFailure.UNSUPPORTED_FORMAT, f"a picture in none of the formats {', '.join(_FORMATS)}")
    raise ImageError(ImageFailure.NOT_AN_IMAGE, f"{len(data)} bytes that begin with {head[:12]!r}")


def _check_pixels(size: tuple[int, int], limits: ImageLimits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise ImageError(ImageFailure.TOO_MANY_PIXELS, f"{width} x {height} pixels; allowed are {limits.max_pixels}")


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 (upright) where it cannot be read: a picture is worth more than its notes."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _BROKEN:
        return 1


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Sixteen bits a pixel to eight: `convert` would cut everything above 255 to white."""
    pixels = np.asarray(image).astype(np.int64)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        pixels[pixels == transparent] = 65_535
    return Image.fromarray((pixels.clip(0, 65_535) >> 8).astype(np.uint8))
