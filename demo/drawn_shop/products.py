"""The drawn shop's catalogue as product events, and the pictures that they link to."""

import multiprocessing
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

from demo.drawn_shop.captions import canonical_caption
from demo.drawn_shop.looks import Look, all_looks
from demo.drawn_shop.merchandise import CURRENCY, MERCHANDISE, Merchandise
from demo.drawn_shop.pictures import draw_picture
from topics.events import Product

PICTURE_SIDE = 160
_JPEG_QUALITY = 88
_FIRST_PICTURE_SEED = 1_000_000  # far from the seeds of training and of evaluation: no product's picture is known
_PRICE_SPREAD = (0.6, 1.7)
_IN_STOCK = 0.95


@dataclass(frozen=True, slots=True)
class DrawnProduct:
    """One product of the shop; its picture follows from the look and the seed, whether it is written yet or not."""

    look: Look
    picture_seed: int
    picture: Path
    event: Product


def drawn_products(count: int, seed: int, pictures: Path, updated_at: datetime) -> Iterator[DrawnProduct]:
    """Each of the 640 looks once, in an order that follows from the seed, then each of them again, drawn otherwise.

    `pictures` is the folder that the events' file: links point into; `write_pictures` fills it.
    """
    rng = random.Random(f"drawn shop|{seed}")
    looks: list[Look] = []
    for number in range(count):
        if not looks:
            looks = list(all_looks())
            rng.shuffle(looks)
        yield _product(looks.pop(), number, _Shop(seed, pictures.resolve(), updated_at))


def write_picture(product: DrawnProduct, side: int = PICTURE_SIDE) -> None:
    """A studio-like JPEG at the product's link; one that is there already is left."""
    if product.picture.exists():
        return
    picture = draw_picture(product.look, product.picture_seed, side, clean=True)
    unfinished = product.picture.with_suffix(".part")
    picture.save(unfinished, "JPEG", quality=_JPEG_QUALITY)
    unfinished.replace(product.picture)


def write_pictures(
    products: Iterable[DrawnProduct], side: int = PICTURE_SIDE, processes: int = 1
) -> Iterator[DrawnProduct]:
    """Gives each product, in order, as soon as its picture is written: it may then be published."""
    write = partial(_write_and_return, side=side)
    if processes == 1:
        yield from map(write, products)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(write, products, chunksize=8)


@dataclass(frozen=True, slots=True)
class _Shop:
    seed: int
    pictures: Path
    updated_at: datetime


def _write_and_return(product: DrawnProduct, side: int) -> DrawnProduct:
    product.picture.parent.mkdir(parents=True, exist_ok=True)
    write_picture(product, side)
    return product


def _product(look: Look, number: int, shop: _Shop) -> DrawnProduct:
    rng = random.Random(f"drawn product|{shop.seed}|{number}")
    merchandise = MERCHANDISE[look.kind]
    brand = rng.choice(merchandise.brands)
    identifier = f"drawn-{shop.seed}-{number:06d}"
    picture = shop.pictures / f"{identifier}.jpg"
    event = Product(
        id=identifier,
        updated_at=shop.updated_at,
        title=_title(look, brand),
        description=_description(look),
        brand=brand,
        categories=(merchandise.department, merchandise.shelf),
        price=_price(merchandise, rng),
        currency=CURRENCY,
        availability="in_stock" if rng.random() < _IN_STOCK else "out_of_stock",
        rating=round(rng.triangular(2.5, 5.0, 4.4), 1),
        rating_count=int(rng.expovariate(1 / 60)),
        image_links=(picture.as_uri(),),
        attributes={"kind": look.kind, "colour": look.colour, "pattern": look.pattern},
    )
    return DrawnProduct(look, _picture_seed(number, shop.seed), picture, event)


def _picture_seed(number: int, shop_seed: int) -> int:
    return _FIRST_PICTURE_SEED + shop_seed * 10_000_000 + number


def _title(look: Look, brand: str) -> str:
    words = look.kind if look.pattern == "plain" else f"{look.pattern} {look.kind}"
    return f"{brand} {look.colour} {words}"


def _description(look: Look) -> str:
    english = canonical_caption(look, "en")
    return f"{english[0].upper()}{english[1:]}. {canonical_caption(look, 'zh')}。"


def _price(merchandise: Merchandise, rng: random.Random) -> Decimal:
    """A price as shops write it: so much and 90 cents."""
    euros = max(1, round(merchandise.usual_price * rng.uniform(*_PRICE_SPREAD)))
    return Decimal(euros) - Decimal("0.10")
