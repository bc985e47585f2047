"""A product as the index keeps it: the document that a search answer shows, and the keywords that BM25 reads."""

from typing import Any

from index.text_analysis import Analyser
from topics.events import Product

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
    """Analysed tokens of title, description and brand, separated by spaces."""
    return analyser.analyse(f"{product.title} {product.description} {product.brand}", product.language)
