"""`millrace shoppers`: simulated shoppers with hidden tastes in a running drawn shop."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.output import JSON_HELP, Output
from cli.shopper_visits import MEASURE, ShopperVisits, interval_told, round_told
from demo.shoppers.shop_client import ShopUnavailable
from demo.shoppers.simulation import SimulationOptions

_LOOK_SECONDS = 0.5


def shoppers_command(  # noqa: PLR0913 - each is an option of the command
    url: Annotated[str, typer.Option(help="Of a server whose shop is the drawn one.")] = "http://127.0.0.1:8080",
    shoppers: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20,
    sessions: Annotated[int, typer.Option(min=1, help="How often each of them comes.")] = 10,
    per_second: Annotated[
        float, typer.Option(min=0.01, max=100, help="Sessions that begin a second, over all shoppers.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Other shoppers, with other tastes.")] = 1,
    page: Annotated[
        Path | None,
        typer.Option(help="Keep a page (HTML) of the curve up to date, and beside it one in Chinese."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Let simulated shoppers visit a running shop, and say how well what it shows them fits their hidden tastes.

    They search, look down the list, click and buy through the HTTP API, as people would. The last search of each
    session is asked without a name, too, which the shop is told not to count: the difference is what it has learnt of
    the shopper. Intervals are of 95 %, over shoppers.

    Exit code 1 when the shop does not answer, or has nothing that they like.

    Example: millrace shoppers --url http://127.0.0.1:8080 --sessions 10 --page shoppers.html

    With --json: shoppers, searches, clicks, events, failed_requests, measure, rounds (session, shoppers, searches,
    personalized, plain, difference: each mean, low, high), overall (the same over all sessions), page.
    """
    output = Output(as_json)
    options = SimulationOptions(shoppers=shoppers, sessions=sessions, sessions_per_second=per_second, seed=seed)
    with output.failing_on(ShopUnavailable, OSError):
        visits = ShopperVisits(url, options, page, lambda one: output.note(round_told(one)))
        total = shoppers * sessions * options.searches_per_session
        with visits, output.progress("shopping", total) as advance:
            while visits.wait(_LOOK_SECONDS):
                advance(visits.searches, "")
    facts = visits.facts()
    if visits.failure:
        output.fail(visits.failure, facts)
    if facts["overall"] is None:
        output.fail(f"{visits.address} showed nothing that any of them likes: is its shop the drawn one?", facts)
    output.show(_table(visits))
    output.finish(facts)


def _table(visits: ShopperVisits) -> Table:
    table = Table(title=f"{MEASURE} against the hidden tastes, mean [95 % interval]", box=None)
    for heading in ("session", "personalized", "not", "difference (paired)"):
        table.add_column(heading)
    for one in visits.rounds:
        compared = one.comparison
        cells = (
            interval_told(compared.personalized),
            interval_told(compared.plain),
            interval_told(compared.difference, sign=True),
        )
        table.add_row(str(one.session), *(cell.replace("[", "\\[") for cell in cells))
    return table
