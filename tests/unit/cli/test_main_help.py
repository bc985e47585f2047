"""Every command explains itself with an example, and asking for help loads no model library."""

import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import click
import pytest
import typer
from typer.testing import CliRunner

from cli.lazy_group import LazyGroup
from cli.main import Evaluate, Millrace, Train, app

_NARROWEST = 78  # columns of 80, without the margins
HEAVY = ("torch", "transformers", "sentence_transformers", "open_clip", "pymilvus", "faust", "fastapi")


def commands(command: object, *path: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """Each command that does something, with the words that call it."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        lazy = isinstance(command, LazyGroup) and name in command.lazy_commands
        yield from commands(command.load(name) if lazy else child, *path, name)


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_shows_an_example_that_names_the_command(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})

    assert result.exit_code == 0
    assert "Example:" in result.stdout
    assert f"millrace {' '.join(path)}" in result.stdout


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_json_output_is_described_where_it_is_offered(path: tuple[str, ...]) -> None:
    text = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"}).stdout

    assert ("--json" in text) == ("With --json:" in text)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_on_a_narrow_terminal_no_word_of_the_help_is_cut_and_no_line_ends_early(path: tuple[str, ...]) -> None:
    wide, narrow = (
        CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": columns}).stdout for columns in ("200", "80")
    )
    lines = narrow.splitlines()

    assert {word for word in set(wide.split()) - set(narrow.split()) if "─" not in word} == set()
    above = [line.split() for line in lines[: next(n for n, line in enumerate(lines) if line.startswith("╭"))]]
    early = [
        this for this, following in pairwise(above) if following and len(" ".join([*this, following[0]])) < _NARROWEST
    ]
    assert [line for line in early if line] == []


def test_the_commands_of_the_main_path_are_there() -> None:
    assert {path[0] for path in COMMANDS} >= {
        "worker", "serve", "topics", "import", "search", "demo", "real-data", "evaluate", "doctor", "settings", "train",
    }  # fmt: skip


@pytest.mark.parametrize("path", [(), ("topics",), ("evaluate",), ("train",)])
def test_a_group_without_a_command_shows_what_there_is(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, list(path))

    assert "Usage:" in result.output
    assert "Commands" in result.output


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(app, ["wroker"])

    assert result.exit_code == click.UsageError.exit_code
    assert "wroker" in result.output


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_a_process_with_settings_that_cannot_be_used_says_so_and_ends(command: str, tmp_path: object) -> None:
    result = CliRunner().invoke(app, [command, "--config", f"{tmp_path}/none.toml"])

    assert result.exit_code == 1
    assert "none.toml" in result.stderr


def test_the_summary_of_a_command_is_the_first_paragraph_of_its_help() -> None:
    for group in (Millrace, Evaluate, Train):
        for name, lazy in group.lazy_commands.items():
            paragraph = str(group().load(name).help).split("\n\n")[0]
            assert lazy.summary == " ".join(paragraph.split()), name


def test_no_command_is_loaded_before_it_is_called() -> None:
    assert loaded_after("cli.main.app(['--help'], standalone_mode=False)", ("numpy", "pydantic", "cli.output")) == "[]"


def test_settings_are_written_without_a_broker_an_index_or_a_server() -> None:
    unused = (*HEAVY, "confluent_kafka", "PIL", "httpx", "cli.demo", "cli.evaluate", "cli.dead_letters")

    assert loaded_after("cli.main.app(['settings'], standalone_mode=False)", unused) == "[]"


def test_a_server_loads_no_stream_library() -> None:
    assert loaded_after("import cli.server", ("faust", "aiokafka", "aiohttp")) == "[]"


def test_asking_any_command_for_help_loads_no_heavy_library() -> None:
    """It answers at once, and an import has no side effects to wait for."""
    groups = "(cli.main.Millrace, cli.main.Evaluate, cli.main.Train)"
    load_all = f"[group().load(name) for group in {groups} for name in group.lazy_commands]"

    assert loaded_after(load_all, HEAVY) == "[]"


def loaded_after(statement: str, modules: tuple[str, ...]) -> str:
    """Those of `modules` that a process of its own has loaded by then."""
    script = f"import sys, cli.main; {statement}; print([name for name in {modules} if name in sys.modules])"
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.splitlines()[-1]
