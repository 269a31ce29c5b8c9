"""Arguments of the kinds of convolution, and of what is counted of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from convx._engine.arguments.convolution import MOST_AXES, check_groups
from convx._engine.arguments.general import integer, number, one_of, shown

KINDS = ("conv", "depthwise_separable", "spatially_separable", "flattened", "shuffled_group")
GROUPED = ("conv", "shuffled_group")

# What a layer may tell, in the order of the convolutions' arguments, and what it is without.
LAYER = {"kernel_size": None, "stride": 1, "padding": 0, "dilation": 1}


def check_depthwise(shape: Sequence[int], channels: int) -> None:
    """Raise unless weights have filters of their own for every channel."""
    if channels == 0 or shape[0] % channels or shape[1] != 1:
        raise ValueError(
            f"depthwise_weight must have shape (a multiple of {channels} input channels, 1, "
            f"*kernel), got {tuple(shape)}"
        )


def check_pointwise(shape: Sequence[int], channels: int, axes: int) -> None:
    """Raise unless weights mix the channels and have one tap."""
    expected = (channels, *(1,) * axes)
    if tuple(shape[1:]) != expected:
        raise ValueError(
            f"pointwise_weight must have shape (output channels, {str(expected)[1:]} after "
            f"{channels} channels of depthwise_weight, got {tuple(shape)}"
        )


def check_channel_weight(shape: Sequence[int], channels: int) -> None:
    """Raise unless weights are a matrix from the input's channels."""
    if len(shape) != 2 or shape[1] != channels:
        raise ValueError(
            f"channel_weight must have shape (output channels, {channels} input channels), got "
            f"{tuple(shape)}"
        )


def factors(value: object) -> dict[str, object]:
    """Return the factors of a kernel, one for each spatial axis, under what a message calls them.

    Arrays are not taken apart: their rows might be meant as one factor.
    """
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise TypeError(
            "factors must be a sequence of arrays, one for each spatial axis, got "
            f"{type(value).__name__}"
        )
    if not 1 <= len(value) <= MOST_AXES:
        raise ValueError(
            f"factors must have from 1 to {MOST_AXES} of them, one for each spatial axis, got "
            f"{len(value)}"
        )
    return {f"factors[{axis}]": factor for axis, factor in enumerate(value)}


def check_factor(shape: Sequence[int], channels: int, name: str) -> int:
    """Return the groups of the weights (filters, channels of a group, taps) of a factor."""
    filters, per_group, taps = shape
    groups = channels // per_group if per_group else 0
    if not (filters and taps and groups and channels == groups * per_group) or filters % groups:
        raise ValueError(
            f"{name} must have shape (taps,), (a multiple of {channels} channels, taps) or (output "
            f"channels, {channels} channels / groups, taps), none of size 0, got {tuple(shape)} as "
            "weights"
        )
    return groups


def check_factor_axes(ndim: int, name: str) -> None:
    """Raise unless an array can be the factor of a kernel."""
    if not 1 <= ndim <= 3:
        raise ValueError(
            f"{name} must have from 1 to 3 axes: (taps,), (channels, taps) or (output channels, "
            f"channels / groups, taps), got {ndim}"
        )


def check_kernel(kernel: np.ndarray[Any, Any]) -> None:
    """Raise unless a kernel can be taken apart."""
    if kernel.ndim == 0 or kernel.size == 0:
        raise ValueError(
            f"kernel must have at least one axis and none of size 0, got shape {kernel.shape}"
        )
    if not np.isfinite(kernel).all():
        raise ValueError("kernel must be finite, got infinities or NaN")


def check_separable(error: float, tolerance: float) -> None:
    """Raise if the product of a kernel's factors is too far from it."""
    if not error <= tolerance:  # written so that NaN is caught
        raise ValueError(
            f"kernel must be an outer product of one factor for each axis within tol = "
            f"{tolerance:.3g} of its largest element, got one that is {error:.3g} off the nearest"
        )


def tolerance(value: object) -> float:
    """Return a relative tolerance."""
    tolerated = number(value, "tol")
    if tolerated < 0:
        raise ValueError(f"tol must not be negative, got {tolerated}")
    return tolerated


def kind(value: object, groups: object, **channels: int) -> tuple[str, int]:
    """Return a kind of convolution and its groups, which not all kinds have."""
    name = one_of(value, KINDS, "kind")
    number = check_groups(groups, **channels)
    if number > 1 and name not in GROUPED:
        raise ValueError(
            f"groups must be 1 for kind {name!r}, got {number}; {' and '.join(GROUPED)} have groups"
        )
    return name, number


def layer(value: object) -> tuple[object, object, object, object]:
    """Return kernel size, stride, padding and dilation of a layer, as they were given."""
    if isinstance(value, Mapping):
        if "kernel_size" not in value or not set(value) <= set(LAYER):
            raise ValueError(
                f"layers must have kernel_size and may have stride, padding, dilation, got "
                f"{shown(dict(value))}"
            )
        given = tuple(value.get(name, default) for name, default in LAYER.items())
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if not 1 <= len(value) <= len(LAYER):
            raise ValueError(
                "layers must have from 1 to 4 entries each, (kernel_size, stride, padding, "
                f"dilation), got {shown(value)}"
            )
        given = (*value, *list(LAYER.values())[len(value) :])
    else:
        given = (integer(value, "layers"), *list(LAYER.values())[1:])
    kernel, stride, padding, dilation = given
    return kernel, stride, padding, dilation


def axes_told(*values: object) -> int | None:
    """Return the number of axes that the first sequence among some values tells, if there is one.

    Without one all of them are integers, and stand for one axis, or for every one alike.
    """
    for value in values:
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            if not 1 <= len(value) <= MOST_AXES:
                raise ValueError(
                    f"size must be given for 1 to {MOST_AXES} axes, got {len(value)} of them"
                )
            return len(value)
    return None


def check_sequence_of_layers(value: object) -> Sequence[object]:
    """Return the layers of a stack."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise TypeError(f"layers must be a sequence of layers, got {type(value).__name__}")
    return value


def check_direction(transposed: bool, ceil_mode: bool, output_padding: object) -> None:
    """Raise if an output size is asked for with an option of the other direction."""
    if transposed and ceil_mode:
        raise ValueError("ceil_mode must be False with transposed=True, got True")
    if not transposed and output_padding != 0:
        raise ValueError(
            f"output_padding must be 0 without transposed=True, got {shown(output_padding)}"
        )
