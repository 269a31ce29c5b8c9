"""Windows of any shape: extrema over a footprint, and sums in SciPy's order."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from convx._core import _filter
from convx._engine import boundary, copies, dtypes, execution, machine, sweeps
from convx._engine.dtypes import AnyArray

# Elements that a kernel may read beyond a row.
SLACK = 128
# Elements of a window beyond which moving it costs less than combining it.
TAPS_PER_MOVE = 4


def combined(
    x: AnyArray,
    what: str,
    taps: AnyArray,
    weights: AnyArray | None,
    lows: Sequence[int],
    border: str,
    fill: float,
    out: AnyArray,
) -> AnyArray:
    """Combine, at every element, those that a window over all axes has, and return ``out``.

    ``taps`` has the places of the elements in the window, in the order in which they are combined,
    a row for each; ``lows`` how far the window begins before the element. Sums are rounded product
    by product, as those of SciPy.
    """
    if out.size == 0:
        return out
    y_dtype = out.dtype.newbyteorder("=")
    single = what != "weights" and x.dtype == y_dtype == np.float32
    computed = np.dtype(np.float32 if single else np.float64)
    spans = taps.max(axis=0)
    maps = [
        boundary.axis_map(border, size, low, max(int(span) - low, 0))
        for size, low, span in zip(x.shape, lows, spans)
    ]
    shape = copies.copied_shape(x.shape, maps)
    size = math.prod(shape)
    threads = sweeps.threads_for(out.nbytes * (1 + len(taps) // TAPS_PER_MOVE))
    if execution.is_recording():
        execution.note("footprint", out.size * len(taps), size * computed.itemsize, threads)
        return out
    memory = sweeps.new_copy(None, (size + SLACK,), computed)
    memory[size:] = 0
    filling = np.asarray(fill, computed) if border == "constant" else None
    _pad(x, maps, filling, memory[:size].reshape(shape))
    steps = np.array([math.prod(shape[axis + 1 :]) for axis in range(x.ndim)], np.int64)
    starts = np.zeros(1, np.int64)
    for axis in range(x.ndim - 1):
        starts = (starts[:, np.newaxis] + np.arange(x.shape[axis]) * steps[axis]).ravel()
    offsets = taps.astype(np.int64) @ steps
    y = execution.target(out, out.shape, y_dtype, x)
    factors = None if weights is None else np.ascontiguousarray(weights, computed)
    exact = what == "weights"
    _filter.footprint(machine.ISA, what, exact, offsets, starts, factors, memory, y, threads)
    return execution.deliver(y, out)


def _pad(
    x: AnyArray, maps: Sequence[boundary.AxisMap], fill: AnyArray | None, padded: AnyArray
) -> None:
    """Pad an array and convert it, in the order in which fewer bytes are moved."""
    small = x.dtype.isnative and x.itemsize < padded.itemsize
    if small and (fill is None or fill.astype(x.dtype) == fill):
        padded[...] = copies.copy_along(x, maps, None if fill is None else fill.astype(x.dtype))
    else:
        copies.copy_along(x.astype(padded.dtype, copy=False), maps, fill, padded)


def extrema(
    x: AnyArray,
    what: str,
    footprint: AnyArray,
    lows: Sequence[int],
    border: str,
    fill: float,
    out: AnyArray,
) -> AnyArray:
    """Return maxima or minima over the true elements of a footprint over all axes."""
    if border == "constant":  # as an element of the input
        fill = float(dtypes.cast_like_c(np.asarray(fill, np.float64), x.dtype))
    return combined(x, what, np.argwhere(footprint), None, lows, border, fill, out)


def spread(values: Sequence[Any], axes: Sequence[int], ndim: int, other: Any) -> list[Any]:
    """Return one value for each axis of an array, ``other`` for those that are not named."""
    found = [other] * ndim
    for axis, value in zip(axes, values):
        found[axis] = value
    return found
