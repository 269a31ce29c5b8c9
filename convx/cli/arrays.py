"""Reading and writing ``.npy`` files, trusting nothing that the header says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from convx._engine.files import open_regular, replacing
from convx._engine.npy import read_npy

from .errors import CommandError

__all__ = ["read_array", "write_array"]

Array: TypeAlias = npt.NDArray[Any]


def read_array(path: Path) -> Array:
    """Read an array of numbers from a ``.npy`` file.

    Raises
    ------
    CommandError
        It is no ``.npy`` file, its header does not match its length, or its array is empty, has
        no axis, or holds something else than numbers.
    OSError, ValueError
        The file is missing or none.
    """
    with open_regular(path) as file:
        try:
            array = read_npy(file, os.fstat(file.fileno()).st_size)
        except ValueError as error:
            raise CommandError(f"cannot read {str(path)!r}: {error}") from error
    if not array.ndim:
        raise CommandError(f"{str(path)!r} holds a single number, not an array with axes")
    if not array.size:
        raise CommandError(f"{str(path)!r} holds an empty array of shape {array.shape}")
    return array


def write_array(path: Path, array: Array) -> None:
    """Write a ``.npy`` file, whole or not at all."""
    with replacing(path) as file:
        np.save(file, array, allow_pickle=False)
