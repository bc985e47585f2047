"""A server beside a worker: what is indexed is told to clients, and its words are known, and what is clicked trends."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from cli.local_stack import LocalStack
from cli.wiring import open_publisher
from tests.services.shop import PATIENCE, Shop, quick_settings, wait_until

pytestmark = pytest.mark.services

STOP_SECONDS = 5.0


def test_a_product_is_announced_its_words_are_known_and_streams_end_with_the_server(tmp_path: Path) -> None:
    with LocalStack(tmp_path, quick_settings(tmp_path)) as stack:
        stack.wait_until_ready(PATIENCE)
        wait_until(lambda: followed(stack.url))
        with (
            open_publisher(stack.settings, "shop") as publisher,
            httpx.stream("GET", f"{stack.url}/v1/indexed-products", timeout=PATIENCE) as stream,
        ):
            lines = stream.iter_lines()
            assert next(lines).startswith("retry:")
            Shop(stack.settings, publisher).send("kettle", 1_000, title="Kettle of porcelain")
            event = next(json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
            assert (event["product_id"], event["outcome"]) == ("kettle", "indexed")
            assert event["title"] == "Kettle of porcelain"
            assert 0 <= event["seconds"] < PATIENCE

            wait_until(lambda: searched_for(stack.url, "porcelaan kettel") == "porcelain kettle")

            click = {
                "action_name": "click",
                "timestamp": datetime.now(UTC).isoformat(),
                "session_id": "a shopper",
                "event_attributes": {"object": {"object_id": "kettle"}},
            }
            assert httpx.post(f"{stack.url}/v1/events", json=click).status_code == 202
            wait_until(lambda: trending(stack.url) == ["kettle"])

            stack.server.ask_to_stop()
            stopped_at = time.monotonic()
            assert not [line for line in lines if line.startswith("data: ")]
            assert time.monotonic() - stopped_at < STOP_SECONDS


def followed(url: str) -> bool:
    return 'millrace_followed_topic_connected{topic="catalog.indexed"} 1.0' in httpx.get(f"{url}/metrics").text


def trending(url: str) -> list[str]:
    return [result["product"]["id"] for result in httpx.get(f"{url}/v1/trending").json()["results"]]


def searched_for(url: str, query: str) -> str:
    answer = httpx.get(f"{url}/v1/search", params={"q": query}).json()
    return str(answer["understood"]["text"])
