"""Product events to searchable products, in three stages that know nothing of Kafka, Faust or threads."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from encoders.base import Encoder, ImageEncoder, UnusableVector, Vectors
from encoders.image_sources import ImageSource
from encoders.images import ImageError, decode_image
from encoders.settings import ImageLimits
from index.base import IMAGE_FIELD, TEXT_FIELD, Applied, ContentHashes, IndexUnavailable, Outcome, VectorIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from streams.planning import Planner
from streams.records import Record
from streams.work import Rejected, Settled, Task, Update, Work
from topics.codec import ProductCodec
from topics.events import InvalidEvent, InvalidReason, ProductEvent

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IndexerParts:
    """What the indexer works with."""

    codec: ProductCodec
    index: VectorIndex
    analyser: Analyser
    text_encoder: Encoder
    image_encoder: ImageEncoder
    images: ImageSource
    image_limits: ImageLimits
    metrics: Metrics


class Indexer:
    """Stages `prepare`, `encode` and `write`, each to be called by one thread at a time, with the same Work in this
    order.

    A repeat of a record changes nothing: its version is no newer than what the index holds. When the index is away, a
    stage waits for it, calling `on_wait` before each new try. Anything else that goes wrong is raised and leaves
    nothing acknowledged.
    """

    def __init__(
        self,
        parts: IndexerParts,
        picture_fetchers: int,
        clock: Callable[[], float] = time.time,
        on_wait: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._parts = parts
        self._planner = Planner(parts.index, parts.analyser, parts.text_encoder.release, parts.image_encoder.release)
        self._fetchers = ThreadPoolExecutor(picture_fetchers, thread_name_prefix="picture")
        self._clock = clock
        self.on_wait = on_wait
        self._retrying = Retrying(
            retry=retry_if_exception_type(IndexUnavailable),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            before_sleep=self._count_retry,
            sleep=sleep,
        )

    @property
    def releases(self) -> dict[str, str]:
        return {"text": self._parts.text_encoder.release, "image": self._parts.image_encoder.release}

    @property
    def batch_size(self) -> int:
        return self._parts.text_encoder.batch_size

    def prepare(self, records: Sequence[Record], received_at: float) -> Work:
        """Read the records, leave out what is stale, and bring what an encoder needs."""
        work = Work(received_at)
        with self._stage("decode", len(records)):
            newest = self._read(records, work)
        with self._stage("plan", len(newest)):
            states = self._patiently(lambda: self._planner.states(list(newest)))
            self._planner.plan(work, newest.values(), states)
        with self._stage("fetch", len(work.tasks)):
            self._fetch(work.updates())
        self._planner.remember(work.tasks)
        return work

    def encode(self, work: Work) -> Work:
        """Fill in the vectors that are missing. What a model cannot encode is rejected (text) or left out (picture)."""
        updates = work.updates()
        with self._stage("encode", len(updates)):
            self._encode_texts(work, [update for update in updates if update.text is not None])
            self._encode_images([update for update in updates if update.image is not None])
        return work

    def write(self, work: Work) -> Work:
        """Apply the tasks to the index and settle them. Returns when the index has acknowledged all of them."""
        done = list(work.tasks)
        with self._stage("upsert", len(work.tasks)):
            conflicting = self._apply(work)
            while conflicting:
                conflicting = self._plan_again(work, conflicting)
        self._planner.forget(done)
        return work

    def close(self) -> None:
        self._fetchers.shutdown(cancel_futures=True)

    def _read(self, records: Sequence[Record], work: Work) -> dict[str, tuple[Record, ProductEvent]]:
        """The newest event of each product; older ones are settled, unreadable ones rejected."""
        newest: dict[str, tuple[Record, ProductEvent]] = {}
        decode = self._parts.codec.decode
        for record in records:
            headers = dict(record.headers) if record.headers else None
            event = decode(record.key, record.value, record.timestamp, headers)
            if isinstance(event, InvalidEvent):
                work.rejected.append(Rejected(record, event))
                continue
            other = newest.get(event.id)
            if other is None or other[1].version < event.version:
                newest[event.id] = (record, event)
                if other is not None:
                    work.stale(other[0], event.id, other[1].version)
            else:
                work.stale(record, event.id, event.version)
        return newest

    def _fetch(self, updates: Sequence[Update]) -> None:
        waiting = [update for update in updates if update.fetch_image]
        if waiting:
            list(self._fetchers.map(self._fetch_image, waiting))

    def _fetch_image(self, update: Update) -> None:
        try:
            content = self._parts.images.fetch(update.event.image_links[0])
            digest = self._planner.image_hash(content)
            if update.held is None or update.held.image != digest:
                update.image = decode_image(content, self._parts.image_limits)
            else:
                self._parts.metrics.encodings_saved.labels("image", "same_picture").inc()
            update.hashes = ContentHashes(update.hashes.text, update.hashes.image_link, digest)
        except ImageError as error:
            self._without_image(update, error.reason, str(error))

    def _without_image(self, update: Update, reason: str, problem: str) -> None:
        """Index the words alone. The link's hash is left out too, so that the next event tries the picture again."""
        self._parts.metrics.image_failures.labels(reason).inc()
        update.problem = f"picture left out: {problem}"
        update.hashes = ContentHashes(update.hashes.text)
        update.image = None
        if update.held is not None and update.held.image:
            update.vectors[IMAGE_FIELD] = None

    def _encode_texts(self, work: Work, updates: list[Update]) -> None:
        encoder = self._parts.text_encoder
        vectors, refused = self._encoded("text", encoder.encode_texts, [update.text or "" for update in updates])
        for position, update in enumerate(updates):
            if position in refused:
                detail = f"{encoder.release} gave no usable vector for the text"
                self._planner.forget([update])
                work.reject(update, InvalidEvent(InvalidReason.ENCODER_REFUSED, detail, update.record.value or b""))
            else:
                update.vectors[TEXT_FIELD] = vectors[position]
                update.encoded_at = self._clock()

    def _encode_images(self, updates: list[Update]) -> None:
        encoder = self._parts.image_encoder
        images = [update.image for update in updates if update.image is not None]
        vectors, refused = self._encoded("image", encoder.encode_images, images)
        for position, update in enumerate(updates):
            if position in refused:
                self._without_image(update, "encoder_refused", f"{encoder.release} gave no usable vector for it")
            else:
                update.vectors[IMAGE_FIELD] = vectors[position]
                update.encoded_at = self._clock()
            update.image = None

    def _encoded(
        self, role: str, encode: Callable[[list[T]], Vectors], inputs: list[T]
    ) -> tuple[dict[int, "Vectors"], set[int]]:
        """Vectors by position, and the positions that the model could not encode."""
        left = list(range(len(inputs)))
        refused: set[int] = set()
        started = time.perf_counter()
        while left:
            try:
                rows = encode([inputs[position] for position in left])
                break
            except UnusableVector as error:
                bad = {left[place] for place in error.positions}
                refused |= bad
                left = [position for position in left if position not in bad]
        if not left:
            return {}, refused
        self._parts.metrics.encoder_busy_seconds.labels(role).inc(time.perf_counter() - started)
        self._parts.metrics.encoded_inputs.labels(role).inc(len(inputs))
        return dict(zip(left, rows, strict=True)), refused

    def _apply(self, work: Work) -> list[Task]:
        """Apply, settle and reject tasks. Returns those that conflict with what the index holds."""
        tasks = list(work.tasks)
        if not tasks:
            return []
        changes = [task.change() for task in tasks]
        applied = self._patiently(lambda: self._parts.index.apply(changes))
        now = self._clock()
        conflicting: list[Task] = []
        for task, result in zip(tasks, applied, strict=True):
            if result.outcome is Outcome.CONFLICT:
                conflicting.append(task)
            else:
                self._settle(work, task, result, now)
        work.tasks = conflicting
        return conflicting

    def _settle(self, work: Work, task: Task, result: Applied, now: float) -> None:
        if result.outcome is Outcome.REFUSED:
            raw = task.record.value or b""
            work.rejected.append(Rejected(task.record, InvalidEvent(InvalidReason.INDEX_REFUSED, result.detail, raw)))
            return
        stale = result.outcome is Outcome.STALE
        settled = Settled(task.record, task.event.id, task.version, "stale" if stale else task.outcome())
        settled.searchable_at = now
        if isinstance(task, Update):
            settled.problem = task.problem
            settled.encoded_at = task.encoded_at
        work.settled.append(settled)

    def _plan_again(self, work: Work, conflicting: list[Task]) -> list[Task]:
        """The index holds something else than was planned for (another worker wrote it):

        plan from what it holds now.
        """
        self._parts.metrics.retries.labels("upsert", "conflict").inc(len(conflicting))
        self.on_wait()
        self._planner.forget(conflicting)
        work.tasks = []
        states = self._patiently(lambda: self._parts.index.states([task.event.id for task in conflicting]))
        self._planner.plan(work, [(task.record, task.event) for task in conflicting], states)
        self._fetch(work.updates())
        self.encode(work)
        return self._apply(work)

    def _patiently(self, call: Callable[[], T]) -> T:
        return self._retrying(call)

    def _count_retry(self, state: RetryCallState) -> None:
        self._parts.metrics.retries.labels("index", "unavailable").inc()
        self.on_wait()

    @contextmanager
    def _stage(self, name: str, size: int) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._parts.metrics.stage_seconds.labels(name).observe(time.perf_counter() - started)
        self._parts.metrics.batch_size.labels(name).observe(size)
