"""What every ProfileStore does, asked of the one in memory, of SQLite and of Redis."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from feedback.applying import apply_lists
from feedback.factory import create_store
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from feedback.store import Kept, ProfileStore
from tests.contracts.profile_writer import FOREVER, add_one
from topics.feedback import JoinedList, ListAction, ShownProduct

ROOT = Path(__file__).parents[2]
NOW = 1_795_000_000.0
KINDS = ["memory", "sqlite", pytest.param("redis", marks=pytest.mark.services)]
lasting = pytest.mark.parametrize("settings", KINDS[1:], indirect=True)


@pytest.fixture(scope="module", params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ProfileSettings:
    path = tmp_path_factory.mktemp("profiles") / "profiles.sqlite"
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    return ProfileSettings(kind=request.param, path=path, url=url, key_prefix=f"{uuid4().hex}*[?]\\:")


@pytest.fixture(scope="module")
def shared_store(settings: ProfileSettings) -> Iterator[ProfileStore]:
    store = create_store(settings)
    yield store
    store.close()


@pytest.fixture
def kind() -> str:
    """A kind of one's own: the store is shared."""
    return f"k{uuid4().hex}"


@pytest.fixture
def store(shared_store: ProfileStore) -> ProfileStore:
    return shared_store


def put(store: ProfileStore, states: Mapping[str, bytes | None], expires_at: float = FOREVER) -> None:
    changes = {key: None if value is None else Kept(value, expires_at) for key, value in states.items()}
    store.update(list(states), lambda held: changes)


def test_states_are_read_in_the_order_of_their_keys(store: ProfileStore, kind: str) -> None:
    put(store, {f"{kind}:a": b"1", f"{kind}:b": b"\x00\xff", f"{kind}:empty": b""})
    keys = [f"{kind}:{name}" for name in ("b", "never was", "a", "empty", "a")]
    assert store.read(keys) == [b"\x00\xff", None, b"1", b"", b"1"]
    assert store.read([]) == []


def test_a_change_sees_the_states_that_there_are_and_no_others(store: ProfileStore, kind: str) -> None:
    put(store, {f"{kind}:a": b"1", f"{kind}:b": b"2"})
    seen: list[Mapping[str, bytes]] = []

    def change(held: Mapping[str, bytes]) -> Mapping[str, Kept | None]:
        seen.append(dict(held))
        return {f"{kind}:a": None, f"{kind}:c": Kept(held[f"{kind}:a"] + b"!", FOREVER)}

    store.update([f"{kind}:a", f"{kind}:b", f"{kind}:c"], change)
    assert seen[-1] == {f"{kind}:a": b"1", f"{kind}:b": b"2"}
    assert store.read([f"{kind}:{name}" for name in "abc"]) == [None, b"2", b"1!"]


def test_a_change_that_fails_changes_nothing(store: ProfileStore, kind: str) -> None:
    put(store, {f"{kind}:a": b"1"})

    def change(held: Mapping[str, bytes]) -> Mapping[str, Kept | None]:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        store.update([f"{kind}:a"], change)
    assert store.read([f"{kind}:a"]) == [b"1"]
    add_one(store, [f"{kind}:a"])
    assert store.read([f"{kind}:a"]) == [b"2"]


def test_a_batch_may_have_thousands_of_states(store: ProfileStore, kind: str) -> None:
    keys = [f"{kind}:{number}" for number in range(2_500)]
    add_one(store, keys)
    add_one(store, keys)
    assert store.read(keys) == [b"2"] * 2_500
    assert sorted(store.keys(kind)) == sorted(keys)


def test_keys_are_told_by_kind(store: ProfileStore, kind: str) -> None:
    names = [f"{kind}:a", f"{kind}:b:c", f"{kind}:*", kind]
    put(store, dict.fromkeys([*names, f"{kind}x:a", f"{kind};a", f"x{kind}:a"], b"1"))
    assert sorted(store.keys(kind)) == sorted(names)
    assert list(store.keys("*")) == []


def test_what_has_expired_is_gone_after_a_purge_and_the_rest_is_not(store: ProfileStore, kind: str) -> None:
    now = 1_700_000_000.0
    put(store, {f"{kind}:old": b"1", f"{kind}:older": b"1"}, now)
    put(store, {f"{kind}:new": b"1", f"{kind}:prolonged": b"1"}, FOREVER)
    purged = store.purge(now)
    assert purged.get(kind, 2) == 2  # Redis forgets by itself
    assert store.read([f"{kind}:{name}" for name in ("old", "older", "new", "prolonged")]) == [None, None, b"1", b"1"]
    assert kind not in store.purge(now)


def test_a_state_that_is_written_again_lives_as_long_as_was_said_last(store: ProfileStore, kind: str) -> None:
    now = 1_700_000_000.0
    put(store, {f"{kind}:a": b"1"}, FOREVER)
    put(store, {f"{kind}:a": b"2"}, now)
    store.purge(now)
    assert store.read([f"{kind}:a"]) == [None]


def test_writers_of_several_threads_lose_nothing(store: ProfileStore, kind: str) -> None:
    keys = [f"{kind}:a", f"{kind}:b"]
    together(lambda: add_one(store, keys), threads=4, times=10)
    assert store.read(keys) == [b"40", b"40"]


def together(action: Callable[[], None], threads: int, times: int) -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(times):
                action()
        except BaseException as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []


def test_a_reader_sees_all_of_an_update_or_nothing(store: ProfileStore, kind: str) -> None:
    keys = [f"{kind}:{name}" for name in "abc"]
    add_one(store, keys)
    seen = {len(set(store.read(keys)))}
    writer = threading.Thread(target=lambda: [add_one(store, keys) for _ in range(40)])
    writer.start()
    while writer.is_alive():
        seen.add(len(set(store.read(keys))))
    writer.join()
    assert seen == {1}


def writer(settings: ProfileSettings, keys: list[str], times: int) -> "subprocess.Popen[bytes]":
    said = settings.model_dump(mode="json") | {"url": settings.url.get_secret_value()}
    arguments = [json.dumps(said), ",".join(keys), str(times)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.contracts.profile_writer", *arguments], cwd=ROOT, stdout=subprocess.PIPE
    )


@lasting
def test_writers_of_two_processes_lose_nothing(settings: ProfileSettings, store: ProfileStore, kind: str) -> None:
    keys = [f"{kind}:a", f"{kind}:b"]
    with writer(settings, keys, 50) as other:
        assert other.stdout is not None
        other.stdout.readline()
        for _ in range(50):
            add_one(store, keys)
        assert other.wait() == 0
    assert store.read(keys) == [b"100", b"100"]


@lasting
def test_a_writer_that_is_killed_leaves_whole_updates_and_all_that_it_acknowledged(
    settings: ProfileSettings, store: ProfileStore, kind: str
) -> None:
    keys = [f"{kind}:{name}" for name in "abcdef"]
    with writer(settings, keys, 1_000_000) as other:
        assert other.stdout is not None
        acknowledged = [int(other.stdout.readline()) for _ in range(20)]
        other.kill()
        acknowledged += [int(line) for line in other.stdout.read().splitlines() if line]
    states = set(store.read(keys))
    assert len(states) == 1
    assert int(states.pop() or b"0") >= acknowledged[-1]
    add_one(store, keys)


@lasting
def test_a_store_opened_again_has_what_was_written(settings: ProfileSettings, store: ProfileStore, kind: str) -> None:
    put(store, {f"{kind}:a": b"1"})
    again = create_store(settings)
    assert again.read([f"{kind}:a"]) == [b"1"]
    again.close()


NAMES = st.text(max_size=3) | st.sampled_from(["a", "b", "a:b"])
UPDATES = st.lists(st.dictionaries(NAMES, st.none() | st.binary(max_size=3), max_size=4), max_size=6)


@given(updates=UPDATES)
@hypothesis_settings(max_examples=40)
def test_any_updates_give_what_a_dictionary_would(shared_store: ProfileStore, updates: list[dict[str, bytes]]) -> None:
    kind = f"k{uuid4().hex}"
    model: dict[str, bytes] = {}
    for update in updates:
        expected = {f"{kind}:{name}": model[name] for name in update if name in model}
        _updated_from(shared_store, {f"{kind}:{name}": value for name, value in update.items()}, expected)
        model = {name: value for name, value in (model | update).items() if value is not None}
    names = sorted({name for update in updates for name in update})
    assert shared_store.read([f"{kind}:{name}" for name in names]) == [model.get(name) for name in names]
    assert sorted(shared_store.keys(kind)) == sorted(f"{kind}:{name}" for name in model)


def _updated_from(store: ProfileStore, states: Mapping[str, bytes | None], expected: Mapping[str, bytes]) -> None:
    def change(held: Mapping[str, bytes]) -> Mapping[str, Kept | None]:
        assert dict(held) == expected
        return {key: None if value is None else Kept(value, FOREVER) for key, value in states.items()}

    store.update(list(states), change)


def test_lists_that_several_writers_bring_again_and_again_count_once(
    settings: ProfileSettings, store: ProfileStore, kind: str
) -> None:
    products = [f"{kind}-{number}" for number in range(5)]
    shown = [ShownProduct(product_id=product, position=place) for place, product in enumerate(products, 1)]
    clicks = [
        ListAction(event_id=f"e{number}", action="click", product_id=product, at=NOW + number)
        for number, product in enumerate(products[:3])
    ]
    revisions = [
        JoinedList(
            query_id=f"{kind}-{number}", revision=1 + done, shopper=kind, session="s", at=NOW,
            shown=tuple(shown), actions=tuple(clicks[:done]),
        )
        for number in range(4)
        for done in range(len(clicks) + 1)
    ]  # fmt: skip
    together(lambda: apply_lists(store, revisions[::3], settings, NOW + 60), threads=3, times=2)
    together(lambda: apply_lists(store, revisions[::-1], settings, NOW + 60), threads=3, times=2)

    known = StateReader(store, settings).read(kind, products, "", NOW + 60)
    assert known.products.totals.tolist() == [[4, 4, 0, 0]] * 3 + [[4, 0, 0, 0]] * 2
    assert len(known.recent.product_ids) == 12
    assert len(known.profile.passed_over.product_ids) == 8
