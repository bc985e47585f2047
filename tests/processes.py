"""What runs on this machine, asked while it may end at any moment."""

import psutil


def running_children(parent: int) -> dict[int, str]:
    """The processes that `parent` started and that run, with their command lines."""
    children = {}
    try:
        for child in psutil.Process(parent).children():
            if runs(child.pid):
                children[child.pid] = command_line(child)
    except psutil.NoSuchProcess:
        return {}
    return children


def command_line(process: psutil.Process) -> str:
    """Empty for a process that has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def runs(pid: int) -> bool:
    """Whether it still works: a zombie, which stays where its parent does not reap it, has ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
