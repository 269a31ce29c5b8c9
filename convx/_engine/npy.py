"""Streams in NumPy's ``.npy`` format, read without trust in what the header says."""

import math
import warnings
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

#: Type codes of bool, the integers, float16 to float64, complex64 and complex128.
NUMBERS = "?bBhHiIlLqQefdFD"

_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npy(file: BinaryIO, length: int) -> Array:
    """Read an array of numbers from a stream of ``length`` bytes in all.

    Raises
    ------
    ValueError
        It is no such stream, it holds something else than numbers, or the size that its header
        promises is not the one that it has. Nothing of that size is allocated before.
    """
    shape, in_columns, dtype = _read_header(file)
    if dtype.char not in NUMBERS:
        raise ValueError(f"it holds {dtype}, not numbers that convx computes with")
    promised = math.prod(shape) * dtype.itemsize
    present = length - file.tell()
    if promised != present or not all(0 <= size < 2**63 for size in shape):
        raise ValueError(
            f"it is damaged: its header promises {promised} bytes, it holds {present} "
            f"(shape {shape}, {dtype})"
        )
    array = np.empty(math.prod(shape), dtype)
    _fill(array, file)
    return array.reshape(shape, order="F" if in_columns else "C")


def _read_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    # Whatever the parser of the header trips over, the file is what is wrong. NumPy warns of
    # headers written by Python 2: they are read all right.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            version = np.lib.format.read_magic(file)
            return _HEADER_READERS[version](file)
    except Exception as error:
        raise ValueError("it is not a .npy file of numbers") from error


def _fill(array: Array, file: BinaryIO) -> None:
    """Read until the array is full and the stream at its end."""
    room = array.view(np.uint8)
    while room.size:
        count = file.readinto(room)  # type: ignore[attr-defined]
        if not count:
            raise ValueError(f"it is damaged: it ends {room.size} bytes too early")
        room = room[count:]
    if file.read(1):
        raise ValueError("it is damaged: it goes on after its end")
