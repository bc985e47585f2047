"""Whole fetched batches for a Faust agent: a fetch's records of one partition are one event, one ack, one commit.

    app.transport = BatchTransport(...)                # by `install`, before the first topic
    source = app.topic("catalog.products", schema=RecordBatchSchema())
    async for event in stream.noack().events():
        event.value.records                            # aiokafka ConsumerRecords, in offset order
        await stream.ack(event)                        # any time later, in any order: commits stay contiguous

Faust keeps the group, rebalances, commits, buffers and the shutdown. Per partition the batches that were read since
the last assignment or seek stand in a queue; only the acknowledged head of that queue is committed. So holes in the
offsets (compaction, transaction markers) need no bookkeeping, a batch in flight is never jumped over (faust-streaming
#606), and an ack that comes after its partition was revoked finds its batch no longer queued.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from typing import Any, NoReturn

import faust
from aiokafka.structs import ConsumerRecord
from faust.exceptions import ConsumerNotStarted, ImproperlyConfigured
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka
from faust.types.tuples import TP, ConsumerMessage

from streams.membership import Membership

TESTED_FAUST = "0.15.3"
_LOOK_FOR_ROOM_SECONDS = 0.005
_LOOKS_FOR_ROOM = 20


class RecordBatch(ConsumerMessage):  # type: ignore[misc]
    """The records of one partition out of one fetch. To Faust it is one message that stands at its last offset."""

    __slots__ = ("end", "records")

    def __init__(self, tp: TP, records: Sequence[ConsumerRecord], generation_id: int) -> None:
        last = records[-1]
        timestamp = last.timestamp / 1000 if last.timestamp is not None else None
        super().__init__(
            tp.topic, tp.partition, last.offset, timestamp, last.timestamp_type, None, None, None, None, 0, 0, tp,
            generation_id=generation_id,
        )  # fmt: skip
        self.records = records
        self.end = last.offset + 1


class RecordBatchSchema(faust.Schema):  # type: ignore[misc]
    """Marks a topic as delivered in batches; `event.value` is the RecordBatch."""

    def __init__(self, **options: Any) -> None:
        super().__init__(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", **options)

    def compile(self, app: faust.App, **_: Any) -> Any:
        if not isinstance(app.transport, BatchTransport):
            raise ImproperlyConfigured("record_batches.install(app) comes before the first topic of batches")

        async def decode(message: RecordBatch, *, propagate: bool = False) -> Any:
            return app.create_event(None, message, {}, message)

        return decode


class BatchConsumerThread(aiokafka.AIOKafkaConsumerThread):  # type: ignore[misc]
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.positions: dict[TP, int] = {}  # of the last fetch: next offsets to read

    def _create_worker_consumer(self, transport: "BatchTransport") -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust hard-wires both: 1500 ms, which librdkafka's mock broker waits out, and read_uncommitted.
        _require_attributes(consumer, "_fetch_max_wait_ms", "_isolation_level")
        consumer._fetch_max_wait_ms = int(transport.fetch_max_wait_seconds * 1000)
        consumer._isolation_level = "read_committed"
        return consumer

    async def _fetch_records(self, consumer: Any, *arguments: Any, **options: Any) -> Any:
        self.positions = {}
        records = await super()._fetch_records(consumer, *arguments, **options)
        subscription = consumer._subscription.subscription
        if self.consumer.flow_active and subscription is not None and subscription.assignment is not None:
            consumed = subscription.assignment.all_consumed_offsets()
            self.positions = {ensure_TP(tp): place.offset for tp, place in consumed.items()}
        return records

    async def on_start(self) -> None:
        await super().on_start()
        app = self.consumer.app
        if not app.conf.consumer_group_instance_id:  # the group knows a named one by its name
            self._ensure_consumer()._coordinator.member_id = self.transport.membership.member_id

    @property
    def member_id(self) -> str:
        """Empty when the group does not know this consumer, or no longer."""
        member_id: str = self._ensure_consumer()._coordinator.member_id
        return member_id


class BatchConsumer(aiokafka.Consumer):  # type: ignore[misc]
    """Faust's consumer with a queue of batches per partition in place of its list of acknowledged offsets."""

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def on_init(self) -> None:
        self._queues: defaultdict[TP, deque[RecordBatch]] = defaultdict(deque)
        self._safe: dict[TP, int] = {}  # offset that may be committed
        self._unqueued: set[TP] = set()  # what their last fetch brought is not in the queue yet
        self._resets = 0  # assignments and seeks so far
        self._has_joined = False

    def assignment(self) -> set[TP]:
        """Nothing before the start: Faust's table manager asks a second after its own, ready or not."""
        try:
            assigned: set[TP] = super().assignment()
        except ConsumerNotStarted:
            return set()
        return assigned

    def _is_batched(self, tp: TP) -> bool:
        return tp.topic in self.transport.batched_topics()

    def _forget(self, partitions: Iterable[TP] | None = None) -> None:
        """What was read before a revocation or a seek is read again, by this worker or by another."""
        self._resets += 1
        self._unqueued.clear()
        for tp in list(self._queues) if partitions is None else partitions:
            self._queues.pop(tp, None)
            self._safe.pop(tp, None)

    def _advance(self, tp: TP) -> int:
        """Move the acknowledged head to what may be committed; how many batches are left in flight."""
        queue = self._queues[tp]
        while queue and queue[0].acked:
            self._safe[tp] = queue.popleft().end
        return len(queue)

    def _is_full(self) -> bool:
        in_flight: int = sum(map(self._advance, list(self._queues)))
        return in_flight >= int(self.transport.max_in_flight)

    async def _wait_for_room(self) -> None:
        """For a tenth of a second at most. Looking here is far cheaper than a turn of Faust's fetch loop for each."""
        for _ in range(_LOOKS_FOR_ROOM):
            await asyncio.sleep(_LOOK_FOR_ROOM_SECONDS)
            if not self._is_full():
                return

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, Any]:  # noqa: ASYNC109
        batched = self.transport.batched_topics()
        if active_partitions and self._is_full():
            active_partitions = {tp for tp in active_partitions if tp.topic not in batched}
            timeout = _LOOK_FOR_ROOM_SECONDS
            if not active_partitions:
                await self._wait_for_room()
                return {}
        resets = self._resets
        fetched = await super()._getmany(active_partitions, timeout)
        if fetched and resets != self._resets:
            self.log.info("Fetched across a rebalance or seek: %r records read again", sum(map(len, fetched.values())))
            if self.flow_active and self.assignment():  # otherwise the next assignment seeks
                await self.perform_seek()
            return {}
        if resets == self._resets:
            self._pass_over_what_is_never_handed_out(fetched)
        return {tp: [records] if tp.topic in batched else records for tp, records in fetched.items()}

    def _pass_over_what_is_never_handed_out(self, fetched: Iterable[TP]) -> None:
        """Transaction markers and aborted records at the end of the log: else they would be lag for ever."""
        self._unqueued.update(fetched)
        for tp, position in self._thread.positions.items():
            done = tp not in self._unqueued and not self._queues[tp] and self._is_batched(tp)
            if done and position > max(self._committed_offset[tp] or 0, self._safe.get(tp, 0)):
                self._safe[tp] = position

    def _to_message(self, tp: TP, record: Any) -> Any:
        if not isinstance(record, list):
            return super()._to_message(tp, record)
        self._unqueued.discard(tp)
        batch = RecordBatch(tp, record, self.app.consumer_generation_id)
        read = self._read_offset[tp]
        if read is None or batch.offset >= read:  # otherwise Faust drops it: it is queued already
            self._queues[tp].append(batch)
        return batch

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if not self._is_batched(tp):
            await super()._add_gap(tp, offset_from, offset_to)

    def _new_offset(self, tp: TP) -> int | None:
        if not self._is_batched(tp):
            offset: int | None = super()._new_offset(tp)
            return offset
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        self._advance(tp)
        return self._safe.pop(tp, None)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Any:
        for tp in list(self._queues):
            self._advance(tp)
            if tp in self._safe and self.app.topics.acks_enabled_for(tp.topic):
                self._acked[tp]
        return super()._filter_tps_with_pending_acks(topics)

    async def wait_empty(self) -> None:
        """Before a rebalance and a stop."""
        self.transport.on_wait_empty()
        await super().wait_empty()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self._end_if_expelled()
        await super().on_partitions_revoked(revoked)  # waits for acks and commits
        self._forget()

    def _end_if_expelled(self) -> None:
        """A static member that the group forgot must not join again: it would expel whoever has its name now, and
        that one would expel it, without end. aiokafka knows no fencing of static members.
        """
        name = self.app.conf.consumer_group_instance_id
        if name and self._has_joined and not self._thread.member_id:
            self.transport.crash(
                RuntimeError(
                    f"the group no longer knows this worker as {name!r}: it stood still for longer than "
                    "worker.session_timeout_seconds, or another worker has the same worker.instance_id"
                )
            )

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._has_joined = True
        self.transport.membership.member_id = self._thread.member_id
        self._forget()
        await super().on_partitions_assigned(assigned, generation_id)

    async def perform_seek(self) -> None:
        try:
            await super().perform_seek()
            fresh = [
                aiokafka.ensure_aiokafka_TP(tp)
                for tp in self.assignment()
                if self._is_batched(tp) and not self._committed_offset[tp]
            ]
            if fresh and self.app.conf.consumer_auto_offset_reset == "earliest":
                await self._thread.seek_to_beginning(*fresh)  # aiokafka seeks only where something was committed
        finally:  # what an agent holds it will still ack; what waited in a channel comes again
            self._resets += 1
            for tp, queue in self._queues.items():
                self._queues[tp] = deque(takewhile(lambda batch: batch.tracked, queue))

    async def seek(self, partition: TP, offset: int) -> None:
        await super().seek(partition, offset)
        self._forget([ensure_TP(partition)])


class BatchTransport(aiokafka.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport, delivering batches for topics with a RecordBatchSchema."""

    Consumer = BatchConsumer
    max_in_flight = 16
    fetch_max_wait_seconds = 0.5
    crash: Callable[[BaseException], NoReturn]
    membership: Membership
    on_wait_empty: Callable[[], None] = staticmethod(lambda: None)  # all that is in flight is waited for from then on

    def batched_topics(self) -> set[str]:
        return {
            name for topic in self.app.topics if isinstance(topic.schema, RecordBatchSchema) for name in topic.topics
        }


def _require_attributes(consumer: object, *names: str) -> None:
    """Setting a private attribute that was renamed would do nothing, silently."""
    if missing := [name for name in names if not hasattr(consumer, name)]:
        raise ImproperlyConfigured(f"this aiokafka has no {', '.join(missing)}: install the version in constraints.txt")


def install(
    app: faust.App,
    max_in_flight: int,
    fetch_max_wait_seconds: float,
    crash: Callable[[BaseException], NoReturn],
    membership: Membership,
) -> None:
    """Give `app` the batching transport. `max_in_flight` bounds batches read and not acked, all partitions together.

    `crash` must end the process. The consumer joins its group under the id in `membership`, and keeps it there.
    Raises ImproperlyConfigured for a Faust whose private methods were not tested with these subclasses.
    """
    if faust.__version__ != TESTED_FAUST:
        raise ImproperlyConfigured(
            f"record batches are tested with faust-streaming {TESTED_FAUST}, this is {faust.__version__}: "
            f"run `pip install faust-streaming=={TESTED_FAUST}`"
        )
    app.transport = BatchTransport(app.conf.broker_consumer, app)
    app.transport.max_in_flight = max_in_flight
    app.transport.fetch_max_wait_seconds = fetch_max_wait_seconds
    app.transport.crash = crash
    app.transport.membership = membership
