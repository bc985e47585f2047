import threading

from index.embedded_repairs import SharedLock


def test_readers_share_and_a_flush_waits_for_them_and_goes_before_later_ones() -> None:
    lock = SharedLock()
    order: list[str] = []
    waiting, first_reads = threading.Event(), threading.Event()

    def flush() -> None:
        waiting.set()
        with lock.exclusive():
            order.append("flush")

    def read_later() -> None:
        with lock.shared():
            order.append("later")

    def read_first() -> None:
        with lock.shared():
            first_reads.set()
            assert waiting.wait(5)
            while not lock._excluding:
                pass
            later.start()
            order.append("first")

    flusher, later = threading.Thread(target=flush), threading.Thread(target=read_later)
    first = threading.Thread(target=read_first)
    first.start()
    assert first_reads.wait(5)
    with lock.shared():  # beside the first reader
        flusher.start()
        assert waiting.wait(5)
    for thread in (first, flusher, later):
        thread.join(5)
    assert order == ["first", "flush", "later"]


def test_the_lock_is_free_again_after_an_error_inside() -> None:
    lock = SharedLock()
    for guard in (lock.shared, lock.exclusive, lock.shared):
        try:
            with guard():
                raise KeyError
        except KeyError:
            pass
    with lock.exclusive():
        pass
