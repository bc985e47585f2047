"""What a product event changes in the index, decided by versions and content hashes before any encoder runs."""

import threading
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from encoders.product_text import text_to_encode
from index.base import IMAGE_FIELD, ContentHashes, IndexedState, VectorIndex
from index.documents import document, keywords
from index.text_analysis import Analyser
from streams.records import Record
from streams.work import Arrival, Deletion, Task, Update, Work, first_turn
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
        self._on_the_way: dict[str, tuple[Work, IndexedState | None]] = {}
        self._lock = threading.Lock()

    def plan(self, work: Work, products: Mapping[str, Sequence[Arrival]]) -> None:
        """Plan on what these products will be once all earlier work is written. Raises IndexUnavailable.

        Earlier work may still be rejected. So what looks stale beside it is left unplanned until it is written.
        """
        with self._lock:  # before the index is asked: what is forgotten later, the index knows by then
            expected = {id_: self._on_the_way[id_][1] for id_ in products if id_ in self._on_the_way}
        unknown = [id_ for id_ in products if id_ not in expected]
        states = self._index.states(unknown) if unknown else {}
        for product_id, arrivals in products.items():
            if product_id not in expected:
                self._plan(work, arrivals, states.get(product_id))
            elif (state := expected[product_id]) is None or not self._plan_on(work, arrivals, state):
                work.unplanned += arrivals

    def plan_on_index(self, work: Work, products: Mapping[str, Sequence[Arrival]]) -> None:
        """Plan on what the index holds, whatever is on the way. Raises IndexUnavailable."""
        states = self._index.states(list(products))
        for product_id, arrivals in products.items():
            self._plan(work, arrivals, states.get(product_id))

    def remember(self, work: Work) -> None:
        """What `work` will leave in the index; None where that is not known yet."""
        expected: dict[str, IndexedState | None] = {task.event.id: task.leaves() for task in work.tasks}
        expected |= dict.fromkeys(arrival.event.id for arrival in work.unplanned)
        work.product_ids = frozenset(expected)
        with self._lock:
            self._on_the_way.update({id_: (work, state) for id_, state in expected.items()})

    def forget(self, work: Work) -> None:
        """The index now holds this work, or never will; newer plans for the same products stay remembered."""
        with self._lock:
            for id_ in work.product_ids:
                if id_ in self._on_the_way and self._on_the_way[id_][0] is work:
                    del self._on_the_way[id_]

    def image_hash(self, content: bytes) -> str:
        return self._image_digest(content)

    def _plan(self, work: Work, arrivals: Sequence[Arrival], state: IndexedState | None) -> None:
        """Settle what is stale, up to the first arrival that changes the product."""
        while arrivals and not self._plan_on(work, arrivals, state):
            newest, superseded, arrivals = first_turn(arrivals)
            work.stale([newest, *superseded])

    def _plan_on(self, work: Work, arrivals: Sequence[Arrival], state: IndexedState | None) -> bool:
        """Put a task for the first arrival that counts into `work`; false where it is stale beside this state."""
        (record, event), superseded, later = first_turn(arrivals)
        if state is not None and state.version >= event.version:
            return False
        task: Task
        if isinstance(event, ProductDeletion):
            task = Deletion(event, record, event.version)
        else:
            task = self._update(record, event, event.version, state)
        task.superseded, task.later = superseded, later
        work.tasks.append(task)
        return True

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
