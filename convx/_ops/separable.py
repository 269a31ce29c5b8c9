"""Filters along one axis after the other: weighted sums, means, maxima and minima.

Each pass reads what the one before it wrote, in the element type of the result, as in SciPy.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from convx._core import _memory
from convx._core._filter import Filter
from convx._engine import dtypes, execution, machine, sweeps
from convx._engine.dtypes import AnyArray
from convx._engine.passes import MOST_INNER, Chain, Pass, can_add

# Taps of a mean of bytes that a kernel divides by, see filter_bytes.h.
BYTE_MEAN_TAPS = range(2, 129)
# Taps of one pass that cost as much as moving its elements.
TAPS_PER_MOVE = 8
# Filters are kept for calls like the one that they were made for, but not those with large tables:
# memory stays bounded over calls of ever new shapes.
MOST_FILTERS = 256
MOST_TABLE_BYTES = 128 * 1024
Key = tuple[Any, ...] | None
_filters: dict[Chain, list[Filter]] = {}


class Step(Protocol):
    """What makes a contiguous array of one of the same shape."""

    def run(self, x: AnyArray, y: AnyArray, threads: int) -> None: ...


class Remembered(NamedTuple):
    """What a call did that took its array as it came."""

    filters: Sequence[Step]
    dtype: np.dtype[Any]
    moved: int


# By a call's name, shape, type and options. What is told by numbers and names alone is not looked
# at twice: that takes longer than a small image.
_remembered: dict[Key, Remembered] = {}


def at_once(name: str, x: object, output: object, *options: Any) -> tuple[AnyArray | None, Key]:
    """Return the result of a call that was made before, or None; and the call's key.

    It is in ``output``, if that is an array.
    """
    if type(x) is not np.ndarray or execution.is_recording():
        return None, None
    out = output if isinstance(output, np.ndarray) else None
    try:
        key = (name, x.shape, x.dtype.str, output if out is None else out.dtype, options)
        found = _remembered.get(key)
    except TypeError:  # lists and arrays cannot be looked up
        return None, None
    if found is None or not (x.flags.c_contiguous and x.flags.aligned):
        return None, key
    if out is not None and not _takes_result(out, x, found.dtype):
        return None, key
    threads = sweeps.threads_for(found.moved)
    read = x
    for left in range(len(found.filters), 0, -1):
        to = out if left == 1 else None
        y = _memory.new_result(x.shape, found.dtype) if to is None else to
        found.filters[-left].run(read, y, threads)
        read = y
    return read, key


def _takes_result(out: AnyArray, x: AnyArray, dtype: np.dtype[Any]) -> bool:
    """Tell whether a sweep of ``x`` can write an array."""
    flags = out.flags
    fits = out.shape == x.shape and out.dtype == dtype and flags.c_contiguous
    return fits and flags.aligned and flags.writeable and not np.may_share_memory(out, x)


def remember(key: Key, filters: Sequence[Step], dtype: np.dtype[Any], moved: int) -> None:
    """Keep what a call did; moving so many bytes takes as long."""
    while len(_remembered) >= MOST_FILTERS:
        _remembered.pop(next(iter(_remembered)), None)
    _remembered[key] = Remembered(filters, dtype, moved)


def filtered(
    x: AnyArray,
    passes: Sequence[Pass],
    fill: float,
    out: AnyArray,
    accumulate: np.dtype[Any] | None = None,
    key: Key = None,
) -> AnyArray:
    """Filter an array of numbers, not complex ones, along axes; the result is in ``out``.

    The sums of floating-point results are computed in their own precision, in double precision if
    one of the two types is double, or with ``accumulate``; those of integers as SciPy does.
    """
    if out.size == 0:
        return out
    if not passes:
        out[...] = dtypes.cast_like_c(x, out.dtype)
        return out
    y_dtype = out.dtype.newbyteorder("=")
    x_dtype = x.dtype.newbyteorder("=")
    exact = y_dtype.kind != "f"
    computed = _computed_in(x_dtype, y_dtype, passes, fill, accumulate)
    if _is_order_free(passes, y_dtype, fill):
        groups = [tuple(sorted(passes, key=lambda one: one.axis))]
    else:
        groups = [(one,) for one in passes]
    read = _readable(x, x_dtype)
    for number, group in enumerate(groups):
        last = number == len(groups) - 1
        chain = Chain(x.shape, group, computed, read.dtype, y_dtype, exact, fill)
        read = _run(chain, read, out if last else None, x, key if len(groups) == 1 else None)
    return execution.deliver(read, out)


def _readable(x: AnyArray, dtype: np.dtype[Any]) -> AnyArray:
    """Return an array as a sweep reads it."""
    if x.flags.c_contiguous and x.flags.aligned and x.dtype == dtype:
        return x
    return np.require(np.ascontiguousarray(x, dtype), requirements="A").reshape(x.shape)


def added(
    x: AnyArray,
    passes: Sequence[Pass],
    fill: float,
    out: AnyArray,
    accumulate: np.dtype[Any] | None = None,
    key: Key = None,
) -> AnyArray | None:
    """Add up filters along different axes with integral weights, in ``out``.

    None, if that cannot be done in one sweep, or if integers would not come out as SciPy's.
    """
    x_dtype, y_dtype = (one.dtype.newbyteorder("=") for one in (x, out))
    computed = _computed_in(x_dtype, y_dtype, passes, fill, accumulate)
    ordered = tuple(sorted(passes, key=lambda one: one.axis))
    if out.size == 0 or len(passes) < 2 or np.uint64 in (x_dtype, y_dtype):
        return None
    if not can_add(x.shape, ordered, computed.itemsize):
        return None
    chain = Chain(x.shape, ordered, computed, x_dtype, y_dtype, False, fill, True)
    return execution.deliver(_run(chain, _readable(x, x_dtype), out, x, key), out)


def along_line(x: AnyArray, one: Pass, fill: float, out: AnyArray | None) -> AnyArray:
    """Correlate an array of floats along a line, with as many outputs as the pass has."""
    chain = Chain(x.shape, (one,), x.dtype, x.dtype, x.dtype, False, fill, folds=False)
    return _run(chain, _readable(x, x.dtype), out, x)


def is_line(shape: Sequence[int], axis: int) -> bool:
    """Tell whether filters along an axis go along lines, rather than down rows."""
    return math.prod(shape[axis + 1 :]) <= MOST_INNER


def _run(
    chain: Chain, x: AnyArray, out: AnyArray | None, given: AnyArray, key: Key = None
) -> AnyArray:
    """Run a chain; its last sweep writes to ``out`` if it can."""
    found = _filters.get(chain)
    if found is None:
        found = [Filter(machine.ISA, cut) for cut in chain.cuts()]
        kept = sum(one.table_bytes for one in found) <= MOST_TABLE_BYTES
        while kept and len(_filters) >= MOST_FILTERS:
            _filters.pop(next(iter(_filters)), None)
        if kept:
            _filters[chain] = found
    moved = _moved_bytes(chain)
    threads = sweeps.threads_for(moved)
    size = math.prod(chain.out_shape)
    if execution.is_recording():
        taps = sum(one.taps for one in chain.passes if one.what == "weights")
        scratch = threads * max(one.scratch_bytes for one in found)
        scratch += min(len(found) - 1, 2) * size * chain.y_dtype.itemsize
        execution.note("separable", size * taps, scratch, threads)
        if out is None:
            return np.broadcast_to(np.zeros((), chain.y_dtype), chain.out_shape)
        return out
    if key is not None and x is given and chain in _filters:
        remember(key, found, chain.y_dtype, moved)
    for number, one in enumerate(found):
        if number == len(found) - 1 and out is not None:
            y = execution.target(out, chain.out_shape, chain.y_dtype, x, given)
        else:
            y = sweeps.new_copy(None, chain.out_shape, chain.y_dtype)
        one.run(x, y, threads)
        x = y
    return x


def _moved_bytes(chain: Chain) -> int:
    """Bytes whose moving takes as long as a chain."""
    size = math.prod(chain.shape) * chain.dtype.itemsize
    return size * sum(
        1 + one.taps // TAPS_PER_MOVE * (one.what == "weights") for one in chain.passes
    )


def _is_order_free(passes: Sequence[Pass], dtype: np.dtype[Any], fill: float) -> bool:
    """Tell whether passes in the order of their axes give what they give in their own."""
    axes = [one.axis for one in passes]
    if axes == sorted(set(axes)):
        return True
    if len(set(axes)) < len(axes) or (
        fill != 0 and any(one.border == "constant" for one in passes)
    ):
        return False
    if dtype.kind == "f":
        return True
    if dtype == np.uint64:  # negative sums are stored as large ones that double precision rounds
        return False
    return all(one.what in ("max", "min") or _are_integral(one) for one in passes)


def _are_integral(one: Pass) -> bool:
    return one.what == "weights" and all(float(w).is_integer() for w in one.weights)


def _computed_in(
    x: np.dtype[Any],
    y: np.dtype[Any],
    passes: Sequence[Pass],
    fill: float,
    accumulate: np.dtype[Any] | None,
) -> np.dtype[Any]:
    """Return the type that sums are computed in."""
    extrema = all(one.what in ("max", "min") for one in passes)
    if x == y == np.uint8 and _fit_bytes(passes, fill):
        return np.dtype(np.uint8)
    small = x.itemsize <= 2 or x == np.float32
    if y == np.float32 and small and (accumulate is None or extrema):
        return np.dtype(np.float32)
    if x.kind in "iub" and y.kind in "iu" and small and _fit_single(x, passes, fill):
        return np.dtype(np.float32)
    return np.dtype(np.float64)


def _fit_bytes(passes: Sequence[Pass], fill: float) -> bool:
    """Tell whether all passes over bytes can be made of bytes.

    Those are means that a kernel can divide, and sums of which a byte has what is left modulo 256.
    """
    if not 0 <= fill < 256 or fill != int(fill):
        return False
    if any(one.what == "mean" and one.taps not in BYTE_MEAN_TAPS for one in passes):
        return False
    return all(one.what in ("max", "min") for one in passes) or _fit_single(
        np.dtype(np.uint8), passes, fill
    )


def _fit_single(x: np.dtype[Any], passes: Sequence[Pass], fill: float) -> bool:
    """Tell whether all sums of a chain over integers are integers that float32 holds.

    A mean of them, rounded to an integer towards zero, is that of double precision then.
    """
    largest = 255.0 if x.itemsize == 1 else 65535.0
    if not math.isfinite(fill) or fill != int(fill):
        return False
    largest = max(largest, abs(fill))
    for one in passes:
        if one.what == "mean":
            if largest * one.taps >= 2**23:
                return False
        elif one.what == "weights":
            if not _are_integral(one):
                return False
            largest = max(largest * sum(abs(w) for w in one.weights), abs(fill))
            if largest >= 2**24:
                return False
    return largest < 2**24
