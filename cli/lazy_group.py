"""A group of commands whose modules are imported when one of them is called, as Click's manual proposes it."""

import importlib
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """`place` is MODULE:NAME, of a function or of a Typer; `summary` is the first paragraph of its help."""

    place: str
    summary: str


class LazyGroup(TyperGroup):
    """Its help and the completion of names need no module: they show the summaries."""

    lazy_commands: ClassVar[Mapping[str, LazyCommand]]

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        summaries = {name: TyperCommand(name, help=lazy.summary) for name, lazy in self.lazy_commands.items()}
        self.commands = {**summaries, **self.commands}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and name in self.lazy_commands:
            command = self.load(name)
        return name, command, rest

    def load(self, name: str) -> Any:
        """The command itself, with its options."""
        module, _, attribute = self.lazy_commands[name].place.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        holder = typer.Typer()
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=name)
        else:
            holder.command(name)(found)
        command = typer.main.get_group(holder).commands[name]
        _unwrap(command)
        return command


def _unwrap(command: Any) -> None:
    """A paragraph of help becomes one line, which the terminal breaks where it ends: help has no lists, and an empty
    line between examples.
    """
    for one in (command, *getattr(command, "commands", {}).values()):
        one.help = re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(one.help or ""))
