"""``convx predict``: which digits pictures show."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convx import functional as F

from .arrays import read_array
from .errors import CommandError
from .images import FORMATS, read_picture
from .models import SIDE, load_model
from .training import predictions

__all__ = ["add_arguments", "digits_of", "run"]

Array: TypeAlias = NDArray[Any]

DESCRIPTION = f"""\
Tell which digit each picture shows, and how probable that is. A picture is a
PNG or JPEG file, or a .npy array of shape (H, W), (N, H, W) or (N, 1, H, W),
from 0 to 255 or from 0 to 1. Light ink on dark ground is what the networks have
learned; a picture with a light border is turned into its negative. Pictures of
other sizes are made square and scaled to {SIDE} x {SIDE}.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "weights", metavar="WEIGHTS", type=Path, help="what convx train has written"
    )
    parser.add_argument(
        "images", metavar="IMAGE", type=Path, nargs="+", help="pictures, or arrays of them"
    )


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit code."""
    _, model = load_model(options.weights)
    # All are read before anything is told: a wrong file leaves no half of an answer.
    batches = [(path, digits_of(path)) for path in options.images]
    for path, images in batches:
        for place, row in enumerate(predictions(model, images)):
            number = f"[{place}]" if len(images) > 1 else ""
            best = int(row.argmax())
            print(f"{str(path)!r}{number}: {best}, {row[best]:.2%}")
    return 0


def digits_of(path: Path) -> Array:
    """Read pictures as ``(N, 1, 28, 28)`` samples from 0 to 1, bright ink on dark ground."""
    if path.suffix.lower() == ".npy":
        planes = _planes_of_array(path)
    elif path.suffix.lower() in FORMATS:
        planes = _planes_of_picture(path)
    else:
        known = ", ".join((*FORMATS, ".npy"))
        raise CommandError(f"{str(path)!r}: unknown ending, known are {known}")
    return np.stack([_fitted(_bright_on_dark(plane)) for plane in planes])[:, np.newaxis]


def _planes_of_array(path: Path) -> Array:
    array = read_array(path)
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (2, 3) or array.dtype.kind not in "buif":
        raise CommandError(
            f"{str(path)!r} holds {array.dtype} of shape {array.shape}, not pictures of shape "
            "(H, W), (N, H, W) or (N, 1, H, W)"
        )
    planes: Array = array.reshape(-1, *array.shape[-2:]).astype(np.float32)
    lowest, highest = float(planes.min()), float(planes.max())
    if not (lowest >= 0 and highest <= 255):  # NaN is neither
        raise CommandError(f"{str(path)!r} holds samples outside of 0 to 255")
    return planes / 255 if array.dtype.kind in "ui" or highest > 1 else planes


def _planes_of_picture(path: Path) -> Array:
    picture = read_picture(path)
    white = np.iinfo(picture.planes.dtype).max
    grey: Array = picture.planes.mean(0, dtype=np.float32) / white
    if picture.alpha is not None:  # what is transparent is paper
        cover = picture.alpha.astype(np.float32) / 255
        grey = grey * cover + (1 - cover)
    return np.asarray(grey)[np.newaxis]


def _bright_on_dark(plane: Array) -> Array:
    border = np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]])
    return np.asarray(1 - plane) if np.median(border) > 0.5 else plane


def _fitted(plane: Array) -> Array:
    """Make a plane square with dark margins, and scale it to the size of the digits."""
    if plane.shape == (SIDE, SIDE):
        return plane
    side = max(plane.shape)
    margins = [((side - size) // 2, side - size - (side - size) // 2) for size in plane.shape]
    square = np.pad(plane, margins)[np.newaxis, np.newaxis]
    mode = "area" if side > SIDE else "bilinear"
    scaled: Array = F.interpolate(square, (SIDE, SIDE), mode=mode)[0, 0]
    return scaled
