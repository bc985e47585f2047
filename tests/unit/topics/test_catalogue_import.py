"""Records to published products: refusals are told with their line, what is sent is counted by the broker's answer."""

import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from topics.catalogue_files import BadLine, Record
from topics.catalogue_import import ProductReader, ProductSender, ReadProduct, import_products
from topics.catalogue_pictures import CataloguePictures, CataloguePicturesError
from topics.events import Product
from topics.import_progress import ImportProgress
from topics.mapping import ProductMapping
from topics.publisher import Delivery, MessageRefused, NotAcknowledged, OnDelivery, PublisherOverloaded

START = datetime(2026, 11, 20, tzinfo=UTC)
PICTURE = b"\xff\xd8\xff picture"


class RecordingPublisher:
    """Answers every message at once; `answers` overrides what happens with a product id."""

    def __init__(self, answers: Mapping[str, list[Exception | Delivery]] | None = None) -> None:
        self.sent: list[tuple[str, bytes | None, bytes | None]] = []
        self._answers = {key: list(value) for key, value in (answers or {}).items()}

    def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        answers = self._answers.get((key or b"").decode())
        answer = answers.pop(0) if answers else Delivery(topic, 0, len(self.sent))
        if isinstance(answer, Exception):
            raise answer
        self.sent.append((topic, key, value))
        assert on_delivery is not None
        on_delivery(answer)

    def flush(self, timeout_seconds: float) -> int:
        return 0


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def reader(mapping: ProductMapping | None = None, pictures: CataloguePictures | None = None) -> ProductReader:
    return ProductReader(mapping or ProductMapping(), START, 10_000, pictures)


def read_one(
    fields: dict[str, object], mapping: ProductMapping | None = None, pictures: CataloguePictures | None = None
) -> ReadProduct | BadLine:
    [item] = reader(mapping, pictures).products([Record(3, fields)])
    return item


def refusal(fields: dict[str, object]) -> str:
    item = read_one({"id": "a", "title": "Dress"} | fields)
    assert isinstance(item, BadLine)
    assert item.line == 3
    return item.reason


def test_a_record_without_time_of_change_takes_that_of_the_import_and_later_lines_are_newer() -> None:
    items = list(reader().products([Record(line, {"id": "a", "title": "Dress"}) for line in (1, 2)]))

    assert [item.product.version for item in items if isinstance(item, ReadProduct)] == [
        Product(id="a", title="Dress", updated_at=START).version + line for line in (1, 2)
    ]


def test_a_record_keeps_its_own_time_of_change() -> None:
    item = read_one({"id": "a", "title": "Dress", "updated_at": "2020-01-01T00:00:00Z"})

    assert isinstance(item, ReadProduct)
    assert item.product.updated_at == datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"price": 1e12, "currency": "EUR"}, "price: Input should be less than or equal to 1000000000"),
        ({"price": -1, "currency": "EUR"}, "price: Input should be greater than or equal to 0"),
        ({"price": "NaN", "currency": "EUR"}, "price: Input should be a finite number"),
        ({"price": 5}, "price without currency"),
        ({"title": " "}, "title: String should have at least 1 character"),
        ({"id": None}, "id: Input should be a valid string"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"attributes": {"long": "x" * 10_001}}, "attributes.long: an attribute is a text of at most"),
        ({"description": "x" * 10_000}, "too large: "),
        ({"image_links": ["a.jpg"]}, "picture: 'a.jpg' is a file name; say with --media"),
        ({"image_links": "http://shop/a.jpg"}, "image_links: Input should be a valid tuple"),
    ],
)
def test_a_line_that_cannot_be_used_says_why(fields: dict[str, object], reason: str) -> None:
    assert reason in refusal(fields)


def test_a_price_that_is_no_number_is_a_bad_line() -> None:
    item = read_one({"sku": "a", "cost": "free"}, ProductMapping(fields={"id": "sku", "price": "cost"}))

    assert item == BadLine(3, "price: 'free' at 'cost' is not a number")


def test_bad_lines_pass_through_in_order() -> None:
    bad = BadLine(1, "not JSON")

    items = reader().products([bad, Record(2, {"id": "a", "title": "Dress"})])

    assert [isinstance(item, BadLine) for item in items] == [True, False]


def test_everything_is_counted() -> None:
    publisher = RecordingPublisher(
        {
            "large": [MessageRefused("catalog.products: Message size too large")],
            "lost": [Delivery("catalog.products", 0, -1, "timed out")],
            "slow": [PublisherOverloaded("full"), PublisherOverloaded("full"), Delivery("catalog.products", 0, 9)],
        }
    )
    records: list[Record | BadLine] = [BadLine(1, "not JSON: oops")]
    records += [
        Record(number, {"id": key, "title": "x"}) for number, key in enumerate(("a", "large", "lost", "slow"), 2)
    ]
    progress, told, clock = ImportProgress(), list[BadLine](), Clock()
    sender = ProductSender(publisher, progress, None, 0, clock, clock.wait)

    sent = list(import_products(reader().products(records), sender, progress, told.append))

    counts = progress.counts

    assert [item.product.id for item in sent] == ["a", "lost", "slow"]
    assert [key for _, key, _ in publisher.sent] == [b"a", b"lost", b"slow"]
    assert (counts.read, counts.sent, counts.acknowledged) == (5, 3, 2)
    assert counts.refused == {"not JSON": 1, "refused by the broker": 1}
    assert counts.not_acknowledged == {"timed out": 1}
    assert [bad.line for bad in told] == [1, 3]
    assert clock.now == pytest.approx(0.1)
    assert not counts.settled
    assert progress.prefix.line == 3


REFUSED = Delivery("catalog.products", 0, -1, "Broker: Message size too large", refused=True)


def test_only_what_the_broker_refuses_by_itself_is_a_bad_line() -> None:
    """A broker refuses a request as a whole: "beside" was in the one of "large"."""
    publisher = RecordingPublisher({"beside": [REFUSED], "large": [REFUSED, REFUSED]})
    records = [Record(number, {"id": key, "title": "x"}) for number, key in enumerate(("a", "beside", "large"), 1)]
    progress, told, clock = ImportProgress(), list[BadLine](), Clock()
    sender = ProductSender(publisher, progress, None, 0, clock, clock.wait)

    list(import_products(reader().products(records), sender, progress, told.append))

    assert told == [BadLine(3, "refused by the broker: Broker: Message size too large")]
    assert [key for _, key, _ in publisher.sent] == [b"a", b"beside", b"beside", b"large", b"large"]
    counts = progress.counts
    assert (counts.read, counts.sent, counts.acknowledged, counts.unanswered) == (3, 2, 2, 0)
    assert counts.settled
    assert progress.prefix.line == 3


def test_an_import_ends_where_what_is_sent_again_alone_is_not_acknowledged() -> None:
    publisher = RecordingPublisher({"b": [REFUSED, Delivery("catalog.products", 0, -1, "timed out")]})
    records = [Record(number, {"id": key, "title": "x"}) for number, key in enumerate("abc", 1)]
    progress, clock = ImportProgress(), Clock()
    sender = ProductSender(publisher, progress, None, 0, clock, clock.wait)

    with pytest.raises(NotAcknowledged, match="line 2"):
        list(import_products(reader().products(records), sender, progress, lambda bad: None))

    assert progress.prefix.line == 1
    assert progress.counts.refused.total() == 0


def test_a_rate_is_kept() -> None:
    clock = Clock()
    progress = ImportProgress()
    sender = ProductSender(RecordingPublisher(), progress, None, 4.0, clock, clock.wait)
    records = [Record(number, {"id": str(number), "title": "x"}) for number in range(1, 10)]

    list(import_products(reader().products(records), sender, progress, lambda bad: None))

    assert progress.counts.acknowledged == 9
    assert clock.now == pytest.approx(2.0)


def test_without_a_sender_everything_is_only_checked() -> None:
    progress = ImportProgress()
    records = [Record(1, {"id": "a", "title": "x"}), Record(2, {"id": "b"})]

    list(import_products(reader().products(records), None, progress, lambda bad: None))

    counts = progress.counts
    assert (counts.read, counts.sent, counts.refused.total()) == (2, 0, 1)


class SleepyClock(Clock):
    """Sleeps longer than it is asked to, as machines do."""

    def wait(self, seconds: float) -> None:
        self.now += seconds + 0.003


def test_a_rate_is_kept_though_each_sleep_is_too_long() -> None:
    clock = SleepyClock()
    progress = ImportProgress()
    sender = ProductSender(RecordingPublisher(), progress, None, 200.0, clock, clock.wait)
    records = [Record(number, {"id": str(number), "title": "x"}) for number in range(1, 1_002)]

    list(import_products(reader().products(records), sender, progress, lambda bad: None))

    assert clock.now == pytest.approx(5.0, abs=0.06)


def test_time_that_was_lost_is_not_made_good_by_a_burst() -> None:
    clock = Clock()
    publisher = RecordingPublisher({"2": [PublisherOverloaded("full")] * 2_000})  # 100 s without room
    progress = ImportProgress()
    sender = ProductSender(publisher, progress, None, 10.0, clock, clock.wait)
    records = [Record(number, {"id": str(number), "title": "x"}) for number in range(1, 102)]

    list(import_products(reader().products(records), sender, progress, lambda bad: None))

    assert clock.now == pytest.approx(100 + 10, abs=0.2)


def test_a_line_that_the_end_keeps_from_being_sent_is_not_read() -> None:
    class Ended(Exception):
        pass

    def end(seconds: float) -> None:
        raise Ended

    clock, progress = Clock(), ImportProgress()
    publisher = RecordingPublisher({"2": [PublisherOverloaded("full")]})
    sender = ProductSender(publisher, progress, None, 0, clock, end)
    records = [Record(number, {"id": str(number), "title": "x"}) for number in (1, 2)]

    with pytest.raises(Ended):
        list(import_products(reader().products(records), sender, progress, lambda bad: None))

    assert (progress.counts.read, progress.counts.sent, progress.counts.acknowledged) == (1, 1, 1)
    assert progress.counts.settled
    assert progress.prefix.line == 1


@pytest.fixture(params=["folder", "zip"])
def media(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    (folder / "inner").mkdir(parents=True)
    (folder / "red dress.jpg").write_bytes(PICTURE)
    (folder / "inner" / "b.jpg").write_bytes(PICTURE)
    if request.param == "folder":
        return folder
    archive = tmp_path / "media.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in folder.rglob("*.jpg"):
            packed.write(file, file.relative_to(folder))
    return archive


def test_named_pictures_are_copied_and_linked(media: Path, tmp_path: Path) -> None:
    with CataloguePictures(media, tmp_path / "root", "shop") as pictures:
        item = read_one(
            {"id": "a", "title": "x", "image_links": ["red dress.jpg", "inner/b.jpg", "https://shop/c.jpg"]},
            pictures=pictures,
        )

    assert isinstance(item, ReadProduct)
    assert item.product.image_links == ("file:shop/red%20dress.jpg", "file:shop/inner/b.jpg", "https://shop/c.jpg")
    assert (tmp_path / "root" / "shop" / "red dress.jpg").read_bytes() == PICTURE
    assert sorted(file.name for file in (tmp_path / "root").rglob("*.*")) == ["b.jpg", "red dress.jpg"]


def test_a_dry_run_copies_nothing(media: Path, tmp_path: Path) -> None:
    with CataloguePictures(media, tmp_path / "root", "shop", copy=False) as pictures:
        assert pictures.link("inner/b.jpg") == "file:shop/inner/b.jpg"

    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "", ".", "inner/../../x", "a\\..\\b", "none.jpg", "a\0"])
def test_pictures_that_are_not_there_or_lie_elsewhere_are_bad_lines(media: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    with CataloguePictures(media, tmp_path / "root", "shop") as pictures:
        item = read_one({"id": "a", "title": "x", "image_links": [name]}, pictures=pictures)

    assert isinstance(item, BadLine)
    assert item.reason.startswith("picture: ")
    assert not (tmp_path / "root").exists()


def test_media_that_are_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no archive")

    for name in ("text.zip", "nowhere"):
        with pytest.raises(CataloguePicturesError, match=name):
            CataloguePictures(tmp_path / name, tmp_path / "root", "shop")
