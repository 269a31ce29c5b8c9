"""Correlations in plain NumPy, of what has no kernel: Python objects and extended precision."""

import math

import numpy as np

from convx._engine import boundary
from convx._engine.dtypes import AnyArray
from convx._ops import whole
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
        return whole.correlate(x, kernel, axes, pads, tuple(shape))
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
