"""The two commands of the small CLIP, on one step of training and on small pictures: what they write and say."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.drawn_clip import evaluate_drawn_clip, train_drawn_clip
from demo.drawn_shop import evaluation
from demo.drawn_shop.rendering import Series

pytestmark = pytest.mark.services  # they draw in processes of their own, for many seconds

_APP = typer.Typer()
_APP.command("train")(train_drawn_clip)
_APP.command("evaluate")(evaluate_drawn_clip)


def _run(*arguments: str) -> Any:
    result = CliRunner().invoke(_APP, [*arguments, "--json", "--processes", "2"], catch_exceptions=False)
    return result.exit_code, json.loads(result.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clip")


@pytest.fixture(scope="module")
def trained(folder: Path) -> Any:
    cache = str(folder / "cache")
    return _run("train", str(folder / "model"), "--steps", "1", "--pictures", "1", "--cache", cache)


def test_training_writes_a_folder_and_tells_about_it(trained: Any, folder: Path) -> None:
    exit_code, facts = trained
    assert exit_code == 0
    assert facts.keys() == {"folder", "seconds", "losses", "parameters", "vocabulary", "size_bytes"}
    record = json.loads((folder / "model" / "training.json").read_text())
    assert record["parameters"] == facts["parameters"] > 1_000_000
    assert record["settings"]["steps"] == 1
    assert len(list((folder / "cache").iterdir())) == 1


@pytest.mark.usefixtures("trained")
def test_evaluating_goes_through_the_encoder_that_serves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "GALLERIES", {"noisy": Series(first_seed=1, count=2, side=32, clean=False)})
    saved = folder / "evaluation.json"
    exit_code, facts = _run("evaluate", "--model", str(folder / "model"), "--save", str(saved))
    assert exit_code == 0
    assert facts.keys() == {"model", "release", "looks", "held_out", "seconds", "galleries"}
    assert (facts["looks"], facts["held_out"]) == (640, 128)
    assert json.loads(saved.read_text()) == facts
    english = facts["galleries"]["noisy"]["languages"]["en"]
    assert english["text_to_picture"]["at_1"] < 0.2  # one step teaches nothing: the figures are measured, not quoted


def test_a_model_that_is_not_there_ends_with_a_remedy(tmp_path: Path) -> None:
    exit_code, facts = _run("evaluate", "--model", str(tmp_path / "none"))
    assert exit_code == 1
    assert "none is not there" in facts["error"]
