"""Which letters a person means, and what a worker would say to them."""

from datetime import UTC, datetime

import pytest
import typer

from cli.dead_letter_selection import Examiner, asks_for_something, chosen, letter_filter, parse_moment, parse_place
from topics.dead_letter_log import FiledLetter, LetterBox, LetterFilter, Place
from topics.dead_letter_replay import Replay
from topics.dead_letters import DeadLetterError, Source, refused
from topics.events import DeadLetterResolved, InvalidEvent, InvalidReason
from topics.mapping import ProductMapping
from topics.settings import KafkaSettings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MARK = DeadLetterResolved(letter="x", action="discarded", at=1, by="anna")
WHY = InvalidEvent(InvalidReason.NOT_JSON, "broken", b"")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("3:41", Place(3, 41)),
        ("catalog.products/3/41", Place(3, 41, "catalog.products")),
        ("catalog.products/3/41/1700", Place(3, 41, "catalog.products", 1700)),
    ],
)
def test_a_place_is_partition_and_offset_or_an_id(text: str, place: Place) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize("text", ["", "3", "3:", "a:b", "3:41:5", "/3/41", "3:" + "9" * 5_000])
def test_what_is_no_place_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="3:41"):
        parse_place(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("1.5d", datetime(2026, 11, 19, 0, tzinfo=UTC)),
        ("30m", datetime(2026, 11, 20, 11, 30, tzinfo=UTC)),
        ("2026-11-20T08:00:00+01:00", datetime(2026, 11, 20, 7, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_time_ago_or_a_date(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment.timestamp() * 1000


def test_no_moment_is_none() -> None:
    assert parse_moment(None, NOW) is None


@pytest.mark.parametrize("text", ["yesterday", "2", "2026-11-20T08:00:00", "99999999d"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_moment(text, NOW)


def test_a_topic_without_dead_letters_is_refused_with_the_known_ones() -> None:
    with pytest.raises(typer.BadParameter, match=r"catalog\.products"):
        letter_filter((), "catalog.indexed", (), (None, None), "", open_only=True)


def test_a_command_without_any_choice_asks_for_nothing() -> None:
    def asks(
        places: tuple[str, ...] = (), reasons: tuple[InvalidReason, ...] = (), since: str | None = None, key: str = ""
    ) -> bool:
        wanted = letter_filter(places, "catalog.products", reasons, (since, None), key, open_only=True)
        return asks_for_something(wanted)

    assert not asks()
    assert all([asks(places=("3:41",)), asks(reasons=(InvalidReason.NOT_JSON,)), asks(since="2h"), asks(key="p")])


def filed(offset: int, resolution: DeadLetterResolved | None = None, timestamp_ms: int = 1) -> FiledLetter:
    source = Source("catalog.products", 3, offset, timestamp_ms)
    return FiledLetter(refused(source, b"k", b"{", (), WHY), 1, resolution=resolution)


def test_each_place_chooses_its_letter() -> None:
    box = LetterBox([filed(1), filed(2, MARK)])

    assert chosen(box, LetterFilter(places=[Place(3, 1), Place(3, 2)])) == box.letters


def test_a_place_without_a_letter_is_an_error() -> None:
    with pytest.raises(DeadLetterError, match="no such dead letter at 9:9"):
        chosen(LetterBox([filed(1)]), LetterFilter(places=[Place(9, 9)]))


def test_a_place_with_two_letters_is_an_error_that_names_both() -> None:
    box = LetterBox([filed(1), filed(1, timestamp_ms=2)])

    with pytest.raises(DeadLetterError, match=r"catalog\.products/3/1/1, catalog\.products/3/1/2"):
        chosen(box, LetterFilter(places=[Place(3, 1)]))


def objection(value: bytes | None, key: bytes = b"p1", kafka: KafkaSettings | None = None) -> str:
    replay = Replay(Source("catalog.products", 3, 1, 1), key, value, (("replayed_from", b"x"), ("null", None)))
    return Examiner(kafka or KafkaSettings()).objection(replay)


def test_what_a_worker_would_take_meets_no_objection() -> None:
    assert objection(b'{"id": "p1", "title": "lamp", "updated_at": 1}') == ""
    assert objection(None) == ""


def test_what_a_worker_would_refuse_meets_its_reason() -> None:
    assert objection(b"{broken").startswith("not_json: ")
    assert objection(b'{"id": "p1", "title": "lamp", "updated_at": 1}', key=b"p2").startswith("key_mismatch")
    long = "红" * 20_000
    product = f'{{"id":"p1","title":"t","updated_at":1,"description":"{long}","attributes":{{"n":"{long[:9000]}"}}}}'
    assert objection(product.encode()).startswith("index_refused: ")


def test_the_settings_of_today_decide() -> None:
    row = b'{"op":"c","ts_ms":1,"after":{"sku":"p1","name":"lamp"}}'
    mapping = ProductMapping(fields={"id": "sku", "title": "name"})

    assert objection(row).startswith("invalid")
    assert objection(row, kafka=KafkaSettings(product_mapping=mapping)) == ""
