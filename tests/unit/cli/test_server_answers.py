"""What a server answers to the command line, and what it says where it answers otherwise."""

import httpx
import pytest

from cli.server_answers import RequestRefused, answer_of

ASKED = httpx.Request("GET", "http://shop/v1/search?q=dress")


def test_an_answer_is_its_json_object() -> None:
    assert answer_of(httpx.Response(200, json={"results": []}, request=ASKED)) == {"results": []}


@pytest.mark.parametrize(
    "refusal",
    [
        httpx.Response(422, json={"title": "no", "detail": "limit: too many"}, request=ASKED),
        httpx.Response(503, text="limit: too many", request=ASKED),
        httpx.Response(307, text="limit: too many", request=ASKED),
    ],
)
def test_a_request_that_is_turned_away_tells_where_and_why(refusal: httpx.Response) -> None:
    with pytest.raises(RequestRefused) as told:
        answer_of(refusal)

    assert str(told.value).startswith(f"http://shop/v1/search?q=dress answered {refusal.status_code}: ")
    assert "limit: too many" in str(told.value)
