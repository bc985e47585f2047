"""A judged catalogue behind the pipeline that serves: streamed through broker and worker into Milvus Lite."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.catalogue_streaming import CatalogueSource, Streamed, stream_catalogue
from cli.local_stack import LocalStack, StackError
from cli.output import Output
from cli.settings import Settings, changed_settings
from cli.supervision import SupervisedMilvus
from cli.wiring import Parts, open_parts
from demo.judged_catalogues import JudgedCatalogue
from ranking.search import Search

_START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class FilledIndex:
    """`streamed` is None where the index is that of an earlier run."""

    parts: Parts
    streamed: Streamed | None

    def search(self) -> Search:
        """As a server searches that has read its catalogue. To be closed."""
        return self.parts.search(self.parts.words())


@contextmanager
def fill_index(catalogue: JudgedCatalogue, settings: Settings, work: Path, output: Output) -> Iterator[FilledIndex]:
    """Data and logs lie in `work`. Raises StackError where a product was lost on the way."""
    with LocalStack(work, settings, server=False) as stack:
        with output.waiting("starting broker, Milvus Lite and worker"):
            stack.wait_until_ready(_START_SECONDS)
        source = CatalogueSource(catalogue.file, catalogue.mapping, catalogue.media)
        streamed = stream_catalogue(source, stack.settings, output)
        if failures := streamed.failures():
            raise StackError("; ".join(failures))
        with open_parts(stack.settings) as parts:
            parts.index.flush()
            yield FilledIndex(parts, streamed)


@contextmanager
def reuse_index(settings: Settings, work: Path) -> Iterator[FilledIndex]:
    """What an earlier run left in `work`. Raises StackError, and IndexRefused where other models filled it."""
    folder = work / "milvus"
    if not folder.is_dir():
        raise StackError(f"{work} holds no index: leave --reuse-index out, and it is filled")
    milvus = SupervisedMilvus(folder)
    try:
        with open_parts(changed_settings(settings, {"index": {"uri": milvus.uri}})) as parts:
            yield FilledIndex(parts, None)
    finally:
        milvus.stop()
