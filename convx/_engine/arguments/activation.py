"""Arguments of activations, softmax and dropout: numbers, an axis, chance."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._engine.arguments.general import check_out, flag, integer, number, shown


def bounds(low: object, high: object, names: tuple[str, str]) -> tuple[float, float]:
    """Return the ends of an interval that may be infinite."""
    first, last = (number(one, name, finite=False) for one, name in zip((low, high), names))
    check_order(first, last, names)
    return first, last


def check_order(low: float, high: float, names: tuple[str, str]) -> None:
    """Raise unless the ends of an interval are in order."""
    if low > high:
        raise ValueError(f"{names[0]} must be at most {names[1]}, got {low} and {high}")


def integer_bounds(low: float, high: float, dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return bounds of integers, cut to whole numbers, that the dtype holds."""
    info = np.iinfo(dtype)
    for bound, name in ((low, "min_val"), (high, "max_val")):
        if not info.min - 1 < bound < info.max + 1:
            raise ValueError(
                f"{name} must lie within {info.min} and {info.max} for {dtype}, got {bound}"
            )
    return int(low), int(high)


def probability(value: object) -> float:
    """Return the probability ``p``."""
    p = number(value, "p")
    if not 0 <= p <= 1:
        raise ValueError(f"p must be a probability between 0 and 1, got {shown(value)}")
    return p


def dimension(value: object, ndim: int) -> int:
    """Return the axis ``dim``, counted from the front; an array without axes counts as of one."""
    axes = max(ndim, 1)
    axis = integer(value, "dim")
    if not -axes <= axis < axes:
        raise ValueError(f"dim must be from {-axes} to {axes - 1}, got {axis}")
    return axis % axes


def float_dtype(value: object) -> np.dtype[Any]:
    """Return a floating dtype that can be computed in, in the machine's byte order."""
    try:
        dtype = np.dtype(value)  # type: ignore[call-overload]
    except TypeError:
        dtype = np.dtype(object)
    if value is None or dtype not in (np.float16, np.float32, np.float64):
        raise TypeError(f"dtype must be float16, float32 or float64, got {shown(value)}")
    found: np.dtype[Any] = dtype.newbyteorder("=")
    return found


def place(input: object, inplace: object, out: object) -> object:
    """Return where a result goes: into the input, into ``out``, or None for memory of its own."""
    if not flag(inplace, "inplace"):
        return out
    if out is not None:
        raise ValueError("out must be None if inplace is True, for the result goes into the input")
    if not isinstance(input, np.ndarray):
        raise TypeError(
            f"input must be a NumPy array to be computed in place, got {type(input).__name__}"
        )
    if not input.flags.writeable:
        raise ValueError("input must be writable to be computed in place, got a read-only array")
    if not input.dtype.isnative:
        raise TypeError(
            f"input must be in the machine's byte order to be computed in place, got {input.dtype}"
        )
    return check_out(input, input.shape, input.dtype)


def check_slopes(weight: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise unless there is one slope, or one for each channel."""
    channels = shape[1] if len(shape) > 1 else 1
    if weight.ndim > 1 or weight.size not in (1, channels):
        raise ValueError(
            f"weight must be a number or have one axis of 1 or {channels} slopes, one for each "
            f"channel of the input {shape}, got the shape {weight.shape}"
        )


def check_axes(ndim: int, allowed: tuple[int, ...], name: str) -> None:
    """Raise unless an array has a number of axes that is allowed."""
    if ndim not in allowed:
        raise ValueError(
            f"input must have {' or '.join(map(str, allowed))} axes for {name}, got {ndim}"
        )
