"""Windows as columns, their sums, and shuffles."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx.reference.boundary import pad, unpad

__all__ = ["channel_shuffle", "fold", "pixel_shuffle", "pixel_unshuffle", "unfold"]


def _windows(
    sizes: Sequence[int],
    kernel: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """All taps of a window, and all its positions, in C order."""
    outputs = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(sizes, kernel, dilation, padding, stride, strict=True)
    ]
    return list(np.ndindex(*kernel)), list(np.ndindex(*outputs))


def unfold(
    x: NDArray[Any],
    kernel: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> NDArray[Any]:
    """Lay out every window of ``x``, shape (N, C, *sizes), as a column.

    Every option has one entry for each axis.

    Returns
    -------
    ndarray, shape (N, C * taps, positions)
        ``columns[n, (c, t), p] = padded[n, c, p * stride + t * dilation]``.

    Examples
    --------
    >>> unfold(np.array([[[1, 2, 3, 4]]]), [2], [1], [0], [1])
    array([[[1, 2, 3],
            [2, 3, 4]]])
    """
    taps, positions = _windows(x.shape[2:], kernel, dilation, padding, stride)
    padded = pad(x, [(p, p) for p in padding])
    columns = np.empty((*x.shape[:2], len(taps), len(positions)), x.dtype)
    for t, tap in enumerate(taps):
        for p, position in enumerate(positions):
            where = np.multiply(position, stride) + np.multiply(tap, dilation)
            columns[:, :, t, p] = padded[:, :, *where]
    return columns.reshape(len(x), -1, len(positions))


def fold(
    columns: NDArray[Any],
    sizes: Sequence[int],
    kernel: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> NDArray[Any]:
    """Add every column to its window in an array of zeros: the adjoint of `unfold`.

    Examples
    --------
    >>> fold(np.array([[[1, 2, 3], [20, 30, 40]]]), [4], [2], [1], [0], [1])
    array([[[ 1, 22, 33, 40]]])
    """
    taps, positions = _windows(sizes, kernel, dilation, padding, stride)
    columns = columns.reshape(len(columns), -1, len(taps), len(positions))
    padded = np.zeros(
        (*columns.shape[:2], *(n + 2 * p for n, p in zip(sizes, padding, strict=True))),
        columns.dtype,
    )
    for t, tap in enumerate(taps):
        for p, position in enumerate(positions):
            where = np.multiply(position, stride) + np.multiply(tap, dilation)
            padded[:, :, *where] += columns[:, :, t, p]
    return unpad(padded, sizes, [(p, p) for p in padding])


def pixel_shuffle(x: NDArray[Any], factor: int) -> NDArray[Any]:
    """Make tiles of ``factor`` by ``factor`` pixels of the channels of ``x``, (N, C, H, W).

    Examples
    --------
    >>> pixel_shuffle(np.arange(4).reshape(1, 4, 1, 1), 2)
    array([[[[0, 1],
             [2, 3]]]])
    """
    n, c, h, w = x.shape
    y = np.empty((n, c // factor**2, h * factor, w * factor), x.dtype)
    for i, j in np.ndindex(factor, factor):
        y[:, :, i::factor, j::factor] = x[:, i * factor + j :: factor**2]
    return y


def pixel_unshuffle(x: NDArray[Any], factor: int) -> NDArray[Any]:
    """Make channels of the tiles: the way back of `pixel_shuffle`.

    Examples
    --------
    >>> pixel_unshuffle(np.arange(4).reshape(1, 1, 2, 2), 2).ravel()
    array([0, 1, 2, 3])
    """
    n, c, h, w = x.shape
    y = np.empty((n, c * factor**2, h // factor, w // factor), x.dtype)
    for i, j in np.ndindex(factor, factor):
        y[:, i * factor + j :: factor**2] = x[:, :, i::factor, j::factor]
    return y


def channel_shuffle(x: NDArray[Any], groups: int) -> NDArray[Any]:
    """Take the first channel of each group of ``x``, (N, C, ...), then the second of each, ...

    Examples
    --------
    >>> channel_shuffle(np.arange(6).reshape(1, 6), 3)
    array([[0, 2, 4, 1, 3, 5]])
    """
    within = x.shape[1] // groups
    return x[:, [group * within + i for i in range(within) for group in range(groups)]]
