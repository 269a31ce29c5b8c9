"""Scattering by indices in planes, and back: unpooling, gradients of maxima at known places."""

import math
from typing import Any

import numpy as np

from convx._core import _pool
from convx._engine import arguments, machine, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops import pool_tables


def scatter(
    how: str,
    values: AnyArray,
    indices: AnyArray,
    shape: tuple[int, ...],
    axes: int,
    dtype: np.dtype[Any],
    out: Any,
    least: int = 0,
) -> AnyArray:
    """Return an array of zeros with values at their indices, set or added up."""
    check_indices_first(indices, shape, axes, out, least)
    y = sweeps.new_result(out, shape, dtype, values)
    if values.size and y.size:
        move_by_index(how, indices, values, y, shape, axes, least)
    else:
        arguments.check_within_planes(indices, math.prod(shape[-axes:]), least)
        y[...] = 0
    return sweeps.deliver(y, dtype, out)


def check_indices_first(
    indices: AnyArray, shape: tuple[int, ...], axes: int, out: Any, least: int = 0
) -> None:
    """Check indices before anything is written, where what they meet is not memory of our own.

    Else :func:`move_by_index` does it meanwhile; but for those that int64 does not hold.
    """
    if out is not None or (indices.dtype.kind == "u" and indices.dtype.itemsize == 8):
        arguments.check_within_planes(indices, math.prod(shape[-axes:]), least)


def move_by_index(
    how: str,
    indices: AnyArray,
    x: AnyArray,
    y: AnyArray,
    shape: tuple[int, ...],
    axes: int,
    least: int = 0,
) -> None:
    """Bring each element of x to its index in y, or back; raise ValueError for a wrong index."""
    places = np.ascontiguousarray(indices, np.int64)
    threads = sweeps.threads_for(y.nbytes + places.nbytes)
    planes = pool_tables.planes_of(shape, axes)
    cells = _cells(shape[-axes:], places.shape[-axes:])
    if not _pool.scatter(machine.ISA, how, least, places, x, y, planes, threads, cells):
        arguments.check_within_planes(indices, math.prod(shape[-axes:]), least)


def _cells(sizes: tuple[int, ...], inputs: tuple[int, ...]) -> _pool.Pooling | None:
    """Return the cells, one for each input, that a plane of outputs is cut into, if it can be.

    Tables that are too large to be kept would take longer than they save.
    """
    if sum(inputs) > pool_tables.MOST_OF_TABLES or any(
        size % count for size, count in zip(sizes, inputs)
    ):
        return None
    return pool_tables.of_cells(sizes, inputs)
