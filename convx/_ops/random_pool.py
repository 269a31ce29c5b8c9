"""Pooling that draws: fractional maxima and stochastic pooling, and their gradients."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from convx._engine import arguments, sweeps
from convx._engine.dtypes import AnyArray
from convx._engine.pool_windows import PoolAxis
from convx._ops import pool, pool_tables, scattering

# kernel_size, output_size, output_ratio, _random_samples, rng
Fractional = tuple[object, object, object, object, object]


def _fractional(axes: int, input: object, given: Fractional) -> Any:
    """Return the input, and windows of which every plane has its own."""
    kernel_size, output_size, output_ratio, samples, rng = given
    x, dtype, sizes = pool.pool_input(input, axes)
    kernel = arguments.per_axis(kernel_size, axes, "kernel_size", 1)
    outputs = arguments.fractional_sizes(sizes, kernel, output_size, output_ratio)
    batch, channels = (1, *x.shape[:-axes])[-2:]
    if samples is None:
        drawn = arguments.generator(rng).random((batch, channels, axes))
    else:
        drawn = arguments.random_samples(np.asarray(samples), batch, channels, axes)
    # PyTorch computes with the samples in the input's type
    drawn = drawn.astype(x.dtype, copy=False)
    tables = []
    for axis, (size, k, count) in enumerate(zip(sizes, kernel, outputs)):
        # as in PyTorch, where for two axes alone the last axis has the first sample
        sample = axes - 1 - axis if axes == 2 else axis
        start = _starts(drawn[..., sample].reshape(-1, 1), size, k, count)
        tables.append(PoolAxis(size, count, start, np.full(start.shape, k), tables_stride=count))
    return x, dtype, outputs, pool.fractional_pooling(tables)


def _starts(samples: AnyArray, size: int, kernel: int, outputs: int) -> AnyArray:
    """Where windows begin: steps of a real number are cut to whole ones, the last is at the end."""
    places = np.arange(outputs, dtype=samples.dtype)
    start = np.full((samples.shape[0], outputs), size - kernel, np.int64)
    if outputs > 1:
        step = samples.dtype.type(size - kernel) / samples.dtype.type(outputs - 1)
        moved = ((places + samples) * step).astype(np.int64) - (samples * step).astype(np.int64)
        start[:, :-1] = moved[:, :-1]
    return np.clip(start, 0, size - kernel)


def fractional_max_pool(
    axes: int, input: object, given: Fractional, return_indices: object, out: Any
) -> Any:
    """Return maxima of windows at random places, and their indices if these are wanted."""
    with_indices = arguments.flag(return_indices, "return_indices")
    x, dtype, outputs, pooling = _fractional(axes, input, given)
    return pool.run(pooling, x, dtype, outputs, out, with_indices)[0]


def fractional_max_pool_gradient(
    axes: int, grad_output: object, input: object, given: Fractional, indices: object, out: Any
) -> AnyArray:
    """Return the gradient of the input of fractional maximum pooling."""
    x, dtype, outputs, pooling = _fractional(axes, input, given)
    return pool.gradient_of_maxima(pooling, grad_output, x, dtype, outputs, indices, out)[0]


def _stochastic(axes: int, input: object, given: pool.Given) -> Any:
    x, dtype, sizes = pool.pool_input(input, axes)
    windows = tuple(arguments.pooling(sizes, *given))
    pool_tables.check_output(x.shape, windows, dtype.itemsize)
    arguments.check_activations(x)
    return x, dtype, windows


def _taps(x: AnyArray, windows: Sequence[tuple[Any, int]]) -> Any:
    """Yield, tap by tap in the order of the window, values of all windows and their indices.

    Beyond the axes there are zeros, whose index is -1.
    """
    axes = len(windows)
    pads, steps = [(0, 0)] * (x.ndim - axes), []
    for window, outputs in windows:
        stride = window.stride if outputs > 1 else 1
        end = (outputs - 1) * stride + window.extent
        pads.append((window.pad_low, max(0, end - window.pad_low - window.size)))
        steps.append((window, outputs, stride))
    padded = np.pad(x, pads)
    plane = np.arange(np.prod(x.shape[-axes:], dtype=np.int64)).reshape(x.shape[-axes:])
    indices = np.pad(plane, pads[-axes:], constant_values=-1)
    for taps in itertools.product(*(range(window.kernel) for window, _, _ in steps)):
        place: tuple[Any, ...] = tuple(
            slice(tap * window.dilation, tap * window.dilation + (outputs - 1) * stride + 1, stride)
            for tap, (window, outputs, stride) in zip(taps, steps)
        )
        yield padded[(..., *place)], indices[place]


def _draw(x: AnyArray, windows: Sequence[tuple[Any, int]], rng: object) -> Any:
    """Return the values that are drawn, with the probability of their shares, and their indices."""
    shape = (*x.shape[: -len(windows)], *pool_tables.outputs_of(windows))
    total = np.zeros(shape, x.dtype)
    for value, _ in _taps(x, windows):
        total += value
    left = arguments.generator(rng).random(shape) * total
    result, places = np.zeros_like(total), np.full(shape, -1)
    undrawn = np.ones(shape, bool)
    for value, index in _taps(x, windows):
        # of a window of zeros the first one is drawn, as rounding may leave a last one to be
        candidate = undrawn & (index >= 0) & ((value > 0) | (places < 0))
        np.copyto(result, value, where=candidate)
        np.copyto(places, index, where=candidate)
        undrawn &= ~((left < value) & (value > 0))
        left -= value
    return np.where(np.isnan(total), total, result), places


def stochastic_pool(
    axes: int, input: object, given: pool.Given, training: object, rng: object, out: Any
) -> AnyArray:
    """Return values drawn by their share of a window's sum, or their mean with these weights."""
    drawing = arguments.flag(training, "training")
    x, dtype, windows = _stochastic(axes, input, given)
    result = _draw(x, windows, rng)[0] if drawing else _expected(x, windows)[0]
    sweeps.new_result(out, result.shape, dtype, x)
    return sweeps.deliver(result, dtype, out)


def _expected(x: AnyArray, windows: tuple[Any, ...]) -> tuple[AnyArray, AnyArray]:
    """Return means weighted by the values themselves, and the sums of the values."""
    total = pool.sums(x, windows)
    with np.errstate(all="ignore"):
        mean = np.where(total == 0, 0, pool.sums(np.square(x), windows) / total)
    return mean, total


def stochastic_pool_gradient(
    axes: int,
    grad_output: object,
    input: object,
    given: pool.Given,
    training: object,
    rng: object,
    out: Any,
) -> AnyArray:
    """Return the gradient of the input: through the values drawn, or through the weighted mean."""
    drawing = arguments.flag(training, "training")
    x, dtype, windows = _stochastic(axes, input, given)
    shape = (*x.shape[:-axes], *pool_tables.outputs_of(windows))
    grad = pool.gradient_operand(grad_output, shape, dtype, "of the output")
    if drawing:
        places = _draw(x, windows, rng)[1]
        return scattering.scatter("add", grad, places, x.shape, axes, dtype, out, -1)
    mean, total = _expected(x, windows)
    with np.errstate(all="ignore"):
        share = np.where(total == 0, 0, grad / total).astype(x.dtype, copy=False)
    direct = pool.spread_sums(share, x.shape, windows)
    through = pool.spread_sums((share * mean).astype(x.dtype, copy=False), x.shape, windows)
    sweeps.new_result(out, x.shape, dtype, x)
    return sweeps.deliver(2 * x * direct - through, dtype, out)
