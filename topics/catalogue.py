"""The table of topics. Names of topics, groups and agents are constants: stored state carries them."""

from dataclasses import dataclass, replace
from typing import Literal

from topics.settings import KafkaSettings

CATALOG_PRODUCTS = "catalog.products"
CATALOG_INDEXED = "catalog.indexed"
BEHAVIOR_QUERIES = "behavior.queries"
BEHAVIOR_EVENTS = "behavior.events"
FEEDBACK_EXAMPLES = "feedback.examples"
SHOPPERS_ERASED = "shoppers.erased"
DEAD_LETTER_PREFIX = "dead-letters."
DEAD_LETTER_RESOLUTIONS = DEAD_LETTER_PREFIX + "resolutions"

CLICK_LOOP_TOPICS = (BEHAVIOR_QUERIES, BEHAVIOR_EVENTS, FEEDBACK_EXAMPLES, SHOPPERS_ERASED)  # that it reads

INDEX_PRODUCTS_GROUP = "millrace-index-products"
INDEX_PRODUCTS_AGENT = "index-products"
CLICK_LOOP_GROUP = "millrace-click-loop"
JOIN_CLICKS_AGENT = "join-clicks"
UPDATE_PROFILES_AGENT = "update-profiles"
WRITE_EXAMPLES_AGENT = "write-examples"
ERASE_SHOPPERS_AGENT = "erase-shoppers"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic: what its records are keyed by, and how the broker keeps them.

    Times are the broker's on every topic.
    """

    name: str
    key: str
    purpose: str
    cleanup_policy: Literal["compact", "delete"] = "delete"
    retention_days: int = 7
    max_message_bytes: int = 1_048_588

    def broker_configuration(self) -> dict[str, str]:
        """Topic settings as Kafka names them."""
        configuration = {
            "cleanup.policy": self.cleanup_policy,
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(self.max_message_bytes),
        }
        if self.cleanup_policy == "delete":
            configuration["retention.ms"] = str(self.retention_days * 86_400_000)
        return configuration


def dead_letter_topic(topic: str) -> str:
    """Where what could not be read from `topic` is kept."""
    return DEAD_LETTER_PREFIX + topic


def _dead_letters(source: str) -> TopicSpec:
    purpose = f"raw messages of {source} that could not be read or used, with their reason"
    topic = dead_letter_topic(source)
    return TopicSpec(topic, "as the source", purpose, retention_days=30, max_message_bytes=2_097_152)


# topics that have a topic for their dead letters
DEAD_LETTER_SOURCES = (CATALOG_PRODUCTS, BEHAVIOR_QUERIES, BEHAVIOR_EVENTS, FEEDBACK_EXAMPLES, SHOPPERS_ERASED)

TOPICS = (
    TopicSpec(CATALOG_PRODUCTS, "product_id", "full products and tombstones, as the shop sends them", "compact"),
    TopicSpec(CATALOG_INDEXED, "product_id", "what became of each product event, and when it became searchable"),
    TopicSpec(BEHAVIOR_QUERIES, "query_id", "what was asked and shown, as UBI 1.3 documents", retention_days=30),
    TopicSpec(BEHAVIOR_EVENTS, "query_id", "what shoppers did, as UBI 1.3 documents", retention_days=30),
    TopicSpec(FEEDBACK_EXAMPLES, "query_id", "lists with what was shown and what was done with it", retention_days=30),
    TopicSpec(SHOPPERS_ERASED, "shopper", "people whose data goes", "compact"),
    *(_dead_letters(source) for source in DEAD_LETTER_SOURCES),
    TopicSpec(DEAD_LETTER_RESOLUTIONS, "id of the letter", "which dead letters were replayed or discarded", "compact"),
)


def index_products_group(backfill_alias: str = "") -> str:
    """The consumer group of the live workers, or of those that fill the collection behind another alias."""
    return f"{INDEX_PRODUCTS_GROUP}.{backfill_alias}" if backfill_alias else INDEX_PRODUCTS_GROUP


def topics_on_broker(settings: KafkaSettings) -> tuple[TopicSpec, ...]:
    """The table with the names that the topics have on this broker."""
    return tuple(replace(spec, name=settings.on_broker(spec.name)) for spec in TOPICS)
