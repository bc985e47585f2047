"""Many pictures at once, in several processes, and the pool of training pictures kept on disk."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demo.drawn_shop.looks import Look, split_looks
from demo.drawn_shop.pictures import draw_picture

_FIRST_TRAINING_SEED = 0
_DRAWING_VERSION = 1  # raise it when pictures change, so that no old pool is used


@dataclass(frozen=True, slots=True)
class Series:
    """Which pictures of each look: seeds from `first_seed` on."""

    first_seed: int
    count: int
    side: int
    clean: bool


def render(
    looks: Sequence[Look], series: Series, processes: int, on_look: Callable[[int], None]
) -> Iterator[NDArray[np.uint8]]:
    """For each look in order, an array of shape (count, side, side, 3); `on_look` hears how many looks are done."""
    draw = partial(_draw_series, series=series)
    if processes == 1:
        yield from _counted(map(draw, looks), on_look)
        return
    # Not forked: a copy of a process that runs threads, as torch does, may hang.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from _counted(pool.map(draw, looks, chunksize=4), on_look)


def training_pool(
    folder: Path, pictures_per_look: int, side: int, processes: int, on_look: Callable[[int], None]
) -> NDArray[np.uint8]:
    """Memory-mapped, shape (512 trained looks, pictures_per_look, side, side, 3); rendered where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"drawn-pictures-{pictures_per_look}x{side}-v{_DRAWING_VERSION}.npy"
    if not file.exists():
        looks = split_looks().trained
        series = Series(_FIRST_TRAINING_SEED, pictures_per_look, side, clean=False)
        unfinished = file.with_suffix(".part")
        shape = (len(looks), pictures_per_look, side, side, 3)
        pool = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
        for position, pictures in enumerate(render(looks, series, processes, on_look)):
            pool[position] = pictures
        pool.flush()
        unfinished.rename(file)
    finished: NDArray[np.uint8] = np.load(file, mmap_mode="r")
    return finished


def _draw_series(look: Look, series: Series) -> NDArray[np.uint8]:
    seeds = range(series.first_seed, series.first_seed + series.count)
    return np.stack([np.asarray(draw_picture(look, seed, series.side, clean=series.clean)) for seed in seeds])


def _counted(series: Iterator[NDArray[np.uint8]], on_look: Callable[[int], None]) -> Iterator[NDArray[np.uint8]]:
    for done, pictures in enumerate(series, start=1):
        on_look(done)
        yield pictures
