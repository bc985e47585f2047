"""`millrace dead-letters list|show|replay|discard`: messages that could not be used, and what becomes of them."""

import getpass
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.dead_letter_replay import ReplayPlan, ReplayReport, plan_from_file
from cli.dead_letter_selection import Examiner, asks_for_something, chosen, letter_filter, read_box
from cli.dead_letter_views import counts, letter_page, letter_table, resolution_text
from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.settings import Settings, SettingsError, load_settings
from cli.wiring import open_publisher
from topics.admin import BrokerError
from topics.dead_letter_forms import headline_form, letter_form
from topics.dead_letter_log import FiledLetter, LetterFilter
from topics.dead_letter_replay import DeadLetterDesk
from topics.dead_letters import DeadLetterError
from topics.events import InvalidReason
from topics.publisher import PublisherError

app = typer.Typer(
    no_args_is_help=True,
    help="Messages that could not be used: look at them, send them again as they are or fixed, or put them aside.",
)

_ERRORS = (SettingsError, BrokerError, PublisherError, DeadLetterError)

Places = Annotated[
    list[str] | None,
    typer.Argument(metavar="PLACE", help="Where the refused message lies in its topic, as `list` shows it: 3:41."),
]
Topic = Annotated[str | None, typer.Option(help="Only letters of this topic, such as catalog.products.")]
Reasons = Annotated[
    list[InvalidReason] | None,
    typer.Option(
        "--reason",
        metavar="REASON",
        help=f"Only letters with this reason, one of {', '.join(InvalidReason)}; may be given again.",
    ),
]
Since = Annotated[str | None, typer.Option(help="Refused from then on: how long ago (30m, 2h, 7d), or ISO 8601.")]
Until = Annotated[str | None, typer.Option(help="Refused before then: how long ago, or ISO 8601.")]
Key = Annotated[str, typer.Option(help="Only letters of this product.")]
Every = Annotated[bool, typer.Option("--every", help="Every open letter.")]
By = Annotated[str | None, typer.Option(help="Who does it, for the record. Default: the user of this process.")]
Note = Annotated[str, typer.Option(help="Why, for the record.")]
Config = Annotated[Path | None, typer.Option(help=CONFIG_HELP)]
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]


@app.command("list")
def list_command(  # noqa: PLR0913 - each is an option of the command
    topic: Topic = None,
    reason: Reasons = None,
    since: Since = None,
    until: Until = None,
    key: Key = "",
    show_all: Annotated[bool, typer.Option("--all", help="Those that were replayed or discarded, too.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Show the newest so many; 0: all.")] = 100,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List the dead letters that are open: neither replayed nor discarded. Changes nothing.

    Example: millrace dead-letters list --reason invalid_fields --since 2h

    With --json: letters (as `show --json` gives them, without the message), matching, open, resolved, by_reason,
    unreadable, expired.
    """
    output = Output(as_json)
    wanted = letter_filter((), topic, reason or (), (since, until), key, open_only=False)
    with output.failing_on(*_ERRORS):
        box = read_box(output, load_settings(config).kafka, wanted, headlines=True)
    open_letters = [filed for filed in box.letters if filed.resolution is None]
    matching = box.letters if show_all else open_letters
    resolved = len(box.letters) - len(open_letters)
    listed = matching[-limit:]
    if listed:
        output.show(letter_table(listed, with_state=show_all))
    if len(listed) < len(matching):
        output.show(f"the newest {len(listed)} of {len(matching)}; --limit 0 shows all")
    hidden = "" if show_all or not resolved else " (--all shows them)"
    output.show(f"open: {counts(open_letters)}; replayed or discarded: {resolved}{hidden}")
    if box.expired:
        output.show(f"{box.expired} older records have expired and are gone")
    if open_letters:
        output.show(f"look at one: millrace dead-letters show {open_letters[-1].letter.source.place}")
    output.finish(
        {
            "letters": list(map(headline_form, listed)),
            "matching": len(matching),
            "open": len(open_letters),
            "resolved": resolved,
            "by_reason": dict(Counter(filed.letter.reason for filed in matching)),
            "unreadable": box.unreadable,
            "expired": box.expired,
        }
    )


@app.command("show")
def show_command(  # noqa: PLR0913 - each is an option of the command
    places: Places = None,
    topic: Topic = None,
    reason: Reasons = None,
    since: Since = None,
    until: Until = None,
    key: Key = "",
    every: Every = False,
    full: Annotated[bool, typer.Option("--full", help="The whole message, however long.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show letters with their message, where it was refused and why, and what can be done. Changes nothing.

    Example: millrace dead-letters show 3:41

    Example: millrace dead-letters show 3:41 --json > fixed.json

    Then change `value` in the file, and send it again: millrace dead-letters replay --from-file fixed.json

    With --json: letters, each with id, topic, partition, offset, source_time, refused_at, reason, detail, stack, key,
    value, headers, cut, repeats, replayed_from, resolution, refused_now.
    """
    output = Output(as_json)
    wanted = letter_filter(places or (), topic, reason or (), (since, until), key, open_only=True)
    with output.failing_on(*_ERRORS):
        settings = load_settings(config)
        _require_selection(wanted, every)
        letters = chosen(read_box(output, settings.kafka, wanted), wanted)
    examiner = Examiner(settings.kafka)
    objections = [examiner.objection_to(filed) for filed in letters]
    for filed, objection in zip(letters, objections, strict=True):
        output.show(letter_page(filed, objection, full))
    if not letters:
        output.show("no open dead letter matches: see `millrace dead-letters list --all`")
    told = zip(letters, objections, strict=True)
    output.finish({"letters": [letter_form(filed) | {"refused_now": objection} for filed, objection in told]})


@app.command("replay")
def replay_command(  # noqa: PLR0913 - each is an option of the command
    places: Places = None,
    topic: Topic = None,
    reason: Reasons = None,
    since: Since = None,
    until: Until = None,
    key: Key = "",
    every: Every = False,
    from_file: Annotated[
        Path | None,
        typer.Option(help="Mended messages in the form that `show --json` prints: one document, or JSON Lines."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Those that were replayed or discarded, too.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Send what would be refused again, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent; send nothing.")] = False,
    by: By = None,
    note: Note = "",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Send letters to their topic again, as they are or fixed, and mark them as replayed.

    A replay never overwrites what came after it: each message keeps the version that it had. What would be refused
    again is not sent. Repeating the command is harmless.

    Example: millrace dead-letters replay --reason encoder_refused --since 7d

    Example: millrace dead-letters replay --from-file fixed.json

    With --json: replayed, letters (id, partition, offset of each that was sent), not_replayed (id, line, reason),
    dry_run, would_be_sent. Exit code 1 when something was not replayed.
    """
    output = Output(as_json)
    wanted = letter_filter(places or (), topic, reason or (), (since, until), key, open_only=not again)
    with output.failing_on(*_ERRORS):
        settings = load_settings(config)
        plan = ReplayPlan(Examiner(settings.kafka), again, force)
        if from_file is None:
            _require_selection(wanted, every)
            for filed in chosen(read_box(output, settings.kafka, wanted), wanted):
                plan.add(filed)
        elif asks_for_something(wanted) or every:
            raise DeadLetterError("--from-file names the letters itself: leave places and filters out")
        else:
            plan_from_file(plan, from_file, output, settings.kafka)
        report = ReplayReport(len(plan.replays), dry_run, plan.held_back)
        if plan.replays and not dry_run:
            with open_publisher(settings, "millrace-dead-letters") as publisher:
                report.send(plan.replays, DeadLetterDesk(publisher, by or _user(), note), output)
    report.tell(output)


@app.command("discard")
def discard_command(  # noqa: PLR0913 - each is an option of the command
    places: Places = None,
    topic: Topic = None,
    reason: Reasons = None,
    since: Since = None,
    until: Until = None,
    key: Key = "",
    every: Every = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be discarded; discard nothing.")] = False,
    by: By = None,
    note: Note = "",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Mark letters as not wanted: they leave the list of the open ones.

    Nothing is deleted, and a replay stays possible. Repeating the command is harmless.

    Example: millrace dead-letters discard 3:41 --note "test data of 20 November"

    With --json: discarded (how many now), letters (their ids), already_resolved (ids), dry_run.
    """
    output = Output(as_json)
    wanted = letter_filter(places or (), topic, reason or (), (since, until), key, open_only=True)
    with output.failing_on(*_ERRORS):
        settings = load_settings(config)
        _require_selection(wanted, every)
        letters = chosen(read_box(output, settings.kafka, wanted), wanted)
        done = [filed for filed in letters if filed.resolution is not None]
        open_letters = [filed for filed in letters if filed.resolution is None]
        if open_letters and not dry_run:
            _discard(settings, open_letters, by or _user(), note, output)
    for filed in done:
        output.note(f"{filed.id}: already {resolution_text(filed.resolution)}")
    output.show(f"{'would be discarded' if dry_run else 'discarded'}: {counts(open_letters)}")
    output.finish(
        {
            "discarded": 0 if dry_run else len(open_letters),
            "letters": [filed.id for filed in open_letters],
            "already_resolved": [filed.id for filed in done],
            "dry_run": dry_run,
        }
    )


def _discard(settings: Settings, letters: Sequence[FiledLetter], by: str, note: str, output: Output) -> None:
    with (
        open_publisher(settings, "millrace-dead-letters") as publisher,
        output.progress("discarding", len(letters)) as advance,
    ):
        for done, _ in enumerate(DeadLetterDesk(publisher, by, note).discard(letters), 1):
            advance(done, f"{done} of {len(letters)}")


def _require_selection(wanted: LetterFilter, every: bool) -> None:
    if not every and not asks_for_something(wanted):
        raise DeadLetterError(
            "say which letters: a place such as 3:41, --reason, --since, --until, --key, or --every for all open ones"
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"
