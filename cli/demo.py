"""`millrace demo`: the whole path on embedded parts, with a drawn shop, told in plain words."""

import signal
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from cli.demo_run import LEARNING_PAGE, Demo, DemoBroker, DemoReport
from cli.freshness import FollowingFailed
from cli.local_settings import local_settings
from cli.local_stack import StackError, make_room, require_free_port
from cli.output import JSON_HELP, Output
from cli.server_answers import RequestRefused
from cli.settings import Settings, SettingsError, changed_settings, load_settings
from demo.drawn_shop.ranking import FEATURES as DRAWN_FEATURES
from demo.drawn_shop.ranking import WEIGHTS as DRAWN_WEIGHTS
from deploy.kafka.jars import KafkaUnavailable
from index.base import IndexUnavailable
from topics.admin import BrokerError
from topics.embedded_broker import EmbeddedBrokerError


def demo_command(  # noqa: PLR0913 - each is an option of the command
    products: Annotated[int, typer.Option(min=1, max=20_000, help="How many products the shop opens with.")] = 640,
    headless: Annotated[bool, typer.Option("--headless", help="End by itself instead of waiting for Ctrl-C.")] = False,
    seconds: Annotated[float, typer.Option(min=1, help="With --headless: end after so long.")] = 60,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the HTTP API; 0 takes a free one.")] = 8080,
    shoppers: Annotated[
        int, typer.Option(min=0, max=1000, help="Simulated shoppers with hidden tastes; 0: nobody comes.")
    ] = 12,
    broker: Annotated[
        DemoBroker,
        typer.Option(help="embedded: in memory, from pip. kafka: Apache Kafka; needs Java 17 and, once, Maven."),
    ] = DemoBroker.EMBEDDED,
    folder: Annotated[Path, typer.Option(help="Data, pictures, logs and settings; emptied at the start.")] = Path(
        ".demo"
    ),
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """A shop to try Millrace on: everything runs on this machine, with parts that pip installed.

    Draws products, streams them through a broker, indexes words and pictures as they come, searches them in
    English, in Chinese and by picture, and keeps changing prices, stock and products until Ctrl-C. Meanwhile simulated
    shoppers search, click and buy; how well their lists fit their hidden tastes is told, and shown on a page.

    Exit code 1 when something failed.

    Example: millrace demo --headless --seconds 60 --json

    With --json: products (sent at the opening), indexed, products_per_second, freshness_seconds (p50, p99 of the live
    changes), live_changes, first_answer_seconds, searches (query, kind, titles, took_ms, ok), shoppers (as `millrace
    shoppers --json`; null with --shoppers 0), url, failures.
    """
    output = Output(as_json)
    report = DemoReport()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    with output.failing_on(
        SettingsError,
        StackError,
        EmbeddedBrokerError,
        KafkaUnavailable,
        BrokerError,
        IndexUnavailable,
        FollowingFailed,
        RequestRefused,
        httpx.HTTPError,
    ):
        require_free_port(port)
        settings = _demo_settings(local_settings(load_settings(), folder, port), folder)
        make_room(folder)
        try:
            Demo(output, report, settings, folder, broker).run(products, shoppers, seconds if headless else None)
        except KeyboardInterrupt:
            output.note("\nclosing: the worker finishes what it has in hand")
    if report.failures:
        output.fail("; ".join(report.failures), asdict(report))
    output.note("all processes have ended")
    output.finish(asdict(report))


def _demo_settings(settings: Settings, folder: Path) -> Settings:
    """Without another ranker, the hand-set one is told what counts in the drawn shop."""
    changes: dict[str, Any] = {"server": {"learning_page": str((folder / LEARNING_PAGE).resolve())}}
    reranking = settings.ranking.reranking
    if reranking.ranker is None:
        features = [feature.model_dump() for feature in (*reranking.features, *DRAWN_FEATURES)]
        changes["ranking"] = {"reranking": {"features": features, "weights": DRAWN_WEIGHTS}}
    return changed_settings(settings, changes)
