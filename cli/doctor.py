"""`millrace doctor`: what is wrong with this installation, and what to do about it."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.lag_exporter import click_loop_reading, index_products_reading, oldest_age
from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.settings import Settings, SettingsError, load_settings
from cli.wiring import open_index
from encoders.base import Encoder, EncoderError
from encoders.factory import create_image_encoder, create_text_encoder
from feedback.factory import create_store
from feedback.settings import ProfileSettings
from feedback.state_keys import SHOP
from feedback.store import StoreUnavailable
from index.base import IndexRefused, IndexUnavailable
from monitoring.cluster_lag import GroupReading
from monitoring.lag import LagUnavailable
from topics.admin import BrokerError, TopicAdmin
from topics.catalogue import topics_on_broker

_NORMAL_SECONDS = 10.0  # for so long an event may wait in a group that is busy, beside what it gathers on purpose


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. `advice` is empty where all is well."""

    check: str
    found: str
    advice: str = ""

    @property
    def ok(self) -> bool:
        return not self.advice


@dataclass(frozen=True, slots=True)
class _Readers:
    """Of a consumer group: what waits for it, what starts one more, and how old that may be."""

    check: str
    waiting: str
    command: str
    normal_seconds: float

    @property
    def name(self) -> str:
        return self.command.removeprefix("millrace ")


def doctor_command(
    config: Annotated[Path | None, typer.Option(help=CONFIG_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Check settings, broker, processes, models, index, pictures, profiles; say what to do. Changes nothing.

    Exit code 1 when a check fails.

    Example: millrace doctor

    With --json: checks, each with check, ok, found, advice.
    """
    output = Output(as_json)
    with output.failing_on(SettingsError):
        settings = load_settings(config)
    with output.waiting("checking"):
        findings = list(examine(settings))
    table = Table("", "check", "found", "what to do")
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[red]no[/]"
        table.add_row(mark, finding.check, escape(finding.found), escape(finding.advice))
    output.show(table)
    facts = {
        "checks": [{"check": one.check, "ok": one.ok, "found": one.found, "advice": one.advice} for one in findings]
    }
    failed = sum(not finding.ok for finding in findings)
    if failed:
        output.fail(f"{failed} of {len(findings)} checks failed", facts)
    output.finish(facts)


def examine(settings: Settings, clock: Callable[[], float] = time.time) -> Iterator[Finding]:
    """All checks in the order in which one rests on another. Each gives exactly one finding.

    `clock` gives seconds since 1970.
    """
    broker = _broker(settings)
    yield broker
    if broker.ok:
        yield _workers(settings, clock)
        yield _click_loop(settings, clock)
    models, encoders = _models(settings)
    yield models
    if encoders is not None:
        yield _index(settings, *encoders)
    yield _pictures(settings)
    yield _profiles(settings.profiles)


def _broker(settings: Settings) -> Finding:
    address = settings.kafka.bootstrap_servers
    try:
        reports = TopicAdmin(settings.kafka).inspect(topics_on_broker(settings.kafka))
    except BrokerError as error:
        return Finding("broker", f"{address} cannot be used", str(error))
    missing = [report.name for report in reports if report.state == "missing"]
    differing = [f"{report.name}: {text}" for report in reports for text in report.differences]
    if missing:
        return Finding("broker", f"{address} lacks {', '.join(missing)}", "run `millrace topics apply`")
    if differing:
        return Finding("broker", "; ".join(differing), "change the topics with kafka-configs.sh")
    return Finding("broker", f"{address} has all {len(reports)} topics")


def _workers(settings: Settings, clock: Callable[[], float]) -> Finding:
    readers = _Readers("workers", "product events are not indexed yet", "millrace worker", _NORMAL_SECONDS)
    return _behind(readers, partial(index_products_reading, settings, clock))


def _click_loop(settings: Settings, clock: Callable[[], float]) -> Finding:
    what = "events of shoppers are not joined, counted and logged yet"
    normal = settings.click_loop.examples.gather_seconds + _NORMAL_SECONDS
    readers = _Readers("click loop", what, "millrace click-loop", normal)
    return _behind(readers, partial(click_loop_reading, settings, clock))


def _behind(readers: _Readers, read: Callable[[], GroupReading]) -> Finding:
    try:
        group = read()
    except LagUnavailable as error:
        return Finding(readers.check, "unknown", str(error))
    behind = sum(one.events for one in group.partitions.values())
    age = oldest_age(group.partitions.values())
    normal = f"up to {readers.normal_seconds:g} s is normal"
    found = f"{behind} {readers.waiting}"
    if behind:
        found += ", nobody knows for how long" if age is None else f", the oldest for {age:.1f} s ({normal})"
    if group.members is not None:
        found += f"; {group.members} {readers.name}{'' if group.members == 1 else 's'}"
    if _nobody_reads(group, behind):
        return Finding(readers.check, found, f"no {readers.name} is there: start `{readers.command}`")
    if behind and (age is None or age > readers.normal_seconds):
        advice = f"{normal}: wait until they have caught up, start another `{readers.command}`, or see its log"
        return Finding(readers.check, found, advice)
    return Finding(readers.check, found)


def _nobody_reads(group: GroupReading, behind: int) -> bool:
    """Where the broker tells of no members: whether something waits for a group that has never committed."""
    if group.members is not None:
        return group.members == 0
    return behind > 0 and all(one.committed is None for one in group.partitions.values())


def _models(settings: Settings) -> tuple[Finding, tuple[Encoder, Encoder] | None]:
    try:
        text, image = create_text_encoder(settings.encoders), create_image_encoder(settings.encoders)
    except EncoderError as error:
        return Finding("models", "a model cannot be loaded", str(error)), None
    found = f"text {text.release} ({text.dimension} dimensions), pictures {image.release} ({image.dimension})"
    return Finding("models", found), (text, image)


def _index(settings: Settings, text: Encoder, image: Encoder) -> Finding:
    try:
        index = open_index(settings, text, image)
    except (IndexUnavailable, IndexRefused) as error:
        return Finding("index", f"{settings.index.uri} cannot be used", str(error))
    try:
        return Finding("index", f"{index.count()} products in {settings.index.alias} at {settings.index.uri}")
    finally:
        index.close()


def _profiles(settings: ProfileSettings) -> Finding:
    if settings.kind == "sqlite" and not settings.path.exists():
        if not os.access(settings.path.parent, os.W_OK | os.X_OK):
            return Finding(
                "profiles",
                f"{settings.path.parent} cannot be written to",
                "make the folder, or change profiles.path",
            )
        return Finding("profiles", f"{settings.path} is not there yet; the click loop makes it")
    try:
        with closing(create_store(settings)) as store:
            store.read([SHOP])
    except StoreUnavailable as error:
        return Finding("profiles", "the profile store cannot be used", str(error))
    return Finding("profiles", f"the profile store ({settings.kind}) answers")


def _pictures(settings: Settings) -> Finding:
    root = settings.encoders.image_sources.file_root
    if not root:
        return Finding("pictures", "from http(s) links only; encoders.image_sources.file_root is not set")
    if not os.access(root, os.R_OK | os.X_OK):
        return Finding(
            "pictures", f"{root} cannot be read", "make the folder, or change encoders.image_sources.file_root"
        )
    return Finding("pictures", f"file: links are read below {root}")
