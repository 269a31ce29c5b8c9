"""What SciPy has for the steps of ``convx demo``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from . import kernels

__all__ = ["filter", "forward", "input_gradient", "weight_gradient"]

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = tuple[Array, ...]


def filter(ndimage: ModuleType, name: str, stencil: kernels.Stencil, planes: Array) -> Arrays:
    """Call what SciPy has for the filter; its word for ``reflect`` is ``mirror``."""
    kernel = stencil.chains[0][0]
    convolve = functools.partial(ndimage.convolve, weights=kernel, mode="mirror")
    peers: dict[str, Callable[[Array], Array]] = {
        "gaussian:2": lambda plane: ndimage.gaussian_filter(plane, 2, mode="mirror"),
        "box:9": lambda plane: ndimage.uniform_filter(plane, 9, mode="mirror"),
        "sobel": lambda plane: np.hypot(
            ndimage.sobel(plane, 0, mode="mirror"), ndimage.sobel(plane, 1, mode="mirror")
        ),
        "laplace": lambda plane: ndimage.laplace(plane, mode="mirror"),
        "sharpen": convolve,
        "emboss": convolve,
    }
    return (np.stack([peers[name](plane) for plane in planes]),)


def forward(signal: ModuleType, x: Array, w: Array, b: Array) -> Arrays:
    """The layer: correlations, summed over the input channels."""
    sums = [
        sum(signal.correlate2d(plane, tap, "same") for plane, tap in zip(x, taps, strict=True))
        for taps in w
    ]
    return (np.stack(sums) + b[:, np.newaxis, np.newaxis],)


def input_gradient(signal: ModuleType, y: Array, x: Array, w: Array) -> Arrays:
    """Its gradient of the input: convolutions, summed over the filters."""
    sums = [
        sum(signal.convolve2d(plane, tap, "same") for plane, tap in zip(y, taps, strict=True))
        for taps in np.swapaxes(w, 0, 1)
    ]
    return (np.stack(sums),)


def weight_gradient(signal: ModuleType, y: Array, x: Array, w: Array) -> Arrays:
    """Its gradient of the weight: correlations of the input with the output's gradient."""
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1)])
    taps = [[signal.correlate2d(plane, out, "valid") for plane in padded] for out in y]
    return (np.array(taps),)
