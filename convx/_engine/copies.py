"""Copies along index maps, and sums of copies: how a sweep goes over rows of memory."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from convx._core import _copies
from convx._engine import arguments, machine, sweeps
from convx._engine.boundary import AxisMap, IndexMap
from convx._engine.dtypes import AnyArray

# Bytes from which on what lies beneath the last axis with a map is a row of its own: it is long
# enough for a copy, and many rows can be shared out among threads.
LEAST_ROW = 256


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
    return array.reshape(-1).view(np.uint8)


def copy_along(
    x: AnyArray, maps: Sequence[AxisMap], fill: AnyArray | None = None, out: Any = None
) -> AnyArray:
    """Copy a native array, its last axes by maps; ``fill`` stands where a map has no source."""
    shape = copied_shape(x.shape, maps)
    result = sweeps.new_copy(out, shape, x.dtype, x)
    if result.nbytes and all(one.keeps for one in maps):
        result[...] = x
    elif result.nbytes:
        laid = layout(x.shape, maps, x.itemsize, fill is not None)
        row = sum(laid.row[1:4])
        longest = row if fill is not None and (laid.rows < 0).any() else max(laid.row[1::2])
        elements = longest * (laid.item // x.itemsize) if fill is not None else 0
        filling = np.full(elements, 0 if fill is None else fill, x.dtype)
        threads = sweeps.threads_for(result.nbytes)
        operand = np.ascontiguousarray(x)
        _copies.copy(
            machine.ISA, laid, _bytes_of(filling), _bytes_of(operand), _bytes_of(result), threads
        )
    return sweeps.deliver(result, x.dtype, out)


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
    parts = 2 if dtype.kind == "c" else 1
    result_shape = (*shape, 2) if parts == 2 else tuple(shape)
    arguments.check_memory(result_shape, y.itemsize, "an output")
    result = sweeps.new_copy(None, result_shape, y.dtype)
    if not y.size:
        result[...] = 0
    elif result.size:
        laid = layout(shape, maps, 1, fills)
        copies = np.argsort(laid.rows, kind="stable")
        starts = np.searchsorted(laid.rows[copies], np.arange(laid.x_rows + 1))
        threads = sweeps.threads_for(y.nbytes)
        _copies.fold(machine.ISA, laid, parts * laid.item, starts, copies, y, result, threads)
    if parts == 2:
        return result.view(dtype)[..., 0]
    return result.view(np.uint64) if dtype == np.uint64 else result.astype(dtype, copy=False)
