"""How a process shows its metrics: a registry of its own, rendered as text or served on a port."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
    start_http_server,
)


def create_registry() -> CollectorRegistry:
    """A registry with the metrics of the process itself (memory, CPU, file handles)."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def render(registry: CollectorRegistry) -> tuple[bytes, str]:
    """The metrics in Prometheus' text format, and its content type."""
    return generate_latest(registry), CONTENT_TYPE_LATEST


def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> int:
    """Serve `/metrics` from a daemon thread; port 0 takes a free one.

    Returns the port. Raises OSError when it is taken.
    """
    server, _ = start_http_server(port, host, registry)
    return int(server.server_port)
