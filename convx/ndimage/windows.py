"""Means, maxima and minima of windows."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, DTypeLike, NDArray

from convx._engine.dtypes import AnyArray
from convx._engine.threads import workers_or_all
from convx._ops import images


def uniform_filter1d(
    input: ArrayLike,
    size: int,
    axis: int = -1,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
    *,
    accumulate: str | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Take the mean of a window along one axis.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    size : int
        Elements of the window.
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
    ``scipy.ndimage.uniform_filter1d``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.
    There is no running sum: NaN and infinities are in the means of the windows that have them.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.uniform_filter1d([3, 0, 3, 9, 0], 3)
    array([2, 2, 4, 4, 3])
    """
    with workers_or_all(workers):
        how = size, axis, output, mode, cval, origin, accumulate
        return images.along_one_axis(input, *how, what="mean")


def uniform_filter(
    input: ArrayLike,
    size: int | Sequence[int] = 3,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str | Sequence[str] = "reflect",
    cval: complex = 0.0,
    origin: int | Sequence[int] = 0,
    *,
    axes: int | Sequence[int] | None = None,
    accumulate: str | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Take the mean of a box, axis by axis.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    size : int or sequence of int, optional
        Elements of the window, for all axes or one for each.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str or sequence of str, optional
        What stands beyond the border, for all axes or one for each: 'reflect', 'mirror', 'nearest',
        'wrap', 'constant', or one of 'grid-mirror', 'grid-wrap', 'grid-constant', which mean the
        same as 'reflect', 'wrap', 'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
    origin : int or sequence of int, optional
        How far the window is shifted, from ``-(taps // 2)`` to ``(taps - 1) // 2``.
    axes : int or tuple of int, optional
        The axes that are filtered, all by default; the others are a batch.
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
    ``scipy.ndimage.uniform_filter``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.
    There is no running sum: NaN and infinities are in the means of the windows that have them.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.uniform_filter(np.eye(3), 3).round(2)
    array([[0.56, 0.33, 0.11],
           [0.33, 0.33, 0.33],
           [0.11, 0.33, 0.56]])
    """
    with workers_or_all(workers):
        return images.means(input, size, output, mode, cval, origin, axes, accumulate)


def maximum_filter1d(
    input: ArrayLike,
    size: int,
    axis: int = -1,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
    *,
    workers: int | None = None,
) -> AnyArray:
    """Take the maximum of a window along one axis.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32 or float64.
    size : int
        Elements of the window.
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
    Names, arguments and results are those of ``scipy.ndimage.maximum_filter1d``, but
    that NaN is in the result wherever the window has one.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.maximum_filter1d([3, 0, 2, 9, 0], 3)
    array([3, 3, 9, 9, 9])
    """
    with workers_or_all(workers):
        how = size, axis, output, mode, cval, origin
        return images.along_one_axis(input, *how, what="max")


def maximum_filter(
    input: ArrayLike,
    size: int | Sequence[int] | None = None,
    footprint: ArrayLike | None = None,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str | Sequence[str] = "reflect",
    cval: complex = 0.0,
    origin: int | Sequence[int] = 0,
    *,
    axes: int | Sequence[int] | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Take the maximum of a box, or of a window of any shape.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32 or float64.
    size : int or sequence of int, optional
        Elements of the window, for all axes or one for each.
    footprint : array_like of bool, optional
        The window, with as many axes as are filtered, instead of `size`.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str or sequence of str, optional
        What stands beyond the border, for all axes or one for each: 'reflect', 'mirror', 'nearest',
        'wrap', 'constant', or one of 'grid-mirror', 'grid-wrap', 'grid-constant', which mean the
        same as 'reflect', 'wrap', 'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
    origin : int or sequence of int, optional
        How far the window is shifted, from ``-(taps // 2)`` to ``(taps - 1) // 2``.
    axes : int or tuple of int, optional
        The axes that are filtered, all by default; the others are a batch.
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
    Names, arguments and results are those of ``scipy.ndimage.maximum_filter``, but
    that NaN is in the result wherever the window has one.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.maximum_filter([[1, 2, 3], [4, 5, 6]], footprint=[[0, 1], [1, 0]])
    array([[1, 2, 3],
           [4, 4, 5]])
    """
    with workers_or_all(workers):
        return images.extrema(input, size, footprint, output, mode, cval, origin, axes, what="max")


def minimum_filter1d(
    input: ArrayLike,
    size: int,
    axis: int = -1,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
    *,
    workers: int | None = None,
) -> AnyArray:
    """Take the minimum of a window along one axis.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32 or float64.
    size : int
        Elements of the window.
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
    Names, arguments and results are those of ``scipy.ndimage.minimum_filter1d``, but
    that NaN is in the result wherever the window has one.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.minimum_filter1d([3, 0, 2, 9, 0], 3)
    array([0, 0, 0, 0, 0])
    """
    with workers_or_all(workers):
        how = size, axis, output, mode, cval, origin
        return images.along_one_axis(input, *how, what="min")


def minimum_filter(
    input: ArrayLike,
    size: int | Sequence[int] | None = None,
    footprint: ArrayLike | None = None,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str | Sequence[str] = "reflect",
    cval: complex = 0.0,
    origin: int | Sequence[int] = 0,
    *,
    axes: int | Sequence[int] | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Take the minimum of a box, or of a window of any shape.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32 or float64.
    size : int or sequence of int, optional
        Elements of the window, for all axes or one for each.
    footprint : array_like of bool, optional
        The window, with as many axes as are filtered, instead of `size`.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str or sequence of str, optional
        What stands beyond the border, for all axes or one for each: 'reflect', 'mirror', 'nearest',
        'wrap', 'constant', or one of 'grid-mirror', 'grid-wrap', 'grid-constant', which mean the
        same as 'reflect', 'wrap', 'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
    origin : int or sequence of int, optional
        How far the window is shifted, from ``-(taps // 2)`` to ``(taps - 1) // 2``.
    axes : int or tuple of int, optional
        The axes that are filtered, all by default; the others are a batch.
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
    Names, arguments and results are those of ``scipy.ndimage.minimum_filter``, but
    that NaN is in the result wherever the window has one.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.minimum_filter([[1, 2, 3], [4, 5, 6]], footprint=[[0, 1], [1, 0]])
    array([[1, 1, 2],
           [1, 2, 3]])
    """
    with workers_or_all(workers):
        return images.extrema(input, size, footprint, output, mode, cval, origin, axes, what="min")
