"""How the libraries compute the filters, each in its several ways.

Direct sums that take long where a transform is at hand are left out, by the limits below: they
would win nowhere and take most of the time of the benchmark.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.filters import SIDES, Filter, FilterCase
from benchmarks.layers import Array
from benchmarks.libraries import Call
from benchmarks.sweep_calls import Samples, samples_of

# Products of a direct sum, for loops in any number of axes, for those along one axis, and for ours.
MOST_PRODUCTS = 1 << 28
MOST_ALONG_AXIS = 1 << 30
MOST_OF_OURS = 1 << 32


def calls(library: str, case: FilterCase) -> dict[str, Call]:
    """Variants of computing a case; libraries with one thread do so on one alone."""
    if library in ONE_THREAD and case.threads > 1:
        return {}
    one = case.filter

    def read(result: Array) -> list[Array]:
        return [result.reshape(one.shape)]  # OpenCV makes images of samples

    variants = CALLS[library](one, *one.operands(case.dtype))
    return {name: Call(run, read) for name, run in variants}


def expected(case: FilterCase) -> Samples:
    """Return samples of SciPy's result in float64."""
    _, run = next(_scipy(case.filter, *case.filter.operands("float64")))
    return samples_of(run())


Variants = Iterator[tuple[str, Callable[[], Any]]]


def _convx(one: Filter, *arrays: Array) -> Variants:
    import convx

    package, name = one.function.split(".")
    function = getattr(getattr(convx, package, None), name, None)
    if function is None:
        return
    yield "", partial(function, *arrays, **one.options)
    if one.name in {f"image_{side}" for side in SIDES}:  # for the plot
        yield "fft", partial(function, *arrays, **one.options, method="fft")
        if _products(*arrays) <= MOST_OF_OURS:
            yield "direct", partial(function, *arrays, **one.options, method="direct")


def _scipy(one: Filter, *arrays: Array) -> Variants:
    import scipy

    package, name = one.function.split(".")
    yield one.function, partial(getattr(getattr(scipy, package), name), *arrays, **one.options)
    if package == "signal":
        x, kernel = arrays
        convolves = "convolve" in name
        turned = kernel if convolves else np.ascontiguousarray(np.flip(kernel))
        axes = one.options.get("axes")
        same: dict[str, Any] = {"mode": "same", "axes": axes}
        yield "signal.fftconvolve", partial(scipy.signal.fftconvolve, x, turned, **same)
        yield "signal.oaconvolve", partial(scipy.signal.oaconvolve, x, turned, **same)
        if _products(x, kernel) <= MOST_PRODUCTS:
            sum_of = scipy.ndimage.convolve if convolves else scipy.ndimage.correlate
            # Even kernels are centred one to the left there.
            origin = tuple(-(size % 2 == 0) for size in kernel.shape)
            constant: dict[str, Any] = {"mode": "constant", "origin": origin}
            yield f"ndimage.{sum_of.__name__}", partial(sum_of, x, kernel, **constant)
            if x.ndim == 2:
                direct = partial(scipy.signal.convolve2d, x, turned, mode="same")
                yield "signal.convolve2d", direct


def _numpy(one: Filter, *arrays: Array) -> Variants:
    if one.function == "signal.convolve" and _products(*arrays) <= MOST_ALONG_AXIS:
        yield "convolve", partial(np.convolve, *arrays, **one.options)


def _opencv(one: Filter, *arrays: Array) -> Variants:
    import cv2

    x, *kernels = arrays
    border = {"borderType": cv2.BORDER_CONSTANT if "signal" in one.function else cv2.BORDER_REFLECT}
    name = one.function.partition(".")[2]
    if x.ndim > 2:
        return
    if kernels:
        (kernel,) = (np.atleast_2d(kernel) for kernel in kernels)
        if "convolve" in name:
            kernel = np.ascontiguousarray(np.flip(kernel))
        if one.options.get("axis") == 0:
            kernel = np.ascontiguousarray(kernel.T)
        yield "filter2D", partial(cv2.filter2D, np.atleast_2d(x), -1, kernel, **border)
        if 1 in kernel.shape and _products(x, kernel) <= MOST_PRODUCTS:
            along = [np.ones(1, x.dtype), kernel.ravel()]
            along = along if kernel.shape[1] == 1 else along[::-1]
            separable = partial(cv2.sepFilter2D, np.atleast_2d(x), -1, *along, **border)
            yield "sepFilter2D", separable
    elif name == "gaussian_filter":
        sigma = one.options["sigma"]
        size = (2 * int(4.0 * sigma + 0.5) + 1,) * 2
        yield "GaussianBlur", partial(cv2.GaussianBlur, x, size, sigma, **border)
        taps = cv2.getGaussianKernel(size[0], sigma, cv2.CV_64F)
        yield "sepFilter2D", partial(cv2.sepFilter2D, x, -1, taps, taps, **border)
    elif name == "uniform_filter":
        yield "blur", partial(cv2.blur, x, (one.options["size"],) * 2, **border)
    elif name == "maximum_filter":
        window = np.ones((one.options["size"],) * 2, np.uint8)
        yield "dilate", partial(cv2.dilate, x, window)
    elif name == "sobel":
        yield "Sobel", partial(cv2.Sobel, x, -1, 0, 1, **border)
    elif name == "laplace":
        yield "Laplacian", partial(cv2.Laplacian, x, -1, ksize=1, **border)


def _products(x: Array, kernel: Array) -> int:
    return math.prod(x.shape) * math.prod(kernel.shape)


CALLS: dict[str, Callable[..., Variants]] = {
    "convx": _convx,
    "SciPy": _scipy,
    "OpenCV": _opencv,
    "NumPy": _numpy,
}
ONE_THREAD = ("SciPy", "NumPy")
