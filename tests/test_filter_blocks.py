"""How filters are cut: boxes of direct sums, bands of columns, borders around whole lines."""

import itertools

import numpy as np
import pytest

import convx
from convx import ndimage, signal
from convx._engine import execution
from convx._engine.passes import Pass, together
from convx._ops import filters


def direct_sum(x, kernel):
    """The plain sum of shifted arrays, of the places where the kernel fits."""
    sizes = [size - taps + 1 for size, taps in zip(x.shape, kernel.shape)]
    found = np.zeros(sizes)
    for tap in itertools.product(*map(range, kernel.shape)):
        found += kernel[tap] * x[tuple(slice(t, t + n) for t, n in zip(tap, sizes))]
    return found


@pytest.mark.parametrize("shape", [(88, 80, 76), (700, 10, 80), (88, 79, 77)])
def test_large_volumes_have_the_bits_of_their_parts(rng, shape):
    """Of 4 MiB and more, rows to come are asked for."""
    x = rng.standard_normal(shape)
    assert x.nbytes >= 4 << 20
    for taps in (3, 5):
        kernel = rng.standard_normal((3, taps, taps))
        whole = signal.correlate(x, kernel, "valid", "direct")
        np.testing.assert_allclose(whole, direct_sum(x, kernel), rtol=0, atol=1e-12)
        part = signal.correlate(x[20:31], kernel, "valid", "direct")
        assert np.array_equal(part, whole[20:29])
        alone = signal.correlate(x, kernel, "valid", "direct", workers=1)
        assert np.array_equal(alone, whole)


@pytest.mark.parametrize("dtype", "fd")
def test_volumes_of_three_taps_are_direct_sums_and_of_five_go_by_tiles(dtype):
    x = np.ones((96, 96, 96), dtype)
    for taps, algorithm in ((3, "direct"), (5, "fft"), (9, "fft")):
        plan = convx.explain(signal.correlate, x, np.ones((taps, taps, taps), dtype), "same")
        assert plan.algorithm == algorithm


@pytest.mark.parametrize("dtype", "fd")
@pytest.mark.parametrize("taps", [(5, 5), (4, 6), (7, 3)])
def test_large_images_have_the_bits_of_their_parts(rng, taps, dtype):
    """Boxes of more than nine taps are the larger, the more outputs there are for a thread."""
    x, kernel = (rng.standard_normal(n).astype(dtype) for n in ((900, 640), taps))
    whole = signal.correlate(x, kernel, "valid", "direct")
    atol = 1e-12 if dtype == "d" else 1e-4
    np.testing.assert_allclose(whole, direct_sum(x, kernel), rtol=0, atol=atol)
    part = signal.correlate(x[300:340], kernel, "valid", "direct")
    assert np.array_equal(part, whole[300 : 300 + len(part)])


@pytest.mark.parametrize("dtype", "fd")
@pytest.mark.parametrize("height", [3, 7, 50, 1100])
def test_rows_of_copied_images_are_spread_over_the_cache(rng, height, dtype):
    """With 1100 rows, those that the next copy needs are asked for."""
    x = rng.standard_normal((height, 1024)).astype(dtype)
    for taps in (3, 5, 7):
        kernel = rng.standard_normal((taps, taps)).astype(dtype)
        with execution.recording() as programs:
            ndimage.correlate(x, kernel, mode="mirror")
        (plan,) = (program.plan for program in programs)
        assert plan.passes[0].axes[-1].tile_length * x.itemsize % 4096 >= 64
        assert plan.passes[0].axes[-1].tile_length * x.itemsize % 128 == 64
        padded = np.pad(x, taps // 2, "reflect")
        found = ndimage.correlate(x, kernel, mode="mirror")
        expected = direct_sum(padded.astype("d"), kernel.astype("d"))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 if dtype == "d" else 1e-4)
        turned = ndimage.correlate(x[::-1], kernel[::-1], mode="mirror", workers=1)[::-1]
        np.testing.assert_allclose(turned, found, rtol=0, atol=1e-12 if dtype == "d" else 1e-4)


@pytest.mark.parametrize("taps", [8, 9, 33])
@pytest.mark.parametrize("shape", [(200, 70), (3, 130, 65), (1024, 128)])
def test_columns_in_bands_have_the_bits_of_single_ones(rng, shape, taps):
    x, kernel = rng.standard_normal(shape), rng.standard_normal(taps)
    found = ndimage.correlate1d(x, kernel, -2)
    some = ndimage.correlate1d(np.ascontiguousarray(x[..., 32:64]), kernel, -2)
    assert np.array_equal(found[..., 32:64], some)
    reach = [(0, 0)] * (x.ndim - 2) + [(taps // 2, taps - 1 - taps // 2), (0, 0)]
    wanted = direct_sum(
        np.pad(x, reach, "symmetric"), kernel.reshape((1,) * (x.ndim - 2) + (taps, 1))
    )
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("pads", [(0, 0), (2, 0), (0, 2), (1, 1), (2, 10), (10, 10), (10, 0)])
@pytest.mark.parametrize(("border", "numpy"), [("zeros", "constant"), ("symmetric", "symmetric")])
def test_lines_of_one_segment_have_borders_of_any_width(rng, pads, border, numpy):
    """Lines of 1024 elements are a segment, also where more outputs than these follow."""
    x, kernel = rng.standard_normal((128, 1024)), rng.standard_normal(3)
    found = filters.correlate(x, kernel, (1,), (pads,), (border,))
    wanted = direct_sum(np.pad(x, [(0, 0), pads], numpy), kernel[None])
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-13)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize(("length", "origin"), [(5, 0), (33, 3), (40, -3), (96, 1)])
def test_short_lines_have_their_borders(rng, mode, length, origin):
    names = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge"}
    for colours, dtype in itertools.product((1, 3), (np.float64, np.uint8)):
        x = rng.integers(0, 99, (21, length, colours)).astype(dtype)
        weights = np.arange(1.0, 8.0)
        found = ndimage.correlate1d(x, weights, 1, float, mode, 2.0, origin)
        fill = {"constant_values": 2.0} if mode == "constant" else {}
        reach = [(0, 0), (3 + origin, 3 - origin), (0, 0)]
        padded = np.pad(x.astype(float), reach, names.get(mode, mode), **fill)
        assert np.array_equal(found, direct_sum(padded, weights[None, :, None]))


@pytest.mark.parametrize(("shape", "sweeps"), [((300, 1024), 1), ((300, 1032), 2), ((70, 90), 1)])
def test_long_weights_share_a_sweep_if_each_of_their_rows_fits_once(rng, shape, sweeps):
    """The bits are those of one axis after the other."""
    weights = (1.0,) * 65
    passes = [Pass(axis, "weights", 65, 32, "reflect", weights) for axis in (0, 1)]
    assert len(together(shape, passes, 8)) == sweeps
    x = rng.standard_normal(shape)
    apart = ndimage.gaussian_filter1d(ndimage.gaussian_filter1d(x, 8, 0), 8, 1)
    for workers in (1, 2):
        assert np.array_equal(ndimage.gaussian_filter(x, 8, workers=workers), apart)


@pytest.mark.parametrize("dtype", "fd")
@pytest.mark.parametrize("length", [50, 512, 520, 1024, 1033])
def test_lines_side_by_side_have_the_bits_of_any_length(rng, length, dtype):
    """Rows of less than a page are copied to where they belong, others are stored there."""
    x = rng.standard_normal((37, length)).astype(dtype)
    kernel = rng.standard_normal(9)
    kernel = np.concatenate([kernel, [1.0], kernel[::-1]])
    found = ndimage.correlate1d(x, kernel, 1, mode="constant")
    wanted = direct_sum(np.pad(x, [(0, 0), (9, 9)]), kernel[None].astype(dtype))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12 if dtype == "d" else 1e-4)
    longer = np.pad(x, [(0, 0), (0, 1100)])
    many = ndimage.correlate1d(longer, kernel, 1, mode="constant")
    assert np.array_equal(many[:, :length], found)
