"""Whether the click loop is exact: shuffled lists with repeats and late clicks, while its process is killed.

On a real Kafka; profiles in SQLite, the example log in a folder. Each list is compared with what was sent: as the last
record on `feedback.examples` says it, and as the one row that the example log has of it.
"""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path

import psutil

from benchmarks.clicks.shop import SeenList, Sent, seen_lists, shuffled_with_repeats
from benchmarks.recording import record
from cli.local_stack import make_room
from cli.sample_settings import settings_file
from cli.settings import Settings, changed_settings
from deploy.kafka.broker import LocalKafka
from feedback.example_log import ExampleLog
from monitoring.lag import GroupLag, LagUnavailable
from topics.admin import TopicAdmin
from topics.catalogue import CLICK_LOOP_GROUP, CLICK_LOOP_TOPICS, FEEDBACK_EXAMPLES, topics_on_broker
from topics.clients import client_config
from topics.feedback import JoinedList
from topics.publisher import Publisher, PublisherOverloaded
from topics.settings import KafkaSettings
from topics.snapshot import KeptRecord, Snapshot

LISTS = 20_000
KILLS = 12
LIMIT = "20,000 shuffled lists with repeats, late clicks and SIGKILLs on real Kafka: each exact, one row each"
_WORK = Path(".bench/join-exactness")
_PATIENCE_SECONDS = 900.0
_LOOK_SECONDS = 0.02
_SEED = 7


@dataclass(slots=True)
class Exactness:
    """What was sent and what came out. `wrong` names lists that differ, `rows_too_many` those with several rows."""

    lists: int
    records: int
    late: int
    kills: int
    restarts: int = 0
    messages: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    wrong_rows: list[str] = field(default_factory=list)

    @property
    def is_exact(self) -> bool:
        return not self.wrong and not self.wrong_rows


def run() -> None:
    make_room(_WORK)
    with LocalKafka(_WORK / "kafka") as broker:
        kafka = broker.settings()
        TopicAdmin(kafka).apply(topics_on_broker(kafka))
        found = measure(_WORK, kafka, LISTS, KILLS)
    if not found.is_exact:
        raise RuntimeError(f"not exact: {found}")
    record("join_exactness", LIMIT, {"exact": found.is_exact, **asdict(found)})


def measure(
    folder: Path,
    kafka: KafkaSettings,
    lists: int,
    kills: int,
    trouble: Callable[[Callable[[], None]], None] = lambda send: send(),
    seed: int = _SEED,
) -> Exactness:
    """Send everything while the process works and is killed; half way through, `trouble` has a part of it sent."""
    seen = list(seen_lists(lists, seed))
    records = shuffled_with_repeats(seen, seed)
    found = Exactness(lists, len(records), sum(len(one.late) for one in seen), kills)
    settings = click_loop_settings(folder, kafka)
    began = time.monotonic()
    with click_loop_process(folder, settings) as process:
        _kill_while_it_works(process, kafka, records, kills, trouble, seed)
        wait_until_done(kafka)
        found.restarts = _restarts(folder)
    found.seconds = round(time.monotonic() - began, 1)
    last, found.messages = joined_lists(kafka)
    found.wrong = _differing(seen, last)
    found.wrong_rows = _differing_rows(seen, settings)
    return found


def click_loop_settings(folder: Path, kafka: KafkaSettings) -> Settings:
    settings = Settings().model_copy(update={"kafka": kafka})
    return changed_settings(
        settings,
        {
            "profiles": {"kind": "sqlite", "path": folder / "profiles.sqlite", "timeout_seconds": 1},
            "click_loop": {
                "metrics_port": 0,
                "commit_interval_seconds": 0.1,
                "examples": {"url": str((folder / "examples").resolve()), "gather_seconds": 1, "compact_files": 3},
            },
        },
    )


@contextmanager
def click_loop_process(folder: Path, settings: Settings) -> Iterator[psutil.Process]:
    """The parent of the click loop, which starts it again; told to stop at the end of the block."""
    config = folder / "millrace.toml"
    config.write_text(settings_file(settings))
    command = [sys.executable, "-m", "cli.main", "click-loop", "--restart", "--config", str(config)]
    with (folder / "click-loop.log").open("wb") as log, subprocess.Popen(command, stderr=log) as parent:
        try:
            yield psutil.Process(parent.pid)
            parent.terminate()
            if parent.wait(60):
                raise RuntimeError(f"the click loop ended with code {parent.returncode}: see {folder}/click-loop.log")
        finally:
            parent.kill()


def wait_until_done(kafka: KafkaSettings) -> None:
    """Until the group has committed all that its topics hold."""
    with ExitStack() as closing:
        group = kafka.on_broker(CLICK_LOOP_GROUP)
        lags = [
            closing.enter_context(GroupLag(client_config(kafka), group, kafka.on_broker(topic)))
            for topic in CLICK_LOOP_TOPICS
        ]
        # Twice: what the join emits is lag of the others a moment later.
        _wait_until(lambda: not any(lag.events() for _ in range(2) for lag in lags))


def joined_lists(kafka: KafkaSettings) -> tuple[dict[str, JoinedList], int]:
    """The highest revision of each list on the topic, and how many records there are."""
    newest: dict[str, JoinedList] = {}

    def see(kept: KeptRecord) -> None:
        joined = JoinedList.model_validate_json(kept.value or b"")
        held = newest.get(joined.query_id)
        if held is not None and held.revision == joined.revision and held != joined:
            raise RuntimeError(f"two lists of one revision differ: {held} and {joined}")
        if held is None or joined.revision > held.revision:
            newest[joined.query_id] = joined

    extent = Snapshot(kafka, [FEEDBACK_EXAMPLES]).read(see, lambda _: None)
    return newest, extent.read


def _kill_while_it_works(
    process: psutil.Process,
    kafka: KafkaSettings,
    records: Sequence[Sent],
    kills: int,
    trouble: Callable[[Callable[[], None]], None],
    seed: int,
) -> None:
    rng = random.Random(seed)
    parts = kills + 1
    cuts = [len(records) * part // parts for part in range(parts + 1)]
    publisher = Publisher(kafka, "shoppers", delivery_timeout_seconds=_PATIENCE_SECONDS)
    for part, (start, end) in enumerate(pairwise(cuts)):
        before = _emitted(kafka)
        send = partial(_send, publisher, records[start:end])
        if part == parts // 2:
            trouble(send)
        else:
            send()
        if part == kills:
            break
        wanted = before + rng.randrange(1, max(2, (end - start) // 4))
        _wait_until(lambda wanted=wanted: _emitted(kafka) >= wanted)  # type: ignore[misc]
        time.sleep(rng.uniform(0, 0.3))
        for child in process.children():
            child.kill()
    if publisher.close(_PATIENCE_SECONDS):
        raise RuntimeError("the broker did not take all records")


def _send(publisher: Publisher, records: Iterable[Sent]) -> None:
    for sent in records:
        while True:
            try:
                publisher.publish(sent.topic, sent.key, sent.value)
                break
            except PublisherOverloaded:
                publisher.flush(1)
    publisher.flush(_PATIENCE_SECONDS)


def _emitted(kafka: KafkaSettings) -> int:
    with GroupLag(client_config(kafka), kafka.on_broker("benchmark"), kafka.on_broker(FEEDBACK_EXAMPLES)) as lag:
        return sum(one.latest for one in lag.read().values())


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except LagUnavailable:
            pass  # a broker that was killed
        time.sleep(_LOOK_SECONDS)
    raise TimeoutError("the click loop did not get there in time")


def _restarts(folder: Path) -> int:
    return (folder / "click-loop.log").read_text().count("starting it again")


def _differing(seen: Sequence[SeenList], found: dict[str, JoinedList]) -> list[str]:
    late = Counter(
        (action.event_id, joined.shopper)
        for id_, joined in found.items()
        if joined.at is None
        for action in joined.actions
    )
    wrong = [one.query_id for one in seen if not _is_as_sent(one, found.get(one.query_id))]
    wrong += [one.query_id for one in seen for done in one.late if late[done.event_id, one.shopper] != 1]
    if len(found) != len(seen) + sum(len(one.late) for one in seen):
        wrong.append(f"{len(found)} lists in all")
    return wrong


def _differing_rows(seen: Sequence[SeenList], settings: Settings) -> list[str]:
    log = ExampleLog(settings.click_loop.examples.url, lambda _: {})
    rows = list(log.read(date.min, date.max, suspects=True))
    by_id = {row.query_id: row for row in rows}
    wrong = [id_ for id_, count in Counter(row.query_id for row in rows).items() if count > 1]
    wrong += [one.query_id for one in seen if not _is_as_sent(one, by_id.get(one.query_id))]
    if len(rows) != len(seen):
        wrong.append(f"{len(rows)} rows in all")
    return wrong


def _is_as_sent(seen: SeenList, found: JoinedList | None) -> bool:
    return found is not None and (
        (found.at, found.shopper, tuple(one.product_id for one in found.shown), found.late, found.suspect)
        == (seen.at, seen.shopper, seen.shown, len(seen.late), "")
        and [(one.event_id, one.action, one.product_id, one.at) for one in found.actions]
        == [(one.event_id, one.action, one.product_id, one.at) for one in seen.actions]
    )
