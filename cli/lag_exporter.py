"""`millrace lag-exporter`: how far every consumer group is behind, for Prometheus or for a look."""

import logging
import re
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli.logs import configure_logging
from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.settings import Settings, SettingsError, changed_settings, load_settings
from monitoring.cluster_lag import ClusterLag, ClusterReading, GroupPartition, GroupReading, Selection
from monitoring.exposition import create_registry, serve_metrics
from monitoring.lag import LagUnavailable
from monitoring.lag_exporter import LagExporter
from monitoring.metrics import create_lag_exporter_metrics
from topics.admin import BrokerError, TopicAdmin
from topics.catalogue import CATALOG_PRODUCTS, CLICK_LOOP_GROUP, CLICK_LOOP_TOPICS, INDEX_PRODUCTS_GROUP
from topics.clients import client_config
from topics.settings import KafkaSettings

logger = logging.getLogger(__name__)

_PATIENCE_SECONDS = 15.0


def lag_exporter_command(
    config: Annotated[Path | None, typer.Option(help=CONFIG_HELP)] = None,
    once: Annotated[bool, typer.Option("--once", help="Print the lag of every group and end.")] = False,
    group: Annotated[str, typer.Option(help="Regular expression: only groups whose name contains it.")] = "",
    topic: Annotated[str, typer.Option(help="Regular expression: only topics whose name contains it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Serve the lag of every consumer group to Prometheus, or print it once. Joins no group, commits nothing.

    Names and labels of the metrics are kafka_exporter's, and kafka_consumergroup_lag_seconds is the age of the oldest
    event that a group has not committed.

    Example: millrace lag-exporter --once --group millrace

    With --json: lags, each with group, members, topic, events, lag, oldest_age_seconds,
    partitions_without_commit; failures, the reason by group.
    """
    output = Output(as_json)
    if as_json and not once:
        raise typer.BadParameter("--json prints one object and ends: add --once")
    with output.failing_on(SettingsError, BrokerError):
        settings = _narrowed(load_settings(config), group, topic)
        if once:
            TopicAdmin(settings.kafka).cluster_id()  # tells causes such as a wrong password in time
            _print_once(settings, output)
        else:
            configure_logging(verbose=False)
            _serve(settings)


def selection(settings: Settings) -> Selection:
    """The groups that the settings name, Millrace's own included where the broker has not heard of them yet."""
    kafka = settings.kafka
    return Selection(
        known={
            kafka.on_broker(INDEX_PRODUCTS_GROUP): (kafka.on_broker(CATALOG_PRODUCTS),),
            kafka.on_broker(CLICK_LOOP_GROUP): tuple(map(kafka.on_broker, CLICK_LOOP_TOPICS)),
        },
        groups=re.compile(settings.lag_exporter.groups),
        topics=re.compile(settings.lag_exporter.topics),
    )


def index_products_reading(settings: Settings, clock: Callable[[], float]) -> GroupReading:
    """How far the live workers are behind; `clock` gives seconds since 1970. Raises LagUnavailable."""
    return _reading(settings.kafka, INDEX_PRODUCTS_GROUP, (CATALOG_PRODUCTS,), clock)


def click_loop_reading(settings: Settings, clock: Callable[[], float]) -> GroupReading:
    """How far the click loop is behind; `clock` gives seconds since 1970. Raises LagUnavailable."""
    return _reading(settings.kafka, CLICK_LOOP_GROUP, CLICK_LOOP_TOPICS, clock)


def _reading(
    kafka: KafkaSettings, own_group: str, own_topics: Sequence[str], clock: Callable[[], float]
) -> GroupReading:
    group, topics = kafka.on_broker(own_group), tuple(map(kafka.on_broker, own_topics))
    only = Selection({group: topics}, _exactly(group), _exactly(*topics))
    with ClusterLag(client_config(kafka), only, clock) as lag:
        reading = lag.read(_PATIENCE_SECONDS)
    if group in reading.failures:
        raise LagUnavailable(f"the broker does not tell the offsets of {group}", reading.failures[group])
    [found] = reading.groups
    return found


def _exactly(*names: str) -> "re.Pattern[str]":
    return re.compile(rf"\A(?:{'|'.join(map(re.escape, names))})\Z")


def _narrowed(settings: Settings, group: str, topic: str) -> Settings:
    """Raises SettingsError for what is no regular expression."""
    changes = {name: text for name, text in (("groups", group), ("topics", topic)) if text}
    for text in changes.values():
        try:
            re.compile(text)
        except re.error as error:
            raise SettingsError(f"{text!r} is no regular expression: {error}") from None
    return changed_settings(settings, {"lag_exporter": changes})


def _serve(settings: Settings) -> None:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    registry = create_registry()
    exporter_settings = settings.lag_exporter
    with _cluster_lag(settings) as lag:
        exporter = LagExporter(
            lag.read,
            create_lag_exporter_metrics(registry),
            exporter_settings.interval_seconds,
            lambda error: _explain(settings.kafka, error),
        )
        registry.register(exporter)
        try:
            port = serve_metrics(registry, exporter_settings.host, exporter_settings.port)
        except OSError as error:
            address = f"{exporter_settings.host}:{exporter_settings.port}"
            raise SettingsError(
                f"metrics cannot be served on {address}: {error.strerror}; change lag_exporter.port"
            ) from None
        logger.info("Lag of groups on http://%s:%d/metrics", exporter_settings.host, port)
        exporter.run(stopping)


def _print_once(settings: Settings, output: Output) -> None:
    try:
        with output.waiting("asking the broker"), _cluster_lag(settings) as lag:
            reading = lag.read(_PATIENCE_SECONDS)
    except LagUnavailable as error:
        output.fail(_explain(settings.kafka, error))
    rows = list(_rows(reading))
    names = (Column(name, overflow="fold") for name in ("group", "topic"))  # whole, however narrow the terminal
    table = Table(*names, "events", "oldest", "members", "no commit")
    for row in rows:
        counts = (str(row["events"]), _age(row), _text(row["members"]), str(row["partitions_without_commit"] or ""))
        table.add_row(escape(row["group"]), escape(row["topic"]), *counts)
    output.show(table)
    for group, reason in reading.failures.items():
        output.note(f"group {group}: the broker answers {reason}")
    output.finish({"lags": rows, "failures": reading.failures})


def _cluster_lag(settings: Settings) -> ClusterLag:
    try:
        return ClusterLag(client_config(settings.kafka), selection(settings))
    except LagUnavailable as error:
        raise SettingsError(str(error)) from None


def _explain(kafka: KafkaSettings, error: LagUnavailable) -> str:
    """The clients of the exporter only time out; this one knows causes such as a wrong password."""
    try:
        TopicAdmin(kafka).cluster_id()
    except BrokerError as cause:
        return str(cause)
    return str(error)


def _rows(reading: ClusterReading) -> Iterator[dict[str, Any]]:
    for group in sorted(reading.groups, key=lambda one: one.group):
        by_topic: dict[str, list[GroupPartition]] = {}
        for (topic, _), partition in group.partitions.items():
            by_topic.setdefault(topic, []).append(partition)
        for topic, partitions in sorted(by_topic.items()):
            yield {
                "group": group.group,
                "members": group.members,
                "topic": topic,
                "events": sum(one.events for one in partitions),
                "lag": sum(one.lag or 0 for one in partitions),
                "oldest_age_seconds": oldest_age(partitions),
                "partitions_without_commit": sum(one.committed is None for one in partitions),
            }


def oldest_age(partitions: Iterable[GroupPartition]) -> float | None:
    """In seconds; 0 where no event waits, None where one waits and nobody knows for how long."""
    ages = [one.age_seconds for one in partitions if one.events]
    known = [age for age in ages if age is not None]
    return max(known, default=0.0) if len(known) == len(ages) else None


def _age(row: dict[str, Any]) -> str:
    age = row["oldest_age_seconds"]
    return "" if not row["events"] else "unknown" if age is None else f"{age:.1f} s"


def _text(count: int | None) -> str:
    return "unknown" if count is None else str(count)
