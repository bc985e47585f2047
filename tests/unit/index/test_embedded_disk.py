"""milvus-lite on a disk that is full: no half record stays in front of acknowledged ones."""

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import grpc  # type: ignore[import-untyped]
import pytest

from index.embedded_disk import EXIT_DISK, _or_end, _with_room


class Ended(Exception):
    """In place of the end of the process."""


class Context:
    """What gRPC gives a servicer."""

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise Ended(code, details)


def accepted(servicer: Any, request: Any, context: Any) -> str:
    return f"took {request}"


def asked(reserve_bytes: int, folder: Path) -> Callable[[str], Any]:
    call = _with_room(folder, reserve_bytes, accepted)
    return lambda request: call(None, request, Context())


def test_a_write_is_taken_while_there_is_room(tmp_path: Path) -> None:
    assert asked(0, tmp_path)("a row") == "took a row"


def test_a_write_is_turned_away_with_the_reason_when_room_is_short(tmp_path: Path) -> None:
    with pytest.raises(Ended) as turned_away:
        asked(10**18, tmp_path)("a row")

    code, details = turned_away.value.args
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED  # the one that pymilvus does not try again by itself
    assert str(tmp_path) in details
    assert "make room" in details


def test_a_write_that_fails_ends_the_process_and_other_errors_do_not() -> None:
    def failing(error: Exception) -> None:
        raise error

    def end(error: Exception) -> NoReturn:
        raise Ended(error)

    write = _or_end(end, OSError, failing)
    with pytest.raises(Ended):
        write(OSError(errno.ENOSPC, "no space left on device"))
    with pytest.raises(ValueError, match="bad row"):
        write(ValueError("bad row"))


def test_the_process_ends_with_its_code_also_when_it_cannot_say_why() -> None:
    program = "from index.embedded_disk import end_process; end_process(OSError(28, 'no space left'))"
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([sys.executable, "-c", program], stderr=full, check=False)

    assert ended.returncode == EXIT_DISK


FLUSH_THAT_FAILS = """
import sys
from milvus_lite.db import MilvusLite
from milvus_lite.engine import collection
from milvus_lite.schema.types import CollectionSchema, DataType, FieldSchema
from index.embedded_disk import end_on_failed_write, end_process

def fail(**_):
    raise ValueError("no such column")

end_on_failed_write(end_process)
collection.execute_flush = fail
fields = [FieldSchema("id", DataType.INT64, is_primary=True), FieldSchema("vector", DataType.FLOAT_VECTOR, dim=2)]
products = MilvusLite(sys.argv[1]).create_collection("products", CollectionSchema(fields))
products.insert([{"id": 1, "vector": [0.0, 1.0]}])
products.flush()
"""


def test_a_flush_that_fails_ends_the_process_whatever_the_error(tmp_path: Path) -> None:
    """What it was to write is found again after a restart only."""
    ended = subprocess.run(
        [sys.executable, "-c", FLUSH_THAT_FAILS, str(tmp_path / "data")], capture_output=True, text=True, check=False
    )

    assert "A write failed" in ended.stderr
    assert ended.returncode == EXIT_DISK
