"""Arguments of losses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._engine.arguments.general import number, one_of

REDUCTIONS = ("none", "mean", "sum")


def reduction(value: object) -> str:
    """Return how losses are put together."""
    return one_of(value, REDUCTIONS, "reduction")


def label_smoothing(value: object) -> float:
    """Return the share of the label that is spread over all classes."""
    share = number(value, "label_smoothing")
    if not 0 <= share <= 1:
        raise ValueError(f"label_smoothing must be from 0 to 1, got {share}")
    return share


def delta(value: object, name: str, zero: bool) -> float:
    """Return the difference at which a loss becomes linear; ``zero`` tells whether it may be 0."""
    size = number(value, name)
    if size < 0 or (size == 0 and not zero):
        raise ValueError(f"{name} must be {'non-negative' if zero else 'positive'}, got {size}")
    return size


def check_class_count(sizes: Sequence[int]) -> None:
    """Raise unless there is an axis of classes, with some."""
    if not sizes or sizes[min(len(sizes) - 1, 1)] < 1:
        raise ValueError(
            "input must have at least one class, on axis 1 or, without a batch, on axis 0, got "
            f"shape {tuple(sizes)}"
        )


def class_targets(target: NDArray[Any], sizes: tuple[int, ...]) -> NDArray[np.int64]:
    """Return targets that are class indices, in the shape of the input without its classes."""
    if target.dtype.kind not in "iu":
        raise TypeError(
            f"target must have an integer dtype for class indices, got {target.dtype} of shape "
            f"{target.shape}"
        )
    expected = sizes[:1] + sizes[2:] if len(sizes) > 1 else ()
    if target.shape != expected:
        raise ValueError(
            f"target must have shape {expected}, that of the input {sizes} without its classes, "
            f"got {target.shape}"
        )
    if target.dtype == np.uint64 and target.size and int(target.max()) >= 2**63:
        raise ValueError(f"target must be a class, got {int(target.max())}")
    return np.ascontiguousarray(target, dtype=np.int64).reshape(-1)


def check_target_range(
    target: NDArray[np.int64], ignored: NDArray[np.bool], classes: int, ignore_index: int
) -> None:
    """Raise unless every target is a class, or ignored."""
    wrong = target[((target < 0) | (target >= classes)) & ~ignored]
    if wrong.size:
        raise ValueError(
            f"target must be from 0 to {classes - 1}, or ignore_index {ignore_index}, got "
            f"{int(wrong[0])}"
        )


def check_broadcast(sizes: tuple[int, ...], expected: tuple[int, ...], name: str) -> None:
    """Raise unless an array can be broadcast to a shape."""
    try:
        if np.broadcast_shapes(sizes, expected) == expected:
            return
    except ValueError:
        pass
    raise ValueError(f"{name} must broadcast to the shape {expected}, got {sizes}")


def check_unit_interval(array: NDArray[Any], name: str) -> None:
    """Raise unless all values are probabilities; NaN is none."""
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(
            f"{name} must be from 0 to 1, got values from {array.min()} to {array.max()}"
        )


def check_mutual_broadcast(input_sizes: tuple[int, ...], target_sizes: tuple[int, ...]) -> None:
    """Raise unless input and target can be broadcast to one another."""
    try:
        np.broadcast_shapes(input_sizes, target_sizes)
    except ValueError:
        raise ValueError(
            f"target must have the input's shape {input_sizes}, or one that broadcasts with it, "
            f"got {target_sizes}"
        ) from None


def targets_are_probabilities(
    target: NDArray[Any], sizes: tuple[int, ...], ignore_index: int | None
) -> bool:
    """Tell whether targets are probabilities of all classes; then nothing can be ignored."""
    if target.shape != sizes:
        return False
    if target.dtype.kind != "f":
        raise TypeError(
            f"target must have a floating dtype where it has the input's shape, got {target.dtype}"
        )
    if ignore_index is not None and ignore_index >= 0:
        raise ValueError(
            f"ignore_index must be negative for targets that are probabilities, got {ignore_index}"
        )
    return True


def check_real_dtype(dtype: np.dtype[Any], name: str, integers: bool = False) -> None:
    """Raise unless a dtype is a floating one, or if told so an integer one."""
    if dtype.kind not in ("fiu" if integers else "f"):
        kinds = "float16, float32, float64" + (" or an integer one" if integers else "")
        raise TypeError(f"{name} must have a dtype of {kinds}, got {dtype}")
