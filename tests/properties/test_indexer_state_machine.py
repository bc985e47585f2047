"""Whatever happens to the workers and in whichever order: the index ends with the newest versions, and all is told."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from encoders.product_text import text_to_encode
from index.base import IMAGE_FIELD, TEXT_FIELD, ContentHashes, KeywordQuery, LogPosition, VectorQuery
from index.documents import document
from tests.properties.indexer_model import (
    CURSED,
    PARTITIONS,
    PICTURES,
    REFUSED_PRICE,
    Shop,
    Worker,
)
from tests.unit.streams.conftest import FixedRecord
from topics.events import InvalidEvent, Product, ProductDeletion


@dataclass(frozen=True)
class Change:
    """What the shop does to a product; `step` is from its newest version so far."""

    kind: str
    step: int
    title: str
    price: int
    link: str | None


KEYS = st.sampled_from(["a", "a", "b", "c"])
LOGS = st.sampled_from(sorted(set(PARTITIONS.values())))
WORKERS = st.integers(0, 1)
LINKS = st.sampled_from([*PICTURES, None])
ORDER = ("prepare", "encode", "write", "report")
CHANGES = st.builds(
    Change,
    kind=st.sampled_from(["product", "price", "product", "price", "deletion", "undated deletion"]),
    step=st.sampled_from([1, 1, 1, 2, 0, -1]),
    title=st.sampled_from(["one", "two", "one", "two", CURSED]),
    price=st.sampled_from([1, 2, 1, 2, REFUSED_PRICE]),
    link=LINKS,
)
STAGES = st.sampled_from(ORDER)
READ = st.sampled_from(["", "prepare", "prepare", "write", "report"])  # at once, up to this stage


class IndexerMachine(RuleBasedStateMachine):
    """Two workers, one index, and a shop that writes to its log."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop()
        self.workers = [self._worker(), self._worker()]
        self.zombies: list[Worker] = []
        self.versions: dict[str, int] = {}
        self.fields: dict[str, dict[str, object]] = {}
        for partition in range(len(self.shop.logs)):
            self.workers[partition % 2].assign(partition)

    @rule(key=KEYS, changes=st.lists(CHANGES, min_size=1, max_size=4), read=READ)
    def product_changes(self, key: str, changes: list[Change], read: str) -> None:
        """Each change is read at once, in a cut of its own, up to the stage `read`; or all are read some time later."""
        for change in changes:
            self._append(key, change)
            if read:
                self._read(PARTITIONS[key], read)

    @rule(key=KEYS, refused=CHANGES, following=CHANGES)
    def change_follows_one_that_is_refused(self, key: str, refused: Change, following: Change) -> None:
        """It is planned while the other one is still on its way."""
        refused = replace(refused, kind="product", step=2, price=REFUSED_PRICE)
        for change in (refused, following):
            self._append(key, change)
            self._read(PARTITIONS[key], "prepare")

    @precondition(lambda self: any(self.shop.logs))
    @rule(data=st.data())
    def producer_repeats(self, data: st.DataObject) -> None:
        records = [record for log in self.shop.logs for record in log]
        record = data.draw(st.sampled_from(records), label="repeated")
        self.shop.append((record.key or b"").decode(), record.value, record.headers)

    @rule(milliseconds=st.sampled_from([1, 10]))
    def time_goes_on(self, milliseconds: int) -> None:
        """The broker's; records without it between them have the same."""
        self.shop.now += milliseconds

    @rule(key=KEYS)
    def poison(self, key: str) -> None:
        self.shop.append(key, b"{broken")

    @rule(partition=LOGS, count=st.integers(1, 5))
    def fetch(self, partition: int, count: int) -> None:
        self._owner(partition).fetch(partition, count)

    @rule(worker=WORKERS, stage=STAGES, which=st.integers(0, 2))
    def go_on(self, worker: int, stage: str, which: int) -> None:
        self._step(self.workers[worker], stage, which)

    @precondition(lambda self: self.zombies)
    @rule(data=st.data(), stage=STAGES)
    def zombie_goes_on(self, data: st.DataObject, stage: str) -> None:
        self._step(data.draw(st.sampled_from(self.zombies), label="zombie"), stage)

    @rule(worker=WORKERS, other=WORKERS, stage=STAGES)
    def other_worker_comes_between(self, worker: int, other: int, stage: str) -> None:
        """It goes on while the index is asked to apply what the first one writes."""
        if worker != other:
            between = self.workers[other]
            self.shop.index.meanwhile.append(lambda: self._step(between, stage))
            self.workers[worker].write()

    @rule(partition=LOGS, to=WORKERS)
    def rebalance(self, partition: int, to: int) -> None:
        """The worker that loses a partition goes on with what it has in flight."""
        for worker in self.workers:
            worker.revoke(partition)
        self._give(partition, self.workers[to])

    @rule(worker=WORKERS, frozen=st.booleans())
    def crash(self, worker: int, frozen: bool) -> None:
        """A killed worker forgets what it had in flight, a frozen one goes on with it later; a new one begins."""
        gone, fresh = self.workers[worker], self._worker()
        if frozen:
            self.zombies.append(gone)
        self.workers[worker] = fresh
        for partition in range(len(self.shop.logs)):
            if gone.owns(partition):
                gone.revoke(partition)
                self._give(partition, fresh)

    @rule(outages=st.lists(st.integers(0, 3), max_size=3))
    def index_is_away(self, outages: list[int]) -> None:
        self.shop.index.outages.extend(outages)

    @rule(links=st.frozensets(st.sampled_from(sorted(PICTURES))))
    def pictures_fail(self, links: frozenset[str]) -> None:
        self.shop.pictures.failing = links

    @invariant()
    def nothing_unfinished_is_committed(self) -> None:
        for partition, committed in enumerate(self.shop.committed):
            assert all(self.shop.told[partition, offset] for offset in range(committed))

    def teardown(self) -> None:
        for worker in self.workers:
            for partition in range(len(self.shop.logs)):
                while worker.fetch(partition, 5):
                    pass
            worker.finish()
        for zombie in self.zombies:
            zombie.finish()
        self.shop.index.outages.clear()
        self.nothing_unfinished_is_committed()
        assert self.shop.committed == [len(log) for log in self.shop.logs]
        self._check_rejections()
        self._check_index()

    def _owner(self, partition: int) -> Worker:
        return next(worker for worker in self.workers if worker.owns(partition))

    def _read(self, partition: int, until: str) -> None:
        worker = self._owner(partition)
        if until:
            worker.fetch(partition, 3)
        for stage in ORDER[: ORDER.index(until) + 1] if until else ():
            self._step(worker, stage)

    def _append(self, key: str, change: Change) -> None:
        newest = self.versions.get(key, 3)
        version = max(1, newest + change.step)
        self.versions[key] = max(newest, version)
        if change.kind == "deletion":
            self.shop.append(key, None, [("updated_at_us", b"%d" % (version * 1000))])
        elif change.kind == "undated deletion":
            self.shop.append(key, None)
        else:
            if change.kind == "product" or key not in self.fields:
                links = [] if change.link is None else [change.link]
                self.fields[key] = {"title": change.title, "image_links": links}
            self.shop.append_product(key, version, self.fields[key] | {"price": change.price})

    def _worker(self) -> Worker:
        return Worker(self.shop)

    def _give(self, partition: int, worker: Worker) -> None:
        self.shop.generations[partition] += 1
        worker.assign(partition)

    def _step(self, worker: Worker, stage: str, which: int = 0) -> None:
        if stage == "report":
            worker.report(which)
        else:
            getattr(worker, stage)()

    def _event(self, record: FixedRecord) -> Product | ProductDeletion | InvalidEvent:
        decode = self.shop.parts.codec.decode
        return decode(record.key, record.value, record.timestamp, dict(record.headers))

    def _expected(self) -> dict[str, tuple[FixedRecord, Product | ProductDeletion]]:
        """One record after the other, as they stand in the log, none twice: what decision 0004 says of each."""
        held: dict[str, tuple[FixedRecord, Product | ProductDeletion]] = {}
        for record in (record for log in self.shop.logs for record in log):
            event = self._event(record)
            if isinstance(event, InvalidEvent) or not acceptable(event):
                continue
            before = held.get(event.id)
            if before is None or event.version > before[1].version:
                ends_something = before is not None and isinstance(before[1], Product)
                if isinstance(event, Product) or event.dated or ends_something:
                    held[event.id] = (record, event)
        return held

    def _check_rejections(self) -> None:
        versions: Counter[tuple[str, int]] = Counter()
        newest: dict[str, int] = {}
        for log in self.shop.logs:
            for event in map(self._event, log):
                if not isinstance(event, InvalidEvent):
                    versions[event.id, event.version] += 1
                    newest[event.id] = max(newest.get(event.id, 0), event.version)
        for log in self.shop.logs:
            for record in log:
                event = self._event(record)
                place = (record.partition, record.offset)
                if isinstance(event, InvalidEvent):
                    assert self.shop.rejected[place] == self.shop.told[place]
                elif acceptable(event):
                    assert not self.shop.rejected[place]
                elif event.version == newest[event.id] and versions[event.id, event.version] == 1:
                    assert self.shop.rejected[place] == self.shop.told[place]

    def _check_index(self) -> None:
        expected = self._expected()
        states = self.shop.index.states(sorted(PARTITIONS))
        assert {id_: (state.version, state.deleted, state.position) for id_, state in states.items()} == {
            id_: (event.version, isinstance(event, ProductDeletion), LogPosition(record.timestamp, record.offset))
            for id_, (record, event) in expected.items()
        }
        products = {id_: event for id_, (_, event) in expected.items() if isinstance(event, Product)}
        assert self.shop.index.documents(sorted(PARTITIONS)) == {
            id_: document(event) for id_, event in products.items()
        }
        for id_, event in products.items():
            self._check_content(event, states[id_].hashes)
        for title in ("one", "two"):
            hits = self.shop.index.search(KeywordQuery(title), 10)
            assert {hit.product_id for hit in hits} == {e.id for e in products.values() if e.title == title}

    def _check_content(self, event: Product, hashes: ContentHashes) -> None:
        """Hashes and vectors are those of the event; a picture that once failed may be missing, to be asked again."""
        alone = undisturbed(event.id, event.title, event.image_links)
        wanted = alone.index.states([event.id])[event.id].hashes
        picture = scores(alone, IMAGE_FIELD, "red").get(event.id)
        if set(event.image_links) & self.shop.pictures.failed and not hashes.image_link:
            wanted, picture = ContentHashes(wanted.text), None
        assert hashes == wanted
        assert scores(self.shop, TEXT_FIELD, text_to_encode(event))[event.id] == pytest.approx(1.0, abs=1e-5)
        assert scores(self.shop, IMAGE_FIELD, "red").get(event.id) == pytest.approx(picture, abs=1e-5)


def acceptable(event: Product | ProductDeletion) -> bool:
    return isinstance(event, ProductDeletion) or (CURSED not in event.title and event.price != REFUSED_PRICE)


@cache
def undisturbed(id_: str, title: str, links: tuple[str, ...]) -> Shop:
    """A shop where nothing else ever happened."""
    shop = Shop()
    shop.append_product(id_, 1, {"title": title, "price": 1, "image_links": links})
    worker = Worker(shop)
    worker.assign(PARTITIONS[id_])
    worker.fetch(PARTITIONS[id_], 1)
    worker.finish()
    return shop


def scores(shop: Shop, field: Literal["text_vector", "image_vector"], probe: str) -> dict[str, float]:
    vector = shop.encoder.encode_texts([probe])[0]
    return {hit.product_id: hit.score for hit in shop.index.search(VectorQuery(field, vector), 10)}


TestIndexer = IndexerMachine.TestCase
TestIndexer.settings = settings(max_examples=250, stateful_step_count=30, deadline=None)
