"""A whole catalogue file through broker, worker and index, followed until something became of every product."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.freshness import IndexingFollower
from cli.import_products import find_mapping
from cli.import_run import ImportOptions, run_import
from cli.local_stack import StackError
from cli.output import Output
from cli.settings import Settings
from topics.catalogue_files import CatalogueFile
from topics.catalogue_pictures import CataloguePictures

_STALL_SECONDS = 120.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class CatalogueSource:
    """A file of products, the mapping that reads it, and where the pictures are that it names."""

    file: Path
    mapping: str
    media: Path | None = None
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Streamed:
    """How the catalogue went through broker, worker and index.

    `seconds`: from the first message to the last outcome. `problems`: what products were indexed without.
    """

    sent: int
    outcomes: Mapping[str, int]
    dead_letters: Mapping[str, int]
    problems: Mapping[str, int]
    seconds: float

    @property
    def indexed(self) -> int:
        return self.outcomes.get("indexed", 0)

    @property
    def products_per_second(self) -> float:
        return round(self.indexed / self.seconds, 1)

    def failures(self) -> list[str]:
        failures = []
        if self.indexed != self.sent:
            failures.append(f"{self.sent} products were sent, {self.indexed} indexed; {dict(self.outcomes)}")
        if self.dead_letters:
            failures.append(f"dead letters: {dict(self.dead_letters)}")
        if self.problems:
            failures.append(f"indexed incompletely: {dict(self.problems)}")
        return failures


def stream_catalogue(source: CatalogueSource, settings: Settings, output: Output) -> Streamed:
    """Import the file and wait until something became of every product. Raises StackError where it comes to a stop."""
    options = ImportOptions(find_mapping(source.mapping), datetime.now(UTC), source.limit)
    with ExitStack() as exits:
        follower = exits.enter_context(IndexingFollower(settings.kafka))
        opened = exits.enter_context(CatalogueFile(source.file))
        pictures = None
        if source.media is not None:
            root = Path(settings.encoders.image_sources.file_root)
            pictures = exits.enter_context(CataloguePictures(source.media, root, source.mapping))
        began = time.monotonic()
        report = run_import(opened, options, pictures, settings.kafka, output)
        if report.stopped:
            raise StackError(report.stopped)
        sent = report.counts.acknowledged
        with output.progress("indexing the rest", sent) as advance:
            for events in until_indexed(follower, sent):
                advance(events, f"{events} products")
        seconds = time.monotonic() - began
        return Streamed(sent, follower.outcomes, follower.dead_letters, follower.problems, seconds)


def until_indexed(follower: IndexingFollower, events: int) -> Iterator[int]:
    """Gives how many events are done until all are; raises StackError when nothing moves."""
    done, moved = follower.events, time.monotonic()
    while done < events:
        yield done
        time.sleep(_LOOK_SECONDS)
        if follower.events > done:
            done, moved = follower.events, time.monotonic()
        elif time.monotonic() - moved > _STALL_SECONDS:
            raise StackError(f"{events} events were sent, {done} came out, and none for {_STALL_SECONDS:.0f} s")
