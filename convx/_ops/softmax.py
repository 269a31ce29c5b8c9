"""Softmax and its logarithm along an axis, and their gradients."""

import math
from typing import Any

import numpy as np

from convx._core import _activations
from convx._core._sweep import Sweep, SweepMemo
from convx._engine import arguments, dtypes, machine, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops.activation import gradient_operands

# Bytes of a block of columns, which is gone through three times and should stay in the L2 cache;
# and of a vector, below which columns side by side are turned into rows.
BLOCK_BYTES = 128 * 1024
NARROW_BYTES = 32

_memo, _gradient_memo = SweepMemo(), SweepMemo()


def softmax(
    input: object,
    dim: object,
    dtype: object,
    out: Any,
    *,
    logarithm: bool = False,
    sign: int = 1,
) -> AnyArray:
    """Return the softmax along an axis, or its logarithm; of the input or of its opposite."""
    options = (dim, dtype, logarithm, sign)
    if out is None:
        remembered: AnyArray | None = _memo.call((input,), options)
        if remembered is not None:
            return remembered
    x, result = _operand(input, dtype)
    axis = _axis(dim, x.ndim)
    y = sweeps.new_result(out, x.shape, result, x, in_place=True)
    sweep = _sweep(logarithm, x if sign > 0 else -x, None, axis, y)
    delivered = sweeps.deliver(y, result, out)
    _memo.remember((input,), options, sweep, delivered)
    return delivered


def softmax_gradient(
    grad_output: object,
    input: object,
    dim: object,
    dtype: object,
    out: Any,
    *,
    logarithm: bool = False,
    sign: int = 1,
) -> AnyArray:
    """Return the gradient of the input."""
    arrays, options = (grad_output, input), (dim, dtype, logarithm, sign)
    if out is None:
        remembered: AnyArray | None = _gradient_memo.call(arrays, options)
        if remembered is not None:
            return remembered
    x, result = dtypes.sweep_operand(input, "input")
    if dtype is None:
        (g, x), result = gradient_operands(grad_output, input)
    else:
        (g, x), _ = gradient_operands(grad_output, x.astype(arguments.float_dtype(dtype)))
    axis = _axis(dim, x.ndim)
    if dtypes.SWEEP_DTYPES[result] == x.dtype:
        y = sweeps.new_result(out, x.shape, result, g, x)
    else:  # that of the softmax differs from the input's
        y = sweeps.new_result(None, x.shape, x.dtype)
        if out is not None:
            arguments.check_out(out, x.shape, result)
    sweep = _sweep(logarithm, x if sign > 0 else -x, g if sign > 0 else -g, axis, y)
    delivered = sweeps.deliver(y, result, out)
    _gradient_memo.remember(arrays, options, sweep, delivered)
    return delivered


def _operand(input: object, dtype: object) -> tuple[AnyArray, np.dtype[Any]]:
    """Return the input in the dtype that is asked for, which its own need not be."""
    if dtype is not None:
        array = dtypes.as_array(input, "input")
        if array.dtype.kind == "c":
            raise TypeError(f"input must be real, got {array.dtype}")
        input = array.astype(arguments.float_dtype(dtype), copy=False)
    return dtypes.sweep_operand(input, "input")


def _axis(dim: object, ndim: int) -> int:
    """Return the axis; PyTorch's choice if none is told."""
    if dim is None:
        return 0 if ndim in (0, 1, 3) else 1
    return arguments.dimension(dim, ndim)


def _sweep(
    logarithm: bool, x: AnyArray, g: AnyArray | None, axis: int, y: AnyArray
) -> Sweep | None:
    """Compute a softmax along an axis, or its gradient for g, into y.

    Return the sweep, or None if there was more to be done.
    """
    if not x.size:
        return None
    sizes = x.shape or (1,)
    shape = (math.prod(sizes[:axis]), sizes[axis], math.prod(sizes[axis + 1 :]))
    threads = sweeps.threads_for(x.nbytes)
    if 1 < shape[2] < NARROW_BYTES // x.itemsize:
        rows, grads = _turned(x, shape), None if g is None else _turned(g, shape)
        turned = np.empty_like(rows)
        sides = (shape[0] * shape[2], shape[1], 1)
        _activations.softmax(machine.ISA, logarithm, sides, 1, rows, grads, turned, threads)
        y.reshape(shape)[...] = turned.swapaxes(1, 2)
        return None
    block = _block(shape, x.itemsize)
    return _activations.softmax(machine.ISA, logarithm, shape, block, x, g, y, threads)


def _turned(array: AnyArray, shape: tuple[int, int, int]) -> AnyArray:
    return np.ascontiguousarray(array.reshape(shape).swapaxes(1, 2))


def _block(shape: tuple[int, int, int], itemsize: int) -> int:
    """Return how many columns are computed together, in whole lines of the cache; 1 for rows."""
    if shape[2] == 1:
        return 1
    line = 64 // itemsize
    columns = BLOCK_BYTES // (shape[1] * itemsize) // line * line
    return min(max(columns, line), _activations.SOFTMAX_BLOCK)
