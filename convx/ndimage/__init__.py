"""Filters of images under the names of ``scipy.ndimage``, for arrays of any number of axes.

Arguments, defaults, types and results are SciPy's, which need not be installed. Keyword-only, there
are ``workers``, ``accumulate`` and ``dilation`` besides. What differs: float32 is computed in
float32 unless ``accumulate="float64"``; a NaN is in the results of the windows that have it, and of
no others; a size, an origin or a deviation that makes no sense is an error.
"""

from convx.ndimage.correlation import convolve, convolve1d, correlate, correlate1d
from convx.ndimage.derivatives import (
    generic_gradient_magnitude,
    generic_laplace,
    laplace,
    prewitt,
    sobel,
)
from convx.ndimage.gaussian import (
    gaussian_filter,
    gaussian_filter1d,
    gaussian_gradient_magnitude,
    gaussian_laplace,
)
from convx.ndimage.windows import (
    maximum_filter,
    maximum_filter1d,
    minimum_filter,
    minimum_filter1d,
    uniform_filter,
    uniform_filter1d,
)

__all__ = [
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "generic_gradient_magnitude",
    "generic_laplace",
    "laplace",
    "maximum_filter",
    "maximum_filter1d",
    "minimum_filter",
    "minimum_filter1d",
    "prewitt",
    "sobel",
    "uniform_filter",
    "uniform_filter1d",
]
