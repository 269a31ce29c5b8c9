"""Convolutions along lines, which go by a sweep, beside those of the plan and plain sums."""

import numpy as np
import pytest

import convx
from convx import signal
from convx._ops import filters

LINES = (((300,), 0), ((3, 5000), 1), ((6000, 5), 0), ((2, 700, 3), 1))
MODES = ("full", "same", "valid")


@pytest.fixture
def by_sweep(monkeypatch):
    """Let lines of any length go by the sweep, or none of them."""

    def choose(sweeps):
        monkeypatch.setattr(filters, "LEAST_LINE", 0 if sweeps else 2**60)

    return choose


def along(rng, rank, axis, taps, dtype):
    sizes = [1] * rank
    sizes[axis] = taps
    return rng.standard_normal(sizes).astype(dtype)


@pytest.mark.parametrize("dtype", "fd")
@pytest.mark.parametrize("taps", [2, 3, 8, 31])
@pytest.mark.parametrize(("shape", "axis"), LINES)
def test_sweep_has_the_bits_of_the_plan(by_sweep, rng, shape, axis, taps, dtype):
    x, kernel = rng.standard_normal(shape).astype(dtype), along(rng, len(shape), axis, taps, dtype)
    for mode in MODES:
        found = {}
        for sweeps in (True, False):
            by_sweep(sweeps)
            told = convx.explain(signal.fftconvolve, x, kernel, mode, axes=axis)
            assert told.algorithm == ("separable" if sweeps else "direct")
            found[sweeps] = signal.fftconvolve(x, kernel, mode, axes=axis)
            assert told.output_shape == found[sweeps].shape
        assert np.array_equal(found[True], found[False])


@pytest.mark.parametrize("dtype", "fd")
@pytest.mark.parametrize("mode", MODES)
def test_sweep_is_what_numpy_convolves(by_sweep, rng, mode, dtype):
    by_sweep(True)
    for size, taps in ((1, 1), (40, 7), (8000, 2), (5000, 31)):
        x, kernel = (rng.standard_normal(n).astype(dtype) for n in (size, taps))
        found = signal.convolve(x, kernel, mode)
        wanted = np.convolve(x.astype(float), kernel.astype(float), mode)
        assert found.dtype == x.dtype
        np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-5 if dtype == "f" else 1e-13)


@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
@pytest.mark.parametrize("shape", [(1, 3), (3, 1)])
def test_sweep_has_borders(by_sweep, rng, boundary, shape):
    x, kernel = rng.standard_normal((40, 7)), rng.standard_normal(shape)
    fill = 2.5 if boundary == "fill" else 0
    found = []
    for sweeps in (True, False):
        by_sweep(sweeps)
        found.append(signal.correlate2d(x, kernel, "full", boundary, fill))
    assert np.array_equal(*found)


def test_sweep_takes_any_layout_and_fills_out(by_sweep, rng):
    by_sweep(True)
    x, kernel = rng.standard_normal(9000), rng.standard_normal(5)
    wanted = signal.convolve(x, kernel, "same")
    spread = np.zeros(18000)
    spread[::2] = x
    swapped = x.astype(x.dtype.newbyteorder())
    for one in (spread[::2], x[::-1].copy()[::-1], swapped):
        one.flags.writeable = False
        assert np.array_equal(signal.convolve(one, kernel, "same"), wanted)
    out = np.full(18000, np.nan)[::2]
    assert signal.convolve(x, kernel, "same", out=out) is out
    assert np.array_equal(out, wanted)
    assert signal.convolve(x, kernel, "same", out=x) is x
    assert np.array_equal(x, wanted)


def test_sweep_keeps_its_bits(by_sweep, rng):
    by_sweep(True)
    x, kernel = rng.standard_normal((3, 200_000)), rng.standard_normal((1, 9))
    one = signal.fftconvolve(x, kernel, axes=1, workers=1)
    assert np.array_equal(signal.fftconvolve(x, kernel, axes=1, workers=2), one)
    assert np.array_equal(signal.fftconvolve(x[1:2], kernel, axes=1), one[1:2])


def test_what_is_not_finite_stays_in_its_sums(by_sweep):
    by_sweep(True)
    x = np.ones(10_000)
    x[5000] = np.inf
    sums = signal.convolve(x, np.ones(3), "same")
    assert np.flatnonzero(~np.isfinite(sums)).tolist() == [4999, 5000, 5001]
