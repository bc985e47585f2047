"""Lists that shoppers saw and what they did, as records, and what the join must make of them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from topics.behavior import BehaviorEvent, BehaviorQuery, QueryAttributes, encode_event
from topics.catalogue import BEHAVIOR_EVENTS, BEHAVIOR_QUERIES

START = 1_795_000_000.0  # seconds since 1970
WINDOW = 24 * 3_600.0  # of the join, as shipped
SHOWN = 12
_PRODUCTS = 5_000
_LISTS_EACH = 5
_ACTIONS = ("click", "add_to_cart", "purchase")
_ATTRIBUTES = QueryAttributes(  # as a server says them of a list that it put in order
    positions=tuple(range(1, SHOWN + 1)),
    propensities=(1.0,) * SHOWN,
    retrieval_positions=tuple(range(SHOWN, 0, -1)),
    retrieval_scores=tuple(round(0.3 + 0.01 * place, 2) for place in range(SHOWN)),
    releases={"text": "all-minilm-l6-v2@1", "ranker": "hand-set"},
    kind="text",
    language="en",
)


@dataclass(frozen=True, slots=True)
class Done:
    """One action upon a product that was shown."""

    event_id: str
    action: str
    product_id: str
    at: float


@dataclass(frozen=True, slots=True)
class SeenList:
    """A list with all that was done with it. `actions` and `late` are by time, then by id."""

    query_id: str
    shopper: str
    at: float
    shown: tuple[str, ...]
    actions: tuple[Done, ...]
    late: tuple[Done, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Sent:
    """A record for a topic."""

    topic: str
    key: bytes
    value: bytes


def seen_lists(count: int, seed: int, late_share: float = 0.02) -> Iterator[SeenList]:
    """People who look at a few lists an hour apart and take some seconds for each product."""
    rng = random.Random(seed)
    for number in range(count):
        shopper, turn = f"shopper-{seed}-{number // _LISTS_EACH:06d}", number % _LISTS_EACH
        at = START + turn * 3_600 + rng.randrange(600)
        shown = tuple(f"p{product}" for product in rng.sample(range(_PRODUCTS), SHOWN))
        actions, late = [], []
        moment = at
        for act in range(rng.choice((0, 1, 1, 2, 3, 4))):
            moment += rng.uniform(3, 40)
            done = Done(f"{seed}-{number}-{act}", rng.choice(_ACTIONS), rng.choice(shown), round(moment, 3))
            actions.append(done)
        if rng.random() < late_share:
            late.append(
                Done(f"{seed}-{number}-late", "purchase", rng.choice(shown), at + WINDOW + rng.randrange(1, 99))
            )
        yield SeenList(_query_id(at, rng), shopper, at, shown, tuple(actions), tuple(late))


def _query_id(at: float, rng: random.Random) -> str:
    """As the server makes them, UUID version 7 (RFC 9562): milliseconds, then random bits."""
    time = int(at * 1_000) << 80 | 0x7 << 76
    return str(UUID(int=time | rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(62)))


def records_of(seen: SeenList) -> Iterator[Sent]:
    query = BehaviorQuery(
        query_id=seen.query_id,
        user_query="red lamp",
        timestamp=datetime.fromtimestamp(seen.at, UTC),
        user_id=seen.shopper,
        query_response_hit_ids=seen.shown,
        query_attributes=_ATTRIBUTES,
    )
    yield Sent(BEHAVIOR_QUERIES, query.key, encode_event(query))
    for done in (*seen.actions, *seen.late):
        event = BehaviorEvent.model_validate(
            {
                "action_name": done.action,
                "timestamp": datetime.fromtimestamp(done.at, UTC),
                "query_id": seen.query_id,
                "user_id": seen.shopper,
                "event_id": done.event_id,
                "event_attributes": {"object": {"object_id": done.product_id, "object_id_type": "product"}},
            }
        )
        yield Sent(BEHAVIOR_EVENTS, seen.query_id.encode(), encode_event(event))


def shuffled_with_repeats(lists: list[SeenList], seed: int, repeated_share: float = 0.1) -> list[Sent]:
    """All records in any order, some of them twice or more."""
    rng = random.Random(seed)
    records = [record for seen in lists for record in records_of(seen)]
    records += rng.choices(records, k=int(repeated_share * len(records)))
    rng.shuffle(records)
    return records
