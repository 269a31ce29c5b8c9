"""Gaussians and their derivatives."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, DTypeLike, NDArray

from convx._engine.dtypes import AnyArray
from convx._engine.threads import workers_or_all
from convx._ops import gaussians


def gaussian_filter1d(
    input: ArrayLike,
    sigma: float,
    axis: int = -1,
    order: int = 0,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | None = None,
    accumulate: str | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Filter an image along one axis with a Gaussian or a derivative of it.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    sigma : scalar
        Standard deviation.
    axis : int, optional
        The axis that is filtered.
    order : int, optional
        Of the derivative of the Gaussian.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str, optional
        What stands beyond the border: 'reflect', 'mirror', 'nearest', 'wrap', 'constant', or one of
        'grid-mirror', 'grid-wrap', 'grid-constant', which mean the same as 'reflect', 'wrap',
        'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
    truncate : float, optional
        Standard deviations at which the filter ends.
    radius : int, optional
        Elements of the filter on each side of the middle, instead of `truncate`.
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
    ``scipy.ndimage.gaussian_filter1d``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> ndimage.gaussian_filter1d([0.0, 0.0, 1.0, 0.0, 0.0], 1, radius=1).round(3)
    array([0.   , 0.274, 0.452, 0.274, 0.   ])
    """
    with workers_or_all(workers):
        return gaussians.gaussian_filter1d(
            input, sigma, axis, order, output, mode, cval, truncate, radius, accumulate
        )


def gaussian_filter(
    input: ArrayLike,
    sigma: float | Sequence[float],
    order: int | Sequence[int] = 0,
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str | Sequence[str] = "reflect",
    cval: complex = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | Sequence[int] | None = None,
    axes: int | Sequence[int] | None = None,
    accumulate: str | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Filter an image with a Gaussian or a derivative of it, axis by axis.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    sigma : scalar or sequence of scalars
        Standard deviation, for all axes or one for each.
    order : int or sequence of int, optional
        Of the derivative of the Gaussian, for all axes or one for each.
    output : array or dtype, optional
        Where the result goes, or the type that it has; the type of `input` by default.
    mode : str or sequence of str, optional
        What stands beyond the border, for all axes or one for each: 'reflect', 'mirror', 'nearest',
        'wrap', 'constant', or one of 'grid-mirror', 'grid-wrap', 'grid-constant', which mean the
        same as 'reflect', 'wrap', 'constant'.
    cval : scalar, optional
        What stands there for ``mode='constant'``.
    truncate : float, optional
        Standard deviations at which the filter ends.
    radius : int or sequence of int, optional
        Elements of the filter on each side of the middle, instead of `truncate`.
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
    ``scipy.ndimage.gaussian_filter``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> image = np.zeros((3, 3))
    >>> image[1, 1] = 1
    >>> ndimage.gaussian_filter(image, 1, radius=1).round(3)
    array([[0.075, 0.124, 0.075],
           [0.124, 0.204, 0.124],
           [0.075, 0.124, 0.075]])
    """
    with workers_or_all(workers):
        return gaussians.gaussian_filter(
            input, sigma, order, output, mode, cval, truncate, radius, axes, accumulate
        )


def gaussian_laplace(
    input: ArrayLike,
    sigma: float | Sequence[float],
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str | Sequence[str] = "reflect",
    cval: complex = 0.0,
    *,
    axes: int | Sequence[int] | None = None,
    workers: int | None = None,
    **kwargs: Any,
) -> AnyArray:
    """Add up the second derivatives of an image, of Gaussians.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    sigma : scalar or sequence of scalars
        Standard deviation, for all axes or one for each.
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
    workers : int, optional
        Threads to use at most; by default what :func:`convx.set_num_threads` says.
    **kwargs
        Further arguments of :func:`gaussian_filter`, such as `truncate` and `accumulate`.

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
    ``scipy.ndimage.gaussian_laplace``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> image = np.add.outer(np.arange(20.0) ** 2, np.zeros(20))
    >>> ndimage.gaussian_laplace(image, 1)[10, 10].round(2)
    np.float64(1.98)
    """
    with workers_or_all(workers):
        return gaussians.gaussian_laplace(input, sigma, output, mode, cval, axes, kwargs)


def gaussian_gradient_magnitude(
    input: ArrayLike,
    sigma: float | Sequence[float],
    output: NDArray[Any] | DTypeLike | None = None,
    mode: str | Sequence[str] = "reflect",
    cval: complex = 0.0,
    *,
    axes: int | Sequence[int] | None = None,
    workers: int | None = None,
    **kwargs: Any,
) -> AnyArray:
    """Take the length of the gradient of an image, of derivatives of Gaussians.

    Parameters
    ----------
    input : array_like
        The image, of any number of axes: bool, integers, float32, float64, complex64, complex128.
    sigma : scalar or sequence of scalars
        Standard deviation, for all axes or one for each.
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
    workers : int, optional
        Threads to use at most; by default what :func:`convx.set_num_threads` says.
    **kwargs
        Further arguments of :func:`gaussian_filter`, such as `truncate` and `accumulate`.

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
    ``scipy.ndimage.gaussian_gradient_magnitude``.
    Integers come out as there, bit by bit, as long as their sums are below 2**53. float32 is
    computed in float32: a sum of n products is off by at most n times 6e-8 of the sum of their
    sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import ndimage
    >>> image = np.add.outer(3 * np.arange(20.0), 4 * np.arange(20.0))
    >>> ndimage.gaussian_gradient_magnitude(image, 1)[10, 10].round(2)
    np.float64(5.0)
    """
    with workers_or_all(workers):
        return gaussians.gaussian_gradient_magnitude(input, sigma, output, mode, cval, axes, kwargs)
