"""Named arrays in files: ``.npz`` and ``.safetensors``, and never a pickle.

What is read is not trusted: names, types and sizes are checked before memory is taken, and what
is wrong with a file is a ValueError of one line.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convx._engine import arguments
from convx._engine.files import open_regular, replacing
from convx._engine.npy import NUMBERS, read_npy

__all__ = ["load", "save"]

Array: TypeAlias = NDArray[Any]

#: What a file may unpack to by default: weights hardly shrink, so more is a bomb.
EXPANSION, LEAST_LIMIT = 16, 32 << 20

SAFETENSORS_DTYPES = {
    "BOOL": "?",
    **{f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)},
    **{f"F{8 * size}": f"<f{size}" for size in (2, 4, 8)},
    "C64": "<c8",
}


def save(path: str | os.PathLike[str], state: Mapping[str, Any]) -> None:
    """Write named arrays to a file, whole or not at all.

    Parameters
    ----------
    path : str or path
        A name that ends in ``.npz``, or in ``.safetensors``, which needs the package of that name.
    state : mapping of str to array_like
        Arrays of numbers, for example ``model.state_dict()``. The same arrays make the same bytes.

    Raises
    ------
    ValueError
        The ending is another one, or a name cannot be one in a file.
    TypeError
        A name is no string, or a value holds something else than numbers.
    ImportError
        safetensors is not installed.
    OSError
        The file cannot be written.

    Notes
    -----
    An ``.npz`` file is the format of :func:`numpy.savez`, not compressed. For safetensors see
    https://github.com/huggingface/safetensors.

    Examples
    --------
    >>> import os, tempfile
    >>> from convx import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "weights.npz")
    ...     nn.save(path, {"0.weight": [[1.0, 2.0]], "0.bias": [3.0]})
    ...     nn.load(path)
    {'0.weight': array([[1., 2.]]), '0.bias': array([3.])}
    """
    path = Path(path)
    write = _FORMATS[_format(path)][0]
    write(path, {_checked_name(name): _numbers(name, value) for name, value in state.items()})


def load(path: str | os.PathLike[str], *, max_bytes: int | None = None) -> dict[str, Array]:
    """Read named arrays from a file that :func:`save` or another program wrote.

    Parameters
    ----------
    path : str or path
        A ``.npz`` or ``.safetensors`` file.
    max_bytes : int, optional
        How much memory the arrays may take: by default 16 times the size of the file and at
        least 32 MiB.

    Returns
    -------
    dict of str to ndarray
        The arrays in the order of the file, for example for ``model.load_state_dict``. Those of
        type bfloat16 become float32.

    Raises
    ------
    ValueError
        The file is damaged, no file of its kind, holds something else than numbers, has names
        that are no names of weights or are there twice, or unpacks to more than ``max_bytes``.
    ImportError
        safetensors is not installed.
    OSError
        The file is missing or cannot be read.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from convx import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "weights.npz")
    ...     np.savez(path, weight=np.eye(2, dtype=np.float32))
    ...     nn.load(path)["weight"]
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    path = Path(path)
    read = _FORMATS[_format(path)][1]
    if max_bytes is not None:
        max_bytes = arguments.integer(max_bytes, "max_bytes", 0)
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        most = max(EXPANSION * size, LEAST_LIMIT) if max_bytes is None else max_bytes
        try:
            return read(file, size, most)
        except (ImportError, MemoryError):
            raise
        except Exception as error:  # whatever a parser trips over, the file is what is wrong
            raise ValueError(f"cannot load {str(path)!r}: {_one_line(error)}") from error


def _format(path: Path) -> str:
    if path.suffix.lower() not in _FORMATS:
        raise ValueError(f"path must end in {' or '.join(_FORMATS)}, got {str(path)!r}")
    return path.suffix.lower()


def _checked_name(name: Any) -> str:
    """Return a name that could be that of a parameter: dotted, and no path."""
    if not isinstance(name, str):
        raise TypeError(f"names of arrays must be strings, got {name!r}")
    parts = name.split(".")
    if not all(parts) or any(not one.isprintable() or one in "/\\" for one in name):
        raise ValueError(f"names of arrays must be dotted names of parameters, got {name!r}")
    return name


def _numbers(name: str, value: Any) -> Array:
    array = np.asarray(value)
    if array.dtype.char not in NUMBERS:
        raise TypeError(f"{name} must hold numbers, got {array.dtype}")
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


# Zip files of .npy files


def _write_npz(path: Path, state: dict[str, Array]) -> None:
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in state.items():
            # Without a time of its own, so that the same arrays make the same bytes.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _read_npz(file: BinaryIO, size: int, most: int) -> dict[str, Array]:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_members(members, size, most)
        return {_name_of(member): _read_member(archive, member) for member in members}


def _check_members(members: list[zipfile.ZipInfo], size: int, most: int) -> None:
    """Look at what the directory of the archive says, before anything is unpacked."""
    names = [_name_of(member) for member in members]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has the name {twice!r} twice")
    plain = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if any(one.flag_bits & 1 or one.compress_type not in plain for one in members):
        raise ValueError("it is encrypted, or compressed in a way that NumPy does not use")
    if sum(member.compress_size for member in members) > size:
        raise ValueError("it is damaged: its parts are larger than the file, or overlap")
    promised = sum(member.file_size for member in members)
    if promised > most:
        raise ValueError(
            f"it has {size} bytes and unpacks to {promised}, over the limit of {most}; "
            "give max_bytes if this is meant"
        )


def _name_of(member: zipfile.ZipInfo) -> str:
    name = member.orig_filename
    if not name.endswith(".npy"):
        raise ValueError(f"it has a part {name!r} that is no .npy file")
    return _checked_name(name.removesuffix(".npy"))


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    try:
        with archive.open(member) as stream:
            array = read_npy(stream, member.file_size)  # type: ignore[arg-type]
            return np.asarray(array, order="C")
    except Exception as error:
        raise ValueError(f"{member.orig_filename}: {error}") from error


# safetensors


def _write_safetensors(path: Path, state: dict[str, Array]) -> None:
    for name, array in state.items():
        if array.dtype == np.complex128:
            raise TypeError(f"{name} is complex128, which safetensors does not have")
    data = _safetensors().numpy.save(state)
    with replacing(path) as file:
        file.write(data)


def _read_safetensors(file: BinaryIO, size: int, most: int) -> dict[str, Array]:
    if size > most:
        raise ValueError(f"it has {size} bytes, over the limit of {most}")
    found = _safetensors().deserialize(file.read())
    return {_checked_name(name): _array_of(name, told) for name, told in found}


def _array_of(name: str, told: dict[str, Any]) -> Array:
    if told["dtype"] == "BF16":  # the upper half of a float32
        halves = np.frombuffer(told["data"], "<u2")
        array = (halves.astype(np.uint32) << 16).view(np.float32)
    elif told["dtype"] in SAFETENSORS_DTYPES:
        dtype = np.dtype(SAFETENSORS_DTYPES[told["dtype"]])
        array = np.frombuffer(told["data"], dtype).astype(dtype.newbyteorder("="))
    else:
        raise ValueError(f"{name} has the type {told['dtype']}, which NumPy does not have")
    return array.reshape(told["shape"])


def _safetensors() -> ModuleType:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "safetensors files need safetensors, which is not installed: "
            "pip install 'convx-cpu[safetensors]'"
        ) from error
    return safetensors


_FORMATS = {
    ".npz": (_write_npz, _read_npz),
    ".safetensors": (_write_safetensors, _read_safetensors),
}
