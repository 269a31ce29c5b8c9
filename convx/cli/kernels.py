"""The named kernels of ``convx filter``, each with its source.

All are written as *convolution* kernels: ``out[i] = sum_j kernel[j] * x[i - j]``. A kernel of N
axes is built from 1-D factors, so that every name except ``emboss`` means the same thing for a
signal, a picture and a volume. No kernel is normalised unless its row says so.

=============  ======================================================================
sobel          derivative ``1 0 -1`` along one axis, ``1 2 1`` along the others.
               I. Sobel, G. Feldman, "A 3x3 isotropic gradient operator for image
               processing", Stanford Artificial Intelligence Project, 1968.
prewitt        derivative ``1 0 -1`` along one axis, ``1 1 1`` along the others.
               J. M. S. Prewitt, "Object enhancement and extraction", in Picture
               Processing and Psychopictorics, Academic Press, 1970.
laplace        the sum over the axes of the second difference ``1 -2 1``: the
               five-point stencil in two dimensions.
sharpen        the sample minus its ``laplace``. R. C. Gonzalez, R. E. Woods,
               Digital Image Processing, section "Sharpening spatial filters".
emboss         relief lit from the top left corner. GIMP User Manual, "Convolution
               Matrix", rotated by 180 degrees because GIMP correlates.
gaussian:S     ``exp(-x**2 / (2 S**2))`` cut at 4 S and normalised to sum 1, as in
               `scipy.ndimage.gaussian_filter`.
box:K          the mean of K samples along every axis.
=============  ======================================================================
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import CommandError

__all__ = ["LARGEST_SIZE", "NAMES", "Stencil", "parse", "stencil_of"]

Array: TypeAlias = npt.NDArray[Any]
Recipe: TypeAlias = Callable[[int, int | None], "Stencil"]

#: Samples that ``gaussian:S`` and ``box:K`` may span along one axis.
LARGEST_SIZE = 32767

#: Axes for which a kernel of three samples each is built: 3**8 = 6561 taps.
MOST_AXES = 8

NAMES = ("sobel", "prewitt", "laplace", "sharpen", "emboss", "gaussian:SIGMA", "box:K")

DERIVATIVE = (1.0, 0.0, -1.0)
SECOND_DIFFERENCE = (1.0, -2.0, 1.0)
IDENTITY = (0.0, 1.0, 0.0)
SMOOTHING = {"sobel": (1.0, 2.0, 1.0), "prewitt": (1.0, 1.0, 1.0)}
EMBOSS = ((2.0, 1.0, 0.0), (1.0, 1.0, -1.0), (0.0, -1.0, -2.0))


@dataclass(frozen=True)
class Stencil:
    """What is done at every sample of an array of N axes.

    Parameters
    ----------
    chains : tuple of tuple of ndarray
        One chain of N-d kernels for each response; the kernels of a chain are applied one
        after another, and all chains span the same samples.
    magnitude : bool
        Whether the result is the Euclidean length of the responses, or the only response.
    """

    chains: tuple[tuple[Array, ...], ...]
    magnitude: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples that one output sample depends on, along each axis."""
        sizes = zip(*(kernel.shape for kernel in self.chains[0]), strict=True)
        return tuple(1 + sum(size - 1 for size in axis) for axis in sizes)

    def identity(self) -> Stencil:
        """The kernel of the same shape that leaves the samples as they are."""
        ndim = len(self.shape)
        deltas = (np.arange(size) == (size - 1) // 2 for size in self.shape)
        return Stencil((tuple(_along(delta, axis, ndim) for axis, delta in enumerate(deltas)),))


def stencil_of(kernel: Array) -> Stencil:
    """The stencil of one N-d kernel."""
    return Stencil(((kernel,),))


def parse(text: str) -> Recipe:
    """Read the name of a kernel.

    Parameters
    ----------
    text : str
        One of `NAMES`, with a number in the place of the capital letters.

    Returns
    -------
    callable
        Takes the number of axes and the axis of the derivative (None: the magnitude over all
        axes) and returns the `Stencil`.

    Raises
    ------
    CommandError
        The name is unknown, or its number is missing or out of range.
    """
    name, colon, parameter = text.partition(":")
    if name in _WITH_NUMBER:
        return _without_axis(text, _WITH_NUMBER[name](text, parameter))
    if name in _PLAIN and not colon:
        return _without_axis(text, _PLAIN[name])
    if name in SMOOTHING and not colon:
        return functools.partial(_gradient, name)
    raise CommandError(f"unknown kernel {text!r}; known are {', '.join(NAMES)} and FILE.npy")


def _gradient(name: str, ndim: int, axis: int | None) -> Stencil:
    _check_axes(name, ndim)
    if axis is not None and not -ndim <= axis < ndim:
        raise CommandError(f"--axis must be from {-ndim} to {ndim - 1} here, got {axis}")
    axes = range(ndim) if axis is None else [axis % ndim]
    partials = (_outer(DERIVATIVE, SMOOTHING[name], along, ndim) for along in axes)
    return Stencil(tuple((partial,) for partial in partials), magnitude=axis is None)


def _laplace_kernel(ndim: int) -> Array:
    return sum(
        (_outer(SECOND_DIFFERENCE, IDENTITY, axis, ndim) for axis in range(ndim)),
        start=np.zeros((3,) * ndim),
    )


def _laplace(ndim: int) -> Stencil:
    _check_axes("laplace", ndim)
    return stencil_of(_laplace_kernel(ndim))


def _sharpen(ndim: int) -> Stencil:
    _check_axes("sharpen", ndim)
    return stencil_of(_outer(IDENTITY, IDENTITY, 0, ndim) - _laplace_kernel(ndim))


def _emboss(ndim: int) -> Stencil:
    if ndim != 2:
        raise CommandError(f"emboss is a kernel of 2 axes, the input has {ndim}")
    return stencil_of(np.array(EMBOSS))


def _gaussian(text: str, parameter: str) -> Callable[[int], Stencil]:
    sigma = _number(text, parameter, float)
    if not (math.isfinite(sigma) and sigma > 0):
        raise CommandError(f"sigma must be positive and finite, got {text!r}")
    if 2 * (4 * sigma) + 1 > LARGEST_SIZE:
        raise CommandError(f"sigma must be at most {LARGEST_SIZE // 8}, got {text!r}")
    radius = int(4 * sigma + 0.5)
    # Scaled before it is squared: the square of the smallest sigmas is zero.
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return functools.partial(_separable, weights / weights.sum())


def _box(text: str, parameter: str) -> Callable[[int], Stencil]:
    size = _number(text, parameter, int)
    if not 1 <= size <= LARGEST_SIZE:
        raise CommandError(f"the size of a box must be from 1 to {LARGEST_SIZE}, got {text!r}")
    return functools.partial(_separable, np.full(size, 1.0 / size))


def _separable(factor: Array, ndim: int) -> Stencil:
    """One 1-D pass along each axis instead of one N-d kernel."""
    return Stencil((tuple(_along(factor, axis, ndim) for axis in range(ndim)),))


def _along(factor: npt.ArrayLike, axis: int, ndim: int) -> Array:
    shape = [1] * ndim
    shape[axis] = -1
    return np.reshape(factor, shape)


def _outer(chosen: tuple[float, ...], other: tuple[float, ...], axis: int, ndim: int) -> Array:
    """The N-d kernel with one 1-D factor along `axis` and another along all other axes."""
    factors = (_along(chosen if along == axis else other, along, ndim) for along in range(ndim))
    return functools.reduce(np.multiply, factors)


def _number(text: str, parameter: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(parameter)
    except ValueError:
        name = text.partition(":")[0]
        whole = "a whole number" if kind is int else "a number"
        raise CommandError(f"{name} needs {whole} after the colon, got {text!r}") from None


def _check_axes(name: str, ndim: int) -> None:
    if ndim > MOST_AXES:
        raise CommandError(f"{name} takes arrays of up to {MOST_AXES} axes, got {ndim}")


def _without_axis(text: str, build: Callable[[int], Stencil]) -> Recipe:
    def recipe(ndim: int, axis: int | None) -> Stencil:
        if axis is not None:
            raise CommandError(f"--axis is for sobel and prewitt, not for {text!r}")
        return build(ndim)

    return recipe


_PLAIN = {"laplace": _laplace, "sharpen": _sharpen, "emboss": _emboss}
_WITH_NUMBER = {"gaussian": _gaussian, "box": _box}
