"""Convolution and correlation of arrays with any number of axes."""

import timeit
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convx._engine import arguments
from convx._engine.threads import workers_or_all
from convx._ops import signal

AnyArray = NDArray[Any]

# Seconds for which `choose_conv_method` repeats a call.
LEAST_TIME = 5e-3


def convolve(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    method: str = "auto",
    *,
    axes: int | Sequence[int] | None = None,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    out: AnyArray | None = None,
    workers: int | None = None,
) -> Any:
    """Convolve two arrays of the same number of axes.

    Parameters
    ----------
    in1, in2 : array_like
        The arrays, of any dtype of numbers, Python objects among them.
    mode : {'full', 'valid', 'same'}, optional
        All sums; those which reach beyond neither array, where one must be at least as large as the
        other along every axis; or as many as `in1` has elements, from the middle of all.
    method : {'auto', 'direct', 'fft'}, optional
        The fastest algorithm by estimate, sums of products, or Fourier transforms of tiles where
        there are some for the shapes.
    axes : int or sequence of int, optional
        Axes to convolve along, all of them by default. Along the others, as many results as the
        larger array has: the arrays are broadcast.
    stride : int or sequence of int, optional
        Of the results of `mode` every so manieth, along all axes or each of `axes`.
    dilation : int or sequence of int, optional
        How far apart the elements of `in2` are taken to be, with zeros between them.
    out : ndarray, optional
        Takes the result: of its shape and dtype.
    workers : int, optional
        Threads to use at most.

    Returns
    -------
    ndarray or scalar
        In the dtype that NumPy promotes both arrays to. Sums of integers wrap around; what is not
        finite gets into those sums alone that have it.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it may be, or an array is empty.

    Warns
    -----
    RuntimeWarning
        If ``method='fft'`` meets what is not finite: it is computed directly then.

    See Also
    --------
    scipy.signal.convolve : The function that this one stands for.

    Examples
    --------
    >>> from convx import signal
    >>> signal.convolve([1, 2, 3], [1, 10])
    array([ 1, 12, 23, 30])
    >>> signal.convolve([1, 2, 3], [1, 10], mode="same")
    array([ 1, 12, 23])
    >>> signal.convolve([1, 2, 3], [1, 10], stride=2)
    array([ 1, 23])
    >>> signal.convolve([1, 2, 3], [1, 10], dilation=2)
    array([ 1,  2, 13, 20, 30])
    """
    options = signal.options_of(axes, stride, dilation)
    if workers is None:
        return signal.convolve(in1, in2, mode, method, out, True, options)
    with workers_or_all(workers):
        return signal.convolve(in1, in2, mode, method, out, True, options)


def correlate(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    method: str = "auto",
    *,
    axes: int | Sequence[int] | None = None,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    out: AnyArray | None = None,
    workers: int | None = None,
) -> Any:
    """Cross-correlate two arrays of the same number of axes; the second is conjugated.

    Parameters
    ----------
    in1, in2 : array_like
        The arrays, of any dtype of numbers, Python objects among them.
    mode : {'full', 'valid', 'same'}, optional
        All sums; those which reach beyond neither array, where one must be at least as large as the
        other along every axis; or as many as `in1` has elements, from the middle of all.
    method : {'auto', 'direct', 'fft'}, optional
        The fastest algorithm by estimate, sums of products, or Fourier transforms of tiles where
        there are some for the shapes.
    axes : int or sequence of int, optional
        Axes to convolve along, all of them by default. Along the others, as many results as the
        larger array has: the arrays are broadcast.
    stride : int or sequence of int, optional
        Of the results of `mode` every so manieth, along all axes or each of `axes`.
    dilation : int or sequence of int, optional
        How far apart the elements of `in2` are taken to be, with zeros between them.
    out : ndarray, optional
        Takes the result: of its shape and dtype.
    workers : int, optional
        Threads to use at most.

    Returns
    -------
    ndarray or scalar
        In the dtype that NumPy promotes both arrays to. Sums of integers wrap around; what is not
        finite gets into those sums alone that have it.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it may be, or an array is empty.

    Warns
    -----
    RuntimeWarning
        If ``method='fft'`` meets what is not finite: it is computed directly then.

    See Also
    --------
    scipy.signal.correlate : The function that this one stands for.

    Examples
    --------
    >>> from convx import signal
    >>> signal.correlate([1, 2, 3], [1, 10])
    array([10, 21, 32,  3])
    """
    options = signal.options_of(axes, stride, dilation)
    if workers is None:
        return signal.convolve(in1, in2, mode, method, out, False, options)
    with workers_or_all(workers):
        return signal.convolve(in1, in2, mode, method, out, False, options)


def fftconvolve(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    axes: object = None,
    *,
    out: AnyArray | None = None,
    workers: int | None = None,
) -> Any:
    """Convolve along some axes, with floating results.

    The algorithm is the fastest one by estimate, which need not be one with Fourier transforms: so
    the result is never less accurate than SciPy's, and what is not finite stays where it belongs.

    Parameters
    ----------
    in1, in2 : array_like
        The arrays, of the same number of axes. They are broadcast along those not in `axes`.
    mode : {'full', 'valid', 'same'}, optional
        All sums; those which reach beyond neither array, where one must be at least as large as the
        other along each of `axes`; or as many as `in1` has elements, from the middle of all.
    axes : int or sequence of int, optional
        Axes to convolve along, all of them by default.
    out : ndarray, optional
        Takes the result: of its shape and dtype.
    workers : int, optional
        Threads to use at most.

    Returns
    -------
    ndarray or scalar
        Integers count as float64, and float16 as float32. Where arrays are broadcast, all the
        results are there in every mode. If an array is empty, so is the result, which has one axis.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it may be.

    See Also
    --------
    scipy.signal.fftconvolve : The function that this one stands for.

    Examples
    --------
    >>> from convx import signal
    >>> signal.fftconvolve([[1, 2, 3], [4, 5, 6]], [[1, 10]], axes=1)
    array([[ 1., 12., 23., 30.],
           [ 4., 45., 56., 60.]])
    """
    if workers is None:
        return signal.convolve_floats(in1, in2, mode, axes, out)
    with workers_or_all(workers):
        return signal.convolve_floats(in1, in2, mode, axes, out)


def oaconvolve(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: str = "full",
    axes: object = None,
    *,
    out: AnyArray | None = None,
    workers: int | None = None,
) -> Any:
    """Convolve along some axes, with floating results: the same as :func:`fftconvolve`.

    What SciPy distinguishes is left to the plan here, which cuts into tiles where it pays.

    Parameters
    ----------
    in1, in2 : array_like
        The arrays, of the same number of axes. They are broadcast along those not in `axes`.
    mode : {'full', 'valid', 'same'}, optional
        All sums; those which reach beyond neither array, where one must be at least as large as the
        other along each of `axes`; or as many as `in1` has elements, from the middle of all.
    axes : int or sequence of int, optional
        Axes to convolve along, all of them by default.
    out : ndarray, optional
        Takes the result: of its shape and dtype.
    workers : int, optional
        Threads to use at most.

    Returns
    -------
    ndarray or scalar
        As of :func:`fftconvolve`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it may be.

    See Also
    --------
    scipy.signal.oaconvolve : The function that this one stands for.

    Examples
    --------
    >>> from convx import signal
    >>> signal.oaconvolve([1, 2, 3], [1, 10])
    array([ 1., 12., 23., 30.])
    """
    return fftconvolve(in1, in2, mode, axes, out=out, workers=workers)


@overload
def choose_conv_method(
    in1: ArrayLike, in2: ArrayLike, mode: str = "full", measure: Literal[False] = False
) -> str: ...
@overload
def choose_conv_method(
    in1: ArrayLike, in2: ArrayLike, mode: str = "full", *, measure: Literal[True]
) -> tuple[str, dict[str, float]]: ...
def choose_conv_method(
    in1: ArrayLike, in2: ArrayLike, mode: str = "full", measure: bool = False
) -> str | tuple[str, dict[str, float]]:
    """Tell the method that a convolution takes by itself, or the faster one.

    Parameters
    ----------
    in1, in2, mode
        As for :func:`convolve`.
    measure : bool, optional
        Whether to run both methods, and time them.

    Returns
    -------
    method : {'direct', 'fft'}
        The method that ``'auto'`` takes, or if measured the one that took less time.
    times : dict
        Seconds by method, if measured.

    Raises
    ------
    ValueError, TypeError
        What the convolution would raise.

    See Also
    --------
    scipy.signal.choose_conv_method : The function that this one stands for.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import signal
    >>> signal.choose_conv_method(np.ones((512, 512)), np.ones((3, 3)))
    'direct'
    >>> signal.choose_conv_method(np.ones((512, 512)), np.ones((31, 31)))
    'fft'
    """
    if not measure:
        return signal.planned(in1, in2, mode)
    times = {}
    for method in ("fft", "direct"):
        timer = timeit.Timer(lambda: convolve(in1, in2, mode, method))  # noqa: B023
        once = timer.timeit(1)
        repeats = max(1, int(LEAST_TIME / max(once, 1e-9)))
        times[method] = min(once, *(one / repeats for one in timer.repeat(3, repeats)))
    return ("fft" if times["fft"] < times["direct"] else "direct"), times


def correlation_lags(in1_len: int, in2_len: int, mode: str = "full") -> AnyArray:
    """Return the lag of each element of a correlation of two signals.

    Parameters
    ----------
    in1_len, in2_len : int
        Lengths of the signals.
    mode : {'full', 'valid', 'same'}, optional
        As for :func:`correlate`.

    Returns
    -------
    ndarray of int
        The lags, ascending.

    Raises
    ------
    ValueError, TypeError
        If a length is no integer or negative, or there is no such mode.

    See Also
    --------
    scipy.signal.correlation_lags : The function that this one stands for.

    Examples
    --------
    >>> from convx import signal
    >>> signal.correlation_lags(3, 2)
    array([-1,  0,  1,  2])
    >>> signal.correlation_lags(3, 2, mode="valid")
    array([0, 1])
    """
    first, second = arguments.lag_lengths(in1_len, in2_len)
    if arguments.lag_mode(mode) == "valid":
        difference = first - second
        return np.arange(min(difference, 0), max(difference, 0) + 1)
    lags = np.arange(1 - second, first)
    if mode == "full":
        return lags
    middle = len(lags) // 2 - first // 2
    return lags[middle : middle + first]
