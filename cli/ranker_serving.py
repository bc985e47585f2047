"""A trained ranker behind the API on this machine, with what its log teaches of shoppers and products."""

import json
import shlex
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from cli.catalogue_streaming import CatalogueSource, stream_catalogue
from cli.freshness import FollowingFailed
from cli.local_stack import LocalStack, StackError
from cli.output import Output
from cli.ranking_logs import RankingLog
from cli.served_log import without_names
from cli.server_answers import RequestRefused, answer_of
from cli.settings import Settings, changed_settings
from cli.wiring import open_profile_store
from feedback.store import Kept, ProfileStore, StoreUnavailable
from index.base import IndexUnavailable
from topics.admin import BrokerError
from topics.codec import encode_product
from topics.embedded_broker import EmbeddedBrokerError
from topics.events import Product
from topics.publisher import PublisherError

SERVING_ERRORS = (
    StackError,
    EmbeddedBrokerError,
    BrokerError,
    PublisherError,
    IndexUnavailable,
    FollowingFailed,
    StoreUnavailable,
    RequestRefused,
    httpx.HTTPError,
)
_START_SECONDS = 180.0
_ANSWER_SECONDS = 30.0
_LOOK_SECONDS = 0.5
_LOOKS = 40
_STATES_AT_ONCE = 5_000
_SHOWN = 5
_OWN_TO_A_STORE = {"kind", "path", "url", "key_prefix", "timeout_seconds"}


@dataclass(frozen=True, slots=True)
class ServingOptions:
    """`folder` holds data, logs and settings. `seconds` from when the API answers; None: until Ctrl-C."""

    folder: Path
    port: int = 8080
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """What a log has taught: states of the profile store by key, products, and a request for the API."""

    states: Mapping[str, Kept]
    products: Sequence[Product]
    example: Mapping[str, Any]


@dataclass(slots=True)
class ServingReport:
    """What `--json` says of it."""

    url: str = ""
    config: str = ""
    products: int = 0
    states: int = 0
    example: dict[str, Any] = field(default_factory=dict)


def serve_ranker(
    log: RankingLog, ranker: Path, learned: Learned, settings: Settings, options: ServingOptions, output: Output
) -> ServingReport:
    """Until the time is over or Ctrl-C. Raises StackError, StoreUnavailable, httpx.HTTPError and what parts raise."""
    settings = _with_ranker(settings, log, ranker)
    report = ServingReport(states=len(learned.states))
    with open_profile_store(settings) as store:
        _fill(store, learned.states, output)
    try:
        output.note("Starting an embedded broker, Milvus Lite, a worker, a click loop and a server.")
        with LocalStack(options.folder, settings, click_loop=True) as stack:
            with output.waiting("loading the models"):
                stack.wait_until_ready(_START_SECONDS)
            report.products = _index(learned.products, options.folder, stack, output)
            report.url, report.config = stack.url, str(stack.config)
            report.example = _ask(stack.url, learned.example)
            tell_how_to_ask(report, output)
            threading.Event().wait(options.seconds)
    except KeyboardInterrupt:
        output.note("\nclosing: the worker finishes what it has in hand")
    output.note("all processes have ended")
    return report


def _with_ranker(settings: Settings, log: RankingLog, ranker: Path) -> Settings:
    """What the log was replayed with, so that features are those that the ranker was trained on."""
    features = [feature.model_dump() for feature in log.features]
    changes = {
        "profiles": log.loop.profiles.model_dump(exclude=_OWN_TO_A_STORE),
        "click_loop": {"join": log.loop.join.model_dump(), "traffic": log.loop.traffic.model_dump()},
        "ranking": {"reranking": {"features": features, "ranker": ranker.resolve()}},
    }
    return changed_settings(settings, changes)


def _fill(store: ProfileStore, states: Mapping[str, Kept], output: Output) -> None:
    left = iter(states.items())
    with output.progress("keeping what is known of shoppers and products", len(states)) as advance:
        done = 0
        while some := dict(islice(left, _STATES_AT_ONCE)):
            store.update(list(some), partial(_instead, some))
            advance(done := done + len(some), "")


def _instead(states: Mapping[str, Kept], _: Mapping[str, bytes]) -> Mapping[str, Kept]:
    return states


def _index(products: Sequence[Product], folder: Path, stack: LocalStack, output: Output) -> int:
    """How many are searchable."""
    if not products:
        output.note("The log has no products, so a search finds nothing: there is POST /v1/rank alone.")
        return 0
    file = folder / "products.jsonl"
    file.write_bytes(b"".join(encode_product(product) + b"\n" for product in products))
    streamed = stream_catalogue(CatalogueSource(file, mapping=""), stack.settings, output)
    output.note(f"{streamed.indexed} of {len(products)} products became searchable in {streamed.seconds:.1f} s.")
    for failure in streamed.failures():
        output.note(failure)
    return streamed.indexed


def _ask(url: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The request with its answer, and the order that a stranger gets.

    A server hears of the last products a moment after they are indexed, so it is asked until two answers agree.
    """
    known, stranger = _orders(url, request)
    for _ in range(_LOOKS):
        time.sleep(_LOOK_SECONDS)
        before, (known, stranger) = (_ids(known), _ids(stranger)), _orders(url, request)
        if before == (_ids(known), _ids(stranger)):
            return {"request": dict(request), "answer": known, "for_a_stranger": _ids(stranger)}
    raise StackError(f"{url}/v1/rank gives another order whenever it is asked")


def _orders(url: str, request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return _rank(url, request), _rank(url, without_names(request))


def _rank(url: str, request: Mapping[str, Any]) -> dict[str, Any]:
    return answer_of(httpx.post(f"{url}/v1/rank", json=request, timeout=_ANSWER_SECONDS))


def _ids(answer: Mapping[str, Any]) -> list[str]:
    return [one["product_id"] for one in answer["results"]]


def tell_how_to_ask(report: ServingReport, output: Output) -> None:
    request, answer = report.example["request"], report.example["answer"]
    ask = f"Open {report.url} in a browser, or ask" if report.products else "Ask"
    output.note(f"\n{ask} from another terminal for a list of the log:\n")
    output.note(f"curl {report.url}/v1/rank -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(request))}")
    output.note(f"\n{answer['ranker']} puts first, of {len(request['candidates'])} products")
    output.note(f"  for this shopper: {_first(_ids(answer))}")
    output.note(f"  for a stranger:   {_first(report.example['for_a_stranger'])}")
    output.note("\nCtrl-C ends everything.")


def _first(product_ids: Iterable[str]) -> str:
    return ", ".join(islice(product_ids, _SHOWN))
