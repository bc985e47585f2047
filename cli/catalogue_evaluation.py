"""`millrace evaluate relevance --on NAME`: a judged catalogue through the whole path, then asked its queries."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cli.filled_index import FilledIndex, fill_index, reuse_index
from cli.local_settings import embedded_settings
from cli.local_stack import make_room
from cli.output import Output
from cli.relevance_report import measure_query_set, query_set_table
from cli.run_folder import write_runs
from cli.settings import load_settings
from demo.drawn_shop.judged_catalogue import drawn_shop
from demo.judged_catalogues import JudgedCatalogue, groceries, icecat
from learning.qrels import RelevanceError
from learning.relevance import RelevanceOptions

DATA_HELP = "Folder of the real data sets, for icecat and groceries."


class CatalogueName(StrEnum):
    ICECAT = "icecat"
    GROCERIES = "groceries"
    DRAWN_SHOP = "drawn-shop"


CATALOGUES = ", ".join(CatalogueName)


@dataclass(frozen=True, slots=True)
class CatalogueOptions:
    """`ratings` and `photos` take the place of those that come with icecat and groceries."""

    name: CatalogueName
    data: Path
    ratings: Path | None = None
    photos: Path | None = None
    work: Path | None = None
    reuse_index: bool = False
    config: Path | None = None

    @property
    def folder(self) -> Path:
        """Data and logs."""
        return self.work or Path(".bench/relevance") / self.name


@contextmanager
def open_catalogue(options: CatalogueOptions, output: Output) -> Iterator[tuple[JudgedCatalogue, FilledIndex]]:
    """The catalogue and its index, filled or found there. Raises what the embedded parts raise."""
    work = options.folder
    settings = embedded_settings(load_settings(options.config), work)
    if not options.reuse_index:
        make_room(work)
    catalogue = _find(options, work, output)
    opened = reuse_index(settings, work) if options.reuse_index else fill_index(catalogue, settings, work, output)
    with opened as filled:
        yield catalogue, filled


def evaluate_catalogue(
    options: CatalogueOptions, relevance: RelevanceOptions, runs: Path | None, output: Output
) -> dict[str, Any]:
    """Tells a person, and gives the facts for a program."""
    with open_catalogue(options, output) as (catalogue, filled), closing(filled.search()) as search:
        parts = filled.parts
        text, image = parts.text_encoder.release, parts.image_encoder.release
        output.show(f"{catalogue.name}: {parts.index.count()} products; text encoder {text}, image encoder {image}")
        facts: dict[str, Any] = {
            "on": catalogue.name,
            "products": parts.index.count(),
            "text_encoder": text,
            "image_encoder": image,
            "query_sets": {},
        }
        for queries in catalogue.query_sets:
            results = measure_query_set(search, queries, relevance, output)
            output.show(query_set_table(queries, results))
            facts["query_sets"][queries.name] = {
                "queries": len(queries.judgments.answerable()),
                "systems": {system: result.facts() for system, result in results.items()},
            }
            if runs is not None:
                write_runs(runs, queries, {system: result.run for system, result in results.items()}, parts)
        return facts


def _find(options: CatalogueOptions, work: Path, output: Output) -> JudgedCatalogue:
    if options.name is CatalogueName.DRAWN_SHOP:
        with output.progress("drawing", 1.0) as advance:
            return drawn_shop(work / "pictures", lambda done, of: advance(done / of, f"{done} of {of} looks"))
    if not options.data.is_dir():
        raise RelevanceError(f"no real data at {options.data}: give --data FOLDER, or set MILLRACE_DATA")
    if options.name is CatalogueName.ICECAT:
        return icecat(options.data, options.ratings)
    return groceries(options.data, options.photos)
