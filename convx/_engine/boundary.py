"""Edge modes: each becomes an index map before any kernel runs.

The names are PyTorch's and, where it has none, NumPy's:

============  ===========  =====================
mode          numpy.pad    what ``1 2 3 4`` becomes
============  ===========  =====================
zeros         constant     ``0 0 | 1 2 3 4 | 0 0``
reflect       reflect      ``3 2 | 1 2 3 4 | 3 2``
symmetric     symmetric    ``2 1 | 1 2 3 4 | 4 3``
replicate     edge         ``1 1 | 1 2 3 4 | 4 4``
circular      wrap         ``3 4 | 1 2 3 4 | 1 2``
============  ===========  =====================

Padding may be wider than the array: the pattern goes on.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

IndexMap = NDArray[np.int64]


def _reflect(coordinate: IndexMap, size: int) -> IndexMap:
    period = max(2 * size - 2, 1)
    coordinate = coordinate % period
    return np.minimum(coordinate, period - coordinate) % size


def _symmetric(coordinate: IndexMap, size: int) -> IndexMap:
    coordinate = coordinate % (2 * size)
    return np.minimum(coordinate, 2 * size - 1 - coordinate)


def _replicate(coordinate: IndexMap, size: int) -> IndexMap:
    return np.clip(coordinate, 0, size - 1)


def _circular(coordinate: IndexMap, size: int) -> IndexMap:
    return coordinate % size


SOURCES: dict[str, Callable[[IndexMap, int], IndexMap]] = {
    "reflect": _reflect,
    "symmetric": _symmetric,
    "replicate": _replicate,
    "circular": _circular,
}
PADDING_MODES = ("zeros", *SOURCES)


def index_map(mode: str, size: int, low: int, high: int) -> IndexMap | None:
    """Input index of each padded coordinate from ``-low`` on; None where there is none."""
    if mode == "zeros" or (low <= 0 and high <= 0):
        return None
    return SOURCES[mode](np.arange(-low, size + high, dtype=np.int64), size)


def fold(padded: NDArray[Any], maps: Sequence[IndexMap | None], low: Sequence[int]) -> NDArray[Any]:
    """Adjoint of padding: add every sample of the halo to the sample that it was taken from.

    ``maps`` has one map for each of the last axes, None where the axis is not padded. The order of
    the sums depends on shapes alone.
    """
    for axis, (source, first) in enumerate(zip(maps, low), start=padded.ndim - len(maps)):
        if source is None:
            continue
        along = (slice(None),) * axis
        size = int(source.max()) + 1
        inside = padded[*along, first : first + size].copy()
        for coordinate in (*range(first), *range(first + size, len(source))):
            inside[*along, source[coordinate]] += padded[*along, coordinate]
        padded = inside
    return padded
