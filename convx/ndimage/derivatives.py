"""Differences, and what is made of derivatives."""

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import ArrayLike, DTypeLike, NDArray

from convx._engine.dtypes import AnyArray
from convx._engine.threads import workers_or_all
from convx._ops import gaussians


def prewitt(
    input: ArrayLike,
    axis: int = -1,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str | Sequence[str] = "reflect",
    cval: complex = 0.0,
    *,
    accumulate: str | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Prewitt's filter: differences along one axis, sums of three along the others.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    axis : int, optional
        The axis that is filtered.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str or sequence of str, optional
        What stands beyond the border, for all axes or one for each: 'reflect', 'mirror', 'nearest',
        'wrap', 'constant', or one of 'grid-mirror', 'grid-wrap', 'grid-constant', which mean the
        same as 'reflect', 'wrap', 'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
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
    ``scipy.ndimage.prewitt``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.prewitt(np.add.outer(np.zeros(4), np.arange(4.0)))[1]
    array([3., 6., 6., 3.])
    """
    with workers_or_all(workers):
        return gaussians.smoothed_difference(input, [1, 1, 1], axis, output, mode, cval, accumulate)


def sobel(
    input: ArrayLike,
    axis: int = -1,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str | Sequence[str] = "reflect",
    cval: complex = 0.0,
    *,
    accumulate: str | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Sobel's filter: differences along one axis, weighted sums of three along the others.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    axis : int, optional
        The axis that is filtered.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str or sequence of str, optional
        What stands beyond the border, for all axes or one for each: 'reflect', 'mirror', 'nearest',
        'wrap', 'constant', or one of 'grid-mirror', 'grid-wrap', 'grid-constant', which mean the
        same as 'reflect', 'wrap', 'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
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
    ``scipy.ndimage.sobel``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.sobel(np.add.outer(np.zeros(4), np.arange(4.0)))[1]
    array([4., 8., 8., 4.])
    """
    with workers_or_all(workers):
        return gaussians.smoothed_difference(input, [1, 2, 1], axis, output, mode, cval, accumulate)


def laplace(
    input: ArrayLike,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str | Sequence[str] = "reflect",
    cval: complex = 0.0,
    *,
    axes: int | Sequence[int] | None = None,
    accumulate: str | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Add up second differences along the axes.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str or sequence of str, optional
        What stands beyond the border, for all axes or one for each: 'reflect', 'mirror', 'nearest',
        'wrap', 'constant', or one of 'grid-mirror', 'grid-wrap', 'grid-constant', which mean the
        same as 'reflect', 'wrap', 'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
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
    ``scipy.ndimage.laplace``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.laplace(np.arange(6.0) ** 2)
    array([ 1.,  2.,  2.,  2.,  2., -9.])
    """
    with workers_or_all(workers):
        return gaussians.laplace(input, output, mode, cval, axes, accumulate)


def generic_laplace(
    input: ArrayLike,
    derivative2: Callable[..., AnyArray],
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str | Sequence[str] = "reflect",
    cval: complex = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    axes: int | Sequence[int] | None = None,
) -> AnyArray:
    """Add up second derivatives that a function computes.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    derivative2 : callable
        ``derivative2(input, axis, output, mode, cval, *extra_arguments, **extra_keywords)``.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str or sequence of str, optional
        What stands beyond the border, for all axes or one for each: 'reflect', 'mirror', 'nearest',
        'wrap', 'constant', or one of 'grid-mirror', 'grid-wrap', 'grid-constant', which mean the
        same as 'reflect', 'wrap', 'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
    extra_arguments : sequence, optional
        Handed on.
    extra_keywords : dict, optional
        Handed on.
    axes : int or tuple of int, optional
        The axes that are filtered, all by default; the others are a batch.

    Returns
    -------
    array
        The filtered image.

    Raises
    ------
    ValueError, TypeError, MemoryError
        If an argument is not as described; also a RuntimeError where SciPy raises one.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> def difference(x, axis, output, mode, cval):
    ...     return ndimage.correlate1d(x, [1, -2, 1], axis, output, mode, cval)
    >>> ndimage.generic_laplace(np.arange(4.0) ** 2, difference)
    array([ 1.,  2.,  2., -5.])
    """
    return gaussians.added_up(
        input, derivative2, output, mode, cval, extra_arguments, extra_keywords, axes
    )


def generic_gradient_magnitude(
    input: ArrayLike,
    derivative: Callable[..., AnyArray],
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str | Sequence[str] = "reflect",
    cval: complex = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: dict[str, Any] | None = None,
    *,
    axes: int | Sequence[int] | None = None,
) -> AnyArray:
    """Take the length of a gradient whose components a function computes.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    derivative : callable
        ``derivative(input, axis, output, mode, cval, *extra_arguments, **extra_keywords)``.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str or sequence of str, optional
        What stands beyond the border, for all axes or one for each: 'reflect', 'mirror', 'nearest',
        'wrap', 'constant', or one of 'grid-mirror', 'grid-wrap', 'grid-constant', which mean the
        same as 'reflect', 'wrap', 'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
    extra_arguments : sequence, optional
        Handed on.
    extra_keywords : dict, optional
        Handed on.
    axes : int or tuple of int, optional
        The axes that are filtered, all by default; the others are a batch.

    Returns
    -------
    array
        The filtered image.

    Raises
    ------
    ValueError, TypeError, MemoryError
        If an argument is not as described; also a RuntimeError where SciPy raises one.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> image = np.add.outer(3 * np.arange(4.0), 4 * np.arange(4.0))
    >>> ndimage.generic_gradient_magnitude(image, ndimage.sobel)[1, 1]
    np.float64(40.0)
    """
    return gaussians.length(
        input, derivative, output, mode, cval, extra_arguments, extra_keywords, axes
    )
