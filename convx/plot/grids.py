"""Many small pictures in one: learned kernels, feature maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convx._engine import arguments
from convx.plot.axes import blank, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["feature_maps", "kernels"]

Array: TypeAlias = NDArray[Any]


def kernels(weight: ArrayLike, *, columns: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the kernels of a convolution: red what is positive, blue what is negative.

    Parameters
    ----------
    weight : array_like
        Of shape ``(K, C, *kernel)`` with one or two axes of taps. A filter is a row, its kernels
        for the input channels stand side by side; filters of a single channel are put into
        ``columns``.
    columns : int, optional
        Pictures side by side; by default as many as make the whole about square.
    ax : matplotlib.axes.Axes, optional
        What to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        The weight has no such shape, or no taps.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import plot
    >>> ax = plot.kernels(np.random.default_rng(0).standard_normal((6, 1, 5, 5)))
    """
    array = np.asarray(weight, float)
    if array.ndim not in (3, 4) or not array.size:
        raise ValueError(
            f"weight must have shape (K, C, taps) or (K, C, rows, columns), got {array.shape}"
        )
    filters, channels = array.shape[:2]
    rows = array.shape[2] if array.ndim == 4 else 1
    tiles = array.reshape(filters * channels, rows, array.shape[-1])
    if columns is None and channels > 1:
        columns = channels
    extent = float(np.abs(tiles).max())
    return _draw(tiles, columns, ax, cmap="RdBu_r", vmin=-extent, vmax=extent)


def feature_maps(maps: ArrayLike, *, columns: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the channels of a layer's output side by side, each from its least to its largest value.

    Parameters
    ----------
    maps : array_like
        Of shape ``(C, H, W)``, of one item.
    columns : int, optional
        Pictures side by side; by default as many as make the whole about square.
    ax : matplotlib.axes.Axes, optional
        What to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        The maps have no such shape, or no samples.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import functional as F, plot
    >>> from convx.data import mnist
    >>> digit = mnist()[1].images[0]
    >>> edges = np.array([[[[-1, 1]]], [[[1, -1]]]], np.float32)
    >>> ax = plot.feature_maps(F.relu(F.conv2d(digit, edges)))
    """
    array = np.asarray(maps, float)
    if array.ndim != 3 or not array.size:
        raise ValueError(f"maps must have shape (C, H, W), got {array.shape}")
    lowest = array.min((1, 2), keepdims=True)
    reach = array.max((1, 2), keepdims=True) - lowest
    tiles = (array - lowest) / np.where(reach > 0, reach, 1)
    return _draw(tiles, columns, ax, cmap="viridis", vmin=0, vmax=1)


def _draw(tiles: Array, columns: int | None, ax: Axes | None, **style: Any) -> Axes:
    """Put the tiles into one picture, with gaps between them."""
    count, height, width = tiles.shape
    if columns is None:
        columns = min(count, math.ceil((count * height / width) ** 0.5))
    columns = arguments.integer(columns, "columns", 1)
    rows = -(-count // columns)
    gap = max(1, max(height, width) // 8)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan)
    for place, tile in enumerate(tiles):
        top, left = (height + gap) * (place // columns), (width + gap) * (place % columns)
        sheet[top : top + height, left : left + width] = tile
    ax = new_axes(ax)
    ax.imshow(np.ma.masked_invalid(sheet), interpolation="nearest", **style)
    blank(ax)
    return ax
