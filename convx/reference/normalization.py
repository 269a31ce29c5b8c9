"""Normalisations in plain NumPy: every one is a mean and a variance over some axes.

Statistics are not updated here: :func:`moments` tells what would be put into them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "moments",
    "normalize_gradient",
]

Array = NDArray[Any]


def moments(x: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Mean, and variance without Bessel's correction, with the axes kept.

    Examples
    --------
    >>> moments(np.array([1.0, 3.0]), (0,))
    (array([2.]), array([1.]))
    """
    mean = x.mean(axes, keepdims=True)
    return mean, ((x - mean) ** 2).mean(axes, keepdims=True)


def _of_channels(parameter: Array | None, ndim: int, absent: float) -> Array:
    if parameter is None:
        return np.full((1,) * ndim, absent)
    return parameter.reshape(-1, *(1,) * (ndim - 2))


def batch_norm(
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    eps: float = 1e-5,
) -> Array:
    """Normalise channels, axis 1, over all other axes, or by given statistics."""
    if training:
        mean, variance = moments(x, (0, *range(2, x.ndim)))
    else:
        mean, variance = (_of_channels(one, x.ndim, 0) for one in (running_mean, running_var))
    normalised = (x - mean) / np.sqrt(variance + eps)
    result: Array = normalised * _of_channels(weight, x.ndim, 1) + _of_channels(bias, x.ndim, 0)
    return result


def instance_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5
) -> Array:
    """Normalise every channel of every item."""
    return group_norm(x, x.shape[1], weight, bias, eps)


def group_norm(
    x: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """Normalise groups of channels of every item."""
    grouped = x.reshape(x.shape[0], num_groups, -1)
    mean, variance = moments(grouped, (2,))
    normalised = ((grouped - mean) / np.sqrt(variance + eps)).reshape(x.shape)
    result: Array = normalised * _of_channels(weight, x.ndim, 1) + _of_channels(bias, x.ndim, 0)
    return result


def layer_norm(
    x: Array,
    normalized_shape: Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """Normalise over the last axes.

    Examples
    --------
    >>> layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), (2,), eps=0)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    mean, variance = moments(x, tuple(range(x.ndim - len(normalized_shape), x.ndim)))
    normalised = (x - mean) / np.sqrt(variance + eps)
    result: Array = normalised * (1 if weight is None else weight) + (0 if bias is None else bias)
    return result


def normalize_gradient(dy: Array, x: Array, axes: tuple[int, ...], eps: float = 1e-5) -> Array:
    """Gradient of ``(x - mean) / sqrt(variance + eps)`` over some axes.

    Of dy there remains what is neither constant nor a multiple of the normalised x.
    """
    mean, variance = moments(x, axes)
    rescale = 1 / np.sqrt(variance + eps)
    normalised = (x - mean) * rescale
    along = (dy * normalised).mean(axes, keepdims=True)
    result: Array = rescale * (dy - dy.mean(axes, keepdims=True) - normalised * along)
    return result


def local_response_norm(
    x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Array:
    """Divide every channel by a power of the mean square of its neighbours."""
    y = np.empty_like(x)
    for channel in range(x.shape[1]):
        first = channel - size // 2
        neighbours = x[:, max(0, first) : first + size]
        mean = (neighbours**2).sum(1) / size
        y[:, channel] = x[:, channel] / (k + alpha * mean) ** beta
    return y
