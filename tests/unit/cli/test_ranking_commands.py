"""`millrace train ranker` and `millrace evaluate ranking`: from a log to a ranker that serves."""

import json
import random
import socket
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.output import Output
from cli.ranking_logs import example_log, own_log, read_log
from cli.settings import Settings
from feedback.example_log import ExampleLog
from ranking.ranker_factory import create_ranker
from ranking.ranker_folder import read_ranker
from ranking.rankers import RankerUnusable
from ranking.reranking_settings import RerankingSettings
from tests.unit.feedback.behavior import click_join, lists_of
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import Product
from topics.shop_log import in_order_of_time, read_shop_log

HASHES = {f"MILLRACE__ENCODERS__{name}__MODEL": "hash" for name in ("TEXT", "IMAGE")}
BRANDS = ("Ada", "Bob", "Cid")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"} | HASHES)


def product(number: int) -> dict[str, Any]:
    brand = BRANDS[number % 3]
    return {"id": f"p{number}", "updated_at": "2026-11-01T00:00:00Z", "title": f"Lamp {number}", "brand": brand}


def visits(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Each shopper loves one brand and clicks on its products alone, in three lists."""
    rng = random.Random(start)
    events: list[dict[str, Any]] = []
    for visit in range(start, start + count):
        loved, minute = visit // 3 % 3, f"2026-11-02T{visit // 60:02d}:{visit % 60:02d}"
        shown = rng.sample(range(30), 6)
        asked = {"query_id": f"q{visit}", "user_id": f"u{visit // 3}", "session_id": f"u{visit // 3}"}
        hits = {"query_response_hit_ids": [f"p{number}" for number in shown]}
        events.append(asked | hits | {"user_query": "", "timestamp": f"{minute}:00Z"})
        for number in shown:
            if number % 3 == loved:
                clicked = {"object": {"object_id": f"p{number}"}, "position": {"ordinal": 1}}
                about = {"action_name": "click", "event_attributes": clicked, "event_id": f"{visit}-{number}"}
                events.append(asked | about | {"timestamp": f"{minute}:{10 + number}Z"})
    return events


def written(path: Path, events: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("log") / "events.jsonl", [*map(product, range(30)), *visits(120)])


@pytest.fixture(scope="module")
def said(log: Path) -> str:
    """What a person reads; the ranker is in a folder beside the log."""
    result = invoke("train", "ranker", "--log", str(log), "--to", str(log.parent / "ranker"))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def ranker(log: Path, said: str) -> Path:
    return log.parent / "ranker"


def test_a_ranker_learns_what_each_shopper_loves(ranker: Path) -> None:
    report = read_ranker(ranker).report

    assert report["differences"]["as shown"]["low"] > 0
    assert report["by_list_number"][report["chosen"]]["3"]["mean"] > 0.9
    assert sum(report["feature_weights"].values()) == pytest.approx(1)


def test_the_server_takes_the_ranker_with_its_features_and_no_other(ranker: Path, said: str) -> None:
    assert create_ranker(RerankingSettings(ranker=ranker)).release in said
    fewer = RerankingSettings(ranker=ranker, features=RerankingSettings().features[:-1])
    with pytest.raises(RankerUnusable, match=r"trained on other features .*\(co_clicks\)"):
        create_ranker(fewer)


def test_a_person_is_told_how_good_it_is_and_how_to_serve_it(ranker: Path, said: str) -> None:
    assert f'[ranking.reranking]\nranker = "{ranker}"' in said.replace("\n\n", "\n")
    for order in ("as shown", f"re-ranked ({read_ranker(ranker).report['chosen']})", "random"):
        assert order in said
    assert "brand_affinity" in said
    assert "█" in said


def test_more_of_a_loved_brand_raises_the_score(ranker: Path) -> None:
    assert read_ranker(ranker).report["feature_directions"]["brand_affinity"] > 0.5


def test_another_log_is_measured_after_the_whole_of_the_first(log: Path) -> None:
    later = written(log.parent / "later.jsonl", visits(60, start=120))
    result = invoke("evaluate", "ranking", "--log", str(log), "--then", str(later), "--json")

    assert result.exit_code == 0, result.output
    facts = orjson.loads(result.stdout)
    assert facts["lists"] == 180
    assert facts["test_lists"] <= 60
    assert facts["train_lists"] > 100


def test_products_that_stand_behind_what_shows_them_are_known_from_the_start(log: Path) -> None:
    read = in_order_of_time(read_shop_log(log))
    behind = written(log.parent / "behind.jsonl", [*visits(120), *map(product, range(30))])
    known = own_log(behind, Settings())

    assert read_log(known, behind, Output(True)) == read


def test_a_later_log_brings_the_first_versions_of_new_products_alone(log: Path) -> None:
    before = list(read_shop_log(log))
    shown = {
        "query_response_hit_ids": ["p1", "new"],
        "user_query": "",
        "query_id": "q",
        "timestamp": "2026-11-03T00:00Z",
    }
    lines = [shown, product(1), product(1) | {"id": "new"}]
    later = written(log.parent / "then.jsonl", lines)
    read = read_log(own_log(later, Settings()), later, Output(True), before=before)

    assert [getattr(event, "id", "list") for event in read] == ["new", "list", "p1"]


def test_products_that_the_log_does_not_describe_are_told_of(log: Path, tmp_path: Path) -> None:
    few = written(tmp_path / "few.jsonl", [*map(product, range(28)), *visits(9)])
    result = invoke("evaluate", "ranking", "--log", str(few))

    assert "2 of 26 shown products are not described (p28, p29)" in result.output
    assert "tell nothing of a list" not in result.output
    assert "no query names" not in result.output


def test_what_tells_nothing_of_a_list_or_of_a_shopper_is_told_of(tmp_path: Path) -> None:
    names = {"user_id", "session_id"}
    anonymous = [{name: value for name, value in event.items() if name not in names} for event in visits(9)]
    clicks = [event for event in anonymous if "action_name" in event]
    clicks[0]["action_name"], clicks[1]["query_id"], clicks[2]["action_name"] = "klick", "q99", "impression"
    result = invoke("evaluate", "ranking", "--log", str(written(tmp_path / "log.jsonl", anonymous)))

    assert "2 events tell nothing of a list: the log has" in result.output
    assert "no query names a user_id, client_id or session_id" in result.output


def test_products_that_are_described_later_than_they_were_shown_are_told_of(tmp_path: Path) -> None:
    newest = [product(number) | {"updated_at": f"2026-11-0{1 + number % 2 * 2}T00:00:00Z"} for number in range(30)]
    result = invoke("evaluate", "ranking", "--log", str(written(tmp_path / "log.jsonl", [*newest, *visits(9)])))

    assert "13 of 26 shown products are described only later" in result.output


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([{"id": "p1"}], "line 1: updated_at: Field required"),
        ([{"event": "item", "id": "1", "item": "1", "fields": []}], "in which only --on ranklens is read"),
        (visits(9), "of 9 lists have products that were acted upon"),
    ],
)
def test_a_log_that_teaches_nothing_is_said_to(tmp_path: Path, lines: list[dict[str, Any]], reason: str) -> None:
    result = invoke("train", "ranker", "--log", str(written(tmp_path / "log.jsonl", lines)))

    assert result.exit_code == 1
    assert reason in result.output


EVENTS = visits(60)
QUERIES = [event for event in EVENTS if "user_query" in event]


def changed(**fields: Any) -> list[dict[str, Any]]:
    """All that was done, in lists that are as they were."""
    return [event if "user_query" in event else event | fields for event in EVENTS]


@pytest.mark.parametrize(
    ("lines", "counts", "step"),
    [
        ([], "0 products, 0 queries", "Add queries"),
        ([product(1)], "1 products, 0 queries", "Add queries"),
        ([event for event in EVENTS if "action_name" in event], "0 queries", "Add queries"),
        ([event | {"query_response_hit_ids": []} for event in EVENTS], "60 queries (0 with", "Write what was shown"),
        (QUERIES, "0 events", "Add events"),
        (changed(event_attributes={}, object_id="p1"), ": 0 name a product", "Name an event's product"),
        (changed(query_id="other"), ", 0 of these a query of the log", "Give an event the query_id"),
        (
            changed(event_attributes={"object": {"object_id": "?"}}),
            ", 0 of these a product",
            "Give an event an object_id",
        ),
        (changed(action_name="klick"), ", 0 of these with an action", "Actions that count are click"),
    ],
)
def test_a_log_of_which_nothing_belongs_together_is_said_to_have_what_it_has_and_lacks(
    tmp_path: Path, lines: list[dict[str, Any]], counts: str, step: str
) -> None:
    result = invoke("evaluate", "ranking", "--log", str(written(tmp_path / "log.jsonl", lines)))

    assert result.exit_code == 1
    assert "there is nothing to learn" in result.output
    assert counts in result.output
    assert step in result.output


def test_a_ranker_that_loses_against_the_order_shown_is_not_offered_without_a_word(tmp_path: Path) -> None:
    clicks = [event for event in EVENTS if "user_query" not in event]
    first = {query["query_id"]: {"object": {"object_id": query["query_response_hit_ids"][0]}} for query in QUERIES}
    lines = [*QUERIES, *(click | {"event_attributes": first[click["query_id"]]} for click in clicks)]
    blind = tmp_path / "blind.toml"
    brand = '{ name = "brand", source = "affinity", field = "brand" }'
    blind.write_text(f"[ranking.reranking]\nfeatures = [{brand}]\nweights = {{ brand = 1 }}\n")
    log = str(written(tmp_path / "log.jsonl", [*map(product, range(30)), *lines]))
    result = invoke("evaluate", "ranking", "--log", log, "--config", str(blind), "--no-vectors", "--share", "0.5")

    assert result.exit_code == 0, result.output
    assert "warning: this ranker is worse than the order shown" in result.output


def test_too_few_lists_are_said_to_be_too_few_of_what(tmp_path: Path) -> None:
    result = invoke("evaluate", "ranking", "--log", str(written(tmp_path / "log.jsonl", visits(9))), "--no-vectors")

    assert "20 are needed at least. The log has 0 products, 9 queries (9 with" in result.output


def test_propensities_that_cannot_be_used_are_said_to(log: Path, tmp_path: Path) -> None:
    result = invoke("train", "ranker", "--log", str(log), "--propensities", str(tmp_path / "nothing.json"))

    assert result.exit_code == 1
    assert "--propensities takes auto, none or a file" in result.output


def test_a_folder_without_examples_is_said_to_have_none(tmp_path: Path) -> None:
    result = invoke("evaluate", "ranking", "--examples", str(tmp_path))

    assert result.exit_code == 1
    assert "holds no example log" in result.output


def test_examples_come_after_the_products_of_a_file(log: Path, tmp_path: Path) -> None:
    queries, events = [], []
    for event in read_shop_log(log):
        if isinstance(event, BehaviorQuery):
            queries.append(event)
        elif isinstance(event, BehaviorEvent):
            events.append(event)
    lists = lists_of([click_join().join(queries, events)]).values()
    ExampleLog(str(tmp_path), lambda _: {}).write(list(lists), "all")

    read = list(example_log(tmp_path, log, Settings()).events(tmp_path))
    assert [type(event) for event in read[:31]] == [Product] * 30 + [BehaviorQuery]
    assert len(read) == 30 + len(queries) + len(events)


def test_products_alone_are_no_log(log: Path) -> None:
    assert invoke("evaluate", "ranking", "--log", str(log), "--products", str(log)).exit_code == 2


def test_a_port_that_is_taken_is_said_to_before_anything_is_trained(log: Path, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        result = invoke("train", "ranker", "--log", str(log), "--serve", "--port", port, "--folder", str(tmp_path))

    assert result.exit_code == 1
    assert f"port {port} cannot be used" in result.output


@pytest.mark.parametrize("serve", [[], ["--serve"]])
def test_a_folder_that_holds_something_else_is_left_alone_before_anything_is_read(log: Path, serve: list[str]) -> None:
    result = invoke("train", "ranker", "--log", "nowhere.jsonl", "--to", str(log.parent), *serve)

    assert result.exit_code == 1
    assert "holds other files and no ranker" in result.output


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--headless"], "--headless goes with --serve"),
        (["--port", "8080"], "--port goes with --serve"),
        (["--folder", "shop"], "--folder goes with --serve"),
        (["--seconds", "5"], "--seconds goes with --serve"),
        (["--serve", "--seconds", "5"], "--seconds goes with --headless"),
    ],
)
def test_options_of_serving_are_not_taken_in_vain(options: list[str], reason: str) -> None:
    result = invoke("train", "ranker", "--log", "nowhere.jsonl", *options)

    assert result.exit_code == 2
    assert reason in result.output


def test_one_log_is_named(log: Path) -> None:
    assert invoke("evaluate", "ranking").exit_code == 2
    assert invoke("evaluate", "ranking", "--log", str(log), "--on", "ranklens").exit_code == 2
