"""milvus-lite under supervision: back after an end that nobody asked for, away after one that somebody did."""

import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from cli.supervision import SupervisedMilvus
from index.base import TEXT_FIELD, ContentHashes, IndexUnavailable, ProductRow, VectorSpace
from index.milvus import MilvusIndex
from index.settings import IndexSettings
from tests.services.shop import wait_until

pytestmark = pytest.mark.services

SPACE = VectorSpace("text@1", 16)
LAMP = ProductRow(
    "lamp", 1, {"id": "lamp"}, "lamp", ContentHashes("t"), {TEXT_FIELD: np.eye(1, 16, dtype=np.float32)[0]}
)


def holds_the_lamp(index: MilvusIndex) -> bool:
    try:
        return index.states(["lamp"]).keys() == {"lamp"}
    except IndexUnavailable:  # gRPC tries a lost connection again after a second or so
        return False


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_it_comes_back_on_its_port_with_its_data(tmp_path: Path, end: signal.Signals) -> None:
    milvus = SupervisedMilvus(tmp_path)
    try:
        index = MilvusIndex(IndexSettings(uri=milvus.uri), SPACE, create=True)
        index.apply([LAMP])

        os.kill(milvus.pid, end)

        wait_until(lambda: milvus.restarts == 1)
        wait_until(lambda: holds_the_lamp(index))
        index.close()
        assert milvus.restarts == 1
    finally:
        milvus.stop()


@pytest.mark.parametrize("end", [SupervisedMilvus.stop, SupervisedMilvus.kill])
def test_it_stays_away_after_an_end_that_was_asked_for(tmp_path: Path, end: Callable[[SupervisedMilvus], None]) -> None:
    milvus = SupervisedMilvus(tmp_path)

    end(milvus)

    assert milvus.restarts == 0
    assert "supervise milvus-lite" not in [thread.name for thread in threading.enumerate()]  # nobody starts it again
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(milvus.uri).port or 0), timeout=5)
