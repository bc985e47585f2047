"""The drawn shop as a judged catalogue, of a few looks."""

import orjson
import pytest

from demo.drawn_shop import judged_catalogue
from demo.drawn_shop.judged_catalogue import drawn_shop
from demo.drawn_shop.looks import all_looks, split_looks
from demo.judged_catalogues import JudgedCatalogue
from ranking.queries import QueryKind
from topics.events import Product


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> JudgedCatalogue:
    held_out = split_looks().held_out[:2]
    few = [*held_out, *[look for look in all_looks() if look not in held_out][:1]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judged_catalogue, "all_looks", lambda: tuple(few))
        return drawn_shop(tmp_path_factory.mktemp("pictures"), lambda done, of: None)


def test_every_picture_is_a_product_that_links_to_it(shop: JudgedCatalogue) -> None:
    products = [Product.model_validate(orjson.loads(line)) for line in shop.file.read_bytes().splitlines()]

    assert [product.attributes["gallery"] for product in products] == ["noisy"] * 12 + ["clean"] * 6
    assert len({product.id for product in products}) == 18
    for product in products:
        assert (shop.file.parent / product.image_links[0].removeprefix("file:")).is_file()


def test_there_are_queries_of_each_kind_in_both_languages(shop: JudgedCatalogue) -> None:
    kinds = {queries.name: queries.kind for queries in shop.query_sets}

    for gallery in ("noisy", "clean"):
        assert kinds[f"picture {gallery}"] is QueryKind.PICTURE
        for language in ("en", "zh"):
            assert kinds[f"text {language} {gallery}"] is QueryKind.TEXT
            assert kinds[f"picture and words {language} {gallery}"] is QueryKind.TEXT_AND_PICTURE
    taught = {queries.kind for queries in shop.query_sets if queries.teaches}
    assert taught == {QueryKind.PICTURE, QueryKind.TEXT_AND_PICTURE}, "captions are the titles of what they look for"
    assert all(len(queries.judgments.answerable()) == 128 for queries in shop.query_sets)


def test_a_picture_with_a_colour_wants_its_look_in_that_colour(shop: JudgedCatalogue) -> None:
    [queries] = [each for each in shop.query_sets if each.name == "picture and words en noisy"]
    look = split_looks().held_out[0]
    colour = queries.judgments.texts["1"]

    wanted = f"noisy-{colour}-{look.pattern}-{look.kind}"
    assert set(queries.judgments.ratings["1"]) == {f"{wanted}-{number}".replace(" ", "-") for number in range(4)}
    assert queries.own["1"] == f"noisy-{look.colour}-{look.pattern}-{look.kind}-0".replace(" ", "-")
    assert queries.pictures["1"].load().size == (64, 64)
    assert colour != look.colour


def test_what_is_drawn_already_is_not_drawn_again(shop: JudgedCatalogue) -> None:
    drawn: list[int] = []

    drawn_shop(shop.file.parent, lambda done, of: drawn.append(done))

    assert drawn == []
