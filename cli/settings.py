"""All settings, assembled once:

defaults, then a TOML file, then variables such as MILLRACE__KAFKA__BOOTSTRAP_SERVERS.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError as UnreadableVariable

from encoders.settings import EncoderSettings
from feedback.settings import ProfileSettings
from index.settings import IndexSettings
from monitoring.settings import LagExporterSettings
from ranking.settings import RankingSettings
from serving.settings import ServerSettings
from streams.settings import ClickLoopSettings, WorkerSettings
from topics.settings import KafkaSettings

VARIABLE_PREFIX = "MILLRACE__"


class SettingsError(Exception):
    """Settings that cannot be used; the message names each key, where it came from, and what is wrong with it."""


class Settings(BaseSettings):
    """Every part's settings. Only `cli` reads this; each part gets its own piece as an argument."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=VARIABLE_PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        nested_model_default_partial_update=True,  # one named weight leaves the other weights at their defaults
    )

    kafka: KafkaSettings = KafkaSettings()
    encoders: EncoderSettings = EncoderSettings()
    index: IndexSettings = IndexSettings()
    ranking: RankingSettings = RankingSettings()
    profiles: ProfileSettings = ProfileSettings()
    worker: WorkerSettings = WorkerSettings()
    click_loop: ClickLoopSettings = ClickLoopSettings()
    server: ServerSettings = ServerSettings()
    lag_exporter: LagExporterSettings = LagExporterSettings()


def load_settings(file: Path | None = None) -> Settings:
    """Defaults, overridden by `file`, overridden by variables. Raises SettingsError, for unknown keys too."""
    _refuse_unknown_parts()

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)

    if file is not None and not file.is_file():
        raise SettingsError(
            f"no settings file {file}: write one with `millrace settings > {file}`, or leave --config out"
        )
    try:
        return FromFile()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is no TOML: {error}") from None
    except UnreadableVariable as error:
        raise SettingsError(f'{_culprit(error)} is no JSON: write lists and tables as in ["a", "b"]') from None
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def changed_settings(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """A copy in which the keys of `changes`, nested by part, have other values."""
    return Settings.model_validate(_merged(settings.model_dump(), changes))


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return dict(values) | {
        key: _merged(values.get(key) or {}, change) if isinstance(change, Mapping) else change
        for key, change in changes.items()
    }


def _refuse_unknown_parts() -> None:
    for name in _variables():
        part = name.upper().removeprefix(VARIABLE_PREFIX).split("__")[0].lower()
        if part not in Settings.model_fields:
            known = ", ".join(f"{VARIABLE_PREFIX}{field.upper()}__..." for field in Settings.model_fields)
            raise SettingsError(f"variable {name} sets nothing: known are {known}")


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.upper().startswith(VARIABLE_PREFIX)}


def _culprit(error: UnreadableVariable) -> str:
    """pydantic-settings names only the part; the cause knows the text that it could not read."""
    text = getattr(error.__cause__, "doc", None)
    return "variable " + " or ".join(name for name, value in _variables().items() if value == text)


def _explain(error: ValidationError) -> str:
    lines = ["these settings cannot be used:"]
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        key = ".".join(map(str, problem["loc"]))
        variable = VARIABLE_PREFIX + key.upper().replace(".", "__")
        lines.append(f"  {key} (in the file, or {variable}): {problem['msg']}")
    return "\n".join(lines)
