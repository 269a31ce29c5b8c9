"""The activations that a prepared convolution may end with, as PyTorch defines them.

NaN stays NaN. Where a definition has no value at an infinity, as infinity times zero, the limit
stands there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["activate"]


def activate(
    x: NDArray[Any], activation: str | None = None, negative_slope: float = 0.01
) -> NDArray[Any]:
    """Apply an activation to every element.

    Parameters
    ----------
    x : ndarray
    activation : str, optional
        ===============  ===========================================
        None             ``x``
        'relu'           ``x`` where x > 0, else 0
        'relu6'          the same, at most 6
        'leaky_relu'     ``x`` where x > 0, else ``negative_slope * x``
        'hardswish'      ``x * relu6(x + 3) / 6``
        'sigmoid'        ``1 / (1 + exp(-x))``
        'silu'           ``x * sigmoid(x)``
        'tanh'           the hyperbolic tangent
        ===============  ===========================================
    negative_slope : float, default 0.01

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
    if activation == "relu":
        return np.where(x < 0, 0, x)
    if activation == "relu6":
        return np.where(x > 6, 6, np.where(x < 0, 0, x))
    if activation == "leaky_relu":
        return np.where(x > 0, x, x.dtype.type(negative_slope) * x)
    if activation == "hardswish":
        inside = np.clip(x, -3, 3)
        return np.where(x > 3, x, inside * (inside + 3) / 6)
    if activation == "sigmoid":
        return _logistic(x, np.ones_like(x))
    if activation == "silu":
        return _logistic(x, np.maximum(x, np.finfo(x.dtype).min))
    return np.tanh(x) if activation == "tanh" else x


def _logistic(x: NDArray[Any], factor: NDArray[Any]) -> NDArray[Any]:
    """``factor / (1 + exp(-x))``, without an exponential that overflows."""
    small = np.exp(-abs(x))
    result: NDArray[Any] = factor * np.where(x < 0, small, 1) / (1 + small)
    return result
