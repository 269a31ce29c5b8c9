"""Arguments of normalisations."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._engine.arguments.general import check_shape, integer, number, shape, shown


def eps(value: object, positive: bool | None = None) -> float:
    """Return what is added to variances; positive, not negative, or with None any number."""
    added = number(value, "eps")
    if positive is not None and (added < 0 or (positive and added == 0)):
        kind = "positive where statistics are those of the input" if positive else "non-negative"
        raise ValueError(f"eps must be {kind}, got {added}")
    return added


def check_channel_axis(sizes: Sequence[int], least: int) -> None:
    """Raise unless an input has a batch axis, channels, and axes after them."""
    if len(sizes) < least:
        raise ValueError(
            f"input must have at least {least} axes (batch, channels, …), got shape {tuple(sizes)}"
        )


def check_several_values(count: int, per: str, sizes: Sequence[int]) -> None:
    """Raise if there is one value alone, whose variance is 0 whatever it is."""
    if count == 1:
        raise ValueError(
            f"input must have more than one value for each {per}, got one, shape {tuple(sizes)}"
        )


def check_running_pair(mean: object, variance: object, needed: bool) -> None:
    """Raise unless running mean and variance are there together, or are not needed."""
    if (mean is None) != (variance is None):
        there, missing = "running_mean", "running_var"
        if mean is None:
            there, missing = missing, there
        raise ValueError(f"{missing} must be given where {there} is, got None")
    if needed and mean is None:
        raise ValueError(
            "running_mean and running_var must be given where the statistics are not those of the "
            "input, got None"
        )


def running_to_write(value: object, name: str, channels: int) -> NDArray[Any]:
    """Return a running statistic that can be updated in place."""
    if not isinstance(value, np.ndarray):
        raise TypeError(
            f"{name} must be a NumPy array, which is updated in place, got {type(value).__name__}"
        )
    if value.dtype.kind != "f" or value.dtype.itemsize > 8:
        raise TypeError(
            f"{name} must have a dtype of float16, float32 or float64, got {value.dtype}"
        )
    check_shape(value.shape, (channels,), name, "for the input's channels")
    if not value.flags.writeable:
        raise ValueError(f"{name} must be writable, as it is updated in place, got a read-only one")
    if channels > 1 and value.strides[0] == 0:
        raise ValueError(f"{name} must have memory of its own for every channel, got strides (0,)")
    return value


def statistics(value: object, channels: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return mean and variance of every channel, which an earlier call gave."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"statistics must be a pair of mean and variance, got {shown(value)}")
    mean, variance = (np.ascontiguousarray(one, np.float64) for one in value)
    for one in (mean, variance):
        check_shape(one.shape, (channels,), "statistics", "for the input's channels")
    return mean, variance


def normalized_shape(value: object, sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes of the last axes, which are normalised together."""
    given = (
        shape(value, "normalized_shape")
        if isinstance(value, (tuple, Sequence))
        else (integer(value, "normalized_shape", 0),)
    )
    if not given:
        raise ValueError("normalized_shape must have at least one axis, got ()")
    if len(given) > len(sizes) or tuple(sizes[len(sizes) - len(given) :]) != given:
        raise ValueError(
            f"normalized_shape must be that of the input's last axes, got {given} for "
            f"{tuple(sizes)}"
        )
    return given


def group_channels(value: object, sizes: Sequence[int]) -> int:
    """Return the number of groups, which divides that of the channels."""
    groups = integer(value, "num_groups", 1)
    if sizes[1] % groups:
        raise ValueError(f"num_groups must divide the channels, got {groups} for {sizes[1]}")
    check_several_values(
        sizes[0] * sizes[1] // groups * math.prod(sizes[2:]), "group of channels", sizes
    )
    return groups
