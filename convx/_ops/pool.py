"""Pooling over any number of spatial axes, and its gradients.

A type of pooling is a reducer, "max" or "sum", and windows along each axis: of a kernel, adaptive
or fractional. Averages are sums with divisors.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from convx._core import _memory, _pool
from convx._core._sweep import Sweep, SweepMemo
from convx._engine import arguments, dtypes, machine, sweeps
from convx._engine.dtypes import AnyArray
from convx._engine.pool_windows import PoolAxis
from convx._ops import activation as activations
from convx._ops import pool_tables, scattering

INDEX = np.dtype(np.int64)
# Indices of maxima in float32 have 32 bits; larger planes are computed in float64.
MOST_OF_PLANE = 2**31 - 1
# What a caller gives of windows: kernel_size, stride, padding, dilation, ceil_mode.
Given = tuple[object, object, object, object, object]
# A call: its arrays, and its name and options.
Call = tuple[tuple[object, ...], tuple[object, ...]]

Result = TypeVar("Result")

_memo = SweepMemo()


def _recalled(call: Call, out: object) -> Any:
    """Return what a call like one before returns, or None if it has to go the long way."""
    arrays, options = call
    found = _memo.call(arrays, options) if out is None else None
    return tuple(found) if type(found) is list else found


def _remembered(
    call: Call, windows: pool_tables.Windows, result: Result, sweep: Sweep | None
) -> Result:
    """Return a call's result, and let its sweep do it again, but for one with large tables."""
    if pool_tables.are_few(windows):
        first: Any = result[0] if isinstance(result, tuple) else result
        _memo.remember(*call, sweep, first)
    return result


def run(
    pooling: _pool.Pooling,
    x: AnyArray,
    dtype: np.dtype[Any],
    outputs: tuple[int, ...],
    out: Any,
    with_indices: bool = False,
) -> tuple[Any, Sweep | None]:
    """Return the outputs of pooling, or those and indices of maxima, and the sweep."""
    axes = len(outputs)
    shape = (*x.shape[:-axes], *outputs)
    y = sweeps.new_result(out, shape, dtype, x)
    places = sweep = None
    if with_indices:
        arguments.check_memory(shape, INDEX.itemsize, "indices")
        places = _memory.new_result(shape, INDEX)
        x, y = _widened(x, y, axes)
    if y.size:
        threads = sweeps.threads_for(x.nbytes + y.nbytes)
        sweep = pooling.pool(machine.ISA, x, y, places, pool_tables.planes_of(shape, axes), threads)
    y = sweeps.deliver(y, dtype, out)
    return (y, places) if with_indices else y, sweep


def _widened(x: AnyArray, y: AnyArray, axes: int) -> tuple[AnyArray, AnyArray]:
    if x.dtype == np.float32 and math.prod(x.shape[-axes:]) > MOST_OF_PLANE:
        return x.astype(np.float64), np.empty(y.shape)
    return x, y


def pool_input(input: object, axes: int, kinds: str = "f") -> tuple[AnyArray, Any, tuple[int, ...]]:
    """Return the input of pooling, its dtype and its spatial sizes."""
    x, dtype = dtypes.sweep_operand(input, "input", kinds)
    return x, dtype, arguments.pooled_sizes(x.shape, axes)


def max_pool(axes: int, input: object, given: Given, return_indices: object, out: Any) -> Any:
    """Return maxima of windows, and their indices if these are wanted."""
    call = (input,), ("max", axes, given, return_indices)
    if (recalled := _recalled(call, out)) is not None:
        return recalled
    with_indices = arguments.flag(return_indices, "return_indices")
    x, dtype = dtypes.sweep_operand(input, "input", "fiu")
    windows = pool_tables.maxima(x.shape, axes, dtype.itemsize, *given)
    found = run(windows.pooling, x, dtype, windows.outputs, out, with_indices)
    return _remembered(call, windows, *found)


def gradient_operand(
    grad_output: object,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    why: str,
    name: str = "grad_output",
) -> AnyArray:
    """Return the gradient of an output in the type that is computed in."""
    grad, _ = dtypes.sweep_operand(grad_output, name, "fiu")
    arguments.check_shape(grad.shape, shape, name, why)
    return np.ascontiguousarray(grad, dtypes.SWEEP_DTYPES[dtype]).reshape(shape)


def gradient_of_maxima(
    pooling: _pool.Pooling,
    grad_output: object,
    x: AnyArray,
    dtype: np.dtype[Any],
    outputs: tuple[int, ...],
    indices: object,
    out: Any,
) -> tuple[AnyArray, Sweep | None]:
    """Return the gradient of the input of maxima, whose indices are found anew or given.

    And the sweep, if it is one of pooling.
    """
    axes, sweep = len(outputs), None
    shape = (*x.shape[:-axes], *outputs)
    grad = gradient_operand(grad_output, shape, dtype, "of the output")
    if indices is not None:
        places = arguments.indices(indices, shape, "the output")
        return scattering.scatter("add", grad, places, x.shape, axes, dtype, out, -1), None
    y = sweeps.new_result(out, x.shape, dtype, x, grad)
    x, wide = _widened(x, y, axes)
    if grad.size:
        threads = sweeps.threads_for(2 * y.nbytes)
        planes = pool_tables.planes_of(shape, axes)
        grad = grad.astype(x.dtype, copy=False)
        sweep = pooling.max_gradient(machine.ISA, x, grad, wide, planes, threads)
    else:
        wide[...] = 0
    return sweeps.deliver(wide, dtype, out), sweep


def max_pool_gradient(
    axes: int, grad_output: object, input: object, given: Given, indices: object, out: Any
) -> AnyArray:
    """Return the gradient of the input of maximum pooling."""
    call = (grad_output, input, indices), ("max_gradient", axes, given)
    recalled: AnyArray | None = _recalled(call, out)
    if recalled is not None:
        return recalled
    x, dtype = dtypes.sweep_operand(input, "input")
    windows = pool_tables.maxima(x.shape, axes, dtype.itemsize, *given)
    found = gradient_of_maxima(
        windows.pooling, grad_output, x, dtype, windows.outputs, indices, out
    )
    return _remembered(call, windows, *found)


def _sum_gradient(
    pooling: _pool.Pooling,
    grad: AnyArray,
    shape: tuple[int, ...],
    axes: int,
    dtype: np.dtype[Any],
    out: Any,
) -> tuple[AnyArray, Sweep | None]:
    y, sweep = sweeps.new_result(out, shape, dtype, grad), None
    if grad.size:
        threads = sweeps.threads_for(y.nbytes + grad.nbytes)
        planes = pool_tables.planes_of(shape, axes)
        sweep = pooling.sum_gradient(machine.ISA, grad, y, planes, threads)
    else:
        y[...] = 0
    return sweeps.deliver(y, dtype, out), sweep


# kernel_size, stride, padding, ceil_mode; count_include_pad, divisor_override
Average = tuple[object, object, object, object]
Divisor = tuple[object, object]


def avg_pool(
    axes: int,
    input: object,
    given: Average,
    divisor: Divisor,
    out: Any,
    activation: object = None,
) -> AnyArray:
    """Return averages of windows, perhaps of what an activation leaves."""
    call = (input,), ("means", axes, given, divisor, activation)
    recalled: AnyArray | None = _recalled(call, out)
    if recalled is not None:
        return recalled
    x, dtype = dtypes.sweep_operand(input, "input", "fiu")
    windows = pool_tables.means(x.shape, axes, dtype.itemsize, given, divisor)
    return _remembered(call, windows, *_averages(windows, x, dtype, out, activation))


def _averages(
    windows: pool_tables.Windows, x: AnyArray, dtype: np.dtype[Any], out: Any, activation: object
) -> tuple[AnyArray, Sweep | None]:
    if arguments.pool_activation(activation) is not None:
        if _takes_relu(windows.pooling, x):
            return _run_relu(windows, x, None, dtype, out)
        x = activations.clamp("relu", x, (0, math.inf))
    return run(windows.pooling, x, dtype, windows.outputs, out)


def _takes_relu(pooling: _pool.Pooling, x: AnyArray) -> bool:
    return x.dtype.kind == "f" and pooling.takes_relu()


def _run_relu(
    windows: pool_tables.Windows,
    x: AnyArray,
    grad: AnyArray | None,
    dtype: np.dtype[Any],
    out: Any,
) -> tuple[AnyArray, Sweep | None]:
    """Return averages of what a ReLU leaves, or with their gradient that of the input."""
    axes, sweep = len(windows.outputs), None
    shape = x.shape if grad is not None else (*x.shape[:-axes], *windows.outputs)
    y = sweeps.new_result(out, shape, dtype, x, *([] if grad is None else [grad]))
    if y.size:
        threads = sweeps.threads_for(x.nbytes + y.nbytes)
        planes = pool_tables.planes_of(shape, axes)
        sweep = windows.pooling.pool_relu(machine.ISA, x, grad, y, planes, threads)
    return sweeps.deliver(y, dtype, out), sweep


def avg_pool_gradient(
    axes: int,
    grad_output: object,
    input: object,
    given: Average,
    divisor: Divisor,
    out: Any,
    activation: object = None,
) -> AnyArray:
    """Return the gradient of the input of average pooling, of which else only the shape counts."""
    call = (grad_output, input), ("means_gradient", axes, given, divisor, activation)
    recalled: AnyArray | None = _recalled(call, out)
    if recalled is not None:
        return recalled
    x, dtype = dtypes.sweep_operand(input, "input")
    windows = pool_tables.means(x.shape, axes, dtype.itemsize, given, divisor)
    found = _gradient_of_averages(windows, grad_output, x, dtype, out, activation)
    return _remembered(call, windows, *found)


def _gradient_of_averages(
    windows: pool_tables.Windows,
    grad_output: object,
    x: AnyArray,
    dtype: np.dtype[Any],
    out: Any,
    activation: object,
) -> tuple[AnyArray, Sweep | None]:
    axes = len(windows.outputs)
    shape = (*x.shape[:-axes], *windows.outputs)
    grad = gradient_operand(grad_output, shape, dtype, "of the output")
    if arguments.pool_activation(activation) is None:
        return _sum_gradient(windows.pooling, grad, x.shape, axes, dtype, out)
    if _takes_relu(windows.pooling, x):
        return _run_relu(windows, x, grad, dtype, out)
    found, _ = _sum_gradient(windows.pooling, grad, x.shape, axes, x.dtype, None)
    y = sweeps.new_result(out, x.shape, dtype, x)
    y = activations.activation_gradient("relu", found, x, out=y)
    return sweeps.deliver(y, dtype, out), None


def spread(
    axes: int,
    grad_output: object,
    input_shape: tuple[int, ...],
    dtype: np.dtype[Any],
    given: Average,
    divisor: Divisor,
    out: Any,
    why: str = "of the output",
    name: str = "grad_output",
) -> AnyArray:
    """Return the adjoint of average pooling: every value spread evenly over its window."""
    windows = pool_tables.means(input_shape, axes, dtype.itemsize, given, divisor)
    grad = gradient_operand(grad_output, (*input_shape[:-axes], *windows.outputs), dtype, why, name)
    return _sum_gradient(windows.pooling, grad, input_shape, axes, dtype, out)[0]


def sums(x: AnyArray, windows: tuple[Any, ...], out: Any = None) -> AnyArray:
    """Return sums of windows."""
    pooling = pool_tables.of_sums(windows, None)
    y: AnyArray
    y, _ = run(pooling, x, x.dtype, pool_tables.outputs_of(windows), out)
    return y


def maxima(x: AnyArray, windows: tuple[Any, ...]) -> AnyArray:
    """Return maxima of windows."""
    y: AnyArray
    y, _ = run(pool_tables.of_maxima(windows), x, x.dtype, pool_tables.outputs_of(windows), None)
    return y


def gradient_through(x: AnyArray, grad: AnyArray, windows: tuple[Any, ...]) -> AnyArray:
    """Return the gradient of the input of :func:`maxima`."""
    pooling = pool_tables.of_maxima(windows)
    outputs = pool_tables.outputs_of(windows)
    return gradient_of_maxima(pooling, grad, x, x.dtype, outputs, None, None)[0]


def spread_sums(grad: AnyArray, shape: tuple[int, ...], windows: tuple[Any, ...]) -> AnyArray:
    """Return the adjoint of :func:`sums`."""
    pooling = pool_tables.of_sums(windows, None)
    return _sum_gradient(pooling, grad, shape, len(windows), grad.dtype, None)[0]


def adaptive_max_pool(
    axes: int, input: object, output_size: object, return_indices: object, out: Any
) -> Any:
    """Return maxima of windows that share out each axis, and their indices if these are wanted."""
    call = (input,), ("adaptive_max", axes, output_size, return_indices)
    if (recalled := _recalled(call, out)) is not None:
        return recalled
    with_indices = arguments.flag(return_indices, "return_indices")
    x, dtype = dtypes.sweep_operand(input, "input")
    windows = pool_tables.adaptive_maxima(x.shape, axes, output_size)
    found = run(windows.pooling, x, dtype, windows.outputs, out, with_indices)
    return _remembered(call, windows, *found)


def adaptive_max_pool_gradient(
    axes: int, grad_output: object, input: object, output_size: object, indices: object, out: Any
) -> AnyArray:
    """Return the gradient of the input of adaptive maximum pooling."""
    call = (grad_output, input, indices), ("adaptive_max_gradient", axes, output_size)
    recalled: AnyArray | None = _recalled(call, out)
    if recalled is not None:
        return recalled
    x, dtype = dtypes.sweep_operand(input, "input")
    windows = pool_tables.adaptive_maxima(x.shape, axes, output_size)
    found = gradient_of_maxima(
        windows.pooling, grad_output, x, dtype, windows.outputs, indices, out
    )
    return _remembered(call, windows, *found)


def adaptive_avg_pool(
    axes: int, input: object, output_size: object, out: Any, activation: object = None
) -> AnyArray:
    """Return averages of windows that share out each axis, as :func:`avg_pool` does."""
    call = (input,), ("adaptive_means", axes, output_size, activation)
    recalled: AnyArray | None = _recalled(call, out)
    if recalled is not None:
        return recalled
    x, dtype = dtypes.sweep_operand(input, "input")
    windows = pool_tables.adaptive_means(x.shape, axes, output_size)
    return _remembered(call, windows, *_averages(windows, x, dtype, out, activation))


def adaptive_avg_pool_gradient(
    axes: int,
    grad_output: object,
    input: object,
    output_size: object,
    out: Any,
    activation: object = None,
) -> AnyArray:
    """Return the gradient of the input of adaptive average pooling."""
    call = (grad_output, input), ("adaptive_means_gradient", axes, output_size, activation)
    recalled: AnyArray | None = _recalled(call, out)
    if recalled is not None:
        return recalled
    x, dtype = dtypes.sweep_operand(input, "input")
    windows = pool_tables.adaptive_means(x.shape, axes, output_size)
    found = _gradient_of_averages(windows, grad_output, x, dtype, out, activation)
    return _remembered(call, windows, *found)


def fractional_pooling(tables: Sequence[PoolAxis]) -> _pool.Pooling:
    """Return maxima of windows that every plane has of its own."""
    return _pool.Pooling("max", tables)


def global_input(input: object) -> tuple[AnyArray, Any, tuple[int, ...]]:
    """Return the input of global pooling, its dtype and the sizes of all of its spatial axes."""
    x, dtype = dtypes.sweep_operand(input, "input")
    return x, dtype, arguments.pooled_sizes(x.shape, arguments.check_some_axes(x.ndim))


def global_max_pool(input: object, out: Any) -> AnyArray:
    """Return the maximum of every plane."""
    x, _, sizes = global_input(input)
    result: AnyArray = adaptive_max_pool(len(sizes), _as_given(x, input), 1, False, out)
    return result


def global_max_pool_gradient(grad_output: object, input: object, out: Any) -> AnyArray:
    """Return the gradient of the input of :func:`global_max_pool`."""
    x, _, sizes = global_input(input)
    given = _as_given(x, input)
    return adaptive_max_pool_gradient(len(sizes), grad_output, given, 1, None, out)


def global_avg_pool(input: object, out: Any) -> AnyArray:
    """Return the average of every plane."""
    x, _, sizes = global_input(input)
    return adaptive_avg_pool(len(sizes), _as_given(x, input), 1, out)


def global_avg_pool_gradient(grad_output: object, input: object, out: Any) -> AnyArray:
    """Return the gradient of the input of :func:`global_avg_pool`."""
    x, _, sizes = global_input(input)
    return adaptive_avg_pool_gradient(len(sizes), grad_output, _as_given(x, input), 1, out)


def _as_given(x: AnyArray, input: object) -> object:
    """The operand, unless it was converted to another type: the result has the given one's."""
    return input if x.dtype != np.asarray(input).dtype else x
