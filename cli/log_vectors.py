"""Vectors of a log's products, encoded as a worker encodes them: what rankers compare by likeness."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from PIL.Image import Image

from cli.output import Output
from cli.settings import Settings
from encoders.base import Vectors
from encoders.factory import create_image_encoder, create_text_encoder
from encoders.image_sources import ImageSource
from encoders.images import ImageError, decode_image
from encoders.product_text import text_to_encode
from encoders.usable import encode_usable
from index.base import IMAGE_FIELD, TEXT_FIELD
from ranking.rankers import Numbers
from ranking.style_vectors import style_vector
from topics.events import Product

_AT_ONCE = 64


def encode_products(products: Sequence[Product], settings: Settings, output: Output) -> dict[str, Numbers]:
    """Unit vectors by product id, zeros where neither words nor picture gave one. What was left out is told.
    Raises EncoderError.
    """
    with output.waiting("loading the models"):
        texts, pictures = create_text_encoder(settings.encoders), create_image_encoder(settings.encoders)
    dimensions = {TEXT_FIELD: texts.dimension, IMAGE_FIELD: pictures.dimension}
    styles: dict[str, Numbers] = {}
    without: Counter[str] = Counter()
    with (
        ImageSource(settings.encoders.image_sources) as source,
        ThreadPoolExecutor(settings.worker.picture_fetchers) as fetchers,
        output.progress("encoding products", len(products)) as advance,
    ):
        for start in range(0, len(products), _AT_ONCE):
            some = products[start : start + _AT_ONCE]
            of_texts, refused = encode_usable(texts.encode_texts, [text_to_encode(product) for product in some])
            of_pictures = _encoded_pictures(pictures.encode_images, some, _reader(source, settings), fetchers)
            without["words"] += len(refused)
            without["picture"] += sum(bool(product.image_links) for product in some) - len(of_pictures)
            for place, product in enumerate(some):
                found = {TEXT_FIELD: of_texts.get(place), IMAGE_FIELD: of_pictures.get(place)}
                known = {field: vector for field, vector in found.items() if vector is not None}
                styles[product.id] = style_vector(known, dimensions)
            advance(start + len(some), f"{start + len(some)} of {len(products)}")
    for part, number in (+without).items():
        output.note(f"{number} of {len(products)} products are compared without their {part}: none gave a vector")
    return styles


def vectors_of(styles: Mapping[str, Numbers]) -> Callable[[Sequence[Product]], dict[str, Numbers]]:
    """Of some of the products, as a replay asks for them."""
    return lambda products: {product.id: styles[product.id] for product in products if product.id in styles}


def _encoded_pictures(
    encode: Callable[[list[Image]], Vectors],
    products: Sequence[Product],
    read: Callable[[Product], Image | None],
    fetchers: Executor,
) -> dict[int, Vectors]:
    read_pictures = dict(enumerate(fetchers.map(read, products)))
    places = [place for place, picture in read_pictures.items() if picture is not None]
    vectors, _ = encode_usable(encode, [picture for picture in read_pictures.values() if picture is not None])
    return {places[position]: vector for position, vector in vectors.items()}


def _reader(source: ImageSource, settings: Settings) -> Callable[[Product], Image | None]:
    def read(product: Product) -> Image | None:
        if not product.image_links:
            return None
        try:
            return decode_image(source.fetch(product.image_links[0]), settings.encoders.image_sources.limits)
        except ImageError:
            return None

    return read
