"""`millrace settings`: every setting with its meaning and default, as a TOML file to start from."""

import json
from collections.abc import Iterator
from datetime import date, time
from pathlib import PurePath
from textwrap import wrap
from typing import Any

import typer
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from cli.settings import Settings

_WIDTH = 116
_HEAD = """\
# All settings of Millrace. Keep the lines that you change: what is not named stays at its default. A variable such as
# MILLRACE__KAFKA__BOOTSTRAP_SERVERS comes before this file. `millrace settings` writes it with the defaults.
"""


def settings_command() -> None:
    """Print every setting with its meaning and default, as a TOML file to start from.

    Example: millrace settings > millrace.toml
    """
    typer.echo(settings_file(Settings.model_construct()), nl=False)


def settings_file(settings: Settings) -> str:
    """These settings as TOML with every meaning beside them, secrets in clear."""
    return _HEAD + "\n".join(_table(settings, ""))


def _table(model: BaseModel, name: str) -> Iterator[str]:
    fields = [(key, field, getattr(model, key)) for key, field in type(model).model_fields.items()]
    if name:
        yield f"\n[{name}]"
    for key, field, value in fields:
        if not isinstance(value, BaseModel):
            yield from _setting(key, field, value)
    for key, _, value in fields:
        if isinstance(value, BaseModel):
            yield from _table(value, f"{name}.{key}" if name else key)
    if not name:
        yield ""


def _setting(key: str, field: FieldInfo, value: object) -> Iterator[str]:
    for line in wrap(field.description or "", _WIDTH):
        yield f"# {line}"
    yield f"# {key} =" if value is None else f"{key} = {_toml(value)}"


def _toml(value: Any) -> str:
    if isinstance(value, SecretStr):
        return _quoted(value.get_secret_value())
    if isinstance(value, BaseModel):
        said = value.model_dump(exclude_none=True)
        return f"{{ {', '.join(f'{name} = {_toml(item)}' for name, item in said.items())} }}"
    if isinstance(value, list | tuple) and value and isinstance(value[0], BaseModel):
        lines = "".join(f"    {_toml(item)},\n" for item in value)
        return f"[\n{lines}]"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_quoted(name)} = {_toml(item)}' for name, item in value.items())}}}"
    if isinstance(value, date | time):
        return value.isoformat()
    return _quoted(str(value)) if isinstance(value, str | PurePath) else json.dumps(value)


def _quoted(text: str) -> str:
    """As JSON, which escapes all that TOML wants escaped but one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
