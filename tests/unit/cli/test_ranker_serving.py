"""What a person is told of a ranker that serves."""

import pytest

from cli.output import Output
from cli.ranker_serving import ServingReport, tell_how_to_ask

REQUEST = {"candidates": [{"product_id": "a"}], "text": "lamp"}
EXAMPLE = {"request": REQUEST, "answer": {"ranker": "trees@1", "results": [{"product_id": "a"}]}, "for_a_stranger": []}


@pytest.mark.parametrize(("products", "searchable"), [(0, False), (1, True)])
def test_a_shop_without_products_is_not_to_be_opened(
    products: int, searchable: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_how_to_ask(ServingReport("http://shop", products=products, example=EXAMPLE), Output(False))
    said = capsys.readouterr().err

    assert ("Open http://shop in a browser" in said) == searchable
    assert "curl http://shop/v1/rank" in said
