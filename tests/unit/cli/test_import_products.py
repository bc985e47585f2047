"""`millrace import` as a person and as a program meet it; nothing here needs a broker."""

import json
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.import_products import find_mapping, import_command, parse_time
from topics.mapping import MappingFileError, ProductMapping

GROCERY = (
    "class_id,class_name,coarse_id,coarse_name,icon_file,description\n"
    "1,Granny-Smith,0,Apple,granny.jpg,Green and sour.\n"
    "5,Avocado,1,Avocado,avocado.jpg,Creamy.\n"
)


@pytest.fixture
def grocery(tmp_path: Path) -> Path:
    path = tmp_path / "products.csv"
    path.write_text(GROCERY)
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    path = tmp_path / "iconic.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("granny.jpg", b"one")
        packed.writestr("avocado.jpg", b"two")
    return path


def millrace_import(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(import_command)
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])


def test_a_dry_run_checks_every_line_and_sends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "products.jsonl"
    file.write_text('{"id": "a", "title": "Dress"}\n{"id": "b", "title": "Shoes"}\n')

    result = millrace_import(file, "--dry-run", "--json")

    assert result.exit_code == 0
    facts = json.loads(result.stdout)
    assert (facts["read"], facts["sent"], facts["refused"]) == (2, 0, 0)
    assert "leave --dry-run out" in result.stderr


def test_bad_lines_are_told_counted_and_end_in_exit_code_1(tmp_path: Path) -> None:
    file = tmp_path / "products.jsonl"
    lines = [
        '{"id": "a", "title": "Dress", "price": 99999999999, "currency": "EUR"}',
        '{"id": "b", "title": "Shoes"}',
        '{"id": "c"}',
        "nonsense",
        '{"id": "d", "title": "x", "attributes": {"size": null}}',
    ]
    file.write_text("\n".join(lines))

    result = millrace_import(file, "--dry-run", "--json")

    assert result.exit_code == 1
    facts = json.loads(result.stdout.splitlines()[-1])
    assert (facts["read"], facts["refused"]) == (5, 4)
    assert facts["refused_by_reason"] == {"price": 1, "title": 1, "not JSON": 1, "attributes": 1}
    assert [bad["line"] for bad in facts["refused_lines"]] == [1, 3, 4, 5]
    assert "mend the lines" in facts["error"]
    assert "line 1: price: Input should be less than or equal to 1000000000" in result.stderr
    assert "line 3: title: Field required" in result.stderr


def test_a_product_that_no_index_can_hold_is_a_bad_line(tmp_path: Path) -> None:
    attributes = {f"a{number}": "x" * 10_000 for number in range(7)}
    file = tmp_path / "products.jsonl"
    products = [{"id": "a", "title": "Dress", "attributes": attributes}, {"id": "b", "title": "Shoes"}]
    file.write_text("".join(json.dumps(product) + "\n" for product in products))

    result = millrace_import(file, "--dry-run", "--json")

    assert result.exit_code == 1
    facts = json.loads(result.stdout)
    assert facts["refused_by_reason"] == {"cannot be indexed": 1}
    assert facts["refused_lines"][0]["line"] == 1
    assert "65536 fit" in facts["refused_lines"][0]["reason"]


def test_people_get_a_table_and_no_json(tmp_path: Path) -> None:
    file = tmp_path / "products.jsonl"
    file.write_text('{"id": "a", "title": "Dress"}\n{"id": "b"}\n')

    result = millrace_import(file, "--dry-run")

    assert "refused: title" in result.stdout
    assert "{" not in result.stdout


def test_a_limit_stops_early(tmp_path: Path) -> None:
    file = tmp_path / "products.jsonl"
    file.write_text('{"id": "a", "title": "Dress"}\n' * 5)

    assert json.loads(millrace_import(file, "--dry-run", "--limit", 3, "--json").stdout)["read"] == 3


def test_pictures_are_copied_where_the_settings_say(
    grocery: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE__ENCODERS__IMAGE_SOURCES__FILE_ROOT", str(tmp_path / "root"))

    result = millrace_import(grocery, "--mapping", "grocery_store", "--media", pictures, "--dry-run", "--json")

    assert result.exit_code == 0, result.stderr
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(
    ("arguments", "next_step"),
    [
        (["--mapping", "grocery_store"], "say with --media in which folder or ZIP it is"),
        (["--mapping", "grocery_store", "--media", "iconic.zip"], "IMAGE_SOURCES__FILE_ROOT"),
        (["--mapping", "nowhere"], "grocery_store, icecat_chorus, litemall_zh"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--updated-at", "2026-11-20"], "has no time zone"),
        (["--updated-at", "yesterday"], "2026-11-20T08:00:00Z"),
        (["--resume"], "--dry-run sends nothing"),
        (["--verify"], "--dry-run sends nothing"),
    ],
)
def test_mistakes_are_answered_with_the_next_step(
    grocery: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], next_step: str
) -> None:
    monkeypatch.chdir(grocery.parent)

    result = millrace_import("products.csv", "--dry-run", *arguments)

    assert result.exit_code in (1, 2)
    assert next_step in result.stderr


@pytest.mark.parametrize("name", ["none.csv", "products.xlsx"])
def test_a_file_that_cannot_be_read_is_one_line_for_people_and_one_object_for_programs(
    tmp_path: Path, name: str
) -> None:
    result = millrace_import(tmp_path / name, "--dry-run", "--json")

    assert result.exit_code == 1
    assert name in json.loads(result.stdout)["error"]
    assert "Traceback" not in result.stderr


def test_help_teaches_with_an_example() -> None:
    result = millrace_import("--help")

    assert "Example: millrace import" in result.stdout


def test_mappings_are_found_by_name_and_by_path(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[fields]\nid = 'sku'\n")

    assert find_mapping("") == ProductMapping()
    assert find_mapping("litemall_zh").constants["currency"] == "CNY"
    assert find_mapping(str(own)).fields == {"id": "sku"}
    with pytest.raises(MappingFileError, match="icecat_chorus"):
        find_mapping("icecat")


def test_times_are_read_with_their_zone() -> None:
    assert parse_time("2026-11-20T08:00:00Z") == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert parse_time("2026-11-20T08:00:00+02:00").utcoffset() == timedelta(hours=2)
    assert parse_time("2026-11-20T08:00:00+02:00") == datetime(2026, 11, 20, 8, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.data
def test_the_real_data_sets_can_be_imported_whole(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE__ENCODERS__IMAGE_SOURCES__FILE_ROOT", str(tmp_path))
    icecat = millrace_import(
        shared_data / "icecat_chorus/products.jsonl.gz", "--mapping", "icecat_chorus", "--dry-run", "--json"
    )
    litemall = millrace_import(
        shared_data / "litemall_zh/products.jsonl", "--mapping", "litemall_zh", "--dry-run", "--json"
    )
    folder = shared_data / "grocery_store"
    grocery = millrace_import(
        folder / "products.csv", "--mapping", "grocery_store", "--media", folder / "iconic.zip", "--dry-run", "--json"
    )

    found = [json.loads(result.stdout) for result in (icecat, litemall, grocery)]
    assert [facts["read"] for facts in found] == [19_406, 239, 81]
    assert [facts["refused"] for facts in found] == [0, 0, 0]
