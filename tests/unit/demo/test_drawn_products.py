"""The drawn shop's catalogue: valid events, all looks, links to pictures that are there."""

import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from PIL import Image

from demo.drawn_shop.captions import CHINESE_KINDS
from demo.drawn_shop.looks import KINDS, all_looks
from demo.drawn_shop.merchandise import MERCHANDISE
from demo.drawn_shop.products import PICTURE_SIDE, drawn_products, write_pictures
from topics.events import Product

_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_the_first_640_products_have_each_look_once_and_the_next_are_drawn_otherwise(tmp_path: Path) -> None:
    products = list(drawn_products(1_280, 1, tmp_path, _NOON))
    first, second = products[:640], products[640:]
    assert {product.look for product in first} == {product.look for product in second} == set(all_looks())
    assert len({product.event.id for product in products}) == 1_280
    assert len({product.picture_seed for product in products}) == 1_280
    assert len({product.picture for product in products}) == 1_280


def test_a_catalogue_follows_from_its_seed_and_a_longer_one_begins_alike(tmp_path: Path) -> None:
    products = list(drawn_products(50, 1, tmp_path, _NOON))
    assert products == list(islice(drawn_products(700, 1, tmp_path, _NOON), 50))
    other = list(drawn_products(50, 2, tmp_path, _NOON))
    assert not {product.event.id for product in products} & {product.event.id for product in other}
    assert [product.look for product in products] != [product.look for product in other]


def test_events_survive_the_wire_and_say_what_the_picture_shows(tmp_path: Path) -> None:
    for product in drawn_products(640, 3, tmp_path, _NOON):
        event = Product.model_validate(json.loads(product.event.model_dump_json()))
        assert event == product.event
        assert event.attributes == {
            "kind": product.look.kind,
            "colour": product.look.colour,
            "pattern": product.look.pattern,
        }
        assert product.look.kind in event.title
        assert product.look.colour in event.title
        assert event.brand in event.title
        assert CHINESE_KINDS[product.look.kind][0] in event.description
        assert event.updated_at == _NOON
        assert len(event.categories) == 2


def test_prices_ratings_and_stock_vary(tmp_path: Path) -> None:
    events = [product.event for product in drawn_products(640, 3, tmp_path, _NOON)]
    assert len({event.price for event in events}) > 50
    assert len({event.rating for event in events}) > 10
    assert 0.9 < sum(event.availability == "in_stock" for event in events) / 640 < 1
    assert len({event.brand for event in events}) >= 10
    assert all(event.currency == "EUR" and event.price is not None and event.price > 0 for event in events)


def test_every_kind_has_its_shelf() -> None:
    assert set(MERCHANDISE) == set(KINDS)
    assert len({(each.department, each.shelf) for each in MERCHANDISE.values()}) == len(KINDS)


@pytest.mark.parametrize("processes", [1, 2])
def test_links_lead_to_the_written_pictures(tmp_path: Path, processes: int) -> None:
    folder = tmp_path / "with space"
    products = list(drawn_products(3, 1, folder, _NOON))
    written = list(write_pictures(products, processes=processes))
    assert written == products
    for product in written:
        link = urlparse(product.event.image_links[0])
        assert link.scheme == "file"
        with Image.open(Path(unquote(link.path))) as picture:
            assert (picture.format, picture.size) == ("JPEG", (PICTURE_SIDE, PICTURE_SIDE))
    assert len(list(folder.iterdir())) == 3


def test_a_picture_that_is_there_is_left(tmp_path: Path) -> None:
    (product,) = write_pictures(drawn_products(1, 1, tmp_path, _NOON))
    before = product.picture.stat().st_mtime_ns
    list(write_pictures([product]))
    assert product.picture.stat().st_mtime_ns == before
