"""How likely places are looked at, as `--propensities` says: by the log itself, by a file, or alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from learning.examination import examination_of_lists
from learning.ranked_lists import ObservedList
from learning.showings import PropensityError

PROPENSITIES_HELP = (
    "How likely the places 1, 2, ... of a list are looked at: auto (by lists of the log in random order, where it has "
    "them), none (all alike), or a file with a JSON list such as [1, 0.7, 0.5], the last for all that follow."
)
AUTO = "auto"
NONE = "none"
_CHANCES: TypeAdapter[list[float]] = TypeAdapter(
    Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1)]
)


@dataclass(frozen=True, slots=True)
class Propensities:
    """`examination` is empty where all places count alike; `said` tells a person what is used, and why."""

    source: str
    said: str
    examination: Sequence[float] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        return {"source": self.source, "examination": list(self.examination), **self.details}


def propensities(wanted: str, lists: Sequence[ObservedList]) -> Propensities:
    """Raises PropensityError for a file that cannot be used."""
    if wanted == NONE:
        return Propensities(NONE, "Clicks count alike at every place.")
    if wanted == AUTO:
        return _of_log(lists)
    chances = _of_file(Path(wanted))
    said = f"Clicks are weighed by inverse propensity, as {wanted} has it for {len(chances)} places."
    return Propensities("file", said, chances)


def _of_log(lists: Sequence[ObservedList]) -> Propensities:
    try:
        found = examination_of_lists(lists)
    except PropensityError as reason:
        return Propensities(NONE, f"Clicks count alike at every place: {reason}.")
    places = ", ".join(f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in found.estimates[1:])
    said = (
        f"Clicks are weighed by inverse propensity: {found.lists} lists in random order say that the places from the "
        f"second on are looked at {places} times as often as the first, and those behind like the last of them."
    )
    intervals = [[one.low, one.high] for one in found.estimates]
    return Propensities("log", said, found.chances, {"intervals": intervals, "lists": found.lists})


def _of_file(path: Path) -> list[float]:
    try:
        return _CHANCES.validate_json(path.read_bytes())
    except OSError as error:
        raise PropensityError(f"--propensities takes {AUTO}, {NONE} or a file: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "".join(f", place {part + 1}" for part in first["loc"] if isinstance(part, int))
        raise PropensityError(f"{path}{place}: {first['msg']}; write a JSON list such as [1, 0.7, 0.5]") from None
