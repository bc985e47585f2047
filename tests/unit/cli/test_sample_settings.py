"""Settings written as a file are the same settings when they are read."""

import tomllib
from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.main import app
from cli.sample_settings import settings_file
from cli.settings import VARIABLE_PREFIX, Settings, changed_settings, load_settings

SAMPLE = Path(__file__).parents[3] / "deploy" / "settings.sample.toml"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
CONSTANTS = st.recursive(
    TEXT | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e300, 1e300) | st.dates() | st.times(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{VARIABLE_PREFIX}KAFKA__PARTITIONS", "")


def test_the_sample_file_is_what_the_command_prints() -> None:
    result = CliRunner().invoke(app, ["settings"])

    assert result.exit_code == 0
    assert result.stdout == SAMPLE.read_text(), "run `millrace settings > deploy/settings.sample.toml`"


def test_the_command_prints_defaults_whatever_the_variables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE__KAFKA__PARTITIONS", "77")

    assert CliRunner().invoke(app, ["settings"]).stdout == SAMPLE.read_text()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(
    password=TEXT.filter(bool),
    file_root=TEXT,
    mapping=st.dictionaries(st.sampled_from(["title", "brand", "id"]), TEXT),
    constants=st.dictionaries(st.sampled_from(["title", "brand", "rating", "attributes"]), CONSTANTS, max_size=2),
    prefixes=st.lists(TEXT, max_size=3),
    scripts=st.none() | st.lists(st.sampled_from(["han", "latin"]), max_size=2),
    timeout=st.floats(0.001, 600),
)
def test_what_is_written_is_read_again(
    tmp_path: Path,
    password: str,
    file_root: str,
    mapping: dict[str, str],
    constants: dict[str, object],
    prefixes: list[str],
    scripts: list[str] | None,
    timeout: float,
) -> None:
    mine = changed_settings(
        Settings(),
        {
            "kafka": {
                "security_protocol": "SASL_SSL",
                "sasl_username": "shop",
                "sasl_password": password,
                "product_mapping": {"fields": mapping, "constants": constants, "attribute_prefixes": prefixes},
            },
            "encoders": {
                "text": {"scripts": scripts},
                "image_sources": {"file_root": file_root, "timeout_seconds": timeout},
            },
        },
    )
    file = tmp_path / "millrace.toml"
    file.write_text(settings_file(mine), encoding="utf-8")

    assert load_settings(file).model_dump() == mine.model_dump()


@pytest.mark.parametrize("value", [date(2026, 1, 2), time(3, 4), datetime.fromisoformat("2026-01-02T03:04:05+01:00")])
def test_a_constant_that_is_a_time_stays_one(value: object) -> None:
    mapping = {"kafka": {"product_mapping": {"constants": {"updated_at": value}}}}

    written = tomllib.loads(settings_file(changed_settings(Settings(), mapping)))

    assert written["kafka"]["product_mapping"]["constants"]["updated_at"] == value
