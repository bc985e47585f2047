"""How long each step of a search took."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TypeAlias

from monitoring.metrics import Metrics

Observe: TypeAlias = Callable[[float], None]

_STEPS = ("encode_text", "encode_image", "retrieve", "fuse", "rerank", "documents", "facets", "heat_map")


def step_observers(metrics: Metrics) -> dict[str, Observe]:
    """One of seconds for each step, so that a step that never ran is there with 0."""
    return {step: metrics.search_seconds.labels(step).observe for step in _STEPS}


class StepTimer:
    """Of one search."""

    def __init__(self, observers: Mapping[str, Observe]) -> None:
        self._observers = observers
        self._seconds: dict[str, float] = {}

    @property
    def seconds(self) -> Mapping[str, float]:
        """By step, of those that ran."""
        return self._seconds

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = perf_counter() - start
            self._observers[name](self._seconds[name])
