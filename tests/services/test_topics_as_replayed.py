"""A log that goes through a real Kafka and a click loop process comes to the same as its replay in memory."""

import random
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ranklens_topics import measure
from learning.replay import LoopSettings
from ranking.feature_settings import (
    AffinityFeature,
    CoClickFeature,
    ContextFeature,
    HistoryFeature,
    ImpressionsFeature,
    LiftFeature,
    RateFeature,
    SeenFeature,
)
from tests.unit.feedback.behavior import HOUR, asked, did, moment
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import Product
from topics.settings import KafkaSettings
from topics.shop_log import LoggedEvent

pytestmark = pytest.mark.services

FEATURES = (
    RateFeature(name="rate", half_life_hours=24),
    RateFeature(name="rate_for_query", of="query"),
    LiftFeature(name="lift"),
    ImpressionsFeature(name="impressions"),
    HistoryFeature(name="history"),
    SeenFeature(name="seen"),
    AffinityFeature(name="brand", field="brand"),
    CoClickFeature(name="co_clicks"),
    ContextFeature(name="daypart", of="daypart"),
    ContextFeature(name="place", of="place"),
)
LISTS = 40
SHOPPERS = 4
CONTEXTS = ({"place": "Utrecht", "daypart": "morning"}, {"place": "Gent", "daypart": "evening"}, {})
PRODUCTS = [f"p{number}" for number in range(12)]


def test_lists_features_and_states_are_those_of_the_replay(kafka: KafkaSettings, tmp_path: Path) -> None:
    outcome = measure(tmp_path, kafka, log(), LoopSettings(FEATURES))

    assert outcome.agreement.is_full, outcome.agreement
    assert (outcome.agreement.inputs, outcome.agreement.lists) == (LISTS, LISTS + 3)
    assert outcome.agreement.co_clicks > 0
    assert np.concatenate([each.input.values for each in outcome.live]).std(axis=0).all()


def log() -> list[LoggedEvent]:
    """People who look at lists at the same time, and do something too late, upon what they were not shown, and in no
    list.
    """
    rng = random.Random(5)
    done: list[BehaviorQuery | BehaviorEvent] = [
        did("q3", PRODUCTS[0], at=30 * HOUR, shopper="s3", event_id="late"),
        did("q4", "not shown", at=200, shopper="s0", event_id="not shown"),
        did(None, PRODUCTS[1], at=300, shopper="s1", event_id="in no list"),
    ]
    for number in range(LISTS):
        shopper, at = f"s{number % SHOPPERS}", 20.0 * number
        shown = [PRODUCTS[0], *rng.sample(PRODUCTS[1:], 5)]
        done.append(asked(f"q{number}", *shown, at=at, shopper=shopper, context=rng.choice(CONTEXTS)))
        done += [
            did(f"q{number}", product_id, at + 25 + 10 * place, rng.choice(("click", "add_to_cart")), shopper)
            for place, product_id in enumerate(rng.sample(shown, rng.randrange(4)))
        ]
    brands = enumerate(PRODUCTS)
    products = [Product(id=each, updated_at=moment(0), title=each, brand=f"b{place % 3}") for place, each in brands]
    return [*products, *sorted(done, key=lambda one: one.timestamp)]
