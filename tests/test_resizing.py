"""Resizing and its gradient, against the reference and PyTorch."""

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from support import assert_same, guarded, randomly, run_python, values
from torch_samples import as_numpy, check_gradients, check_samples

import convx
from convx import functional as F
from convx import grad, reference
from convx._core import _driver

VARIANTS = ["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area"]
LIKE = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_samples(variant, dtype):
    check_samples(f"nn.functional.interpolate {variant}", F.interpolate, dtype)


@pytest.mark.parametrize("variant", ["nearest", "nearest-exact"])
def test_samples_of_bytes(variant):
    check_samples(f"nn.functional.interpolate {variant}", F.interpolate, "uint8")


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_of_samples(variant):
    check_gradients(f"nn.functional.interpolate {variant}", grad.interpolate)


@st.composite
def resizings(draw):
    """A mode, sizes before and after, and the options that go with the mode."""
    mode = draw(st.sampled_from(VARIANTS))
    axes = {"bilinear": 2, "bicubic": 2, "trilinear": 3, "linear": 1}.get(mode) or draw(
        st.integers(1, 3)
    )
    size = st.integers(1, 9)
    sizes = draw(st.lists(size, min_size=axes, max_size=axes))
    options = {"mode": mode}
    if draw(st.booleans()):
        options["size"] = draw(st.lists(st.integers(1, 14), min_size=axes, max_size=axes))
    else:
        scale = st.sampled_from([0.3, 0.5, 0.6, 0.75, 1.0, 1.3, 1.5, 1.7, 2.0, 2.5, 3.0])
        options["scale_factor"] = draw(st.lists(scale, min_size=axes, max_size=axes))
        wanted = [int(n * s) for n, s in zip(sizes, options["scale_factor"])]
        assume(min(wanted) > 0)
        options["recompute_scale_factor"] = draw(st.sampled_from([None, False, True]))
    if mode in ("linear", "bilinear", "bicubic", "trilinear"):
        options["align_corners"] = draw(st.sampled_from([None, False, True]))
        if mode in ("bilinear", "bicubic"):
            options["antialias"] = draw(st.booleans())
    return sizes, options


def expected_resizing(x, options):
    """By the reference."""
    mode, scales = options["mode"], options.get("scale_factor")
    sizes = options.get("size") or [int(n * s) for n, s in zip(x.shape[2:], scales)]
    if options.get("recompute_scale_factor") or mode == "area":
        scales = None
    return reference.interpolate(
        x,
        sizes,
        LIKE.get(mode, mode),
        bool(options.get("align_corners")),
        scales,
        options.get("antialias", False),
    )


@randomly(300, case=resizings())
def test_against_the_reference(case):
    sizes, options = case
    x = values(np.random.default_rng(0), (2, 3, *sizes))
    result = F.interpolate(x, **options)
    expected = expected_resizing(x, options)
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)


@randomly(200, case=resizings(), dtype=st.sampled_from(["float32", "float64"]))
def test_against_torch(case, dtype):
    torch = pytest.importorskip("torch")
    sizes, options = case
    x = values(np.random.default_rng(1), (2, 3, *sizes), dtype)
    # in double precision: its coordinates between pixels of float32 are in single precision
    told = torch.nn.functional.interpolate(torch.tensor(x).double(), **options)
    expected = as_numpy(told).astype(dtype)
    result = F.interpolate(x, **options)
    # PyTorch repeats the first row of what it smooths to a column
    assume(not (options.get("antialias") and 1 in result.shape[2:]))
    assume(not _forgets_a_scale(sizes, result.shape[2:], options))
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    tolerance = 1e-12 if dtype == "float64" else 2e-6
    np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


def _forgets_a_scale(sizes, wanted, options):
    """Whether what PyTorch makes of a scale hangs on the layout (nearest) or the other axis."""
    scales = options.get("scale_factor")
    if scales is None or len(sizes) != 2 or options.get("antialias"):
        return False
    ratios = {"nearest": (1, 2), "bicubic": (1,)}.get(options["mode"], ())
    return any(m / n in ratios and m / n != s for n, m, s in zip(sizes, wanted, scales))


@randomly(200, case=resizings())
def test_gradient_is_the_adjoint(case):
    sizes, options = case
    rng = np.random.default_rng(2)
    x = values(rng, (2, 3, *sizes))
    y = values(rng, F.interpolate(x, **options).shape)
    back = grad.interpolate(y, x, **options)
    assert (back.dtype, back.shape) == (x.dtype, x.shape)
    np.testing.assert_allclose(
        (F.interpolate(x, **options) * y).sum(), (x * back).sum(), rtol=1e-11, atol=1e-11
    )


@pytest.mark.parametrize("size", [(7, 300), (61, 5), (64, 130)])
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic", "area"])
def test_equal_bits_for_threads_and_batches(mode, size):
    x = values(np.random.default_rng(3), (3, 5, 60, 61), "float32")
    with convx.threads(1):
        alone = F.interpolate(x, size, mode=mode)
        back = grad.interpolate(alone, x, size, mode=mode)
    with convx.threads(2):
        assert_same(F.interpolate(x, size, mode=mode), alone)
        assert_same(grad.interpolate(alone, x, size, mode=mode), back)
    assert_same(F.interpolate(x[2:], size, mode=mode), alone[2:])
    assert_same(grad.interpolate(alone[2:], x[2:], size, mode=mode), back[2:])


@pytest.mark.parametrize("n", [3, 7, 49, 224, 1000])
def test_nearest_pixels_are_those_of_torch(n):
    """Where a coordinate is next to an integer, rounding decides."""
    torch = pytest.importorskip("torch")
    for dtype in ("float32", "float64"):
        x = np.arange(n, dtype=dtype).reshape(1, 1, n)
        for wanted in [1, 2, n - 1, n + 1, 2 * n, 3 * n, 7 * n // 5, *range(1, 400, 13)]:
            for mode in ("nearest", "nearest-exact"):
                expected = torch.nn.functional.interpolate(torch.tensor(x), wanted, mode=mode)
                assert_same(F.interpolate(x, wanted, mode=mode), as_numpy(expected))


@pytest.mark.parametrize("dtype", ["bool", "int16", "complex64", "U2", "f4,i2"])
def test_nearest_takes_any_dtype(dtype):
    x = np.arange(6).reshape(1, 1, 2, 3).astype(dtype)
    assert_same(F.interpolate(x, (4, 6)), x.repeat(2, 2).repeat(2, 3))


def test_any_number_of_axes():
    x = values(np.random.default_rng(4), (1, 2, 3, 2, 4, 3))
    for mode in ("linear", "area", "nearest"):
        result = F.interpolate(x, (2, 4, 5, 3), mode=mode)
        np.testing.assert_allclose(
            result, reference.interpolate(x, (2, 4, 5, 3), mode), rtol=1e-12, atol=1e-12
        )


def test_what_is_not_finite_stays_where_it_is():
    x = np.zeros((1, 1, 5))
    x[..., 2] = np.nan
    assert np.isnan(F.interpolate(x, 5, mode="linear")).sum() == 1
    assert np.isnan(F.interpolate(x, 9, mode="linear", align_corners=True)).sum() == 3
    assert np.isnan(F.interpolate(x, 10, mode="linear")).sum() == 4
    x[..., 2] = np.inf
    assert np.isinf(F.interpolate(x, 10, mode="nearest")).sum() == 2


def test_half_precision_is_computed_in_single():
    x = values(np.random.default_rng(5), (1, 2, 5, 6), "float16")
    exactly = F.interpolate(x.astype("f4"), (8, 9), mode="bilinear").astype("f2")
    assert_same(F.interpolate(x, (8, 9), mode="bilinear"), exactly)


def test_layouts_and_out():
    x = values(np.random.default_rng(6), (2, 3, 4, 5))
    read_only = x.copy()
    read_only.flags.writeable = False
    for mode in ("nearest", "bilinear", "area"):
        expected = F.interpolate(x, (6, 3), mode=mode)
        for same in (np.asfortranarray(x), x[::-1].copy()[::-1], x.astype(">f8"), read_only):
            assert_same(F.interpolate(same, [6, 3], mode=mode), expected)
        out = np.empty(expected.shape)
        assert F.interpolate(x, (6, 3), mode=mode, out=out) is out
        assert_same(out, expected)
        strided = np.empty((*expected.shape, 2))[..., 1]
        assert F.interpolate(x, (6, 3), mode=mode, out=strided) is strided
        assert_same(strided.copy(), expected)
        half = np.empty(expected.shape, np.float16)
        F.interpolate(x.astype(np.float16), (6, 3), mode=mode, out=half)
        np.testing.assert_allclose(half, expected, atol=2e-3)


def test_empty_batches():
    x = np.empty((0, 3, 4, 5), np.float32)
    for mode in ("nearest", "bilinear", "area"):
        assert_same(F.interpolate(x, (2, 9), mode=mode), np.empty((0, 3, 2, 9), np.float32))
        y = np.empty((0, 3, 2, 9), np.float32)
        assert_same(grad.interpolate(y, x, (2, 9), mode=mode), x)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "area"])
def test_nothing_beside_the_arrays_is_touched(mode, side):
    """They end, or begin, where memory is forbidden."""
    for sizes in ((3, 5), (4, 40), (7, 1)):
        x = guarded(values(np.random.default_rng(7), (1, 3, *sizes), "float32"), side)
        for wanted in ((5, 3), (2, 41), (9, 64)):
            expected = F.interpolate(x.copy(), wanted, mode=mode)
            out = guarded(expected, side)
            assert_same(F.interpolate(x, wanted, mode=mode, out=out), expected)
            back = grad.interpolate(guarded(expected, side), x, wanted, mode=mode)
            assert_same(back, grad.interpolate(expected, x, wanted, mode=mode))


ON_ANOTHER_ISA = """
import hashlib
import numpy as np
from convx import functional as F, grad
x = np.random.default_rng(8).standard_normal((2, 3, 21, 37)).astype(np.float32)
for mode in ("bilinear", "bicubic", "area"):
    for size in ((40, 50), (13, 9)):
        y = F.interpolate(x, size, mode=mode)
        back = grad.interpolate(y, x, size, mode=mode)
        print(hashlib.sha256(y.tobytes() + back.tobytes()).hexdigest())
y = F.pad(x, (9, 50, 30, 2), "reflect")
print(hashlib.sha256(y.tobytes() + grad.pad(y, x, (9, 50, 30, 2), "reflect").tobytes()).hexdigest())
"""


def test_equal_bits_for_instruction_sets():
    fused = [isa for isa in _driver.instruction_sets() if isa != "baseline"]
    assert len({run_python(ON_ANOTHER_ISA, CONVX_ISA=isa) for isa in fused}) <= 1
