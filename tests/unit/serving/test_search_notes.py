"""What an answer says beside its results."""

import pytest
from fastapi.testclient import TestClient

from ranking.fusion import Leg
from ranking.queries import QueryKind, SearchAnswer, Total
from ranking.query_understanding import UnderstoodQuery
from ranking.reranking import NOT_READ
from serving.search_notes import search_notes


def test_each_note_has_a_code_that_tells_what_concerns_a_shopper() -> None:
    untold = dict.fromkeys((Leg.TEXT, Leg.IMAGE), "model@1 was not trained on this text's script")
    understood = UnderstoodQuery("连衣裙", "zh", (), ())
    answer = SearchAnswer(QueryKind.TEXT, "连衣裙", [], Total(0, True), understood, left_out=untold, notes=[NOT_READ])
    assert search_notes(answer) == [
        ("text_left_out", "text was left out: model@1 was not trained on this text's script"),
        ("image_left_out", "image was left out: model@1 was not trained on this text's script"),
        ("not_personal", NOT_READ),
    ]


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        ({"q": "dress"}, []),
        ({"q": "🎉"}, ["keywords_left_out"]),
        ({"q": "dress", "price_min": 9, "price_max": 1}, ["contradiction"]),
    ],
)
def test_an_answer_has_a_code_for_each_of_its_notes(
    client: TestClient, asked: dict[str, str], codes: list[str]
) -> None:
    answer = client.get("/v1/search", params=asked).json()
    assert answer["note_codes"] == codes
    assert len(answer["notes"]) == len(codes)
