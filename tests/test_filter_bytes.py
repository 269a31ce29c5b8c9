"""Filters of bytes that are computed as bytes: means, sums modulo 256, footprints."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convx
from convx import ndimage, reference

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
# Shorter than a vector, whole ones, some elements more; colours; lines of some segments.
SHAPES = ((40, 30), (9, 64), (33, 100), (5, 600), (300, 7), (12, 45, 3), (6, 7, 70), (1, 9000))


def bytes_of(seed, shape):
    """Random bytes, of which many are the largest and the least."""
    rng = np.random.default_rng(seed)
    return rng.choice(np.array([0, 1, 100, 254, 255, 37], "uint8"), shape)


def windows_of(x, axis, taps, mode, cval):
    size = [1] * x.ndim
    size[axis] = taps
    return reference.image_windows(x.astype("int64"), size, mode, cval).reshape(*x.shape, taps)


def means(x, axis, taps, mode, cval):
    return (windows_of(x, axis, taps, mode, cval).sum(-1) // taps).astype("uint8")


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(SHAPES),
    st.one_of(st.integers(1, 9), st.integers(1, 140)),
    st.sampled_from(MODES),
    st.integers(0, 255),
    st.data(),
)
def test_means_are_rounded_down(shape, taps, mode, cval, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    x = bytes_of(taps, shape)
    got = ndimage.uniform_filter1d(x, taps, axis, mode=mode, cval=cval)
    np.testing.assert_array_equal(got, means(x, axis, taps, mode, cval))


@pytest.mark.parametrize("taps", range(1, 131))
def test_every_sum_is_divided_exactly(taps):
    """Lines of `k` ones among zeros of the whole range of sums, along both axes."""
    sums = np.arange(255 * taps + 1)
    lines = np.minimum(np.maximum(sums[:, None] - 255 * np.arange(taps), 0), 255).astype("uint8")
    middle = taps // 2
    for x, axis in ((lines, 1), (np.ascontiguousarray(lines.T), 0)):
        got = ndimage.uniform_filter1d(x, taps, axis)
        np.testing.assert_array_equal(np.take(got, middle, axis), sums // taps)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(2, 12), st.sampled_from(MODES))
def test_boxes_are_one_mean_after_the_other(shape, taps, mode):
    x = bytes_of(1, shape)
    expected = x
    for axis in range(x.ndim):
        expected = means(expected, axis, taps, mode, 0)
    np.testing.assert_array_equal(ndimage.uniform_filter(x, taps, mode=mode), expected)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(SHAPES),
    st.lists(st.integers(-300, 300), min_size=1, max_size=9),
    st.sampled_from(MODES),
    st.integers(1, 3),
    st.data(),
)
def test_sums_are_modulo_256(shape, weights, mode, dilation, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    x, w = bytes_of(len(weights), shape), np.array(weights)
    spread = np.zeros((len(w) - 1) * dilation + 1, "int64")
    spread[::dilation] = w
    origin = len(w) // 2 * dilation - len(spread) // 2  # where a kernel with holes has its middle
    found = reference.image_windows(
        x.astype("int64"),
        [len(spread) if one == axis else 1 for one in range(x.ndim)],
        mode,
        7,
        [origin if one == axis else 0 for one in range(x.ndim)],
    ).reshape(*x.shape, len(spread))
    got = ndimage.correlate1d(x, w, axis, mode=mode, cval=7, dilation=dilation)
    np.testing.assert_array_equal(got, (found @ spread).astype("uint8"))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SHAPES), st.integers(1, 4), st.integers(1, 5), st.sampled_from(MODES), st.data()
)
def test_kernels_of_all_axes_are_modulo_256(shape, rows, columns, mode, data):
    x = bytes_of(rows, shape)
    sizes = (rows, columns) + (1,) * (x.ndim - 2)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    w = rng.integers(-200, 200, sizes) * (rng.random(sizes) < 0.8)
    windows = reference.image_windows(x.astype("int64"), sizes, mode, 255)
    expected = (windows.reshape(*x.shape, -1) @ w.ravel()).astype("uint8")
    np.testing.assert_array_equal(ndimage.correlate(x, w, mode=mode, cval=255), expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["laplace", "sobel", "prewitt"])
def test_derivatives_are_modulo_256(shape, name):
    x = bytes_of(5, shape)
    wide = getattr(ndimage, name)(x, output="int32")
    np.testing.assert_array_equal(getattr(ndimage, name)(x), wide.astype("uint8"))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 99), st.sampled_from(MODES))
def test_extrema_over_footprints(shape, seed, mode):
    x = bytes_of(seed, shape)
    footprint = np.random.default_rng(seed).random((3, 4) + (1,) * (x.ndim - 2)) < 0.5
    footprint.flat[seed % footprint.size] = True
    windows = reference.image_windows(x, footprint.shape, mode, 9)
    chosen = windows.reshape(*x.shape, -1)[..., footprint.ravel()]
    options = {"footprint": footprint, "mode": mode, "cval": 9}
    np.testing.assert_array_equal(ndimage.maximum_filter(x, **options), chosen.max(-1))
    np.testing.assert_array_equal(ndimage.minimum_filter(x, **options), chosen.min(-1))


@pytest.mark.parametrize(
    ("call", "options"),
    [
        (lambda x: ndimage.uniform_filter(x, 5), {}),
        (lambda x: ndimage.correlate(x, np.arange(9).reshape(3, 3)), {}),
        (lambda x: ndimage.sobel(x), {}),
        (lambda x: ndimage.uniform_filter(x, 3, mode="constant", cval=300), {}),
        (lambda x: ndimage.correlate1d(x, [1, 2], mode="constant", cval=-1), {}),
        (lambda x: ndimage.correlate(x, np.full((2, 2), 0.5)), {}),
        (lambda x: ndimage.maximum_filter(x, 7), {}),
    ],
)
def test_layouts_and_threads_do_not_matter(call, options):
    x = bytes_of(3, (200, 150))
    expected = call(x)
    with convx.threads(2):
        np.testing.assert_array_equal(call(x), expected)
    wide = np.zeros((200, 300), "uint8")
    wide[:, ::2] = x
    frozen = wide[:, ::2]
    frozen.flags.writeable = False
    np.testing.assert_array_equal(call(frozen), expected)
    np.testing.assert_array_equal(call(np.asfortranarray(x)), expected)
    assert call(x[:0]).shape == (0, 150)


def test_calls_that_are_remembered_are_told_apart():
    """By kernel, its type, border, constant, origin and whether it is turned; images are new."""
    kernels = [np.array(one) for one in ([[1, 2, 0], [0, -1, 3]], [[1, 2, 0], [0, -1, 4]])]
    kernels += [kernels[0].astype("float64"), kernels[0].reshape(3, 2), kernels[0] / 2]
    seed = 0
    for _ in range(3):
        for w in kernels:
            for mode, cval, origin in (
                ("reflect", 0, 0), ("constant", 0, 0), ("constant", 9, 0), ("wrap", 0, (0, -1)),
            ):  # fmt: skip
                seed += 1
                x = bytes_of(seed, (20, 70))
                options = {"mode": mode, "cval": cval, "origin": origin}
                for name in ("correlate", "convolve"):
                    call = getattr(ndimage, name)
                    wide = call(x.astype("int32"), w, **options)
                    np.testing.assert_array_equal(call(x, w, **options), wide.astype("uint8"))


@pytest.mark.parametrize("cval", [0, 255, 256, -1, 0.5])
@pytest.mark.parametrize("output", ["uint8", "int16"])
def test_scipy_agrees(cval, output):
    """Also where bytes are not enough, for constants or for results."""
    peer = pytest.importorskip("scipy.ndimage")
    x, w = bytes_of(2, (50, 83)), np.array([[1, 2, 1], [0, 0, 0], [3, 1, 0]])
    common = {"mode": "constant", "cval": cval, "output": output}
    for name, args in (
        ("uniform_filter", (6,)),
        ("uniform_filter1d", (129,)),
        ("correlate", (w,)),
        ("correlate1d", ([1, 2, 3],)),
    ):
        expected = getattr(peer, name)(x, *args, **common)
        np.testing.assert_array_equal(getattr(ndimage, name)(x, *args, **common), expected, name)
