import numpy as np
import pytest
from PIL import Image

from encoders.hash import HashEncoder

ENCODER = HashEncoder()


def similarity(first: str, second: str) -> float:
    left, right = ENCODER.encode_texts([first, second])
    return float(left @ right)


def test_texts_that_share_words_are_similar() -> None:
    assert similarity("red running shoes", "Running SHOES, blue") == pytest.approx(2 / 3, abs=0.2)
    assert abs(similarity("red running shoes", "steel kettle with lid")) < 0.25


def test_chinese_is_compared_by_character() -> None:
    assert similarity("红色手机壳", "手机壳") > 0.6


def test_vectors_are_the_same_on_every_machine() -> None:
    vector = ENCODER.encode_texts(["red shoes"])[0]
    assert np.flatnonzero(vector)[:6].tolist() == [1, 4, 5, 8, 11, 12]
    assert ENCODER.release == "hash@e5b83c75"


@pytest.mark.parametrize("colour", ["red", "green", "blue", "yellow", "black"])
def test_a_colour_finds_its_picture(colour: str) -> None:
    names = ["red", "green", "blue", "yellow", "black"]
    pictures = []
    for name in names:
        picture = Image.new("RGB", (80, 80), "white")
        picture.paste(name, (20, 10, 60, 70))
        pictures.append(picture)
    scores = ENCODER.encode_images(pictures) @ ENCODER.encode_texts([f"a {colour} cup"])[0]
    assert names[int(scores.argmax())] == colour


def test_pictures_of_one_colour_differ_by_where_it_lies() -> None:
    top, bottom = Image.new("RGB", (80, 80), "white"), Image.new("RGB", (80, 80), "white")
    top.paste("red", (0, 0, 80, 40))
    bottom.paste("red", (0, 40, 80, 80))
    first, second = ENCODER.encode_images([top, bottom])
    assert 0.9 < first @ second < 0.9999


@pytest.mark.parametrize("dimension", [0, 12, -8])
def test_dimension_must_be_whole_bytes_of_signs(dimension: int) -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        HashEncoder(dimension)
