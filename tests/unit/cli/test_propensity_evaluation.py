"""`millrace evaluate propensities` on the real logs: estimates agree with what was logged, and wrong logs do not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from cli.main import app
from demo.open_bandit import CAMPAIGNS, open_bandit
from learning.item_propensities import drifting_item_propensities, steady_item_propensities


def evaluate(data: Path, *options: str) -> Any:
    return CliRunner().invoke(app, ["evaluate", "propensities", "--data", str(data), *options], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> Any:
    result = evaluate(shared_data, "--json")
    assert result.exit_code == 0
    return orjson.loads(result.stdout)


@pytest.mark.data
@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_estimates_agree_with_the_logged_propensities(facts: Any, campaign: str) -> None:
    for policy in ("random", "bts"):
        items = facts["campaigns"][campaign]["items"][policy]
        assert items["compared"] >= 70
        assert items["inside"] / items["compared"] >= 0.9
        assert items["p_value"] >= 0.05
    assert facts["agree"]


@pytest.mark.data
@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_the_click_rate_of_random_is_found_in_the_log_of_bts(facts: Any, campaign: str) -> None:
    found = facts["campaigns"][campaign]

    for estimate in (found["from_bts"], found["from_bts_cut"]):
        assert estimate["difference"]["low"] <= 0 <= estimate["difference"]["high"]
    assert found["from_bts"]["mean_weight"]["low"] <= 1 <= found["from_bts"]["mean_weight"]["high"]
    assert 500 < found["from_bts_cut"]["effective_size"] < 1_000


@pytest.mark.data
@pytest.mark.parametrize("campaign", CAMPAIGNS)
@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_a_real_log_with_wrong_propensities_is_found_out(shared_data: Path, campaign: str, factor: float) -> None:
    log = open_bandit(shared_data / "open_bandit", "bts", campaign)
    wrong = replace(log, propensities=np.minimum(1.0, log.propensities * factor))

    assert drifting_item_propensities(wrong).p_value < 0.01


@pytest.mark.data
@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_a_learning_policy_is_not_taken_for_a_uniform_one(shared_data: Path, campaign: str) -> None:
    log = open_bandit(shared_data / "open_bandit", "bts", campaign)
    uniform = replace(log, propensities=np.full(len(log.items), 1 / log.item_count))

    assert steady_item_propensities(uniform).p_value < 0.001
    assert drifting_item_propensities(uniform).p_value < 0.001


@pytest.mark.data
def test_a_person_sees_three_tables(shared_data: Path) -> None:
    result = evaluate(shared_data)

    assert "Propensities of items at places" in result.stdout
    assert "Clicks by place in random order" in result.stdout
    assert "from bts, weights up to 100" in result.stdout


def test_a_folder_without_the_logs_is_told(tmp_path: Path) -> None:
    result = evaluate(tmp_path)

    assert result.exit_code == 1
    assert "random_men.csv.gz" in result.stderr
