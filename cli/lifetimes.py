"""Processes that end with their parent, and a parent that starts its child again."""

import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Collection, Sequence

import setproctitle

logger = logging.getLogger(__name__)

_ORPHAN_SECONDS = 10.0
_WORKED_SECONDS = 5.0  # what ended sooner may well end again at once
_PAUSE_SECONDS = 1.0
_TOLD_TO_STOP = (signal.SIGTERM, signal.SIGINT)


def end_with_stdin() -> None:
    """End as on SIGTERM once the parent has closed our standard input, however it ended; at once where that takes too
    long, since the broker and the index may have ended, too.
    """

    def wait() -> None:
        while os.read(0, 4096):  # sys.stdin's lock, held here, would abort the interpreter at its end
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_ORPHAN_SECONDS)
        os._exit(1)

    threading.Thread(target=wait, name="end with stdin", daemon=True).start()


def run_in_children(title: str, restart_on: Collection[int], with_stdin: bool) -> None:
    """Returns in a child process, and in another one each time that a child was killed or ended with one of the codes
    `restart_on`. The child ends with its parent.

    The parent passes SIGTERM and SIGINT on as SIGTERM, and raises SystemExit with the child's code once that ended
    otherwise or was told to. It has all modules that the caller has imported, but must have no threads. `with_stdin`:
    it ends as on SIGTERM when its standard input does.
    """
    parent = _Parent(with_stdin)
    setproctitle.setproctitle(f"{title} (parent)")
    while True:
        began = time.monotonic()
        if parent.fork():
            return
        code = parent.wait()
        if parent.stopping or (code >= 0 and code not in restart_on):
            sys.exit(code if code >= 0 else 128 - code)
        logger.warning("%s ended with code %d: starting it again", title, code)
        if time.monotonic() - began < _WORKED_SECONDS and parent.told_to_stop_within(_PAUSE_SECONDS):
            sys.exit(0)


class _Parent:
    def __init__(self, with_stdin: bool) -> None:
        self.stopping = False
        self._with_stdin = with_stdin
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno())
        for number in (*_TOLD_TO_STOP, signal.SIGCHLD):
            signal.signal(number, _wake_only)
        self._child = 0
        self._lifeline = -1

    def fork(self) -> bool:
        """True in the child."""
        end_of_parent, self._lifeline = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, _TOLD_TO_STOP)  # so that the child misses none
        self._child = os.fork()
        if not self._child:
            self._become_child(end_of_parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD_TO_STOP)
        if not self._child:
            return True
        os.close(end_of_parent)
        return False

    def wait(self) -> int:
        """The child's code; minus the number of the signal that ended it."""
        while True:
            pid, status = os.waitpid(self._child, os.WNOHANG)
            if pid:
                os.close(self._lifeline)
                return os.waitstatus_to_exitcode(status)
            if self.told_to_stop_within(None):
                os.kill(self._child, signal.SIGTERM)

    def told_to_stop_within(self, seconds: float | None) -> bool:
        """Returns at the next signal of any kind."""
        watched: Sequence[int] = [self._woken.fileno(), *([0] if self._with_stdin else [])]
        ready, _, _ = select.select(watched, [], [], seconds)
        numbers = self._woken.recv(4096) if self._woken.fileno() in ready else b""
        orphaned = 0 in ready and not os.read(0, 4096)
        self._with_stdin &= not orphaned
        told = orphaned or any(number in numbers for number in _TOLD_TO_STOP)
        self.stopping |= told
        return told

    def _become_child(self, end_of_parent: int) -> None:
        os.setpgid(0, 0)  # Ctrl-C in a terminal is for the parent, which passes it on
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._woken.close()
        self._waker.close()
        os.close(self._lifeline)
        os.dup2(end_of_parent, 0)
        os.close(end_of_parent)
        end_with_stdin()


def _wake_only(*_: object) -> None:
    """The number arrives through the wakeup descriptor."""
