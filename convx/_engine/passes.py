"""Filters along axes, one after the other: which are computed together, in which pieces.

A chain of passes is cut into sweeps. One sweep filters along up to three neighbouring axes while
rows are in the cache: along the planes, along the rows of a plane, along the line of a row.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from convx._engine import boundary
from convx._engine.boundary import IndexMap
from convx._engine.dtypes import AnyArray


@dataclass(frozen=True, slots=True)
class Pass:
    """A filter along one axis.

    Output ``o`` takes the coordinates ``o + t * dilation - low`` of the endless line that
    ``border`` makes of the axis. ``what`` is "weights", "mean", "max" or "min". There are as many
    outputs as inputs and ``more``, which is for a pass along lines that is alone.
    """

    axis: int
    what: str
    taps: int
    low: int
    border: str
    weights: tuple[float, ...] = ()
    dilation: int = 1
    more: int = 0

    @property
    def span(self) -> int:
        """Samples from the first tap to the last."""
        return (self.taps - 1) * self.dilation


class AxisFilter(NamedTuple):
    """What a kernel is told of an axis."""

    what: str
    size: int
    taps: int
    dilation: int
    low: int
    symmetry: int
    weights: AnyArray | None
    sources: IndexMap


@dataclass(frozen=True, slots=True)
class Cut:
    """One sweep, and how it is cut into pieces: bands of rows, or segments of them.

    Of a band, ``step`` rows at a time go through all axes. With ``copies``, rows are copied that
    could be read where they lie.
    """

    dtype: np.dtype[Any]
    x_dtype: np.dtype[Any]
    y_dtype: np.dtype[Any]
    plane: AxisFilter
    row: AxisFilter
    line: AxisFilter
    outer: int
    inner: int
    out_length: int
    band: int
    step: int
    copies: bool
    segment: int
    exact: bool
    adds: bool
    fill: float


class Together(NamedTuple):
    """The passes of one sweep; one for the line at least, or for the rows."""

    line: Pass | None
    row: Pass | None = None
    plane: Pass | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """Passes over an array of some shape, and between which element types.

    ``exact`` are sums in SciPy's order. The passes are chained, or each reads the input and the
    results are added up, if ``adds`` and :func:`can_add`. Other sums with mirrored weights are
    folded, unless ``folds`` is false: their bits are not those of plain sums.
    """

    shape: tuple[int, ...]
    passes: tuple[Pass, ...]
    dtype: np.dtype[Any]
    x_dtype: np.dtype[Any]
    y_dtype: np.dtype[Any]
    exact: bool
    fill: float
    adds: bool = False
    folds: bool = True

    @property
    def out_shape(self) -> tuple[int, ...]:
        """The shape of the result."""
        more = {one.axis: one.more for one in self.passes}
        return tuple(size + more.get(axis, 0) for axis, size in enumerate(self.shape))

    def cuts(self) -> list[Cut]:
        """Plan the sweeps. Between them, the array has the type of the result."""
        sweeps = together(self.shape, self.passes, self.dtype.itemsize)
        return [
            _cut(self, one, self.y_dtype if number else self.x_dtype)
            for number, one in enumerate(sweeps)
        ]


# Elements side by side along an axis that is filtered as a line, at most: colours of an image.
MOST_INNER = 32
# Bytes of the rows that a sweep keeps: a part of the L2 cache, and of a sweep that filters columns
# of a part of the rows. Measured on an AMD EPYC (Genoa), 25 November 2026.
ROWS_BYTES = 576 * 1024
COLUMNS_BYTES = 128 * 1024
LINE_BYTES = 64 * 1024
SEGMENT_BYTES = 8 * 1024
MOST_LINES = 64
# Rows of a band whose rows need not be made: a multiple of those that share their inputs; and the
# least of one with windows, which is cut where they are. Bytes of the widest vector: as many rows
# as it has lanes go together, whose lines may be filtered side by side.
WEIGHTED_BAND = 8
WINDOW_BAND = 8
BYTE_BAND = 64  # of bytes, if there are so many rows for each of several pieces
VECTOR_BYTES = 64
# Taps from which mirrored weights are folded. Rows that are a multiple of so many bytes apart are
# copied from some more on, once for so many rows of outputs, in so many pieces or more.
LEAST_FOLDED = 5
LEAST_COPIED = 9
CONFLICT_BYTES = 1024
COPIED_BAND = 64
SHARED_PIECES = 8
# Taps of sums along planes that are a sweep of their own, where rows are shared by several outputs,
# if the array between both is not too large.
LEAST_APART = 7
MOST_BETWEEN_BYTES = 16 * 2**20


def together(shape: Sequence[int], passes: Sequence[Pass], item: int) -> list[Together]:
    """Deal passes along ascending axes to sweeps; those along the last axes share one."""
    rest, sweeps = list(passes), []
    fits = math.prod(shape) * item <= MOST_BETWEEN_BYTES
    while rest:
        last = rest.pop()
        inner = math.prod(shape[last.axis + 1 :])
        one = Together(last) if inner <= MOST_INNER else Together(None, last)
        for place in ("row", "plane") if one.line else ("plane",):
            before = last.axis - 1 if place == "row" or not one.line else last.axis - 2
            if rest and rest[-1].axis == before:
                apart = fits and rest[-1].what == "weights" and rest[-1].taps >= LEAST_APART
                if place == "plane" and apart:
                    continue
                more = one._replace(**{place: rest[-1]})
                if _kept_bytes(shape, more, item) <= ROWS_BYTES:
                    one = more
                    rest.pop()
        sweeps.append(one)
    return sweeps[::-1]


def can_add(shape: Sequence[int], passes: Sequence[Pass], item: int) -> bool:
    """Tell whether one sweep can filter along all axes of the passes."""
    return len(together(shape, passes, item)) == 1


def _kept_bytes(shape: Sequence[int], one: Together, item: int) -> int:
    """Bytes of the rows that are needed at once for some rows of results.

    Of windows down the rows parts are kept besides the rows, and of planes rows that were made.
    """
    last = one.line or one.row
    assert last is not None  # by construction
    length = math.prod(shape[last.axis if one.line else last.axis + 1 :])
    rows = 0
    for other in (one.row, one.plane):
        if other is not None:
            once = other is one.row and other.what == "weights" and one.plane is None
            rows += (1 if once else 2) * other.span + 8
    return rows * length * item


def _sources(one: Pass, size: int) -> IndexMap:
    coordinates = np.arange(-one.low, size + one.span - one.low, dtype=np.int64)
    return boundary.sources_of(one.border, coordinates, size)


def _border_sources(one: Pass, size: int) -> IndexMap:
    """Return the sources of a line's border alone: a table of all would be longer than the line."""
    coordinates = np.arange(-one.low, one.span + one.more - one.low, dtype=np.int64)
    coordinates[one.low :] += size
    return boundary.sources_of(one.border, coordinates, size)


def symmetry(weights: Sequence[float]) -> int:
    """Tell mirrored weights (1), and mirrored and negated ones (-1), by SciPy's measure."""
    if len(weights) % 2 == 0:
        return 0
    half, epsilon = len(weights) // 2, np.finfo(float).eps
    pairs = [(weights[half - t], weights[half + t]) for t in range(1, half + 1)]
    if all(not abs(high - low) > epsilon for low, high in pairs):
        return 1
    return -1 if all(not abs(high + low) > epsilon for low, high in pairs) else 0


def _axis_filter(
    one: Pass | None,
    size: int,
    chain: Chain,
    *,
    line: bool = False,
    rows: bool = False,
) -> AxisFilter:
    """Tell of an axis; the sources of one that is kept are needed of rows between planes only."""
    if one is None:
        sources = np.arange(size if rows else 1, dtype=np.int64)
        return AxisFilter("keep", size, 1, 1, 0, 0, None, sources)
    weights, mirrored = None, 0
    if one.what == "weights":
        mirrored = symmetry(one.weights)
        weights = _rounded(np.array(one.weights), mirrored, chain.dtype)
        if not chain.exact:
            mirrored = _folded(weights) if one.dilation == 1 and chain.folds else 0
    sources = _border_sources(one, size) if line else _sources(one, size)
    return AxisFilter(one.what, size, one.taps, one.dilation, one.low, mirrored, weights, sources)


def _folded(weights: AnyArray) -> int:
    """Tell mirrored weights (1), and negated ones (-1), where sums are to be folded."""
    if len(weights) < LEAST_FOLDED or len(weights) % 2 == 0:
        return 0
    half = weights[: len(weights) // 2]
    mirror = weights[: len(weights) // 2 : -1]
    return 1 if np.array_equal(half, mirror) else -1 if np.array_equal(half, -mirror) else 0


def _rounded(weights: AnyArray, mirrored: int, dtype: np.dtype[Any]) -> AnyArray:
    """Return weights in another type with a sum as near as can be: that of a mean stays 1.

    From the largest weight on, what is lost is made up for by the next one, or by both of a pair.
    """
    if dtype == np.uint8:  # modulo 256
        return weights.astype(np.int64).astype(dtype)
    if dtype == np.float64 or mirrored < 0 or not np.isfinite(weights).all():
        return weights.astype(dtype)
    found = weights.astype(dtype)
    half = len(weights) // 2 + 1
    lost = 0.0
    for place in np.argsort(-np.abs(weights[:half] if mirrored else weights), kind="stable"):
        other = len(weights) - 1 - place if mirrored else place
        share = 2 if other != place else 1
        if weights[place] == 0:
            break
        found[place] = found[other] = weights[place] + lost / share
        lost += share * (float(weights[place]) - float(found[place]))
    return found


def _cut(chain: Chain, one: Together, x_dtype: np.dtype[Any]) -> Cut:
    last = one.line or one.row
    assert last is not None  # by construction
    shape, item = chain.shape, chain.dtype.itemsize
    inner = math.prod(shape[last.axis + 1 :])
    first = last.axis if one.line else last.axis + 1  # axes from here on are a row
    if one.line is None:
        line, inner = _axis_filter(None, inner, chain), 1
    else:
        line = _axis_filter(one.line, shape[last.axis], chain, line=True)
    if one.row is None and one.plane is None:
        rows, planes, outer = math.prod(shape[:first]), 1, 1
    else:
        rows, planes = shape[first - 1], shape[first - 2] if one.plane else 1
        outer = math.prod(shape[: first - 2 if one.plane else first - 1])
    length = (line.size + (one.line.more if one.line else 0)) * inner
    made = one.plane is not None or x_dtype != chain.dtype
    row = _axis_filter(one.row, rows, chain, rows=one.plane is not None)
    band, segment = _piece(one, rows, length, item, made)
    step, copies = band, False
    if not (made or chain.exact or chain.adds) and one.row is not None and row.what == "weights":
        step = min(rows, VECTOR_BYTES // item)
        together = length * item % CONFLICT_BYTES == 0  # in few sets of the cache
        copies = together and row.symmetry != 0 and row.taps >= LEAST_COPIED
        shared = -(-rows // (SHARED_PIECES * step)) * step  # for threads to be busy alike
        again = one.line is None and row.taps >= LEAST_COPIED  # most rows are the next band's too
        band = min(rows, COPIED_BAND, shared) if copies or again else step
    return Cut(
        dtype=chain.dtype,
        x_dtype=x_dtype,
        y_dtype=chain.y_dtype,
        plane=_axis_filter(one.plane, planes, chain),
        row=row,
        line=line,
        outer=outer,
        inner=inner,
        out_length=length,
        band=band,
        step=step,
        copies=copies,
        segment=segment,
        exact=chain.exact,
        adds=chain.adds,
        fill=chain.fill,
    )


def _piece(one: Together, rows: int, length: int, item: int, made: bool) -> tuple[int, int]:
    """Return the rows of a piece and its elements.

    Rows share inputs by four, and long windows are cut at multiples of their taps, so that is how
    many there are, unless they are all.
    """
    span = one.row.span if one.row is not None else 0
    if one.row is None and one.plane is None:
        segment = min(length, SEGMENT_BYTES // item)
        return min(rows, MOST_LINES, max(1, LINE_BYTES // (segment * item))), segment
    segment, most = length, ROWS_BYTES
    if one.line is None:
        most = COLUMNS_BYTES
        fitting = most // ((2 * span + 16) * item)
        segment = min(length, max(64, fitting // 64 * 64))
    fitting = most // (segment * item) - span
    if one.row is not None and one.row.what != "weights" and one.row.dilation == 1:
        taps = one.row.taps if one.row.taps > 4 else 1
        shared = min(BYTE_BAND, rows // SHARED_PIECES) if item == 1 else 0
        return min(rows, -(-max(WINDOW_BAND, shared) // taps) * taps), segment
    if made:
        return min(rows, max(8, fitting // 8 * 8)), segment
    return min(rows, WEIGHTED_BAND), segment
