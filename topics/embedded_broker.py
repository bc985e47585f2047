"""A broker for demos and tests that needs nothing but pip: librdkafka's own mock cluster, in a process of its own.

It keeps everything in memory and forgets it on exit, listens on 127.0.0.1 without a password, holds no more than 5
MiB a partition (the oldest records vanish beyond that) and compacts nothing. It says nothing about the speed or the
durability of Kafka. librdkafka calls the interface experimental (`rdkafka_mock.h`).
"""

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import confluent_kafka
import setproctitle

from topics.catalogue import TOPICS

PARTITION_CAPACITY_BYTES = 5 * 1024 * 1024
_PRODUCER = 0
_BROKER_ID = 1
_ALL_TOPICS = tuple(spec.name for spec in TOPICS)
_START_TIMEOUT_SECONDS = 20


class EmbeddedBrokerError(Exception):
    """The embedded broker did not start."""


class MockCluster:
    """One mock broker inside this process, through librdkafka's C interface."""

    def __init__(self) -> None:
        self._library = _librdkafka()
        message = ctypes.create_string_buffer(512)
        configuration = self._library.rd_kafka_conf_new()
        self._library.rd_kafka_conf_set(configuration, b"log_level", b"2", message, 512)  # it misses bootstrap.servers
        self._client = self._library.rd_kafka_new(_PRODUCER, configuration, message, 512)
        if not self._client:
            raise EmbeddedBrokerError(f"librdkafka: {message.value.decode()}")
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, 1)
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)

    @property
    def bootstrap_servers(self) -> str:
        address: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return address.decode()

    def create_topic(self, name: str, partitions: int) -> None:
        error = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        if error:
            raise EmbeddedBrokerError(f"topic {name} with {partitions} partitions: librdkafka error {error}")

    def set_down(self) -> None:
        """Cut every connection and take no new one; what it holds stays."""
        self._library.rd_kafka_mock_broker_set_down(self._cluster, _BROKER_ID)

    def set_up(self) -> None:
        self._library.rd_kafka_mock_broker_set_up(self._cluster, _BROKER_ID)

    def refuse_next(self, api_key: int, errors: Sequence[int]) -> None:
        """Answer the next requests of a kind with these error codes, both as numbered by Kafka's protocol."""
        codes = (ctypes.c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(self._cluster, api_key, len(errors), codes)

    def close(self) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)


class EmbeddedBroker:
    """The mock cluster in a child process, with topics made; use as a context manager."""

    def __init__(self, partitions: int, topics: Iterable[str] = _ALL_TOPICS) -> None:
        command = [sys.executable, "-m", "topics.embedded_broker", "--partitions", str(partitions), *topics]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        watchdog = threading.Timer(_START_TIMEOUT_SECONDS, self._process.kill)
        watchdog.start()
        assert self._process.stdout is not None  # noqa: S101 - it was opened as a pipe
        self.bootstrap_servers = self._process.stdout.readline().strip()
        watchdog.cancel()
        if not self.bootstrap_servers:
            raise EmbeddedBrokerError(f"the embedded broker ended with code {self._process.wait()} before it was ready")

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.terminate()
        self._process.wait(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _librdkafka() -> ctypes.CDLL:
    folder = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
    libraries = sorted(folder.glob("librdkafka-*.so*")) or sorted(
        (Path(confluent_kafka.__file__).parent / ".dylibs").glob("librdkafka*.dylib")
    )
    if not libraries:
        raise EmbeddedBrokerError(f"no librdkafka beside {folder}: install confluent-kafka from its PyPI wheel")
    library = ctypes.CDLL(str(libraries[0]))
    library.rd_kafka_conf_new.restype = ctypes.c_void_p
    library.rd_kafka_conf_set.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
    ]
    library.rd_kafka_new.restype = ctypes.c_void_p
    library.rd_kafka_new.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    library.rd_kafka_destroy.argtypes = [ctypes.c_void_p]
    library.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_new.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.rd_kafka_mock_cluster_destroy.argtypes = [ctypes.c_void_p]
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    library.rd_kafka_mock_cluster_bootstraps.argtypes = [ctypes.c_void_p]
    library.rd_kafka_mock_topic_create.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
    for change in (library.rd_kafka_mock_broker_set_down, library.rd_kafka_mock_broker_set_up):
        change.argtypes = [ctypes.c_void_p, ctypes.c_int32]
    library.rd_kafka_mock_push_request_errors_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int16,
        ctypes.c_size_t,
        ctypes.POINTER(ctypes.c_int),
    ]
    library.rd_kafka_mock_group_initial_rebalance_delay_ms.argtypes = [ctypes.c_void_p, ctypes.c_int32]
    return library


def _serve(topics: Iterable[str], partitions: int) -> None:
    """Print the address, then live until the parent closes our standard input, dies, or sends a signal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the parent decides
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    setproctitle.setproctitle("millrace embedded-broker")
    cluster = MockCluster()
    for topic in topics:
        cluster.create_topic(topic, partitions)
    sys.stdout.write(cluster.bootstrap_servers + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    cluster.close()


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topics", nargs="*", default=_ALL_TOPICS, help="all of Millrace's table where none is named")
    parser.add_argument("--partitions", type=int, default=4)
    arguments = parser.parse_args()
    _serve(arguments.topics, arguments.partitions)


if __name__ == "__main__":
    _main()
