"""`millrace erase-user`: a person out of all that is kept."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from feedback.example_log import open_example_log
from feedback.example_settings import ExampleLogSettings
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from feedback.sqlite_store import SqliteStore
from feedback.updating import ProfileUpdater
from serving.pseudonyms import Pseudonyms
from topics.catalogue import SHOPPERS_ERASED
from topics.embedded_broker import MockCluster
from topics.feedback import JoinedList, ListAction, ShopperErased, ShownProduct
from topics.reader import TopicReader
from topics.settings import KafkaSettings

AT = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
ADA, BOB = (Pseudonyms("k").of(name) for name in ("ada", "bob"))


class Kept:
    """A store and a log in which Ada and Bob each have clicked once."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(folder / "profiles.sqlite", 5)
        self.log = open_example_log(ExampleLogSettings(url=str(folder / "examples")), self.store)
        lists = [joined(shopper) for shopper in (ADA, BOB)]
        ProfileUpdater(self.store, ProfileSettings()).apply(lists)
        self.log.write(lists, "test")

    def clicks(self, shopper: str) -> int:
        return len(StateReader(self.store, ProfileSettings()).read(shopper, (), "", AT).recent.product_ids)

    def shoppers_in_the_log(self) -> list[str]:
        return [one.shopper for day in self.log.days() for one in self.log.read(day, day)]


def joined(shopper: str) -> JoinedList:
    click = ListAction(event_id=f"e-{shopper}", action="click", product_id="lamp", at=AT + 1)
    shown = (ShownProduct(product_id="lamp", position=1),)
    return JoinedList(query_id=f"q-{shopper}", revision=2, shopper=shopper, at=AT, shown=shown, actions=(click,))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MockCluster]:
    cluster = MockCluster()
    cluster.create_topic(SHOPPERS_ERASED, 1)
    monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", cluster.bootstrap_servers)
    monkeypatch.setenv("MILLRACE__PROFILES__PATH", str(tmp_path / "profiles.sqlite"))
    monkeypatch.setenv("MILLRACE__CLICK_LOOP__EXAMPLES__URL", str(tmp_path / "examples"))
    monkeypatch.setenv("MILLRACE__SERVER__PSEUDONYM_KEY", "k")
    yield cluster
    cluster.close()


def erase_user(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["erase-user", *arguments], env={"COLUMNS": "200"})


def facts(result: Result) -> dict[str, Any]:
    return json.loads(result.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_one_person_goes_and_the_others_stay(cluster: MockCluster, tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    assert (kept.clicks(ADA), kept.clicks(BOB)) == (1, 1)
    result = erase_user("ada", "--json")
    assert result.exit_code == 0, result.output
    said = facts(result)
    assert said["removed"] == {"shopper": 1, "lists": 1, "counted": 1, "list": 0, "example": 1}
    assert set(said["found_afterwards"].values()) == {0}
    assert (said["pseudonym"], said["complete"]) == (ADA, True)
    assert (kept.clicks(ADA), kept.clicks(BOB)) == (0, 1)
    assert kept.shoppers_in_the_log() == [BOB]
    with TopicReader(KafkaSettings(bootstrap_servers=cluster.bootstrap_servers), [SHOPPERS_ERASED]) as reader:
        (record,) = next(records for _ in range(50) if (records := list(reader.read(0.2))))
    assert record.key == ADA.encode()
    assert ShopperErased.model_validate(orjson.loads(record.value or b"")) == ShopperErased(shopper=ADA, at=said["at"])


def test_a_repeat_and_a_pseudonym_are_fine(cluster: MockCluster, tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    first, again = erase_user(BOB, "--pseudonym", "--json"), erase_user("bob")
    assert facts(first)["removed"]["shopper"] == 1
    assert again.exit_code == 0
    assert "nothing of the person is left" in again.stdout
    assert ["Nothing was kept under this name" in result.stderr for result in (first, again)] == [False, True]
    assert kept.clicks(ADA) == 1


def test_without_the_servers_key_there_is_no_pseudonym(cluster: MockCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MILLRACE__SERVER__PSEUDONYM_KEY")
    result = erase_user("ada")
    assert result.exit_code == 1
    assert "server.pseudonym_key" in result.stderr


@pytest.mark.parametrize(
    ("missing", "setting"), [("profiles.sqlite", "profiles.path"), ("examples", "click_loop.examples.url")]
)
def test_what_is_not_there_proves_nothing(
    cluster: MockCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str, setting: str
) -> None:
    kept = Kept(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv(f"MILLRACE__{setting.upper().replace('.', '__')}", missing)
    result = erase_user("ada", "--json")
    assert result.exit_code == 1
    assert f"{setting} = {missing}" in facts(result)["error"]
    assert str(elsewhere / missing) in facts(result)["error"]
    assert list(elsewhere.iterdir()) == []
    assert kept.clicks(ADA) == 1


def test_nothing_is_erased_unless_the_broker_takes_it(
    cluster: MockCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = Kept(tmp_path)
    monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("MILLRACE__SERVER__PUBLISH_TIMEOUT_SECONDS", "0.5")
    result = erase_user("ada", "--json")
    assert result.exit_code == 1
    assert "error" in facts(result)
    assert kept.clicks(ADA) == 1
