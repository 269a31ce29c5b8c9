"""``convx filter``: convolve an image or an array with a kernel and write the result."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from convx._engine.files import check_target

from . import arrays, images, kernels
from .convolve import BOUNDARIES, MODES, apply
from .errors import CommandError

__all__ = ["add_arguments", "run"]

Array: TypeAlias = npt.NDArray[Any]
Filter: TypeAlias = Callable[[Array], Array]

DESCRIPTION = """\
Convolve an image (PNG, JPEG) or an array of any dimension (.npy) with a kernel.

This is true convolution: out[i] = sum over j of kernel[j] * in[i - j], that is,
the kernel is rotated by 180 degrees before it is laid over the input. Mode
'same' is the centre of 'full', as in scipy.signal.convolve.
"""

DETAILS = """\
kernels:
  sobel, prewitt   length of the gradient; with --axis the derivative along one axis
  laplace          sum of the second differences along all axes
  sharpen          the input minus its laplace
  emboss           relief lit from the top left (two axes)
  gaussian:SIGMA   blur, cut at 4 SIGMA
  box:K            mean of K samples along every axis
  FILE.npy         your own kernel, with one axis for each axis of the input

images:
  Every colour is filtered by itself and transparency is kept. The result is
  rounded and clipped to the range of the image, 0..255 or 0..65535; what is
  negative shows as 0, unless --offset moves it. An OUT that ends in .npy takes
  the unrounded result instead, (height, width) or (height, width, 3), without
  transparency.

arrays:
  float16, float32, float64 and complex arrays keep their type (float16 is
  computed in float32). Integers and bools are computed and written as float64.

examples:
  convx filter photo.jpg edges.png --kernel sobel --scale 0.25
  convx filter volume.npy smooth.npy --kernel gaussian:1.5 --boundary replicate
  convx filter photo.png relief.png --kernel laplace --offset 128
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description, parser.epilog = DESCRIPTION, DETAILS
    parser.add_argument("source", metavar="IN", type=Path, help=".png, .jpg, .jpeg or .npy")
    parser.add_argument("target", metavar="OUT", type=Path, help="replaced when it exists")
    parser.add_argument("--kernel", required=True, help=f"{', '.join(kernels.NAMES)} or FILE.npy")
    parser.add_argument(
        "--boundary",
        choices=BOUNDARIES,
        default="reflect",
        help="how the input goes on outside (default: reflect)",
    )
    parser.add_argument(
        "--mode", choices=MODES, default="same", help="size of the output (default: same)"
    )
    parser.add_argument(
        "--axis", type=int, help="sobel and prewitt: the derivative along this axis, with its sign"
    )
    parser.add_argument(
        "--scale", type=float, default=1.0, help="factor for the result (default: 1)"
    )
    parser.add_argument(
        "--offset", type=float, default=0.0, help="added after the scaling (default: 0)"
    )


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit code."""
    _check_paths(options.source, options.target)
    if not np.isfinite([options.scale, options.offset]).all():
        raise CommandError("--scale and --offset must be finite")
    recipe = _recipe(options.kernel)
    if options.source.suffix.lower() == ".npy":
        shape = _filter_array(options, recipe)
    else:
        shape = _filter_image(options, recipe)
    size = " x ".join(map(str, shape))
    print(
        f"{str(options.target)!r}: {options.kernel!r}, {options.boundary}, {options.mode}, {size}"
    )
    return 0


def _check_paths(source: Path, target: Path) -> None:
    known = (*images.FORMATS, ".npy")
    for path in (source, target):
        if path.suffix.lower() not in known:
            raise CommandError(f"{str(path)!r}: unknown ending, known are {', '.join(known)}")
    if source.suffix.lower() == ".npy" != target.suffix.lower():
        raise CommandError(f"{str(target)!r}: an array can only be written to a .npy file")
    check_target(target)


def _recipe(text: str) -> kernels.Recipe:
    if not text.lower().endswith(".npy"):
        return kernels.parse(text)
    kernel = arrays.read_array(Path(text))
    if not np.isfinite(kernel).all():
        raise CommandError(f"the kernel {text!r} holds NaN or infinity")
    if kernel.dtype.kind in "biu":
        kernel = kernel.astype(np.float64)

    def recipe(ndim: int, axis: int | None) -> kernels.Stencil:
        if axis is not None:
            raise CommandError(f"--axis is for sobel and prewitt, not for {text!r}")
        if kernel.ndim != ndim:
            raise CommandError(f"the kernel {text!r} has {kernel.ndim} axes, the input {ndim}")
        return kernels.stencil_of(kernel)

    return recipe


def _filter_array(options: argparse.Namespace, recipe: kernels.Recipe) -> tuple[int, ...]:
    array = arrays.read_array(options.source)
    stencil = recipe(array.ndim, options.axis)
    planes = array.astype(_compute_dtype(array.dtype), copy=False)[np.newaxis]
    result: Array = _filter(stencil, planes, options)[0]
    if array.dtype == np.float16 and not np.iscomplexobj(result):
        result = _to_float16(result)
    arrays.write_array(options.target, result)
    return result.shape


def _compute_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype == np.float16:
        return np.dtype(np.float32)
    return np.dtype(np.float64) if dtype.kind in "biu" else dtype.newbyteorder("=")


def _to_float16(array: Array) -> Array:
    with np.errstate(over="ignore"):
        return array.astype(np.float16)


def _filter_image(options: argparse.Namespace, recipe: kernels.Recipe) -> tuple[int, ...]:
    picture = images.read_picture(options.source)
    stencil = recipe(2, options.axis)
    if np.iscomplexobj(stencil.chains[0][0]):
        raise CommandError("an image cannot be filtered with a complex kernel")
    if options.target.suffix.lower() == ".npy":
        return _write_samples(options.target, _filter_planes(stencil, picture, options))
    images.check_format(options.target, picture)
    planes = _round_to(picture.planes.dtype, _filter_planes(stencil, picture, options))
    alpha = _filter_alpha(picture.alpha, stencil, options)
    images.write_picture(options.target, replace(picture, planes=planes, alpha=alpha))
    return planes.shape[1:]


def _filter_planes(
    stencil: kernels.Stencil, picture: images.Picture, options: argparse.Namespace
) -> Array:
    # float32 has 24 bits: ample for sums of 8-bit samples, short for those of 16-bit ones.
    compute = np.float32 if picture.planes.dtype == np.uint8 else np.float64
    return _filter(stencil, picture.planes.astype(compute), options)


def _write_samples(target: Path, planes: Array) -> tuple[int, ...]:
    """Write the unrounded planes of an image as (height, width) or (height, width, 3)."""
    samples = planes[0] if len(planes) == 1 else np.moveaxis(planes, 0, -1)
    arrays.write_array(target, np.ascontiguousarray(samples))
    return samples.shape


def _filter(stencil: kernels.Stencil, planes: Array, options: argparse.Namespace) -> Array:
    # Overflow and NaN in the data are the result, not a reason for warnings.
    with np.errstate(all="ignore"):
        result = apply(stencil, planes, boundary=options.boundary, mode=options.mode)
        if (options.scale, options.offset) != (1.0, 0.0):
            result = result * options.scale + options.offset
    return result


def _filter_alpha(
    alpha: Array | None, stencil: kernels.Stencil, options: argparse.Namespace
) -> Array | None:
    """Give the transparency the size of the result and leave its values alone."""
    if alpha is None or options.mode == "same":
        return alpha
    planes = alpha[np.newaxis].astype(np.float32)
    result = apply(stencil.identity(), planes, boundary=options.boundary, mode=options.mode)
    return _round_to(alpha.dtype, result[0])


def _round_to(dtype: np.dtype[Any], samples: Array) -> Array:
    with np.errstate(invalid="ignore"):
        rounded: Array = np.rint(np.clip(samples, 0, np.iinfo(dtype).max)).astype(dtype)
    return rounded
