"""The file of profiles and statistics: what cannot be used says so, and nothing waits for ever."""

import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from feedback.sqlite_store import SqliteStore
from feedback.store import Kept, StoreUnavailable


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"no-folder/p\.sqlite cannot be used: unable to open"):
        SqliteStore(tmp_path / "no-folder" / "p.sqlite", 5.0)


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    path.write_bytes(b"my other data" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        SqliteStore(path, 5.0)
    assert path.read_bytes() == b"my other data" * 100


def test_a_writer_that_waits_too_long_for_another_says_so_and_may_try_again(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    store = SqliteStore(path, 0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.update(["a"], lambda held: {"a": Kept(b"1", 4e9)})
    assert store.read(["a"]) == [None]
    other.execute("COMMIT")
    other.close()
    store.update(["a"], lambda held: {"a": Kept(b"1", 4e9)})
    assert store.read(["a"]) == [b"1"]
    store.close()


def test_a_thread_that_waits_too_long_for_another_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "p.sqlite", 0.01)
    refused: list[str] = []

    def try_meanwhile() -> None:
        try:
            store.update(["a"], lambda held: {})
        except StoreUnavailable as error:
            refused.append(str(error))

    def change(held: Mapping[str, bytes]) -> dict[str, Kept | None]:
        other = threading.Thread(target=try_meanwhile)
        other.start()
        other.join()
        return {"a": Kept(b"1", 4e9)}

    store.update(["a"], change)
    assert len(refused) == 1
    assert "another thread writes for too long" in refused[0]
    assert store.read(["a"]) == [b"1"]
    store.close()


def test_a_store_that_is_closed_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "p.sqlite", 5.0)
    store.close()
    with pytest.raises(StoreUnavailable, match="is closed"):
        store.read(["a"])


def test_many_may_open_the_same_new_file_at_once(tmp_path: Path) -> None:
    failed: list[StoreUnavailable] = []
    ready = threading.Barrier(8)

    def open_all() -> None:
        for number in range(50):  # of each fifty, four files or so were locked to one of the threads
            ready.wait()
            try:
                SqliteStore(tmp_path / f"{number}.sqlite", 5.0).close()
            except StoreUnavailable as error:
                failed.append(error)

    threads = [threading.Thread(target=open_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
