"""Unpooling over any number of spatial axes, and its gradients."""

from collections.abc import Sequence
from typing import Any

from convx._engine import arguments, dtypes, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops import pool, scattering

# kernel_size, stride, padding, output_size
Given = tuple[object, object, object, object]


def _unpooled(x: AnyArray, axes: int, given: Given) -> tuple[int, ...]:
    sizes = arguments.pooled_sizes(x.shape, axes)
    leading = x.shape[:-axes]
    shape = (*leading, *arguments.unpooled_sizes(sizes, *given, leading))
    arguments.check_memory(shape, x.itemsize, "an output")
    return shape


def max_unpool(axes: int, input: object, indices: object, given: Given, out: Any) -> AnyArray:
    """Return zeros with the values of the input at their indices, of several the last one."""
    x, dtype = dtypes.sweep_operand(input, "input")
    shape = _unpooled(x, axes, given)
    places = arguments.indices(indices, x.shape, "the input")
    return scattering.scatter("set", x, places, shape, axes, dtype, out)


def max_unpool_gradient(
    axes: int, grad_output: object, input: object, indices: object, given: Given, out: Any
) -> AnyArray:
    """Return the gradient of the input: what came to each value's place, if it is there at last."""
    x, dtype = dtypes.sweep_operand(input, "input")
    shape = _unpooled(x, axes, given)
    places = arguments.indices(indices, x.shape, "the input")
    scattering.check_indices_first(places, shape, axes, out)
    grad = pool.gradient_operand(grad_output, shape, dtype, "of the output")
    y = sweeps.new_result(out, x.shape, dtype, grad)
    if x.size:
        scattering.move_by_index("back", places, y, grad, shape, axes)
    return sweeps.deliver(y, dtype, out)


def avg_unpool(axes: int, input: object, given: Given, divisor: pool.Divisor, out: Any) -> AnyArray:
    """Return the input's values, each spread evenly over its window."""
    x, dtype = dtypes.sweep_operand(input, "input")
    shape = _unpooled(x, axes, given)
    windows = _windows_of(x.shape, shape, axes, given)
    why = "of windows over the output"
    return pool.spread(axes, x, shape, dtype, windows, divisor, out, why, "input")


def _windows_of(
    input_shape: Sequence[int], shape: Sequence[int], axes: int, given: Given
) -> pool.Average:
    """Return the windows of which there are as many as the input has values."""
    kernel_size, stride, padding, _ = given
    fitting = arguments.pooling(shape[-axes:], kernel_size, stride, padding)
    positions = tuple(outputs for _, outputs in fitting)
    # an output that is smaller than usual has a last window beyond its end
    ceil_mode = positions != tuple(input_shape[-axes:])
    return kernel_size, stride, padding, ceil_mode


def avg_unpool_gradient(
    axes: int, grad_output: object, input: object, given: Given, divisor: pool.Divisor, out: Any
) -> AnyArray:
    """Return the gradient of the input: averages of the windows."""
    x, dtype = dtypes.sweep_operand(input, "input")
    shape = _unpooled(x, axes, given)
    grad = pool.gradient_operand(grad_output, shape, dtype, "of the output")
    windows = _windows_of(x.shape, shape, axes, given)
    return pool.avg_pool(axes, grad.astype(dtype, copy=False), windows, divisor, out)
