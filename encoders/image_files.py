"""The bytes of a picture that lies in a folder, or in the link itself."""

import base64
import binascii
import os
import stat
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

from encoders.images import ImageError, ImageFailure


def read_file_link(rest: str, root: str, max_bytes: int) -> bytes:
    """The file behind `relative/path` or `///path` (what follows `file:`), which must lie below `root`, links followed.

    Reads at most one byte more than `max_bytes`. Raises ImageError.
    """
    if not root:
        raise ImageError(ImageFailure.FORBIDDEN_FILE, "file: links are not read: set image_sources.file_root")
    base = Path(root).resolve()
    try:
        target = (base / _path(rest)).resolve()
        if not target.is_relative_to(base):
            raise ImageError(ImageFailure.FORBIDDEN_FILE, f"{rest[:200]} is outside of image_sources.file_root")
        # Between the check and now a link may have taken the file's place; a pipe would never end.
        descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageError(ImageFailure.FILE_NOT_FOUND, f"{rest[:200]} is not there") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise ImageError(ImageFailure.FORBIDDEN_FILE, f"{rest[:200]} cannot be read: {error}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ImageError(ImageFailure.FORBIDDEN_FILE, f"{rest[:200]} is not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(max_bytes + 1)
    finally:
        os.close(descriptor)


def read_data_link(rest: str) -> bytes:
    """The bytes within `image/png;base64,...` (what follows `data:`). Raises ImageError."""
    header, comma, payload = rest.partition(",")
    if not comma:
        raise ImageError(ImageFailure.INVALID_LINK, "a data: link without a comma before its data")
    data = unquote_to_bytes(payload)
    if not header.lower().endswith(";base64"):
        return data
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ImageError(ImageFailure.INVALID_LINK, f"a data: link that is not base64: {error}") from error


def _path(rest: str) -> str:
    path = unquote(rest)
    if not path.startswith("//"):
        return path
    host, _, rest = path[2:].partition("/")
    if host not in ("", "localhost"):
        raise ImageError(ImageFailure.FORBIDDEN_FILE, f"file: links name no other machine such as {host[:100]!r}")
    return f"/{rest}"
