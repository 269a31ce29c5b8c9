"""Fourier transforms of tiles: results, accuracy, choice, and what they must not change."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import strategies as st
from support import FLOATS, check, randomly, values, without_algorithm

import convx
from convx import functional as F
from convx import grad, reference
from convx._core import _driver
from convx._engine import execution, machine, plan

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
    "many items of one tile": (37, 1, 1, (9, 8), (5, 5), {"padding": 2}),
    "many items and filters": (21, 2, 3, (20, 22), (7, 7), {"padding": 3}),
    "one filter": (5, 6, 1, (40, 37), (7, 7), {"padding": 3}),
    "one filter, three axes": (2, 2, 1, (4, 30, 20), (3, 7, 5), {}),
    "few groups": (3, 5, 5, (70, 61), (9, 9), {"padding": 4, "groups": 5}),
    "more phases than outputs": (2, 1, 1, (45, 12), (9, 3), {"dilation": (5, 4)}),
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
        dy = F.conv_nd(x, w, **options)
        weight = convx.explain(grad.conv_nd_weight, x, w.shape, dy, **options)
        assert weight.algorithm == "fft"


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
    dw = grad.conv2d_weight(x, w.shape, y, algorithm="fft", **options)
    direct = grad.conv2d_weight(x, w.shape, y, algorithm="direct", **options)
    np.testing.assert_allclose(dw, direct, rtol=0, atol=1e-13 * abs(y).max() * y.size)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES)
def test_equal_bits(case, dtype, rng, monkeypatch):
    """For any number of threads, for an item alone, with prepared weights, into ``out``."""
    x, w, b, options = arrays_of(case, dtype, rng)
    y = F.conv_nd(x, w, b, **options)
    with convx.threads(1):
        assert F.conv_nd(x, w, b, **options).tobytes() == y.tobytes()
    with execution.recording() as programs:
        F.conv_nd(x, w, b, **options)
    tilings = [one.tiling for program in programs for one in program.plan.passes]
    with monkeypatch.context() as patch:  # prepared weights would take other tiles at times
        patch.setattr(plan, "choose_tiling", lambda *_: tilings[0])
        assert convx.prepare_conv(w, b, **options)(x).tobytes() == y.tobytes()
    for n in range(len(x)):
        assert F.conv_nd(x[n], w, b, **options).tobytes() == y[n].tobytes()
    out = np.empty_like(y)
    F.conv_nd(x[..., ::-1].copy()[..., ::-1], w, b, **options, out=out)
    assert out.tobytes() == y.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES)
def test_equal_bits_of_the_weight_gradient(case, dtype, rng):
    """For any number of threads, and any layout of the arrays."""
    x, w, _, options = arrays_of(case, dtype, rng)
    dy = values(rng, F.conv_nd(x, w, **options).shape, dtype)
    with convx.threads(4):
        dw = grad.conv_nd_weight(x, w.shape, dy, **options)
    with convx.threads(1):
        one = grad.conv_nd_weight(x, w.shape, dy, **options)
        strided = grad.conv_nd_weight(
            x[..., ::-1].copy()[..., ::-1], w.shape, np.asfortranarray(dy), **options
        )
    assert one.tobytes() == dw.tobytes() == strided.tobytes()


@pytest.mark.parametrize("groups", [1, 20])
def test_slices_of_the_weight_gradient(groups, rng):
    """Between which Ctrl-C is noticed: every step alone, where parts have not as many steps."""
    x = values(rng, (37, groups, 50, 40), "float32")
    shape, options = (groups, 1, 9, 9), {"groups": groups, "algorithm": "fft"}
    dy = values(rng, (37, groups, 42, 32), "float32")
    expected = grad.conv2d_weight(x, shape, dy, **options)
    with execution.recording() as programs:
        grad.conv2d_weight(x, shape, dy, **options)
    (found,) = programs
    of = replace(found.plan)
    assert of.passes[0].row_parts > 1
    object.__setattr__(of, "work", 10**15)
    sliced = _driver.Program(of, machine.ISA, found.passes)
    dw = sliced.run(
        x, dy, None, None, _driver.Activation(), None, np.empty(of.out_shape, "float32")
    )
    np.testing.assert_array_equal(dw.reshape(shape), expected)


@pytest.mark.parametrize("groups", [1, 3, 40])
def test_the_choice_depends_on_no_layout(groups, rng):
    """So the bits do not either."""
    x, dy = values(rng, (2, groups, 50, 56), "float32"), values(rng, (2, groups, 44, 50), "float32")
    options = {"groups": groups}
    expected = grad.conv2d_weight(x, (groups, 1, 7, 7), dy, **options)
    for view in (
        np.asfortranarray(x),
        x[..., ::-1].copy()[..., ::-1],
        np.repeat(x, 2, 3)[..., ::2],
    ):
        found = grad.conv2d_weight(view, (groups, 1, 7, 7), dy, **options)
        assert found.tobytes() == expected.tobytes()


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


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e38])
@pytest.mark.parametrize("case", ["depthwise", "several channels and filters", "few groups"])
@pytest.mark.parametrize("place", ["input", "gradient"])
def test_weight_gradient_that_is_not_finite(place, case, bad, rng):
    """The same of gradients of weights, whether an operand is not finite or a sum."""
    x, w, _, options = arrays_of(case, "float32", rng)
    dy = values(rng, F.conv_nd(x, w, **options).shape, "float32")
    (x if place == "input" else dy)[1, 1, 7:12] = bad
    with np.errstate(all="ignore"):
        found = grad.conv_nd_weight(x, w.shape, dy, **options)
        expected = grad.conv_nd_weight(x, w.shape, dy, **{**options, "algorithm": "direct"})
    finite = np.isfinite(expected)
    assert finite.any()
    np.testing.assert_array_equal(found[~finite], expected[~finite])
    if not finite.all():
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_accuracy(dtype, rng):
    """As documented: root mean square of the error, in units of that of the result."""
    x, w = rng.standard_normal((1, 1, 200, 200)), rng.standard_normal((1, 1, 31, 31))
    x, w = x.astype(dtype), w.astype(dtype)
    exact = F.conv2d(x.astype("float64"), w.astype("float64"), algorithm="direct")
    error = F.conv2d(x, w, algorithm="fft") - exact
    assert np.sqrt(np.mean(error**2)) < 10 * np.finfo(dtype).eps * np.sqrt(np.mean(exact**2))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("groups", [1, 32])
def test_accuracy_of_the_weight_gradient(groups, dtype, rng):
    """As documented, in the same units."""
    x, dy = (rng.standard_normal((4, groups, 100, 100)).astype(dtype) for _ in range(2))
    options = {"padding": 7, "groups": groups}
    shape = (groups, 1, 15, 15)
    exact = grad.conv2d_weight(
        x.astype("float64"), shape, dy.astype("float64"), algorithm="direct", **options
    )
    error = grad.conv2d_weight(x, shape, dy, algorithm="fft", **options) - exact
    assert np.sqrt(np.mean(error**2)) < 10 * np.finfo(dtype).eps * np.sqrt(np.mean(exact**2))


def test_phases_without_outputs(rng):
    """A stride along another axis, so that nothing reaches some phases of the input's gradient."""
    x, w = values(rng, (2, 3, 2, 1, 3), "float32"), values(rng, (7, 3, 1, 1, 2), "float32")
    options = {"stride": (1, 2, 1), "padding": (2, 3, 0)}
    dy = values(rng, F.conv_nd(x, w, **options).shape, "float32")
    for algorithm in ("auto", "fft"):
        chosen = {**options, "algorithm": algorithm}
        check(
            grad.conv_nd, without_algorithm(reference.conv_nd_grad), (dy, x, w), chosen, "float32"
        )


CHOICES = {
    "depthwise 31×31": ((1, 128, 56, 56), (128, 1, 31, 31), {"groups": 128}, "fft"),
    "depthwise 7×7": ((1, 96, 56, 56), (96, 1, 7, 7), {"groups": 96}, "direct"),
    "a picture, 15×15": ((1, 1, 500, 500), (1, 1, 15, 15), {}, "fft"),
    "a picture, 3×3": ((1, 1, 500, 500), (1, 1, 3, 3), {}, "direct"),
    "a long line": ((1, 1, 100_000), (1, 1, 401), {}, "fft"),
    "many channels": ((1, 64, 56, 56), (64, 64, 7, 7), {}, "winograd"),
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


WEIGHT_CHOICES = {
    "depthwise 31×31": ((1, 128, 56, 56), (128, 1, 31, 31), 128, "fft"),
    "depthwise 7×7": ((4, 96, 56, 56), (96, 1, 7, 7), 96, "direct"),
    "a picture, 15×15": ((1, 1, 500, 500), (1, 1, 15, 15), 1, "fft"),
    "a picture, 7×7": ((1, 1, 500, 500), (1, 1, 7, 7), 1, "fft"),
    "a picture, 3×3": ((1, 1, 500, 500), (1, 1, 3, 3), 1, "direct"),
    "three channels, 15×15": ((2, 3, 224, 224), (3, 1, 15, 15), 3, "fft"),
    "a long line": ((1, 1, 100_000), (1, 1, 401), 1, "fft"),
    "lines of several channels": ((4, 8, 2000), (8, 8, 63), 1, "fft"),
    "many channels": ((1, 64, 56, 56), (64, 64, 7, 7), 1, "winograd"),
}


@pytest.mark.parametrize("case", WEIGHT_CHOICES)
def test_choice_of_the_weight_gradient(case):
    shape, kernel, groups, expected = WEIGHT_CHOICES[case]
    x, w = (np.broadcast_to(np.float32(1), one) for one in (shape, kernel))
    out_shape = convx.explain(F.conv_nd, x, w, groups=groups).output_shape
    dy = np.broadcast_to(np.float32(1), out_shape)
    told = convx.explain(grad.conv_nd_weight, x, kernel, dy, groups=groups)
    assert told.algorithm == expected
