"""`millrace worker`: options of a backfill that cannot be used are told before anything is reached."""

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.mark.parametrize(
    ("options", "next_step"),
    [
        (["--from-beginning"], "--from-beginning and --alias NAME go together"),
        (["--alias", "products_next"], "--from-beginning and --alias NAME go together"),
        (["--from-beginning", "--alias", "products"], "give another --alias, such as products_next"),
        (["--from-beginning", "--alias", "products-next"], "use letters, digits and _"),
    ],
)
def test_options_that_do_not_fit_are_told(monkeypatch: pytest.MonkeyPatch, options: list[str], next_step: str) -> None:
    monkeypatch.setattr("cli.process_commands.configure_logging", lambda verbose: None)
    monkeypatch.setattr("cli.processes.setproctitle.setproctitle", lambda title: None)

    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["worker", *options])

    assert result.exit_code in (1, 2)
    assert next_step in result.stderr
