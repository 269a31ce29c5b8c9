"""Arguments of optimisers and of their schedules."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._engine.arguments.general import number, shown


def not_negative(value: object, name: str) -> float:
    """Return a number that may be 0, such as a learning rate."""
    found = number(value, name)
    if found < 0:
        raise ValueError(f"{name} must not be negative, got {found}")
    return found


def share(value: object, name: str) -> float:
    """Return how much of a running mean is kept: from 0 to less than 1."""
    found = number(value, name)
    if not 0 <= found < 1:
        raise ValueError(f"{name} must be from 0 to less than 1, got {found}")
    return found


def shares(value: object, name: str, count: int) -> tuple[float, ...]:
    """Return several of them."""
    if not isinstance(value, Sequence) or len(value) != count:
        raise ValueError(f"{name} must be a sequence of {count} numbers, got {shown(value)}")
    return tuple(share(one, f"{name}[{place}]") for place, one in enumerate(value))


def check_nesterov(momentum: float, dampening: float) -> None:
    """Raise where there is nothing to look ahead with."""
    if momentum <= 0 or dampening != 0:
        raise ValueError(
            f"nesterov must have a positive momentum and no dampening, got {momentum} and "
            f"{dampening}"
        )


def learned_array(value: Any) -> NDArray[Any]:
    """Return the values of a parameter if a step can change them where they are."""
    if not isinstance(value, np.ndarray) or value.dtype.char not in "fd":
        kind = getattr(value, "dtype", type(value).__name__)
        raise TypeError(f"parameters must be arrays of float32 or float64, got {kind}")
    if not value.dtype.isnative:
        raise TypeError("parameters must have the machine's byte order, got the other one")
    if not value.flags.writeable:
        raise ValueError("parameters must be writable, got a read-only array")
    return value


def check_learned_state(state: Sequence[NDArray[Any] | None], parameter: NDArray[Any]) -> None:
    """Raise unless what is kept for a parameter is as it was made: of its type and shape."""
    for kept in state:
        if kept is not None and (kept.dtype != parameter.dtype or kept.shape != parameter.shape):
            raise ValueError(
                f"state must be of its parameter's type and shape, {parameter.dtype} of "
                f"{parameter.shape}, got {kept.dtype} of {kept.shape}"
            )
