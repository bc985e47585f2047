"""The catalogue of metrics: names that say kind and unit, and no metric twice."""

import dataclasses

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitoring.bulk_histogram import BulkHistogram
from monitoring.exposition import create_registry, render, serve_metrics
from monitoring.metrics import Metrics, create_metrics

UNITS = ("_seconds", "_size", "_bytes", "_total", "_inputs", "_in_flight", "_assigned")


def families() -> dict[str, str]:
    """Type of each metric by its name."""
    registry = create_registry()
    create_metrics(registry)
    found = text_string_to_metric_families(render(registry)[0].decode())
    return {family.name: family.type for family in found if family.name.startswith("millrace_")}


def names_by_field() -> dict[str, str]:
    registry = create_registry()
    metrics = create_metrics(registry)
    return {field.name: getattr(metrics, field.name)._name for field in dataclasses.fields(Metrics)}


def test_every_metric_of_the_catalogue_is_shown_under_the_projects_prefix() -> None:
    shown = families()

    assert len(shown) == len(dataclasses.fields(Metrics))
    assert set(names_by_field().values()) == set(shown)


@pytest.mark.parametrize(("field", "name"), names_by_field().items())
def test_a_metric_is_named_for_its_field_and_kind(field: str, name: str) -> None:
    assert name == f"millrace_{field}"
    text = exposition_with_one_sample(field)
    if families()[name] == "counter":
        assert f"{name}_total" in text
    if families()[name] == "histogram":
        assert name.endswith(("_seconds", "_size"))


def exposition_with_one_sample(field: str) -> str:
    """What a scrape shows once this metric has counted one thing."""
    registry = create_registry()
    metric = getattr(create_metrics(registry), field)
    if isinstance(metric, BulkHistogram):
        metric.observe("indexed", [1.0])
    else:
        child = metric.labels(*("x" for _ in metric._labelnames)) if metric._labelnames else metric
        getattr(child, "inc", getattr(child, "observe", None))(1)  # type: ignore[misc]
    return render(registry)[0].decode()


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Metrics)])
def test_a_duration_is_in_seconds_and_says_so(field: str) -> None:
    assert not any(word in field for word in ("_ms", "millisecond", "_minutes", "latency", "duration"))


def test_labels_are_single_words_that_stay_few() -> None:
    registry = create_registry()
    metrics = create_metrics(registry)
    labels = {
        name
        for field in dataclasses.fields(Metrics)
        for name in getattr(getattr(metrics, field.name), "_labelnames", ())
    }

    assert labels <= {
        "topic", "outcome", "reason", "operation", "stage", "role", "step", "kind", "method", "route", "status",
    }  # fmt: skip


def test_a_registry_takes_the_catalogue_once() -> None:
    registry = create_registry()
    create_metrics(registry)

    with pytest.raises(ValueError, match="millrace_"):
        create_metrics(registry)


def test_two_registries_share_nothing() -> None:
    one, other = create_registry(), create_registry()
    create_metrics(one).events.labels("t", "indexed").inc()
    create_metrics(other)

    labels = {"topic": "t", "outcome": "indexed"}
    assert one.get_sample_value("millrace_events_total", labels) == 1
    assert other.get_sample_value("millrace_events_total", labels) is None


def test_a_rendering_is_prometheus_text_with_the_process_itself() -> None:
    text, content_type = render(create_registry())

    assert content_type.startswith("text/plain")
    assert b"process_resident_memory_bytes" in text


def test_metrics_are_served_on_a_free_port() -> None:
    registry = create_registry()
    create_metrics(registry).partitions_assigned.set(3)

    port = serve_metrics(registry, "127.0.0.1", 0)
    answer = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10)

    assert port > 0
    assert "millrace_partitions_assigned 3.0" in answer.text
    with pytest.raises(OSError, match="in use"):
        serve_metrics(registry, "127.0.0.1", port)
