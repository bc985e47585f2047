"""milvus-lite as a process of its own, on the loopback only: `python -m index.embedded_milvus --data-dir D`."""

import argparse
import os
import selectors
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from index.base import IndexUnavailable

_HOST = "127.0.0.1"
_READY = "ready "
_THREADS = 10
_MAX_MESSAGE_BYTES = 256 * 1024 * 1024  # as Milvus
_RESERVE_BYTES = 64 * 1024 * 1024
_FLUSH_SECONDS = 5.0


class EmbeddedMilvus:
    """A running milvus-lite. It ends with `stop`, and with the process that started it, however that ends.

    Its data stay in `data_dir`, a folder that no second one can open. What it says goes to `milvus-lite.log` in there.
    It writes nothing while the disk has less than `reserve_bytes` left, and ends itself where a write fails.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        start_timeout_seconds: float = 60.0,
        reserve_bytes: int = _RESERVE_BYTES,
        flush_seconds: float = _FLUSH_SECONDS,
    ) -> None:
        """Port 0 takes a free one. Returns when it answers; raises IndexUnavailable when it does not."""
        data_dir.mkdir(parents=True, exist_ok=True)
        self._log = data_dir / "milvus-lite.log"
        command = [sys.executable, "-m", "index.embedded_milvus", "--data-dir", str(data_dir), "--port", str(port)]
        command += ["--reserve-bytes", str(reserve_bytes), "--flush-seconds", str(flush_seconds), "--end-with-stdin"]
        search_path = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  the command is our own
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(search_path)},
                start_new_session=True,
            )
        self.uri = f"http://{_HOST}:{self._port(start_timeout_seconds)}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, timeout_seconds: float | None = None) -> int:
        """For its end; gives the exit code. Raises subprocess.TimeoutExpired."""
        code = self._process.wait(timeout_seconds)
        self._close_pipes()
        return code

    def stop(self, timeout_seconds: float = 30.0) -> None:
        """End it cleanly, or kill it when that takes too long; nothing acknowledged is lost either way."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._close_pipes()

    def kill(self) -> None:
        """SIGKILL, as a crash would end it."""
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _port(self, timeout_seconds: float) -> int:
        """What the child says when it listens."""
        assert self._process.stdout is not None  # noqa: S101  it was opened as a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline().decode() if selector.select(timeout_seconds) else ""
        if not line.startswith(_READY):
            self.kill()
            raise IndexUnavailable(f"milvus-lite did not start: the end of {self._log} says why")
        return int(line.removeprefix(_READY))

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGINT, SIGTERM or, with --end-with-stdin, until the starter's end of stdin closes."""
    parser = argparse.ArgumentParser(prog="python -m index.embedded_milvus", description=__doc__)
    parser.add_argument("--data-dir", required=True, type=Path)
    parser.add_argument("--port", type=int, default=19530, help="0 takes a free one and says which")
    parser.add_argument("--memtable-bytes", type=int, default=4_000_000, help="flush when so much is written")
    parser.add_argument(
        "--flush-seconds",
        type=float,
        default=_FLUSH_SECONDS,
        help="above 0; flush so often what is many rows",
    )
    parser.add_argument(
        "--reserve-bytes", type=int, default=_RESERVE_BYTES, help="refuse to write while the disk has less left"
    )
    parser.add_argument("--end-with-stdin", action="store_true", help="end when standard input does")
    chosen = parser.parse_args(arguments)
    if chosen.flush_seconds <= 0:
        parser.error("--flush-seconds has to be above 0")
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    if chosen.end_with_stdin:
        threading.Thread(target=_wait_for_end_of_input, args=[ended], daemon=True).start()
    # milvus-lite reads its budget when it is imported.
    os.environ.setdefault("MILVUS_LITE_MEMTABLE_MEMORY_LIMIT_BYTES", str(chosen.memtable_bytes))
    _serve(chosen, ended)


def _wait_for_end_of_input(ended: threading.Event) -> None:
    while os.read(0, 4096):  # sys.stdin's lock, held here, would abort the interpreter at its end
        pass
    ended.set()


def _serve(chosen: argparse.Namespace, ended: threading.Event) -> None:
    import grpc  # type: ignore[import-untyped]
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from milvus_lite.db import MilvusLite
    from pymilvus.grpc_gen import milvus_pb2_grpc

    from index.embedded_bm25 import count_whole_collections
    from index.embedded_disk import end_on_failed_write, end_process, refuse_without_room
    from index.embedded_flushing import flushed_every
    from index.embedded_repairs import repair

    writing = repair()
    end_on_failed_write(end_process)
    refuse_without_room(chosen.data_dir, chosen.reserve_bytes)
    count_whole_collections()
    database = MilvusLite(str(chosen.data_dir))
    size = ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES)
    # pymilvus pings every 10 s; a server that counts strikes closes the connection of an idle client once a minute.
    patience = (("grpc.http2.max_ping_strikes", 0),)
    # Without the last option a second server on the same port would silently get half of the requests.
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=[*size, *patience, ("grpc.so_reuseport", 0)])
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(database), server)
    bound = server.add_insecure_port(f"{_HOST}:{chosen.port}")
    with flushed_every(chosen.flush_seconds, database, writing):
        server.start()
        sys.stdout.write(f"{_READY}{bound}\n")
        sys.stdout.flush()
        ended.wait()
        server.stop(grace=5).wait()
    database.close()


if __name__ == "__main__":
    main()
