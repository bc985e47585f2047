"""What `millrace dead-letters replay` sends and what it holds back, with the reason of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.dead_letter_selection import Examiner, parse_place, read_box
from cli.dead_letter_views import resolution_text
from cli.output import Output
from topics.dead_letter_forms import FixedMessage, UnusableLine, read_fixed
from topics.dead_letter_log import FiledLetter, LetterFilter
from topics.dead_letter_replay import DeadLetterDesk, Replay, Sent, replay_as_it_was, replay_fixed
from topics.dead_letters import DeadLetterError
from topics.publisher import PublisherError
from topics.settings import KafkaSettings

_TOLD = 20


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Something that is not sent. `line` of the file that names it, 0 without one; `letter` is empty where unknown."""

    reason: str
    letter: str = ""
    line: int = 0

    def text(self) -> str:
        place = ", ".join(filter(None, [f"line {self.line}" if self.line else "", self.letter]))
        return f"{place}: {self.reason}"


@dataclass(slots=True)
class ReplayPlan:
    """Decides letter by letter. `again`: resolved ones, too; `force`: also what would be refused again."""

    examiner: Examiner
    again: bool
    force: bool
    replays: list[Replay] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)

    def add(self, filed: FiledLetter, fixed: FixedMessage | None = None) -> None:
        line = fixed.line if fixed else 0
        try:
            self.replays.append(self._replay(filed, fixed))
        except DeadLetterError as error:
            self.held_back.append(HeldBack(str(error), filed.id, line))

    def _replay(self, filed: FiledLetter, fixed: FixedMessage | None) -> Replay:
        if filed.resolution is not None and not self.again:
            raise DeadLetterError(f"already {resolution_text(filed.resolution)}; add --again to send it all the same")
        replay = replay_fixed(filed, fixed) if fixed else replay_as_it_was(filed)
        objection = self.examiner.objection(replay)
        if objection and not self.force:
            raise DeadLetterError(f"would be refused again ({objection}); fix it, or add --force to send it")
        return replay


def plan_from_file(plan: ReplayPlan, file: Path, output: Output, kafka: KafkaSettings) -> None:
    """Each line's message for the letter that it names. Raises DeadLetterError for a file that cannot be read."""
    try:
        items = list(read_fixed(file.read_bytes()))
    except OSError as error:
        raise DeadLetterError(f"cannot read {file}: {error.strerror}") from None
    plan.held_back += [HeldBack(item.reason, line=item.line) for item in items if isinstance(item, UnusableLine)]
    messages = [item for item in items if isinstance(item, FixedMessage)]
    if not messages:
        return
    places = [parse_place(message.letter) for message in messages]
    box = read_box(output, kafka, LetterFilter(places=places))
    letters = {filed.id: filed for filed in box.letters}
    for message in messages:
        filed = letters.pop(message.letter, None)
        if filed is None:
            reason = "no dead letter has this id, or an earlier line has it too: see `millrace dead-letters list --all`"
            plan.held_back.append(HeldBack(reason, message.letter, message.line))
        else:
            plan.add(filed, message)


@dataclass(slots=True)
class ReplayReport:
    """What became of it. `stopped` says why not everything was tried."""

    planned: int
    dry_run: bool
    held_back: list[HeldBack]
    sent: list[Sent] = field(default_factory=list)
    stopped: str = ""

    def send(self, replays: Sequence[Replay], desk: DeadLetterDesk, output: Output) -> None:
        with output.progress("replaying", len(replays)) as advance:
            try:
                for done, sent in enumerate(desk.replay(replays), 1):
                    if sent.error:
                        self.held_back.append(HeldBack(sent.error, sent.replay.source.id))
                    else:
                        self.sent.append(sent)
                    advance(done, f"{done} of {len(replays)}")
            except PublisherError as error:
                self.stopped = f"{error}; some messages may have gone without their mark: replay them again"

    def tell(self, output: Output) -> None:
        """Ends the command with exit code 1 where something was not replayed."""
        for held in self.held_back[:_TOLD]:
            output.note(held.text())
        if len(self.held_back) > _TOLD:
            output.note(f"and {len(self.held_back) - _TOLD} more: --json names them all")
        if self.dry_run:
            output.show(f"would be sent: {self.planned}")
        elif self.sent:
            output.show(f"replayed: {len(self.sent)}. What a worker refuses again becomes a new dead letter.")
        elif not self.held_back and not self.stopped:
            output.show("nothing to replay: no open dead letter matches")
        if self.stopped:
            output.fail(self.stopped, self._facts())
        if self.held_back:
            would = "would not be sent" if self.dry_run else "not replayed"
            output.fail(f"{would}: {len(self.held_back)}; their reasons stand above", self._facts())
        output.finish(self._facts())

    def _facts(self) -> dict[str, Any]:
        return {
            "replayed": len(self.sent),
            "letters": [
                {"id": sent.replay.source.id, "partition": sent.partition, "offset": sent.offset} for sent in self.sent
            ],
            "not_replayed": [
                {"id": held.letter, "line": held.line or None, "reason": held.reason} for held in self.held_back
            ],
            "dry_run": self.dry_run,
            "would_be_sent": self.planned,
        }
