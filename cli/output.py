"""How a command speaks: results for people on stdout, notes and progress on stderr; --json: one object on stdout."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import orjson
import typer
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

JSON_HELP = "Print one JSON object as the last line of stdout, for programs."
CONFIG_HELP = "Settings file (TOML). Without it: defaults, and variables MILLRACE__...; see `millrace settings`."


class Output:
    """One command's voice. `show` is for people only, `finish` for programs only: call both with the same facts."""

    def __init__(self, as_json: bool, results: Console | None = None, notes: Console | None = None) -> None:
        self.as_json = as_json
        self._results = results or Console(soft_wrap=True)
        self._notes = notes or Console(stderr=True, soft_wrap=True)

    def show(self, renderable: RenderableType) -> None:
        """A result, for a person; nothing with --json."""
        if not self.as_json:
            self._results.print(renderable)

    def note(self, text: str) -> None:
        """A line for a person beside the result, taken as it is, without markup."""
        self._notes.print(escape(text), highlight=False)

    def finish(self, facts: Mapping[str, Any]) -> None:
        """The result, for a program; nothing without --json."""
        if self.as_json:
            line = orjson.dumps(facts, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS).decode()
            self._results.file.write(line + "\n")
            self._results.file.flush()

    def fail(self, message: str, facts: Mapping[str, Any] | None = None, code: int = 1) -> NoReturn:
        """Say what went wrong, with what is known so far, and end the command with exit code `code`."""
        self._notes.print(f"[bold red]error:[/] {escape(message)}", highlight=False)
        self.finish({**(facts or {}), "error": message})
        raise typer.Exit(code)

    @contextmanager
    def failing_on(self, *errors: type[Exception]) -> Iterator[None]:
        """Errors with a message for the user end the command with it; all others are bugs and keep their trace."""
        try:
            yield
        except errors as error:
            self.fail(str(error))

    @contextmanager
    def waiting(self, description: str) -> Iterator[None]:
        """A spinner on stderr while it is a terminal, for work of unknown length."""
        with self._notes.status(escape(description)):
            yield

    @contextmanager
    def progress(self, description: str, total: float) -> Iterator[Callable[[float, str], None]]:
        """A bar on stderr while it is a terminal; call what it gives with the part done and a short remark."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[remark]}"),
        )
        with Progress(*columns, console=self._notes, transient=True, disable=not self._notes.is_terminal) as bar:
            task = bar.add_task(escape(description), total=total, remark="")

            def advance(done: float, remark: str) -> None:
                bar.update(task, completed=done, remark=escape(remark))

            yield advance

    @contextmanager
    def counting(self, description: str, total: int) -> Iterator[Callable[[], None]]:
        """A bar as of `progress`; call what it gives after each of `total` things."""
        done = 0
        with self.progress(description, total) as advance:

            def on_next() -> None:
                nonlocal done
                done += 1
                advance(done, "")

            yield on_next
