"""What a worker and a server ask of settings and broker before they start."""

from collections.abc import Iterable

from cli.settings import Settings, SettingsError
from topics.admin import TopicAdmin


def require_shared_index(settings: Settings) -> None:
    """Raises SettingsError."""
    if settings.index.kind == "memory":
        raise SettingsError(
            "index.kind = memory lives in one process and dies with it: set milvus for worker and serve"
        )


def require_topics(settings: Settings, topics: Iterable[str]) -> None:
    """Faust waits silently and for ever for a topic that is not there. Raises BrokerError."""
    TopicAdmin(settings.kafka).partitions([settings.kafka.on_broker(topic) for topic in topics])
