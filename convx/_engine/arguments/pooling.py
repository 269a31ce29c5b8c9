"""Arguments of pooling and unpooling."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._engine.arguments.convolution import pads
from convx._engine.arguments.general import (
    LIMIT,
    check_batched,
    check_positive_sizes,
    flag,
    integer,
    number,
    one_of,
    per_axis,
    shown,
)
from convx._engine.window import Window


def pool_activation(value: object) -> str | None:
    """Return the activation that an input goes through before averages are taken, if any."""
    return None if value is None else one_of(value, ("relu",), "activation")


def pooled_sizes(shape: Sequence[int], axes: int) -> tuple[int, ...]:
    """Return the sizes along the axes that are pooled, none of which is 0."""
    check_batched(len(shape), axes, "input")
    check_positive_sizes(shape[-axes:], "input", "spatial axis")
    return tuple(shape[-axes:])


def check_some_axes(ndim: int) -> int:
    """Return the number of spatial axes, after those of batch and channels."""
    if ndim < 3:
        raise ValueError(
            f"input must have axes of batch and channels and at least one spatial axis, got {ndim}"
        )
    return ndim - 2


def pooling(
    sizes: Sequence[int],
    kernel_size: object,
    stride: object,
    padding: object = 0,
    dilation: object = 1,
    ceil_mode: object = False,
) -> list[tuple[Window, int]]:
    """Return the window along each axis, and how many positions it has."""
    axes = len(sizes)
    kernel = per_axis(kernel_size, axes, "kernel_size", 1)
    strides = kernel if stride is None else per_axis(stride, axes, "stride", 1)
    dilations = per_axis(dilation, axes, "dilation", 1)
    ceil = flag(ceil_mode, "ceil_mode")
    padded = pads(padding, kernel, dilations)
    found = []
    for axis, (size, k, s, d, (low, high)) in enumerate(
        zip(sizes, kernel, strides, dilations, padded)
    ):
        window = Window(size, k, s, d, low, high)
        if window.padded_size >= LIMIT or window.extent >= LIMIT:
            raise ValueError(
                "kernel_size, padding and dilation must keep sizes below 2**62, got "
                f"{window.padded_size} for the padded input and {window.extent} for the window on "
                f"spatial axis {axis}"
            )
        if max(low, high) >= window.extent:
            raise ValueError(
                "padding must be smaller than the window, dilation * (kernel_size - 1) + 1 = "
                f"{window.extent}, got {low} and {high} on spatial axis {axis}"
            )
        outputs = window.pooled_size(ceil)
        if outputs < 1:
            raise ValueError(
                f"kernel_size must fit, dilation * (kernel_size - 1) + 1 = {window.extent} being "
                f"at most the padded input size {window.padded_size} on spatial axis {axis} (input "
                f"{size}, padding {low} and {high})"
            )
        found.append((window, outputs))
    return found


def divisor_override(value: object) -> int | None:
    """Return the divisor of averages if one is given."""
    return None if value is None else integer(value, "divisor_override", 1)


def norm_type(value: object) -> float:
    """Return the power of a norm: positive, and perhaps infinite."""
    power = number(value, "norm_type", finite=False)
    if not power > 0:
        raise ValueError(f"norm_type must be positive, got {power}")
    return power


def adaptive_sizes(value: object, sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes of an output, where None stands for the input's."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if len(value) != len(sizes):
            raise ValueError(
                f"output_size must be an integer or have {len(sizes)} of them, one for each "
                f"spatial axis, got {shown(value)}"
            )
        given = tuple(value)
    else:
        given = (value,) * len(sizes)
    return tuple(
        size if one is None else integer(one, "output_size", 0) for one, size in zip(given, sizes)
    )


def fractional_sizes(
    sizes: Sequence[int], kernel: Sequence[int], output_size: object, output_ratio: object
) -> tuple[int, ...]:
    """Return the sizes of fractional pooling's output, given so or as ratios."""
    axes = len(sizes)
    if (output_size is None) == (output_ratio is None):
        raise ValueError("output_size must be given, or else output_ratio, not both nor neither")
    if output_size is not None:
        outputs = per_axis(output_size, axes, "output_size", 1)
    else:
        many = isinstance(output_ratio, Sequence) and not isinstance(output_ratio, str | bytes)
        ratios: Sequence[Any] = output_ratio if many else (output_ratio,) * axes  # type: ignore[assignment]
        if len(ratios) != axes:
            raise ValueError(
                f"output_ratio must be a number or have {axes} of them, got {shown(output_ratio)}"
            )
        shares = [number(one, "output_ratio") for one in ratios]
        for share in shares:
            if not 0 < share < 1:
                raise ValueError(f"output_ratio must be between 0 and 1, got {share}")
        outputs = tuple(int(size * share) for size, share in zip(sizes, shares))
    for axis, (size, k, count) in enumerate(zip(sizes, kernel, outputs)):
        if not 1 <= count <= size - k + 1:
            raise ValueError(
                f"output_size must be from 1 to the input size - kernel_size + 1 = {size - k + 1}, "
                f"got {count} on spatial axis {axis} (input {size}, kernel {k})"
            )
    return outputs


def random_samples(value: NDArray[Any], batch: int, channels: int, axes: int) -> NDArray[Any]:
    """Return samples of each plane and axis, all of them in [0, 1)."""
    if value.shape != (batch, channels, axes):
        raise ValueError(
            f"_random_samples must have shape {(batch, channels, axes)}, got {value.shape}"
        )
    if value.dtype.kind != "f":
        raise TypeError(f"_random_samples must be floating, got {value.dtype}")
    if not ((value >= 0) & (value < 1)).all():
        raise ValueError("_random_samples must be in [0, 1), and none of them NaN")
    return value


def indices(value: object, shape: Sequence[int], of: str) -> NDArray[Any]:
    """Return indices as an array of integers, whatever they are."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"indices must be integers, got dtype {array.dtype}")
    if array.shape != tuple(shape):
        raise ValueError(f"indices must have the shape of {of}, {tuple(shape)}, got {array.shape}")
    return array


def check_within_planes(array: NDArray[Any], plane: int, least: int = 0) -> None:
    """Raise ValueError for indices outside of planes of so many elements; or below ``least``."""
    if not array.size:
        return
    low, high = int(array.min()), int(array.max())
    if low < least or high >= plane:
        raise ValueError(
            f"indices must be from {least} to {plane - 1}, inside a plane of the output, got "
            f"{low if low < least else high}"
        )


def unpooled_sizes(
    sizes: Sequence[int],
    kernel_size: object,
    stride: object,
    padding: object,
    output_size: object,
    leading: Sequence[int],
) -> tuple[int, ...]:
    """Return the sizes of an unpooled output, less than a stride off those of no ``output_size``.

    ``output_size`` may have the ``leading`` sizes, of batch and channels, before the others.
    """
    axes = len(sizes)
    kernel = per_axis(kernel_size, axes, "kernel_size", 1)
    strides = kernel if stride is None else per_axis(stride, axes, "stride", 1)
    padded = per_axis(padding, axes, "padding", 0)
    default = tuple(
        (size - 1) * s - 2 * p + k for size, k, s, p in zip(sizes, kernel, strides, padded)
    )
    if output_size is None:
        chosen = default
    else:
        given: Sequence[Any] = output_size if isinstance(output_size, Sequence) else [output_size]
        if len(given) == axes + len(leading) and tuple(given[: len(leading)]) == tuple(leading):
            given = given[len(leading) :]
        if len(given) != axes:
            raise ValueError(
                f"output_size must have {axes} sizes, or {axes + len(leading)} with the "
                f"{tuple(leading)} of batch and channels, got {shown(output_size)}"
            )
        chosen = tuple(integer(one, "output_size", 1) for one in given)
    for axis, (one, usual, s) in enumerate(zip(chosen, default, strides)):
        if abs(one - usual) >= s and one != usual:
            raise ValueError(
                f"output_size must be less than the stride {s} away from {usual}, got {one} on "
                f"spatial axis {axis}"
            )
        if not 0 < one < LIMIT:
            raise ValueError(
                f"kernel_size, stride and padding must leave an output from 1 to 2**62, got {one} "
                f"on spatial axis {axis}"
            )
    return chosen


def check_activations(x: NDArray[Any]) -> None:
    """Raise unless values, which are taken as probabilities, are non-negative and finite or NaN."""
    if x.size and not (np.nan_to_num(x, nan=0, posinf=-1, neginf=-1) >= 0).all():
        raise ValueError("input must be non-negative and finite, got values that are not")
