"""Weighted sums of several rows, or lines, at a time: folded, exact, and copied rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convx
from convx import ndimage, reference

# Rows a multiple of 1024 bytes apart, and others; lines that are no multiple of a vector.
SHAPES = ((150, 128), (70, 256), (90, 45), (33, 131), (9, 300), (20, 1), (1, 400), (21, 19, 40))
MODES = ("reflect", "mirror", "nearest", "wrap", "constant")


def weights(rng, taps, mirrored):
    found = rng.standard_normal(taps)
    half = found[: taps // 2]
    if mirrored:
        found[taps - taps // 2 :] = mirrored * half[::-1]
    return found


def summed(x, w, axis, mode="reflect", cval=0.0):
    """Return the sum of products in double precision, in the order of the taps."""
    size = [1] * x.ndim
    size[axis] = len(w)
    found = reference.image_windows(x.astype("float64"), size, mode, cval)
    return np.tensordot(found, w.reshape(size), axes=x.ndim)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SHAPES),
    st.integers(1, 70),
    st.sampled_from((1, -1, 0)),
    st.sampled_from(MODES),
    st.sampled_from(("float32", "float64")),
    st.data(),
)
def test_sums_of_any_weights(shape, taps, mirrored, mode, dtype, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    rng = np.random.default_rng(taps)
    x, w = rng.standard_normal(shape).astype(dtype), weights(rng, taps, mirrored)
    got = ndimage.correlate1d(x, w, axis, mode=mode, cval=1.5)
    expected = summed(x, w, axis, mode, 1.5)
    assert got.dtype == x.dtype
    allowed = (2e-6 if dtype == "float32" else 1e-14) * np.abs(w).sum() * 4
    np.testing.assert_allclose(got, expected, rtol=0, atol=allowed)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(150, 128), (64, 17), (40, 30, 32)])
def test_gaussians_are_one_filter_after_the_other(shape, dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    for sigma in (1, 2, 5):
        got = ndimage.gaussian_filter(x, sigma)
        expected = x
        for axis in range(x.ndim):
            expected = ndimage.gaussian_filter1d(expected, sigma, axis)
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("taps", [5, 9, 31, 33])
@pytest.mark.parametrize("mirrored", [1, -1, 0])
def test_bits_do_not_depend_on_where_an_output_lies(dtype, taps, mirrored):
    """On threads, on the batch, on the row of a band, on the place in a vector."""
    rng = np.random.default_rng(taps)
    x = (rng.random((2, 200, 128)) * 200).astype(dtype)
    w = weights(rng, taps, mirrored) / 8
    for axis in (1, 2):
        with convx.threads(2):
            whole = ndimage.correlate1d(x, w, axis, mode="constant")
        with convx.threads(1):
            alone = ndimage.correlate1d(x[1], w, axis - 1, mode="constant")
        np.testing.assert_array_equal(whole[1], alone)
        for first in (1, 3, 5):
            last = 128 - first
            where = (slice(None), slice(first, last))[:: 1 if axis == 1 else -1]
            some = ndimage.correlate1d(x[1][where], w, axis - 1, mode="constant")
            np.testing.assert_array_equal(some, alone[where])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1])
def test_what_is_not_finite_stays_in_its_windows(bad, axis):
    x = np.zeros((100, 128))
    x[50, 60] = bad
    got = ndimage.gaussian_filter1d(x, 4, axis)
    expected = np.zeros(x.shape, bool)
    where = (slice(34, 67), 60) if axis == 0 else (50, slice(44, 77))
    expected[where] = True
    np.testing.assert_array_equal(~np.isfinite(got), expected)


def test_integers_are_summed_in_the_order_of_scipy():
    """The middle first, then pairs from the outer ones on; each product rounded."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 256, (40, 128)).astype("uint8")
    for taps in (3, 5, 17, 33):
        w = weights(rng, taps, 1)
        w /= w.sum()  # sums that are nearly whole numbers where the image is flat
        x[:, 64:] = 100
        for axis in (0, 1):
            moved = np.moveaxis(x.astype("float64"), axis, -1)
            padded = np.pad(moved, [(0, 0), (taps // 2, taps // 2)], "symmetric")
            count, middle = moved.shape[-1], taps // 2
            parts = [padded[:, t : t + count] for t in range(taps)]
            expected = parts[middle] * w[middle]
            for t in range(middle):
                expected = expected + (parts[t] + parts[taps - 1 - t]) * w[t]
            got = ndimage.correlate1d(x, w, axis)
            truncated = np.moveaxis(expected, -1, axis).astype("int64").astype("uint8")
            np.testing.assert_array_equal(got, truncated)


def test_footprint_sums_of_small_integers():
    """Padded in their own type where a constant border has it, converted first where not."""
    peer = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(4)
    x, w = rng.integers(0, 256, (30, 41)).astype("uint8"), rng.standard_normal((3, 5)) / 7
    for mode, cval in (("reflect", 0), ("constant", 7), ("constant", 0.5), ("constant", -3)):
        for image in (x, x.astype(">u2"), x.astype("int16")[:, ::2]):
            got = ndimage.correlate(image, w, mode=mode, cval=cval)
            np.testing.assert_array_equal(got, peer.correlate(image, w, mode=mode, cval=cval))


@pytest.mark.parametrize(("shape", "axis"), [((2, 83), 1), ((75, 3), 0), ((1, 60, 2), 1)])
def test_windows_of_every_length(shape, axis):
    """Along lines they are put together of shorter ones, in a way of its own for each length."""
    x = np.random.default_rng(1).integers(-99, 99, shape)
    for taps in (*range(7, 39), 64, 70):
        size = [1] * x.ndim
        size[axis] = taps
        windows = reference.image_windows(x.astype("float64"), size).reshape(*shape, taps)
        means = windows.sum(axis=-1) / taps
        for dtype in ("float32", "float64", "int16"):
            one = x.astype(dtype)
            highest = ndimage.maximum_filter1d(one, taps, axis)
            np.testing.assert_array_equal(highest, windows.max(axis=-1))
            lowest = ndimage.minimum_filter1d(one, taps, axis)
            np.testing.assert_array_equal(lowest, windows.min(axis=-1))
            got = ndimage.uniform_filter1d(one, taps, axis)
            if one.dtype.kind == "i":
                np.testing.assert_array_equal(got, np.trunc(means))
            else:
                np.testing.assert_allclose(got, means, rtol=0, atol=99 * np.finfo(dtype).eps)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_crosses_of_three_taps(rng, mode, dtype):
    """The Laplacian of images, in one pass; of rows shorter than a vector, and of several."""
    for columns in (1, 2, 3, 9, 10, 17, 18, 19, 33, 34, 35, 50, 129, 257):
        for rows in (1, 2, 9, 70):
            x = rng.standard_normal((rows, columns)).astype(dtype)
            second = [1.0, -2.0, 1.0]
            wanted = sum(summed(x, np.array(second), axis, mode, 2.5) for axis in (0, 1))
            with convx.threads(1):
                found = ndimage.laplace(x, mode=mode, cval=2.5)
            tolerance = 3e-6 if dtype == "float32" else 3e-15
            np.testing.assert_allclose(found, wanted, rtol=0, atol=5 * tolerance)
            with convx.threads(2):
                assert np.array_equal(ndimage.laplace(x, mode=mode, cval=2.5), found)
