"""Windows of any shape: extrema over a footprint, and sums in SciPy's order."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from convx._core import _filter
from convx._core._memo import Kept
from convx._engine import boundary, copies, dtypes, execution, machine, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops import separable

# Elements that a kernel may read beyond a row.
SLACK = 128
# Extrema of these types are computed in them.
OWN_TYPES = np.float32, np.uint8
# Elements of a window beyond which moving it costs less than combining it.
TAPS_PER_MOVE = 4


class Padding(NamedTuple):
    """How an array is padded, and where its elements are then.

    ``size`` are all of its elements, ``steps`` those from one to the next along each axis;
    ``starts`` tells where the rows of the outputs begin.
    """

    copy: copies.Copy
    size: int
    steps: AnyArray
    starts: AnyArray

    @property
    def is_small(self) -> bool:
        """Whether its tables may be kept."""
        return self.copy.is_small and len(self.starts) <= copies.MOST_OF_TABLES


def _lay_out(
    shape: tuple[int, ...], lows: tuple[int, ...], spans: tuple[int, ...], border: str, item: int
) -> Padding:
    maps = [
        boundary.axis_map(border, size, low, max(span - low, 0))
        for size, low, span in zip(shape, lows, spans)
    ]
    copy = copies.plan_copy(shape, maps, item, border == "constant")
    steps = np.array([math.prod(copy.shape[axis + 1 :]) for axis in range(len(shape))], np.int64)
    starts = np.zeros(1, np.int64)
    for axis in range(len(shape) - 1):
        starts = (starts[:, np.newaxis] + np.arange(shape[axis]) * steps[axis]).ravel()
    return Padding(copy, math.prod(copy.shape), steps, starts)


_laid_out = Kept(_lay_out, attrgetter("is_small"))


@dataclass(frozen=True, slots=True)
class Combination:
    """What is combined, of an array that is padded as ``copied`` and read as ``computed``."""

    what: str
    laid: Padding
    offsets: AnyArray
    factors: AnyArray | None
    filling: AnyArray | None
    copied: np.dtype[Any]
    computed: np.dtype[Any]

    def run(self, x: AnyArray, y: AnyArray, threads: int) -> None:
        """Combine elements of x in contiguous y."""
        laid = self.laid
        memory = sweeps.new_copy(None, (laid.size + SLACK,), self.computed)
        memory[laid.size :] = 0
        padded = memory[: laid.size].reshape(laid.copy.shape)
        target = padded if self.copied == self.computed else None
        made = copies.run_copy(x.astype(self.copied, copy=False), laid.copy, self.filling, target)
        if target is None:
            padded[...] = made
        exact = self.what == "weights"
        tables = self.offsets, laid.starts, self.factors
        _filter.footprint(machine.ISA, self.what, exact, *tables, memory, y, threads)


def combined(
    x: AnyArray,
    what: str,
    taps: AnyArray,
    weights: AnyArray | None,
    lows: Sequence[int],
    border: str,
    fill: float,
    out: AnyArray,
    *,
    is_modular: bool = False,
    key: separable.Key = None,
) -> AnyArray:
    """Combine, at every element, those that a window over all axes has, and return ``out``.

    ``taps`` has the places of the elements in the window, in the order in which they are combined,
    a row for each; ``lows`` how far the window begins before the element. Sums are rounded product
    by product, as those of SciPy; of bytes with integers, if ``is_modular``, modulo 256. The
    ``key`` is for calls like this one.
    """
    if out.size == 0:
        return out
    y_dtype = out.dtype.newbyteorder("=")
    own = is_modular or (y_dtype in OWN_TYPES and what != "weights")
    computed = y_dtype if own and x.dtype == y_dtype else np.dtype(np.float64)
    filling = np.asarray(fill, computed) if border == "constant" else None
    # what is smaller is padded before it is converted: fewer bytes are moved
    first = x.dtype.isnative and x.itemsize < computed.itemsize
    first = first and (filling is None or filling.astype(x.dtype) == filling)
    copied = x.dtype if first else computed
    spans = tuple(taps.max(axis=0).tolist())
    laid = _laid_out(x.shape, tuple(lows), spans, border, copied.itemsize)
    moved = out.nbytes * (1 + len(taps) // TAPS_PER_MOVE)
    threads = sweeps.threads_for(moved)
    if execution.is_recording():
        execution.note("footprint", out.size * len(taps), laid.size * computed.itemsize, threads)
        return out
    if is_modular and weights is not None:
        weights = weights.astype(np.int64)
    factors = None if weights is None else np.ascontiguousarray(weights.astype(computed))
    fitting = None if filling is None else filling.astype(copied)
    offsets = taps.astype(np.int64) @ laid.steps
    one = Combination(what, laid, offsets, factors, fitting, copied, computed)
    if key is not None and laid.is_small:
        separable.remember(key, [one], y_dtype, moved)
    y = execution.target(out, out.shape, y_dtype, x)
    one.run(x, y, threads)
    return execution.deliver(y, out)


def extrema(
    x: AnyArray,
    what: str,
    footprint: AnyArray,
    lows: Sequence[int],
    border: str,
    fill: float,
    out: AnyArray,
    key: separable.Key,
) -> AnyArray:
    """Return maxima or minima over the true elements of a footprint over all axes."""
    if border == "constant":  # as an element of the input
        fill = float(dtypes.cast_like_c(np.asarray(fill, np.float64), x.dtype))
    return combined(x, what, np.argwhere(footprint), None, lows, border, fill, out, key=key)


def spread(values: Sequence[Any], axes: Sequence[int], ndim: int, other: Any) -> list[Any]:
    """Return one value for each axis of an array, ``other`` for those that are not named."""
    found = [other] * ndim
    for axis, value in zip(axes, values):
        found[axis] = value
    return found
