"""A worker that sends itself a signal at a chosen point of its work: `python -m tests.services.staged_worker`.

It is `millrace worker` in all else: the real encoder, index and publisher, called through a trap.
"""

import argparse
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import index.milvus
from cli import processes
from cli.logs import configure_logging
from cli.settings import load_settings
from encoders.base import Vectors
from encoders.hash import HashEncoder
from index.base import Applied, Change, VectorIndex
from streams.settings import WorkerSettings
from streams.worker import WorkerParts, run_worker
from topics.publisher import Publisher
from topics.settings import KafkaSettings

POINTS = ("encode", "upsert", "decided", "upserted", "told")
_HELD_SECONDS = 0.3


class Trap:
    """Springs once, at its n-th call."""

    def __init__(self, sent: signal.Signals, at_call: int) -> None:
        self._sent = sent
        self._calls_left = at_call

    def __call__(self) -> None:
        self._calls_left -= 1
        if self._calls_left == 0:
            time.sleep(_HELD_SECONDS)  # whatever was acknowledged too early is committed meanwhile
            os.kill(os.getpid(), self._sent)
            time.sleep(_HELD_SECONDS)  # the worker begins to stop meanwhile


class TrappedEncoder(HashEncoder):
    trap: Trap

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        self.trap()
        return super().encode_texts(texts)


class TrappedIndex:
    """Before or after a batch is applied."""

    def __init__(self, real: VectorIndex, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._real = real
        self._before = before
        self._after = after

    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        self._before()
        applied = self._real.apply(changes)
        self._after()
        return applied

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class TrappedPublisher:
    """Once a message and all before it are acknowledged by the broker."""

    def __init__(self, real: Publisher, trap: Trap) -> None:
        self._real = real
        self._trap = trap

    def publish(self, *message: Any) -> None:
        self._real.publish(*message)
        self._real.flush(30)
        self._trap()

    def publish_many(self, *messages: Any) -> Any:
        left = self._real.publish_many(*messages)
        self._real.flush(30)
        self._trap()
        return left

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def trapped(parts: WorkerParts, point: str, trap: Trap) -> WorkerParts:
    if point == "told":
        return replace(parts, publisher=TrappedPublisher(parts.publisher, trap))
    if point == "encode":
        encoder = TrappedEncoder(batch_size=parts.indexer.text_encoder.batch_size)
        encoder.trap = trap
        return replace(parts, indexer=replace(parts.indexer, text_encoder=encoder))
    if point == "decided":  # by the versions that the index held, and not written yet
        decide = index.milvus.decide

        def decide_and_wait(*arguments: Any) -> Any:
            decision = decide(*arguments)
            trap()
            return decision

        index.milvus.decide = decide_and_wait
        return parts
    before, after = (trap, _nothing) if point == "upsert" else (_nothing, trap)
    return replace(parts, indexer=replace(parts.indexer, index=TrappedIndex(parts.indexer.index, before, after)))


def _nothing() -> None:
    pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--at", choices=POINTS)
    parser.add_argument("--signal", choices=("KILL", "TERM", "STOP"), default="KILL")
    parser.add_argument("--call", type=int, default=1, help="at which call of the point")
    parser.add_argument("--unchecked", action="store_true", help="leave it to Milvus to refuse a row")
    arguments = parser.parse_args()
    trap = Trap(signal.Signals[f"SIG{arguments.signal}"], arguments.call)
    if arguments.unchecked:
        index.milvus.check_change = lambda *_: None

    def run_trapped(settings: WorkerSettings, kafka: KafkaSettings, parts: WorkerParts) -> None:
        run_worker(settings, kafka, trapped(parts, arguments.at, trap) if arguments.at else parts)

    processes.run_worker = run_trapped
    configure_logging(verbose=False)
    processes.worker(load_settings(arguments.config))


if __name__ == "__main__":
    main()
