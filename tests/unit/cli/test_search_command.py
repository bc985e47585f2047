"""`millrace search`: results and reasons for people and for programs."""

import json
from pathlib import Path

import pytest
import typer
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner, Result

from cli.output import Output
from cli.search import read_picture, search_command, show_answer
from encoders.base import EncoderError
from encoders.settings import ImageLimits
from ranking.fusion import Leg, LegHit
from ranking.queries import QueryKind, SearchAnswer, SearchHit, Total
from ranking.query_understanding import UnderstoodQuery

ANSWER = SearchAnswer(
    kind=QueryKind.TEXT,
    text="mouse",
    hits=[
        SearchHit(
            1,
            "p1",
            0.75,
            {"title": "Mouse [wireless]" + "x" * 100, "price": 1234.5, "currency": "EUR"},
            {Leg.TEXT: LegHit(2, 0.6, 0.25), Leg.KEYWORDS: LegHit(1, 12.5, 0.5)},
        ),
        SearchHit(2, "p2", 0.1, {"title": "Cable"}, {Leg.KEYWORDS: LegHit(2, 3.0, 0.1)}),
    ],
    total=Total(2, exact=False),
    understood=UnderstoodQuery("mouse", "en", (), ()),
    left_out={Leg.IMAGE: "drawn-clip was not trained on this text's script"},
)
EMBEDDED = '[encoders.text]\nmodel = "hash"\n[encoders.image]\nmodel = "hash"\n[index]\nkind = "memory"\n'


def spoken(explain: bool, as_json: bool = False) -> tuple[str, str]:
    results, notes = (
        Console(width=250, record=True, quiet=False, file=None, stderr=stderr) for stderr in (False, True)
    )
    show_answer(ANSWER, explain, Output(as_json, results, notes))
    return results.export_text(), notes.export_text()


def millrace_search(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(search_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "millrace.toml"
    path.write_text(EMBEDDED)
    return path


def test_results_are_a_table_and_reasons_come_on_request() -> None:
    plain, _ = spoken(explain=False)
    explained, notes = spoken(explain=True)

    assert "Mouse [wireless]" in plain
    assert "1,234.50 EUR" in plain
    assert "#1 (12.500) +0.500" not in plain
    assert "#1 (12.500) +0.500" in explained
    assert "image was not asked: drawn-clip" in notes


def test_programs_get_everything(capsys: pytest.CaptureFixture[str]) -> None:
    show_answer(ANSWER, explain=True, output=Output(as_json=True))

    facts = json.loads(capsys.readouterr().out)
    assert [hit["product_id"] for hit in facts["hits"]] == ["p1", "p2"]
    assert facts["hits"][0]["legs"]["text"] == {"rank": 2, "score": 0.6, "contribution": 0.25}
    assert facts["left_out"] == {"image": "drawn-clip was not trained on this text's script"}


def test_an_empty_index_says_where_to_look(config: Path) -> None:
    result = millrace_search("mouse", "--config", config, "--json")

    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["hits"] == []
    assert "millrace doctor" in result.stderr


def test_a_search_for_nothing_is_refused(config: Path) -> None:
    result = millrace_search("--config", config)

    assert result.exit_code == 1
    assert "a query needs text, a picture, or both" in result.stderr


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_a_picture_that_cannot_be_read_is_named(config: Path, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "dress.jpg"
    if content is not None:
        path.write_bytes(content)

    result = millrace_search("--image", path, "--config", config)

    assert result.exit_code == 1
    assert "dress.jpg" in result.stderr
    assert "Traceback" not in result.stderr


def test_pictures_are_held_to_the_limits_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (200, 100)).save(path)

    assert read_picture(path, ImageLimits(max_edge=50)).size == (50, 25)
    with pytest.raises(EncoderError, match=r"large\.png"):
        read_picture(path, ImageLimits(max_pixels=1_000))
