"""Reading and writing ``.npy`` files, trusting nothing that the header says."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import CommandError
from .files import open_regular, replacing

__all__ = ["read_array", "write_array"]

Array: TypeAlias = npt.NDArray[Any]

#: Type codes of bool, the integers, float16 to float64, complex64 and complex128.
NUMBERS = "?bBhHiIlLqQefdFD"

_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_array(path: Path) -> Array:
    """Read an array of numbers from a ``.npy`` file.

    Raises
    ------
    CommandError
        The file is missing or no ``.npy`` file, its header does not match its length, or its
        array is empty, has no axis, or holds something else than numbers.
    """
    with open_regular(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's on headers of Python 2: they are read all right
        shape, dtype = _read_header(file, path)
        _check_kind(shape, dtype, path)
        _check_length(file, shape, dtype, path)
        file.seek(0)
        try:
            return np.load(file, allow_pickle=False)  # type: ignore[no-any-return]
        except (ValueError, OSError) as error:
            raise CommandError(f"cannot read {str(path)!r}: {error}") from error


def write_array(path: Path, array: Array) -> None:
    """Write a ``.npy`` file, whole or not at all."""
    with replacing(path) as file:
        np.save(file, array, allow_pickle=False)


def _read_header(file: BinaryIO, path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    # Whatever the parser of the header trips over, the file is what is wrong.
    try:
        version = np.lib.format.read_magic(file)
        shape, _, dtype = _HEADER_READERS[version](file)
    except Exception as error:
        raise CommandError(f"{str(path)!r} is not a .npy file of numbers") from error
    return shape, dtype


def _check_kind(shape: tuple[int, ...], dtype: np.dtype[Any], path: Path) -> None:
    if dtype.char not in NUMBERS:
        raise CommandError(f"{str(path)!r} holds {dtype}, not numbers that convx computes with")
    if not shape:
        raise CommandError(f"{str(path)!r} holds a single number, not an array with axes")
    if any(size < 1 for size in shape):
        raise CommandError(f"{str(path)!r} holds an empty array of shape {shape}")


def _check_length(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any], path: Path) -> None:
    """Compare header and file before anything of the promised size is allocated."""
    promised = math.prod(shape) * dtype.itemsize
    present = os.fstat(file.fileno()).st_size - file.tell()
    if promised != present:
        raise CommandError(
            f"{str(path)!r} is damaged: its header promises {promised} bytes, it holds {present}"
        )
