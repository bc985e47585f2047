"""Where an open_clip model's weights, configuration and tokenizer lie, and how they are loaded together.

Every model is brought to a folder first and loaded from there: only so its preprocessing and its tokenizer travel with
its weights, and nothing silently falls back to random weights or to another model's tokenizer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders.base import EncoderError
from encoders.scripts import Script
from encoders.settings import DType, ImageEncoderSettings
from encoders.weights import download, find_folder

SHIPPED_MODEL = "drawn-clip"
SHIPPED_FOLDER = Path(__file__).parent / "shipped" / "drawn-clip"
_SHIPPED_SCRIPTS: tuple[Script, ...] = ("latin", "han")
_CONFIG = "open_clip_config.json"
_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors")  # open_clip looks in this order too
_TOKENIZER = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model")
_DOWNLOADED = (_CONFIG, *_WEIGHTS, *_TOKENIZER, "tokenizer_config.json", "special_tokens_map.json", "merges.txt")
_HUB_PREFIX = "hf-hub:"
_DEFAULT_VOCABULARY = 49_408  # of the CLIP tokenizer that open_clip takes where a configuration names none
_PRECISIONS: Mapping[DType, str] = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


@dataclass(frozen=True, slots=True)
class ClipFiles:
    """A model that is there: its folder and what its files say."""

    name: str
    folder: Path
    weights: Path
    dimension: int
    scripts: tuple[Script, ...]


def find_clip(settings: ImageEncoderSettings) -> ClipFiles:
    """The files of the model in the settings, fetched if it is a model of a hub. Raises EncoderError."""
    folder, name = _find_folder(settings)
    weights = next((folder / file for file in _WEIGHTS if (folder / file).is_file()), None)
    if weights is None:
        raise EncoderError(
            f"{settings.model} has no weights that can be loaded: {folder} needs {_WEIGHTS[0]}; "
            "weights in other formats must be converted first (safetensors.torch.save_file)"
        )
    dimension = _check_config(folder)
    return ClipFiles(name, folder, weights, dimension, _SHIPPED_SCRIPTS if settings.model == SHIPPED_MODEL else ())


def load_clip(files: ClipFiles, device: str, dtype: DType) -> tuple[Any, Any, Any]:
    """The model in evaluation mode, its own tokenizer, and the dtype its pictures must have. Raises EncoderError."""
    import open_clip
    from safetensors import SafetensorError

    name, precision = f"local-dir:{files.folder}", _PRECISIONS[dtype]
    try:
        model = open_clip.create_model(name, precision=precision, device=device, require_pretrained=True)
        tokenizer = open_clip.get_tokenizer(name)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AssertionError, SafetensorError) as error:
        raise EncoderError(f"{files.folder} could not be loaded by open_clip: {error}") from error
    # open_clip returns models in training mode, where batch normalization turns every vector by its batch.
    return model.eval(), tokenizer, open_clip.get_input_dtype(precision)


def _find_folder(settings: ImageEncoderSettings) -> tuple[Path, str]:
    model = settings.model.removeprefix(_HUB_PREFIX)
    if model == SHIPPED_MODEL:
        if not SHIPPED_FOLDER.is_dir():
            raise EncoderError(f"Millrace's own model is missing at {SHIPPED_FOLDER}: install Millrace again")
        return SHIPPED_FOLDER, model
    local = None if model != settings.model else find_folder(model)
    if settings.pretrained:
        return _download(_repository(model, settings.pretrained), settings.revision), f"{model}-{settings.pretrained}"
    if local:
        return local, local.resolve().name
    if "/" not in model:
        raise EncoderError(_unknown(model))
    return _download(model, settings.revision), model.rpartition("/")[2]


def _download(repository: str, revision: str) -> Path:
    return download(repository, revision, _DOWNLOADED)


def _repository(architecture: str, tag: str) -> str:
    import open_clip

    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if tag not in tags:
        raise EncoderError(
            f"open_clip knows no weights {tag!r} of {architecture!r}: choose one of {', '.join(tags)}"
            if tags
            else f"pretrained is set to {tag!r}, but {architecture!r} is no open_clip name that has such weights"
        )
    repository, _, file = open_clip.get_pretrained_cfg(architecture, tag).get("hf_hub", "").rpartition("/")
    if not repository or (file and not file.startswith("open_clip")):
        raise EncoderError(f"{architecture} with {tag} is not to be had as safetensors: choose another pretrained")
    return str(repository)


def _unknown(model: str) -> str:
    import open_clip

    tags = open_clip.list_pretrained_tags_by_model(model)
    if tags:
        return f"image model {model} needs `pretrained`: one of {', '.join(tags)}"
    return (
        f"unknown image model {model!r}: use {SHIPPED_MODEL}, hash, a folder, an open_clip model of Hugging Face with "
        "its owner such as timm/ViT-B-16-SigLIP2, or an open_clip name with `pretrained`"
    )


def _check_config(folder: Path) -> int:
    """The dimension of the vectors. Raises EncoderError where open_clip would take a tokenizer that does not fit."""
    try:
        config = json.loads((folder / _CONFIG).read_bytes())["model_cfg"]
        dimension, text = int(config["embed_dim"]), config["text_cfg"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(
            f"{folder} needs an {_CONFIG} with model_cfg and preprocess_cfg as open_clip saves it: {error!r}"
        ) from error
    if text.get("hf_tokenizer_name"):
        if not any((folder / file).is_file() for file in _TOKENIZER):
            raise EncoderError(f"{folder} has no tokenizer: copy the model's tokenizer.json there")
    elif text.get("vocab_size", _DEFAULT_VOCABULARY) != _DEFAULT_VOCABULARY:
        raise EncoderError(
            f"{folder}/{_CONFIG} names no hf_tokenizer_name, so open_clip would not use the folder's tokenizer: set it "
            "to any text in text_cfg"
        )
    return dimension
