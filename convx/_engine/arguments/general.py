"""Arguments of any function: integers, one for each axis, names, shapes, memory, ``out``."""

import math
import numbers
import operator
import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._engine import machine

# No size, stride or padding may reach this: sums of a few of them still fit into 64 bits.
LIMIT = 2**62


def shown(value: object) -> str:
    """What a message quotes of a value: a line, however large or deep it is."""
    return reprlib.repr(value)


def integer(value: object, name: str, least: int | None = None) -> int:
    """Return ``value`` as an int; bools, floats and strings are no integers."""
    if type(value) is int and (0 if least is None else least) <= value <= LIMIT:
        return value
    if isinstance(value, bool) or type(value).__name__ == "bool":
        raise TypeError(f"{name} must be an integer, got the bool {shown(value)}")
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"{name} must be an integer, got {shown(value)} of type {type(value).__name__}"
        ) from None
    if abs(number) > LIMIT:
        came = number if number.bit_length() < 100 else f"one of {number.bit_length()} bits"
        raise ValueError(f"{name} must be an integer up to 2**62, got {came}")
    if least is not None and number < least:
        kind = {0: "non-negative", 1: "positive"}.get(least, f"at least {least}")
        raise ValueError(f"{name} must be {kind}, got {number}")
    return number


def flag(value: object, name: str) -> bool:
    """Return an option that is true or false."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)


def number(value: object, name: str, *, finite: bool = True) -> float:
    """Return a real number; bools and strings are none, and NaN is never taken."""
    if type(value) is float and math.isfinite(value):
        return value
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{name} must be a real number, got {shown(value)} of type {type(value).__name__}"
        )
    try:
        found = float(value)
    except OverflowError:  # of an integer, which may have too many digits to be shown
        raise ValueError(f"{name} must be finite, got more than float64 holds") from None
    if math.isnan(found) or (finite and math.isinf(found)):
        raise ValueError(f"{name} must be {'finite' if finite else 'a number'}, got {found}")
    return found


def generator(value: object) -> "np.random.Generator":
    """Return the source of chance that ``rng`` stands for."""
    try:
        return np.random.default_rng(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            "rng must be None, a seed or a generator, as numpy.random.default_rng takes them, got "
            f"{shown(value)}"
        ) from None


def per_axis(value: object, axes: int, name: str, least: int | None = None) -> tuple[int, ...]:
    """Return one integer for each axis, from one for all of them or a sequence."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if len(value) != axes:
            raise ValueError(
                f"{name} must be an integer or have {axes} of them, one for each spatial axis, "
                f"got {shown(value)}"
            )
        return tuple(integer(one, name, least) for one in value)
    return (integer(value, name, least),) * axes


def one_of(value: object, allowed: Sequence[str], name: str) -> str:
    """Return ``value`` if it is one of the names that are allowed."""
    if not isinstance(value, str):
        raise TypeError(
            f"{name} must be a string, one of {', '.join(map(repr, allowed))}, got {shown(value)}"
        )
    if value not in allowed:
        raise ValueError(
            f"{name} must be one of {', '.join(map(repr, allowed))}, got {shown(value)}"
        )
    return value


def thread_count(value: object, most: int, name: str = "n") -> int:
    """Return a number of threads."""
    count = integer(value, name, 1)
    if count > most:
        raise ValueError(f"{name} must be at most {most} threads, got {count}")
    return count


def check_shape(shape: Sequence[int], expected: Sequence[int], name: str, why: str) -> None:
    """Raise unless an array has the shape that the others ask for."""
    if tuple(shape) != tuple(expected):
        raise ValueError(f"{name} must have shape {tuple(expected)} {why}, got {tuple(shape)}")


def check_positive_sizes(shape: Sequence[int], name: str, what: str) -> None:
    """Raise if one of the sizes is 0."""
    if 0 in shape:
        raise ValueError(f"{name} must have no {what} of size 0, got {tuple(shape)}")


def check_memory(shape: Sequence[int], item_size: int, what: str) -> None:
    """Raise MemoryError, before anything is allocated, for what no machine like this can hold."""
    size = item_size * math.prod(shape)
    if 0 < size < machine.MEMORY_BYTES:
        return
    if size >= machine.MEMORY_BYTES:
        raise MemoryError(
            f"{what} of shape {tuple(shape)} would take {size} bytes, more than the machine's "
            f"memory of {machine.MEMORY_BYTES}"
        )
    if item_size * math.prod(max(one, 1) for one in shape) >= 2**63:
        raise MemoryError(f"{what} of shape {tuple(shape)} would have strides beyond 64 bits")


def shape(value: object, name: str) -> tuple[int, ...]:
    """Return a shape from a sequence of sizes."""
    if not isinstance(value, (tuple, Sequence)) or isinstance(value, str | bytes):
        raise TypeError(f"{name} must be a sequence of sizes, got {shown(value)}")
    return tuple(integer(one, name, 0) for one in value)


def check_out(out: object, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return ``out`` if it can take the result as it is."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be a NumPy array, got {type(out).__name__}")
    if out.shape != shape:
        raise ValueError(f"out must have the shape of the result {shape}, got {out.shape}")
    if out.dtype != dtype:
        raise TypeError(f"out must have the dtype of the result {dtype}, got {out.dtype}")
    if not out.flags.writeable:
        raise ValueError("out must be writable, got a read-only array")
    if out.size and any(step == 0 and size > 1 for step, size in zip(out.strides, out.shape)):
        raise ValueError(
            f"out must have memory of its own for every element, got strides {out.strides}"
        )
    return out


def check_batched(ndim: int, axes: int, name: str) -> bool:
    """Tell whether an array has a batch axis before channels and spatial axes."""
    if ndim not in (axes + 1, axes + 2):
        raise ValueError(
            f"{name} must have {axes + 2} axes (batch, channels, {axes} spatial) or {axes + 1} "
            f"(channels, {axes} spatial), got {ndim}"
        )
    return ndim == axes + 2
