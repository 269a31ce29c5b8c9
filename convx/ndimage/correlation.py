"""Correlation and convolution."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from convx._engine.dtypes import AnyArray
from convx._engine.threads import workers_or_all
from convx._ops import images


def correlate(
    input: ArrayLike,
    weights: ArrayLike,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: int | Sequence[int] = 0,
    *,
    axes: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = 1,
    stride: int | Sequence[int] = 1,
    accumulate: str | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Correlate an image with a kernel.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    weights : array_like
        As many axes as are filtered. Real weights are taken in double precision.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str, optional
        What stands beyond the border: 'reflect', 'mirror', 'nearest', 'wrap', 'constant', or one of
        'grid-mirror', 'grid-wrap', 'grid-constant', which mean the same as 'reflect', 'wrap',
        'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
    origin : int or sequence of int, optional
        How far the window is shifted, from ``-(taps // 2)`` to ``(taps - 1) // 2``.
    axes : int or tuple of int, optional
        The axes that are filtered, all by default; the others are a batch.
    dilation : int or sequence of int, optional
        Distance of neighbouring weights.
    stride : int or sequence of int, optional
        Every so manieth result is computed along all filtered axes or each, from the first on.
    accumulate : {None, 'float32', 'float64'}, optional
        'float64' computes float32 images in double precision, as SciPy does.
    workers : int, optional
        Threads to use at most; by default what :func:`convx.set_num_threads` says.

    Returns
    -------
    array
        The filtered image.

    Raises
    ------
    ValueError, TypeError, MemoryError
        If an argument is not as described; also a RuntimeError where SciPy raises one.

    Notes
    -----
    Names, arguments and results are those of
    ``scipy.ndimage.correlate``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.
    Complex weights are conjugated.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.correlate(np.arange(5), [1, 2, 4])
    array([ 4, 10, 17, 24, 27])
    >>> ndimage.correlate(np.arange(5), [1, 2, 4], stride=2)
    array([ 4, 17, 27])
    """
    how = output, mode, cval, origin, axes, dilation, accumulate, stride
    if workers is None:
        return images.correlate(input, weights, *how, turned=False)
    with workers_or_all(workers):
        return images.correlate(input, weights, *how, turned=False)


def convolve(
    input: ArrayLike,
    weights: ArrayLike,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: int | Sequence[int] = 0,
    *,
    axes: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = 1,
    stride: int | Sequence[int] = 1,
    accumulate: str | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Convolve an image with a kernel, which is turned first.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    weights : array_like
        As many axes as are filtered. Real weights are taken in double precision.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str, optional
        What stands beyond the border: 'reflect', 'mirror', 'nearest', 'wrap', 'constant', or one of
        'grid-mirror', 'grid-wrap', 'grid-constant', which mean the same as 'reflect', 'wrap',
        'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
    origin : int or sequence of int, optional
        How far the window is shifted, from ``-(taps // 2)`` to ``(taps - 1) // 2``.
    axes : int or tuple of int, optional
        The axes that are filtered, all by default; the others are a batch.
    dilation : int or sequence of int, optional
        Distance of neighbouring weights.
    stride : int or sequence of int, optional
        Every so manieth result is computed along all filtered axes or each, from the first on.
    accumulate : {None, 'float32', 'float64'}, optional
        'float64' computes float32 images in double precision, as SciPy does.
    workers : int, optional
        Threads to use at most; by default what :func:`convx.set_num_threads` says.

    Returns
    -------
    array
        The filtered image.

    Raises
    ------
    ValueError, TypeError, MemoryError
        If an argument is not as described; also a RuntimeError where SciPy raises one.

    Notes
    -----
    Names, arguments and results are those of
    ``scipy.ndimage.convolve``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.convolve(np.arange(5), [1, 2, 4])
    array([ 1,  4, 11, 18, 24])
    """
    how = output, mode, cval, origin, axes, dilation, accumulate, stride
    if workers is None:
        return images.correlate(input, weights, *how, turned=True)
    with workers_or_all(workers):
        return images.correlate(input, weights, *how, turned=True)


def correlate1d(
    input: ArrayLike,
    weights: ArrayLike,
    axis: int = -1,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
    *,
    dilation: int = 1,
    accumulate: str | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Correlate an image along one axis.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    weights : array_like
        One axis of weights.
    axis : int, optional
        The axis that is filtered.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str, optional
        What stands beyond the border: 'reflect', 'mirror', 'nearest', 'wrap', 'constant', or one of
        'grid-mirror', 'grid-wrap', 'grid-constant', which mean the same as 'reflect', 'wrap',
        'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
    origin : int, optional
        How far the window is shifted, from ``-(taps // 2)`` to ``(taps - 1) // 2``.
    dilation : int, optional
        Distance of neighbouring weights.
    accumulate : {None, 'float32', 'float64'}, optional
        'float64' computes float32 images in double precision, as SciPy does.
    workers : int, optional
        Threads to use at most; by default what :func:`convx.set_num_threads` says.

    Returns
    -------
    array
        The filtered image.

    Raises
    ------
    ValueError, TypeError, MemoryError
        If an argument is not as described; also a RuntimeError where SciPy raises one.

    Notes
    -----
    Names, arguments and results are those of
    ``scipy.ndimage.correlate1d``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.
    Complex weights are conjugated.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.correlate1d([[1, 2, 4, 8]], [-1, 0, 1], mode="nearest")
    array([[1, 3, 6, 4]])
    """
    with workers_or_all(workers):
        x = images.image(input)
        factors = np.asarray(weights).conj()
        place = images.line(x, axis)
        return images.correlate1d(
            x, factors, place, output, mode, cval, origin, dilation, accumulate
        )


def convolve1d(
    input: ArrayLike,
    weights: ArrayLike,
    axis: int = -1,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
    *,
    dilation: int = 1,
    accumulate: str | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Convolve an image along one axis with weights, which are turned first.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    weights : array_like
        One axis of weights.
    axis : int, optional
        The axis that is filtered.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str, optional
        What stands beyond the border: 'reflect', 'mirror', 'nearest', 'wrap', 'constant', or one of
        'grid-mirror', 'grid-wrap', 'grid-constant', which mean the same as 'reflect', 'wrap',
        'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
    origin : int, optional
        How far the window is shifted, from ``-(taps // 2)`` to ``(taps - 1) // 2``.
    dilation : int, optional
        Distance of neighbouring weights.
    accumulate : {None, 'float32', 'float64'}, optional
        'float64' computes float32 images in double precision, as SciPy does.
    workers : int, optional
        Threads to use at most; by default what :func:`convx.set_num_threads` says.

    Returns
    -------
    array
        The filtered image.

    Raises
    ------
    ValueError, TypeError, MemoryError
        If an argument is not as described; also a RuntimeError where SciPy raises one.

    Notes
    -----
    Names, arguments and results are those of
    ``scipy.ndimage.convolve1d``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.convolve1d([[1, 2, 4, 8]], [-1, 0, 1], mode="nearest")
    array([[-1, -3, -6, -4]])
    """
    with workers_or_all(workers):
        x = images.image(input)
        factors = np.atleast_1d(np.asarray(weights))[::-1]
        place = images.line(x, axis)
        turned = -origin - (len(factors) % 2 == 0)
        return images.correlate1d(
            x, factors, place, output, mode, cval, turned, dilation, accumulate
        )
