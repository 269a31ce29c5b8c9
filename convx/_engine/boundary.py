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
from typing import Any, NamedTuple

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
# What :func:`pad` calls them: its constant need not be zero.
PAD_MODES = ("constant", *SOURCES)

# The names of `convx.signal`: those of its two-dimensional functions, and those of upfirdn, of
# which the last four are no maps of indices.
SIGNAL_BOUNDARIES = {
    "fill": "constant",
    "pad": "constant",
    "wrap": "circular",
    "circular": "circular",
    "symm": "symmetric",
    "symmetric": "symmetric",
}
UPFIRDN_MODES = {
    "constant": "constant",
    "wrap": "circular",
    "edge": "replicate",
    "symmetric": "symmetric",
    "reflect": "reflect",
    "antisymmetric": None,
    "antireflect": None,
    "smooth": None,
    "line": None,
}
# Those which turn what a map of indices takes upside down.
UPSIDE_DOWN = {"antisymmetric": "symmetric", "antireflect": "reflect"}
# Beyond the edges of `sepfir2d`.
MIRROR = "symmetric"

# What SciPy's ``ndimage`` calls them.
IMAGE_BORDERS = {
    "reflect": "symmetric",
    "constant": "constant",
    "nearest": "replicate",
    "mirror": "reflect",
    "wrap": "circular",
    "grid-mirror": "symmetric",
    "grid-constant": "constant",
    "grid-wrap": "circular",
}

NOWHERE = np.empty(0, np.int64)


class AxisMap(NamedTuple):
    """Where the samples of a padded or cropped axis are taken from.

    ``low`` has the sources of the first of them, ``high`` those of the last, -1 where there is
    none. Between them are ``inside`` neighbours, from ``start`` on.
    """

    size: int
    inside: int
    start: int = 0
    low: IndexMap = NOWHERE
    high: IndexMap = NOWHERE

    @property
    def length(self) -> int:
        """Samples of the axis that is made."""
        return len(self.low) + self.inside + len(self.high)

    @property
    def keeps(self) -> bool:
        """Whether the axis stays what it is."""
        return self.inside == self.size == self.length

    def sources(self) -> IndexMap:
        """The sources of all samples in one table."""
        inside = np.arange(self.start, self.start + self.inside)
        return np.concatenate([self.low, inside, self.high])


def sources_of(mode: str, coordinates: IndexMap, size: int) -> IndexMap:
    """Which samples stand at coordinates of the endless line; -1 for a constant."""
    if mode in SOURCES:
        return SOURCES[mode](coordinates, size)
    return np.where((coordinates >= 0) & (coordinates < size), coordinates, -1)


def goes_round(mode: str) -> bool:
    """Whether a mode repeats what is left of a cropped axis, and not what is cut off."""
    return mode == "circular"


def axis_map(mode: str, size: int, low: int, high: int) -> AxisMap:
    """Pad an axis by ``low`` samples before it and ``high`` after it; negative numbers crop.

    What one side shows comes from the whole axis, also where the other side is cropped; but what
    goes round in a circle is what is left of it.
    """
    start, end = max(-low, 0), min(size, size + high)
    inside = max(end - start, 0)
    before = np.arange(-low, min(0, size + high))
    after = np.arange(max(size, -low), size + high)
    if goes_round(mode):
        before, after = (start + (one - start) % max(inside, 1) for one in (before, after))
    else:
        before, after = (sources_of(mode, one, size) for one in (before, after))
    return AxisMap(size, inside, start, before, after)


def halo_sources(mode: str, size: int, low: int, high: int) -> IndexMap | None:
    """Where the halo of a padded axis is taken from; None for zeros, or without padding.

    Input indices of the ``low`` coordinates before the axis, then of the ``high`` after it.
    """
    if mode == "zeros" or low + high == 0:
        return None
    before = np.arange(-low, 0, dtype=np.int64)
    after = np.arange(size, size + high, dtype=np.int64)
    return SOURCES[mode](np.concatenate([before, after]), size)


def fold(
    padded: NDArray[Any], sources: Sequence[IndexMap | None], low: Sequence[int]
) -> NDArray[Any]:
    """Adjoint of padding: add every sample of the halo to the sample that it was taken from.

    ``sources`` has the halo of each of the last axes, None where the axis is not padded. The order
    of the sums depends on shapes alone.
    """
    for axis, (halo, first) in enumerate(zip(sources, low), start=padded.ndim - len(sources)):
        if halo is None:
            continue
        along = (slice(None),) * axis
        size = padded.shape[axis] - len(halo)
        inside = padded[*along, first : first + size].copy()
        for place, source in enumerate(halo):
            coordinate = place if place < first else place + size
            inside[*along, source] += padded[*along, coordinate]
        padded = inside
    return padded
