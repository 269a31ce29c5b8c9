"""The windows of pooling along each axis, as tables: what each output is taken from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._engine.window import Table, Window

# Lines with their padding are held in memory if they are not longer than so many times the axis, or
# this; longer ones are told by tables alone.
MOST_OF_AXIS = 4
MOST_OF_LINE = 4096


@dataclass(frozen=True, eq=False)
class PoolAxis:
    """Windows along one axis: output o has ``count[o]`` inputs from ``start[o]``, ``step`` apart.

    The tables have no inputs beyond the axis. If all windows are alike but for that, there are
    ``taps`` to each of them, ``stride`` apart, the first ``low`` before the axis; else taps is 0.
    Where every plane has tables of its own, they follow one another, ``tables_stride`` apart.
    """

    size: int
    outputs: int
    start: Table
    count: Table
    divisor: NDArray[np.float64] | None = None
    step: int = 1
    taps: int = 0
    stride: int = 1
    low: int = 0
    tables_stride: int = 0

    @property
    def longest(self) -> int:
        """The most inputs of a window."""
        return int(self.count.max(initial=0))

    @property
    def is_whole(self) -> bool:
        """Whether the one window has all of the axis."""
        return self.outputs == 1 and self.longest == self.size and not self.tables_stride

    def divided(self, by: Any) -> "PoolAxis":
        """Return the same windows with a divisor, one number or one for each."""
        return replace(self, divisor=np.array(by, np.float64).reshape(-1))

    def adjoint(self) -> "PoolAxis":
        """Return, of each input, the outputs whose windows it is in, which must not be dilated."""
        places = np.arange(self.size)
        first = np.searchsorted(self.start + self.count, places, "right")
        end = np.searchsorted(self.start, places, "right")
        return PoolAxis(self.outputs, self.size, first, end - first)


def regular(window: Window, outputs: int, alone: bool = False) -> PoolAxis:
    """Return the windows of pooling with a kernel.

    An axis that is alone has no tables if the windows are told without them.
    """
    # a stride that leads nowhere, and dilation of a single tap, may be too large to compute with
    stride = window.stride if outputs > 1 else 1
    step = window.dilation if window.kernel > 1 else 1
    line = (outputs - 1) * stride + window.extent + window.pad_low + stride
    holds = outputs > 1 and line <= max(MOST_OF_AXIS * window.size, MOST_OF_LINE)
    taps = window.kernel if holds else 0
    if alone and holds:
        none = np.zeros(0, np.int64)
        size, low = window.size, window.pad_low
        return PoolAxis(size, outputs, none, none, None, step, taps, stride, low)
    origin = np.arange(outputs) * stride - window.pad_low
    missing = np.maximum(0, -(origin // step))
    start = origin + missing * step
    count = np.minimum(window.kernel - missing, -((start - window.size) // step))
    return PoolAxis(
        window.size,
        outputs,
        start,
        np.maximum(count, 0),
        step=step,
        taps=taps,
        stride=stride,
        low=window.pad_low,
    )


def padded_counts(window: Window, outputs: int) -> Table | int:
    """Return how many samples each window has, with those of the padding; one number if all can."""
    end = window.pad_low + window.size + window.pad_high
    if outputs and (outputs - 1) * window.stride + window.kernel <= end:
        return window.kernel
    # the first of them begins at 0, and none of more than one overflows
    origin = np.arange(outputs) * (window.stride if outputs > 1 else 1)
    return np.minimum(window.kernel, end - origin)


def divided(
    axes: Sequence[PoolAxis], windows: Sequence[tuple[Window, int]], divisors: str | int | None
) -> list[PoolAxis]:
    """Return windows with divisors: samples "padded", or those "present"; or one number."""
    if divisors == "padded":
        return [axis.divided(padded_counts(*one)) for axis, one in zip(axes, windows)]
    if divisors == "present":
        return [axis.divided(axis.count) for axis in axes]
    if divisors is not None:
        return [axis.divided(1 if place else divisors) for place, axis in enumerate(axes)]
    return list(axes)


def adaptive_means(sizes: Sequence[int], outputs: Sequence[int]) -> list[PoolAxis]:
    """Return windows that share out each axis, with their divisors."""
    return [axis.divided(axis.count) for axis in map(adaptive, sizes, outputs)]


def adaptive(size: int, outputs: int) -> PoolAxis:
    """Return windows that share an axis out evenly, overlapping where it does not divide."""
    places = np.arange(outputs)
    start = _times(places, size, outputs)
    end = _times(places + 1, size, outputs, up=outputs - 1)
    count = end - start
    if outputs > 1 and size % outputs == 0:
        stride = size // outputs
        return PoolAxis(size, outputs, start, count, taps=stride, stride=stride)
    return PoolAxis(size, outputs, start, count)


def _times(places: Table, size: int, outputs: int, up: int = 0) -> Table:
    """``floor((places * size + up) / outputs)`` without a product that overflows."""
    whole, rest = divmod(size, max(outputs, 1))
    return places * whole + (places * rest + up) // max(outputs, 1)


def apart(size: int) -> PoolAxis:
    """Return windows of one input each."""
    return PoolAxis(size, size, np.arange(size), np.ones(size, np.int64), taps=1)


def merged(axes: Sequence[PoolAxis]) -> list[PoolAxis]:
    """Return the axes with those as one that follow one another and have one window in all."""
    result: list[PoolAxis] = []
    for axis in axes:
        if result and axis.is_whole and result[-1].is_whole:
            size = result[-1].size * axis.size
            divisors = [one.divisor for one in (result.pop(), axis)]
            whole = PoolAxis(size, 1, np.zeros(1, np.int64), np.full(1, size))
            if divisors[0] is not None and divisors[1] is not None:
                whole = whole.divided(divisors[0] * divisors[1])
            result.append(whole)
        else:
            result.append(axis)
    return result
