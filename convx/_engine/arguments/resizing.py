"""Arguments of resizing."""

import math
from collections.abc import Sequence
from typing import Any

from convx._engine.arguments.general import (
    LIMIT,
    check_memory,
    check_positive_sizes,
    flag,
    number,
    one_of,
    per_axis,
    shown,
)

# The modes, and the number of spatial axes that they are for; None is any number.
RESIZE_MODES = {
    "nearest": None,
    "nearest-exact": None,
    "linear": None,
    "bilinear": 2,
    "trilinear": 3,
    "bicubic": 2,
    "area": None,
}
# Those that sample between pixels, so that it matters where the corners are.
SAMPLING_MODES = ("linear", "bilinear", "trilinear", "bicubic")


def resize_mode(
    mode: object, align_corners: object, antialias: object, shape: Sequence[int]
) -> tuple[str, bool, bool]:
    """Return the mode, whether corners are aligned, and whether to smooth while shrinking."""
    name = one_of(mode, tuple(RESIZE_MODES), "mode")
    axes = len(shape) - 2
    if axes < 1:
        raise ValueError(
            f"input must have batch, channels and at least one spatial axis, got {len(shape)} axes"
        )
    if RESIZE_MODES[name] not in (None, axes):
        raise ValueError(
            f"mode {name!r} must have an input of {RESIZE_MODES[name]} spatial axes, got {axes}"
        )
    check_positive_sizes(shape[1:], "input", "channel or spatial axis")
    for value, option in ((align_corners, "align_corners"), (antialias, "antialias")):
        if value is not None:
            flag(value, option)
    if align_corners is not None and name not in SAMPLING_MODES:
        raise ValueError(
            f"align_corners must be None unless mode is one of {SAMPLING_MODES}, got "
            f"{align_corners} for {name!r}"
        )
    if antialias and name not in SAMPLING_MODES:
        raise ValueError(
            f"antialias must be False unless mode is one of {SAMPLING_MODES}, got True for {name!r}"
        )
    return name, bool(align_corners), bool(antialias)


def resized(
    sizes: Sequence[int], size: object, scale_factor: object, recompute_scale_factor: object
) -> list[tuple[int, float | None]]:
    """Return for each axis the size wanted, and the scale if coordinates are to follow it."""
    if recompute_scale_factor is not None:
        flag(recompute_scale_factor, "recompute_scale_factor")
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"size or scale_factor must be given, and not both, got {shown(size)} and "
            f"{shown(scale_factor)}"
        )
    if size is not None:
        if recompute_scale_factor:
            raise ValueError("recompute_scale_factor must not be True where size is given")
        wanted = per_axis(size, len(sizes), "size", 1)
        _check_tables(wanted)
        return [(one, None) for one in wanted]
    scales = _scales(scale_factor, len(sizes))
    wanted = tuple(_scaled(one, scale) for one, scale in zip(sizes, scales))
    _check_tables(wanted)
    return [(one, None if recompute_scale_factor else scale) for one, scale in zip(wanted, scales)]


def _scales(value: object, axes: int) -> list[float]:
    values: list[Any] = [value] * axes
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        values = list(value)
    if len(values) != axes:
        raise ValueError(
            f"scale_factor must be a number or have {axes} of them, one for each spatial axis, "
            f"got {shown(value)}"
        )
    return [_scale(one) for one in values]


def _scale(value: Any) -> float:
    scale = number(value, "scale_factor")
    if not 0 < scale < LIMIT:
        raise ValueError(f"scale_factor must be positive and below 2**62, got {scale}")
    return scale


def _scaled(size: int, scale: float) -> int:
    wanted = math.floor(size * scale)
    if wanted < 1:
        raise ValueError(f"scale_factor must leave a size of at least 1, got {scale} for {size}")
    return wanted


def _check_tables(sizes: Sequence[int]) -> None:
    for one in sizes:
        check_memory((one,), 64, "tables for resizing")
