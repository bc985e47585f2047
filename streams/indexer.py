"""Product events to searchable products, in three stages that know nothing of Kafka, Faust or threads."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from encoders.base import Encoder, ImageEncoder, Vectors
from encoders.image_sources import ImageSource
from encoders.images import ImageError, decode_image
from encoders.settings import ImageLimits
from encoders.usable import encode_usable
from index.base import IMAGE_FIELD, TEXT_FIELD, Applied, IndexUnavailable, Outcome, VectorIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from streams.planning import Planner
from streams.records import Record
from streams.work import Arrival, Rejected, Settled, Task, Update, Work, by_product
from topics.codec import ProductCodec
from topics.events import InvalidEvent, InvalidReason

T = TypeVar("T")

logger = logging.getLogger(__name__)

_TRIES_BETWEEN_LOGS = 10  # about half a minute


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
            products = by_product(self._read(records, work))
        with self._stage("plan", len(products)):
            self._patiently(lambda: self._planner.plan(work, products))
        with self._stage("fetch", len(work.tasks)):
            self._fetch(work.updates())
        self._planner.remember(work)
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
        with self._stage("upsert", len(work.tasks)):
            self._apply(work)
            while work.unplanned:
                self._plan_again(work)
        self._planner.forget(work)
        return work

    def _read(self, records: Sequence[Record], work: Work) -> Iterator[Arrival]:
        """Gives what can be read; the rest is rejected."""
        decode = self._parts.codec.decode
        for record in records:
            headers = dict(record.headers) if record.headers else None
            event = decode(record.key, record.value, record.timestamp, headers)
            if isinstance(event, InvalidEvent):
                work.rejected.append(Rejected(record, event))
            else:
                yield Arrival(record, event)

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
            update.hashes = update.hashes._replace(image=digest)
        except ImageError as error:
            self._without_image(update, error.reason, str(error), again=error.transient)
        self.on_wait()

    def _without_image(self, update: Update, reason: str, problem: str, *, again: bool) -> None:
        """Index the words alone. `again`: the next event of the product tries the same link once more."""
        self._parts.metrics.image_failures.labels(reason).inc()
        update.problem = f"picture left out: {problem}"
        update.hashes = update.hashes._replace(image_link="" if again else update.hashes.image_link, image="")
        update.image = None
        if update.held is not None and update.held.image:
            update.vectors[IMAGE_FIELD] = None

    def _encode_texts(self, work: Work, updates: list[Update]) -> None:
        encoder = self._parts.text_encoder
        vectors, refused = self._encoded("text", encoder.encode_texts, [update.text or "" for update in updates])
        for position, update in enumerate(updates):
            if position in refused:
                detail = f"{encoder.release} gave no usable vector for the text"
                work.reject(update, InvalidEvent(InvalidReason.ENCODER_REFUSED, detail, update.record.value or b""))
            else:
                update.vectors[TEXT_FIELD] = vectors[position]
                update.encoded_at = self._clock()
        if refused:
            rejected = [update for position, update in enumerate(updates) if position in refused]
            work.tasks = [task for task in work.tasks if task not in rejected]

    def _encode_images(self, updates: list[Update]) -> None:
        encoder = self._parts.image_encoder
        images = [update.image for update in updates if update.image is not None]
        vectors, refused = self._encoded("image", encoder.encode_images, images)
        for position, update in enumerate(updates):
            if position in refused:
                detail = f"{encoder.release} gave no usable vector for it"
                self._without_image(update, "encoder_refused", detail, again=False)
            else:
                update.vectors[IMAGE_FIELD] = vectors[position]
                update.encoded_at = self._clock()
            update.image = None

    def _encoded(
        self, role: str, encode: Callable[[list[T]], Vectors], inputs: list[T]
    ) -> tuple[dict[int, Vectors], set[int]]:
        """Vectors by position, and the positions that the model could not encode."""
        started = time.perf_counter()
        vectors, refused = encode_usable(encode, inputs)
        if vectors:
            self._parts.metrics.encoder_busy_seconds.labels(role).inc(time.perf_counter() - started)
            self._parts.metrics.encoded_inputs.labels(role).inc(len(inputs))
        return vectors, refused

    def _apply(self, work: Work) -> None:
        """Settle or reject each task, or have it planned again where the index holds something else."""
        tasks, work.tasks = work.tasks, []
        if not tasks:
            return
        changes = [task.change() for task in tasks]
        applied = self._patiently(lambda: self._parts.index.apply(changes))
        if self._retrying.statistics["attempt_number"] > 1:
            applied = self._recognized(tasks, applied)
        now = self._clock()
        for task, result in zip(tasks, applied, strict=True):
            if result.outcome is Outcome.CONFLICT:
                self._parts.metrics.retries.labels("upsert", "conflict").inc()
                work.plan_again(task)
            elif result.outcome is Outcome.REFUSED:
                raw = task.record.value or b""
                work.reject(task, InvalidEvent(InvalidReason.INDEX_REFUSED, result.detail, raw))
            else:
                _settle(work, task, result, now)

    def _recognized(self, tasks: Sequence[Task], applied: Sequence[Applied]) -> list[Applied]:
        """An answer that was lost on the way makes the next try look stale: what the index holds tells them apart."""
        states = self._patiently(lambda: self._parts.index.states([task.event.id for task in tasks]))
        return [
            Applied(Outcome.WRITTEN)
            if result.outcome is Outcome.STALE and states.get(task.event.id) == task.leaves()
            else result
            for task, result in zip(tasks, applied, strict=True)
        ]

    def _plan_again(self, work: Work) -> None:
        """From what the index holds now: another worker wrote in between, or a newer event was rejected."""
        products, work.unplanned = by_product(work.unplanned), []
        self.on_wait()
        self._patiently(lambda: self._planner.plan_on_index(work, products))
        self._fetch(work.updates())
        self.encode(work)
        self._apply(work)

    def _patiently(self, call: Callable[[], T]) -> T:
        return self._retrying(call)

    def _count_retry(self, state: RetryCallState) -> None:
        self._parts.metrics.retries.labels("index", "unavailable").inc()
        self.on_wait()
        if state.attempt_number % _TRIES_BETWEEN_LOGS == 1 and state.outcome is not None:
            logger.warning("Waiting for the index (try %d): %s", state.attempt_number, state.outcome.exception())

    @contextmanager
    def _stage(self, name: str, size: int) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._parts.metrics.stage_seconds.labels(name).observe(time.perf_counter() - started)
        self._parts.metrics.batch_size.labels(name).observe(size)


def _settle(work: Work, task: Task, result: Applied, now: float) -> None:
    stale = result.outcome is Outcome.STALE
    settled = Settled(task.record, task.event.id, task.version, "stale" if stale else task.outcome())
    settled.searchable_at = now
    if isinstance(task, Update):
        settled.problem = task.problem
        settled.encoded_at = task.encoded_at
    work.settled.append(settled)
    work.stale(task.superseded)
    work.unplanned += task.later
