"""What one output of a stack of layers sees of the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convx import functional as F
from convx._engine import arguments
from convx.plot.axes import FAINT, INK, PAPER, blank, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["receptive_field"]

SEEN = "#f08c2e"
MARGIN = 2


def receptive_field(layers: Sequence[object], *, ax: Axes | None = None) -> Axes:
    """Draw one axis of a stack of layers, and which samples the output in the middle depends on.

    Parameters
    ----------
    layers : sequence
        As in :func:`convx.functional.receptive_field`, with integers: kernel sizes, or tuples
        ``(kernel_size, stride, padding, dilation)``, the first layer first. Padding is not drawn.
    ax : matplotlib.axes.Axes, optional
        What to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on, the input at the bottom.

    Raises
    ------
    ValueError, TypeError
        A layer is not what it has to be.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> from convx import plot
    >>> ax = plot.receptive_field([(3, 2), 3, (3, 1, 0, 2)])
    >>> ax.get_title()
    'one output sees 15 samples, its neighbour those 2 further on'
    """
    steps = [_kernel_stride_dilation(one) for one in layers]
    whole = F.receptive_field(layers)
    size = max(_seen(steps)[0]) + 1
    ax = new_axes(ax)
    seen = _seen(steps)
    centres = _centres(steps)
    for level, indices in enumerate(seen):
        first, jump = centres[level]
        _draw_lines(ax, level, indices, steps, centres)
        _draw_samples(ax, level, indices, first, jump, size)
    _label(ax, steps, [len(one) for one in seen])
    ax.set_title(
        f"one output sees {whole.size} samples, its neighbour those {whole.stride} further on"
    )
    return ax


def _kernel_stride_dilation(layer: object) -> tuple[int, int, int]:
    kernel, stride, _, dilation = arguments.layer(layer)
    return (
        arguments.integer(kernel, "kernel_size", 1),
        arguments.integer(stride, "stride", 1),
        arguments.integer(dilation, "dilation", 1),
    )


def _seen(steps: list[tuple[int, int, int]]) -> list[set[int]]:
    """Of every level, the input first, the samples that output 0 depends on."""
    levels = [{0}]
    for kernel, stride, dilation in reversed(steps):
        levels.append({p * stride + t * dilation for p in levels[-1] for t in range(kernel)})
    return levels[::-1]


def _centres(steps: list[tuple[int, int, int]]) -> list[tuple[float, int]]:
    """Of every level, where its sample 0 stands above the input, and how far apart they are."""
    centres = [(0.0, 1)]
    for kernel, stride, dilation in steps:
        first, jump = centres[-1]
        centres.append((first + jump * dilation * (kernel - 1) / 2, jump * stride))
    return centres


def _draw_lines(
    ax: Axes,
    level: int,
    indices: set[int],
    steps: list[tuple[int, int, int]],
    centres: list[tuple[float, int]],
) -> None:
    if not level:
        return
    kernel, stride, dilation = steps[level - 1]
    (below, near), (here, jump) = centres[level - 1], centres[level]
    for p in indices:
        for t in range(kernel):
            ends = (here + jump * p, below + near * (p * stride + t * dilation))
            ax.plot(ends, (level, level - 1), color=FAINT, linewidth=0.7, zorder=1)


def _draw_samples(
    ax: Axes, level: int, indices: set[int], first: float, jump: int, size: int
) -> None:
    """The samples above the receptive field and a little beside it; those seen are filled."""
    low = int((-MARGIN - first) // jump) + 1
    high = int((size - 1 + MARGIN - first) // jump)
    for p in range(low, high + 1):
        colour = SEEN if p in indices else PAPER
        ax.plot(
            [first + jump * p],
            [level],
            "o",
            markersize=7,
            markerfacecolor=colour,
            markeredgecolor=INK if p in indices else FAINT,
            zorder=2,
        )


def _label(ax: Axes, steps: list[tuple[int, int, int]], counts: list[int]) -> None:
    names = ["input"]
    for kernel, stride, dilation in steps:
        options = [f"stride {stride}"] * (stride > 1) + [f"dilation {dilation}"] * (dilation > 1)
        names.append(", ".join([f"kernel {kernel}", *options]))
    blank(ax)
    ax.set_yticks(
        range(len(names)),
        [f"{name}\n{count} seen" for name, count in zip(names, counts, strict=True)],
    )
    ax.tick_params(length=0)
    ax.set_ylim(-0.5, len(names) - 0.5)
