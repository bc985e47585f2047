"""`millrace search`: a terminal's look at the results, and why they are there."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from PIL.Image import Image
from rich.markup import escape
from rich.table import Table

from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.settings import SettingsError, load_settings
from cli.wiring import open_parts
from encoders.base import EncoderError
from encoders.images import ImageError, decode_image
from encoders.settings import ImageLimits
from index.base import IndexRefused, IndexUnavailable
from ranking.fusion import Leg
from ranking.queries import RankingError, SearchAnswer, SearchHit, SearchRequest

_SHOWN_TITLE = 80


def search_command(  # noqa: PLR0913 - each is an option of the command
    text: Annotated[str, typer.Argument(help="What to look for; may be left out with --image.")] = "",
    image: Annotated[Path | None, typer.Option(help="A picture to look for, alone or with the text.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many results.")] = 10,
    explain: Annotated[bool, typer.Option("--explain", help="Show the rank and score that each leg gave.")] = False,
    language: Annotated[
        str, typer.Option(help="BCP 47 tag of the text, for stemming; empty: as in the settings.")
    ] = "",
    config: Annotated[Path | None, typer.Option(help=CONFIG_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Search the index as a shopper would, and see why each product is there.

    Misspelt words and brands are the server's part, which has read all products: see GET /v1/search.

    Example: millrace search "wireless mouse" --explain

    With --json: kind, total, nearest, hits (position, product_id, score, product, and with --explain legs), left_out
    (reason by leg), seconds (by step).
    """
    output = Output(as_json)
    with output.failing_on(SettingsError, EncoderError, IndexUnavailable, IndexRefused, RankingError, OSError):
        settings = load_settings(config)
        picture = None if image is None else read_picture(image, settings.encoders.image_sources.limits)
        request = SearchRequest(text=text, image=picture, limit=limit, language=language)
        waiting = output.waiting("loading models and asking the index")
        with waiting, open_parts(settings) as parts, closing(parts.search()) as search:
            answer = search.search(request)
            if explain:
                answer = search.explain(answer)
    show_answer(answer, explain, output)


def read_picture(path: Path, limits: ImageLimits) -> Image:
    """Raises OSError, and EncoderError with the file's name."""
    try:
        return decode_image(path.read_bytes(), limits)
    except ImageError as error:
        raise EncoderError(f"{path}: {error}") from error


def show_answer(answer: SearchAnswer, explain: bool, output: Output) -> None:
    """The results as a table, or as one JSON object."""
    output.show(_table(answer, explain))
    for leg, reason in answer.left_out.items():
        output.note(f"{leg} was not asked: {reason}")
    if answer.nearest and answer.hits:
        output.note("nothing matches the query; these come nearest")
    if not answer.hits:
        output.note("nothing found; is the catalogue indexed? `millrace doctor` tells how many products there are")
    output.finish(
        {
            "kind": answer.kind,
            "total": {"matches": answer.total.matches, "exact": answer.total.exact},
            "nearest": answer.nearest,
            "hits": [_hit_facts(hit, explain) for hit in answer.hits],
            "left_out": dict(answer.left_out),
            "seconds": dict(answer.seconds),
        }
    )


def _table(answer: SearchAnswer, explain: bool) -> Table:
    table = Table(box=None)
    for heading in ("", "id", "title", "price", "score", *((*Leg, "words") if explain else ())):
        table.add_column(heading)
    for hit in answer.hits:
        title, price = str(hit.document.get("title", "")), hit.document.get("price")
        cells = [
            str(hit.position),
            escape(hit.product_id),
            escape(title if len(title) <= _SHOWN_TITLE else title[: _SHOWN_TITLE - 1] + "…"),
            "" if price is None else f"{price:,.2f} {hit.document.get('currency', '')}",
            f"{hit.score:.3f}",
        ]
        if explain:
            cells += [*(_leg_cell(hit, leg) for leg in Leg), escape(" ".join(hit.terms))]
        table.add_row(*cells)
    return table


def _leg_cell(hit: SearchHit, leg: Leg) -> str:
    """Rank and score in the leg, and its part of the fused score."""
    found = hit.legs.get(leg)
    if found is None:
        return "–"
    place = "not found" if found.rank is None else f"#{found.rank} ({found.score:.3f})"
    return f"{place} +{found.contribution:.3f}"


def _hit_facts(hit: SearchHit, explain: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "position": hit.position,
        "product_id": hit.product_id,
        "score": hit.score,
        "product": dict(hit.document),
    }
    if explain:
        facts["legs"] = {
            leg: {"rank": found.rank, "score": found.score, "contribution": found.contribution}
            for leg, found in hit.legs.items()
        }
        if hit.terms:
            facts["legs"][Leg.KEYWORDS]["terms"] = list(hit.terms)
    return facts
