"""What processes ask of settings, broker and machine before they begin."""

from collections.abc import Iterable
from typing import Any

from cli.settings import Settings, SettingsError
from monitoring.exposition import serve_metrics
from streams.settings import ProcessSettings
from topics.admin import TopicAdmin


def require_shared_index(settings: Settings) -> None:
    """Raises SettingsError."""
    if settings.index.kind == "memory":
        raise SettingsError(
            "index.kind = memory lives in one process and dies with it: set milvus for worker and serve"
        )


def require_shared_profiles(settings: Settings) -> None:
    """Raises SettingsError."""
    if settings.profiles.kind == "memory":
        raise SettingsError(
            "profiles.kind = memory lives in one process and dies with it: set sqlite or redis, which the click loop "
            "and the servers share"
        )


def require_topics(settings: Settings, topics: Iterable[str]) -> None:
    """Faust waits silently and for ever for a topic that is not there. Raises BrokerError."""
    TopicAdmin(settings.kafka).partitions([settings.kafka.on_broker(topic) for topic in topics])


def serve_process_metrics(registry: Any, settings: ProcessSettings, section: str) -> int:
    """Returns the port. Raises SettingsError where it is taken."""
    try:
        return serve_metrics(registry, settings.metrics_host, settings.metrics_port)
    except OSError as error:
        address = f"{settings.metrics_host}:{settings.metrics_port}"
        raise SettingsError(
            f"metrics cannot be served on {address}: {error.strerror}; change {section}.metrics_port"
        ) from None
