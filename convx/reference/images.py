"""Windows around every element of an image, of which filters are sums, means and extrema."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["image_windows"]

# What numpy.pad calls SciPy's modes.
NUMPY_MODES = {
    "reflect": "symmetric",
    "grid-mirror": "symmetric",
    "mirror": "reflect",
    "nearest": "edge",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "constant": "constant",
    "grid-constant": "constant",
}


def image_windows(
    x: NDArray[Any],
    size: Sequence[int],
    mode: str = "reflect",
    cval: float = 0.0,
    origin: Sequence[int] | None = None,
) -> NDArray[Any]:
    """Return the window around every element, as the last axes.

    Parameters
    ----------
    x : ndarray
        The image, no axis of size 0.
    size : sequence of int
        Elements of the window along each axis.
    mode : str
        What stands beyond the border, in SciPy's words.
    cval : float
        What stands there for ``'constant'``.
    origin : sequence of int, optional
        How far the window is shifted along each axis: it begins ``size // 2 + origin`` before the
        element.

    Returns
    -------
    ndarray, shape (*x.shape, *size)
        The windows, a view of a padded copy.

    Examples
    --------
    >>> image_windows(np.arange(4), [3], "nearest")
    array([[0, 0, 1],
           [0, 1, 2],
           [1, 2, 3],
           [2, 3, 3]])
    """
    lows = [n // 2 + o for n, o in zip(size, origin or [0] * x.ndim)]
    pads = [(low, n - 1 - low) for low, n in zip(lows, size)]
    way = NUMPY_MODES[mode]
    padded = np.pad(x, pads, way, **({"constant_values": cval} if way == "constant" else {}))
    return np.lib.stride_tricks.sliding_window_view(padded, tuple(size))
