"""From what the workers say on `catalog.indexed` to what clients are told."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from index.base import VectorIndex
from serving.announcements import Announcements
from serving.media_routes import MediaLinks
from serving.search_answers import shown_product
from topics.events import ProductIndexed


class IndexedProducts:
    """Hears of `catalog.indexed` and announces what of it shoppers can find now, or no longer."""

    def __init__(self, index: VectorIndex, links: MediaLinks, announcements: Announcements) -> None:
        self._index = index
        self._links = links
        self._announcements = announcements

    def hear(self, events: Sequence[ProductIndexed]) -> None:
        """Raises IndexUnavailable. Costs nothing while nobody listens."""
        changed = {
            event.product_id: event for event in events if event.index is None and event.outcome != "stale"
        }  # the last of each product: all would show the same document
        if not changed or not self._announcements.has_subscribers:
            return
        kept = [product_id for product_id, event in changed.items() if event.outcome != "deleted"]
        documents = self._index.documents(kept) if kept else {}
        self._announcements.announce(
            [
                orjson.dumps(self._content(event, documents.get(product_id, {})))
                for product_id, event in changed.items()
                if event.outcome == "deleted" or product_id in documents  # the rest was deleted meanwhile
            ]
        )

    def _content(self, event: ProductIndexed, document: Mapping[str, Any]) -> dict[str, Any]:
        links = shown_product(document, self._links).get("image_links", ())
        return {
            "product_id": event.product_id,
            "outcome": event.outcome,
            "title": document.get("title"),
            "language": document.get("language"),
            "image": next(iter(links), None),
            "seconds": round(max(0.0, event.searchable_at - event.event_at), 3),
        }
