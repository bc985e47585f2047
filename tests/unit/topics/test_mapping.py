"""A shop's record to the fields of a product, and mapping files that say what is wrong with them."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.events import Product
from topics.mapping import MappingError, MappingFileError, ProductMapping, load_mapping

VALUES = [
    *(None, True, 0, -1, 10**400, 1e308, float("nan"), float("inf"), "", "12", "1e999999999", "sNaN", "Granny-Smith"),
    *([], [1], ["a", None], [["a", "b"]], [["a"]], [[1, 2], [3]], [{}], {}, {"title": "x"}, {"title": ["x"]}),
]
SHIPPED = sorted((Path(__file__).parents[3] / "demo" / "mappings").glob("*.toml"))


def test_an_empty_mapping_takes_the_record_as_it_is() -> None:
    record = {"id": "p1", "title": "Red dress", "anything": 1}

    assert ProductMapping().apply(record) == record


def test_paths_reach_into_records_and_alternatives_give_the_first_that_is_there() -> None:
    mapping = ProductMapping(fields={"id": "sku", "title": "texts.long | texts.short"})

    assert mapping.apply({"sku": 7, "texts": {"long": "", "short": "Dress"}}) == {"id": "7", "title": "Dress"}


def test_a_key_that_holds_dots_is_found_by_its_whole_name() -> None:
    mapping = ProductMapping(fields={"title": "name.en"})

    assert mapping.apply({"name.en": "Dress"}) == {"title": "Dress"}


def test_lists_take_every_alternative_once_in_order() -> None:
    mapping = ProductMapping(fields={"categories": "parent | own | more"})

    assert mapping.apply({"parent": "Home", "own": "Beds", "more": ["Home", "Sale"]}) == {
        "categories": ["Home", "Beds", "Sale"]
    }


def test_prices_in_cents_are_divided_exactly() -> None:
    mapping = ProductMapping(fields={"price": "cents"}, price_divisor=100)

    assert mapping.apply({"cents": 4995}) == {"price": Decimal("49.95")}


@pytest.mark.parametrize("price", ["free", "12,50", True, [1], {"amount": 1}, "9e999999999", "sNaN"])
def test_a_price_that_is_no_number_is_refused_with_its_place(price: object) -> None:
    mapping = ProductMapping(fields={"price": "offer.amount"}, price_divisor=100)

    with pytest.raises(MappingError, match=r"offer\.amount"):
        mapping.apply({"offer": {"amount": price}})


def test_attributes_come_from_prefixes_pairs_and_paths_and_skip_what_is_empty() -> None:
    mapping = ProductMapping(
        attributes={"ean": "codes.ean", "absent": "codes.none"}, attribute_prefixes=("attr_",), attribute_pairs="more"
    )
    record = {
        "attr_colour": "red",
        "attr_size": "",
        "attr_new": False,
        "codes": {"ean": ["1"]},
        "more": [["material", "silk"]],
    }

    assert mapping.apply(record)["attributes"] == {"colour": "red", "new": False, "material": "silk", "ean": ["1"]}


@pytest.mark.parametrize("pairs", ["text", [["one"]], [1, 2], {"a": 1}, 5])
def test_attribute_pairs_that_are_no_pairs_are_refused(pairs: object) -> None:
    with pytest.raises(MappingError, match="'specs' is not a list"):
        ProductMapping(fields={"id": "id"}, attribute_pairs="specs").apply({"specs": pairs})


def test_hyphens_become_spaces_where_asked() -> None:
    mapping = ProductMapping(fields={"id": "name", "title": "name"}, spaced_fields=("title",))

    assert mapping.apply({"name": "Granny-Smith"}) == {"id": "Granny-Smith", "title": "Granny Smith"}


def test_image_names_become_links_by_the_template() -> None:
    mapping = ProductMapping(fields={"image_links": "picture"}, image_link_template="file:shop/{}")

    assert mapping.apply({"picture": "a.jpg"}) == {"image_links": ["file:shop/a.jpg"]}


def test_constants_give_way_to_the_record() -> None:
    mapping = ProductMapping(fields={"currency": "money"}, constants={"currency": "USD", "language": "en"})

    assert mapping.apply({"money": "EUR"}) == {"currency": "EUR", "language": "en"}


@given(
    record=st.dictionaries(
        st.sampled_from(["id", "title", "price", "pics", "pairs", "attr_a", "nested"]), st.sampled_from(VALUES)
    )
)
def test_any_record_is_mapped_or_refused_by_a_mapping_error(record: dict[str, Any]) -> None:
    mapping = ProductMapping(
        fields={"id": "id", "title": "title | nested.title", "price": "price", "image_links": "pics"},
        attribute_prefixes=("attr_",),
        attribute_pairs="pairs",
        price_divisor=100,
        spaced_fields=("title",),
        image_link_template="file:{}",
    )
    try:
        event = mapping.apply(record)
    except MappingError:
        return
    assert set(event) <= {"id", "title", "price", "image_links", "attributes"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("fields = {titel = 'name'}", "titel: no field of a product"),
        ("colour = 1", "colour"),
        ("price_divisor = 0", "price_divisor"),
        ("image_link_template = 'file:{name}'", "write {} once"),
        ("fields = ", "Invalid value"),
    ],
)
def test_a_mapping_file_says_what_is_wrong_with_it(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(text)

    with pytest.raises(MappingFileError, match=r"mapping\.toml") as caught:
        load_mapping(file)
    assert complaint in str(caught.value)


def test_a_missing_mapping_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingFileError, match=r"none\.toml.*No such file"):
        load_mapping(tmp_path / "none.toml")


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_mappings_load(file: Path) -> None:
    assert load_mapping(file).fields["id"]


@pytest.mark.data
def test_every_icecat_product_is_a_valid_event(shared_data: Path) -> None:
    mapping = load_mapping(next(file for file in SHIPPED if file.stem == "icecat_chorus"))
    count = 0
    with gzip.open(shared_data / "icecat_chorus" / "products.jsonl.gz") as lines:
        for line in lines:
            product = Product.model_validate({"updated_at": 0, **mapping.apply(json.loads(line))})
            assert product.currency == "USD"
            assert product.image_links == ()
            count += 1
    assert count == 19_406


@pytest.mark.data
def test_every_litemall_product_is_a_valid_chinese_event(shared_data: Path) -> None:
    mapping = load_mapping(next(file for file in SHIPPED if file.stem == "litemall_zh"))
    lines = (shared_data / "litemall_zh" / "products.jsonl").read_text(encoding="utf-8").splitlines()
    products = [Product.model_validate({"updated_at": 0, **mapping.apply(json.loads(line))}) for line in lines]

    assert len(products) == 239
    first = products[0]
    assert (first.id, first.title, first.language, first.currency) == ("1006002", "轻奢纯棉刺绣水洗四件套", "zh", "CNY")
    assert first.categories == ("居家", "床品件套")
    assert first.price == Decimal("899")
    assert first.attributes["材质"] == "100%棉"
