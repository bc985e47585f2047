"""`millrace evaluate relevance` as a person and as a program meet it."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from cli.evaluate import measure_relevance, relevance_table
from cli.main import app
from cli.output import Output
from learning.qrels import Judgments, read_trec_qrels, read_trec_run
from learning.relevance import RelevanceOptions

OPTIONS = RelevanceOptions(resamples=50)
JUDGMENTS = Judgments(
    {"1": {"a": 3, "b": 0}, "2": {"c": 2, "d": 1}, "3": {"a": 0}}, {"1": "mouse", "2": "screen", "3": "nothing"}
)
EMBEDDED = """
[encoders.text]
model = "hash"
[encoders.image]
model = "hash"
[index]
kind = "memory"
"""


class ListSearcher:
    def rank(self, query_text: str, limit: int, only: Sequence[str] | None = None) -> list[tuple[str, float]]:
        return [(product, 1.0) for product in ["x", "a", "b", "c", "d"] if only is None or product in only][:limit]


def evaluate_relevance(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, ["evaluate", "relevance", *map(str, arguments)])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    ratings, config = tmp_path / "ratings.csv", tmp_path / "millrace.toml"
    ratings.write_text("query,docid,rating\nmouse,a,3\nmouse,b,0\nscreen,c,0\n")
    config.write_text(EMBEDDED)
    return ratings, config


def test_both_views_are_measured_and_can_be_told_to_a_program() -> None:
    result = measure_relevance(ListSearcher(), JUDGMENTS, OPTIONS, Output(as_json=True))

    facts = json.loads(json.dumps(result.facts(OPTIONS)))
    assert (facts["queries"], facts["queries_without_a_positive_rating"]) == (2, 1)
    assert facts["judged"]["NDCG@10"]["mean"] == 1
    assert facts["full"]["RR"]["mean"] == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert facts["options"]["threshold"] == 2
    assert "full_minus_other_run" not in facts


def test_an_earlier_run_is_compared() -> None:
    perfect = {"1": [("a", 1.0)], "2": [("c", 1.0), ("d", 0.5)]}

    result = measure_relevance(ListSearcher(), JUDGMENTS, OPTIONS, Output(as_json=True), perfect)

    assert result.difference is not None
    assert result.difference["RR"].mean == pytest.approx(3 / 8 - 1)
    console = Console(width=160, record=True)
    console.print(relevance_table(result))
    text = console.export_text()
    assert "minus the other run" in text
    assert "-0.625" in text


def test_the_table_has_means_and_intervals() -> None:
    console = Console(width=160, record=True)
    console.print(relevance_table(measure_relevance(ListSearcher(), JUDGMENTS, OPTIONS, Output(as_json=True))))

    text = console.export_text()
    assert "1.000 [1.000, 1.000]" in text
    assert all(name in text for name in ("NDCG@10", "P@10", "R@100", "F1@10", "AP", "RR", "Judged@10"))


def test_the_command_writes_a_run_that_trec_tools_and_it_itself_can_read(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    ratings, config = files
    run = tmp_path / "today.run"

    first = evaluate_relevance(ratings, "--config", config, "--run-file", run, "--json")
    second = evaluate_relevance(
        tmp_path / "today.qrels",
        "--queries",
        tmp_path / "today.queries",
        "--config",
        config,
        "--against",
        run,
        "--json",
    )

    assert first.exit_code == 0, first.stderr
    assert json.loads(first.stdout)["queries"] == 1
    assert "1 queries have no rating above 0" in first.stderr
    assert read_trec_run(run) == {}
    assert read_trec_qrels(tmp_path / "today.qrels", tmp_path / "today.queries").texts["1"] == "mouse"
    assert second.exit_code == 0, second.stderr
    assert json.loads(second.stdout)["full_minus_other_run"]["AP"]["mean"] == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--columns", "query,docid"], "write three column names"),
        (["--columns", "words,docid,rating"], "no column 'words'; the first line has query, docid, rating"),
        (["--against", "none.run"], "none.run"),
        (["--queries", "none.tsv"], "none.tsv"),
    ],
)
def test_mistakes_are_answered_with_the_next_step(
    files: tuple[Path, Path], arguments: list[str], complaint: str
) -> None:
    ratings, config = files

    result = evaluate_relevance(ratings, "--config", config, *arguments)

    assert result.exit_code in (1, 2)
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr


def test_help_teaches_with_an_example() -> None:
    assert "Example: millrace evaluate relevance" in evaluate_relevance("--help").stdout


def test_a_folder_of_runs_can_be_compared(files: tuple[Path, Path], tmp_path: Path) -> None:
    ratings, config = files

    answer = evaluate_relevance(ratings, "--config", config, "--runs", tmp_path / "runs")

    assert answer.exit_code == 0, answer.stderr
    assert sorted(path.name for path in (tmp_path / "runs").glob("text.*")) == [
        "text.as-served.run",
        "text.encoders.jsonl",
        "text.products.jsonl",
        "text.qrels",
        "text.queries",
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "give a file of RATINGS, or a catalogue"),
        (["--photos", "mine.csv"], "add --on groceries"),
        (["ratings.csv", "--on", "groceries"], "brings its own answers"),
        (["ratings.csv", "--reuse-index"], "--reuse-index goes with --on"),
        (["--on", "icecat", "--leg", "text"], "--leg does not go with --on"),
        (["--on", "icecat", "--data", "nowhere"], "no real data at nowhere"),
        (["--on", "icecat", "--reuse-index"], "holds no index"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    data = tmp_path / "icecat_chorus"
    data.mkdir()
    (data / "ratings.csv").write_text("query,docid,rating\nmouse,a,3\n")
    data_option = [] if "--data" in arguments else ["--data", tmp_path]

    work = ["--work", tmp_path / "work"] if "--on" in arguments else []
    answer = evaluate_relevance(*arguments, *data_option, *work)

    assert answer.exit_code in (1, 2)
    assert complaint in " ".join(answer.stderr.replace("│", " ").split())
    assert "Traceback" not in answer.stderr
