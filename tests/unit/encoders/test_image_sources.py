import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from encoders.base import EncoderError
from encoders.image_sources import ImageSource
from encoders.images import ImageError, ImageFailure
from encoders.settings import ImageLimits, ImageSourceSettings

PICTURE = b"\xff\xd8\xff" + bytes(range(256)) * 8
LIMITS = ImageLimits(max_bytes=100_000)


@pytest.fixture
def source() -> Iterator[ImageSource]:
    with ImageSource(ImageSourceSettings(limits=LIMITS)) as opened:
        yield opened


def below(folder: Path) -> ImageSource:
    return ImageSource(ImageSourceSettings(limits=LIMITS, file_root=str(folder)))


def refusal(source: ImageSource, link: str) -> ImageError:
    with pytest.raises(ImageError) as refused:
        source.fetch(link)
    return refused.value


@pytest.mark.parametrize(
    "link",
    [
        "", "picture.jpg", "ftp://example.com/a.jpg", "javascript:alert(1)", "http:", "http:///a.jpg", "https://",
        "http://[::1", "http://a:b:c/", "http://example.com:99999/", "http://user:secret@example.com/a.jpg",
        "http://xn--\u00fc.test/", "http://exa\x00mple.com/", "data:image/png;base64", "data:image/png;base64,!!!",
        "https://xn--/", "http://xn--a", "http://xn--a:80/a.jpg",
    ],
)  # fmt: skip
def test_a_link_that_is_none_is_refused(source: ImageSource, link: str) -> None:
    assert refusal(source, link).reason is ImageFailure.INVALID_LINK


@pytest.mark.parametrize("host", ["example.com", "[::1", "a:b:c"])
def test_passwords_in_links_are_not_repeated(source: ImageSource, host: str) -> None:
    assert "secret" not in str(refusal(source, f"http://user:secret@{host}/a.jpg"))


@pytest.mark.parametrize("header", ["data:image/png;base64,", "data:;base64,", "DATA:image/jpeg;charset=x;BASE64,"])
def test_a_picture_within_its_link(source: ImageSource, header: str) -> None:
    assert source.fetch(header + base64.b64encode(PICTURE).decode()) == PICTURE
    assert source.fetch("data:,a%20b") == b"a b"
    assert refusal(source, "data:," + "a" * 100_001).reason is ImageFailure.TOO_MANY_BYTES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_bytes(b"secret")
    root = tmp_path / "pictures"
    (root / "sub").mkdir(parents=True)
    (root / "a b.jpg").write_bytes(PICTURE)
    (root / "sub" / "inside.jpg").symlink_to(root / "a b.jpg")
    (root / "escape.jpg").symlink_to(tmp_path / "secret.txt")
    (root / "loop.jpg").symlink_to(root / "loop.jpg")
    os.mkfifo(root / "pipe.jpg")
    (root / "large.jpg").write_bytes(bytes(200_000))
    return root


@pytest.mark.parametrize("link", ["file:a%20b.jpg", "file:sub/../a%20b.jpg", "file:sub/inside.jpg", "FILE:./a b.jpg"])
def test_a_file_below_the_root_is_read(folder: Path, link: str) -> None:
    with below(folder) as source:
        assert source.fetch(link) == PICTURE
        assert source.fetch(f"file://{folder}/a%20b.jpg") == PICTURE
        assert source.fetch(f"file://localhost{folder}/a%20b.jpg") == PICTURE


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("file:../secret.txt", ImageFailure.FORBIDDEN_FILE),
        ("file:%2e%2e/secret.txt", ImageFailure.FORBIDDEN_FILE),
        ("file:../pictures-of-another/a.jpg", ImageFailure.FORBIDDEN_FILE),
        ("file:///etc/passwd", ImageFailure.FORBIDDEN_FILE),
        ("file://other-machine/share/a.jpg", ImageFailure.FORBIDDEN_FILE),
        ("file:escape.jpg", ImageFailure.FORBIDDEN_FILE),
        ("file:loop.jpg", ImageFailure.FORBIDDEN_FILE),
        ("file:pipe.jpg", ImageFailure.FORBIDDEN_FILE),
        ("file:sub", ImageFailure.FORBIDDEN_FILE),
        ("file:a%00b.jpg", ImageFailure.FORBIDDEN_FILE),
        ("file:" + "a" * 3_000, ImageFailure.FORBIDDEN_FILE),
        ("file:missing.jpg", ImageFailure.FILE_NOT_FOUND),
        ("file:a%20b.jpg/below", ImageFailure.FILE_NOT_FOUND),
        ("file:large.jpg", ImageFailure.TOO_MANY_BYTES),
    ],
)
def test_every_other_file_is_refused(folder: Path, link: str, reason: ImageFailure) -> None:
    with below(folder) as source:
        refused = refusal(source, link)
    assert refused.reason is reason
    assert "secret" not in str(refused.__cause__)


def test_no_file_is_read_without_a_root(source: ImageSource, folder: Path) -> None:
    refused = refusal(source, f"file://{folder}/a%20b.jpg")
    assert refused.reason is ImageFailure.FORBIDDEN_FILE
    assert "file_root" in str(refused)


def test_a_missing_ca_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"image_sources\.ca_file .*missing\.pem"):
        ImageSource(ImageSourceSettings(ca_file=str(tmp_path / "missing.pem")))
