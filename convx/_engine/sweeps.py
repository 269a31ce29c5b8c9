"""Sweeps: memory of their results, and their threads.

They are the operations that go over memory once or a few times, such as activations and pooling.
They read contiguous arrays: `dtypes.sweep_operand`.
"""

from typing import Any

import numpy as np

from convx._core import _memory
from convx._engine import arguments, execution
from convx._engine.dtypes import SWEEP_DTYPES, AnyArray
from convx._engine.threads import get_num_threads

# Bytes below which another thread costs more than it brings: waking one takes some 5 µs, in which
# another moves as many (AMD EPYC Genoa, 2 cores, November 2026; benchmarks/threads.py).
BYTES_PER_THREAD = 128 * 1024


def new_result(
    out: object,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    *operands: AnyArray,
    in_place: bool = False,
) -> AnyArray:
    """Return memory for a result in the type that it is computed in.

    That of ``out`` if a sweep can write there; else :func:`deliver` brings the result there. A
    sweep that reads an element last before it writes the same one works ``in_place``: an operand
    may be ``out``.
    """
    computed = SWEEP_DTYPES[dtype]
    if dtype == computed:
        return new_copy(out, shape, dtype, *operands, in_place=in_place)
    arguments.check_memory(shape, computed.itemsize, "an output")
    if out is not None:
        arguments.check_out(out, shape, dtype)
    return _memory.new_result(shape, computed)


def new_copy(
    out: object,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    *operands: AnyArray,
    in_place: bool = False,
) -> AnyArray:
    """Return memory for a result of any dtype that is not computed but moved."""
    arguments.check_memory(shape, dtype.itemsize, "an output")
    if out is None:
        return _memory.new_result(shape, dtype)
    target = arguments.check_out(out, shape, dtype)
    if in_place:
        operands = tuple(one for one in operands if not _is_same(one, target))
    return execution.target(target, shape, dtype, *operands)


def _is_same(array: AnyArray, other: AnyArray) -> bool:
    """Tell whether two contiguous arrays of one size have the same memory."""
    here, there = (one.__array_interface__["data"][0] for one in (array, other))
    return bool(here == there)


def deliver(result: AnyArray, dtype: np.dtype[Any], out: AnyArray | None) -> AnyArray:
    """Return the result in its dtype, or ``out`` with the result in it."""
    return execution.deliver(rounded(result, dtype), out)


def rounded(result: AnyArray, dtype: np.dtype[Any]) -> AnyArray:
    """Return what was computed in its dtype; what that cannot hold is infinite."""
    if result.dtype is dtype:
        return result
    with np.errstate(over="ignore"):
        return result.astype(dtype, copy=False)


def threads_for(size: int) -> int:
    """Return the number of threads for a sweep over so many bytes."""
    return max(1, min(get_num_threads(), size // BYTES_PER_THREAD))
