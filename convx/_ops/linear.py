"""The linear layer, a product of matrices, and its gradients."""

import math
from typing import Any

import numpy as np

from convx._engine import arguments, dtypes, execution
from convx._engine.dtypes import AnyArray


def linear(input: object, weight: object, bias: object, out: Any) -> AnyArray:
    """Multiply the last axis of the input by a matrix, and add the bias."""
    (x, w, b), dtype = dtypes.operands(input=input, weight=weight, bias=bias)
    shape = arguments.linear_shape(x.shape, w.shape, None if b is None else b.shape)
    arguments.check_memory(shape, x.itemsize, "an output")
    if out is not None:
        arguments.check_out(out, shape, dtype)
    y = np.matmul(x, w.T)
    if b is not None:
        y = np.add(y, b, out=y if isinstance(y, np.ndarray) else None)
    return execution.deliver(np.asarray(y).astype(dtype, copy=False), out)


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
        by_input = (dy_matrix @ matrix).reshape(x.shape).astype(dtype, copy=False)
    by_weight = (dy_matrix.T @ x.reshape(items, inputs)).reshape(w.shape)
    by_bias = None if b is None else dy_matrix.sum(0, dtype=dy.dtype).reshape(b.shape)
    return (
        by_input,
        by_weight.astype(dtype, copy=False),
        None if by_bias is None else by_bias.astype(dtype, copy=False),
    )
