"""New pictures out of those that there are."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convx._engine import arguments

Array: TypeAlias = NDArray[Any]

__all__ = ["random_shift"]


def random_shift(
    images: Array, pixels: int, *, rng: np.random.Generator | int | None = None
) -> Array:
    """Shift every picture of a batch by a few pixels, each by its own; zeros move in.

    What a network learns then depends less on where things are: from few pictures it learns more.

    Parameters
    ----------
    images : ndarray
        Of shape ``(N, C, H, W)``.
    pixels : int
        The furthest shift, in all directions.
    rng : None, int, or Generator
        Source of the shifts, as `numpy.random.default_rng` takes it.

    Returns
    -------
    ndarray
        Of the same shape and dtype.

    Raises
    ------
    ValueError, TypeError
        The images have another number of axes, or ``pixels`` is no non-negative integer.

    Examples
    --------
    >>> import numpy as np
    >>> from convx.data import random_shift
    >>> images = np.zeros((2, 1, 3, 3), int)
    >>> images[:, :, 1, 1] = 7
    >>> random_shift(images, 1, rng=1)[:, 0]
    array([[[0, 0, 0],
            [7, 0, 0],
            [0, 0, 0]],
    <BLANKLINE>
           [[0, 0, 0],
            [7, 0, 0],
            [0, 0, 0]]])
    """
    if np.ndim(images) != 4:
        raise ValueError(f"images must have axes (N, C, H, W), got shape {np.shape(images)}")
    pixels = arguments.integer(pixels, "pixels", 0)
    source = arguments.generator(rng)
    edges = [(0, 0), (0, 0), (pixels, pixels), (pixels, pixels)]
    views = np.lib.stride_tricks.sliding_window_view(
        np.pad(images, edges), images.shape[2:], (2, 3)
    )
    down, across = source.integers(0, 2 * pixels + 1, (2, len(images)))
    return np.ascontiguousarray(views[np.arange(len(images)), :, down, across])
