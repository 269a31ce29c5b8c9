"""Bad and odd input of SciPy's functions, in convx.signal and convx.ndimage.

As in test_bad_input.py, whose numbers of rows go on here.
"""

# ruff: noqa: E501 (a row of the table is a line)

import math

import numpy as np
import pytest
from test_bad_input import BIGGER, TOO_LARGE, Row, broadcast, check_row, nested

import convx

N, S = convx.ndimage, convx.signal

X, K = np.arange(20.0).reshape(4, 5), np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0], [2.0, 0.0, 1.0]])
LINE, TAPS = np.arange(6.0), np.array([1.0, 2.0, 4.0])
NOTHING, FLAT = np.empty(0), np.empty((0, 3))
REFUSED = (TypeError, ValueError)

# Functions that take a size, a footprint, an origin; and those that take weights.
WINDOWS = (N.uniform_filter, N.maximum_filter, N.minimum_filter)
WINDOWS_1D = (N.uniform_filter1d, N.maximum_filter1d, N.minimum_filter1d)
GAUSSIANS = (
    N.gaussian_filter,
    N.gaussian_filter1d,
    N.gaussian_laplace,
    N.gaussian_gradient_magnitude,
)
WEIGHTED = (N.correlate, N.convolve)
WEIGHTED_1D = (N.correlate1d, N.convolve1d)
NEIGHBOURS = (N.laplace, N.sobel, N.prewitt)
EVERY_FILTER = (
    *((one, (X, 3)) for one in (*WINDOWS, *WINDOWS_1D)),
    *((one, (X, 1.0)) for one in GAUSSIANS),
    *((one, (X, K)) for one in WEIGHTED),
    *((one, (X, TAPS)) for one in WEIGHTED_1D),
    *((one, (X,)) for one in NEIGHBOURS),
)
CONVOLUTIONS = (S.convolve, S.correlate, S.fftconvolve, S.oaconvolve)
PLANAR = (S.convolve2d, S.correlate2d)


def each(number, label, functions, arguments, expected, says, **options):
    """Rows of several functions with the same arguments."""
    return [
        Row(
            number,
            f"{one.__name__} {label}",
            lambda one=one: one(*arguments, **options),
            expected,
            says,
        )
        for one in functions
    ]


def every_filter(number, label, expected, says, **options):
    """Rows of all filters, each with good arguments and one bad option."""
    return [
        Row(
            number,
            f"{one.__name__} {label}",
            lambda one=one, given=given: one(*given, **options),
            expected,
            says,
        )
        for one, given in EVERY_FILTER
    ]


def masked():
    return np.ma.masked_array(X, X > 10)


class Told:
    """Something that tells its array."""

    def __array__(self, dtype=None, copy=None):
        return np.array(LINE, dtype)


class Kind(np.ndarray):
    """A subclass."""


def spoilt(value):
    image = np.zeros((9, 11))
    image[4, 5] = value
    return image


def touched(value, shape=(9, 11), centre=(4, 5), reach=1):
    """What a window of ones makes of one value that is not finite."""
    expected = np.zeros(shape)
    expected[tuple(slice(c - reach, c + reach + 1) for c in centre)] = value
    return expected


def in_place(function, *arguments, name="output"):
    """The result of a filter that writes over its own input."""
    memory = X.copy()
    function(memory, *arguments, **{name: memory})
    return memory


def into_shifted(function, *arguments, name="output"):
    """The result of a filter that writes over part of its input, one element on."""
    memory = np.zeros(21)
    memory[:20] = X.ravel()
    out = memory[1:].reshape(X.shape)
    function(memory[:20].reshape(X.shape), *arguments, **{name: out})
    return out.copy()


ROWS = [
    # Empty arrays.
    *each(27, "of nothing", CONVOLUTIONS[:2], (NOTHING, TAPS), ValueError, "in1|empty"),
    *each(27, "with nothing", CONVOLUTIONS[:2], (LINE, NOTHING), ValueError, "in2|empty"),
    *each(27, "of nothing and nothing", CONVOLUTIONS[:2], (NOTHING, NOTHING), ValueError, "in1|empty"),
    Row(27, "fftconvolve of nothing", lambda: S.fftconvolve(NOTHING, TAPS), NOTHING),
    Row(27, "oaconvolve with nothing", lambda: S.oaconvolve(LINE, NOTHING), NOTHING),
    *each(27, "of no rows", PLANAR, (FLAT, K), ValueError, "in1|empty"),
    *each(27, "with no rows", PLANAR, (X, FLAT), ValueError, "in2|empty"),
    Row(27, "choose_conv_method of nothing", lambda: S.choose_conv_method(NOTHING, TAPS), ValueError, "in1|empty"),
    Row(27, "upfirdn with nothing", lambda: S.upfirdn([], LINE), ValueError, "h must"),
    Row(27, "sepfir2d with nothing", lambda: S.sepfir2d(X, [], [1.0]), ValueError, "hrow|odd"),
    *each(27, "with no weights", WEIGHTED, (X, np.empty((3, 0))), ValueError, "weights"),
    *each(27, "with no weights", WEIGHTED_1D, (X, NOTHING), ValueError, "weights"),
    *[Row(27, f"{one.__name__} of nothing", lambda one=one, given=given: one(FLAT, *given[1:]), FLAT) for one, given in EVERY_FILTER],
    # Numbers in the place of arrays, and too many axes.
    Row(28, "convolve of two numbers", lambda: np.asarray(S.convolve(3.0, 4.0)), np.array(12.0)),
    Row(28, "fftconvolve of two numbers", lambda: np.asarray(S.fftconvolve(3.0, 4.0)), np.array(12.0)),
    *each(28, "of a number and samples", CONVOLUTIONS, (3.0, TAPS), ValueError, "dimensionality"),
    *each(28, "of two numbers", PLANAR, (3.0, 4.0), ValueError, "in1"),
    *each(28, "of a number", WINDOWS_1D, (3.0, 3), ValueError, "axis"),
    Row(28, "sobel of a number", lambda: N.sobel(3.0), ValueError, "axis"),
    Row(28, "gaussian_filter of a number", lambda: np.asarray(N.gaussian_filter(3.0, 1.0)), np.array(3.0)),
    Row(28, "maximum_filter of a number", lambda: np.asarray(N.maximum_filter(3.0, 3)), np.array(3.0)),
    Row(29, "maximum_filter of 40 axes", lambda: N.maximum_filter(np.ones((1,) * 40), 3), np.ones((1,) * 40)),
    Row(29, "convolve of 40 axes", lambda: S.convolve(np.ones((1,) * 40), np.ones((1,) * 40)), ValueError, "axes"),
    # Sizes and widths.
    *each(62, "size 0", (*WINDOWS[1:], *WINDOWS_1D), (X, 0), ValueError, "size"),
    Row(62, "uniform_filter size 0, as SciPy has it", lambda: N.uniform_filter(X, 0), X),
    *each(62, "size -1", (*WINDOWS, *WINDOWS_1D), (X, -1), ValueError, "size"),
    *each(62, "size 0 of one axis", WINDOWS[1:], (X, (3, 0)), ValueError, "size"),
    *each(62, "size 2.5", (*WINDOWS, *WINDOWS_1D), (X, 2.5), REFUSED, "size"),
    *each(62, "size '3'", (*WINDOWS, *WINDOWS_1D), (X, "3"), REFUSED, "size"),
    *each(62, "size of three axes", WINDOWS, (X, (3, 3, 3)), ValueError, "size|sequence"),
    *each(62, "size nested", WINDOWS, (X, nested(10**5)), REFUSED, "size|sequence"),
    *each(62, "neither size nor footprint", WINDOWS[1:], (X,), ValueError, "size|footprint"),
    *each(62, "sigma -1", GAUSSIANS, (X, -1.0), ValueError, "sigma"),
    *each(62, "sigma NaN", GAUSSIANS, (X, math.nan), ValueError, "sigma"),
    *each(62, "sigma '1'", GAUSSIANS, (X, "1"), REFUSED, "sigma"),
    Row(62, "sigma -1 of one axis", lambda: N.gaussian_filter(X, (1.0, -1.0)), ValueError, "sigma"),
    Row(62, "sigma 0", lambda: N.gaussian_filter(X, 0.0), X),
    Row(62, "order -1", lambda: N.gaussian_filter(X, 1.0, -1), ValueError, "order"),
    Row(62, "order 1.5", lambda: N.gaussian_filter(X, 1.0, 1.5), REFUSED, "order"),
    Row(62, "order 10**6", lambda: N.gaussian_filter(X, 1.0, 10**6), TOO_LARGE, "order"),
    Row(62, "truncate NaN", lambda: N.gaussian_filter(X, 1.0, truncate=math.nan), ValueError, "truncate|sigma|radius"),
    Row(62, "truncate -1", lambda: N.gaussian_filter(X, 1.0, truncate=-1.0), ValueError, "truncate|radius"),
    Row(62, "radius -1", lambda: N.gaussian_filter(X, 1.0, radius=-1), ValueError, "[Rr]adius"),
    Row(62, "radius 1.5", lambda: N.gaussian_filter(X, 1.0, radius=1.5), REFUSED, "[Rr]adius"),
    *each(63, "sigma inf", GAUSSIANS, (X, math.inf), ValueError, "sigma|radius"),
    *each(63, "sigma 1e12", GAUSSIANS, (X, 1e12), TOO_LARGE, "sigma|radius"),
    *each(63, "sigma 1e300", GAUSSIANS, (X, 1e300), TOO_LARGE, "sigma|radius"),
    Row(63, "radius 10**12", lambda: N.gaussian_filter(X, 1.0, radius=10**12), TOO_LARGE, "[Rr]adius"),
    Row(63, "radius 2**70", lambda: N.gaussian_filter(X, 1.0, radius=2**70), TOO_LARGE, "[Rr]adius"),
    Row(63, "truncate 1e300", lambda: N.gaussian_filter(X, 1.0, truncate=1e300), TOO_LARGE, "truncate|sigma|radius"),
    *each(63, "size 2**62", WINDOWS_1D, (X, BIGGER), (*TOO_LARGE, OverflowError), "size"),
    # Origins.
    *each(64, "origin 2", WINDOWS, (X, 3), ValueError, "origin", origin=2),
    *each(64, "origin -2", WINDOWS, (X, 3), ValueError, "origin", origin=-2),
    *each(64, "origin 2**62", (*WINDOWS, *WINDOWS_1D), (X, 3), ValueError, "origin", origin=BIGGER),
    *each(64, "origin 2", WINDOWS_1D, (X, 3), ValueError, "origin", origin=2),
    *each(64, "origin 2", WEIGHTED, (X, K), ValueError, "origin", origin=2),
    *each(64, "origin (0, -2)", WEIGHTED, (X, K), ValueError, "origin", origin=(0, -2)),
    *each(64, "origin -2", WEIGHTED_1D, (X, TAPS), ValueError, "origin", origin=-2),
    *each(64, "origin 2**63", WEIGHTED_1D, (X, TAPS), ValueError, "origin", origin=2**63),
    *each(64, "origin 0.5", WEIGHTED_1D, (X, TAPS), REFUSED, "origin|integer", origin=0.5),
    *each(64, "axis 2", (*WEIGHTED_1D, *WINDOWS_1D), (X, TAPS.astype(int)[2]), REFUSED, "axis", axis=2),
    *each(64, "axes twice", WEIGHTED, (X, K), ValueError, "axes", axes=(0, 0)),
    *each(64, "axes beyond", (N.gaussian_filter, *WINDOWS), (X, 3), ValueError, "ax[ei]s", axes=(0, 2)),
    # Footprints.
    *each(65, "footprint of nothing", WINDOWS[1:], (X,), ValueError, "footprint", footprint=np.zeros((3, 3), bool)),
    *each(65, "footprint of no element", WINDOWS[1:], (X,), ValueError, "footprint", footprint=np.empty((3, 0), bool)),
    *each(65, "footprint of one axis", WINDOWS[1:], (X,), ValueError, "footprint|sequence", footprint=[True, True]),
    *each(65, "weights of one axis", WEIGHTED, (X, TAPS), ValueError, "weights"),
    *each(65, "weights of two axes", WEIGHTED_1D, (X, K), ValueError, "weights"),
    # Even kernels.
    Row(66, "even kernel, ndimage.correlate", lambda: N.correlate([0.0, 0, 1, 0, 0], [1.0, 2.0], mode="constant"), np.array([0.0, 0, 2, 1, 0])),
    Row(66, "even kernel, ndimage.convolve", lambda: N.convolve([0.0, 0, 1, 0, 0], [1.0, 2.0], mode="constant"), np.array([0.0, 1, 2, 0, 0])),
    Row(66, "even kernel, signal.correlate", lambda: S.correlate([0.0, 0, 1, 0, 0], [1.0, 2.0], "same"), np.array([0.0, 0, 2, 1, 0])),
    Row(66, "even kernel, signal.convolve", lambda: S.convolve([0.0, 0, 1, 0, 0], [1.0, 2.0], "same"), np.array([0.0, 0, 1, 2, 0])),
    Row(66, "even kernel, signal.correlate2d", lambda: S.correlate2d([[0.0, 0, 1, 0, 0]], [[1.0, 2.0]], "same"), np.array([[0.0, 2, 1, 0, 0]])),
    Row(66, "even size", lambda: N.maximum_filter1d([0.0, 0, 1, 0, 0], 2), np.array([0.0, 0, 1, 1, 0])),
    Row(66, "sepfir2d with an even row", lambda: S.sepfir2d(X, [1.0, 1.0], [1.0]), ValueError, "odd"),
    # Kernels larger than the image.
    Row(67, "convolve2d with a larger kernel, wrap", lambda: S.convolve2d([[1.0, 2.0]], np.ones((3, 9)), "same", "wrap"), np.array([[39.0, 42.0]])),
    Row(67, "convolve2d with a larger kernel, symm", lambda: S.convolve2d([[1.0, 2.0]], np.ones((1, 9)), "same", "symm"), np.array([[13.0, 14.0]])),
    *[Row(67, f"correlate with a larger kernel, {mode}", lambda mode=mode: N.correlate1d([5.0], np.ones(99), mode=mode), np.array([495.0])) for mode in ("reflect", "mirror", "nearest", "wrap", "grid-wrap", "grid-mirror")],
    Row(67, "correlate with a larger kernel, constant", lambda: N.correlate1d([5.0], np.ones(99), mode="constant", cval=1.0), np.array([103.0])),
    Row(67, "valid of neither", lambda: S.convolve(np.ones((2, 5)), np.ones((3, 2)), "valid"), ValueError, "valid"),
    # Names.
    *each(68, "mode 'Same'", CONVOLUTIONS, (LINE, TAPS, "Same"), ValueError, "mode"),
    *each(68, "mode None", CONVOLUTIONS, (LINE, TAPS, None), REFUSED, "mode"),
    *each(68, "mode 1", PLANAR, (X, K, 7), REFUSED, "mode"),
    *each(68, "method 'winograd'", CONVOLUTIONS[:2], (LINE, TAPS, "same", "winograd"), ValueError, "method"),
    *each(68, "boundary 'reflect'", PLANAR, (X, K, "same", "reflect"), ValueError, "boundary"),
    Row(68, "correlation_lags of mode 'all'", lambda: S.correlation_lags(3, 4, "all"), ValueError, "[Mm]ode"),
    Row(68, "correlation_lags of 2**62", lambda: S.correlation_lags(BIGGER, 3), TOO_LARGE, "lags|in1_len"),
    Row(68, "upfirdn of mode 'zeros'", lambda: S.upfirdn(TAPS, LINE, mode="zeros"), ValueError, "mode"),
    Row(68, "upfirdn up 2**62", lambda: S.upfirdn(TAPS, LINE, BIGGER), (*TOO_LARGE, OverflowError), "up|output"),
    Row(68, "upfirdn down 0", lambda: S.upfirdn(TAPS, LINE, 1, 0), ValueError, "down"),
    *every_filter(68, "mode 'symmetric'", (ValueError, RuntimeError), "mode", mode="symmetric"),
    *every_filter(68, "mode 1", (TypeError, ValueError, RuntimeError), "mode", mode=1),
    Row(68, "mode of three axes", lambda: N.gaussian_filter(X, 1.0, mode=["wrap"] * 3), ValueError, "mode|sequence"),
    # What is not finite reaches what the direct sum has it in, and nothing else.
    *[
        Row(69, f"{one.__name__} of {value}", lambda one=one, value=value: one(spoilt(value), np.ones((3, 3)), "same"), touched(value))
        for one in (*CONVOLUTIONS, *PLANAR) for value in (math.nan, math.inf)
    ],
    Row(69, "fftconvolve of a NaN, long", lambda: np.isnan(S.fftconvolve(np.where(np.arange(5000) == 100, np.nan, 1.0), np.ones(301), "same")).nonzero()[0], np.arange(251)),
    Row(69, "convolve with a NaN in the kernel", lambda: np.isnan(S.convolve(np.ones(50), [1.0, math.nan, 1.0], "valid")).nonzero()[0], np.arange(48)),
    *[Row(69, f"{one.__name__} of {value}", lambda one=one, value=value: one(spoilt(value), np.ones((3, 3))), touched(value)) for one in WEIGHTED for value in (math.nan, -math.inf)],
    Row(69, "uniform_filter of a NaN", lambda: np.isnan(N.uniform_filter(spoilt(math.nan), 3)).astype(float), touched(1.0)),
    Row(69, "uniform_filter of 1e20", lambda: (N.uniform_filter1d(np.where(np.arange(40) == 3, 1e20, 1.0), 3))[5:], np.ones(35)),
    Row(69, "gaussian_filter of a NaN", lambda: np.isnan(N.gaussian_filter(spoilt(math.nan), 1.0, radius=2)).astype(float), touched(1.0, reach=2)),
    # Masks are not dropped.
    *each(72, "of a masked array", CONVOLUTIONS, (masked(), K), REFUSED, "mask"),
    *each(72, "of a masked array", PLANAR, (masked(), K), REFUSED, "mask"),
    *each(72, "of a masked array", WEIGHTED, (masked(), K), REFUSED, "mask"),
    *each(72, "of a masked array", WINDOWS, (masked(), 3), REFUSED, "mask"),
    *each(72, "of a masked array", GAUSSIANS, (masked(), 1.0), REFUSED, "mask"),
    # Where the result goes.
    *every_filter(79, "into another shape", (ValueError, RuntimeError), "output", output=np.empty((4, 4))),
    *every_filter(79, "into what is read-only", ValueError, "output|read-only", output=broadcast(4, 5)),
    *every_filter(79, "into a string", REFUSED, "output|dtype|data type|understood", output="nothing"),
    *[Row(79, f"{one.__name__} of complex numbers into real ones", lambda one=one: one(X + 1j, K, output=np.empty((4, 5))), (ValueError, TypeError, RuntimeError), "output") for one in WEIGHTED],
    *each(79, "into another shape", (*CONVOLUTIONS, *PLANAR), (X, K, "same"), ValueError, "out", out=np.empty((4, 4))),
    *each(79, "into another dtype", (*CONVOLUTIONS, *PLANAR), (X, K, "same"), TypeError, "out", out=np.empty((4, 5), "f4")),
    *each(79, "into a list", (*CONVOLUTIONS, *PLANAR), (X, K, "same"), TypeError, "out", out=[0.0]),
    *each(79, "into what is read-only", (*CONVOLUTIONS, *PLANAR), (X, K, "same"), ValueError, "out", out=broadcast(4, 5)),
    # Results over the input.
    *[Row(80, f"{one.__name__} in place", lambda one=one, given=given: in_place(one, *given[1:]), one(*given)) for one, given in EVERY_FILTER],
    *[Row(80, f"{one.__name__} one element on", lambda one=one, given=given: into_shifted(one, *given[1:]), one(*given)) for one, given in EVERY_FILTER],
    *[Row(80, f"{one.__name__} in place", lambda one=one: in_place(one, K, "same", name="out"), one(X, K, "same")) for one in (*CONVOLUTIONS, *PLANAR)],
    *[Row(80, f"{one.__name__} one element on", lambda one=one: into_shifted(one, K, "same", name="out"), one(X, K, "same")) for one in (*CONVOLUTIONS, *PLANAR)],
    # What can be made an array.
    Row(81, "convolve of lists", lambda: S.convolve([1, 2], [3, 4]), np.array([3, 10, 8])),
    Row(81, "correlate1d of a list", lambda: N.correlate1d([1, 2, 3], [1, 1, 1]), np.array([4, 6, 8])),
    Row(81, "gaussian_filter1d of something with __array__", lambda: N.gaussian_filter1d(Told(), 1.0), N.gaussian_filter1d(LINE, 1.0)),
    Row(81, "convolve of a subclass", lambda: S.convolve(LINE.view(Kind), TAPS), S.convolve(LINE, TAPS)),
    Row(81, "sobel of a subclass", lambda: N.sobel(X.view(Kind)), N.sobel(X)),
    Row(81, "maximum_filter of a matrix", lambda: N.maximum_filter(X.astype(">f8"), 3).astype("<f8"), N.maximum_filter(X, 3)),
    Row(81, "convolve of None", lambda: S.convolve(None, TAPS), REFUSED, "in1|dimensionality|None|NoneType"),
    Row(81, "convolve of strings", lambda: S.convolve(["a"], ["b"]), REFUSED, "in1"),
    Row(81, "correlate2d of dates", lambda: S.correlate2d(X.astype("M8[s]"), K), REFUSED, "in1|dtype"),
    *each(81, "of strings", WINDOWS, (np.full((3, 3), "a"), 3), REFUSED, "input"),
    *each(81, "of None", GAUSSIANS, (None, 1.0), REFUSED, "input|sequence"),
    *each(81, "of a ragged list", WEIGHTED, ([[1.0], [1.0, 2.0]], K), REFUSED, "input|inhomogeneous"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number} {row.label}")
def test_table(row):
    check_row(row)
