"""States in one SQLite file: for all processes of one machine."""

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from feedback.store import Change, StoreUnavailable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS states (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at REAL NOT NULL)
WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS states_by_expiry ON states (expires_at);
"""
# Without rowids a key's page holds its state, and larger pages more of them: few are touched for hundreds of keys.
# Write-ahead log: readers never wait for the writer. FULL: what was acknowledged outlives a power failure too.
_PRAGMAS = (
    "page_size = 8192",
    "journal_mode = WAL",
    "synchronous = FULL",
    f"mmap_size = {2**30}",
    "cache_size = -16384",
)
_KEYS_IN_A_STATEMENT = 1_000
_KEYS_STEP = 50  # the rest is NULL: few statements are prepared anew
_PURGED_AT_ONCE = 5_000  # writers wait no longer than that takes
_KEYS_PAGE = 1_000


class SqliteStore:
    """A ProfileStore in a file, made where there is none.

    Writers of all threads and processes take turns, for at most `timeout_seconds`. Raises StoreUnavailable.
    """

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False
        self._opening = Retrying(
            retry=retry_if_exception(_is_busy),
            wait=wait_random(0.001, 0.02),
            stop=stop_after_delay(timeout_seconds),
            reraise=True,
        )
        self._turn = threading.Lock()  # SQLite lets a second writer sleep for up to 0.1 s after the first has finished
        with self._connection() as connection:
            connection.executescript(_SCHEMA)

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        with self._connection() as connection:
            held = _one_moment(connection, keys)
        return [held.get(key) for key in keys]

    def update(self, keys: Sequence[str], change: Change) -> None:
        with self._writing() as connection:
            changed = change(_states(connection, keys))
            connection.executemany(
                "INSERT INTO states VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE "
                "SET value = excluded.value, expires_at = excluded.expires_at",
                [(key, kept.value, kept.expires_at) for key, kept in changed.items() if kept is not None],
            )
            gone = [(key,) for key, kept in changed.items() if kept is None]
            connection.executemany("DELETE FROM states WHERE key = ?", gone)

    def keys(self, kind: str) -> Iterator[str]:
        last = ""
        while page := self._page(kind, last):
            yield from page
            last = page[-1]

    def purge(self, now: float) -> Mapping[str, int]:
        purged: dict[str, int] = {}
        while expired := self._purge_some(now):
            for key in expired:
                kind = key.partition(":")[0]
                purged[kind] = purged.get(kind, 0) + 1
        return purged

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _page(self, kind: str, last: str) -> list[str]:
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT key FROM states WHERE key > ? AND (key = ? OR (key >= ? AND key < ?)) ORDER BY key LIMIT ?",
                (last, kind, f"{kind}:", f"{kind};", _KEYS_PAGE),  # ; comes next after :
            )
            return [key for (key,) in rows]

    def _purge_some(self, now: float) -> list[str]:
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT key FROM states WHERE expires_at <= ? LIMIT ?", (now, _PURGED_AT_ONCE)
            ).fetchall()
            connection.executemany("DELETE FROM states WHERE key = ?", rows)
        return [key for (key,) in rows]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """One that nobody else uses meanwhile. After an error it is not used again."""
        if self._closed:
            raise StoreUnavailable(f"the profile store {self._path} is closed")
        connection: sqlite3.Connection | None = None
        try:
            connection = self._idle.pop() if self._idle else self._connect()
            yield connection
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise StoreUnavailable(f"the profile store {self._path} cannot be used: {error}") from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        self._idle.append(connection)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if not self._turn.acquire(timeout=self._timeout_seconds):
            raise StoreUnavailable(f"the profile store {self._path} cannot be used: another thread writes for too long")
        try:
            with self._connection() as connection, _transaction(connection):
                yield connection
        finally:
            self._turn.release()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._timeout_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in _PRAGMAS:  # while somebody else makes the file's journal, SQLite refuses and waits not at all
                self._opening(connection.execute, f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _is_busy(error: BaseException) -> bool:
    """Errors of Python's own module have no code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _one_moment(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, bytes]:
    """One statement sees one moment, several need a transaction."""
    if len(keys) <= _KEYS_IN_A_STATEMENT:
        return _states(connection, keys)
    connection.execute("BEGIN")
    try:
        return _states(connection, keys)
    finally:
        connection.execute("COMMIT")


def _states(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, bytes]:
    held: dict[str, bytes] = {}
    waiting = iter(keys)
    while some := list(islice(waiting, _KEYS_IN_A_STATEMENT)):
        places = -(-len(some) // _KEYS_STEP) * _KEYS_STEP
        held.update(connection.execute(_select(places), some + [None] * (places - len(some))))
    return held


@cache
def _select(places: int) -> str:
    """Asks key by key: IN would sort the keys first."""
    asked = ",".join(["(?)"] * places)
    return f"SELECT key, value FROM (VALUES {asked}) CROSS JOIN states ON key = column1"  # noqa: S608
