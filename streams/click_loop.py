"""One process of the click loop: its agents, a thread each, in one consumer group."""

import logging
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import faust
from faust.types.tuples import TP

from feedback.example_log import ExampleLog
from feedback.joining import ClickJoin
from feedback.person_erasure import PersonErasure
from feedback.settings import ProfileSettings
from feedback.store import ProfileStore
from feedback.updating import ProfileUpdater
from monitoring.metrics import Metrics
from streams.batch_agent import BatchAgent, Crash, Gathering, Heartbeat
from streams.ending import EXIT_STALLED, BoundedWorker, end_process, spare_the_collector
from streams.erase_shoppers import EraseShoppers
from streams.faust_app import create_bare_app, read_in_batches
from streams.join_clicks import JoinClicks
from streams.membership import Membership
from streams.outbox import Outbox
from streams.settings import ClickLoopSettings
from streams.update_profiles import UpdateProfiles
from streams.watchdog import Watchdog
from streams.write_examples import WriteExamples
from topics.catalogue import (
    BEHAVIOR_EVENTS,
    BEHAVIOR_QUERIES,
    CLICK_LOOP_GROUP,
    ERASE_SHOPPERS_AGENT,
    FEEDBACK_EXAMPLES,
    JOIN_CLICKS_AGENT,
    SHOPPERS_ERASED,
    UPDATE_PROFILES_AGENT,
    WRITE_EXAMPLES_AGENT,
)
from topics.publisher import Publisher
from topics.settings import KafkaSettings

_LISTS_IN_AN_UPDATE = 200  # the join waits for the store meanwhile, where that has one writer at a time


@dataclass(frozen=True, slots=True)
class ClickLoopParts:
    """What the process works with. `records_wait` tells, by the topic's name in the table, whether records wait behind
    the commits of these partitions. `membership` is that of the process whose place it takes.
    """

    store: ProfileStore
    profiles: ProfileSettings
    log: ExampleLog
    publisher: Publisher
    metrics: Metrics
    records_wait: Mapping[str, Callable[[frozenset[int]], bool]]
    membership: Membership | None = None


def run_click_loop(settings: ClickLoopSettings, kafka: KafkaSettings, parts: ClickLoopParts) -> None:
    """Join clicks, update profiles and write examples until SIGTERM or SIGINT, then finish what is in flight, commit,
    and raise SystemExit.

    It ends as a worker does: at once with code 70 on anything unexpected, with 75 when it is stalled.
    """
    agents = create_agents(settings, kafka, parts, end_process)
    app = create_click_loop_app(settings, kafka, agents, end_process, parts.membership)
    assignment = _Assignment(parts.metrics)
    app.on_partitions_assigned.connect(assignment.on_partitions_assigned, weak=False)

    def records_wait() -> bool:
        return any(waits(assignment.partitions[kafka.on_broker(topic)]) for topic, waits in parts.records_wait.items())

    spare_the_collector()
    for agent in agents:
        agent.start()
    Watchdog(_Together(agents), records_wait, settings.stalled_seconds).start(lambda: os._exit(EXIT_STALLED))
    options = {"quiet": True, "loglevel": logging.WARNING, "override_logging": False}
    BoundedWorker(app, settings.stop_seconds, **options).execute_from_commandline()


def create_agents(
    settings: ClickLoopSettings, kafka: KafkaSettings, parts: ClickLoopParts, crash: Crash
) -> list[BatchAgent]:
    """Those of one process, not started."""
    return [
        _join_clicks(settings, kafka, parts, crash),
        _update_profiles(kafka, parts, crash),
        _write_examples(settings, kafka, parts, crash),
        _erase_shoppers(settings, kafka, parts, crash),
    ]


def create_click_loop_app(
    settings: ClickLoopSettings,
    kafka: KafkaSettings,
    agents: Sequence[BatchAgent],
    crash: Crash,
    membership: Membership | None = None,
    group: str = CLICK_LOOP_GROUP,
) -> faust.App:
    """Two calls give two apps that share nothing."""
    app = create_bare_app(settings, kafka, crash, group, membership)
    for agent in agents:
        read_in_batches(app, agent.name, agent.topics, agent.read)

    def hurry() -> None:
        for agent in agents:
            agent.hurry()

    app.transport.on_wait_empty = hurry
    return app


def _join_clicks(settings: ClickLoopSettings, kafka: KafkaSettings, parts: ClickLoopParts, crash: Crash) -> BatchAgent:
    heartbeat = Heartbeat()
    queries, events = kafka.on_broker(BEHAVIOR_QUERIES), kafka.on_broker(BEHAVIOR_EVENTS)
    work = JoinClicks(
        ClickJoin(parts.store, settings.join, settings.traffic),
        Outbox(parts.publisher, parts.metrics, heartbeat.touch),
        parts.metrics,
        heartbeat.touch,
        queries,
        kafka.max_event_bytes,
    )
    return BatchAgent(JOIN_CLICKS_AGENT, (queries, events), work, heartbeat, crash)


def _update_profiles(kafka: KafkaSettings, parts: ClickLoopParts, crash: Crash) -> BatchAgent:
    heartbeat = Heartbeat()
    outbox = Outbox(parts.publisher, parts.metrics, heartbeat.touch)
    updater = ProfileUpdater(parts.store, parts.profiles, metrics=parts.metrics)
    work = UpdateProfiles(updater, outbox, parts.metrics, heartbeat.touch)
    gathering = Gathering(_LISTS_IN_AN_UPDATE)
    return BatchAgent(UPDATE_PROFILES_AGENT, (kafka.on_broker(FEEDBACK_EXAMPLES),), work, heartbeat, crash, gathering)


def _write_examples(
    settings: ClickLoopSettings, kafka: KafkaSettings, parts: ClickLoopParts, crash: Crash
) -> BatchAgent:
    heartbeat = Heartbeat()
    work = WriteExamples(parts.log, settings.examples, parts.metrics, heartbeat.touch)
    gathering = Gathering(
        settings.examples.gather_lists, settings.examples.gather_seconds, settings.max_batches_in_flight // 2
    )
    return BatchAgent(WRITE_EXAMPLES_AGENT, (kafka.on_broker(FEEDBACK_EXAMPLES),), work, heartbeat, crash, gathering)


def _erase_shoppers(
    settings: ClickLoopSettings, kafka: KafkaSettings, parts: ClickLoopParts, crash: Crash
) -> BatchAgent:
    heartbeat = Heartbeat()
    outbox = Outbox(parts.publisher, parts.metrics, heartbeat.touch)
    erasure = PersonErasure(parts.store, parts.profiles, parts.log, settings.join.keep_days)
    work = EraseShoppers(erasure, outbox, parts.metrics, heartbeat.touch)
    return BatchAgent(ERASE_SHOPPERS_AGENT, (kafka.on_broker(SHOPPERS_ERASED),), work, heartbeat, crash)


class _Together:
    """The agents as one, for the watchdog: that of them counts which stands still for longest with work in hand."""

    def __init__(self, agents: Sequence[BatchAgent]) -> None:
        self._agents = agents

    @property
    def in_flight(self) -> int:
        return sum(agent.in_flight for agent in self._agents)

    @property
    def last_progress(self) -> float:
        busy = [agent.last_progress for agent in self._agents if agent.in_flight]
        return min(busy) if busy else max(agent.last_progress for agent in self._agents)


class _Assignment:
    """The partitions that this process reads, by topic as on the broker; none until the group has met."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.partitions: defaultdict[str, frozenset[int]] = defaultdict(frozenset)

    async def on_partitions_assigned(self, app: faust.App, assigned: set[TP], **_: object) -> None:
        partitions: defaultdict[str, frozenset[int]] = defaultdict(frozenset)
        for place in assigned:
            partitions[place.topic] |= {place.partition}
        self.partitions = partitions
        self._metrics.partitions_assigned.set(len(assigned))
