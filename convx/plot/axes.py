"""Figures and axes: what all pictures share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["blank", "cell", "new_axes", "new_figure"]

PAPER, INK, FAINT = "white", "#222222", "#b0b0b0"


def new_axes(ax: Axes | None) -> Axes:
    """Return the axes that were given, or those of a figure of its own."""
    _require_matplotlib()
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    made: Axes = plt.subplots(layout="constrained")[1]
    return made


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of so many inches that only a file will show, and its axes."""
    _require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure((width, height), layout="constrained")
    return figure, figure.add_subplot()


def blank(ax: Axes) -> None:
    """Leave only what is drawn: no ticks, no frame."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def cell(ax: Axes, left: float, top: float, text: str = "", **options: Any) -> None:
    """Draw a square of size 1 with a text in its middle."""
    from matplotlib.patches import Rectangle

    style = {"facecolor": PAPER, "edgecolor": FAINT, "linewidth": 0.8, **options}
    colour = style.pop("color", INK)
    ax.add_patch(Rectangle((left, top), 1, 1, **style))
    if text:
        size = 11 if len(text) < 4 else 8
        ax.text(left + 0.5, top + 0.5, text, ha="center", va="center", color=colour, fontsize=size)


def _require_matplotlib() -> None:
    try:
        import matplotlib as mpl  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "pictures need matplotlib, which is not installed: pip install 'convx-cpu[plots]'"
        ) from error
