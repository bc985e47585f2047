"""Open Bandit, the log of a fashion shop under two policies, as showings with the propensities that it logged."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

from learning.showings import PropensityError, Showings

CAMPAIGNS = ("men", "women")
POLICIES = ("random", "bts")


def open_bandit(folder: Path, policy: str, campaign: str) -> Showings:
    """Of `POLICY_CAMPAIGN.csv.gz`; there are as many items as rows in the table of items. Raises PropensityError."""
    file, items = folder / f"{policy}_{campaign}.csv.gz", folder / f"{policy}_{campaign}_items.csv"
    try:
        with items.open(encoding="utf-8", newline="") as rows:
            item_count = sum(1 for _ in csv.DictReader(rows))
        table = np.array(list(_impressions(file)), dtype=np.float64).reshape(-1, 5)
        times, propensities = table[:, 0], table[:, 4]
        item_ids, positions, clicks = table[:, 1:4].T.astype(np.int64)
        return Showings(times, item_ids, positions - 1, clicks, propensities, item_count)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error, PropensityError) as error:
        raise PropensityError(f"{file}: {error}") from None


def _impressions(file: Path) -> Iterator[tuple[float, int, int, int, float]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as rows:
        reader = csv.DictReader(rows)
        for row in reader:
            try:
                yield (
                    datetime.fromisoformat(row["timestamp"]).timestamp(),
                    int(row["item_id"]),
                    int(row["position"]),
                    int(row["click"]),
                    float(row["propensity_score"]),
                )
            except KeyError as error:
                raise PropensityError(f"there is no column {error}") from None
            except (TypeError, ValueError) as error:
                raise PropensityError(f"line {reader.line_num}: {error}") from None
