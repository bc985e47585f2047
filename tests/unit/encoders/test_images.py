import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from encoders.images import ImageError, ImageFailure, decode_image
from encoders.settings import ImageLimits

LIMITS = ImageLimits()
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"]


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def refusal(data: bytes, limits: ImageLimits = LIMITS) -> ImageError:
    with pytest.raises(ImageError) as refused:
        decode_image(data, limits)
    return refused.value


def png_claiming(width: int, height: int) -> bytes:
    """A valid PNG header for a picture of that size, with next to no data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))


def close_to(image: Image.Image, colour: tuple[int, int, int], at: tuple[int, int] = (5, 5)) -> bool:
    return bool(np.abs(np.subtract(image.getpixel(at), colour)).max() <= 12)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_becomes_rgb(kind: str) -> None:
    picture = decode_image(saved(Image.new("RGB", (30, 20), (200, 40, 40)), kind), LIMITS)
    assert (picture.mode, picture.size) == ("RGB", (30, 20))
    assert close_to(picture, (200, 40, 40))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", ImageFailure.NOT_AN_IMAGE),
        (b"<!doctype html><title>404</title>", ImageFailure.NOT_AN_IMAGE),
        (b"PK\x03\x04" + bytes(100), ImageFailure.NOT_AN_IMAGE),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", ImageFailure.NOT_AN_IMAGE),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', ImageFailure.UNSUPPORTED_FORMAT),
        (saved(Image.new("RGB", (3, 3)), "TIFF"), ImageFailure.UNSUPPORTED_FORMAT),
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), ImageFailure.UNSUPPORTED_FORMAT),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), ImageFailure.BROKEN),
        (b"\xff\xd8\xff\xe0", ImageFailure.BROKEN),
    ],
)
def test_what_is_no_picture_is_refused_with_its_reason(data: bytes, reason: ImageFailure) -> None:
    assert refusal(data).reason is reason


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_cut_off_in_the_middle_is_refused(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = saved(noise, kind)
    assert refusal(data[: len(data) // 2]).reason is ImageFailure.BROKEN


@pytest.mark.parametrize("size", [(100_000, 100_000), (8_000, 7_000), (2**31 - 1, 1), (12_000, 12_000)])
def test_many_pixels_are_refused_before_they_are_decoded(size: tuple[int, int]) -> None:
    assert refusal(png_claiming(*size)).reason is ImageFailure.TOO_MANY_PIXELS


def test_a_small_gif_with_a_large_frame_is_refused() -> None:
    data = bytearray(saved(Image.new("P", (4, 4)), "GIF"))
    frame = data.index(b",", 13)
    data[frame + 5 : frame + 9] = struct.pack("<HH", 60_000, 60_000)
    assert refusal(bytes(data)).reason in {ImageFailure.TOO_MANY_PIXELS, ImageFailure.BROKEN}


def test_a_text_chunk_that_unpacks_to_gigabytes_is_refused() -> None:
    data = saved(Image.new("RGB", (4, 4)))
    body = b"Comment\x00\x00" + zlib.compress(bytes(70_000_000), 1)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    assert refusal(data[:33] + chunk + data[33:]).reason is ImageFailure.BROKEN


def test_bytes_have_a_limit() -> None:
    data = saved(Image.new("RGB", (4, 4)), "BMP")
    assert refusal(data, ImageLimits(max_bytes=len(data) - 1)).reason is ImageFailure.TOO_MANY_BYTES
    decode_image(data, ImageLimits(max_bytes=len(data)))


def test_pixels_have_a_limit() -> None:
    data = saved(Image.new("RGB", (10, 11)))
    assert refusal(data, ImageLimits(max_pixels=109)).reason is ImageFailure.TOO_MANY_PIXELS
    decode_image(data, ImageLimits(max_pixels=110))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_pictures_are_shrunk_with_their_shape(kind: str) -> None:
    picture = decode_image(saved(Image.new("RGB", (600, 300), "teal"), kind), ImageLimits(max_edge=100))
    assert picture.size == (100, 50)
    assert close_to(picture, (0, 128, 128))


def test_a_very_tall_picture_keeps_a_pixel_of_width() -> None:
    assert decode_image(saved(Image.new("RGB", (1, 5_000))), LIMITS).size == (1, LIMITS.max_edge)


def transparent_rgba() -> bytes:
    return saved(Image.new("RGBA", (10, 10), (10, 20, 30, 0)))


def transparent_grey() -> bytes:
    return saved(Image.new("LA", (10, 10), (0, 0)))


def transparent_palette() -> bytes:
    image = Image.new("P", (10, 10), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    return saved(image, transparency=0)


def transparent_gif() -> bytes:
    image = Image.new("P", (10, 10), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    return saved(image, "GIF", transparency=0)


def transparent_colour() -> bytes:
    return saved(Image.new("RGB", (10, 10), (1, 2, 3)), transparency=(1, 2, 3))


def transparent_sixteen_bits() -> bytes:
    return saved(Image.fromarray(np.full((10, 10), 700, dtype=np.uint16)), transparency=700)


def transparent_webp() -> bytes:
    return saved(Image.new("RGBA", (10, 10), (10, 20, 30, 0)), "WEBP")


@pytest.mark.parametrize(
    "make",
    [
        transparent_rgba, transparent_grey, transparent_palette, transparent_gif, transparent_colour,
        transparent_sixteen_bits, transparent_webp,
    ],
)  # fmt: skip
def test_transparent_is_white(make: Callable[[], bytes]) -> None:
    assert decode_image(make(), LIMITS).getpixel((5, 5)) == (255, 255, 255)


def test_half_transparent_is_mixed_with_white() -> None:
    assert close_to(decode_image(saved(Image.new("RGBA", (10, 10), (0, 0, 0, 128))), LIMITS), (127, 127, 127))


def test_sixteen_bits_keep_their_brightness() -> None:
    data = saved(Image.fromarray(np.full((10, 10), 0x8000, dtype=np.uint16)))
    assert decode_image(data, LIMITS).getpixel((5, 5)) == (128, 128, 128)


def test_cmyk_becomes_rgb() -> None:
    picture = decode_image(saved(Image.new("CMYK", (10, 10), (0, 255, 255, 0)), "JPEG"), LIMITS)
    assert close_to(picture, (255, 0, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_stands_upright(orientation: int) -> None:
    upright = Image.new("RGB", (40, 20), "white")
    upright.paste("red", (0, 0, 20, 10))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode_image(saved(stored, "PNG", exif=exif), LIMITS)
    assert picture.size == (40, 20)
    assert close_to(picture, (255, 0, 0), (5, 5))
    assert close_to(picture, (255, 255, 255), (35, 15))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
def test_unreadable_notes_do_not_cost_the_picture() -> None:
    data = saved(Image.new("RGB", (10, 10), "red"), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert decode_image(data, LIMITS).size == (10, 10)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_picture_counts(kind: str) -> None:
    first, second = Image.new("RGB", (10, 10), "red"), Image.new("RGB", (10, 10), "blue")
    data = saved(first, kind, save_all=True, append_images=[second], duration=100)
    assert close_to(decode_image(data, LIMITS), (255, 0, 0))
