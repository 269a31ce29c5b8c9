"""The linear layer, a product of matrices, and its gradients."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from convx._core import _bias, _matrix, _memory
from convx._core._sweep import Sweep, SweepMemo
from convx._engine import arguments, dtypes, execution, machine
from convx._engine.dtypes import AnyArray
from convx._engine.threads import WORK_PER_THREAD, get_num_threads

# Items from which on products are computed by the kernel of matrices, and multiply-adds below which
# they are: OpenBLAS, NumPy's library, is better at few items, for which weights would have to be
# turned, and at large matrices. Its threads may wait for a processor until those of OpenMP that ran
# before have gone to sleep: 8 ms on two processors rather than 0.1 ms, for LeNet's layers of 32
# pictures (AMD EPYC Genoa, November 2026). So of moderate matrices it gets parts for one thread.
LEAST_ITEMS, MOST_PRODUCTS = 16, 2**24
# Bytes of the rows of weights that the kernel reads by whole vectors.
LEAST_ROW = 64
# Multiply-adds of a product that OpenBLAS computes on the thread that calls.
ONE_THREAD = 2**18

_memo, _input_memo, _weight_memo = SweepMemo(), SweepMemo(), SweepMemo()


def linear(input: object, weight: object, bias: object, out: Any) -> AnyArray:
    """Multiply the last axis of the input by a matrix, and add the bias."""
    if out is None:
        remembered: AnyArray | None = _memo.call((input, weight, bias), ())
        if remembered is not None:
            return remembered
    (x, w, b), dtype = dtypes.operands(input=input, weight=weight, bias=bias)
    shape = arguments.linear_shape(x.shape, w.shape, None if b is None else b.shape)
    arguments.check_memory(shape, x.itemsize, "an output")
    if out is not None:
        arguments.check_out(out, shape, dtype)
    items, (outputs, inputs) = math.prod(x.shape[:-1]), (math.prod(w.shape[:-1]), w.shape[-1])
    rows, matrix = x.reshape(items, inputs), w.reshape(outputs, inputs)
    if _has_kernel(rows, matrix, b):
        sweep, y = _kernel_product(_matrix.multiply_turned, rows, matrix, shape, b)
        result = execution.deliver(y.astype(dtype, copy=False), out)
        _memo.remember((input, weight, bias), (), sweep, result)
        return result
    y = np.asarray(np.matmul(x, w) if w.ndim == 1 else _product(rows, matrix.T).reshape(shape))
    if b is not None:
        y += b
    return execution.deliver(y.astype(dtype, copy=False), out)


def linear_gradients(
    grad_output: object, input: Any, weight: object, bias: object, input_gradient: object = True
) -> tuple[Any, AnyArray, AnyArray | None]:
    """Gradients of input, weight and bias, that of the input only if it is wanted."""
    with_input = arguments.flag(input_gradient, "input_gradient")
    arrays = (grad_output, input, weight, bias)
    by_weight: AnyArray | None = _weight_memo.call(arrays, ())
    by_input: AnyArray | None = None
    if by_weight is not None and with_input:
        by_input = _input_memo.call(arrays, ())
    if by_weight is not None and (by_input is not None or not with_input):
        items = input.size // by_weight.shape[-1]
        return by_input, by_weight, _bias_gradient(grad_output, bias, items)
    (dy, x, w, b), dtype = dtypes.operands(
        grad_output=grad_output, input=input, weight=weight, bias=bias
    )
    shape = arguments.linear_shape(x.shape, w.shape, None if b is None else b.shape)
    arguments.check_shape(dy.shape, shape, "grad_output", "of the output")
    items, (outputs, inputs) = math.prod(x.shape[:-1]), (math.prod(w.shape[:-1]), w.shape[-1])
    slopes, rows = dy.reshape(items, outputs), x.reshape(items, inputs)
    matrix = w.reshape(outputs, inputs)
    if _has_kernel(rows, matrix, slopes):
        if with_input:
            sweep, by_input = _kernel_product(_matrix.multiply, slopes, matrix, x.shape)
            by_input = by_input.astype(dtype, copy=False)
            _input_memo.remember(arrays, (), sweep, by_input)
        sweep, by_weight = _kernel_product(_matrix.turn_and_multiply, slopes, rows, w.shape)
        by_weight = by_weight.astype(dtype, copy=False)
        _weight_memo.remember(arrays, (), sweep, by_weight)
    else:
        if with_input:
            by_input = _product(slopes, matrix).reshape(x.shape).astype(dtype, copy=False)
        by_weight = _product(slopes.T, rows).reshape(w.shape).astype(dtype, copy=False)
    by_bias = _bias_gradient(dy, b, items)
    return by_input, by_weight, None if by_bias is None else by_bias.astype(dtype, copy=False)


def _bias_gradient(grad_output: Any, bias: Any, items: int) -> AnyArray | None:
    """Return the sums of a gradient's columns in the shape of a bias, None if there is none."""
    if bias is None:
        return None
    if dtypes.is_plain(grad_output):
        sums = _bias.bias_gradient(machine.ISA, grad_output, items, bias.size, 1, 1)
    else:
        sums = grad_output.reshape(items, bias.size).sum(0, dtype=grad_output.dtype)
    return np.asarray(sums.reshape(bias.shape))


def _has_kernel(x: AnyArray, w: AnyArray, *others: AnyArray | None) -> bool:
    """Tell whether products of matrices of items and of weights are computed by the kernel."""
    return (
        x.dtype.char in "fd"
        and len(x) >= LEAST_ITEMS
        and len(x) * w.size < MOST_PRODUCTS
        and w.shape[1] * w.itemsize >= LEAST_ROW
        and all(
            one is None or (one.flags.c_contiguous and one.flags.aligned) for one in (x, w, *others)
        )
    )


def _kernel_product(
    multiply: Callable[..., Sweep], a: AnyArray, b: AnyArray, shape: tuple[int, ...], *bias: Any
) -> tuple[Sweep, AnyArray]:
    """Return the sweep of a product, and the product in a shape."""
    y: AnyArray = _memory.new_result(shape, a.dtype)
    products = math.isqrt(a.size * b.size * y.size)  # each of three sizes is one of two of them
    threads = max(1, min(get_num_threads(), products // WORK_PER_THREAD))
    return multiply(machine.ISA, a, b, *bias, y, threads), y


def _product(a: AnyArray, b: AnyArray) -> AnyArray:
    """Multiply matrices; those of moderate size in parts that take one thread each."""
    rows, columns = a.shape[0], b.shape[1]
    if not ONE_THREAD < rows * b.size < MOST_PRODUCTS:
        return np.asarray(a @ b)
    y: AnyArray = _memory.new_result((rows, columns), np.result_type(a, b))
    if rows > columns:
        part = max(1, ONE_THREAD // b.size)
        for first in range(0, rows, part):
            np.matmul(a[first : first + part], b, out=y[first : first + part])
    else:
        part = max(1, ONE_THREAD // a.size)
        for first in range(0, columns, part):
            some = slice(first, first + part)
            np.matmul(a, b[:, some], out=y[:, some])
    return y
