"""Activations and softmax as PyTorch defines them, and their derivatives.

NaN stays NaN. Where a definition has no value at an infinity, as infinity times zero, the limit
stands there.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["activate", "derivative", "softmax", "softmax_gradient"]

Array = NDArray[Any]


def activate(
    x: Array, activation: str | None = None, negative_slope: float = 0.01, **options: float
) -> Array:
    """Apply an activation to every element.

    Parameters
    ----------
    x : ndarray
    activation : str, optional
        ===============  ==================================================================
        None             ``x``
        'relu'           ``x`` where x > 0, else 0
        'relu6'          the same, at most 6
        'hardtanh'       ``x``, at least `min_val` (-1) and at most `max_val` (1)
        'leaky_relu'     ``x`` where x > 0, else ``negative_slope * x``
        'elu'            ``x`` where x > 0, else ``alpha * (exp(x) - 1)``; `alpha` is 1
        'celu'           the same with ``exp(x / alpha)``
        'selu'           1.0507009873554805 times the elu with alpha = 1.6732632423543772
        'hardsigmoid'    ``relu6(x + 3) / 6``
        'hardswish'      ``x * relu6(x + 3) / 6``
        'sigmoid'        ``1 / (1 + exp(-x))``
        'silu'           ``x * sigmoid(x)``
        'tanh'           the hyperbolic tangent
        'logsigmoid'     ``log(sigmoid(x))``
        'softplus'       ``log(1 + exp(beta x)) / beta`` where ``beta x <= threshold``, else x;
                         `beta` is 1, `threshold` 20
        'mish'           ``x * tanh(softplus(x))``
        'gelu'           ``x`` times the share of the normal distribution that lies below x
        'gelu_tanh'      ``x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x**3))) / 2``
        ===============  ==================================================================
    negative_slope : float, default 0.01
    **options : float
        The numbers that the table names in backquotes.

    Returns
    -------
    ndarray, of the shape and dtype of `x`

    Examples
    --------
    >>> activate(np.array([-2.0, 0.0, 8.0]), "relu6")
    array([0., 0., 6.])
    >>> activate(np.array([-2.0, 0.0, 8.0]), "leaky_relu")
    array([-0.02,  0.  ,  8.  ])
    """
    if activation is None:
        return x
    if activation == "leaky_relu":
        options["negative_slope"] = negative_slope
    with np.errstate(all="ignore"):
        return _as(x, FUNCTIONS[activation](x, **options))


def derivative(x: Array, activation: str, negative_slope: float = 0.01, **options: float) -> Array:
    """Return the derivative of an activation at every element, with the options of the other.

    At a corner it is that of the side where the function is flatter.

    Examples
    --------
    >>> derivative(np.array([-2.0, 0.0, 8.0]), "relu")
    array([0., 0., 1.])
    >>> derivative(np.array([0.0]), "sigmoid")
    array([0.25])
    """
    if activation == "leaky_relu":
        options["negative_slope"] = negative_slope
    with np.errstate(all="ignore"):
        return _as(x, DERIVATIVES[activation](x, **options))


def softmax(x: Array, axis: int, logarithm: bool = False) -> Array:
    """Return ``exp(x) / sum(exp(x))`` along an axis, or its logarithm.

    Examples
    --------
    >>> softmax(np.array([0.0, 0.0]), 0)
    array([0.5, 0.5])
    """
    with np.errstate(all="ignore"):
        below = x - x.max(axis, keepdims=True)
        total = np.exp(below).sum(axis, keepdims=True)
        result: Array = below - np.log(total) if logarithm else np.exp(below) / total
    return result


def softmax_gradient(dy: Array, x: Array, axis: int, logarithm: bool = False) -> Array:
    """Return the gradient of the argument of a softmax, or of its logarithm.

    Examples
    --------
    >>> softmax_gradient(np.array([1.0, 0.0]), np.array([0.0, 0.0]), 0)
    array([ 0.25, -0.25])
    """
    y = softmax(x, axis)
    total = (dy if logarithm else y * dy).sum(axis, keepdims=True)
    result: Array = dy - y * total if logarithm else y * (dy - total)
    return result


def _as(x: Array, values: Any) -> Array:
    return np.asarray(values, x.dtype)


def _sigmoid(x: Array) -> Array:
    """``1 / (1 + exp(-x))``, without an exponential that overflows."""
    small = np.exp(-abs(x))
    result: Array = np.where(x < 0, small, 1) / (1 + small)
    return result


def _softplus(x: Array, beta: float = 1, threshold: float = 20) -> Array:
    scaled = x * beta
    curved = (np.maximum(scaled, 0) + np.log1p(np.exp(-abs(scaled)))) / beta
    return np.where(scaled > threshold, x, curved)


def _elu(x: Array, alpha: float = 1, rate: float = 1, scale: float = 1) -> Array:
    return np.where(x < 0, alpha * np.expm1(rate * x), scale * x)


def _elu_derivative(x: Array, alpha: float = 1, rate: float = 1, scale: float = 1) -> Array:
    return np.where(x > 0, scale, alpha * rate * np.exp(rate * x))


def _share_below(x: Array) -> Array:
    """The share of the normal distribution that lies below x."""
    below = np.vectorize(lambda one: math.erfc(-one / math.sqrt(2)) / 2, otypes=[np.float64])
    result: Array = below(x).astype(x.dtype)
    return result


def _density(x: Array) -> Array:
    result: Array = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return result


def _times(x: Array, factor: Array) -> Array:
    """The product, where a factor of 0 prevails over infinity."""
    return np.where((factor == 0) & ~np.isnan(x), 0, x * factor)


def _between(x: Array, low: float, high: float, inside: Any) -> Array:
    return np.where((x > low) & (x < high), inside, 0)


def _mish_factor(x: Array) -> Array:
    return np.tanh(_softplus(x, threshold=math.inf))


def _bent(x: Array) -> Array:
    """What the tanh in the approximation of gelu is taken of."""
    result: Array = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
    return result


def _bent_derivative(x: Array) -> Array:
    result: Array = math.sqrt(2 / math.pi) * (1 + 0.134145 * x * x)
    return result


SELU = (1.0507009873554805 * 1.6732632423543772, 1.0, 1.0507009873554805)

FUNCTIONS: dict[str, Callable[..., Array]] = {
    "relu": lambda x: np.where(x < 0, 0, x),
    "relu6": lambda x: np.where(x > 6, 6, np.where(x < 0, 0, x)),
    "hardtanh": lambda x, min_val=-1, max_val=1: np.clip(x, min_val, max_val),
    "leaky_relu": lambda x, negative_slope: np.where(x > 0, x, x.dtype.type(negative_slope) * x),
    "elu": _elu,
    "celu": lambda x, alpha=1: _elu(x, alpha, 1 / alpha),
    "selu": lambda x: _elu(x, *SELU),
    "hardsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hardswish": lambda x: np.where(x > 3, x, np.clip(x, -3, 3) * (np.clip(x, -3, 3) + 3) / 6),
    "sigmoid": _sigmoid,
    "silu": lambda x: _times(x, _sigmoid(x)),
    "tanh": np.tanh,
    "logsigmoid": lambda x: np.minimum(x, 0) - np.log1p(np.exp(-abs(x))),
    "softplus": _softplus,
    "mish": lambda x: _times(x, _mish_factor(x)),
    "gelu": lambda x: _times(x, _share_below(x)),
    "gelu_tanh": lambda x: _times(x, _sigmoid(2 * _bent(x))),
}

DERIVATIVES: dict[str, Callable[..., Array]] = {
    "relu": lambda x: np.where(x <= 0, 0, 1),
    "relu6": lambda x: _between(x, 0, 6, 1),
    "hardtanh": lambda x, min_val=-1, max_val=1: _between(x, min_val, max_val, 1),
    "leaky_relu": lambda x, negative_slope: np.where(x > 0, 1, negative_slope),
    "elu": _elu_derivative,
    "celu": lambda x, alpha=1: _elu_derivative(x, alpha, 1 / alpha),
    "selu": lambda x: _elu_derivative(x, *SELU),
    "hardsigmoid": lambda x: _between(x, -3, 3, 1 / 6),
    "hardswish": lambda x: np.where(x >= 3, 1, np.where(x <= -3, 0, x / 3 + 0.5)),
    "sigmoid": lambda x: _sigmoid(x) * _sigmoid(-x),
    "silu": lambda x: _sigmoid(x) + _times(x, _sigmoid(x) * _sigmoid(-x)),
    "tanh": lambda x: 4 * _sigmoid(2 * x) * _sigmoid(-2 * x),
    "logsigmoid": lambda x: _sigmoid(-x),
    "softplus": lambda x, beta=1, threshold=20: np.where(
        x * beta > threshold, 1, _sigmoid(x * beta)
    ),
    "mish": lambda x: _mish_factor(x) + _times(x, _sigmoid(x) * (1 - _mish_factor(x) ** 2)),
    "gelu": lambda x: _share_below(x) + _times(x, _density(x)),
    "gelu_tanh": lambda x: (
        _sigmoid(2 * _bent(x))
        + _times(x * 2 * _bent_derivative(x), _sigmoid(2 * _bent(x)) * _sigmoid(-2 * _bent(x)))
    ),
}
