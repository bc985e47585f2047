"""`millrace erase-user`: whatever is kept of one person goes, with the proof of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.process_checks import require_shared_profiles
from cli.settings import Settings, SettingsError, load_settings
from cli.wiring import open_profile_store
from feedback.erasure import ErasureReport
from feedback.example_log import local_folder, open_example_log
from feedback.log_errors import LogUnavailable
from feedback.person_erasure import PersonErasure
from feedback.store import StoreUnavailable
from serving.pseudonyms import Pseudonyms
from topics.catalogue import SHOPPERS_ERASED
from topics.feedback import ShopperErased
from topics.publisher import Message, Publisher, PublisherError

_WHAT = {
    "shopper": "profile",
    "lists": "which lists were counted",
    "counted": "parts of counts that name the person",
    "list": "open lists",
    "example": "rows of the example log",
}
_NOTHING_KEPT = (
    "Nothing was kept under this name: all of it went before, by a click loop that read the request first or by an "
    "earlier call, or the events name the person otherwise: look at the spelling, and at user_id and client_id"
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who was erased, as of which time, and what of it."""

    erased: ShopperErased
    report: ErasureReport

    @property
    def is_complete(self) -> bool:
        return not any(self.report.found_afterwards.values())


def erase_user_command(
    user_id: Annotated[str, typer.Argument(metavar="ID", help="The user_id or client_id of queries and events.")],
    pseudonym: Annotated[
        bool, typer.Option("--pseudonym", help="ID is a pseudonym already, as it stands on the topics.")
    ] = False,
    config: Annotated[Path | None, typer.Option(help=CONFIG_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Take a person out of profiles, open lists and the example log, and prove it.

    It is published on shoppers.erased first, so that what is still on its way does not come back; nothing is erased
    where the broker does not take that. Counts of products stay, since they name nobody; events on the topics go with
    the topics' retention. A person with several names (user_id, client_id) is erased under each of them. A repeat does
    no harm: after an error, call it again.

    Relative paths in the settings are of the folder in which the click loop runs: call it there. A profile store or an
    example log that is not there is refused, since it would prove nothing.

    Example: millrace erase-user ada@shop.example --config shop.toml

    With --json: pseudonym, at (seconds since 1970), removed and found_afterwards (by kind: shopper, lists, counted,
    list, example), complete. Exit code 1 where something was found afterwards.
    """
    output = Output(as_json)
    with output.failing_on(SettingsError, PublisherError, StoreUnavailable, LogUnavailable):
        settings = load_settings(config)
        name = user_id if pseudonym else _pseudonym(settings, user_id)
        with output.waiting("Looking for all that is kept"):
            done = erase(settings, name, datetime.now(UTC).timestamp())
    output.show(_table(done.report))
    facts = _facts(done)
    if not done.is_complete:
        output.fail("something of the person was found afterwards: call this again", facts)
    if not any(done.report.removed.values()):
        output.note(_NOTHING_KEPT)
    output.show("nothing of the person is left")
    output.finish(facts)


def erase(settings: Settings, shopper: str, at: float) -> Erasure:
    """Raises SettingsError or PublisherError, and then nothing is erased; StoreUnavailable, LogUnavailable."""
    require_kept(settings)
    erased = ShopperErased(shopper=shopper, at=at)
    message = Message(SHOPPERS_ERASED, shopper.encode(), erased.model_dump_json().encode())
    with open_profile_store(settings) as store:
        publisher = Publisher(settings.kafka, "millrace-erase-user")
        try:
            publisher.publish_and_wait([message], settings.server.publish_timeout_seconds)
        finally:
            publisher.close(timeout_seconds=0.0)
        log = open_example_log(settings.click_loop.examples, store)
        erasure = PersonErasure(store, settings.profiles, log, settings.click_loop.join.keep_days)
        return Erasure(erased, erasure.erase(erased))


def require_kept(settings: Settings) -> None:
    """What is not there proves nothing: from another folder, paths lead elsewhere. Raises SettingsError."""
    require_shared_profiles(settings)
    profiles, examples = settings.profiles, settings.click_loop.examples
    if profiles.kind == "sqlite" and not profiles.path.exists():
        raise SettingsError(
            f"profiles.path = {profiles.path}: there is no {profiles.path.absolute()}. Call this in the folder in "
            "which the click loop and the servers run, or give the whole path"
        )
    if (folder := local_folder(examples)) is not None and not folder.exists():
        raise SettingsError(
            f"click_loop.examples.url = {examples.url}: there is no folder {folder}. Call this in the folder in "
            "which the click loop runs, or give the whole path; where no click loop has ever run, make the folder"
        )


def _pseudonym(settings: Settings, user_id: str) -> str:
    """Raises SettingsError without a key: a server without one draws its own, which ends with it."""
    key = settings.server.pseudonym_key.get_secret_value()
    if not key:
        raise SettingsError("server.pseudonym_key is not set: give it, as the servers have it, or --pseudonym")
    return Pseudonyms(key).of(user_id)


def _table(report: ErasureReport) -> Table:
    table = Table("What held something of the person", "removed", "found afterwards")
    for kind, what in _WHAT.items():
        table.add_row(what, str(report.removed.get(kind, 0)), str(report.found_afterwards.get(kind, 0)))
    return table


def _facts(done: Erasure) -> dict[str, Any]:
    return {
        "pseudonym": done.erased.shopper,
        "at": done.erased.at,
        "removed": {kind: done.report.removed.get(kind, 0) for kind in _WHAT},
        "found_afterwards": {kind: done.report.found_afterwards.get(kind, 0) for kind in _WHAT},
        "complete": done.is_complete,
    }
