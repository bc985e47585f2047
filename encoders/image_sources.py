"""The bytes of a picture from where its link points: the web, a folder, or the link itself."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
    wait_random,
)

from encoders.addresses import Resolve, resolve_host
from encoders.image_downloads import ImageDownloads
from encoders.image_files import read_data_link, read_file_link
from encoders.images import ImageError, ImageFailure
from encoders.settings import ImageSourceSettings

_FIRST_PAUSE_SECONDS = 0.2


class ImageSource:
    """Fetches pictures by link. Safe to call from many threads; make one and close it at the end."""

    def __init__(
        self,
        settings: ImageSourceSettings,
        resolve: Resolve = resolve_host,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._downloads = ImageDownloads(settings, resolve)
        self._attempts = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(1 + settings.retries) | stop_before_delay(settings.timeout_seconds),
            wait=wait_exponential(_FIRST_PAUSE_SECONDS) + wait_random(0, _FIRST_PAUSE_SECONDS),
            sleep=sleep,
            reraise=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._downloads.close()

    def fetch(self, link: str) -> bytes:
        """The bytes behind an http, https, file or data link, at most `max_bytes`, not decoded. Raises ImageError.

        Failures that may pass are tried again, all within `timeout_seconds`.
        """
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
                deadline = time.monotonic() + self._settings.timeout_seconds
                return self._attempts(self._downloads.download, link, deadline)
            case "file":
                return read_file_link(rest, self._settings.file_root, self._settings.limits.max_bytes)
            case "data":
                return read_data_link(rest)
        raise ImageError(ImageFailure.INVALID_LINK, f"{link[:200]} is no http, https, file or data link")


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, ImageError) and error.transient
