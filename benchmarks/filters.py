"""Filters: what ``scipy.signal`` and ``scipy.ndimage`` have, and convx under the same names.

A table of problems, each with the function of convx that is timed. How each library solves them,
:mod:`benchmarks.filter_calls` tells.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.layers import Array

IMAGE, VOLUME, SAMPLES, TRACES = (1024, 1024), (96,) * 3, (10**6,), (256, 4096)
SMALL = (64, 64)
# Side of the kernel in the plot of time against kernel size.
SIDES = (3, 5, 7, 11, 15, 31, 63, 127)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of one array.

    Attributes
    ----------
    name : str
    function : str
        Of convx and SciPy, with its package, such as ``ndimage.sobel``.
    shape : tuple of int
        Of the input.
    kernel : tuple of int
        Shape of a dense kernel of random numbers, empty where the function makes its own.
    options : mapping
        Arguments by name.
    """

    name: str
    function: str
    shape: tuple[int, ...]
    kernel: tuple[int, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Tell function and sizes, as in ``signal.correlate, 1024×1024, 7×7``."""
        told = [self.function, _times(self.shape)]
        told += [_times(self.kernel)] if self.kernel else []
        told += [f"{name}={value}" for name, value in self.options.items()]
        return ", ".join(told)

    def operands(self, dtype: str) -> tuple[Array, ...]:
        """Return the input and, if there is one, the kernel; the same numbers in every type."""
        generator = np.random.default_rng(zlib.crc32(self.name.encode()))
        shapes = (self.shape, self.kernel) if self.kernel else (self.shape,)
        return tuple(generator.standard_normal(shape).astype(dtype) for shape in shapes)


@dataclass(frozen=True, slots=True)
class FilterCase:
    """A filter to time, in an element type, on so many threads."""

    name: str
    dtype: str
    threads: int

    @property
    def filter(self) -> Filter:
        """What is computed."""
        return LARGE if self.name == LARGE.name else FILTERS[self.name]

    def entries(self) -> dict[str, Any]:
        """What a record tells of the case."""
        return {
            "layer": self.name,
            "sizes": str(self.filter),
            "operation": "filter",
            "dtype": self.dtype,
            "threads": self.threads,
        }


def _times(sizes: tuple[int, ...]) -> str:
    return "×".join(map(str, sizes))


def _dense(name: str, shape: tuple[int, ...], side: int) -> Filter:
    return Filter(name, "signal.correlate", shape, (side,) * len(shape), {"mode": "same"})


def _along(axis: int, taps: int) -> Filter:
    return Filter(f"along_{axis}_{taps}", "ndimage.correlate1d", IMAGE, (taps,), {"axis": axis})


FILTERS = {
    one.name: one
    for one in (
        *(_dense(f"image_{side}", IMAGE, side) for side in SIDES),
        *(Filter(f"reflect_{side}", "ndimage.correlate", IMAGE, (side,) * 2) for side in (5, 15)),
        *(_dense(f"volume_{side}", VOLUME, side) for side in (3, 5, 9, 17)),
        *(
            Filter(f"samples_{taps}", "signal.convolve", SAMPLES, (taps,), {"mode": "same"})
            for taps in (3, 8, 64, 512, 8192)
        ),
        Filter("traces", "signal.oaconvolve", TRACES, (1, 129), {"mode": "same", "axes": 1}),
        *(_along(axis, taps) for taps in (9, 65) for axis in (0, 1)),
        *(
            Filter(f"gauss_{sigma}", "ndimage.gaussian_filter", IMAGE, (), {"sigma": sigma})
            for sigma in (1, 2, 8)
        ),
        Filter("gauss_volume", "ndimage.gaussian_filter", VOLUME, (), {"sigma": 2}),
        *(
            Filter(f"{kind}_{size}", f"ndimage.{kind}_filter", IMAGE, (), {"size": size})
            for kind in ("uniform", "maximum")
            for size in (3, 9, 31)
        ),
        Filter("sobel", "ndimage.sobel", IMAGE, (), {"axis": 0}),
        Filter("laplace", "ndimage.laplace", IMAGE),
        Filter("small_signal", "signal.convolve2d", SMALL, (3, 3), {"mode": "same"}),
        Filter("small_ndimage", "ndimage.correlate", SMALL, (3, 3)),
    )
}  # fmt: skip

# What the memory of FFT convolution is quoted for.
LARGE = Filter("large_fft", "signal.fftconvolve", (4096, 4096), (63, 63), {"mode": "same"})
