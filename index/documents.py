"""A product as the index keeps it: the document that a search answer shows, and the keywords that BM25 reads."""

from typing import Any

from index.text_analysis import Analyser
from topics.events import Product


def document(product: Product) -> dict[str, Any]:
    """The event's fields as JSON values; price is a number, `updated_at` an ISO 8601 text. Empty ones are left out."""
    fields: dict[str, Any] = {
        "id": product.id,
        "title": product.title,
        "description": product.description,
        "brand": product.brand,
        "categories": list(product.categories),
        "price": None if product.price is None else float(product.price),
        "currency": product.currency,
        "availability": product.availability,
        "rating": product.rating,
        "rating_count": product.rating_count,
        "image_links": list(product.image_links),
        "video_link": product.video_link,
        "attributes": product.attributes,
        "language": product.language,
        "updated_at": product.updated_at.isoformat(),
    }
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def keywords(product: Product, analyser: Analyser) -> str:
    """Analysed tokens of title, description and brand, separated by spaces."""
    return analyser.analyse(f"{product.title} {product.description} {product.brand}", product.language)
