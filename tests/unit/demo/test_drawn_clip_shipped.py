"""The shipped model finds looks that it never saw, and its card says what was measured."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.drawn_shop.captions import LANGUAGES, Language, canonical_caption
from demo.drawn_shop.evaluation import GALLERIES
from demo.drawn_shop.evaluation_table import table_rows
from demo.drawn_shop.looks import split_looks
from demo.drawn_shop.pictures import draw_picture
from encoders.base import ImageEncoder
from encoders.clip_files import SHIPPED_FOLDER
from encoders.factory import create_image_encoder
from encoders.settings import EncoderSettings, ImageEncoderSettings
from learning.clip_evaluation import recall

_LARGEST_FOLDER_BYTES = 5_000_000
_FILES = {
    "README.md",
    "evaluation.json",
    "open_clip_config.json",
    "open_clip_model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "training.json",
}


@pytest.fixture(scope="module")
def encoder() -> ImageEncoder:
    return create_image_encoder(EncoderSettings(image=ImageEncoderSettings(device="cpu"), threads=1))


@pytest.fixture(scope="module")
def evaluation() -> Any:
    return json.loads((SHIPPED_FOLDER / "evaluation.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def held_out_pictures(encoder: ImageEncoder) -> Any:
    seed = GALLERIES["noisy"].first_seed
    return encoder.encode_images([draw_picture(look, seed) for look in split_looks().held_out])


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_find_pictures_of_looks_never_seen(
    encoder: ImageEncoder, held_out_pictures: Any, language: Language
) -> None:
    captions = encoder.encode_texts([canonical_caption(look, language) for look in split_looks().held_out])
    found = recall(captions @ held_out_pictures.T, np.arange(len(captions)))
    assert found.at_1 >= 0.95
    assert found.at_10 == 1


def test_the_folder_is_complete_and_small() -> None:
    files = list(SHIPPED_FOLDER.iterdir())
    assert {file.name for file in files} == _FILES
    assert sum(file.stat().st_size for file in files) < _LARGEST_FOLDER_BYTES


def test_the_figures_are_those_of_these_weights_and_reach_what_was_asked(
    encoder: ImageEncoder, evaluation: Any
) -> None:
    assert evaluation["release"] == encoder.release
    for language in LANGUAGES:
        assert evaluation["galleries"]["noisy"]["languages"][language]["text_to_picture"]["at_1"] >= 0.96
        for gallery, least in (("noisy", 0.75), ("clean", 0.86)):
            changed = evaluation["galleries"][gallery]["languages"][language]["picture_and_words_as_searched"]
            assert all(right["all_three"] >= least for right in changed.values())


def test_the_card_shows_the_evaluation_row_by_row(evaluation: Any) -> None:
    card = (SHIPPED_FOLDER / "README.md").read_text(encoding="utf-8")
    for label, cells in table_rows(evaluation["galleries"]).items():
        assert f"| {label} | {' | '.join(cells)} |\n" in card


def test_the_card_says_how_the_model_was_trained() -> None:
    card = (SHIPPED_FOLDER / "README.md").read_text(encoding="utf-8")
    record = json.loads((SHIPPED_FOLDER / "training.json").read_text(encoding="utf-8"))
    for number in (record["settings"]["steps"], record["settings"]["batch_size"], record["parameters"]):
        assert f"{number:,}" in card
    assert "Apache-2.0" in card
    assert "millrace evaluate drawn-clip" in card
    assert (
        f"millrace train drawn-clip FOLDER --steps {record['settings']['steps']} --seed {record['settings']['seed']}"
        in card
    )


def test_the_weights_may_be_read_by_every_user() -> None:
    for name in _FILES:
        assert Path(SHIPPED_FOLDER / name).stat().st_mode & 0o444 == 0o444
