"""The partitions of a topic that is followed: how many there are, where to begin, and how far there is to go."""

from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, TopicPartition

from topics.admin import BrokerError, missing_topics
from topics.causes import sentence
from topics.settings import KafkaSettings

_ANSWER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class FollowedPartitions:
    """Asks the broker about one topic, through the consumer that reads it. Each question may raise KafkaException."""

    kafka: KafkaSettings
    topic: str

    def count(self, consumer: Consumer) -> int:
        """Raises BrokerError where the topic is missing."""
        topic = self.kafka.on_broker(self.topic)
        found = consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics.get(topic)
        if found is None or found.error is not None or not found.partitions:
            raise BrokerError(missing_topics(self.kafka, [topic]))
        return len(found.partitions)

    def first_offsets(self, consumer: Consumer, partitions: int, since: float | None) -> dict[int, int]:
        """By partition: its end, or the first record since a time of the broker (seconds since 1970).

        Raises BrokerError where the broker cannot tell that of a partition.
        """
        ends = {
            number: consumer.get_watermark_offsets(self.place(number), timeout=_ANSWER_SECONDS)[1]
            for number in range(partitions)
        }
        if since is None:
            return ends
        wanted = [self.place(number, int(since * 1000)) for number in range(partitions)]
        found = consumer.offsets_for_times(wanted, timeout=_ANSWER_SECONDS)
        for place in found:
            if place.error is not None:
                raise BrokerError(sentence(self.kafka, place.error))
        return {place.partition: place.offset if place.offset >= 0 else ends[place.partition] for place in found}

    def behind(self, consumer: Consumer, next_offsets: Mapping[int, int]) -> int:
        """Records between these places and what the broker last told of the ends."""
        marks = ((number, consumer.get_watermark_offsets(self.place(number), cached=True)) for number in next_offsets)
        return sum(max(0, high - next_offsets[number]) for number, (_, high) in marks)

    def place(self, partition: int, offset: int = 0) -> TopicPartition:
        return TopicPartition(self.kafka.on_broker(self.topic), partition, offset)
