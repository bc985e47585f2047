"""The bytes of a picture from where its link points: the web, a folder, or the link itself."""

from types import TracebackType
from typing import Self

from encoders.addresses import Resolve, resolve_host
from encoders.image_downloads import ImageDownloads
from encoders.image_files import read_data_link, read_file_link
from encoders.images import ImageError, ImageFailure
from encoders.settings import ImageSourceSettings


class ImageSource:
    """Fetches pictures by link. Safe to call from many threads; make one and close it at the end."""

    def __init__(self, settings: ImageSourceSettings, resolve: Resolve = resolve_host) -> None:
        self._settings = settings
        self._downloads = ImageDownloads(settings, resolve)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._downloads.close()

    def fetch(self, link: str) -> bytes:
        """The bytes behind an http, https, file or data link, at most `max_bytes`, not decoded. Raises ImageError."""
        data = self._read(link)
        if len(data) > self._settings.limits.max_bytes:
            raise ImageError(
                ImageFailure.TOO_MANY_BYTES, f"{link[:200]} has more than {self._settings.limits.max_bytes} bytes"
            )
        return data

    def _read(self, link: str) -> bytes:
        scheme, _, rest = link.partition(":")
        match scheme.lower():
            case "http" | "https":
                return self._downloads.download(link)
            case "file":
                return read_file_link(rest, self._settings.file_root, self._settings.limits.max_bytes)
            case "data":
                return read_data_link(rest)
        raise ImageError(ImageFailure.INVALID_LINK, f"{link[:200]} is no http, https, file or data link")
