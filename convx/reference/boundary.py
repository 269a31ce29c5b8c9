"""What lies beyond the edges of an array.

Every padding mode is a map from positions to samples: position ``i`` of the endless line, where
``0 <= i < size`` is the array itself, shows the sample ``pad_indices(...)`` names there. Padding
follows the map, and its adjoint walks the map backwards.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["pad", "pad_indices", "unpad"]


def pad_indices(size: int, low: int, high: int, mode: str) -> NDArray[np.intp]:
    """Name the sample seen at each position ``-low, ..., size + high - 1`` of one axis.

    Parameters
    ----------
    size : int
        Number of samples, at least 1.
    low, high : int
        Samples to add before and after; negative numbers crop instead.
    mode : {'zeros', 'reflect', 'symmetric', 'replicate', 'circular'}
        In the words of `numpy.pad`: 'constant', 'reflect', 'symmetric', 'edge', 'wrap'.

    Returns
    -------
    ndarray of intp, shape (low + size + high,)
        Indices in ``0, ..., size - 1``, or -1 where the mode puts a zero.

    Notes
    -----
    'circular' repeats the samples with period ``size``, 'symmetric' the samples and their mirror
    image with period ``2 * size``, and 'reflect' the same without showing the two edges twice,
    with period ``2 * size - 2``. Remainders make all of them as wide as one likes. What one side
    shows comes from the whole axis, even if the other side is cropped.

    Examples
    --------
    >>> for mode in ("zeros", "replicate", "circular", "symmetric", "reflect"):
    ...     print(pad_indices(3, 2, 4, mode), mode)
    [-1 -1  0  1  2 -1 -1 -1 -1] zeros
    [0 0 0 1 2 2 2 2 2] replicate
    [1 2 0 1 2 0 1 2 0] circular
    [1 0 0 1 2 2 1 0 0] symmetric
    [2 1 0 1 2 1 0 1 2] reflect
    >>> pad_indices(5, -1, -2, "zeros")
    array([1, 2])
    """
    position = np.arange(-low, size + high)
    match mode:
        case "zeros":  # 0 0 | a b c | 0 0
            return np.where((position >= 0) & (position < size), position, -1)
        case "replicate":  # a a | a b c | c c
            return position.clip(0, size - 1)
        case "circular":  # b c | a b c | a b
            return position % size
        case "symmetric":  # b a | a b c | c b
            there = position % (2 * size)
            return np.minimum(there, 2 * size - 1 - there)
        case "reflect":  # c b | a b c | b a
            period = max(2 * size - 2, 1)  # a lone sample has no neighbour to show: it repeats
            there = position % period
            return np.minimum(there, period - there)
    raise ValueError(
        "padding_mode must be 'zeros', 'reflect', 'symmetric', 'replicate' or 'circular', "
        f"got {mode!r}"
    )


def pad(array: NDArray[Any], pads: Iterable[tuple[int, int]], mode: str = "zeros") -> NDArray[Any]:
    """Extend (or crop) the trailing axes of an array.

    Parameters
    ----------
    array : ndarray
        Array of any shape.
    pads : iterable of (low, high)
        One pair for each of the last ``len(pads)`` axes.
    mode : str, default 'zeros'
        See `pad_indices`.

    Returns
    -------
    ndarray
        ``padded[..., i] = array[..., pad_indices(size, low, high, mode)[i]]`` along each axis,
        or 0 where that index is -1.

    Examples
    --------
    >>> pad(np.array([[1, 2, 3], [4, 5, 6]]), [(0, 1), (2, 0)], "reflect")
    array([[3, 2, 1, 2, 3],
           [6, 5, 4, 5, 6],
           [3, 2, 1, 2, 3]])
    """
    pads = list(pads)
    for axis, (low, high) in enumerate(pads, array.ndim - len(pads)):
        index = pad_indices(array.shape[axis], low, high, mode)
        zero = np.zeros_like(array, shape=(*array.shape[:axis], 1, *array.shape[axis + 1 :]))
        # The zero goes last, so that the index -1 finds it.
        array = np.concatenate([array, zero], axis).take(index, axis)
    return array


def unpad(
    padded: NDArray[Any],
    size: Sequence[int],
    pads: Iterable[tuple[int, int]],
    mode: str = "zeros",
) -> NDArray[Any]:
    """Give every sample the sum of its copies: the adjoint of `pad`.

    For all arrays ``x`` and ``y`` of fitting shapes, ``sum(pad(x) * y) == sum(x * unpad(y))``.
    With zeros that means cropping; the other modes fold the halo back to where it came from.

    Parameters
    ----------
    padded : ndarray
        Array with the shape that `pad` returns.
    size : sequence of int
        Length of each of the trailing axes before padding.
    pads : iterable of (low, high)
        One pair for each of those axes.
    mode : str, default 'zeros'
        See `pad_indices`.

    Returns
    -------
    ndarray
        ``array[..., j] = sum of padded[..., i] over the i with index[i] == j``, axis by axis.

    Examples
    --------
    >>> unpad(np.array([1, 2, 3, 4, 5, 6]), [3], [(1, 2)], "zeros")
    array([2, 3, 4])
    >>> unpad(np.array([1, 2, 3, 4, 5, 6]), [3], [(1, 2)], "replicate")
    array([ 3,  3, 15])
    """
    for axis, (n, (low, high)) in enumerate(zip(size, pads, strict=True), padded.ndim - len(size)):
        index = pad_indices(n, low, high, mode)
        copies = np.moveaxis(padded, axis, 0)
        # One place more than there are samples: what the index -1 adds there is thrown away.
        total = np.zeros_like(copies, shape=(n + 1, *copies.shape[1:]))
        np.add.at(total, index, copies)
        padded = np.moveaxis(total[:-1], 0, axis)
    return padded
