"""What happens in the drawn shop on a working day."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from demo.drawn_shop.changes import Gone, WorkingDay
from demo.drawn_shop.products import DrawnProduct, drawn_products
from topics.events import Product

OPENING = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = [product.event for product in drawn_products(30, 1, Path("pictures"), OPENING)]


def day(seed: int = 1, arrivals: int = 5) -> WorkingDay:
    return WorkingDay(SHOP, drawn_products(arrivals, 2, Path("pictures"), OPENING), seed)


def changes(working_day: WorkingDay, count: int) -> list[Product | Gone | DrawnProduct]:
    return [working_day.next(OPENING + timedelta(seconds=number + 1)) for number in range(count)]


def test_equal_seeds_give_equal_days() -> None:
    assert changes(day(), 50) == changes(day(), 50)
    assert changes(day(), 50) != changes(day(seed=2), 50)


def test_all_kinds_of_change_happen_and_new_products_end_with_the_arrivals() -> None:
    happened = changes(day(arrivals=5), 300)

    assert sum(isinstance(change, DrawnProduct) for change in happened) == 5
    assert any(isinstance(change, Gone) for change in happened)
    assert {change.availability for change in happened if isinstance(change, Product)} == {"in_stock", "out_of_stock"}


def test_a_product_that_is_gone_never_changes_again() -> None:
    gone: set[str] = set()
    for change in changes(day(), 300):
        product_id = change.event.id if isinstance(change, DrawnProduct) else change.id
        assert product_id not in gone
        if isinstance(change, Gone):
            gone.add(product_id)


def test_a_changed_product_is_newer_and_keeps_its_words_and_picture() -> None:
    shop = {product.id: product for product in SHOP}
    for change in islice(changes(day(arrivals=0), 40), 40):
        if isinstance(change, Product):
            before = shop[change.id]
            assert change.updated_at > before.updated_at
            assert (change.title, change.image_links) == (before.title, before.image_links)
            shop[change.id] = change
