"""Arguments of convolutions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convx._core import _driver
from convx._engine.arguments.general import LIMIT, integer, number, one_of, per_axis, shown
from convx._engine.boundary import PADDING_MODES
from convx._engine.window import Window

ALGORITHMS = ("auto", "direct", "winograd", "fft", "inner_product")

ACTIVATIONS = tuple(_driver.activations)
NEGATIVE_SLOPE = 0.01

# Spatial axes of a convolution: two axes less than NumPy 1 allowed in all.
MOST_AXES = 30

Pads = tuple[tuple[int, int], ...]


def pads(value: object, kernel: Sequence[int], dilation: Sequence[int]) -> Pads:
    """Return (low, high) for each axis from what ``padding`` may be."""
    if isinstance(value, str):
        if value == "valid":
            return ((0, 0),) * len(kernel)
        if value == "same":
            totals = [d * (k - 1) for k, d in zip(kernel, dilation)]
            return tuple((total // 2, total - total // 2) for total in totals)
        raise ValueError(
            f"padding must be 'same', 'valid', integers or pairs of integers, got {shown(value)}"
        )
    if (
        isinstance(value, Sequence)
        and len(value) == len(kernel)
        and all(isinstance(one, Sequence) and not isinstance(one, str | bytes) for one in value)
    ):
        for one in value:
            if len(one) != 2:
                raise ValueError(f"padding must have (low, high) for each axis, got {shown(value)}")
        return tuple(
            (integer(low, "padding", 0), integer(high, "padding", 0)) for low, high in value
        )
    return tuple((one, one) for one in per_axis(value, len(kernel), "padding", 0))


def padding_mode(value: object) -> str:
    """Return the padding mode if there is such a one."""
    return one_of(value, PADDING_MODES, "padding_mode")


def algorithm(value: object) -> str:
    """Return the algorithm if there is such a one."""
    return one_of(value, ALGORITHMS, "algorithm")


def activation(
    name: object, negative_slope: object, dtype: np.dtype[Any]
) -> tuple[str | None, float]:
    """Return an activation, if there is one for results of this type, and its slope."""
    chosen = None if name is None else one_of(name, ACTIVATIONS, "activation")
    check_activation(chosen, dtype, "weight and bias")
    if chosen != "leaky_relu":
        if negative_slope is not None:
            raise ValueError(
                "negative_slope must be None unless activation is 'leaky_relu', got "
                f"{shown(negative_slope)} for {chosen!r}"
            )
        return chosen, 0.0
    slope = number(NEGATIVE_SLOPE if negative_slope is None else negative_slope, "negative_slope")
    largest = float(np.finfo(np.result_type(dtype, np.float32)).max)
    if abs(slope) > largest:
        raise ValueError(
            f"negative_slope must be finite, at most {largest:.3g} in size, got {slope}"
        )
    return chosen, slope


def check_activation(name: str | None, dtype: np.dtype[Any], of: str) -> None:
    """Raise unless there is such an activation for results of this type."""
    if name is not None and dtype.kind != "f":
        raise TypeError(
            f"activation must be None for {of} of dtype {dtype}, got {name!r}; activations are for "
            "float16, float32 and float64"
        )


def spatial_axes(axes: int | None, weight_ndim: int, name: str = "weight") -> int:
    """Return the number of spatial axes, told by the function or by the weight's shape."""
    if axes is None:
        if not 3 <= weight_ndim <= MOST_AXES + 2:
            raise ValueError(
                f"{name} must have from 1 to {MOST_AXES} spatial axes after two of channels, "
                f"got {weight_ndim} axes"
            )
        return weight_ndim - 2
    if weight_ndim != axes + 2:
        raise ValueError(
            f"{name} must have {axes + 2} axes, two of channels and {axes} spatial, "
            f"got {weight_ndim}"
        )
    return axes


def check_groups(groups: object, **channels: int) -> int:
    """Return the number of groups if it divides the given numbers of channels."""
    number = integer(groups, "groups", 1)
    for name, count in channels.items():
        if count % number:
            raise ValueError(
                f"groups must divide {name.replace('_', ' ')}, got {number} for {count}"
            )
    return number


def check_channels(
    shape: Sequence[int], axis: int, expected: int, why: str, name: str = "weight"
) -> None:
    """Raise unless the weights have the channels that the input asks for."""
    if shape[axis] != expected:
        raise ValueError(
            f"{name} must have {expected} channels on axis {axis} for {why}, got shape "
            f"{tuple(shape)}"
        )


def check_output_channels(count: int) -> None:
    """Raise if the weights have no output channel."""
    if count == 0:
        raise ValueError("weight must have at least one output channel, got none")


def check_windows(windows: Sequence[Window], ceil_mode: bool = False) -> None:
    """Raise unless every window fits into its padded axis, or in ceil mode one may hang over."""
    for axis, window in enumerate(windows):
        if window.padded_size >= LIMIT or window.extent >= LIMIT:
            raise ValueError(
                f"padding and dilation must keep sizes below 2**62, got {window.padded_size} for "
                f"the padded input and {window.extent} for the kernel on spatial axis {axis}"
            )
        if window.pooled_size(ceil_mode) < 1:
            raise ValueError(
                f"dilation * (kernel size - 1) + 1 = {window.extent} must be at most the padded "
                f"input size {window.padded_size} on spatial axis {axis} (input {window.size}, "
                f"padding {window.pad_low} and {window.pad_high})"
            )


def check_transpose(windows: Sequence[Window], output_padding: Sequence[int]) -> None:
    """Raise unless the transposed convolution's output padding and size are possible."""
    for axis, (window, extra) in enumerate(zip(windows, output_padding)):
        if extra >= max(window.stride, window.dilation):
            raise ValueError(
                f"output_padding must be smaller than stride or dilation, got {extra} for stride "
                f"{window.stride} and dilation {window.dilation} on spatial axis {axis}"
            )
        if window.padded_size >= LIMIT:
            raise ValueError(
                f"stride and dilation must keep the output below 2**62, got {window.padded_size} "
                f"on spatial axis {axis}"
            )
        if window.size < 1:
            raise ValueError(
                f"padding must leave some output, got {window.pad_low} and {window.pad_high} for "
                f"an uncropped output of {window.padded_size} on spatial axis {axis}"
            )
