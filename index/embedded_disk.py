"""What keeps a full disk from costing milvus-lite 3.2 what it acknowledged.

Measured on 3.2.2: a write without room leaves half a record in its log, it acknowledges others behind that, and a
restart reads up to the half one (1,000 of 1,750 rows lost); a flush without room forgets the rows it was to write.
"""

import functools
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import grpc  # type: ignore[import-untyped]
from milvus_lite.adapter.grpc.servicer import MilvusServicer
from milvus_lite.engine.collection import Collection
from milvus_lite.storage.wal import WAL

logger = logging.getLogger(__name__)

EXIT_DISK = 74  # EX_IOERR of sysexits.h
_GROWING_CALLS = ("Insert", "Upsert", "Delete", "CreateCollection")

Method = Callable[..., Any]


def refuse_without_room(folder: Path, reserve_bytes: int) -> None:
    """Turn writes away, while searches go on, as long as the disk of `folder` has less than this left."""
    for name in _GROWING_CALLS:
        setattr(MilvusServicer, name, _with_room(folder, reserve_bytes, getattr(MilvusServicer, name)))


def end_on_failed_write(end: Callable[[Exception], NoReturn]) -> None:
    """Before anything is acknowledged behind what was half written; a restart reads all that was acknowledged.

    A row that the log cannot hold is its sender's, but a flush that fails for any reason has forgotten its rows.
    """
    for name in ("write_insert", "write_delete"):
        setattr(WAL, name, _or_end(end, OSError, getattr(WAL, name)))
    Collection._trigger_flush = _or_end(end, Exception, Collection._trigger_flush)


def end_process(error: Exception) -> NoReturn:
    """The end without any tidying up: closing a collection would write, too."""
    logger.critical("A write failed: ending, so that a restart finds all that was acknowledged: %s", error)
    os._exit(EXIT_DISK)


def _with_room(folder: Path, reserve_bytes: int, call: Method) -> Method:
    @functools.wraps(call)
    def checked(servicer: MilvusServicer, request: Any, context: grpc.ServicerContext) -> Any:
        left = shutil.disk_usage(folder).free
        if left < reserve_bytes:
            context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"the disk of {folder} has {left:,} bytes left, {reserve_bytes:,} are kept free: make room",
            )
        return call(servicer, request, context)

    return checked


def _or_end(end: Callable[[Exception], NoReturn], fatal: type[Exception], method: Method) -> Method:
    @functools.wraps(method)
    def whole(*args: Any) -> Any:
        try:
            return method(*args)
        except fatal as error:
            end(error)

    return whole
