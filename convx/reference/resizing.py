"""Resizing: the value between pixels, pixel by pixel."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["interpolate", "resize_matrix"]


def _cubic(a: float) -> Callable[[float], float]:
    def kernel(x: float) -> float:
        x = abs(x)
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0

    return kernel


def _triangle(x: float) -> float:
    return max(1 - abs(x), 0.0)


def resize_matrix(
    size: int,
    wanted: int,
    mode: str,
    align_corners: bool = False,
    scale: float | None = None,
    antialias: bool = False,
) -> NDArray[Any]:
    """Return the matrix, of shape (wanted, size), that resizes one axis.

    Parameters
    ----------
    size, wanted : int
        Samples that there are, and samples to be made.
    mode : {'nearest', 'nearest-exact', 'linear', 'cubic', 'area'}
    align_corners : bool
        Whether the middles of the first and last samples stay in place, or their outer edges.
    scale : float, optional
        New samples to an old one, if that is not ``wanted / size``.
    antialias : bool
        Whether the kernel is stretched where the axis shrinks.

    Examples
    --------
    >>> resize_matrix(2, 4, "linear")
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]])
    >>> resize_matrix(3, 2, "area")
    array([[0.5, 0.5, 0. ],
           [0. , 0.5, 0.5]])
    """
    if align_corners:
        step = (size - 1) / (wanted - 1) if wanted > 1 else 0.0
    else:
        step = size / wanted if scale is None else 1 / scale
    matrix = np.zeros((wanted, size))
    for j, row in enumerate(matrix):
        middle = j * step if align_corners else (j + 0.5) * step - 0.5
        if mode == "nearest":
            row[min(math.floor(j * step), size - 1)] = 1
        elif mode == "nearest-exact":
            row[min(math.floor((j + 0.5) * step), size - 1)] = 1
        elif mode == "area":
            first, end = j * size // wanted, -(-(j + 1) * size // wanted)
            row[first:end] = 1 / (end - first)
        elif size == wanted:
            row[j] = 1
        elif antialias:
            _smooth(row, (j + 0.5) * step, max(step, 1.0), mode)
        else:
            _sample(row, middle, mode)
    return matrix


def _sample(row: NDArray[Any], middle: float, mode: str) -> None:
    """Weights of the samples around a coordinate; the first and last go on beyond the edges."""
    last = len(row) - 1
    if mode == "linear":
        middle = min(max(middle, 0), last)
    left = min(math.floor(middle), last)
    share = min(max(middle - left, 0.0), 1.0)
    kernel, reach = (_triangle, 1) if mode == "linear" else (_cubic(-0.75), 2)
    for place in range(left - reach + 1, left + reach + 1):
        row[min(max(place, 0), last)] += kernel(share - (place - left))


def _smooth(row: NDArray[Any], centre: float, stretch: float, mode: str) -> None:
    """Weights of all samples under a kernel stretched so, which sum up to 1."""
    kernel, reach = (_triangle, 1) if mode == "linear" else (_cubic(-0.5), 2)
    first = max(int(centre - reach * stretch + 0.5), 0)
    end = min(int(centre + reach * stretch + 0.5), len(row))
    for place in range(first, end):
        row[place] = kernel((place + 0.5 - centre) / stretch)
    row /= row.sum()


def interpolate(
    x: NDArray[Any],
    sizes: Sequence[int],
    mode: str,
    align_corners: bool = False,
    scales: Sequence[float | None] | None = None,
    antialias: bool = False,
) -> NDArray[Any]:
    """Resize the spatial axes of ``x``, (N, C, *spatial), by a matrix for each of them.

    Examples
    --------
    >>> interpolate(np.array([[[0.0, 4.0, 8.0]]]), [6], "linear")
    array([[[0., 1., 3., 5., 7., 8.]]])
    """
    for axis, wanted in enumerate(sizes):
        scale = None if scales is None else scales[axis]
        size = x.shape[2 + axis]
        matrix = resize_matrix(size, wanted, mode, align_corners, scale, antialias)
        x = np.moveaxis(np.tensordot(matrix, x, (1, 2 + axis)), 0, 2 + axis)
    return x
