"""The click loop's way to the store: what it counts of itself, and when it tidies up."""

from feedback.memory_store import MemoryStore
from feedback.settings import ProfileSettings
from feedback.updating import ProfileUpdater
from monitoring.exposition import create_registry
from monitoring.metrics import create_metrics
from tests.unit.feedback.lists import HOUR, NOW, joined

SETTINGS = ProfileSettings(kind="memory", ledger_days=1)


class Clock:
    now = NOW + HOUR

    def __call__(self) -> float:
        return self.now


def test_what_became_of_lists_and_states_is_counted() -> None:
    registry = create_registry()
    clock = Clock()
    updater = ProfileUpdater(MemoryStore(), SETTINGS, clock, create_metrics(registry))
    one = joined("q", "ab", ("click", "a", 1), ("click", "b", 50 * HOUR))
    updater.apply([one, joined("bot", "ab", suspect="too fast")])
    updater.apply([one])
    clock.now += 24 * HOUR
    updater.apply([joined("later", "ab", at=clock.now, shopper="")])

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"millrace_{name}", labels)

    outcomes = {name: value("counted_lists_total", outcome=name) for name in ("counted", "suspect", "unchanged")}
    assert outcomes == {"counted": 2, "suspect": 1, "unchanged": 1}
    assert value("left_out_actions_total", reason="from_the_future") == 2
    assert value("purged_states_total", kind="counted") == 2
    assert value("profile_store_seconds_count", operation="apply") == 3
    assert value("profile_store_seconds_count", operation="purge") == 1


def test_what_has_expired_goes_once_an_hour_by_the_clock_of_the_process() -> None:
    store, clock = MemoryStore(), Clock()
    updater = ProfileUpdater(store, SETTINGS, clock)
    updater.apply([joined("q", "ab")])
    clock.now += 25 * HOUR
    updater.apply([joined("new", "b")])
    assert list(store.keys("counted")) == ["counted:new"]
    assert sorted(store.keys("product")) == ["product:a", "product:b"]
