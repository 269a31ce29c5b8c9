"""signal.medfilt2d beside NumPy's medians and SciPy's function."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convx
from convx import signal

DTYPES = ("uint8", "float32", "float64", "int8", "int16", "uint16", "int32", "uint32", "int64")


def image(rng, shape, dtype):
    if np.dtype(dtype).kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    bounds = np.iinfo(dtype)
    return rng.integers(bounds.min, bounds.max, shape, dtype, endpoint=True)


def plain(x, rows, columns):
    """The middle one of every window's sorted elements."""
    padded = np.pad(x, ((rows // 2,) * 2, (columns // 2,) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (rows, columns))
    return np.sort(windows.reshape(*x.shape, -1), axis=-1)[..., rows * columns // 2]


odd = st.integers(0, 3).map(lambda half: 2 * half + 1)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 20), st.integers(1, 90)),
    st.tuples(odd, odd),
    st.sampled_from(DTYPES),
    st.integers(0, 2**32 - 1),
)
def test_median_is_the_middle_element(shape, sizes, dtype, seed):
    x = image(np.random.default_rng(seed), shape, dtype)
    found = signal.medfilt2d(x, sizes)
    assert found.dtype == x.dtype
    assert np.array_equal(found, plain(x, *sizes))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [3, 5, 11, 13])
def test_rows_longer_than_a_stretch(rng, size, dtype):
    x = image(rng, (17, 601), dtype)
    assert np.array_equal(signal.medfilt2d(x, size), plain(x, size, size))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("sizes", [3, 5, [7, 3], [1, 9], None])
def test_scipy_agrees(rng, sizes, dtype):
    theirs = pytest.importorskip("scipy.signal")
    x = image(rng, (40, 33), dtype)
    assert np.array_equal(signal.medfilt2d(x, sizes), theirs.medfilt2d(x, sizes))


@pytest.mark.parametrize("size", [3, 5, 7, 13])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_that_are_not_finite_have_a_place(size, dtype):
    rows = 2 * size
    x = np.where(np.arange(rows * rows) % 3 == 0, np.nan, -np.inf).astype(dtype).reshape(rows, rows)
    inner = (slice(size // 2, -(size // 2)),) * 2
    assert np.all(signal.medfilt2d(x, size)[inner] == -np.inf)
    assert np.all(np.isnan(signal.medfilt2d(np.full_like(x, np.nan), size)[inner]))
    thirds = np.array([np.copysign(np.nan, -1), 1, np.nan], dtype)
    mixed = np.resize(thirds, (rows, rows))
    assert np.all(signal.medfilt2d(mixed, size)[inner] == 1)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int16", "int64"])
def test_layouts_threads_and_out(rng, dtype):
    x = image(rng, (300, 257), dtype)
    wanted = signal.medfilt2d(x, 5, workers=1)
    assert np.array_equal(signal.medfilt2d(x, 5, workers=2), wanted)
    spread = np.zeros((600, 257), dtype)
    spread[::2] = x
    for one in (spread[::2], np.asfortranarray(x), x.astype(x.dtype.newbyteorder())):
        one.flags.writeable = False
        found = signal.medfilt2d(one, 5)
        assert found.dtype == x.dtype
        assert np.array_equal(found, wanted)
    out = np.zeros((257, 300), dtype).T
    assert signal.medfilt2d(x, 5, out=out) is out
    assert np.array_equal(out, wanted)
    assert signal.medfilt2d(x, 5, out=x) is x
    assert np.array_equal(x, wanted)


def test_one_element_and_no_element():
    x = np.arange(6.0).reshape(2, 3)
    found = signal.medfilt2d(x, 1)
    assert np.array_equal(found, x)
    assert not np.may_share_memory(found, x)
    assert signal.medfilt2d(np.ones((0, 3), "u1")).shape == (0, 3)
    assert np.array_equal(signal.medfilt2d([[5]], 3), [[0]])


def test_explain_tells_of_medians():
    told = convx.explain(signal.medfilt2d, np.ones((90, 100), "f"), 3)
    assert (told.algorithm, told.output_shape) == ("median", (90, 100))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: signal.medfilt2d(np.ones(5)), ValueError, "input must have 2 axes, got 1"),
        (lambda: signal.medfilt2d(np.ones((2, 2, 2))), ValueError, "object too deep"),
        (lambda: signal.medfilt2d(np.ones((2, 2), "F")), ValueError, "complex64 is not supported"),
        (lambda: signal.medfilt2d(np.ones((2, 2), "?")), ValueError, "bool is not supported"),
        (lambda: signal.medfilt2d(np.ones((2, 2)), 2), ValueError, "should be odd.*kernel_size=2"),
        (lambda: signal.medfilt2d(np.ones((2, 2)), -1), ValueError, "odd, and positive"),
        (lambda: signal.medfilt2d(np.ones((2, 2)), [3, 3, 3]), ValueError, "or two of them"),
        (lambda: signal.medfilt2d(np.ones((2, 2)), 3.0), TypeError, "kernel_size must have int"),
        (lambda: signal.medfilt2d(np.ones((2, 2)), out=np.ones((2, 3))), ValueError, "out must"),
        (lambda: signal.medfilt2d(np.ones((2, 2)), 2**40 + 1), MemoryError, "padded input"),
    ],
)
def test_errors_name_the_argument(call, error, words):
    with pytest.raises(error, match=words):
        call()
