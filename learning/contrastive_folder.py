"""A trained model as one folder that open_clip loads by itself: `local-dir:FOLDER`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learning.contrastive_pictures import OPENAI_DEVIATION, OPENAI_MEAN
from learning.contrastive_tokenizer import END, END_ID, PADDING, PADDING_ID, START
from learning.settings import ClipArchitecture

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS_FILE = "open_clip_model.safetensors"
CONFIG_FILE = "open_clip_config.json"
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
_WHITE = 255
_READABLE_BY_ALL = 0o644


def model_config(architecture: ClipArchitecture, vocabulary_size: int) -> dict[str, Any]:
    """The arguments of open_clip's CLIP."""
    return {
        "embed_dim": architecture.dimension,
        "vision_cfg": {
            "image_size": architecture.image_size,
            "layers": list(architecture.image_layers),
            "width": architecture.image_width,
            "head_width": architecture.image_head_width,
        },
        "text_cfg": {
            "width": architecture.text_width,
            "heads": architecture.text_heads,
            "layers": architecture.text_layers,
            "context_length": architecture.context_length,
            "vocab_size": vocabulary_size,
            "pool_type": "eos",
            "eos_id": END_ID,
            "pad_id": PADDING_ID,
            "hf_tokenizer_name": "local",  # any name but none: the folder's own tokenizer is used
        },
    }


def preprocess_config() -> dict[str, Any]:
    """A tall or wide picture is shrunk whole onto white, nothing of it is cut."""
    return {
        "mean": list(OPENAI_MEAN),
        "std": list(OPENAI_DEVIATION),
        "interpolation": "bicubic",
        "resize_mode": "longest",
        "fill_color": _WHITE,
    }


def write_folder(folder: Path, model: Any, tokenizer: "Tokenizer", architecture: ClipArchitecture) -> None:
    """Writes weights in fp16, configuration and tokenizer; replaces what an earlier training left there."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_cfg": model_config(architecture, tokenizer.get_vocab_size()),
        "preprocess_cfg": preprocess_config(),
    }
    _write_json(folder / CONFIG_FILE, config)
    _write_json(folder / TOKENIZER_CONFIG_FILE, _tokenizer_config(architecture))
    tokenizer.save(str(folder / TOKENIZER_FILE))
    weights = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in model.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS_FILE)
    (folder / WEIGHTS_FILE).chmod(_READABLE_BY_ALL)  # safetensors writes files that only their owner may read


def _tokenizer_config(architecture: ClipArchitecture) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": PADDING,
        "bos_token": START,
        "eos_token": END,
        "model_max_length": architecture.context_length,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
