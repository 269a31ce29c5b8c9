"""Correlations in plain NumPy, of what has no kernel: Python objects and extended precision."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from convx._engine import boundary
from convx._engine.dtypes import AnyArray
from convx._ops.filters import Pads, output_shape

# Multiply-adds of extended precision from which transforms of the whole arrays are faster.
MANY = 10**7


def correlate(
    x: AnyArray,
    kernel: AnyArray,
    axes: tuple[int, ...],
    pads: Pads,
    borders: tuple[str, ...],
    constant: object,
) -> AnyArray:
    """Correlate as `filters.correlate` does, without strides and dilation.

    ``x`` and the kernel have the same number of axes; those which are not filtered are broadcast.
    """
    if any(border != "zeros" for border in borders):
        x, pads = _padded(x, axes, pads, borders, constant), ((0, 0),) * len(axes)
    sizes = [kernel.shape[axis] for axis in axes]
    shape = list(output_shape(x.shape, sizes, axes, pads))
    for axis in set(range(x.ndim)) - set(axes):
        shape[axis] = max(shape[axis], kernel.shape[axis])
    dtype = np.result_type(x, kernel)
    if dtype.kind != "O" and math.prod(shape) * math.prod(sizes) > MANY:
        return _transformed(x, kernel, axes, pads, shape)
    result = np.zeros(shape, dtype)
    for tap in np.ndindex(*sizes):
        where = [slice(None)] * x.ndim
        read, written = list(where), list(where)
        for axis, place, (low, _) in zip(axes, tap, pads):
            first = max(low - place, 0)
            last = min(shape[axis], x.shape[axis] + low - place)
            written[axis] = slice(first, max(first, last))
            read[axis] = slice(first + place - low, max(first, last) + place - low)
            where[axis] = slice(place, place + 1)
        result[tuple(written)] += x[tuple(read)] * kernel[tuple(where)]
    return result


def _padded(
    x: AnyArray, axes: tuple[int, ...], pads: Pads, borders: tuple[str, ...], constant: object
) -> AnyArray:
    for axis, (low, high), border in zip(axes, pads, borders):
        size = x.shape[axis]
        source = boundary.sources_of(border, np.arange(-low, size + high), size)
        x = np.take(x, source, axis)
        outside = [slice(None)] * x.ndim
        outside[axis] = source < 0  # type: ignore[call-overload]
        x[tuple(outside)] = constant
    return x


def _transformed(
    x: AnyArray, kernel: AnyArray, axes: tuple[int, ...], pads: Pads, shape: list[int]
) -> AnyArray:
    """Correlate by Fourier transforms of the whole arrays, in their own precision."""
    full = [x.shape[axis] + kernel.shape[axis] - 1 for axis in axes]
    points = [_smooth(size) for size in full]
    is_complex = np.result_type(x, kernel).kind == "c"
    forward: Any = np.fft.fftn if is_complex else np.fft.rfftn
    backward: Any = np.fft.ifftn if is_complex else np.fft.irfftn
    spectrum = forward(x, points, axes) * forward(np.flip(kernel, axes), points, axes)
    whole = backward(spectrum, points, axes)
    result = np.zeros(shape, np.result_type(x, kernel))
    written, read = [slice(None)] * x.ndim, [slice(None)] * x.ndim
    for axis, size, (low, _) in zip(axes, full, pads):
        start = kernel.shape[axis] - 1 - low
        first, last = max(-start, 0), min(shape[axis], size - start)
        written[axis], read[axis] = slice(first, last), slice(first + start, last + start)
    result[tuple(written)] = whole[tuple(read)]
    return result


def _smooth(least: int) -> int:
    """Return the smallest number of points from ``least`` on without a prime factor above 5."""
    return min(_products(least))


def _products(least: int) -> Iterator[int]:
    for threes in range(least.bit_length()):
        for fives in range(least.bit_length()):
            odd = 3**threes * 5**fives
            yield odd << max((-(-least // odd) - 1).bit_length(), 0)
            if odd >= least:
                break
