"""Simulated shoppers: hidden tastes, what they search for, and what they do with a list."""

import math
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.drawn_shop.captions import LANGUAGES
from demo.drawn_shop.looks import COLOURS, KINDS, PATTERNS
from demo.drawn_shop.products import drawn_products
from demo.shoppers.behavior import ShownList, as_event
from demo.shoppers.browsing import Action, Appeal, Habits, attractiveness, browse, examination
from demo.shoppers.intents import Intent, new_intent
from demo.shoppers.personas import HIGHEST_GRADE, new_persona
from demo.shoppers.tastes import BRANDS, MAX_STEP, SeenProduct, new_taste
from index.documents import document
from topics.behavior import BehaviorEvent

OPENING = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = [SeenProduct.of(document(one.event)) for one in drawn_products(640, 1, Path("pictures"), OPENING)]

seeds = st.integers(0, 10_000)


def test_a_shopper_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert new_persona(1, 7) == new_persona(1, 7)
    assert len({new_persona(seed, number).taste.price for seed in range(5) for number in range(5)}) == 25


@given(seeds)
def test_nothing_is_liked_better_than_the_favourite(seed: int) -> None:
    taste = new_taste(random.Random(seed))
    favourite = SeenProduct(
        "favourite",
        "dress",
        max(taste.colours, key=taste.colours.__getitem__),
        max(taste.patterns, key=taste.patterns.__getitem__),
        max(taste.brands, key=taste.brands.__getitem__),
        0.3 * taste.price,
    )

    assert taste.utility(favourite) == pytest.approx(1)
    assert all(0 <= taste.utility(product) <= taste.utility(favourite) for product in SHOP[::4])


@given(seeds, st.sampled_from(COLOURS), st.sampled_from(PATTERNS))
def test_a_better_liked_colour_is_never_worse(seed: int, colour: str, pattern: str) -> None:
    taste = new_taste(random.Random(seed))
    best = max(taste.colours, key=taste.colours.__getitem__)
    product = SeenProduct("one", "hat", colour, pattern, BRANDS[0], 0.0)

    assert taste.utility(replace(product, colour=best)) >= taste.utility(product)


@given(seeds, st.floats(0, 1))
def test_a_taste_drifts_no_further_than_its_bound(seed: int, keep: float) -> None:
    rng = random.Random(seed)
    before = new_taste(rng)
    after = before.drifted(rng, keep)

    scores_before = (before.colours, before.patterns, before.brands)
    for old, new in zip(scores_before, (after.colours, after.patterns, after.brands), strict=True):
        assert old.keys() == new.keys()
        for value, score in old.items():
            bound = (1 - keep) * abs(score) + math.sqrt(1 - keep**2) * MAX_STEP
            assert abs(new[value] - score) <= bound + 1e-9


def test_a_taste_that_keeps_everything_stays_and_one_that_drifts_becomes_another() -> None:
    rng = random.Random(1)
    taste = new_taste(rng)
    assert taste.drifted(rng, 1.0) == taste

    drifted = taste
    for _ in range(500):
        drifted = drifted.drifted(rng, 0.98)
    scores = list(drifted.colours.values())

    assert drifted.colours != taste.colours
    assert max(map(abs, scores)) < 5  # a walk without a way back would be near 4.5 for each of the ten


def test_a_product_that_says_little_of_itself_is_no_error_and_pleases_little() -> None:
    bare = SeenProduct.of({"id": "bare"})

    assert bare.price_level == 0
    assert new_taste(random.Random(1)).utility(bare) <= 0.2
    assert new_persona(1, 1).grade(bare, Intent("hat", "en", frozenset({"hat"}))) == 0


@given(seeds)
def test_what_is_no_answer_or_was_bought_is_not_wanted(seed: int) -> None:
    persona, rng = new_persona(seed, 1), random.Random(seed)
    intent = persona.intent(rng)
    best = max(SHOP, key=lambda product: persona.grade(product, intent))

    assert 0 <= persona.grade(best, intent) <= HIGHEST_GRADE
    assert persona.owning([best.product_id]).grade(best, intent) == 0
    assert all(persona.grade(product, intent) == 0 for product in SHOP if product.kind not in intent.kinds)


def test_grades_are_of_use_each_is_given_and_the_higher_ones_are_rarer() -> None:
    intent = Intent("gift", "en", frozenset(KINDS))
    grades = Counter(new_persona(3, number).grade(product, intent) for number in range(8) for product in SHOP)

    counts = [grades[grade] for grade in range(HIGHEST_GRADE + 1)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] > 0.01 * sum(counts)


@given(seeds, st.sampled_from(KINDS), st.sampled_from(LANGUAGES))
def test_a_query_is_written_in_the_shoppers_language_and_means_what_is_wanted(
    seed: int, kind: str, language: str
) -> None:
    intent = new_intent(kind, language, random.Random(seed))  # type: ignore[arg-type]

    assert kind in intent.kinds
    assert intent.text.isascii() == (language == "en") or intent.text == "T恤"


def test_attention_falls_with_the_place_and_clicks_with_it() -> None:
    rng = random.Random(1)
    looks: Counter[int] = Counter()
    for _ in range(4000):
        looks.update(deed.place for deed in browse([Appeal(2)] * 12, Habits(), rng) if deed.action is Action.CLICK)

    assert looks[1] > looks[2] > looks[4] > looks[12] > 0
    assert looks[4] / looks[1] == pytest.approx(examination(4, Habits().eta), abs=0.05)


def test_the_better_liked_is_clicked_more_often_at_the_same_place() -> None:
    chances = [attractiveness(grade, 0.1) for grade in range(HIGHEST_GRADE + 1)]

    assert chances == sorted(chances)
    assert chances[0] == pytest.approx(0.1)
    assert chances[-1] == pytest.approx(1)


def test_what_was_clicked_often_is_hardly_clicked_again() -> None:
    chances = [Appeal(HIGHEST_GRADE, clicks).click_chance(Habits()) for clicks in range(12)]

    assert chances == sorted(chances, reverse=True)
    assert chances[0] == pytest.approx(1)
    assert chances[-1] < 0.001


@given(seeds, st.lists(st.integers(0, HIGHEST_GRADE), max_size=30))
def test_deeds_come_in_time_and_each_follows_from_what_came_before(seed: int, grades: list[int]) -> None:
    products = [Appeal(grade) for grade in grades]
    deeds = browse(products, Habits(), random.Random(seed))

    assert [deed.seconds for deed in deeds] == sorted(deed.seconds for deed in deeds)
    places = {action: [deed.place for deed in deeds if deed.action is action] for action in Action}
    assert places[Action.IMPRESSION] == list(range(1, len(places[Action.IMPRESSION]) + 1))
    assert set(places[Action.PURCHASE]) <= set(places[Action.ADD_TO_CART]) <= set(places[Action.CLICK])
    assert places[Action.CLICK] == places[Action.DWELL]
    assert set(places[Action.CLICK]) <= set(places[Action.IMPRESSION])
    assert deeds == browse(products, Habits(), random.Random(seed))


def test_what_pleases_more_holds_longer_and_is_bought_more_often() -> None:
    rng = random.Random(2)
    dwell: dict[int, list[float]] = {0: [], HIGHEST_GRADE: []}
    bought: Counter[int] = Counter()
    for grade, seconds in dwell.items():
        for _ in range(2000):
            for deed in browse([Appeal(grade)], Habits(noise=0.5), rng):
                if deed.dwell_seconds is not None:
                    seconds.append(deed.dwell_seconds)
                bought[grade] += deed.action is Action.PURCHASE

    assert sum(dwell[0]) / len(dwell[0]) < sum(dwell[HIGHEST_GRADE]) / len(dwell[HIGHEST_GRADE])
    assert bought[0] == 0 < bought[HIGHEST_GRADE]


def test_events_are_ubi_documents_that_name_list_place_and_product() -> None:
    shown = ShownList("q-1", "shopper-1", "visit-1", OPENING, ["a", "b", "c"])
    deeds = browse([Appeal(4)] * 3, Habits(into_cart=1, purchase=1), random.Random(4))
    events = [as_event(deed, shown) for deed in deeds]

    for deed, event in zip(deeds, events, strict=True):
        read = BehaviorEvent.model_validate(event)
        assert (read.query_id, read.actor, read.session_id) == ("q-1", "shopper-1", "visit-1")
        assert read.product_id == shown.product_ids[deed.place - 1]
        assert (read.timestamp - OPENING).total_seconds() == pytest.approx(deed.seconds)
        jsonschema.validate(event["event_attributes"]["position"], {"required": ["ordinal"]})
    assert {event["action_name"] for event in events} == set(Action)
    assert len({event["event_id"] for event in events}) == len(events)
    assert events == [as_event(deed, shown) for deed in deeds]
