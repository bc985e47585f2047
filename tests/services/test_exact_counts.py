"""From the HTTP API over a real Kafka and a click loop to the store: what was sent counts once, however it was sent."""

import random
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from fastapi.testclient import TestClient

from benchmarks.join_exactness import click_loop_process, click_loop_settings, wait_until_done
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from feedback.sqlite_store import SqliteStore
from feedback.statistics import Counter
from tests.unit.serving.conftest import analyser, images, index, make_client, services  # noqa: F401 - fixtures
from topics.publisher import Publisher
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

START = datetime.now(UTC) - timedelta(hours=1)
LISTS = 12
SHOPPERS = ("ada", "bob", "cy")
COUNTED = {"click": Counter.CLICKS, "add_to_cart": Counter.ADD_TO_CARTS, "purchase": Counter.PURCHASES}


@dataclass(frozen=True, slots=True)
class Sent:
    """Events, each once, and how often each product is to count by them."""

    events: list[dict[str, Any]] = field(default_factory=list)
    counts: Tally[tuple[str, Counter]] = field(default_factory=Tally)


@pytest.fixture
def publisher(kafka: KafkaSettings) -> Iterator[Publisher]:
    with closing(Publisher(kafka, "test-serving")) as publisher:
        yield publisher


@pytest.fixture
def clock() -> list[datetime]:
    """The last is now."""
    return [START]


@pytest.fixture
def client(request: pytest.FixtureRequest, clock: list[datetime]) -> TestClient:
    return request.getfixturevalue("make_client")(clock=lambda: clock[-1])  # type: ignore[no-any-return]


def test_small_posts_repeats_and_retries_count_once_while_the_process_is_killed(
    client: TestClient, clock: list[datetime], kafka: KafkaSettings, tmp_path: Path
) -> None:
    rng = random.Random(3)
    sent = Sent()
    for number in range(LISTS):
        clock.append(START + timedelta(minutes=number))
        look_and_act(client, sent, SHOPPERS[number % len(SHOPPERS)], clock[-1], rng)
    posts = [*small_posts(sent.events, rng), *small_posts(sent.events, rng)]
    posts += rng.choices(posts, k=len(posts) // 2)
    rng.shuffle(posts)
    settings = click_loop_settings(tmp_path, kafka)

    with click_loop_process(tmp_path, settings) as process:
        for number, post in enumerate(posts):
            assert client.post("/v1/events", json=post).status_code == 202
            if number == len(posts) // 3:
                wait_until_done(kafka)
            if number == len(posts) * 2 // 3:
                kill(process)
        wait_until_done(kafka)

    assert "starting it again" in (tmp_path / "click-loop.log").read_text()
    assert counted(settings.profiles, sent) == sent.counts


def look_and_act(client: TestClient, sent: Sent, shopper: str, at: datetime, rng: random.Random) -> None:
    """The page reports what came into view, in some lists nothing. Some products are acted upon twice."""
    named = {"user_id": shopper, "session_id": f"s-{shopper}"}
    answer = client.get("/v1/search", params={"q": "dress", "track": True, **named}).json()
    shown = [result["product"]["id"] for result in answer["results"]]
    in_view = rng.sample(shown, rng.randrange(len(shown)))
    done = [("impression", each) for each in in_view]
    done += [(rng.choice(list(COUNTED)), rng.choice(shown)) for _ in range(rng.randrange(5))]
    for number, (action, product_id) in enumerate(done):
        event = {
            "action_name": action,
            "timestamp": (at + timedelta(seconds=2 * number + 1)).isoformat(),
            "query_id": answer["query_id"],
            "event_attributes": {"object": {"object_id": product_id}},
            **named,
        }
        sent.events.append(event | ({"event_id": f"{at}-{number}"} if rng.random() < 0.5 else {}))
    seen = {product_id for _, product_id in done} if in_view else shown
    sent.counts.update((product_id, Counter.IMPRESSIONS) for product_id in seen)
    sent.counts.update({(product_id, COUNTED[action]) for action, product_id in done if action in COUNTED})


def small_posts(events: list[dict[str, Any]], rng: random.Random) -> list[list[dict[str, Any]]]:
    """All of them, in any order."""
    mixed = rng.sample(events, len(events))
    return [mixed[place : place + 2] for place in range(0, len(mixed), 2)]


def kill(process: psutil.Process) -> None:
    for child in process.children():
        child.kill()


def counted(settings: ProfileSettings, sent: Sent) -> Tally[tuple[str, Counter]]:
    products = sorted({product_id for product_id, _ in sent.counts})
    with closing(SqliteStore(settings.path, 5)) as store:
        counts = StateReader(store, settings).read("", products, "", START.timestamp()).products
    columns = [Counter.IMPRESSIONS, *COUNTED.values()]
    return +Tally(
        {
            (product_id, counter): int(number)
            for counter in columns
            for product_id, number in zip(products, counts.column(counter), strict=True)
        }
    )
