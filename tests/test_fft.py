"""Fourier transforms of tiles: results, accuracy, choice, and what they must not change."""

import numpy as np
import pytest
from hypothesis import strategies as st
from support import FLOATS, check, randomly, values, without_algorithm

import convx
from convx import functional as F
from convx import grad, reference

# Items, channels, filters, sizes, kernel, options.
CASES = {
    "a line": (1, 1, 1, (300,), (21,), {}),
    "several channels and filters": (2, 3, 4, (70,), (9,), {"padding": 4}),
    "one tile": (1, 1, 1, (9, 8), (5, 5), {}),
    "a plane": (2, 1, 1, (60, 61), (7, 7), {"padding": 3}),
    "many pairs of tiles": (1, 1, 1, (200, 230), (15, 15), {"padding": 7}),
    "depthwise": (2, 20, 20, (37, 33), (5, 5), {"padding": 2, "groups": 20}),
    "depthwise, large kernels": (1, 17, 17, (40, 40), (31, 31), {"padding": 15, "groups": 17}),
    "depthwise lines": (1, 40, 40, (33,), (11,), {"padding": 5, "groups": 40}),
    "two filters to a group": (3, 5, 10, (23, 19), (5, 7), {"padding": 2, "groups": 5}),
    "two channels to a group": (1, 34, 34, (20, 19), (9, 9), {"groups": 17}),
    "the last axis alone": (1, 3, 3, (20, 100), (1, 31), {"groups": 3}),
    "dilated": (1, 1, 1, (500,), (31,), {"padding": 40, "dilation": 3}),
    "dilated in one axis": (1, 2, 2, (40, 41), (9, 7), {"dilation": (1, 2), "groups": 2}),
    "three axes": (1, 1, 2, (5, 40, 30), (3, 9, 9), {"padding": (1, 4, 4)}),
    "strided before the last axis": (1, 1, 1, (30, 70), (3, 17), {"stride": (2, 1)}),
    "reflected": (1, 2, 3, (30, 31), (11, 11), {"padding": 5, "padding_mode": "reflect"}),
    "no items": (0, 4, 4, (30, 31), (11, 11), {"groups": 4}),
}


def arrays_of(case, dtype, rng):
    batch, channels, filters, size, kernel, options = CASES[case]
    x = values(rng, (batch, channels, *size), dtype)
    w = values(rng, (filters, channels // options.get("groups", 1), *kernel), dtype)
    return x, w, values(rng, (filters,), dtype), {**options, "algorithm": "fft"}


@pytest.mark.parametrize("case", CASES)
def test_is_used(case, rng):
    x, w, b, options = arrays_of(case, "float32", rng)
    if len(x):
        assert convx.explain(F.conv_nd, x, w, b, **options).algorithm == "fft"


@pytest.mark.parametrize("dtype", [*FLOATS, "float16", "complex64"])
@pytest.mark.parametrize("case", CASES)
def test_forward(case, dtype, rng):
    x, w, b, options = arrays_of(case, dtype, rng)
    check(F.conv_nd, without_algorithm(reference.conv_nd), (x, w, b), options, dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES)
def test_gradients(case, dtype, rng):
    x, w, b, options = arrays_of(case, dtype, rng)
    dy = values(rng, F.conv_nd(x, w, **options).shape, dtype)
    check(grad.conv_nd, without_algorithm(reference.conv_nd_grad), (dy, x, w, b), options, dtype)


@randomly(
    40,
    channels=st.integers(1, 20),
    size=st.tuples(st.integers(3, 60), st.integers(3, 60)),
    kernel=st.tuples(st.integers(1, 12), st.integers(2, 12)),
    padding=st.integers(0, 11),
    depthwise=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_sizes(channels, size, kernel, padding, depthwise, seed):
    rng = np.random.default_rng(seed)
    padding = [max(min(padding, k - 1), k - n) for k, n in zip(kernel, size)]
    x = values(rng, (2, channels, *size), "float64")
    w = values(rng, (channels, 1 if depthwise else channels, *kernel), "float64")
    options = {"padding": padding, "groups": channels if depthwise else 1}
    y = F.conv2d(x, w, algorithm="fft", **options)
    direct = F.conv2d(x, w, algorithm="direct", **options)
    np.testing.assert_allclose(y, direct, rtol=0, atol=1e-11)
    dx = grad.conv2d_input(x.shape, w, y, algorithm="fft", **options)
    direct = grad.conv2d_input(x.shape, w, y, algorithm="direct", **options)
    np.testing.assert_allclose(dx, direct, rtol=0, atol=1e-8)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES)
def test_equal_bits(case, dtype, rng):
    """For any number of threads, for an item alone, with prepared weights, into ``out``."""
    x, w, b, options = arrays_of(case, dtype, rng)
    y = F.conv_nd(x, w, b, **options)
    prepared = convx.prepare_conv(w, b, **options)
    with convx.threads(1):
        assert F.conv_nd(x, w, b, **options).tobytes() == y.tobytes()
        assert prepared(x).tobytes() == y.tobytes()
    for n in range(len(x)):
        assert F.conv_nd(x[n], w, b, **options).tobytes() == y[n].tobytes()
    out = np.empty_like(y)
    F.conv_nd(x[..., ::-1].copy()[..., ::-1], w, b, **options, out=out)
    assert out.tobytes() == y.tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_spreads_no_further(bad, rng):
    """Such a call is computed once more, directly."""
    x, w = values(rng, (2, 3, 40, 41), "float32"), values(rng, (3, 1, 9, 9), "float32")
    x[1, 1, 17, 18] = bad
    options = {"padding": 4, "groups": 3}
    with np.errstate(invalid="ignore"):
        found = F.conv2d(x, w, algorithm="fft", **options)
        expected = F.conv2d(x, w, algorithm="direct", **options)
    np.testing.assert_array_equal(found, expected)
    assert np.isfinite(found).any()


@pytest.mark.parametrize("dtype", FLOATS)
def test_accuracy(dtype, rng):
    """As documented: root mean square of the error, in units of that of the result."""
    x, w = rng.standard_normal((1, 1, 200, 200)), rng.standard_normal((1, 1, 31, 31))
    x, w = x.astype(dtype), w.astype(dtype)
    exact = F.conv2d(x.astype("float64"), w.astype("float64"), algorithm="direct")
    error = F.conv2d(x, w, algorithm="fft") - exact
    assert np.sqrt(np.mean(error**2)) < 10 * np.finfo(dtype).eps * np.sqrt(np.mean(exact**2))


CHOICES = {
    "depthwise 31×31": ((1, 128, 56, 56), (128, 1, 31, 31), {"groups": 128}, "fft"),
    "depthwise 7×7": ((1, 96, 56, 56), (96, 1, 7, 7), {"groups": 96}, "direct"),
    "a picture, 15×15": ((1, 1, 500, 500), (1, 1, 15, 15), {}, "fft"),
    "a picture, 3×3": ((1, 1, 500, 500), (1, 1, 3, 3), {}, "direct"),
    "a long line": ((1, 1, 100_000), (1, 1, 401), {}, "fft"),
    "many channels": ((1, 64, 56, 56), (64, 64, 7, 7), {}, "direct"),
    "a short line": ((1, 1, 100_000), (1, 1, 5), {}, "direct"),
    "a dilated pair": ((1, 64, 16_000), (128, 64, 2), {"dilation": 512}, "direct"),
}


@pytest.mark.parametrize("case", CHOICES)
def test_choice(case):
    shape, kernel, options, expected = CHOICES[case]
    w = np.broadcast_to(np.float32(1), kernel)
    for batch in (1, 64):
        x = np.broadcast_to(np.float32(1), (batch, *shape[1:]))
        assert convx.explain(F.conv_nd, x, w, **options).algorithm == expected
