"""Winograd's algorithm: results, accuracy, choice, and what it must not change."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import strategies as st
from support import FLOATS, check, randomly, values, without_algorithm

import convx
from convx import functional as F
from convx import grad, reference
from convx._core import _driver, _memo
from convx._engine import execution, machine, winograd

# Items, channels, filters, sizes, kernel, options: what is transformed is 2 to 5 taps wide, in
# gradients of the input with a stride the taps of a phase, and otherwise those of a section.
CASES = {
    "one axis": (2, 20, 30, (70,), (3,), {"padding": 1}),
    "one tile": (1, 5, 6, (3, 3), (3, 3), {}),
    "less than a tile": (1, 3, 2, (4, 3), (3, 3), {}),
    "two axes": (3, 17, 30, (14, 14), (3, 3), {"padding": 1}),
    "odd sizes": (1, 9, 15, (23, 38), (3, 3), {"padding": (2, 0)}),
    "one channel": (1, 1, 1, (30, 31), (3, 3), {}),
    "many channels": (1, 300, 20, (10, 9), (3, 3), {"padding": 1}),
    "more channels than a step has": (1, 700, 9, (12, 12), (3, 3), {"padding": 1}),
    "many filters": (1, 4, 200, (12, 13), (3, 3), {}),
    "many of both": (1, 80, 600, (8, 9), (3, 3), {"padding": 1}),
    "many tiles": (2, 70, 140, (34, 35), (3, 3), {}),
    "long rows": (1, 4, 5, (6, 700), (3, 3), {"padding": 1}),
    "groups": (2, 12, 20, (11, 12), (3, 3), {"groups": 4, "padding": 1}),
    "depthwise": (1, 10, 10, (11, 12), (3, 3), {"groups": 10, "padding": 1}),
    "dilated": (2, 8, 9, (20, 21), (3, 3), {"padding": 2, "dilation": 2}),
    "dilated by three": (1, 3, 20, (13, 70), (3, 3), {"padding": 3, "dilation": 3}),
    "dilated in one axis": (1, 8, 9, (13, 24), (3, 3), {"dilation": (1, 4)}),
    "the last axis alone": (1, 6, 7, (11, 30), (5, 3), {"padding": 2}),
    "strided before the last axis": (1, 6, 7, (11, 30), (3, 3), {"stride": (2, 1)}),
    "three axes": (1, 6, 7, (5, 9, 10), (3, 3, 3), {"padding": 1}),
    "five taps": (2, 20, 30, (19, 22), (5, 5), {"padding": 2}),
    "five taps, many channels": (1, 300, 20, (10, 9), (5, 5), {"padding": 2}),
    "five taps in one axis": (1, 6, 7, (11, 30), (3, 5), {"padding": (1, 2)}),
    "five taps, dilated": (2, 8, 9, (23, 22), (5, 5), {"padding": 2, "dilation": 2}),
    "two taps": (2, 20, 30, (19, 22), (2, 2), {"padding": 1}),
    "two taps, many of both": (1, 150, 400, (13, 14), (2, 2), {}),
    "two taps in one axis": (1, 6, 7, (11, 30), (3, 2), {"padding": (1, 0)}),
    "two taps, dilated": (2, 8, 9, (23, 22), (2, 2), {"dilation": 2}),
    "two taps, one axis": (2, 20, 30, (70,), (2,), {}),
    "four taps": (2, 20, 30, (19, 22), (4, 4), {"padding": 1}),
    "four taps, many channels": (1, 300, 20, (10, 9), (4, 4), {"padding": 2}),
    "four taps, dilated": (2, 8, 9, (23, 22), (4, 4), {"padding": 3, "dilation": 2}),
    "four taps, one axis": (2, 20, 30, (70,), (4,), {}),
    "six taps": (2, 33, 7, (30, 25), (6, 6), {"padding": 2}),
    "seven taps": (2, 9, 30, (23, 35), (7, 7), {"padding": 3}),
    "seven taps, groups": (2, 8, 6, (20, 21), (7, 7), {"groups": 2}),
    "nine taps and eight": (1, 3, 7, (30, 25), (9, 8), {"padding": 2}),
    "five taps and seven": (1, 20, 7, (30, 25), (5, 7), {}),
    "eleven taps, one axis": (2, 3, 8, (40,), (11,), {"padding": 5}),
    "seven taps, three axes": (1, 3, 4, (4, 17, 18), (2, 7, 7), {"padding": 2}),
    "thirteen taps, more channels than a step has": (1, 40, 5, (18, 19), (13, 13), {"padding": 6}),
    "four axes": (1, 3, 4, (4, 5, 6, 7), (2, 3, 3, 3), {}),
    "reflected": (1, 4, 5, (15, 9), (3, 3), {"padding": 1, "padding_mode": "reflect"}),
    "wrapped around": (1, 4, 5, (9, 15), (3, 3), {"padding": 2, "padding_mode": "circular"}),
    "strided": (2, 17, 30, (23, 38), (3, 3), {"stride": 2, "padding": 1}),
    "strided, less than two tiles": (1, 3, 2, (7, 8), (3, 3), {"stride": 2}),
    "strided, more channels than a step has": (1, 500, 9, (13, 12), (3, 3), {"stride": 2}),
    "strided, many of both": (1, 150, 400, (13, 14), (3, 3), {"stride": 2, "padding": 1}),
    "strided, many tiles": (2, 70, 40, (67, 68), (3, 3), {"stride": 2}),
    "strided, long rows": (1, 4, 5, (7, 1400), (3, 3), {"stride": 2, "padding": (0, 2)}),
    "strided, groups": (2, 12, 20, (21, 22), (3, 3), {"stride": 2, "groups": 4}),
    "strided, three axes": (2, 6, 7, (5, 9, 10), (3, 3, 3), {"stride": 2, "padding": 1}),
    "strided, the last two axes": (1, 6, 7, (4, 9, 10), (2, 3, 3), {"stride": (1, 2, 2)}),
    "strided, reflected": (
        *(1, 4, 5, (15, 9), (3, 3)),
        {"stride": 2, "padding": 2, "padding_mode": "reflect"},
    ),
    "strided, four taps": (2, 17, 30, (22, 37), (4, 4), {"stride": 2, "padding": 1}),
    "strided, five taps": (2, 7, 9, (22, 37), (5, 5), {"stride": 2, "padding": 2}),
    "strided, two kinds of taps": (1, 6, 7, (13, 40), (4, 3), {"stride": 2, "padding": 1}),
    "strided by three": (1, 6, 7, (20, 31), (5, 4), {"stride": 3, "padding": 1}),
    "strided, one axis": (2, 6, 7, (75,), (3,), {"stride": 2, "padding": 1}),
    "strided, one axis, seven taps": (2, 6, 7, (75,), (7,), {"stride": 2, "padding": 3}),
    "strided, seven taps": (2, 3, 30, (37, 52), (7, 7), {"stride": 2, "padding": 3}),
    "strided, eight taps and seven": (1, 20, 9, (25, 22), (8, 7), {"stride": 2, "padding": 3}),
    "strided, many channels": (1, 300, 9, (22, 19), (5, 5), {"stride": 2, "padding": 2}),
    "strided, many of all": (1, 150, 400, (13, 14), (4, 4), {"stride": 2, "padding": 1}),
    "strided by four": (1, 3, 20, (45, 47), (11, 11), {"stride": 4, "padding": 2}),
    "strided, groups, five taps": (2, 12, 20, (21, 22), (5, 5), {"stride": 2, "groups": 4}),
    "strided, eleven taps": (1, 5, 3, (31, 33), (11, 11), {"stride": 2, "padding": 4}),
    "strided by three, thirteen taps": (1, 7, 9, (25, 26), (13, 13), {"stride": 3, "padding": 5}),
    "strided, the last axis alone": (1, 6, 7, (11, 30), (3, 5), {"stride": (1, 2), "padding": 2}),
    "strided, three axes, five taps": (1, 3, 7, (5, 19, 20), (3, 5, 5), {"stride": 2}),
    "strided, the last two, seven taps": (1, 3, 7, (4, 19, 20), (2, 7, 7), {"stride": (1, 2, 2)}),
    "strided, seven taps, reflected": (
        *(1, 4, 5, (15, 19), (7, 7)),
        {"stride": 2, "padding": 3, "padding_mode": "reflect"},
    ),
    "strided, groups of few": (2, 16, 8, (21, 22), (3, 3), {"stride": 2, "groups": 8}),
    "few tiles": (1, 17, 100, (7, 7), (3, 3), {"padding": 1}),
    "few tiles of several items": (3, 17, 50, (7, 6), (3, 3), {"padding": 1}),
    "few tiles of many items": (7, 17, 33, (6, 8), (3, 3), {"padding": 1}),
    "few tiles, many channels": (1, 300, 38, (10, 9), (3, 3), {"padding": 1, "groups": 2}),
    "few tiles, groups": (2, 40, 36, (5, 6), (3, 3), {"groups": 2}),
    "few tiles, three axes": (1, 17, 40, (3, 5, 6), (1, 3, 3), {"padding": (0, 1, 1)}),
    "no items": (0, 4, 5, (9, 15), (3, 3), {}),
}


def arrays_of(case, dtype, rng):
    batch, channels, filters, size, kernel, options = CASES[case]
    x = values(rng, (batch, channels, *size), dtype)
    w = values(rng, (filters, channels // options.get("groups", 1), *kernel), dtype)
    return x, w, values(rng, (filters,), dtype), {**options, "algorithm": "winograd"}


@pytest.fixture
def only_tiles_of(monkeypatch):
    """Let plans be made with tiles of one size alone, along as many axes as can be transformed.

    Others are forgotten, and so are these.
    """
    tilings = winograd.tilings

    def pin(tile):
        fitting = {taps: (tile,) for taps, tiles in winograd.TILES.items() if tile in tiles}
        monkeypatch.setattr(winograd, "TILES", fitting)
        monkeypatch.setattr(winograd, "tilings", lambda axes: tilings(axes)[-1:])

    execution._programs.clear()
    _memo.suspend_memos(1)
    yield pin
    _memo.suspend_memos(-1)
    execution._programs.clear()


@pytest.mark.parametrize("dtype", [*FLOATS, "float16", "complex64"])
@pytest.mark.parametrize("case", CASES)
def test_forward(case, dtype, rng):
    x, w, b, options = arrays_of(case, dtype, rng)
    oracle = without_algorithm(reference.conv_nd)
    check(F.conv_nd, oracle, (x, w, b), options, dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES)
def test_gradients(case, dtype, rng):
    x, w, b, options = arrays_of(case, dtype, rng)
    dy = values(rng, F.conv_nd(x, w, **options).shape, dtype)
    oracle = without_algorithm(reference.conv_nd_grad)
    check(grad.conv_nd, oracle, (dy, x, w, b), options, dtype)


TRANSPOSED = {
    "2×2 in each phase": ((17, 30, 4, 4), {"stride": 2, "padding": 1}),
    "2×2, 2 and 1": ((17, 30, 3, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
    "3×3 in each phase": ((17, 30, 6, 6), {"stride": 2, "padding": 2}),
    "groups, dilated": ((17, 5, 4, 4), {"stride": 2, "dilation": 3, "groups": 17}),
    "along the last axis": ((17, 30, 3, 4), {"stride": (1, 2)}),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", TRANSPOSED)
def test_transposed(case, dtype, rng):
    """With a stride, phases are transformed along the axes that have enough taps."""
    kernel, options = TRANSPOSED[case]
    filters = kernel[1] * options.get("groups", 1)
    arrays = (values(rng, one, dtype) for one in ((2, 17, 13, 20), kernel, (filters,)))
    oracle = without_algorithm(reference.conv_transpose_nd)
    check(F.conv_transpose_nd, oracle, tuple(arrays), {**options, "algorithm": "winograd"}, dtype)


def test_phases_of_a_stride(rng):
    """What a tiling does not fit is computed directly."""
    w, dy = values(rng, (64, 64, 3, 3), "float32"), values(rng, (2, 64, 28, 28), "float32")
    with execution.recording() as programs:
        grad.conv2d_input((2, 64, 56, 56), w, dy, stride=2, padding=1)
    (found,) = programs
    assert found.plan.algorithm == "winograd"
    assert sorted(one.tiling.axes for one in found.plan.passes) == [0, 0, 1, 2]


@randomly(
    40,
    batch=st.integers(1, 5),
    channels=st.integers(1, 40),
    filters=st.integers(1, 40),
    size=st.tuples(st.integers(3, 40), st.integers(3, 40)),
    stride=st.integers(1, 2),
    padding=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_any_sizes(batch, channels, filters, size, stride, padding, seed):
    options = {"stride": stride, "padding": padding}
    rng = np.random.default_rng(seed)
    x = values(rng, (batch, channels, *size), "float64")
    w = values(rng, (filters, channels, 3, 3), "float64")
    y = F.conv2d(x, w, **options, algorithm="winograd")
    direct = F.conv2d(x, w, **options, algorithm="direct")
    np.testing.assert_allclose(y, direct, rtol=0, atol=1e-12)
    dy = values(rng, y.shape, "float64")
    for gradient, arrays in (
        (grad.conv2d_input, (x.shape, w, dy)),
        (grad.conv2d_weight, (x, w.shape, dy)),
    ):
        found = gradient(*arrays, **options, algorithm="winograd")
        expected = gradient(*arrays, **options, algorithm="direct")
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)


@randomly(
    25,
    channels=st.integers(1, 40),
    filters=st.integers(1, 40),
    size=st.tuples(st.integers(14, 40), st.integers(14, 40)),
    kernel=st.tuples(st.integers(1, 14), st.integers(2, 14)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_any_kernel(channels, filters, size, kernel, stride, padding, seed):
    """Sections of all kinds, within some hundred roundings of the root mean square."""
    options = {"stride": stride, "padding": padding}
    rng = np.random.default_rng(seed)
    x = values(rng, (1, channels, *size), "float64")
    w = values(rng, (filters, channels, *kernel), "float64")
    dy = values(rng, F.conv2d(x, w, **options).shape, "float64")
    for function, arrays in (
        (F.conv2d, (x, w)),
        (grad.conv2d_input, (x.shape, w, dy)),
        (grad.conv2d_weight, (x, w.shape, dy)),
    ):
        found = function(*arrays, **options, algorithm="winograd")
        expected = function(*arrays, **options, algorithm="direct")
        bound = 1e-13 * np.sqrt(np.mean(expected**2))
        np.testing.assert_allclose(found, expected, rtol=0, atol=bound)


@pytest.mark.parametrize("case", CASES)
def test_adjoint_identity(case, rng):
    """<conv(x, w), y> = <x, conv_input(w, y)> = <w, conv_weight(x, y)>."""
    x, w, _, options = arrays_of(case, "float64", rng)
    y = values(rng, F.conv_nd(x, w, **options).shape)
    product = np.vdot(F.conv_nd(x, w, **options), y)
    of_input = np.vdot(x, grad.conv_nd_input(x.shape, w, y, **options))
    of_weight = np.vdot(w, grad.conv_nd_weight(x, w.shape, y, **options))
    np.testing.assert_allclose([of_input, of_weight], product, rtol=1e-10, atol=1e-10)


EVERY_TILING = [(taps, tile) for taps, tiles in winograd.TILES.items() for tile in tiles]
EVERY_TILE = {tile for _, tile in EVERY_TILING}


@pytest.mark.parametrize(("taps", "tile"), EVERY_TILING)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_each_size_of_tiles(taps, tile, axes, rng, only_tiles_of):
    """The planner would choose one of them."""
    only_tiles_of(tile)
    size = (9, 10, 23)[-axes:]
    x, w = values(rng, (2, 7, *size)), values(rng, (9, 7, *(taps,) * axes))
    options = {"padding": 1, "algorithm": "winograd"}
    dy = values(rng, F.conv_nd(x, w, **options).shape)
    with execution.recording() as programs:
        F.conv_nd(x, w, **options)
        grad.conv_nd(dy, x, w, **options)
    assert [one.plan.passes[0].tiling.tiles[0] for one in programs] == [tile] * 3
    oracle = without_algorithm(reference.conv_nd_grad)
    check(grad.conv_nd, oracle, (dy, x, w, None), options, "float64")
    check(F.conv_nd, without_algorithm(reference.conv_nd), (x, w), options, "float64")


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES)
def test_equal_bits(case, dtype, rng):
    """For any number of threads, for an item alone, for other strides, into ``out``."""
    x, w, b, options = arrays_of(case, dtype, rng)
    y = F.conv_nd(x, w, b, **options)
    dw = grad.conv_nd_weight(x, w.shape, y, **options)
    with convx.threads(1):
        assert F.conv_nd(x, w, b, **options).tobytes() == y.tobytes()
        assert grad.conv_nd_weight(x, w.shape, y, **options).tobytes() == dw.tobytes()
    for n in range(len(x)):
        assert F.conv_nd(x[n], w, b, **options).tobytes() == y[n].tobytes()
    out = np.empty_like(y)
    F.conv_nd(x[..., ::-1].copy()[..., ::-1], w, b, **options, out=out)
    assert out.tobytes() == y.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("few tiles")])
def test_weights_in_passing(case, dtype, rng, monkeypatch, only_tiles_of):
    """Where weights are transformed in passing, results are those of packed ones, bit by bit."""
    only_tiles_of(4)  # or others would be chosen for packed ones
    x, w, b, options = arrays_of(case, dtype, rng)
    dy = values(rng, F.conv_nd(x, w, **options).shape, dtype)

    def results():
        with execution.recording() as programs:
            F.conv_nd(x, w, b, **options)
            grad.conv_nd(dy, x, w, **options)
        found = F.conv_nd(x, w, b, **options), *grad.conv_nd(dy, x, w, **options)[:2]
        return [one.tobytes() for one in found], [one.plan.passes[0] for one in programs]

    in_passing, passes = results()
    assert [one.in_passing for one in passes] == [True, True, len(x) < 5]
    monkeypatch.setattr(winograd, "_passing_columns", lambda *_: 0)
    execution._programs.clear()
    packed, passes = results()
    assert not any(one.in_passing for one in passes)
    assert in_passing == packed


@pytest.mark.parametrize(
    ("channels", "groups", "parts"),
    [(48, 1, 2), (64, 2, 1), (64, 1, 1)],
    ids=["few", "groups", "many"],
)
def test_parts_of_the_weight_gradient(channels, groups, parts, rng):
    """Threads share the sum of few weights, step by step too: there Ctrl-C is noticed."""
    x, dy = (values(rng, (9, channels, 40, 40), "float32") for _ in range(2))
    shape = (channels, channels // groups, 3, 3)
    options = {"padding": 1, "groups": groups, "algorithm": "winograd"}
    with execution.recording() as programs:
        grad.conv2d_weight(x, shape, dy, **options)
    (found,) = programs
    assert found.plan.passes[0].row_parts == parts
    plan = replace(found.plan)
    object.__setattr__(plan, "work", 10**15)
    sliced = _driver.Program(plan, machine.ISA, found.passes)
    dw = sliced.run(
        x, dy, None, None, _driver.Activation(), None, np.empty(plan.out_shape, "float32")
    )
    np.testing.assert_array_equal(dw.reshape(shape), grad.conv2d_weight(x, shape, dy, **options))
    oracle = without_algorithm(reference.conv_nd_weight)
    check(grad.conv_nd_weight, oracle, (x, shape, dy), options, "float32")


@pytest.mark.parametrize("tile", EVERY_TILE)
@pytest.mark.parametrize("case", CASES)
def test_equal_bits_of_prepared_weights(case, tile, rng, only_tiles_of):
    """With tiles of one size: by itself, it may choose another one than the plain call."""
    only_tiles_of(tile)
    x, w, b, options = arrays_of(case, "float32", rng)
    y = F.conv_nd(x, w, b, **options)
    prepared = convx.prepare_conv(w, b, **options)
    assert prepared(x).tobytes() == y.tobytes()
    with convx.threads(1):
        assert prepared(x).tobytes() == y.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("taps", "stride", "units"),
    [(3, 2, 5), (2, 1, 10), (4, 1, 20), (7, 1, 20), (7, 2, 20), (4, 2, 15)],
)
def test_accuracy_of_other_tiles(taps, stride, units, dtype, rng):
    """No greater an error than that of tiles of 4 for three taps, smaller with fewer points."""
    x, w = rng.standard_normal((1, 64, 56, 56)), rng.standard_normal((64, 64, taps, taps))
    x, w = x.astype(dtype), w.astype(dtype)
    exact = F.conv2d(x.astype("float64"), w.astype("float64"), stride=stride, algorithm="direct")
    error = np.sqrt(np.mean((F.conv2d(x, w, stride=stride, algorithm="winograd") - exact) ** 2))
    assert 0 < error < units * np.finfo(dtype).eps * np.sqrt(np.mean(exact**2))


@pytest.mark.parametrize("dtype", FLOATS)
def test_accuracy(dtype, rng):
    """As documented: root mean square of the error, in units of that of the result."""
    x, w = rng.standard_normal((1, 64, 56, 56)), rng.standard_normal((64, 64, 3, 3))
    x, w = x.astype(dtype), w.astype(dtype)
    exact = F.conv2d(x.astype("float64"), w.astype("float64"), algorithm="direct")
    errors = {
        algorithm: np.sqrt(np.mean((F.conv2d(x, w, algorithm=algorithm) - exact) ** 2))
        / np.sqrt(np.mean(exact**2))
        for algorithm in ("direct", "winograd")
    }
    unit = np.finfo(dtype).eps
    if dtype == "float64":  # the direct result is what it is compared with
        assert errors["winograd"] < 20 * unit
    else:
        assert errors["direct"] < errors["winograd"] < 20 * unit


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_spreads_no_further(bad, rng):
    """Such a call is computed once more, directly."""
    x, w = values(rng, (2, 9, 14, 15), "float32"), values(rng, (9, 9, 3, 3), "float32")
    x[1, 4, 7, 8] = bad
    dy = values(rng, (2, 9, 12, 13), "float32")
    bad_weight = w.copy()
    bad_weight[5, 5, 1, 1] = bad
    for function, arrays in (
        (F.conv2d, (x, w)),
        (partial(F.conv2d, stride=2), (x, w)),
        (partial(grad.conv2d_weight, stride=2), (x, w.shape, dy[..., ::2, ::2])),
        (partial(F.conv2d, stride=2), (x, values(rng, (9, 9, 5, 5), "float32"))),
        (F.conv2d, (x, values(rng, (9, 9, 7, 7), "float32"))),
        (partial(grad.conv2d_weight, stride=2), (x, (9, 9, 5, 5), dy[..., :5, :6])),
        (F.conv2d, (x[:1], bad_weight)),
        (F.conv_transpose2d, (x, w)),
        (F.conv2d, (x[..., 4:, 4:], w)),
        (grad.conv2d_weight, (x[..., 4:12, 4:12], w.shape, dy[..., :6, :6])),
        (grad.conv2d_input, ((2, 9, 16, 17), w, x)),
        (grad.conv2d_weight, (x, w.shape, dy)),
    ):
        with np.errstate(invalid="ignore"):
            found = function(*arrays, algorithm="winograd")
            expected = function(*arrays, algorithm="direct")
        np.testing.assert_array_equal(found, expected)
        assert np.isfinite(found).any()
    prepared = convx.prepare_conv(w, algorithm="winograd")
    for _ in range(2):  # the second call takes the shortcut
        np.testing.assert_array_equal(prepared(x), F.conv2d(x, w, algorithm="direct"))


def test_overflow_is_computed_once_more():
    """Inputs at the points overflow where the result does not."""
    x = np.full((1, 1, 12, 12), 3e38, "float32")
    x[..., 1::2] *= -1
    w = np.zeros((1, 1, 3, 3), "float32")
    w[0, 0, 1, 1] = 1
    np.testing.assert_array_equal(F.conv2d(x, w, algorithm="winograd"), x[:, :, 1:-1, 1:-1])


CHOICES = {
    "3×3": ((1, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}, "winograd"),
    "3×3×3": ((1, 32, 8, 28, 28), (32, 32, 3, 3, 3), {"padding": 1}, "winograd"),
    "1×1": ((1, 64, 56, 56), (64, 64, 1, 1), {}, "direct"),
    "5×5": ((1, 64, 56, 56), (64, 64, 5, 5), {}, "winograd"),
    "7×7": ((1, 64, 56, 56), (64, 64, 7, 7), {}, "winograd"),
    "7×7, one channel": ((1, 1, 56, 56), (16, 1, 7, 7), {}, "direct"),
    "7×7, small plane": ((1, 512, 7, 7), (512, 512, 7, 7), {"padding": 3}, "direct"),
    "2×2": ((1, 64, 56, 56), (64, 64, 2, 2), {}, "winograd"),
    "strided": ((1, 64, 56, 56), (64, 64, 3, 3), {"stride": 2, "padding": 1}, "winograd"),
    "4×4": ((1, 64, 56, 56), (64, 64, 4, 4), {}, "winograd"),
    "7×7, strided": ((1, 3, 224, 224), (64, 3, 7, 7), {"stride": 2, "padding": 3}, "winograd"),
    "11×11, strided by four": ((1, 3, 224, 224), (64, 3, 11, 11), {"stride": 4}, "winograd"),
    "4×4, strided": ((1, 64, 56, 56), (64, 64, 4, 4), {"stride": 2, "padding": 1}, "winograd"),
    "strided, few channels": ((1, 8, 56, 56), (8, 8, 3, 3), {"stride": 2}, "direct"),
    "strided by three": ((1, 64, 56, 56), (64, 64, 3, 3), {"stride": 3}, "direct"),
    "strided and dilated": (
        (1, 64, 56, 56),
        (64, 64, 3, 3),
        {"stride": 2, "dilation": 3},
        "direct",
    ),
    "one channel": ((1, 1, 56, 56), (64, 1, 3, 3), {}, "direct"),
    "depthwise": ((1, 64, 56, 56), (64, 1, 3, 3), {"groups": 64}, "direct"),
    "small plane, prepared": ((1, 512, 7, 7), (512, 512, 3, 3), {"padding": 1}, "winograd"),
    "small plane": ((1, 512, 7, 7), (512, 512, 3, 3), {"padding": 1}, "winograd"),
    "many weights": ((1, 4096, 56, 56), (4096, 4096, 3, 3), {"padding": 1}, "direct"),
}


@pytest.mark.parametrize("case", CHOICES)
def test_choice(case):
    shape, kernel, options, expected = CHOICES[case]
    w = np.broadcast_to(np.float32(1), kernel)
    prepared = convx.prepare_conv(w, **options) if "prepared" in case else None
    for batch in (1, 2, 64):
        x = np.broadcast_to(np.float32(1), (batch, *shape[1:]))
        if prepared:
            told = convx.explain(prepared, x)
        else:
            told = convx.explain(F.conv_nd, x, w, **options)
        assert told.algorithm == expected


def test_integers_are_computed_directly(rng):
    x, w = rng.integers(0, 9, (1, 64, 20, 20)), rng.integers(0, 9, (64, 64, 3, 3))
    assert convx.explain(F.conv2d, x, w, algorithm="winograd").algorithm == "direct"
