"""Kinds of convolution with fewer weights: what they are as convolutions with full weights.

Each kind but the last is the convolution with one full weight that is put together from its small
ones, and this is how it is computed here. (The engine applies the small ones one after another.)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx.reference.conv import conv_nd

__all__ = [
    "depthwise_separable_conv",
    "flattened_conv",
    "shuffled_group_conv",
    "spatially_separable_conv",
]

Array = NDArray[Any]


def depthwise_separable_conv(
    input: Array,
    depthwise_weight: Array,
    pointwise_weight: Array,
    bias: Array | None = None,
    **options: Any,
) -> Array:
    """Filter each channel by itself, then mix the channels.

    ``weight[k, c, t] = sum over m of pointwise[k, c, m] * depthwise[c, m, t]``, where m counts the
    filters of channel c.

    Parameters
    ----------
    input : ndarray, shape (N, C, *size) or (C, *size)
    depthwise_weight : ndarray, shape (C * filters, 1, *kernel)
    pointwise_weight : ndarray, shape (K, C * filters, 1, …)
    bias : ndarray, shape (K,), optional
    **options
        Those of `conv_nd` but groups.

    Returns
    -------
    ndarray, as from `conv_nd`

    Examples
    --------
    >>> x, alone = np.array([[1, 2, 4], [5, 5, 8]]), np.array([[[1, 1]], [[1, -1]]])
    >>> depthwise_separable_conv(x, alone, np.array([[[1], [1]]]))
    array([[3, 3]])
    """
    kernel = depthwise_weight.shape[2:]
    channels, outputs = input.shape[-len(kernel) - 1], len(pointwise_weight)
    alone = depthwise_weight.reshape(channels, -1, *kernel)
    mixed = pointwise_weight.reshape(outputs, channels, -1)
    return conv_nd(input, np.einsum("kcm,cm...->kc...", mixed, alone), bias, **options)


def spatially_separable_conv(
    input: Array, factors: Sequence[Array], bias: Array | None = None, **options: Any
) -> Array:
    """Convolve with a kernel that is given as one factor for each axis.

    ``weight[k, c, t, …, u] = sum over m of factor[k, m, u] * before[m, c, t, …]``, where *before*
    is made of the factors before in the same way, and nothing before them is the identity.

    Parameters
    ----------
    input : ndarray, shape (N, C, *size) or (C, *size)
    factors : sequence of ndarray, each of shape (taps,), (M, taps) or (K, C/groups, taps)
    bias : ndarray, shape (K,), optional
    **options
        Those of `conv_nd` but groups.

    Returns
    -------
    ndarray, as from `conv_nd`

    Examples
    --------
    >>> image = np.array([[[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]])
    >>> spatially_separable_conv(image, [np.array([1, 2, 1]), np.array([-1, 0, 1])])
    array([[[4, 4]]])
    """
    weight = np.eye(input.shape[-len(factors) - 1], dtype=input.dtype)
    for factor in factors:
        weight = np.einsum("kmu,mc...->kc...u", _full(factor, len(weight)), weight)
    return conv_nd(input, weight, bias, **options)


def flattened_conv(
    input: Array,
    channel_weight: Array,
    factors: Sequence[Array],
    bias: Array | None = None,
    **options: Any,
) -> Array:
    """Convolve with a weight that is ``channel_weight[k, c] * factor[k, t] * another[k, u] …``.

    Parameters
    ----------
    input : ndarray, shape (N, C, *size) or (C, *size)
    channel_weight : ndarray, shape (K, C)
    factors : sequence of ndarray, each of shape (K, taps)
    bias : ndarray, shape (K,), optional
    **options
        Those of `conv_nd` but groups.

    Returns
    -------
    ndarray, as from `conv_nd`

    Examples
    --------
    >>> x = np.array([[[1, 2], [3, 4]], [[10, 20], [30, 40]]])
    >>> flattened_conv(x, np.array([[2, 1]]), [np.array([[1, -1]]), np.array([[1, 1]])])
    array([[[-48]]])
    """
    weight = channel_weight
    for factor in factors:
        weight = np.einsum("kc...,ku->kc...u", weight, factor)
    return conv_nd(input, weight, bias, **options)


def shuffled_group_conv(
    input: Array,
    first_weight: Array,
    second_weight: Array,
    bias: Array | None = None,
    groups: int = 1,
    padding_mode: str = "zeros",
    **options: Any,
) -> Array:
    """Convolve in groups, take one channel of each group in turn, convolve in groups again.

    Parameters
    ----------
    input : ndarray, shape (N, C, *size) or (C, *size)
    first_weight : ndarray, shape (M, C/groups, *kernel)
    second_weight : ndarray, shape (K, M/groups, *kernel)
    bias : ndarray, shape (K,), optional
    groups, padding_mode
        Of both convolutions.
    **options
        The other options of the first; the second keeps the size.

    Returns
    -------
    ndarray, as from `conv_nd`

    Examples
    --------
    >>> x, same = np.array([[1], [2], [4], [8]]), np.tile(np.eye(2, dtype=int), (2, 1))
    >>> shuffled_group_conv(x, same.reshape(4, 2, 1), np.ones((2, 2, 1), int), groups=2)
    array([[ 5],
           [10]])
    """
    both: dict[str, Any] = {"groups": groups, "padding_mode": padding_mode}
    between = conv_nd(input, first_weight, None, **options, **both)
    size = len(first_weight) // groups
    order = [group * size + one for one in range(size) for group in range(groups)]
    shuffled = np.take(between, order, axis=1 - first_weight.ndim)
    return conv_nd(shuffled, second_weight, bias, padding="same", **both)


def _full(factor: Array, channels: int) -> Array:
    """Weights (outputs, all channels, taps) of a factor, with zeros where groups do not mix."""
    if factor.ndim == 1:
        factor = np.tile(factor, (channels, 1))
    if factor.ndim == 2:
        factor = factor[:, None]
    outputs, size, taps = factor.shape
    full = np.zeros((outputs, channels, taps), factor.dtype)
    for k in range(outputs):
        first = k // (outputs // (channels // size)) * size
        full[k, first : first + size] = factor[k]
    return full
