"""Arguments of folding and shuffling."""

import math
from collections.abc import Sequence

from convx._engine.arguments.convolution import check_windows
from convx._engine.arguments.general import (
    check_batched,
    check_positive_sizes,
    integer,
    per_axis,
)
from convx._engine.window import Window


def _axes(*values: object) -> int:
    """Spatial axes: as many as an option has entries; 2 where all are numbers, as in PyTorch."""
    lengths = [len(one) for one in values if isinstance(one, Sequence) and not _is_text(one)]
    return lengths[0] if lengths else 2


def _is_text(value: object) -> bool:
    return isinstance(value, str | bytes)


def unfold_windows(
    shape: Sequence[int],
    kernel_size: object,
    dilation: object,
    padding: object,
    stride: object,
) -> tuple[Window, ...]:
    """Check the windows over an array that is unfolded; its shape has no batch axis perhaps."""
    axes = _axes(kernel_size)
    check_batched(len(shape), axes, "input")
    sizes = shape[len(shape) - axes :]
    check_positive_sizes(shape[len(shape) - axes - 1 :], "input", "channel or spatial axis")
    return _windows(sizes, kernel_size, dilation, padding, stride)


def fold_windows(
    shape: Sequence[int],
    output_size: object,
    kernel_size: object,
    dilation: object,
    padding: object,
    stride: object,
) -> tuple[Window, ...]:
    """Check the windows whose columns an array holds, of shape ([N,] C * taps, positions)."""
    axes = _axes(output_size, kernel_size)
    sizes = per_axis(output_size, axes, "output_size", 1)
    windows = _windows(sizes, kernel_size, dilation, padding, stride)
    if len(shape) not in (2, 3):
        raise ValueError(
            "input must have 3 axes (batch, channels * taps, positions) or 2 (channels * taps, "
            f"positions), got {len(shape)}"
        )
    taps = math.prod(window.kernel for window in windows)
    positions = math.prod(window.output_size for window in windows)
    if shape[-2] % taps or shape[-2] == 0:
        raise ValueError(
            f"input must have a positive multiple of the {taps} taps of kernel_size on axis "
            f"{len(shape) - 2}, got shape {tuple(shape)}"
        )
    if shape[-1] != positions:
        raise ValueError(
            f"input must have {positions} positions on its last axis for output_size {sizes} and "
            f"windows at {tuple(window.output_size for window in windows)} places, got "
            f"{tuple(shape)}"
        )
    return windows


def _windows(
    sizes: Sequence[int], kernel_size: object, dilation: object, padding: object, stride: object
) -> tuple[Window, ...]:
    axes = len(sizes)
    kernel = per_axis(kernel_size, axes, "kernel_size", 1)
    dilations = per_axis(dilation, axes, "dilation", 1)
    pads = per_axis(padding, axes, "padding", 0)
    strides = per_axis(stride, axes, "stride", 1)
    windows = tuple(
        Window(size, k, s, d, pad, pad)
        for size, k, s, d, pad in zip(sizes, kernel, strides, dilations, pads)
    )
    check_windows(windows)
    return windows


def shuffle_factors(value: object, ndim: int, name: str) -> tuple[int, ...]:
    """Return the factor of each spatial axis: of two, or of as many as there are entries."""
    axes = _axes(value)
    factors = per_axis(value, axes, name, 1)
    if not axes or ndim < axes + 1:
        raise ValueError(
            f"input must have channels and {axes} spatial axes for {name}, got {ndim} axes"
        )
    return factors


def check_divides(factor: int, size: int, name: str, what: str) -> None:
    """Raise unless a factor divides a size."""
    if size % factor:
        raise ValueError(f"{name} must divide {what}, got {factor} for {size}")


def shuffle_groups(groups: object, shape: Sequence[int]) -> int:
    """Return the number of groups that channels are dealt into."""
    if len(shape) < 3:
        raise ValueError(
            f"input must have batch, channels and at least one spatial axis, got {len(shape)} axes"
        )
    number = integer(groups, "groups", 1)
    check_divides(number, shape[1], "groups", "the channels")
    return number
