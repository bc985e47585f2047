"""Where the files of a model lie, that they are safetensors, and which weights they are."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from encoders.base import EncoderError
from encoders.settings import ModelSettings

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.npz")
_LOADABLE_PICKLES = ("pytorch_model*.bin", "adapter_model.bin")  # transformers and sentence-transformers read no others


def find_folder(model: str) -> Path | None:
    """The folder that `model` names, None where it rather names a model of a hub.

    Raises EncoderError for a path that is not there.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if model.startswith((".", "/", "~")) or model.count("/") > 1 or "\\" in model:
        raise EncoderError(f"model folder {model} is not there: check the path in the settings")
    return None


def download(repository: str, revision: str, files: Sequence[str]) -> Path:
    """The folder of a Hugging Face model: from the local cache where it is there, else fetched, never with pickles."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        folder = snapshot_download(
            repository, revision=revision or None, allow_patterns=list(files), ignore_patterns=list(_PICKLES)
        )
    except HFValidationError as error:
        raise EncoderError(f"{repository!r} is neither a folder nor the name of a model: {error}") from error
    except (OSError, HfHubHTTPError) as error:
        raise EncoderError(
            f"model {repository!r} is not on this machine and could not be fetched from Hugging Face: {error}. Check "
            "the name, fetch it once where there is a network (hf download NAME) or set the model to a folder"
        ) from error
    return Path(folder)


def refuse_pickles(folder: Path) -> None:
    """Raises EncoderError where a part of the model has weights that only a pickle holds."""
    for pattern in _LOADABLE_PICKLES:
        for file in folder.rglob(pattern):
            if not any(file.parent.glob("*model*.safetensors")):
                raise EncoderError(
                    f"{file} is a pickle, which can run code when it is loaded: convert the model to safetensors"
                )


def hash_weights(files: Iterable[Path]) -> str:
    """SHA-256 in hex: of the file's bytes for one file, of the files' hashes in name order for several."""
    hashes = []
    for file in sorted(files):
        with file.open("rb") as stream:
            hashes.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def check_weights(found: str, wanted: str, what: str) -> None:
    """Raises EncoderError where a pinned hash is not the one found."""
    if wanted and found != wanted:
        raise EncoderError(
            f"the weights of {what} have the SHA-256 {found}, not {wanted} as pinned: install the pinned version "
            "again, or change weights_sha256 if the new weights are wanted"
        )


def name_release(name: str, weights_sha256: str, settings: ModelSettings, *more: str) -> str:
    """`name@first 8 of the hash`, then whatever else changes vectors: a dtype other than float32, and `more`."""
    dtype = () if settings.dtype == "float32" else (settings.dtype,)
    return "+".join([f"{name}@{weights_sha256[:8]}", *dtype, *more])
