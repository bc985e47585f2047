"""`millrace evaluate propensities`: what the estimators make of a log, beside the propensities that it holds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.output import JSON_HELP, Output
from demo.open_bandit import CAMPAIGNS, open_bandit
from learning.estimates import Estimate, difference, wilson
from learning.examination import examination
from learning.item_propensities import Agreement, drifting_item_propensities, steady_item_propensities
from learning.policy_values import PolicyValue, estimate_value
from learning.showings import PropensityError, Showings

_DATA_HELP = "Folder of the real data sets; open_bandit is read."
_SIGNIFICANT = 0.05
_PLACES = ("left", "centre", "right")


@dataclass(frozen=True, slots=True)
class CampaignPropensities:
    """`items` by policy. `shown` is the click rate of `random` in its own log; `from_bts` what the log of bts tells of
    it, by what the weights were cut at (None: not at all).
    """

    items: Mapping[str, Agreement]
    places: list[Estimate]
    shown: Estimate
    from_bts: Mapping[float | None, PolicyValue]

    @property
    def agrees(self) -> bool:
        differences = [difference(value.self_normalized, self.shown) for value in self.from_bts.values()]
        return all(each.p_value >= _SIGNIFICANT for each in self.items.values()) and all(
            each.holds(0.0) for each in differences
        )


def propensities_command(
    data: Annotated[Path, typer.Option(help=_DATA_HELP, envvar="MILLRACE_DATA")] = Path("../shared/data"),
    largest_weight: Annotated[
        float, typer.Option(min=1, help="Cut inverse-propensity weights here, too; 100: the root of 10,000 showings.")
    ] = 100.0,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Estimate propensities from the real Open Bandit logs, and compare them with those that the logs hold.

    Items: the chance of each item at each place, from what was shown alone. Places: how likely each is looked at, from
    lists in random order. Click rates: that of the random policy, estimated from the log of the learning policy (bts).
    All intervals are of 95 %. Takes a second.

    Example: millrace evaluate propensities --data ../shared/data --json

    With --json: agree, largest_weight, and campaigns (men, women), each with agrees, items (by policy: compared,
    inside, largest_deviation, p_value), places (value, low, high of each), shown, and from_bts, from_bts_cut (plain,
    self_normalized, difference, mean_weight, effective_size, clipped).
    """
    output = Output(as_json)
    with output.failing_on(PropensityError):
        found = {name: evaluate_campaign(data / "open_bandit", name, largest_weight) for name in CAMPAIGNS}
    output.show(_item_table(found))
    output.show(_place_table(found))
    output.show(_value_table(found))
    agree = all(each.agrees for each in found.values())
    output.show(f"estimates and log {'agree' if agree else 'do not agree'} within their intervals")
    campaigns = {name: _facts(each) for name, each in found.items()}
    output.finish({"agree": agree, "largest_weight": largest_weight, "campaigns": campaigns})


def evaluate_campaign(folder: Path, campaign: str, largest_weight: float) -> CampaignPropensities:
    """Raises PropensityError."""
    random, bts = open_bandit(folder, "random", campaign), open_bandit(folder, "bts", campaign)
    return CampaignPropensities(
        {"random": steady_item_propensities(random), "bts": drifting_item_propensities(bts)},
        examination(random),
        wilson(float(random.clicks.mean()), len(random.clicks)),
        {cut: _random_from(bts, cut) for cut in (None, largest_weight)},
    )


def _random_from(showings: Showings, cut: float | None) -> PolicyValue:
    weights = 1 / showings.item_count / showings.propensities
    return estimate_value(showings.clicks, weights, float("inf") if cut is None else cut)


def _item_table(found: Mapping[str, CampaignPropensities]) -> Table:
    table = Table(title="Propensities of items at places: estimated, against logged", box=None)
    for heading in ("", "policy", "compared", "inside 95 %", "largest deviation (standard errors)", "p, all together"):
        table.add_column(heading)
    for name, campaign in found.items():
        for policy, items in campaign.items.items():
            inside = f"{items.inside} ({items.inside / max(1, items.compared):.1%})"
            table.add_row(
                name, policy, str(items.compared), inside, f"{items.largest_deviation:.2f}", f"{items.p_value:.3f}"
            )
    return table


def _place_table(found: Mapping[str, CampaignPropensities]) -> Table:
    table = Table(title="Clicks by place in random order, over the first place", box=None)
    for heading in ("", *_PLACES):
        table.add_column(heading)
    for name, campaign in found.items():
        table.add_row(name, *(_cell(place, ".2f") for place in campaign.places))
    return table


def _value_table(found: Mapping[str, CampaignPropensities]) -> Table:
    table = Table(title="Click rate of random, in %", box=None)
    headings = ("", "", "by weights", "self-normalized", "minus what was clicked", "mean weight", "effective size")
    for heading in headings:
        table.add_column(heading)
    for name, campaign in found.items():
        table.add_row(name, "as clicked", _percent(campaign.shown))
        for cut, value in campaign.from_bts.items():
            table.add_row(
                name,
                "from bts" if cut is None else f"from bts, weights up to {cut:g}",
                _percent(value.plain),
                _percent(value.self_normalized),
                _percent(difference(value.self_normalized, campaign.shown), sign=True),
                _cell(value.mean_weight, ".2f"),
                f"{value.effective_size:.0f}",
            )
    return table


def _percent(estimate: Estimate, sign: bool = False) -> str:
    hundred = Estimate(100 * estimate.value, 100 * estimate.low, 100 * estimate.high)
    return _cell(hundred, "+.2f" if sign else ".2f")


def _cell(estimate: Estimate, form: str) -> str:
    return f"{estimate.value:{form}} \\[{estimate.low:{form}}, {estimate.high:{form}}]"


def _facts(campaign: CampaignPropensities) -> dict[str, Any]:
    items = {
        policy: {
            "compared": each.compared,
            "inside": each.inside,
            "largest_deviation": each.largest_deviation,
            "p_value": each.p_value,
        }
        for policy, each in campaign.items.items()
    }
    values = {
        "from_bts" if cut is None else "from_bts_cut": _value_facts(value, campaign.shown)
        for cut, value in campaign.from_bts.items()
    }
    places = [asdict(place) for place in campaign.places]
    return {"agrees": campaign.agrees, "items": items, "places": places, "shown": asdict(campaign.shown), **values}


def _value_facts(value: PolicyValue, shown: Estimate) -> dict[str, Any]:
    return {
        "plain": asdict(value.plain),
        "self_normalized": asdict(value.self_normalized),
        "difference": asdict(difference(value.self_normalized, shown)),
        "mean_weight": asdict(value.mean_weight),
        "effective_size": value.effective_size,
        "clipped": value.clipped,
    }
