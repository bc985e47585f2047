"""A picture and words about it, over an encoder whose dimensions are the values themselves."""

from collections.abc import Sequence

import numpy as np
import pytest
from pydantic import ValidationError

from encoders.base import UnusableVector, Vectors
from encoders.unit import to_unit_vectors
from ranking.attribute_words import AttributeWords
from ranking.composition import PictureAndWords
from ranking.referring_words import without_referring_words
from ranking.settings import CompositionSettings
from ranking.standard_attributes import STANDARD_ATTRIBUTES

SEEN = ("red", "blue", "green", "striped", "plain", "dress", "pockets")


class _Reader:
    """A text's vector has a 1 for each word of SEEN, and a small one for all other texts."""

    release, dimension, batch_size = "reader@1", len(SEEN) + 1, 8

    def __init__(self) -> None:
        self.asked = 0

    def understands(self, text: str) -> bool:
        return True

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        self.asked += 1
        english = [text.replace("红色", "red").replace("蓝色", "blue").replace("绿色", "green") for text in texts]
        return to_unit_vectors(
            np.array([[*(word in text for word in SEEN), 0.01] for text in english], dtype=np.float32), self.release
        )


class _Mute(_Reader):
    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        raise UnusableVector([0], self.release)


def _picture(words: str) -> np.ndarray:
    vector: np.ndarray = _Reader().encode_texts([words])[0]
    return vector


def _said(vector: np.ndarray) -> set[str]:
    return {word for word, value in zip(SEEN, vector, strict=False) if value > 0.2}


BLUE_DRESS = _picture("blue striped dress")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("red", {"red", "striped", "dress"}),
        ("但是红色的", {"red", "striped", "dress"}),
        ("same in green, plain", {"green", "plain", "dress"}),
        ("blue", {"blue", "striped", "dress"}),
        ("red with pockets", {"red", "striped", "dress", "pockets"}),
        ("with pockets", {"blue", "striped", "dress", "pockets"}),
        ("this one", {"blue", "striped", "dress"}),
    ],
)
def test_what_is_named_is_exchanged_and_the_rest_of_the_picture_stays(text: str, said: set[str]) -> None:
    settings = CompositionSettings(exchange_weight=1, words_weight=1)
    assert _said(PictureAndWords(_Reader(), settings).compose(BLUE_DRESS, text)) == said


def test_a_composed_vector_has_length_one() -> None:
    vector = PictureAndWords(_Reader(), CompositionSettings()).compose(BLUE_DRESS, "red with pockets")
    assert np.linalg.norm(vector) == pytest.approx(1)


def test_the_weight_says_how_far_the_picture_moves() -> None:
    half, whole = (
        PictureAndWords(_Reader(), CompositionSettings(exchange_weight=weight)).compose(BLUE_DRESS, "red")
        for weight in (0.5, 1)
    )
    assert half[SEEN.index("red")] < whole[SEEN.index("red")]
    assert half[SEEN.index("blue")] > whole[SEEN.index("blue")]


def test_the_values_of_an_attribute_are_encoded_once() -> None:
    encoder = _Reader()
    composition = PictureAndWords(encoder, CompositionSettings())
    for text in ("red", "blue", "the same in red"):
        composition.compose(BLUE_DRESS, text)
    assert encoder.asked == 1


def test_a_text_of_which_the_model_makes_nothing_leaves_the_picture() -> None:
    np.testing.assert_array_equal(
        PictureAndWords(_Mute(), CompositionSettings()).compose(BLUE_DRESS, "red"), BLUE_DRESS
    )


def test_a_shop_adds_attributes_of_its_own() -> None:
    settings = CompositionSettings(exchange_weight=1, attributes={"pocket": (("pockets", "口袋"), ("no pockets",))})
    changed = PictureAndWords(_Reader(), settings).compose(BLUE_DRESS, "pockets")
    assert _said(changed) == {"blue", "striped", "dress"}  # the picture says so already: nothing is exchanged


@pytest.mark.parametrize(
    ("text", "named", "rest"),
    [
        ("a red dress", {"colour": "red", "kind": "dress"}, "a"),
        ("covered, redone", {}, "covered, redone"),
        ("Navy Blue boots", {"colour": "navy", "kind": "boot"}, ""),
        ("polka dots", {"pattern": "dotted"}, ""),
        ("红的", {"colour": "red"}, "的"),
        ("西红柿", {}, "西红柿"),
        ("粉红色连衣裙", {"colour": "pink", "kind": "dress"}, ""),
        ("牛仔裤", {"kind": "jeans"}, ""),
    ],
)
def test_values_are_found_by_whole_words_the_longest_first(text: str, named: dict[str, str], rest: str) -> None:
    found = AttributeWords(STANDARD_ATTRIBUTES).find(text)
    values = {name: [STANDARD_ATTRIBUTES[name][at][0] for at in places] for name, places in found.values.items()}
    assert values == {name: [value] for name, value in named.items()}
    assert found.rest == rest


def test_several_values_of_one_attribute_are_all_named() -> None:
    assert AttributeWords(STANDARD_ATTRIBUTES).find("red or blue or red").values == {"colour": [3, 7]}


def test_a_name_of_two_values_is_refused() -> None:
    with pytest.raises(ValueError, match="'rose' is a name of two values"):
        AttributeWords({"colour": [["pink", "rose"]], "pattern": [["floral", "Rose"]]})


@pytest.mark.parametrize("attributes", [{"mood": [["red"]]}, {"mood": [[]]}, {"mood": [["", "flat"]]}])
def test_settings_refuse_values_that_cannot_be_told_apart_or_have_no_name(attributes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CompositionSettings.model_validate({"attributes": attributes})


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("this, but red", "red"),
        ("The same, in blue!", "blue"),
        ("但是红色的", "红色"),
        ("同款 蓝色", "蓝色"),
        ("我想要这件裙子但是要绿色的款", "裙子 绿色"),
        ("重要的人", "重要的人"),
        ("something like this", ""),
        ("iPhone 15-in-1", "iPhone 15-in-1"),
        ("", ""),
    ],
)
def test_pointing_words_go_and_others_stay(text: str, left: str) -> None:
    assert without_referring_words(text) == left


def test_a_lone_character_beside_a_rare_one_is_a_part_of_its_word() -> None:
    assert without_referring_words("\U00020000款\U00020000") == "\U00020000款\U00020000"
