"""Defaults, then the file, then variables; what nobody knows is refused by name."""

import os
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import BaseModel

from cli.settings import VARIABLE_PREFIX, Settings, SettingsError, changed_settings, load_settings

SAMPLE = Path(__file__).parents[3] / "deploy" / "settings.sample.toml"
TEXTS = (
    "0.5", "other", "copy.pem", "cpu", "zh", "http://other:1", "pictures/{}", "f" * 64, "1/day", "memory://1", "GMT",
)  # fmt: skip
SSL = {"security_protocol": "SSL"}
LOGIN = {"security_protocol": "SASL_SSL", "sasl_username": "me", "sasl_password": "opensesame"}
# settings of Kafka that stand only together with others; the files are made by the test
COMPANIONS = {
    "sasl_username": LOGIN,
    "sasl_password": LOGIN,
    "ca_file": SSL,
    "certificate_file": SSL | {"certificate_file": "pair.pem", "key_file": "pair.pem"},
    "key_file": SSL | {"certificate_file": "pair.pem", "key_file": "pair.pem"},
    "key_password": SSL | {"certificate_file": "pair.pem", "key_file": "pair.pem"},
}
LISTS_AND_TABLES = (
    '["CAD"]', '["http://other"]', '["other"]', '["han"]', '["title"]', '{"title": "name"}',
    '{"heel": [["flat", "high"]]}', '{"click": 2}', '[12.0]', '[{"name": "place", "source": "position"}]',
)  # fmt: skip


def leaves(model: type[BaseModel] = Settings, *path: str) -> Iterator[tuple[str, ...]]:
    """The path of each single setting."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, *path, name)
        else:
            yield (*path, name)


def at(settings: Settings, path: tuple[str, ...]) -> Any:
    value: Any = settings
    for name in path:
        value = getattr(value, name)
    return value


def variable(path: tuple[str, ...]) -> str:
    return VARIABLE_PREFIX + "__".join(path).upper()


def candidates(path: tuple[str, ...]) -> Iterator[str]:
    """Texts of which at least one is another valid value of this setting."""
    default = at(Settings(), path)
    model: Any = Settings
    for name in path[:-1]:
        model = model.model_fields[name].annotation
    yield from (str(value) for value in typing.get_args(model.model_fields[path[-1]].annotation) if value != default)
    if isinstance(default, int | float):
        yield from (str(default + step) for step in (1, -1, 0.25))
    yield from (*TEXTS, *LISTS_AND_TABLES)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith(VARIABLE_PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "millrace.toml"


def test_the_sample_file_is_the_defaults() -> None:
    assert load_settings(SAMPLE).model_dump() == load_settings().model_dump() == Settings().model_dump()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key and its certificate in one file, twice."""
    folder = tmp_path_factory.mktemp("certificates")
    pair = trustme.CA().issue_cert("me@shop").private_key_and_cert_chain_pem
    for name in ("pair.pem", "copy.pem"):
        pair.write_to_path(folder / name)
    return folder


@pytest.mark.parametrize("path", list(leaves()), ids=".".join)
def test_each_setting_has_a_variable_that_changes_it_alone(
    path: tuple[str, ...], certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(certificates)
    for name, text in COMPANIONS.get(path[-1], {}).items():
        monkeypatch.setenv(variable(("kafka", name)), text)
    default = load_settings()
    for text in candidates(path):
        monkeypatch.setenv(variable(path), text)
        try:
            settings = load_settings()
        except SettingsError:
            continue
        if at(settings, path) != at(default, path):
            break
    else:
        pytest.fail(f"{variable(path)} took none of {list(candidates(path))}")

    assert [other for other in leaves() if at(settings, other) != at(default, other)] == [path]


def test_a_file_changes_what_it_names_and_nothing_else(file: Path) -> None:
    file.write_text("[ranking.text_query]\nkeywords = 0.125\n")

    changed = load_settings(file)

    assert changed.ranking.text_query.keywords == 0.125
    assert [path for path in leaves() if at(changed, path) != at(Settings(), path)] == [
        ("ranking", "text_query", "keywords")
    ]


def test_a_variable_comes_before_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("[kafka]\npartitions = 5\nreplication_factor = 3\n")
    monkeypatch.setenv("MILLRACE__KAFKA__PARTITIONS", "7")

    kafka = load_settings(file).kafka

    assert (kafka.partitions, kafka.replication_factor) == (7, 3)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in LOGIN.items():
        monkeypatch.setenv(variable(("kafka", name)), text)

    settings = load_settings()

    assert settings.kafka.sasl_password.get_secret_value() == "opensesame"
    assert "opensesame" not in repr(settings)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"[kafka]\npartitons = 5\n", r"kafka\.partitons"),
        (b"[kafak]\npartitions = 5\n", "kafak"),
        (b"[ranking.text_query]\nwords = 1\n", r"ranking\.text_query\.words"),
        (b"[kafka]\npartitions = 'many'\n", r"kafka\.partitions .*MILLRACE__KAFKA__PARTITIONS"),
        (b"[kafka]\npartitions = 0\n", r"kafka\.partitions .*greater than or equal to 1"),
        (b"kafka = 5\n", "kafka"),
        (b"[kafka\n", r"millrace\.toml is no TOML.*line 1"),
        (b"[kafka]\nca_file = '\xff'\n", r"millrace\.toml is no TOML"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(file: Path, content: bytes, named: str) -> None:
    file.write_bytes(content)

    with pytest.raises(SettingsError, match=named):
        load_settings(file)


def test_a_file_that_is_not_there_says_where_to_get_one(file: Path) -> None:
    with pytest.raises(SettingsError, match=r"millrace\.toml.*millrace settings > "):
        load_settings(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MILLRACE__KAFKAA__PARTITIONS", "5"),
        ("millrace__kafkaa__partitions", "5"),
        ("MILLRACE__KAFKA__PARTITONS", "5"),
        ("MILLRACE__ENCODERS__TEXT__MODELL", "hash"),
        ("MILLRACE__KAFKA__PARTITIONS", "many"),
        ("MILLRACE__ENCODERS__IMAGE_SOURCES__ALLOWED_PRIVATE_HOSTS", "pictures.shop"),
        ("MILLRACE__KAFKA__PRODUCT_MAPPING__FIELDS", "{broken"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_changes_reach_the_named_settings_only() -> None:
    changed = changed_settings(Settings(), {"ranking": {"text_query": {"image": 0.0}}, "server": {"port": 1}})

    assert [path for path in leaves() if at(changed, path) != at(Settings(), path)] == [
        ("ranking", "text_query", "image"),
        ("server", "port"),
    ]


def test_changes_come_before_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack hands its real addresses on, whatever the variables say."""
    monkeypatch.setenv("MILLRACE__SERVER__PORT", "9000")

    assert changed_settings(load_settings(), {"server": {"port": 1}}).server.port == 1


def test_changes_are_checked_like_everything_else() -> None:
    with pytest.raises(ValueError, match="partitions"):
        changed_settings(Settings(), {"kafka": {"partitions": 0}})
