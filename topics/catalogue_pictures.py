"""Pictures that come with a catalogue file: out of a folder or a ZIP archive to where workers and servers read them."""

import zipfile
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self
from urllib.parse import quote

_MAX_PICTURE_BYTES = 50_000_000


class CataloguePicturesError(Exception):
    """The pictures as a whole cannot be used; the message says what to do."""


class PictureMissing(Exception):
    """A product names a picture that is not there, or not a usable name."""


class CataloguePictures:
    """Copies the pictures that products name below `root/name`, each once, and gives their links.

    `root` is the folder of the settings below which file: links are read. With `copy` false nothing is written.
    Raises CataloguePicturesError.
    """

    def __init__(self, source: Path, root: Path, name: str, copy: bool = True) -> None:
        self._source = source
        self._target = root / name
        self._name = name
        self._copy = copy
        self._archive: zipfile.ZipFile | None = None
        if source.is_file():
            try:
                self._archive = zipfile.ZipFile(source)
            except (OSError, zipfile.BadZipFile) as error:
                raise CataloguePicturesError(f"{source}: {error}; give a folder or a ZIP archive of pictures") from None
        elif not source.is_dir():
            raise CataloguePicturesError(f"{source}: no such folder or ZIP archive")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._archive is not None:
            self._archive.close()

    def link(self, file_name: str) -> str:
        """The file: link of a picture, copied if it was not there. Raises PictureMissing."""
        inner = PurePosixPath(file_name)
        if inner.is_absolute() or ".." in inner.parts or not inner.parts or "\\" in file_name or "\0" in file_name:
            raise PictureMissing(f"picture: {file_name!r} should be a name below the folder, without '..'")
        size_bytes = self._size(inner)
        if size_bytes > _MAX_PICTURE_BYTES:
            raise PictureMissing(f"picture: {file_name!r} has {size_bytes} bytes, {_MAX_PICTURE_BYTES} are allowed")
        target = self._target / inner
        if self._copy and not (target.is_file() and target.stat().st_size == size_bytes):
            self._write(inner, target)
        return f"file:{quote(f'{self._name}/{inner}')}"

    def _size(self, inner: PurePosixPath) -> int:
        try:
            if self._archive is not None:
                return self._archive.getinfo(str(inner)).file_size
            return (self._source / inner).stat().st_size
        except (KeyError, OSError):
            raise PictureMissing(f"picture: {str(inner)!r} is not in {self._source}") from None

    def _write(self, inner: PurePosixPath, target: Path) -> None:
        """By way of a second name, so that a worker never reads half a picture."""
        try:
            content = self._archive.read(str(inner)) if self._archive else (self._source / inner).read_bytes()
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(f".{target.name}.unfinished")
            unfinished.write_bytes(content)
            unfinished.replace(target)
        except (OSError, zipfile.BadZipFile) as error:
            raise CataloguePicturesError(f"{target}: {error}") from None
