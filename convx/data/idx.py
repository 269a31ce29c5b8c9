"""IDX files: the format in which MNIST is distributed, one array in a file.

The file begins with two zero bytes, a code of the type and the number of axes, then the sizes as
big-endian 32-bit integers, then the elements, big-endian. Source: Y. LeCun, C. Cortes, C. J. C.
Burges, "The MNIST database of handwritten digits".
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convx._engine import arguments
from convx._engine.files import open_regular

__all__ = ["read_idx"]

Array: TypeAlias = NDArray[Any]

DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | os.PathLike[str], *, max_bytes: int = 1 << 30) -> Array:
    """Read an array from an IDX file, compressed with gzip or not.

    Parameters
    ----------
    path : str or path
        The file; whether it is compressed is seen from its first bytes.
    max_bytes : int
        How large the array may be: a small compressed file can promise anything.

    Returns
    -------
    ndarray
        Of uint8, int8, int16, int32, float32 or float64, in the byte order of the machine.

    Raises
    ------
    ValueError
        It is no IDX file, it is damaged, or its header does not match its length.
    OSError
        It is missing or cannot be read.

    Notes
    -----
    The format is that of the pages of the MNIST database (LeCun, Cortes, Burges).

    Examples
    --------
    >>> import os, tempfile
    >>> from convx.data import read_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     name = os.path.join(folder, "numbers-idx1-ubyte")
    ...     with open(name, "wb") as file:
    ...         count = file.write(bytes([0, 0, 0x08, 1, 0, 0, 0, 3, 7, 8, 9]))
    ...     read_idx(name)
    array([7, 8, 9], dtype=uint8)
    """
    path, most = Path(path), arguments.integer(max_bytes, "max_bytes", 0)
    with open_regular(path) as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            if not compressed:
                return _read(file, min(most, os.fstat(file.fileno()).st_size))
            with gzip.open(file) as plain:
                return _read(plain, most)  # type: ignore[arg-type]
        except (ValueError, EOFError, OSError, zlib.error) as error:
            raise ValueError(f"cannot read {str(path)!r}: {error}") from error


def _read(file: BinaryIO, most: int) -> Array:
    """Read header and elements, at most so many bytes."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES or not magic[3]:
        raise ValueError(f"it is not an IDX file, it begins with {magic!r}")
    dtype, ndim = np.dtype(DTYPES[magic[2]]), magic[3]
    sizes = file.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise ValueError("it is damaged: it ends within its header")
    shape = tuple(map(int, np.frombuffer(sizes, ">u4")))
    promised = math.prod(shape) * dtype.itemsize
    # Nothing is allocated for a promise that cannot be kept.
    if promised > most:
        raise ValueError(f"its header promises {promised} bytes for shape {shape}, over {most}")
    data = file.read(promised)
    if len(data) != promised or file.read(1):
        raise ValueError(
            f"it is damaged: its header promises {promised} bytes for shape {shape}, "
            f"it holds {'fewer' if len(data) < promised else 'more'}"
        )
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))
