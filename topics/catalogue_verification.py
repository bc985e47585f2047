"""Reads `catalog.products` to see that what a file says is really there, whatever an import believes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from topics.admin import BrokerError
from topics.catalogue import CATALOG_PRODUCTS
from topics.catalogue_files import BadLine
from topics.catalogue_import import ReadProduct
from topics.clients import client_config
from topics.codec import ProductCodec
from topics.events import InvalidEvent, ProductDeletion
from topics.settings import KafkaSettings

_ANSWER_SECONDS = 30.0
_READ_SECONDS = 1.0
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Verified:
    """Products of a file by what the topic holds: their version or a newer one, or neither."""

    on_topic: int
    missing: tuple[str, ...]


def newest_versions(items: Iterable[ReadProduct | BadLine]) -> dict[str, int]:
    """The version of each product that its newest line says."""
    versions: dict[str, int] = {}
    for item in items:
        if isinstance(item, ReadProduct):
            product = item.product
            versions[product.id] = max(product.version, versions.get(product.id, 0))
    return versions


def verify_on_topic(
    settings: KafkaSettings, versions: dict[str, int], on_read: Callable[[int], None], clock: Callable[[], float]
) -> Verified:
    """Read the topic from its first record to where it ends now. `on_read` hears how many products are left.

    A product is there when a record says its version or a newer one, a deletion included: compaction may take the older
    record. Raises BrokerError when the broker is silent for half a minute.
    """
    left = dict(versions)
    codec = ProductCodec(settings.product_mapping, settings.max_event_bytes)
    consumer = Consumer(
        {
            **client_config(settings),
            "group.id": "millrace-reader",  # a consumer needs one even if it joins none
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        open_partitions = _assign(consumer, settings.on_broker(CATALOG_PRODUCTS))
        heard_at = clock()
        while left and open_partitions:
            messages = consumer.consume(_AT_ONCE, _READ_SECONDS)
            if messages:
                heard_at = clock()
            elif clock() - heard_at > _ANSWER_SECONDS:
                raise BrokerError(f"the broker gave nothing to read for {_ANSWER_SECONDS:g} s: verify later")
            for message in messages:
                if message.error() is None:
                    _cross_off(left, codec, message)
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    open_partitions.discard(message.partition())
            on_read(len(left))
    except KafkaException as error:
        raise BrokerError(f"the topic cannot be read: {error.args[0].str()}") from None
    finally:
        consumer.close()
    return Verified(len(versions) - len(left), tuple(left))


def _assign(consumer: Consumer, topic: str) -> set[int]:
    partitions = set(consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
    return partitions


def _cross_off(left: dict[str, int], codec: ProductCodec, message: Message) -> None:
    key = message.key()
    if key is not None and not key.startswith(b"{") and key.decode(errors="replace") not in left:
        return  # most of a large topic: not worth reading
    event = codec.decode(key, message.value(), message.timestamp()[1], dict(message.headers() or ()))
    if isinstance(event, InvalidEvent):
        return
    undated = isinstance(event, ProductDeletion) and not event.dated
    if event.id in left and (undated or event.version >= left[event.id]):
        del left[event.id]
