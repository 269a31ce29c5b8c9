"""Arguments of padding."""

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._engine.arguments.general import LIMIT, check_memory, integer, one_of, shown
from convx._engine.boundary import PAD_MODES, goes_round

# What a constant may be, by the kind of the array's dtype; other kinds ask NumPy.
_NUMBERS: dict[str, type] = {
    "b": numbers.Real,
    "i": numbers.Real,
    "u": numbers.Real,
    "f": numbers.Real,
    "c": numbers.Complex,
}


def pad_mode(value: object) -> str:
    """Return the mode if there is such a one."""
    return one_of(value, PAD_MODES, "mode")


def pad_widths(value: object, shape: Sequence[int], mode: str) -> list[tuple[int, int]]:
    """Return (low, high) for the last axes of an array, the last of them last."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise TypeError(f"pad must be a sequence of integers, got {shown(value)}")
    if len(value) % 2 or len(value) > 2 * len(shape):
        raise ValueError(
            f"pad must have two widths for each of at most {len(shape)} axes, the last axis "
            f"first, got {shown(value)}"
        )
    widths = [integer(one, "pad") for one in value]
    pairs = list(zip(widths[-2::-2], widths[::-2]))
    for axis, (low, high) in enumerate(pairs, len(shape) - len(pairs)):
        _check_padded_axis(shape[axis], low, high, mode, axis)
    return pairs


def _check_padded_axis(size: int, low: int, high: int, mode: str, axis: int) -> None:
    here = f"got {low} and {high} for size {size} of axis {axis}"
    if not 0 <= size + low + high < LIMIT:
        raise ValueError(f"pad must leave a size from 0 to 2**62 - 1, {here}")
    check_memory((max(low, 0) + max(high, 0),), 32, "tables for padding")
    if mode == "constant" or size + low + high == 0:
        return
    if size == 0:
        raise ValueError(f"pad must be 0 where there is no sample to take, {here}")
    if goes_round(mode) and (low > 0 or high > 0) and (low <= -size or high <= -size):
        raise ValueError(f"pad must leave a sample to repeat in mode {mode!r}, {here}")


def pad_value(value: object, mode: str, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Return what a constant fills with, in the array's dtype; None for other modes."""
    if mode != "constant":
        if value is not None and not (isinstance(value, numbers.Complex) and value == 0):
            raise ValueError(
                f"value must be None unless mode is 'constant', got {shown(value)} for {mode!r}"
            )
        return None
    if value is None:
        return np.zeros((), dtype)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    allowed = _NUMBERS.get(dtype.kind)
    if allowed and not isinstance(value, allowed | np.bool_):
        raise TypeError(f"value must be a number that fits {dtype}, got {shown(value)}")
    try:
        with np.errstate(over="ignore"):
            fill = np.array(value).astype(dtype) if dtype.kind in "fc" else np.array(value, dtype)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"value must fit the dtype {dtype}, got {shown(value)}") from None
    whole = dtype.kind not in "iu" or fill == value
    too_large = dtype.kind == "f" and np.isinf(fill) and not math.isinf(value)  # type: ignore[arg-type]
    if fill.ndim or not whole or too_large:
        raise ValueError(f"value must fit the dtype {dtype}, got {shown(value)}")
    return fill
