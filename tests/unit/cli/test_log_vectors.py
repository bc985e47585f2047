"""Vectors of a log's products: those that a worker would have given them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.log_vectors import encode_products, vectors_of
from cli.output import Output
from cli.settings import Settings, changed_settings
from encoders.base import UnusableVector, Vectors
from encoders.hash import HashEncoder
from index.base import IMAGE_FIELD, TEXT_FIELD
from ranking.style_vectors import parts
from topics.events import Product


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    models = {"text": {"model": "hash"}, "image": {"model": "hash"}, "image_sources": {"file_root": str(tmp_path)}}
    return changed_settings(Settings(), {"encoders": models})


def picture(folder: Path, colour: str) -> str:
    path = folder / f"{colour}.png"
    Image.new("RGB", (32, 32), colour).save(path)
    return path.as_uri()


def lamp(product_id: str, title: str, *links: str) -> Product:
    return Product(id=product_id, title=title, image_links=links, updated_at=datetime.now(UTC))


def test_what_reads_and_looks_alike_is_alike(settings: Settings, tmp_path: Path) -> None:
    red, blue = picture(tmp_path, "red"), picture(tmp_path, "blue")
    lamps = [lamp("a", "lamp", red), lamp("b", "lamp", red), lamp("c", "lamp", blue), lamp("d", "sofa", blue)]
    styles = encode_products(lamps, settings, Output(True))
    a, b, c, d = (styles[product_id] for product_id in "abcd")

    assert a @ b == pytest.approx(1, abs=1e-5)
    assert a @ b > a @ c > a @ d


def test_without_its_picture_a_product_is_what_its_words_say(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lamps = [lamp("a", "lamp", (tmp_path / "gone.png").as_uri()), lamp("b", "lamp", picture(tmp_path, "red"))]
    styles = encode_products(lamps, settings, Output(True))
    dimensions = dict.fromkeys((TEXT_FIELD, IMAGE_FIELD), len(styles["a"]) // 2)

    assert list(parts(styles["a"], dimensions)) == [TEXT_FIELD]
    assert list(parts(styles["b"], dimensions)) == [TEXT_FIELD, IMAGE_FIELD]
    assert "1 of 2 products are compared without their picture" in capsys.readouterr().err


class Speechless(HashEncoder):
    """Makes nothing of a question mark."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        if bad := [place for place, text in enumerate(texts) if text == "?"]:
            raise UnusableVector(bad, self.release)
        return super().encode_texts(texts)


def test_words_that_give_no_vector_are_counted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cli.log_vectors.create_text_encoder", lambda _: Speechless())
    styles = encode_products([lamp("a", "?"), lamp("b", "lamp")], settings, Output(True))

    assert not styles["a"].any()
    assert styles["b"].any()
    assert "1 of 2 products are compared without their words" in capsys.readouterr().err


def test_a_replay_asks_for_the_vectors_of_some(settings: Settings) -> None:
    styles = {"a": np.ones(2, np.float32), "b": np.zeros(2, np.float32)}

    assert list(vectors_of(styles)([lamp("b", "lamp"), lamp("c", "lamp")])) == ["b"]
