"""Sends messages to Kafka from any thread, and tells the sender what became of each."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Producer

from topics.causes import sentence
from topics.clients import ClientConfig, client_config
from topics.settings import KafkaSettings

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 2_097_152  # the largest that any topic of the table takes: a dead letter with its headers
_POLL_SECONDS = 0.1
_GUARANTEES: ClientConfig = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",
    "linger.ms": 5,
    "message.max.bytes": MAX_MESSAGE_BYTES,
    "queue.buffering.max.kbytes": 262_144,
}
_SECURITY = ("security.protocol", "sasl.mechanisms", "sasl.username", "ssl.ca.location")
_SYMPTOMS = (KafkaError._ALL_BROKERS_DOWN, KafkaError._MSG_TIMED_OUT)
_WRONG_FOR_GOOD = (
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_TIMESTAMP,
    KafkaError.POLICY_VIOLATION,
    KafkaError._INVALID_ARG,
)


class PublisherError(Exception):
    """A message could not be handed to the broker; the text says why and what to do."""


class PublisherOverloaded(PublisherError):
    """The local queue is full: the broker takes messages more slowly than they come. Send the same again later."""


class NotAcknowledged(PublisherError):
    """The broker did not acknowledge every message. Those may have arrived or not: send the same again later."""


class MessageRefused(PublisherError):
    """Sending the same again is useless: it is the message that is wrong, such as one that is too large."""


@dataclass(frozen=True, slots=True)
class Message:
    """A record to send; a null `value` is a tombstone."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message. `error` is empty when the broker acknowledged it at `partition` and `offset`.

    `refused`: the broker does not take it, or does not take it together with those that went in the same request.
    """

    topic: str
    partition: int
    offset: int
    error: str = ""
    refused: bool = False


OnDelivery: TypeAlias = Callable[[Delivery], None]
Headers: TypeAlias = Mapping[str, bytes] | Sequence[tuple[str, bytes | None]]  # pairs: names may repeat


class Publisher:
    """An idempotent producer that waits for all in-sync replicas and serves delivery reports on a thread of its own.

    Topics are named as in the table; the namespace of the settings is added here. Every method may be called from
    several threads. `on_delivery` runs on that thread, or on one that flushes: it must
    be quick and must not raise. `on_failure` is told of each message that was lost and had no `on_delivery` of its own.
    Raises PublisherError where librdkafka refuses the settings.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        client_id: str,
        delivery_timeout_seconds: float = 30.0,
        on_failure: OnDelivery | None = None,
    ) -> None:
        self._settings = settings
        self._on_broker = settings.on_broker
        self._on_failure = on_failure
        self._cause: KafkaError | None = None
        self._closed = threading.Event()
        self._close_lock = threading.Lock()
        callbacks: dict[str, Any] = {"error_cb": self._broker_trouble}
        if on_failure is not None:  # a report in Python for every message: about 0.7 us each
            callbacks["on_delivery"] = self._without_callback
        limits: ClientConfig = {"client.id": client_id, "delivery.timeout.ms": int(delivery_timeout_seconds * 1000)}
        self._producer = _create_producer(client_config(settings) | _GUARANTEES | limits | callbacks)
        self._reports = threading.Thread(target=self._serve_reports, name=f"{client_id}-reports", daemon=True)
        self._reports.start()

    @property
    def last_error(self) -> str:
        """Why the broker is out of reach, and what to do; empty once it has answered again."""
        cause = self._cause
        return sentence(self._settings, cause) if cause is not None else ""

    def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
        on_delivery: "OnDelivery | Acknowledgements | None" = None,
    ) -> None:
        """Queue one message and return at once. Raises PublisherOverloaded, MessageRefused, or PublisherError."""
        arguments: dict[str, Any] = {}
        if headers:
            arguments["headers"] = list(headers.items() if isinstance(headers, Mapping) else headers)
        if isinstance(on_delivery, Acknowledgements):
            arguments["on_delivery"] = on_delivery
        elif on_delivery is not None:
            arguments["on_delivery"] = self._reporter(on_delivery)
        try:
            self._producer.produce(self._on_broker(topic), value, key, **arguments)
        except BufferError:
            raise PublisherOverloaded(self._overload()) from None
        except KafkaException as error:
            raise self._refusal(topic, error.args[0]) from None

    def publish_many(
        self, topic: str, messages: Sequence[tuple[bytes, bytes]], acknowledgements: "Acknowledgements"
    ) -> Sequence[tuple[bytes, bytes]]:
        """Queue keys and values at two thirds of the cost of one by one. Returns those for which the queue has no room;
        some after them may be queued.

        Raises MessageRefused or PublisherError; the messages beside that one may be queued.
        """
        batch: list[Any] = [{"key": key, "value": value, "callback": acknowledgements} for key, value in messages]
        if self._producer.produce_batch(self._on_broker(topic), batch) == len(batch):
            return ()
        errors = [message.get("_error") for message in batch]
        for error in errors:
            if error is not None and error.code() != KafkaError._QUEUE_FULL:
                raise self._refusal(topic, error)
        return [message for message, error in zip(messages, errors, strict=True) if error is not None]

    def publish_and_wait(self, messages: Sequence[Message], timeout_seconds: float) -> list[Delivery]:
        """Send all and wait for the broker's answer to each, in their order.

        Raises NotAcknowledged when one failed or the time ran out, and what `publish` raises. In every case some may
        have arrived.
        """
        deliveries: dict[int, Delivery] = {}
        complete = threading.Event()

        def report(position: int, delivery: Delivery) -> None:
            deliveries[position] = delivery
            if len(deliveries) == len(messages):
                complete.set()

        for position, message in enumerate(messages):
            self.publish(message.topic, message.key, message.value, message.headers, partial(report, position))
        if messages:
            complete.wait(timeout_seconds)
        answered = [deliveries[position] for position in sorted(deliveries)]
        failed = next((delivery.error for delivery in answered if delivery.error), "")
        if failed or len(answered) < len(messages):
            raise NotAcknowledged(self._complaint(answered, len(messages), failed, timeout_seconds))
        return answered

    def ping(self, timeout_seconds: float) -> None:
        """Ask the broker for its metadata. Raises PublisherError with the cause when it does not answer in time."""
        try:
            metadata = self._producer.list_topics(timeout=timeout_seconds)
        except KafkaException as error:
            raise PublisherError(self.last_error or error.args[0].str()) from None
        if not metadata.brokers:
            raise PublisherError(self.last_error or "no broker is up")
        self._cause = None

    def flush(self, timeout_seconds: float) -> int:
        """Wait until the queue is empty. Returns how many messages are still waiting."""
        waiting: int = self._producer.flush(timeout_seconds)
        return waiting

    def close(self, timeout_seconds: float = 10.0) -> int:
        """Send what is queued and stop. Returns how many messages were given up. A repeat does nothing."""
        with self._close_lock:
            if self._closed.is_set():
                return 0
            abandoned = self.flush(timeout_seconds)
            self._closed.set()
            self._reports.join()
            return abandoned

    def _serve_reports(self) -> None:
        while not self._closed.is_set():
            try:
                self._producer.poll(_POLL_SECONDS)
            except Exception:
                logger.exception("A delivery callback raised; other reports go on")

    def _reporter(self, on_delivery: OnDelivery) -> Callable[[KafkaError | None, Any], None]:
        def report(error: KafkaError | None, message: Any) -> None:
            if error is None:
                self._cause = None
                on_delivery(Delivery(message.topic(), message.partition(), message.offset()))
            else:
                on_delivery(self._failure(error, message))

        return report

    def _without_callback(self, error: KafkaError | None, message: Any) -> None:
        if error is None:
            self._cause = None
        elif self._on_failure is not None:
            self._on_failure(self._failure(error, message))

    def _broker_trouble(self, error: KafkaError) -> None:
        """Keeps the cause: 'all brokers are down' after 'wrong password' would hide it."""
        if self._cause is None or error.code() not in _SYMPTOMS:
            self._cause = error

    def _failure(self, error: KafkaError, message: Any) -> Delivery:
        cause = self.last_error
        reason = f"{error.str()} ({cause})" if cause and error.code() in _SYMPTOMS else str(error.str())
        return Delivery(message.topic(), message.partition(), -1, reason, error.code() in _WRONG_FOR_GOOD)

    def _overload(self) -> str:
        cause = self.last_error
        waiting = len(self._producer)
        return f"{waiting} messages wait for the broker{f': {cause}' if cause else ''}; send the same again later"

    def _refusal(self, topic: str, error: KafkaError) -> PublisherError:
        if error.fatal() or error.code() == KafkaError._FATAL:
            return PublisherError(f"the producer can send nothing more, restart this process: {error.str()}")
        if error.code() in _WRONG_FOR_GOOD:
            return MessageRefused(f"{topic}: {error.str()}")
        return PublisherError(f"{topic}: {sentence(self._settings, error)}")

    def _complaint(self, answered: Sequence[Delivery], sent: int, failed: str, timeout_seconds: float) -> str:
        if failed:
            lost = sum(bool(delivery.error) for delivery in answered)
            return f"{lost} of {sent} messages failed: {failed}"
        cause = self.last_error
        missing = f"{sent - len(answered)} of {sent} messages were not acknowledged within {timeout_seconds:g} s"
        return f"{missing}: {cause}" if cause else missing


def _create_producer(config: dict[str, Any]) -> Producer:
    try:
        return Producer(config)
    except KafkaException as error:
        used = {name: config[name] for name in _SECURITY if name in config}
        raise PublisherError(f"{error.args[0].str()}; check these settings of Kafka: {used}") from None


class Acknowledgements:
    """Hears of many messages together, at a third of the cost of a Delivery for each: give it to each `publish`.

    `done` is called once, when `expected` messages are acknowledged, at once when that is 0; `on_failure` with the
    reason for each that is not, and then `done` never. Both run on the publisher's thread, or on one that flushes.
    """

    def __init__(self, expected: int, done: Callable[[], None], on_failure: Callable[[str], None]) -> None:
        self._left = expected
        self._done = done
        self._on_failure = on_failure
        self._lock = threading.Lock()
        if not expected:
            done()

    def __call__(self, error: KafkaError | None, message: Any) -> None:
        if error is not None:
            self._on_failure(f"{message.topic()}: {error.str()}")
            return
        with self._lock:
            self._left -= 1
            finished = not self._left
        if finished:
            self._done()
