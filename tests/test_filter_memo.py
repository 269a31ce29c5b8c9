"""Repeated calls with small kernels: the memo turns and converts weights as the long way does."""

import functools
import itertools
import math

import numpy as np
import pytest

from convx import ndimage, reference, signal
from convx._core import _memo
from convx._ops import filters, image_correlation, images, separable
from convx._ops import signal as signal_ops

# How weights may lie and be typed; each takes an array of float64 with two axes.
LAYOUTS = {
    "plain": lambda w: w,
    "float32": lambda w: w.astype("float32"),
    "turned": lambda w: w[::-1, ::-1].copy()[::-1, ::-1],
    "fortran": np.asfortranarray,
    "every other": lambda w: np.repeat(np.repeat(w, 2, 0), 3, 1)[::2, ::3],
    "swapped": lambda w: w.astype(w.dtype.newbyteorder()),
    "unaligned": lambda w: np.frombuffer(b"x" + w.tobytes(), w.dtype, offset=1).reshape(w.shape),
    "broadcast": lambda w: np.broadcast_to(w[:1], w.shape),
    "integers": lambda w: np.rint(9 * w).astype(int),
    "list": lambda w: w.tolist(),
}
CALLS = {
    "ndimage.correlate": ndimage.correlate,
    "ndimage.convolve": ndimage.convolve,
    "constant": lambda x, w: ndimage.convolve(x, w, mode="constant"),
    "filled": lambda x, w: ndimage.correlate(x, w, mode="constant", cval=2.5),
    "shifted": lambda x, w: ndimage.convolve(x, w, mode="mirror", origin=(0, -1)),
    "double": lambda x, w: ndimage.correlate(x, w, accumulate="float64"),
    "stride": lambda x, w: ndimage.correlate(x, w, stride=2),
    "signal.convolve": lambda x, w: signal.convolve(x, w, mode="same"),
    "signal.correlate": lambda x, w: signal.correlate(x, w, mode="valid"),
    "signal.fftconvolve": lambda x, w: signal.fftconvolve(x, w, mode="same"),
    "convolve2d": lambda x, w: signal.convolve2d(x, w, mode="same"),
    "correlate2d": lambda x, w: signal.correlate2d(x, w, boundary="wrap", fillvalue=3),
    "filled plane": lambda x, w: signal.convolve2d(x, w, fillvalue=1.5),
}


def unremembered(call, *arrays):
    _memo.suspend_memos(1)
    try:
        return call(*arrays)
    finally:
        _memo.suspend_memos(-1)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_remembered_calls_take_weights_in_any_layout(name, dtype):
    """Of the same shape in turns, and with other numbers each time."""
    call, rng = CALLS[name], np.random.default_rng(0)
    x = rng.standard_normal((19, 23)).astype(dtype)
    for _ in range(3):
        for layout in LAYOUTS.values():
            weights = layout(rng.standard_normal((3, 4)))
            expected = unremembered(call, x, weights)
            for _ in range(2):
                found = call(x, weights)
                assert found.dtype == expected.dtype
                np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_remembered_sums_are_those_of_plain_numpy(layout, dtype):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((12, 21)).astype(dtype)
    near = 1e-5 if dtype == "float32" else 1e-13
    for _ in range(3):
        weights = LAYOUTS[layout](rng.standard_normal((3, 5)))
        plain = np.asarray(weights, float)
        windows = reference.image_windows(x.astype(float), (3, 5))
        for call, kernel in ((ndimage.correlate, plain), (ndimage.convolve, plain[::-1, ::-1])):
            found = call(x, weights)
            np.testing.assert_allclose(found, np.tensordot(windows, kernel, 2), atol=near * 9)
        zeros = reference.image_windows(x.astype(float), (3, 5), "constant")
        found = signal.convolve2d(x, weights, mode="same")
        expected = np.tensordot(zeros, plain[::-1, ::-1], 2)
        np.testing.assert_allclose(found, expected, atol=near * 9)


def no_second_look(*_):
    raise AssertionError("this call has been made before")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_calls_with_weights_of_another_float_are_answered_at_once(dtype, monkeypatch):
    """Turned ones too, and lists; the checks of the long way are never reached again."""
    x, rng = np.ones((9, 10), dtype), np.random.default_rng(2)
    kinds = [
        rng.standard_normal((3, 2)).astype("float32"),
        rng.standard_normal((3, 2)),
        rng.standard_normal((3, 2))[::-1],
        [[1, 2], [3, 4]],
    ]
    for weights in kinds:
        ndimage.correlate(x, weights)
        ndimage.convolve(x, weights)
    same = kinds[0].astype(dtype)
    for call in (signal.convolve, signal.correlate, signal.fftconvolve, signal.convolve2d):
        call(x, same)
    monkeypatch.setattr(images, "image", no_second_look)
    monkeypatch.setattr(signal_ops, "_operand", no_second_look)
    for weights in kinds:
        ndimage.correlate(x, weights)
        ndimage.convolve(x, weights)
    for call in (signal.convolve, signal.correlate, signal.fftconvolve, signal.convolve2d):
        call(x, same)
    with pytest.raises(AssertionError, match="before"):
        ndimage.convolve(x, np.ones((2, 4)))


def test_weights_and_image_may_be_one_array():
    x = np.random.default_rng(3).standard_normal((3, 4))
    for _ in range(3):
        np.testing.assert_array_equal(
            ndimage.convolve(x, x), unremembered(ndimage.convolve, x, x.copy())
        )
        np.testing.assert_array_equal(
            signal.correlate(x, x), unremembered(signal.correlate, x, x.copy())
        )


def test_a_transform_that_is_asked_for_warns_each_time():
    x = np.ones((6, 6))
    x[2, 3] = np.nan
    for _ in range(3):
        with pytest.warns(RuntimeWarning, match="fft"):
            signal.convolve(x, np.ones((2, 2)), method="fft")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("call", [ndimage.correlate, ndimage.convolve])
@pytest.mark.parametrize("shape", [(5, 5), (7, 7), (3, 3, 3), (9, 8)])
def test_kernels_that_may_be_products_are_looked_at_each_time(call, shape, dtype, monkeypatch):
    """Whole ones are answered at once, but not products of the same shape among them."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((14, 13, 12)[-len(shape) :]).astype(dtype)
    whole = [rng.standard_normal(shape) for _ in range(2)]
    factors = [rng.standard_normal(size) for size in shape]
    product = functools.reduce(np.multiply.outer, factors)
    broken = product.copy()
    broken[(1,) * len(shape)] += 1e-3
    infinite = whole[0].copy()
    infinite[(2,) * len(shape)] = np.inf
    with np.errstate(invalid="ignore"):
        for weights in (*whole, product, broken, whole[0], product, infinite):
            taken = weights.astype(dtype)
            expected = unremembered(call, x, taken)
            np.testing.assert_array_equal(call(x, taken), expected)
    monkeypatch.setattr(images, "image", no_second_look)
    call(x, whole[1].astype(dtype))
    if image_correlation.pays_separated(shape):
        with pytest.raises(AssertionError, match="before"):
            call(x, product.astype(dtype))


def test_fewer_weights_than_the_least_never_pay_to_be_separated():
    least = image_correlation.LEAST_SEPARATED
    shapes = [
        *(s for rank in (1, 2, 3) for s in itertools.product(range(1, least + 1), repeat=rank)),
        *(s for rank in (4, 5, 6) for s in itertools.product(range(1, 5), repeat=rank)),
    ]
    paying = [shape for shape in shapes if image_correlation.pays_separated(shape)]
    assert min(map(math.prod, paying)) == least


KERNEL = np.array([[1.0, 2, 5], [3, 7, 2]])
OUTPUT_CALLS = {
    "gaussian": lambda x, out: ndimage.gaussian_filter(x, 1.5, output=out),
    "one axis": lambda x, out: ndimage.gaussian_filter1d(x, 1.5, 0, output=out),
    "second derivatives": lambda x, out: ndimage.gaussian_laplace(x, (1, 2), output=out),
    "gradient": lambda x, out: ndimage.gaussian_gradient_magnitude(x, 1, output=out),
    "mean": lambda x, out: ndimage.uniform_filter(x, (3, 4), output=out),
    "mean along": lambda x, out: ndimage.uniform_filter1d(x, 3, 0, output=out),
    "maximum": lambda x, out: ndimage.maximum_filter(x, 3, output=out),
    "minimum along": lambda x, out: ndimage.minimum_filter1d(x, 4, output=out),
    "cross": lambda x, out: ndimage.maximum_filter(x, footprint=[[0, 1], [1, 1]], output=out),
    "sobel": lambda x, out: ndimage.sobel(x, 0, output=out),
    "laplace": lambda x, out: ndimage.laplace(x, output=out),
    "weights": lambda x, out: ndimage.correlate1d(x, [1, 2, 4], output=out),
    "kernel": lambda x, out: ndimage.correlate(x, KERNEL, output=out),
    "turned kernel": lambda x, out: ndimage.convolve(x, KERNEL, output=out, mode="wrap"),
}
OUTPUTS = {
    "none": lambda x: None,
    "a type": lambda x: np.float64,
    "an integer type": lambda x: "int32",
    "another type": lambda x: np.zeros(x.shape, np.float64 if x.dtype.itemsize < 8 else np.int16),
    "alike": np.zeros_like,
    "every other": lambda x: np.zeros((*x.shape, 2), x.dtype)[..., 0],
    "swapped": lambda x: np.zeros(x.shape, x.dtype.newbyteorder()),
    "the image": lambda x: x,
    "over the image": lambda x: x.base[1:],
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", ">f4"])
@pytest.mark.parametrize("name", OUTPUT_CALLS)
def test_remembered_calls_write_where_they_are_told(name, dtype):
    call, rng = OUTPUT_CALLS[name], np.random.default_rng(5)
    for _ in range(2):
        for kind, made in OUTPUTS.items():
            memory = (90 * rng.random((20, 17))).astype(dtype)
            given = []
            for forgets in (True, False):
                x = memory.copy()[:-1]
                if forgets:
                    separable._remembered.clear()
                out = made(x)
                result = call(x, out)
                assert not isinstance(out, np.ndarray) or result is out, kind
                given.append(result)
                if forgets:  # and those with other outputs
                    for other in OUTPUTS.values():
                        again = memory.copy()[:-1]
                        call(again, other(again))
            assert given[0].dtype == given[1].dtype
            np.testing.assert_array_equal(given[0], given[1], kind)


def test_outputs_are_written_at_once(monkeypatch):
    x = np.random.default_rng(6).random((9, 10))
    calls = [OUTPUT_CALLS[name] for name in ("gaussian", "one axis", "mean along", "cross")]
    for call in (*calls, OUTPUT_CALLS["minimum along"]):
        expected = call(x, None)
        out = np.empty_like(x)
        call(x, out)
        with monkeypatch.context() as patch:
            patch.setattr(images, "image", no_second_look)
            out[:] = 0
            assert call(x, out) is out
        np.testing.assert_array_equal(out, expected)


def test_footprints_are_told_apart():
    x, rng = np.random.default_rng(7).random((30, 31)), np.random.default_rng(8)
    for _ in range(12):
        mask = rng.random((3, 4)) < 0.5
        mask[1, 1] = True
        windows = reference.image_windows(x, mask.shape)
        for given in (mask, mask.astype(int), mask.tolist()):
            found = ndimage.maximum_filter(x, footprint=given)
            np.testing.assert_array_equal(found, windows[..., mask].max(axis=-1))


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64", ">f4", "complex64"])
def test_separable_filters_are_remembered_by_their_taps(dtype):
    rng = np.random.default_rng(7)
    x = (50 * rng.random((12, 15))).astype(dtype)
    kernels = [rng.standard_normal(taps) for taps in (3, 5, 3, 1, 5)]
    for _ in range(2):
        for row, column in itertools.pairwise(kernels):
            found = signal.sepfir2d(x, row, column)
            padded = np.pad(x, ((len(column) // 2,) * 2, (len(row) // 2,) * 2), "symmetric")
            kernel = np.multiply.outer(column, row)[::-1, ::-1]
            windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
            expected = np.tensordot(windows, kernel)
            near = 1e-12 if found.dtype == np.float64 else 1e-5
            np.testing.assert_allclose(found, expected, rtol=0, atol=near * 500)
            out = np.empty_like(found)
            assert signal.sepfir2d(x, row, column, out=out) is out
            np.testing.assert_array_equal(out, found)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint64", "float16"])
def test_signals_beside_taps_of_another_type_are_answered_at_once(dtype, monkeypatch):
    rng = np.random.default_rng(8)
    other = "float32" if dtype == "float64" else "float64"
    x, taps = (90 * rng.random((9, 40))).astype(dtype), rng.standard_normal((3, 5)).astype(other)
    calls = (
        lambda one, two: signal.convolve(one, two, "same"),
        lambda one, two: signal.correlate(one, two, "valid"),
        lambda one, two: signal.fftconvolve(one, two, "same"),
        lambda one, two: signal.oaconvolve(one, two, "full"),
        lambda one, two: signal.convolve2d(one, two, "same", "symm"),
    )
    expected = [unremembered(call, x, taps) for call in calls]
    alike = [call(x.astype("float64"), taps.astype("float64")) for call in calls]
    for call in calls:
        call(x, taps)
    monkeypatch.setattr(signal_ops, "_operand", no_second_look)
    for call, wanted, one in zip(calls, expected, alike):
        found = call(x, taps)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(found, one)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["constant", "symmetric"])
@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 3), (3, 2), (1, 4), (5, 1)])
def test_phases_of_upfirdn_are_remembered(up, down, mode, dtype, monkeypatch):
    rng = np.random.default_rng(9)
    for size in (40, 41, 42, 43):
        x, taps = rng.standard_normal(size).astype(dtype), rng.standard_normal(7).astype(dtype)
        first = signal.upfirdn(taps, x, up, down, mode=mode)
        sparse = np.zeros(up * size)
        sparse[::up] = x
        if mode == "constant":
            wanted = np.convolve(sparse, taps)[: (size - 1) * up + 7][::down]
            near = 1e-5 if dtype == "float32" else 1e-13
            np.testing.assert_allclose(first, wanted, rtol=0, atol=near * 20)
        with monkeypatch.context() as patch:
            if mode == "constant":
                patch.setattr(filters, "_describe", no_second_look)
            np.testing.assert_array_equal(signal.upfirdn(taps, x, up, down, mode=mode), first)
