"""Losses in plain NumPy, element by element: what the reduction 'none' gives."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "huber_loss",
    "l1_loss",
    "log_softmax",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "smooth_l1_loss",
]

Array = NDArray[Any]


def mse_loss(x: Array, t: Array) -> Array:
    """The squared difference."""
    return (x - t) ** 2


def l1_loss(x: Array, t: Array) -> Array:
    """The absolute difference."""
    return abs(x - t)


def smooth_l1_loss(x: Array, t: Array, beta: float = 1.0) -> Array:
    """The absolute difference, a square below beta."""
    d = abs(x - t)
    return np.where(d < beta, d**2 / (2 * beta or 1), d - beta / 2)


def huber_loss(x: Array, t: Array, delta: float = 1.0) -> Array:
    """Half the squared difference, straight beyond delta."""
    d = abs(x - t)
    return np.where(d <= delta, d**2 / 2, delta * (d - delta / 2))


def binary_cross_entropy(x: Array, t: Array) -> Array:
    """Of probabilities; logarithms are at least -100."""
    with np.errstate(divide="ignore"):
        result: Array = -t * np.maximum(np.log(x), -100) - (1 - t) * np.maximum(np.log(1 - x), -100)
    return result


def binary_cross_entropy_with_logits(x: Array, t: Array, pos_weight: Array | float = 1.0) -> Array:
    """Of logits: ``log(1 + exp(x))`` is the loss of a positive where there should be none."""
    result: Array = pos_weight * t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x)
    return result


def log_softmax(x: Array) -> Array:
    """Logarithms of the probabilities of the classes, axis 1."""
    shifted = x - x.max(1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return result


def one_hot(target: Array, classes: int) -> Array:
    """Class indices as probabilities: 1 for the class on axis 1, 0 for the others.

    Examples
    --------
    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    return np.moveaxis(np.eye(classes)[target], -1, 1)


def cross_entropy(
    x: Array, q: Array, weight: Array | None = None, label_smoothing: float = 0.0
) -> Array:
    """Between logits and probabilities of the classes, both with the classes on axis 1."""
    classes = x.shape[1]
    q = (1 - label_smoothing) * q + label_smoothing / classes
    w = np.ones(classes) if weight is None else weight
    losses: Array = -(w.reshape(-1, *(1,) * (x.ndim - 2)) * q * log_softmax(x)).sum(1)
    return losses


def nll_loss(x: Array, q: Array, weight: Array | None = None) -> Array:
    """The negative score of the class, which :func:`one_hot` tells."""
    w = np.ones(x.shape[1]) if weight is None else weight
    losses: Array = -(w.reshape(-1, *(1,) * (x.ndim - 2)) * q * x).sum(1)
    return losses
