"""Every command explains itself with an example, and asking for help loads no model library."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
import typer
from typer.testing import CliRunner

from cli.main import app

HEAVY = ("torch", "transformers", "sentence_transformers", "open_clip", "pymilvus", "faust", "fastapi")


def commands(command: object, *path: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """Each command that does something, with the words that call it."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from commands(child, *path, name)


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


def test_help_loads_no_heavy_library() -> None:
    """`millrace --help` answers at once, and an import has no side effects to wait for."""
    script = f"import sys, cli.main; print([name for name in {HEAVY} if name in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "[]"
