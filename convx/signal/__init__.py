"""SciPy's functions that convolve, under their names: in place of :mod:`scipy.signal`.

Names, arguments, defaults, modes, dtypes and results are those of SciPy 1.17. ``out`` and
``workers`` are more: an array for the result, and the most threads that a call uses; so are
``axes``, ``stride`` and ``dilation`` of what convolves. SciPy need not be installed.
"""

from convx.signal.convolution import (
    choose_conv_method,
    convolve,
    correlate,
    correlation_lags,
    fftconvolve,
    oaconvolve,
)
from convx.signal.multirate import upfirdn
from convx.signal.planar import convolve2d, correlate2d, medfilt2d, sepfir2d

__all__ = [
    "choose_conv_method",
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "correlation_lags",
    "fftconvolve",
    "medfilt2d",
    "oaconvolve",
    "sepfir2d",
    "upfirdn",
]
