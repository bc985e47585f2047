"""A disk runs full under the broker, the index, or a log: nothing acknowledged is lost, and with room all goes on."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from cli.local_stack import LocalStack
from cli.wiring import open_publisher
from deploy.kafka.broker import LocalKafka
from deploy.kafka.jars import KafkaUnavailable
from index.base import TEXT_FIELD, ContentHashes, IndexUnavailable, ProductRow, VectorSpace
from index.embedded_disk import EXIT_DISK
from index.embedded_milvus import EmbeddedMilvus
from index.milvus import MilvusIndex
from index.settings import IndexSettings
from tests.services.shop import (
    PATIENCE,
    Shop,
    bare_worker,
    open_for_business,
    opened_shop,
    quick_settings,
    wait_until,
    worker_config,
)
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

MEGABYTE = 1024 * 1024
DIMENSION = 64


class SmallDisk:
    """A file system of its own in memory, which can be filled up and cleared again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, leave_bytes: int = 0) -> None:
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while self.free() > leave_bytes:
                    ballast.write(bytes(min(MEGABYTE, self.free() - leave_bytes)))
            except OSError:  # full
                pass

    def clear(self) -> None:
        self._ballast.unlink()

    def free(self) -> int:
        return shutil.disk_usage(self.folder).free


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Skips where this process may not mount."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here (it takes root): {mounted.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_broker_whose_disk_was_full_has_all_that_it_acknowledged(tmp_path: Path) -> None:
    with small_disk(tmp_path / "kafka" / "data", 64) as disk:
        try:
            broker = LocalKafka(tmp_path / "kafka")
        except KafkaUnavailable as absent:
            pytest.skip(str(absent))
        stack = LocalStack(tmp_path / "stack", quick_settings(tmp_path), server=False, kafka=broker.settings())
        with broker, stack, open_publisher(stack.settings, "shop", PATIENCE) as publisher:
            stack.wait_until_ready(PATIENCE)
            shop = Shop(stack.settings, publisher)
            with open_for_business(shop):
                wait_until(lambda: shop.sent > 200)
                disk.fill()
                wait_until(lambda: "No space left on device" in broker.log.read_text())
                time.sleep(2)
                disk.clear()
                broker.kill()
                broker.start()
            shop.settle()
            shop.assert_newest_is_searchable()
            shop.assert_poison_is_put_aside()


def test_an_index_short_of_room_takes_no_change_answers_searches_and_goes_on_with_room(
    tmp_path: Path, kafka: KafkaSettings
) -> None:
    folder = tmp_path / "stack"
    with (
        small_disk(folder / "milvus", 96) as disk,
        LocalStack(folder, quick_settings(folder), kafka=kafka) as stack,
        open_publisher(stack.settings, "shop", PATIENCE) as publisher,
    ):
        stack.wait_until_ready(PATIENCE)
        shop = Shop(stack.settings, publisher)
        with open_for_business(shop):
            wait_until(lambda: bool(found(stack)))
            disk.fill(leave_bytes=32 * MEGABYTE)
            wait_until(lambda: "are kept free: make room" in stack.worker.log.read_text())
            assert found(stack)
            disk.clear()
        shop.settle()
        assert stack.restarts == 0
        shop.assert_newest_is_searchable()
        shop.assert_poison_is_put_aside()


def found(stack: LocalStack) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = httpx.get(f"{stack.url}/v1/search", params={"q": "title"}, timeout=30).json()[
        "results"
    ]
    return results


def rows(names: list[str]) -> list[ProductRow]:
    vector = np.eye(1, DIMENSION, dtype=np.float32)[0]
    text = "word " * 200
    return [ProductRow(n, 1, {"id": n, "text": text}, text, ContentHashes("t"), {TEXT_FIELD: vector}) for n in names]


def written_until_full(index: MilvusIndex) -> list[str]:
    acknowledged: list[str] = []
    for batch in range(100):
        names = [f"p{batch}-{number}" for number in range(20)]
        try:
            index.apply(rows(names))
        except IndexUnavailable:
            return acknowledged
        acknowledged += names
    raise AssertionError("the disk did not run full")


def test_an_index_whose_disk_is_full_ends_and_has_all_that_it_acknowledged(tmp_path: Path) -> None:
    """Without it: half a record in its log, and none of those that it acknowledged behind that after a restart."""
    space = VectorSpace("text@1", DIMENSION)
    with small_disk(tmp_path / "disk", 16) as disk:
        milvus = EmbeddedMilvus(disk.folder / "milvus", reserve_bytes=0)
        index = MilvusIndex(IndexSettings(uri=milvus.uri), space, create=True)
        disk.fill(leave_bytes=MEGABYTE // 2)
        acknowledged = written_until_full(index)
        index.close()
        assert milvus.wait(PATIENCE) == EXIT_DISK
        disk.clear()

        with EmbeddedMilvus(disk.folder / "milvus") as milvus:
            index = MilvusIndex(IndexSettings(uri=milvus.uri), space)
            assert acknowledged
            assert set(acknowledged) <= set(index.documents(acknowledged))
            index.close()


def test_a_worker_whose_log_cannot_be_written_goes_on_indexing(tmp_path: Path, kafka: KafkaSettings) -> None:
    with small_disk(tmp_path / "log", 1) as disk, opened_shop(tmp_path, kafka) as shop:
        config = worker_config(disk.folder / "worker", shop.settings, metrics_port=0)
        disk.fill()
        with bare_worker(config) as worker:
            with open_for_business(shop):
                wait_until(lambda: shop.poison > 1)
            shop.settle()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE) == 0
        assert disk.free() == 0
        assert config.with_name("worker.log").read_text() == ""
        shop.assert_newest_is_searchable()
        shop.assert_poison_is_put_aside()
