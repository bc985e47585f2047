"""Whether RankLens comes out of the real topics as it comes out of its replay: lists, features, states, rankings.

In lockstep, for the whole file: each list is ranked with what the store of a click loop process holds by then, and
only then is it published, on a real Kafka; the next event waits until the store has all of it. Nothing less would
compare the features of a list, which hang on all that was shown and done before it, with those of the replay. Products
are learned from `catalog.products`; profiles are in SQLite.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.clicks.agreement import Agreement, Compared, compare_inputs, compare_lists, compare_states
from benchmarks.clicks.topics_loop import TopicsLoop
from benchmarks.join_exactness import click_loop_process, click_loop_settings, joined_lists, wait_until_done
from benchmarks.recording import data_folder, record
from cli.local_stack import make_room
from cli.settings import Settings, changed_settings
from demo.ranklens import FEATURES, ranklens_loop, read_ranklens
from deploy.kafka.broker import LocalKafka
from feedback.contexts import place_class
from feedback.factory import create_store
from feedback.reading import StateReader
from feedback.store import ProfileStore
from learning.ranked_lists import ObservedList, informative, ranker_quality
from learning.ranking_experiment import ExperimentOptions, run_experiment, split_by_time
from learning.replay import DirectLoop, Loop, LoopSettings, Replay
from topics.admin import TopicAdmin
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.catalogue import CATALOG_PRODUCTS, FEEDBACK_EXAMPLES, topics_on_broker
from topics.codec import ProductCodec, encode_product
from topics.events import Product
from topics.feedback import JoinedList
from topics.publisher import Message, Publisher
from topics.reader import TopicReader
from topics.settings import KafkaSettings
from topics.shop_log import LoggedEvent
from topics.snapshot import KeptRecord, Snapshot

LIMIT = "RankLens through the real topics as through the replay: equal lists, features, states and NDCG@10"
_WORK = Path(".bench/ranklens-topics")
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The same log twice: `replayed` in memory, and `live` through the topics in `seconds`."""

    replayed: Sequence[ObservedList]
    live: Sequence[ObservedList]
    agreement: Agreement
    seconds: float


def run() -> None:
    make_room(_WORK)
    events = list(read_ranklens(data_folder() / "ranklens" / "events.jsonl.gz"))
    with LocalKafka(_WORK / "kafka") as broker:
        kafka = broker.settings()
        TopicAdmin(kafka).apply(topics_on_broker(kafka))
        outcome = measure(_WORK, kafka, events, replace(ranklens_loop(), features=FEATURES))
    facts = {**outcome.agreement.facts(), "seconds": outcome.seconds, **_ndcg(outcome)}
    if not outcome.agreement.is_full or facts["ndcg_replayed"] != facts["ndcg_live"]:
        raise RuntimeError(f"not the same: {facts}")
    record("ranklens_topics", LIMIT, facts)


def measure(folder: Path, kafka: KafkaSettings, events: Sequence[LoggedEvent], loop: LoopSettings) -> Outcome:
    """Products have to come first in the log. Raises TimeoutError where something of it does not arrive."""
    remembered = _RememberingLoop(DirectLoop(loop))
    replay = Replay(loop, loop=remembered)
    replay.run(events)
    settings = _process_settings(folder, kafka, loop)
    agreement = Agreement()
    began = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(click_loop_process(folder, settings))
        store = stack.enter_context(closing(create_store(settings.profiles)))
        publisher = stack.enter_context(closing(Publisher(kafka, "shoppers")))
        told = stack.enter_context(TopicReader(kafka, [FEEDBACK_EXAMPLES]))
        live = Replay(loop, loop=TopicsLoop(store, loop, publisher, told))
        live.run(_products_from_their_topic(kafka, publisher, events))
        live.run(event for event in events if not isinstance(event, Product))
        seconds = time.monotonic() - began
        wait_until_done(kafka)
        compare_lists(agreement, remembered.lists, joined_lists(kafka)[0])
        compare_inputs(agreement, replay.lists(), live.lists())
        replayed, kept = (StateReader(each, loop.profiles) for each in (remembered.store, store))
        compare_states(agreement, _compared(events, loop), replayed, kept)
    return Outcome(replay.lists(), live.lists(), agreement, round(seconds, 1))


class _RememberingLoop:
    """It keeps how each list stood last."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.lists: dict[str, JoinedList] = {}

    @property
    def store(self) -> ProfileStore:
        return self._loop.store

    def reveal(self, queries: Sequence[BehaviorQuery], events: Sequence[BehaviorEvent]) -> Sequence[JoinedList]:
        lists = self._loop.reveal(queries, events)
        self.lists.update((one.query_id, one) for one in lists)
        return lists


def _process_settings(folder: Path, kafka: KafkaSettings, loop: LoopSettings) -> Settings:
    return changed_settings(
        click_loop_settings(folder, kafka),
        {
            "profiles": loop.profiles.model_dump(exclude={"kind", "path", "timeout_seconds"}),
            "click_loop": {"join": loop.join.model_dump(), "traffic": loop.traffic.model_dump()},
        },
    )


def _products_from_their_topic(
    kafka: KafkaSettings, publisher: Publisher, events: Sequence[LoggedEvent]
) -> Iterator[Product]:
    products = [event for event in events if isinstance(event, Product)]
    sent = [Message(CATALOG_PRODUCTS, product.id.encode(), encode_product(product)) for product in products]
    publisher.publish_and_wait(sent, _PATIENCE_SECONDS)
    records: list[KeptRecord] = []
    Snapshot(kafka, [CATALOG_PRODUCTS]).read(records.append, lambda _: None)
    for kept in records:
        product = ProductCodec().decode(kept.key, kept.value, kept.timestamp_ms)
        if not isinstance(product, Product):
            raise TypeError(f"no product came back: {product}")
        yield product


def _compared(events: Sequence[LoggedEvent], loop: LoopSettings) -> Compared:
    queries = [event for event in events if isinstance(event, BehaviorQuery)]
    return Compared(
        sorted({query.actor for query in queries}),
        [event.id for event in events if isinstance(event, Product)],
        sorted({query.user_query for query in queries} - {""}),
        sorted({place_class(query.query_attributes.context) for query in queries} - {""}),
        max(event.timestamp for event in events if not isinstance(event, Product)).timestamp(),
        loop.profiles.co_clicked_items,
    )


def _ndcg(outcome: Outcome) -> Mapping[str, Any]:
    """Of the ranker that would serve, trained on the earlier lists of the replay, on the later ones of both."""
    options = ExperimentOptions()
    train, test = split_by_time(informative(outcome.replayed), options.share)
    experiment = run_experiment(FEATURES, train, test, options)
    later = {each.query_id for each in test}
    ranker = experiment.ranker.ranker()
    live = ranker_quality([each for each in outcome.live if each.query_id in later], ranker, options.measure)
    return {
        "ranker": experiment.chosen,
        "test_lists": len(test),
        "ndcg_replayed": experiment.orders[experiment.chosen].mean.mean,
        "ndcg_live": live.mean.mean,
    }
