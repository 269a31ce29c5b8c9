"""True convolution of arrays with a boundary and a mode, on top of `convx.conv_nd`."""

from __future__ import annotations

import functools
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

import convx

from .errors import CommandError
from .kernels import Stencil

__all__ = ["BOUNDARIES", "MODES", "apply", "convolve"]

Array: TypeAlias = npt.NDArray[Any]

BOUNDARIES = ("zeros", "reflect", "symmetric", "replicate", "circular")
MODES = ("same", "valid", "full")


def apply(stencil: Stencil, planes: Array, *, boundary: str, mode: str) -> Array:
    """Filter every plane by itself.

    Parameters
    ----------
    stencil : Stencil
        The kernels, with as many axes as a plane.
    planes : ndarray
        Floating-point or complex samples of shape ``(planes, *spatial)``.
    boundary : str
        One of `BOUNDARIES`: how the planes go on outside.
    mode : str
        One of `MODES`, with the meaning they have in `scipy.signal.convolve`.

    Returns
    -------
    ndarray
        The filtered planes; real, if the stencil asks for the magnitude.
    """
    if mode == "valid":
        _check_fits(stencil, planes)
    step = functools.partial(convolve, boundary=boundary, mode=mode)
    responses = (functools.reduce(step, chain, planes) for chain in stencil.chains)
    if not stencil.magnitude:
        return next(responses)
    return functools.reduce(np.hypot, map(np.abs, responses))


def convolve(planes: Array, kernel: Array, *, boundary: str, mode: str) -> Array:
    """Convolve every plane with one kernel, in the precision of the planes."""
    # The operations of convx correlate: the turn by 180 degrees makes them convolve.
    weight = np.flip(_in_precision_of(planes, kernel))[np.newaxis, np.newaxis]
    padding = tuple(_padding(size, mode) for size in kernel.shape)
    channels = planes[:, np.newaxis]
    return convx.conv_nd(channels, weight, padding=padding, padding_mode=boundary)[:, 0]


def _padding(size: int, mode: str) -> tuple[int, int]:
    """Samples to add before and after, for one axis of a kernel that has been turned.

    ``same`` is the centre of ``full``, also for even sizes: the choice of `scipy.signal`.
    """
    if mode == "same":
        return size // 2, (size - 1) // 2
    return (size - 1, size - 1) if mode == "full" else (0, 0)


def _in_precision_of(planes: Array, kernel: Array) -> Array:
    """Cast the kernel, so that float32 stays float32; a complex kernel stays complex."""
    dtype = planes.dtype
    if np.iscomplexobj(kernel):
        dtype = np.result_type(dtype, np.complex64)
    with np.errstate(over="ignore"):
        weight = kernel.astype(dtype)
    if not np.isfinite(weight).all():
        raise CommandError(f"the kernel has values that are not finite in {dtype}")
    return weight


def _check_fits(stencil: Stencil, planes: Array) -> None:
    spatial = planes.shape[1:]
    if any(size > room for size, room in zip(stencil.shape, spatial, strict=True)):
        raise CommandError(
            f"the kernel {stencil.shape} is larger than the input {spatial}: "
            "no position is left in mode 'valid'"
        )
