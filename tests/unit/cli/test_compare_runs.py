"""`millrace evaluate compare`, and the folders of runs that it reads."""

import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from cli.catalogue_evaluation import CatalogueOptions
from cli.main import app
from cli.run_folder import read_run, write_runs
from cli.settings import load_settings
from cli.wiring import Parts, open_parts
from index.base import TEXT_FIELD, Applied, ContentHashes, Outcome, ProductRow
from learning.qrels import Judgments, RankedRun
from learning.query_sets import QueryPicture, QuerySet

EMBEDDED = '[encoders.text]\nmodel = "hash"\n[encoders.image]\nmodel = "hash"\n[index]\nkind = "memory"\n'
HOSTILE = "</script><script>alert(1)</script><b>mouse"
QUERIES = QuerySet(
    "text and pictures",
    Judgments({"1": {"a/1": 3, "b": 0}, "2": {"c": 2}, "3": {"b": 0}}, {"1": HOSTILE, "2": "screen", "3": "none"}),
    pictures={"2": QueryPicture("screen.jpg", lambda: Image.new("RGB", (300, 200), "blue"))},
)
BEFORE: RankedRun = {"1": [("b", 0.9), ("a/1", 0.8)], "2": [("c", 1.0)]}
AFTER: RankedRun = {"1": [("a/1", 0.9), ("d", 0.8)], "2": [("c", 1.0)]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    pictures, config = folder / "pictures", folder / "millrace.toml"
    pictures.mkdir()
    Image.new("RGB", (200, 400), "red").save(pictures / "a.png")
    config.write_text(f'{EMBEDDED}[encoders.image_sources]\nfile_root = "{pictures}"\n')
    with open_parts(load_settings(config)) as parts:
        _add(parts, "a/1", {"title": HOSTILE, "price": 1234.5, "currency": "EUR", "image_links": ["file:a.png"]})
        _add(parts, "b", {"title": "Cable", "image_links": ["file:gone.png"]})
        write_runs(folder, QUERIES, {"as served": BEFORE, "other": AFTER}, parts)
    return folder


def _add(parts: Parts, product_id: str, document: dict[str, object]) -> None:
    vectors = {TEXT_FIELD: parts.text_encoder.encode_texts(["product"])[0]}
    row = ProductRow(product_id, 1, {"id": product_id, **document}, "", ContentHashes(), vectors)
    assert parts.index.apply([row]) == [Applied(Outcome.WRITTEN)]


def compare(*arguments: object) -> Result:
    command = ["evaluate", "compare", *map(str, arguments)]
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, command)


def test_a_run_comes_back_with_its_products_and_pictures(runs: Path) -> None:
    stored = read_run(runs / "text-and-pictures.as-served.run")

    assert stored.run == BEFORE
    assert stored.judgments.texts["2"] == "screen.jpg + screen"
    assert stored.products["a/1"]["price"] == 1234.5
    assert stored.products["a/1"]["picture"].startswith("data:image/webp;base64,")
    assert stored.products["b"]["picture"] == ""
    assert list(stored.pictures) == ["2"]
    assert [release.partition("@")[0] for release in stored.encoders] == ["hash", "hash"]


def test_the_page_stands_alone_and_shows_both_lists(runs: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    names = [runs / f"text-and-pictures.{system}.run" for system in ("as-served", "other")]

    answer = compare(*names, "--page", page, "--json")

    assert answer.exit_code == 0, answer.stderr
    facts = json.loads(answer.stdout)
    assert (facts["queries"], facts["gains"], facts["losses"]) == (2, 1, 0)
    assert facts["by_query"][0]["query_id"] == "1"
    assert facts["difference"]["mean"] == pytest.approx(facts["after"]["mean"] - facts["before"]["mean"])
    html = page.read_text()
    assert html.count("data:image/webp") == 2, "each picture once: the product's and the query's"
    assert not re.search(r"(src|href)=\"(?!#)|https?:", html)
    assert "alert(1)</script>" not in html, "titles are text"
    assert ["▲ 1" in html, "gone" in html, "new" in html] == [True] * 3


def test_the_same_run_twice_changes_nothing(runs: Path, tmp_path: Path) -> None:
    run = runs / "text-and-pictures.other.run"

    answer = compare(run, run, "--page", tmp_path / "page.html")

    assert answer.exit_code == 0, answer.stderr
    assert "0 queries gain, 0 lose" in answer.stdout


def test_a_folder_of_several_runs_asks_which(runs: Path, tmp_path: Path) -> None:
    answer = compare(runs, runs, "--page", tmp_path / "page.html")

    assert answer.exit_code == 1
    assert "name one of its run files" in answer.stderr
    assert "text-and-pictures.as-served.run" in answer.stderr


def test_runs_of_other_judgments_are_refused(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "text.run").write_text("1 Q0 b 1 0.5 x\n")
    (tmp_path / "text.qrels").write_text("1 0 b 1\n")
    (tmp_path / "text.queries").write_text("1\tmouse\n")

    answer = compare(runs / "text-and-pictures.other.run", tmp_path, "--page", tmp_path / "page.html")

    assert answer.exit_code == 1
    assert "different judgments" in answer.stderr


def test_two_settings_files_are_compared_on_one_index(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[CatalogueOptions] = []

    def evaluated(options: CatalogueOptions, _: object, folder: Path, __: object) -> dict[str, object]:
        asked.append(options)
        shutil.copytree(runs, folder)
        return {"query_sets": {"text and pictures": {}, "others": {}}}

    monkeypatch.setattr("cli.compare_runs.evaluate_catalogue", evaluated)
    command = ["one.toml", "two.toml", "--on", "groceries", "--work", tmp_path, "--page", tmp_path / "page.html"]

    answer = compare(*command)

    assert answer.exit_code == 0, answer.stderr
    assert [(options.config, options.reuse_index) for options in asked] == [
        (Path("one.toml"), False),
        (Path("two.toml"), True),
    ]
    assert "1-one/text-and-pictures.as-served" in answer.stdout
    shutil.rmtree(tmp_path / "runs")
    assert "no queries 'more'; there are: text and pictures, others" in compare(*command, "--queries", "more").stderr
