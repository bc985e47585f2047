"""A product as the index keeps it: the document that a search answer shows, and the keywords that BM25 reads."""

from collections.abc import Iterator
from typing import Any

from index.identifiers import find_identifiers, identifier_token
from index.text_analysis import Analyser
from topics.events import Product

IDENTIFIER_ATTRIBUTES = frozenset(
    {"gtin", "gtin8", "gtin12", "gtin13", "gtin14", "ean", "upc", "isbn", "mpn", "model", "model_number", "sku"}
)
_BY_HAND = {"attributes", "price"}  # attributes are JSON values already: pydantic would try each type on each again


def document(product: Product) -> dict[str, Any]:
    """The event's fields as JSON values; price is a number, `updated_at` an ISO 8601 text. Empty ones are left out."""
    fields = product.model_dump(mode="json", exclude_defaults=True, exclude=_BY_HAND)
    fields["availability"] = product.availability
    fields["language"] = product.language
    if product.price is not None:
        fields["price"] = float(product.price)
    if product.attributes:
        fields["attributes"] = dict(product.attributes)
    return fields


def keywords(product: Product, analyser: Analyser) -> str:
    """Analysed tokens of title, description and brand, then a token for each article number, separated by spaces."""
    words = analyser.analyse(f"{product.title} {product.description} {product.brand}", product.language)
    numbers = " ".join(dict.fromkeys(_identifier_tokens(product)))
    return f"{words} {numbers}".strip()


def _identifier_tokens(product: Product) -> Iterator[str]:
    """Of the id, of attributes that hold article numbers by their names, and of model numbers in the title."""
    yield identifier_token(product.id)
    for name, value in product.attributes.items():
        if name.lower() in IDENTIFIER_ATTRIBUTES:
            for one in value if isinstance(value, list) else (value,):
                yield identifier_token(str(one))
    for found in find_identifiers(product.title):
        yield identifier_token(found.text)
