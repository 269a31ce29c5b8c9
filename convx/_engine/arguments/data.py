"""Arguments of what loads data."""

from typing import Any

import numpy as np


def items_of(dataset: Any) -> int:
    """Return how many items a data set has, of arrays the length that they have in common."""
    if isinstance(dataset, tuple):
        return _common_length(dataset)
    if isinstance(dataset, np.ndarray):
        return _common_length((dataset,))
    if isinstance(dataset, str | bytes | dict) or not (
        hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
    ):
        raise TypeError(
            "dataset must be an array, a tuple of arrays, or have a length and items by number, "
            f"got {type(dataset).__name__}"
        )
    return len(dataset)


def _common_length(arrays: tuple[Any, ...]) -> int:
    for array in arrays:
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"dataset must have NumPy arrays in its tuple, got {type(array).__name__}"
            )
    shapes = [array.shape for array in arrays]
    if not shapes or not all(shapes):
        raise ValueError(
            f"dataset must have arrays whose first axis counts the items, got shapes {shapes}"
        )
    if len({shape[0] for shape in shapes}) > 1:
        raise ValueError(f"dataset must have arrays of one length, got shapes {shapes}")
    return int(shapes[0][0])
