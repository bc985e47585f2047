"""The bulk histogram counts as Prometheus' own does, in one call for many observations."""

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from monitoring.bulk_histogram import BulkHistogram

BUCKETS = (0.01, 0.5, 1, 2.5, 60)
SECONDS = st.floats(0, 1e6) | st.sampled_from(BUCKETS)


def bulk(registry: CollectorRegistry, buckets: Sequence[float] = BUCKETS) -> BulkHistogram:
    return BulkHistogram("waiting_seconds", "How long", "outcome", buckets, registry)


def samples(registry: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What a scrape would see; when a series was made is left out."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


@given(st.lists(st.tuples(st.sampled_from(["indexed", "deleted"]), st.lists(SECONDS, max_size=20)), max_size=8))
def test_it_agrees_with_prometheus_histogram(batches: list[tuple[str, list[float]]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    histogram = bulk(ours)
    expected = Histogram("waiting_seconds", "How long", ["outcome"], buckets=BUCKETS, registry=theirs)
    for outcome, seconds in batches:
        histogram.observe(outcome, seconds)
        child = expected.labels(outcome)
        for second in seconds:
            child.observe(second)

    assert samples(ours) == pytest.approx(samples(theirs))


def test_clocks_that_are_apart_count_as_no_wait() -> None:
    registry = CollectorRegistry()
    bulk(registry).observe("indexed", [-3.0, 0.25])

    assert registry.get_sample_value("waiting_seconds_sum", {"outcome": "indexed"}) == 0.25
    assert registry.get_sample_value("waiting_seconds_bucket", {"outcome": "indexed", "le": "0.01"}) == 1


def test_nothing_observed_shows_the_metric_without_series() -> None:
    registry = CollectorRegistry()
    bulk(registry)

    assert b"# TYPE waiting_seconds histogram" in generate_latest(registry)
    assert samples(registry) == {}


def test_a_name_that_is_taken_is_refused() -> None:
    registry = CollectorRegistry()
    bulk(registry)

    with pytest.raises(ValueError, match="waiting_seconds"):
        bulk(registry)


def test_threads_lose_no_observation() -> None:
    registry = CollectorRegistry()
    histogram = bulk(registry)
    together = threading.Barrier(4)

    def observe() -> None:
        together.wait()
        for number in range(500):
            histogram.observe(f"outcome {number % 3}", [0.1, 1.5])

    threads = [threading.Thread(target=observe) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        generate_latest(registry)  # a scrape in the middle of it
    for thread in threads:
        thread.join()

    counted = [registry.get_sample_value("waiting_seconds_count", {"outcome": f"outcome {n}"}) for n in range(3)]
    assert sum(filter(None, counted)) == 4_000
