"""Filters of images: arrays with two axes."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

from convx._engine.threads import workers_or_all
from convx._ops import medians, multirate, signal

AnyArray = NDArray[Any]


def convolve2d(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: complex = 0,
    *,
    axes: Sequence[int] | None = None,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    out: AnyArray | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Convolve two images.

    Parameters
    ----------
    in1, in2 : array_like
        Arrays with two axes, of any dtype of numbers.
    mode : {'full', 'valid', 'same'}, optional
        All sums; those which reach beyond neither array, where one must be at least as large as the
        other along both axes; or as many as `in1` has elements, from the middle of all.
    boundary : {'fill', 'wrap', 'symm'}, optional
        What is beyond the edges of `in1`: `fillvalue`; the image again; or its mirror image, with
        the edge twice. SciPy's other names for them, 'pad', 'circular' and 'symmetric', are taken.
    fillvalue : scalar, optional
        What ``boundary='fill'`` fills with.
    axes : pair of int, optional
        The axes of `in1` that are those of an image, in the order of those of `in2`: for an array
        of several images.
    stride : int or pair of int, optional
        Of the results of `mode` every so manieth, along both axes or each.
    dilation : int or pair of int, optional
        How far apart the elements of `in2` are taken to be, with zeros between them.
    out : ndarray, optional
        Takes the result: of its shape and dtype.
    workers : int, optional
        Threads to use at most.

    Returns
    -------
    ndarray
        In the dtype that NumPy promotes both arrays to. Sums of integers wrap around.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it may be, or an array is empty.

    See Also
    --------
    scipy.signal.convolve2d : The function that this one stands for.

    Examples
    --------
    >>> from convx import signal
    >>> signal.convolve2d([[1, 2], [3, 4]], [[1, 10]], boundary="symm")
    array([[11, 12, 22],
           [33, 34, 44]])
    >>> signal.convolve2d([[1, 2], [3, 4]], [[1, 10]], boundary="symm", stride=(1, 2))
    array([[11, 22],
           [33, 44]])
    """
    options = signal.options_of(axes, stride, dilation)
    given = in1, in2, mode, boundary, fillvalue, out, True, options
    if workers is None:
        return signal.convolve_planes(*given)
    with workers_or_all(workers):
        return signal.convolve_planes(*given)


def correlate2d(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: complex = 0,
    *,
    axes: Sequence[int] | None = None,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    out: AnyArray | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Cross-correlate two images; the second is conjugated.

    Parameters
    ----------
    in1, in2 : array_like
        Arrays with two axes, of any dtype of numbers.
    mode : {'full', 'valid', 'same'}, optional
        All sums; those which reach beyond neither array, where one must be at least as large as the
        other along both axes; or as many as `in1` has elements, from the middle of all. For kernels
        of even size that is one element off from :func:`correlate`, as in SciPy.
    boundary : {'fill', 'wrap', 'symm'}, optional
        What is beyond the edges of `in1`: `fillvalue`; the image again; or its mirror image, with
        the edge twice. SciPy's other names for them, 'pad', 'circular' and 'symmetric', are taken.
    fillvalue : scalar, optional
        What ``boundary='fill'`` fills with.
    axes : pair of int, optional
        The axes of `in1` that are those of an image, in the order of those of `in2`: for an array
        of several images.
    stride : int or pair of int, optional
        Of the results of `mode` every so manieth, along both axes or each.
    dilation : int or pair of int, optional
        How far apart the elements of `in2` are taken to be, with zeros between them.
    out : ndarray, optional
        Takes the result: of its shape and dtype.
    workers : int, optional
        Threads to use at most.

    Returns
    -------
    ndarray
        In the dtype that NumPy promotes both arrays to. Sums of integers wrap around.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it may be, or an array is empty.

    See Also
    --------
    scipy.signal.correlate2d : The function that this one stands for.

    Examples
    --------
    >>> from convx import signal
    >>> signal.correlate2d([[1, 2], [3, 4]], [[1, 10]], mode="valid")
    array([[21],
           [43]])
    """
    options = signal.options_of(axes, stride, dilation)
    given = in1, in2, mode, boundary, fillvalue, out, False, options
    if workers is None:
        return signal.convolve_planes(*given)
    with workers_or_all(workers):
        return signal.convolve_planes(*given)


def medfilt2d(
    input: ArrayLike,
    kernel_size: ArrayLike | None = 3,
    *,
    out: AnyArray | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Take the median of the window around each element of an image.

    Beyond the edges are zeros.

    Parameters
    ----------
    input : array_like
        An array with two axes: of integers, float32 or float64.
    kernel_size : int or pair of int, optional
        Rows and columns of the window, both odd; None is 3.
    out : ndarray, optional
        Takes the result: of its shape and dtype.
    workers : int, optional
        Threads to use at most.

    Returns
    -------
    ndarray
        Of the input's shape and dtype. Zeros and NaN are in an order by their sign too: a NaN
        counts as greater than all numbers, or with a negative sign as less.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it may be.

    See Also
    --------
    scipy.signal.medfilt2d : The function that this one stands for.

    Examples
    --------
    >>> from convx import signal
    >>> signal.medfilt2d([[1, 2, 3], [4, 90, 6], [7, 8, 9]])
    array([[0, 2, 0],
           [2, 6, 3],
           [0, 6, 0]])
    """
    with workers_or_all(workers):
        return medians.median(input, kernel_size, out)


def sepfir2d(
    input: ArrayLike,
    hrow: ArrayLike,
    hcol: ArrayLike,
    *,
    out: AnyArray | None = None,
    workers: int | None = None,
) -> AnyArray:
    """Convolve an image with one filter along its rows and another along its columns.

    Beyond the edges is the mirror image, with the edge twice.

    Parameters
    ----------
    input : array_like
        An array with two axes.
    hrow, hcol : array_like
        The filters along the rows and along the columns, of odd lengths.
    out : ndarray, optional
        Takes the result: of its shape and dtype.
    workers : int, optional
        Threads to use at most.

    Returns
    -------
    ndarray
        Of the input's shape, in float32 for it and what is narrower, else in float64, or complex.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it may be.

    See Also
    --------
    scipy.signal.sepfir2d : The function that this one stands for.

    Examples
    --------
    >>> from convx import signal
    >>> signal.sepfir2d([[0.0, 0.0, 8.0, 0.0]], [1, 2, 1], [0.5])
    array([[0., 4., 8., 4.]])
    """
    with workers_or_all(workers):
        return multirate.separable(input, hrow, hcol, out)
