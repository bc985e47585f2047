"""Millrace's milvus-lite: what it acknowledged survives, nothing disappears meanwhile, nobody else reaches it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from index.base import (
    TEXT_FIELD,
    ContentHashes,
    Filter,
    IndexUnavailable,
    KeywordQuery,
    ProductRow,
    VectorQuery,
    VectorSpace,
)
from index.embedded_milvus import EmbeddedMilvus
from index.milvus import MilvusIndex
from index.settings import IndexSettings
from tests.processes import runs

pytestmark = pytest.mark.services

DIMENSION = 16


@pytest.fixture
def milvus(tmp_path: Path) -> Iterator[EmbeddedMilvus]:
    with EmbeddedMilvus(tmp_path / "milvus") as milvus:
        yield milvus


def open_index(milvus: EmbeddedMilvus) -> MilvusIndex:
    return MilvusIndex(IndexSettings(uri=milvus.uri), VectorSpace("text@1", DIMENSION), create=True)


def rows(names: Iterator[str] | list[str], version: int = 1) -> list[ProductRow]:
    vector = np.eye(1, DIMENSION, dtype=np.float32)[0]
    return [ProductRow(n, version, {"id": n}, f"shoe {n}", ContentHashes("t"), {TEXT_FIELD: vector}) for n in names]


def port_of(milvus: EmbeddedMilvus) -> int:
    port = urlsplit(milvus.uri).port
    assert port is not None
    return port


def reconnect(index: MilvusIndex) -> None:
    """gRPC tries a lost connection again after a second or so; until then a caller is told at once and tries again."""
    deadline = time.monotonic() + 20
    while True:
        try:
            index.count()
        except IndexUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def restart(milvus: EmbeddedMilvus, folder: Path) -> EmbeddedMilvus:
    return EmbeddedMilvus(folder, port=port_of(milvus))


def test_what_four_writers_were_told_is_written_survives_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "milvus"
    milvus = EmbeddedMilvus(folder)
    acknowledged: list[str] = []

    def write(writer: int) -> None:
        index = open_index(milvus)  # a client of its own, as another process would have
        for batch in range(25):
            names = [f"{writer}-{batch}-{number}" for number in range(40)]
            index.apply(rows(names))
            acknowledged.extend(names)
        index.close()

    open_index(milvus).close()
    threads = [threading.Thread(target=write, args=[writer]) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    milvus.kill()
    assert len(acknowledged) == 4_000
    with restart(milvus, folder) as again:
        index = open_index(again)
        assert index.count() == len(acknowledged)
        assert index.states(acknowledged).keys() == set(acknowledged)
        index.close()


def test_an_index_that_was_open_works_again_after_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "milvus"
    milvus = EmbeddedMilvus(folder)
    index = open_index(milvus)
    index.apply(rows(["a", "b"]))
    index.flush()
    index.apply(rows(["c"]))
    milvus.kill()
    with pytest.raises(IndexUnavailable, match=milvus.uri):
        index.states(["a"])
    query = VectorQuery(TEXT_FIELD, np.eye(1, DIMENSION, dtype=np.float32)[0])
    with restart(milvus, folder):
        reconnect(index)
        assert {hit.product_id for hit in index.search(query, 10)} == {"a", "b", "c"}
        assert [hit.product_id for hit in index.search(KeywordQuery("c"), 10)] == ["c"]
        assert index.states(["a", "c"]).keys() == {"a", "c"}
        assert [one.outcome for one in index.apply(rows(["a"]))] == ["stale"]
        index.close()


def test_a_clean_stop_keeps_everything_and_ends_well(tmp_path: Path) -> None:
    with EmbeddedMilvus(tmp_path) as milvus:
        index = open_index(milvus)
        index.apply(rows(["a"]))
        index.close()
    with EmbeddedMilvus(tmp_path) as again:
        index = open_index(again)
        assert index.count() == 1
        index.close()


def test_reads_see_every_product_while_it_flushes(milvus: EmbeddedMilvus) -> None:
    index = open_index(milvus)
    names = [f"p{number}" for number in range(3_000)]
    for start in range(0, len(names), 500):
        index.apply(rows(names[start : start + 500]))
    flushed = threading.Event()
    missing: list[object] = []
    reads = 0

    def read() -> None:
        nonlocal reads
        while not flushed.is_set():
            if (held := index.states(names[-5:])).keys() != set(names[-5:]):
                missing.append(held)
            if len(hits := index.search(KeywordQuery("shoe"), 10, [Filter("id", tuple(names[-3:]))])) != 3:
                missing.append(hits)
            reads += 1

    reader = threading.Thread(target=read)
    reader.start()
    version = 1
    while version <= 10 or (reads <= 5 and reader.is_alive()):
        version += 1
        index.apply(rows(names[-200:], version))
        index.flush()
    flushed.set()
    reader.join()
    assert missing == []
    assert reads > 5
    index.close()


def test_many_rows_are_flushed_unasked_and_stay_searchable(tmp_path: Path) -> None:
    with EmbeddedMilvus(tmp_path, flush_seconds=0.2) as milvus:
        index = open_index(milvus)
        many = [f"p{number}" for number in range(300)]
        index.apply(rows(many))
        deadline = time.monotonic() + 20
        while not list(tmp_path.rglob("data_*.parquet")):
            assert time.monotonic() < deadline, "nothing was flushed"
            time.sleep(0.05)
        assert index.states(many).keys() == set(many)
        index.close()


def test_it_listens_on_one_loopback_address_only(milvus: EmbeddedMilvus) -> None:
    with socket.create_connection(("127.0.0.1", port_of(milvus)), timeout=5):
        pass
    with pytest.raises(ConnectionRefusedError):  # bound to all addresses it would answer here as well
        socket.create_connection(("127.0.0.2", port_of(milvus)), timeout=5)


def test_a_second_one_on_the_same_folder_or_port_does_not_start(milvus: EmbeddedMilvus, tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match=r"milvus-lite\.log says why"):
        EmbeddedMilvus(tmp_path / "milvus")
    with pytest.raises(IndexUnavailable, match=r"milvus-lite\.log says why"):
        EmbeddedMilvus(tmp_path / "other", port=port_of(milvus))
    open_index(milvus).close()


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from index.embedded_milvus import EmbeddedMilvus\n"
        "milvus = EmbeddedMilvus(Path(sys.argv[1])); print(milvus.pid, flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    deadline = time.monotonic() + 20
    while runs(pid):
        assert time.monotonic() < deadline, "milvus-lite outlived its starter"
        time.sleep(0.05)


def test_the_command_serves_until_it_is_terminated(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "index.embedded_milvus", "--data-dir", str(tmp_path), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    port = int(process.stdout.readline().removeprefix("ready "))
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
    process.terminate()
    assert process.wait(20) == 0
    process.stdout.close()
