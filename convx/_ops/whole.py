"""Fourier transforms of whole arrays, by NumPy: for two arrays that are both large."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from convx._engine.dtypes import AnyArray


def correlate(
    x: AnyArray,
    kernel: AnyArray,
    axes: tuple[int, ...],
    pads: Sequence[tuple[int, int]],
    shape: tuple[int, ...],
) -> AnyArray:
    """Correlate arrays of the same rank along some axes, with zeros around, in their precision.

    Other axes are broadcast to what ``shape`` has, which is that of the result.
    """
    full = [x.shape[axis] + kernel.shape[axis] - 1 for axis in axes]
    points = [smooth(size) for size in full]
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


def smooth(least: int) -> int:
    """Return the smallest number of points from ``least`` on without a prime factor above 5."""
    return min(_products(least))


def _products(least: int) -> Iterator[int]:
    for threes in range(least.bit_length()):
        for fives in range(least.bit_length()):
            odd = 3**threes * 5**fives
            yield odd << max((-(-least // odd) - 1).bit_length(), 0)
            if odd >= least:
                break
