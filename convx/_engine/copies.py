"""Copies along index maps, and sums of copies: how a sweep goes over rows of memory."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from convx._core import _copies
from convx._engine import arguments, machine, sweeps
from convx._engine.boundary import NOWHERE, AxisMap, IndexMap
from convx._engine.dtypes import AnyArray

# Bytes from which on what lies beneath the last axis with a map is a row of its own: it is long
# enough for a copy, and many rows can be shared out among threads.
LEAST_ROW = 256
# Entries of tables that are kept for the next call.
MOST_OF_TABLES = 1 << 15


class Row(NamedTuple):
    """A row, in elements: of the source; ends and inside of the copy; where its inside starts."""

    size: int
    low: int
    inside: int
    high: int
    start: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Blocks of rows: leading axes without a map are blocks, trailing ones are elements."""

    blocks: int
    x_rows: int
    rows: IndexMap
    row: Row
    ends: IndexMap
    item: int  # numbers, or bytes, of an element
    fills: bool  # where a table does not tell a source


def layout(shape: Sequence[int], maps: Sequence[AxisMap], item: int, fills: bool) -> Layout:
    """Lay out copies of an array, its last axes by ``maps``, whose elements have ``item`` bytes."""
    blocks = list(shape[: len(shape) - len(maps)])
    mapped, within = list(maps), 1
    while mapped and mapped[-1].keeps:
        within *= mapped.pop().size
    while mapped and mapped[0].keeps:
        blocks.append(mapped.pop(0).size)
    if not mapped or within * item >= LEAST_ROW:
        last = AxisMap(within, within)
    else:
        last, item = mapped.pop(), within * item
    row = Row(last.size, len(last.low), last.inside, len(last.high), last.start)
    rows = np.zeros(1, np.int64)
    for one in mapped:
        arguments.check_memory((len(rows), one.length), 32, "tables for padding")
        below = rows[:, np.newaxis] * one.size + (sources := one.sources())
        known = (rows[:, np.newaxis] >= 0) & (sources >= 0)
        rows = np.where(known, below, -1).ravel()
    x_rows = math.prod(one.size for one in mapped)
    ends = np.concatenate([last.low, last.high])
    return Layout(math.prod(blocks), x_rows, rows, row, ends, item, fills)


def copied_shape(shape: Sequence[int], maps: Sequence[AxisMap]) -> tuple[int, ...]:
    """Shape of the copy of an array whose last axes have maps."""
    return (*shape[: len(shape) - len(maps)], *(one.length for one in maps))


def _bytes_of(array: AnyArray) -> AnyArray:
    """The memory of a contiguous array, whatever its elements are."""
    return array if array.dtype.kind in "iuf" else array.reshape(-1).view(np.uint8)


class Copy(NamedTuple):
    """How an array is copied: the shape that comes out, and where its rows are taken from."""

    shape: tuple[int, ...]
    laid: Layout | None  # None where there is nothing to take, or nothing changes
    filled: int  # numbers that are ever filled in a row

    @property
    def is_small(self) -> bool:
        """Whether its tables may be kept."""
        return self.laid is None or len(self.laid.rows) + len(self.laid.ends) <= MOST_OF_TABLES


def plan_copy(shape: Sequence[int], maps: Sequence[AxisMap], item: int, fills: bool) -> Copy:
    """Plan a copy of an array of elements of ``item`` bytes, its last axes by maps."""
    copied = copied_shape(shape, maps)
    if 0 in (*copied, item) or all(one.keeps for one in maps):
        return Copy(copied, None, 0)
    laid = layout(shape, maps, item, fills)
    if not fills:
        return Copy(copied, laid, 0)
    longest = sum(laid.row[1:4]) if (laid.rows < 0).any() else max(laid.row[1::2])
    return Copy(copied, laid, longest * (laid.item // item))


def run_copy(x: AnyArray, copy: Copy, fill: AnyArray | None, out: Any) -> AnyArray:
    """Copy a native array as planned; ``fill`` stands where there is no source."""
    result = sweeps.new_copy(out, copy.shape, x.dtype, x)
    if copy.laid is not None:
        filling = np.full(copy.filled, 0 if fill is None else fill, x.dtype)
        threads = sweeps.threads_for(result.nbytes)
        filled, source, target = map(_bytes_of, (filling, np.ascontiguousarray(x), result))
        _copies.copy(machine.ISA, copy.laid, filled, source, target, threads)
    elif result.nbytes:
        result[...] = x
    return sweeps.deliver(result, x.dtype, out)


def copy_along(
    x: AnyArray, maps: Sequence[AxisMap], fill: AnyArray | None = None, out: Any = None
) -> AnyArray:
    """Copy a native array, its last axes by maps; ``fill`` stands where a map has no source."""
    return run_copy(x, plan_copy(x.shape, maps, x.itemsize, fill is not None), fill, out)


class Fold(NamedTuple):
    """How copies are added up: the shapes before and after, and which rows are copies of which."""

    shape: tuple[int, ...]
    copied: tuple[int, ...]
    laid: Layout | None  # None where there is nothing to add up
    starts: IndexMap
    rows: IndexMap

    @property
    def is_small(self) -> bool:
        """Whether its tables may be kept."""
        return len(self.starts) + len(self.rows) <= MOST_OF_TABLES


def plan_fold(shape: Sequence[int], maps: Sequence[AxisMap], fills: bool) -> Fold:
    """Plan the sums of the copies that maps of the last axes make of an array."""
    copied = copied_shape(shape, maps)
    if 0 in copied or 0 in shape:
        return Fold(tuple(shape), copied, None, NOWHERE, NOWHERE)
    laid = layout(shape, maps, 1, fills)
    rows = np.argsort(laid.rows, kind="stable")
    starts = np.searchsorted(laid.rows[rows], np.arange(laid.x_rows + 1))
    return Fold(tuple(shape), copied, laid, starts, rows)


def fold_along(
    y: AnyArray,
    dtype: np.dtype[Any],
    shape: Sequence[int],
    maps: Sequence[AxisMap],
    fills: bool,
) -> AnyArray:
    """Return, in an array of ``shape``, the sums of the copies that maps of its last axes made.

    ``y`` and ``dtype`` are those of :func:`dtypes.summable_operand`.
    """
    return run_fold(y, dtype, plan_fold(shape, maps, fills))


def run_fold(y: AnyArray, dtype: np.dtype[Any], fold: Fold) -> AnyArray:
    """Return the sums of copies as planned."""
    parts = 2 if dtype.kind == "c" else 1
    shape = (*fold.shape, 2) if parts == 2 else fold.shape
    result = sweeps.new_copy(None, shape, y.dtype)
    if fold.laid is not None:
        threads = sweeps.threads_for(y.nbytes)
        item = parts * fold.laid.item
        _copies.fold(machine.ISA, fold.laid, item, fold.starts, fold.rows, y, result, threads)
    elif result.size:
        result[...] = 0
    if parts == 2:
        return result.view(dtype)[..., 0]
    return result.view(np.uint64) if dtype == np.uint64 else result.astype(dtype, copy=False)
