"""How training went: curves over the epochs, and what is taken for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from convx.plot.axes import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["confusion_matrix", "learning_curves"]

MOST_NUMBERS = 30


def learning_curves(
    series: Mapping[str, ArrayLike], *, ylabel: str = "loss", ax: Axes | None = None
) -> Axes:
    """Draw how a loss or an accuracy changed from epoch to epoch.

    Parameters
    ----------
    series : mapping of str to array_like
        For every curve its name and its numbers, one for each epoch.
    ylabel : str
        What the numbers are.
    ax : matplotlib.axes.Axes, optional
        What to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        A curve is not a sequence of numbers.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> from convx import plot
    >>> ax = plot.learning_curves({"training": [0.9, 0.4, 0.2], "held out": [0.7, 0.5, 0.4]})
    """
    curves = {name: np.asarray(values, float) for name, values in series.items()}
    for name, numbers in curves.items():
        if numbers.ndim != 1:
            raise ValueError(f"series must have numbers in one axis, got {numbers.shape}: {name}")
    ax = new_axes(ax)
    for name, numbers in curves.items():
        ax.plot(np.arange(1, len(numbers) + 1), numbers, marker="o", markersize=4, label=name)
    ax.set_xlabel("epoch")
    ax.set_ylabel(ylabel)
    ax.locator_params(axis="x", integer=True)
    ax.grid(alpha=0.3)
    if curves:
        ax.legend()
    return ax


def confusion_matrix(
    counts: ArrayLike, *, labels: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw which classes are taken for which.

    Parameters
    ----------
    counts : array_like
        Square: how many items of the class of the row were taken for that of the column.
    labels : sequence of str, optional
        Names of the classes, their numbers by default.
    ax : matplotlib.axes.Axes, optional
        What to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        The counts are not square, or the labels are not as many.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import plot
    >>> right, taken_for = np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])
    >>> counts = np.zeros((3, 3), int)
    >>> np.add.at(counts, (right, taken_for), 1)
    >>> ax = plot.confusion_matrix(counts, labels=["cat", "dog", "fox"])
    """
    matrix = np.asarray(counts)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"counts must be square, got shape {matrix.shape}")
    names = list(map(str, range(len(matrix)))) if labels is None else list(labels)
    if len(names) != len(matrix):
        raise ValueError(f"labels must be {len(matrix)} of them, got {len(names)}")
    ax = new_axes(ax)
    # A share of the row, so that rare classes show as well; the square root, so that few do.
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    ax.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("taken for")
    ax.set_ylabel("is")
    if len(names) <= MOST_NUMBERS:
        for (row, column), count in np.ndenumerate(matrix):
            if count:
                colour = "white" if shares[row, column] > 0.4 else "black"
                ax.text(column, row, f"{count}", ha="center", va="center", color=colour, fontsize=8)
    return ax
