"""Open Bandit's files as showings: places from 0, seconds, and clear words about what cannot be read."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from demo.open_bandit import CAMPAIGNS, POLICIES, open_bandit
from learning.showings import PropensityError

HEADER = ",timestamp,item_id,position,click,propensity_score,user_feature_0"
ROWS = (
    "0,2019-11-24 00:00:01.500000+00:00,2,1,0,0.5,x",
    "1,2019-11-24 00:00:02+00:00,0,2,1,0.25,y",
)


def write(folder: Path, header: str = HEADER, rows: tuple[str, ...] = ROWS) -> Path:
    folder.joinpath("bts_men.csv.gz").write_bytes(gzip.compress("\n".join((header, *rows, "")).encode()))
    folder.joinpath("bts_men_items.csv").write_text("item_id,item_feature_0\n0,.1\n1,.2\n2,.3\n")
    return folder


def test_impressions_become_showings(tmp_path: Path) -> None:
    log = open_bandit(write(tmp_path), "bts", "men")

    assert np.diff(log.times) == pytest.approx(0.5)
    assert log.items.tolist() == [2, 0]
    assert log.places.tolist() == [0, 1]
    assert log.clicks.tolist() == [0, 1]
    assert log.propensities.tolist() == [0.5, 0.25]
    assert log.item_count == 3


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        (HEADER.replace("click", "clicked"), ROWS, "click"),
        (HEADER, (ROWS[0].replace(",0.5,", ",much,"),), "much"),
        (HEADER, (ROWS[0].replace(",0.5,", ",,"),), "line 2"),
        (HEADER, (ROWS[0].replace(",2,1,", ",3,1,"),), "item"),
        (HEADER, (ROWS[0].replace(",2,1,", ",2,0,"),), "place"),
        (HEADER, ROWS[::-1], "order"),
        (HEADER, (ROWS[0].replace(",0.5,", ",nan,"),), "propensity"),
        (HEADER, (ROWS[0].removesuffix(",0,0.5,x"),), "line 2"),
        (HEADER, (), "empty"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, header: str, rows: tuple[str, ...], said: str) -> None:
    with pytest.raises(PropensityError, match=said) as refused:
        open_bandit(write(tmp_path, header, rows), "bts", "men")

    assert "bts_men.csv.gz" in str(refused.value)


def test_a_file_that_was_cut_off_is_told(tmp_path: Path) -> None:
    file = write(tmp_path) / "bts_men.csv.gz"
    file.write_bytes(file.read_bytes()[:-12])

    with pytest.raises(PropensityError, match="bts_men"):
        open_bandit(tmp_path, "bts", "men")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PropensityError, match="random_women"):
        open_bandit(tmp_path, "random", "women")


@pytest.mark.data
def test_every_real_log_is_read_whole(shared_data: Path) -> None:
    counts = {name: [len(open_bandit(shared_data / "open_bandit", policy, name).items) for policy in POLICIES]
              for name in CAMPAIGNS}  # fmt: skip

    assert counts == {"men": [10_000, 10_000], "women": [10_000, 10_000]}
