"""Open Bandit, the log of a fashion shop under two policies, as showings with the propensities that it logged."""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from learning.propensities import PropensityError, Showings

CAMPAIGNS = ("men", "women")
POLICIES = ("random", "bts")
_COLUMNS = {
    "timestamp": pa.timestamp("us", tz="UTC"),
    "item_id": pa.int64(),
    "position": pa.int64(),
    "click": pa.int64(),
    "propensity_score": pa.float64(),
}


def open_bandit(folder: Path, policy: str, campaign: str) -> Showings:
    """The impressions of `POLICY_CAMPAIGN.csv.gz`, of as many items as the table of items has. Raises PropensityError."""
    file, items = folder / f"{policy}_{campaign}.csv.gz", folder / f"{policy}_{campaign}_items.csv"
    convert = arrow_csv.ConvertOptions(column_types=_COLUMNS, include_columns=list(_COLUMNS))
    try:
        table = arrow_csv.read_csv(file, convert_options=convert)
        with items.open(encoding="utf-8", newline="") as rows:
            item_count = sum(1 for _ in csv.DictReader(rows))
    except (OSError, pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        raise PropensityError(f"{file}: {error}") from None
    columns = {name: table[name].to_numpy() for name in _COLUMNS}
    try:
        return Showings(
            columns["timestamp"].astype("datetime64[us]").astype(np.float64) / 1e6,
            columns["item_id"],
            columns["position"] - 1,
            columns["click"],
            columns["propensity_score"],
            item_count,
        )
    except PropensityError as error:
        raise PropensityError(f"{file}: {error}") from None
