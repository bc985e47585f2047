"""On which device a model runs, and how many inputs it takes there at once."""

import os
import sys

from encoders.base import EncoderError
from encoders.settings import Device

_BATCH_SIZES = {"cpu": 32, "mps": 64, "cuda": 256}


def choose_device(wanted: Device) -> str:
    """`auto` becomes cuda, mps or cpu, the first that is there. Raises EncoderError for a named device that is not."""
    import torch

    kind, _, number = wanted.partition(":")
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    has_mps = torch.backends.mps.is_available()
    if kind == "auto":
        return "cuda" if cards else "mps" if has_mps else "cpu"
    if kind == "cuda" and int(number or 0) >= cards:
        raise EncoderError(f"device {wanted} is not there: torch sees {cards} CUDA devices; set device to auto or cpu")
    if kind == "mps" and not has_mps:
        raise EncoderError("device mps is not there: it needs macOS on Apple silicon; set device to auto or cpu")
    return wanted


def batch_size_for(device: str, wanted: int) -> int:
    """The wanted batch size, or for 0 one that suits the device."""
    return wanted or _BATCH_SIZES[device.partition(":")[0]]


def use_threads(threads: int) -> None:
    """CPU threads of every model in this process; 0 leaves one core to stream, pictures and index."""
    import torch

    torch.set_num_threads(threads or max(1, _usable_cores() - 1))


def _usable_cores() -> int:
    """The cores that this process may run on; macOS and Windows can only say how many there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
