"""The linear layer, a product of matrices, and its gradients."""

import math
from typing import Any

import numpy as np

from convx._core import _memory
from convx._engine import arguments, dtypes, execution
from convx._engine.dtypes import AnyArray

# Multiply-adds of a product that NumPy's library of linear algebra, OpenBLAS, computes on the
# thread that calls; and those from which its own threads are worth waiting for. They may wait for a
# processor until the threads of OpenMP that ran before have gone to sleep: 8 ms on two processors
# rather than 0.1 ms, for LeNet's layers of 32 pictures (AMD EPYC Genoa, November 2026).
ONE_THREAD, MANY_THREADS = 2**18, 2**24


def linear(input: object, weight: object, bias: object, out: Any) -> AnyArray:
    """Multiply the last axis of the input by a matrix, and add the bias."""
    (x, w, b), dtype = dtypes.operands(input=input, weight=weight, bias=bias)
    shape = arguments.linear_shape(x.shape, w.shape, None if b is None else b.shape)
    arguments.check_memory(shape, x.itemsize, "an output")
    if out is not None:
        arguments.check_out(out, shape, dtype)
    if w.ndim == 1:
        y = np.asarray(np.matmul(x, w))
    else:
        items = math.prod(x.shape[:-1])
        y = _product(x.reshape(items, w.shape[1]), w.T).reshape(shape)
    if b is not None:
        y += b
    return execution.deliver(y.astype(dtype, copy=False), out)


def linear_gradients(
    grad_output: object, input: object, weight: object, bias: object, input_gradient: object = True
) -> tuple[Any, AnyArray, AnyArray | None]:
    """Gradients of input, weight and bias, that of the input only if it is wanted."""
    with_input = arguments.flag(input_gradient, "input_gradient")
    (dy, x, w, b), dtype = dtypes.operands(
        grad_output=grad_output, input=input, weight=weight, bias=bias
    )
    shape = arguments.linear_shape(x.shape, w.shape, None if b is None else b.shape)
    arguments.check_shape(dy.shape, shape, "grad_output", "of the output")
    outputs, inputs = math.prod(w.shape[:-1]), w.shape[-1]
    items = math.prod(x.shape[:-1])
    dy_matrix, matrix = dy.reshape(items, outputs), w.reshape(outputs, inputs)
    by_input = None
    if with_input:
        by_input = _product(dy_matrix, matrix).reshape(x.shape).astype(dtype, copy=False)
    by_weight = _product(dy_matrix.T, x.reshape(items, inputs)).reshape(w.shape)
    by_bias = None if b is None else dy_matrix.sum(0, dtype=dy.dtype).reshape(b.shape)
    return (
        by_input,
        by_weight.astype(dtype, copy=False),
        None if by_bias is None else by_bias.astype(dtype, copy=False),
    )


def _product(a: AnyArray, b: AnyArray) -> AnyArray:
    """Multiply matrices; those of moderate size in parts that take one thread each."""
    rows, columns = a.shape[0], b.shape[1]
    if not ONE_THREAD < rows * b.size < MANY_THREADS:
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
