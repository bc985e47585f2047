"""What a product event changes in the index, decided by versions and content hashes before any encoder runs."""

import threading
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from encoders.product_text import text_to_encode
from index.base import IMAGE_FIELD, ContentHashes, IndexedState, VectorIndex
from streams.records import Record
from streams.work import Deletion, Task, Update, Work
from topics.events import Product, ProductDeletion, ProductEvent


class Planner:
    """Compares events with what the index holds, or is about to hold.

    Work overlaps: while one cut is planned, earlier ones are still on their way to the index. What they will leave there is
    remembered from `remember` until `forget`, so that a plan never rests on a state that an earlier cut is about to replace.
    """

    def __init__(self, index: VectorIndex, text_release: str, image_release: str) -> None:
        self._index = index
        self._text_release = text_release
        self._image_release = image_release
        self._on_the_way: dict[str, IndexedState] = {}
        self._lock = threading.Lock()

    def states(self, product_ids: Sequence[str]) -> dict[str, IndexedState]:
        """What these products are, or will be once all earlier work is written. Raises IndexUnavailable."""
        with self._lock:  # before the index is asked: what is forgotten later, the index knows by then
            found = {id_: state for id_ in product_ids if (state := self._on_the_way.get(id_))}
        unknown = [id_ for id_ in product_ids if id_ not in found]
        return self._index.states(unknown) | found if unknown else found

    def plan(self, work: Work, events: Iterable[tuple[Record, ProductEvent]], states: dict[str, IndexedState]) -> None:
        """Put a task for each event that changes something into `work`; the others are settled as stale."""
        for record, event in events:
            state = states.get(event.id)
            if state is not None and state.version >= event.version:
                work.stale(record, event)
            elif isinstance(event, ProductDeletion):
                work.tasks.append(Deletion(event, record))
            else:
                work.tasks.append(self._update(record, event, state))

    def remember(self, tasks: Iterable[Task]) -> None:
        with self._lock:
            for task in tasks:
                hashes = task.hashes if isinstance(task, Update) else ContentHashes()
                task.planned = IndexedState(task.event.version, isinstance(task, Deletion), hashes)
                self._on_the_way[task.event.id] = task.planned

    def forget(self, tasks: Iterable[Task]) -> None:
        """The index now holds these tasks, or never will; newer plans for the same products stay remembered."""
        with self._lock:
            for task in tasks:
                if self._on_the_way.get(task.event.id) is task.planned:
                    self._on_the_way.pop(task.event.id, None)

    def image_hash(self, content: bytes) -> str:
        return _digest(content, self._image_release)

    def _update(self, record: Record, product: Product, state: IndexedState | None) -> Update:
        held = None if state is None or state.deleted else state.hashes
        text = text_to_encode(product)
        link = product.image_links[0] if product.image_links else ""
        hashes = ContentHashes(
            _digest(text.encode(), self._text_release), _digest(link.encode(), self._image_release) if link else ""
        )
        update = Update(product, record, held, hashes)
        if held is None or held.text != hashes.text:
            update.text = text
        if held is not None and held.image_link == hashes.image_link:
            update.hashes = ContentHashes(hashes.text, hashes.image_link, held.image)
        elif link:
            update.fetch_image = True
        elif held is not None and held.image:
            update.vectors[IMAGE_FIELD] = None
        return update


def _digest(content: bytes, release: str) -> str:
    return blake2b(content, digest_size=16, key=release.encode()[:64]).hexdigest()
