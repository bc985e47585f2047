"""What a product event changes in the index, decided by versions and content hashes before any encoder runs."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from encoders.product_text import text_to_encode
from index.base import IMAGE_FIELD, ContentHashes, IndexedState, VectorIndex
from index.documents import document, keywords
from index.text_analysis import Analyser
from streams.records import Record
from streams.work import Arrival, Deletion, Task, Update, Work
from topics.events import Product, ProductDeletion


class Planner:
    """Compares events with what the index holds, or is about to hold.

    Work overlaps: while one cut is planned, earlier ones are still on their way to the index. What they will leave
    there is remembered from `remember` until `forget`, so that a plan never rests on a state that an earlier cut is
    about to replace.
    """

    def __init__(self, index: VectorIndex, analyser: Analyser, text_release: str, image_release: str) -> None:
        self._index = index
        self._analyser = analyser
        self._text_digest = _Digest(text_release)
        self._image_digest = _Digest(image_release)
        self._on_the_way: dict[str, Task] = {}
        self._lock = threading.Lock()

    def states(self, product_ids: Sequence[str]) -> dict[str, IndexedState]:
        """What these products are, or will be once all earlier work is written. Raises IndexUnavailable."""
        with self._lock:  # before the index is asked: what is forgotten later, the index knows by then
            found = {id_: task.leaves() for id_ in product_ids if (task := self._on_the_way.get(id_)) is not None}
        unknown = [id_ for id_ in product_ids if id_ not in found]
        return self._index.states(unknown) | found if unknown else found

    def plan(self, work: Work, products: Mapping[str, Sequence[Arrival]], states: Mapping[str, IndexedState]) -> None:
        """Put a task for each product that changes into `work`; what changes nothing is settled as stale."""
        for product_id, arrivals in products.items():
            (record, event), superseded = arrivals[0], arrivals[1:]
            state = states.get(product_id)
            version = event.version
            if state is not None and state.version >= version:
                work.stale(arrivals)
            elif not isinstance(event, ProductDeletion):
                work.tasks.append(self._update(record, event, version, state))
                work.tasks[-1].superseded = superseded
            elif event.dated or (state is not None and not state.deleted):
                work.tasks.append(Deletion(event, record, version, superseded))
            else:
                work.stale(arrivals)

    def remember(self, tasks: Iterable[Task]) -> None:
        with self._lock:
            self._on_the_way.update({task.event.id: task for task in tasks})

    def forget(self, tasks: Iterable[Task]) -> None:
        """The index now holds these tasks, or never will; newer plans for the same products stay remembered."""
        with self._lock:
            for task in tasks:
                if self._on_the_way.get(task.event.id) is task:
                    del self._on_the_way[task.event.id]

    def image_hash(self, content: bytes) -> str:
        return self._image_digest(content)

    def _update(self, record: Record, product: Product, version: int, state: IndexedState | None) -> Update:
        held = None if state is None or state.deleted else state.hashes
        text = text_to_encode(product)
        link = product.image_links[0] if product.image_links else ""
        hashes = ContentHashes(self._text_digest(text.encode()), self._image_digest(link.encode()) if link else "")
        update = Update(product, record, version, held, hashes, document(product), keywords(product, self._analyser))
        if held is None or held.text != hashes.text:
            update.text = text
        if held is not None and held.image_link == hashes.image_link:
            update.hashes = ContentHashes(hashes.text, hashes.image_link, held.image)
        elif link:
            update.fetch_image = True
        elif held is not None and held.image:
            update.vectors[IMAGE_FIELD] = None
        return update


class _Digest:
    """Hashes content together with the release of the model that encodes it."""

    def __init__(self, release: str) -> None:
        self._start = blake2b(release.encode(), digest_size=16)

    def __call__(self, content: bytes) -> str:
        digest = self._start.copy()
        digest.update(content)
        return digest.hexdigest()
