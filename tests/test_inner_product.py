"""Kernels of one tap by inner products: results, what takes them, what changes no bits."""

import numpy as np
import pytest
from hypothesis import strategies as st
from support import (
    FLOATS,
    assert_same,
    check_bits,
    layouts_of,
    randomly,
    small_integers,
    values,
)

import convx
from convx import functional as F
from convx import grad, reference
from convx._core import _driver, _inner_product, _memo
from convx._engine import execution, inner_product, machine

INNER = {"algorithm": "inner_product"}


def programs_of(function, *arrays, **options):
    """Return the programs of a call."""
    with execution.recording() as programs:
        function(*arrays, **options)
    return programs


def is_taken(function, *arrays, **options):
    """Whether a call is computed by inner products alone."""
    programs = programs_of(function, *arrays, **options)
    return all(isinstance(one, _inner_product.InnerProductProgram) for one in programs)


def arrays_of(rng, dtype="float32", batch=3, channels=19, filters=30, sizes=(5, 7), stride=1):
    x = values(rng, (batch, channels, *sizes), dtype)
    w = values(rng, (filters, channels, *(1 for _ in sizes)), dtype)
    y = F.conv_nd(x, w, stride=stride, algorithm="direct")
    return x, w, values(rng, filters, dtype), values(rng, y.shape, dtype)


def check(function, oracle, depth, *arrays, **options):
    """Hold a call against an oracle: errors are those of sums of the largest numbers there are."""
    found = function(*arrays, **options)
    wide = [a.astype("float64") if isinstance(a, np.ndarray) else a for a in arrays]
    exact = oracle(*wide, stride=options["stride"])
    largest = np.prod([np.abs(a).max() for a in wide[:2] + wide[2:3] if isinstance(a, np.ndarray)])
    bound = (8 + depth) * np.finfo(found.dtype).eps * max(largest, np.abs(exact).max())
    assert found.shape == exact.shape
    assert np.abs(found - exact).max() <= bound


shapes = {
    "dtype": st.sampled_from(FLOATS),
    "sizes": st.lists(st.integers(1, 19), min_size=1, max_size=2),
    "stride": st.integers(1, 3),
    "batch": st.integers(1, 9),
    "channels": st.integers(1, 70),
    "filters": st.integers(1, 70),
    "steps": st.sampled_from((3, 6, 33, 384)),
    "threads": st.integers(1, 3),
    "seed": st.integers(0, 99),
}


@randomly(150, **shapes)
def test_results(dtype, sizes, stride, batch, channels, filters, steps, threads, seed):
    """Blocks of the depth of all sizes; rows that end within panels; items that begin there."""
    rng = np.random.default_rng(seed)
    x, w, b, dy = arrays_of(rng, dtype, batch, channels, filters, sizes, stride)
    options = {"stride": stride, **INNER}
    with pytest.MonkeyPatch.context() as patch, convx.threads(threads):
        patch.setattr(inner_product, "MOST_STEPS", dict.fromkeys(FLOATS, steps))
        patch.setattr(execution, "_programs", {})
        _memo.suspend_memos(1)
        try:
            assert is_taken(F.conv_nd, x, w, b, **options)
            check(F.conv_nd, reference.conv_nd, channels, x, w, b, **options)
            check(grad.conv_nd_input, reference.conv_nd_input, filters, x.shape, w, dy, **options)
            depth = dy[:, 0].size
            check(grad.conv_nd_weight, reference.conv_nd_weight, depth, x, w.shape, dy, **options)
        finally:
            _memo.suspend_memos(-1)


def test_what_is_computed_so(rng):
    x, w, b, dy = arrays_of(rng)
    for function, arrays in (
        (F.conv_nd, (x, w, b)),
        (grad.conv_nd_input, (x.shape, w, dy)),
        (grad.conv_nd_weight, (x, w.shape, dy)),
        (F.conv_transpose_nd, (x, w.swapaxes(0, 1), b)),
    ):
        assert is_taken(function, *arrays, **INNER)
        assert convx.explain(function, *arrays, **INNER).algorithm == "inner_product"
    strided = arrays_of(rng, stride=2)
    assert is_taken(F.conv_nd, *strided[:3], stride=2, **INNER)
    assert is_taken(grad.conv_nd_weight, x, w.shape, strided[3], stride=2, **INNER)
    assert is_taken(grad.conv_nd_input, x.shape, w, strided[3], stride=2, **INNER)
    for arrays, options in (
        ((x, w, b), {"padding": 1}),
        ((x, w[:, :, :, :1].repeat(2, 3), b), {}),
        ((x[:, :18], w[:, :9], None), {"groups": 2}),
        (arrays_of(rng, sizes=(3, 4, 5), stride=2)[:3], {"stride": 2}),
        ((x.astype("int32"), w.astype("int32"), None), {}),
    ):
        told = convx.explain(F.conv_nd, *arrays, **options, **INNER)
        assert told.algorithm == "direct"


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_transposed(dtype, stride, rng):
    """Between the outputs that have a sum there is the bias, or nothing."""
    x = values(rng, (3, 30, 5, 7), dtype)
    w, b = values(rng, (30, 17, 1, 1), dtype), values(rng, 17, dtype)
    for arrays in ((x, w, b), (x, w, None)):
        options = {"stride": stride, "output_padding": stride - 1, **INNER}
        assert is_taken(F.conv_transpose_nd, *arrays, **options)
        direct = F.conv_transpose_nd(*arrays, **{**options, "algorithm": "direct"})
        found = F.conv_transpose_nd(*arrays, **options)
        np.testing.assert_allclose(found, direct, atol=1e3 * np.finfo(dtype).eps)
        assert np.array_equal(found == 0, direct == 0)


@pytest.mark.parametrize("adds_beside", [False, True])
def test_it_is_chosen_where_additions_are_free(adds_beside, rng, monkeypatch):
    """And where matrices are large; explain tells what it would cost wherever it could be."""
    monkeypatch.setattr(machine, "ADDS_BESIDE", adds_beside)
    monkeypatch.setattr(execution, "_programs", {})
    large = np.zeros((1, 256, 28, 28), "f4"), np.zeros((256, 256, 1, 1), "f4")
    told = convx.explain(F.conv2d, *large)
    assert told.algorithm == ("inner_product" if adds_beside else "direct")
    assert told.estimates["inner_product"] < told.estimates["direct"]
    small = np.zeros((1, 8, 8, 8), "f4"), np.zeros((8, 8, 1, 1), "f4")
    assert convx.explain(F.conv2d, *small).algorithm == "direct"


def everything():
    """Bytes that depend on bits: of all kinds, and of sizes at which panels end differently."""
    rng = np.random.default_rng(5)
    found = []
    for dtype in FLOATS:
        for options in ({"batch": 3}, {"filters": 16, "channels": 401, "sizes": (40,)}):
            x, w, b, dy = arrays_of(rng, dtype, **options)
            found.append(F.conv_nd(x, w, b, **INNER))
            found.append(grad.conv_nd_input(x.shape, w, dy, **INNER))
            found.append(grad.conv_nd_weight(x, w.shape, dy, **INNER))
    return b"".join(one.tobytes() for one in found)


def test_bits():
    """They are the same for any number of threads, and on vectors of any length."""
    check_bits(everything, [isa for isa in _driver.instruction_sets() if isa != "baseline"])


@pytest.mark.parametrize("dtype", FLOATS)
def test_bits_of_items_and_layouts(dtype, rng):
    x, w, b, dy = arrays_of(rng, dtype, batch=5)
    y, dw = F.conv2d(x, w, b, **INNER), grad.conv2d_weight(x, w.shape, dy, **INNER)
    for item in range(5):
        assert_same(F.conv2d(x[item : item + 1], w, b, **INNER)[0], y[item])
    for other in layouts_of(x):
        assert_same(F.conv2d(other, w, b, **INNER), y)
        assert_same(grad.conv2d_weight(other, w.shape, dy, **INNER), dw)
    for other in layouts_of(w):
        assert_same(F.conv2d(x, other, b, **INNER), y)
    out = np.empty_like(y)
    assert F.conv2d(x, w, b, out=out, **INNER) is out
    assert_same(out, y)
    prepared = convx.prepare_conv(w, b, **INNER)
    assert_same(prepared(x), y)
    assert_same(prepared(x), y)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("steps", [6, 384])
def test_prepared_with_residual_and_activation(dtype, steps, rng, monkeypatch):
    """They follow when all blocks of the depth are summed."""
    monkeypatch.setattr(inner_product, "MOST_STEPS", dict.fromkeys(FLOATS, steps))
    monkeypatch.setattr(execution, "_programs", {})
    _memo.suspend_memos(1)
    try:
        x, w, b, r = arrays_of(rng, dtype)
        y = F.conv2d(x, w, b, **INNER)
        relu = convx.prepare_conv(w, b, activation="relu", **INNER)
        assert_same(relu(x), np.maximum(y, 0))
        assert_same(relu(x, residual=r), np.maximum(y + r, 0))
        assert_same(convx.prepare_conv(w, b, **INNER)(x, residual=r), y + r)
    finally:
        _memo.suspend_memos(-1)


def test_outputs_past_the_caches(rng, monkeypatch):
    """One block of the depth, of which whole lines are stored."""
    x, w, b, _ = arrays_of(rng, channels=24, filters=17, sizes=(8, 16))
    y = F.conv2d(x, w, b, **INNER)
    monkeypatch.setattr(inner_product, "FAR_BYTES", 1)
    monkeypatch.setattr(execution, "_programs", {})
    _memo.suspend_memos(1)
    assert_same(F.conv2d(x, w, b, **INNER), y)
    _memo.suspend_memos(-1)


@pytest.mark.parametrize("name", ["MOST_WEIGHTS", "COLUMNS", "ROWS", "PIECE_WORK"])
def test_small_pieces(name, rng, monkeypatch):
    """Rows that each piece packs, a panel of columns or of rows at a time: the same bits."""
    x, w, b, dy = arrays_of(rng, channels=24, filters=47)
    y, dw = F.conv2d(x, w, b, **INNER), grad.conv2d_weight(x, w.shape, dy, **INNER)
    monkeypatch.setattr(inner_product, name, 0 if name != "PIECE_WORK" else 20_000)
    monkeypatch.setattr(execution, "_programs", {})
    _memo.suspend_memos(1)
    assert_same(F.conv2d(x, w, b, **INNER), y)
    assert_same(grad.conv2d_weight(x, w.shape, dy, **INNER), dw)
    _memo.suspend_memos(-1)


@pytest.mark.parametrize("dtype", FLOATS)
def test_whole_numbers_are_exact(dtype, rng):
    x, w = small_integers(rng, (2, 64, 9, 9), dtype), small_integers(rng, (33, 64, 1, 1), dtype)
    assert_same(F.conv2d(x, w, **INNER), F.conv2d(x, w, algorithm="direct"))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, "large", "small", "subnormal"])
@pytest.mark.parametrize("where", ["input", "weight", "gradient"])
def test_what_is_out_of_range(dtype, number, where, rng):
    """Such a call is computed again directly: nothing spreads, nothing vanishes."""
    x, w, _, dy = arrays_of(rng, dtype)
    info = np.finfo(dtype)
    numbers = {"large": info.max / 8, "small": info.tiny * 8, "subnormal": info.tiny / 8}
    value = numbers.get(number, number)
    if where == "weight":
        w[3] = value
    elif where == "input":
        x[1, :, 2, 3], x[2, 4] = value, value
    else:
        dy[1, 5] = dy[:, 7] = value
    for function, arrays in (
        (F.conv2d, (x, w)),
        (grad.conv2d_input, (x.shape, w, dy)),
        (grad.conv2d_weight, (x, w.shape, dy)),
    ):
        with np.errstate(all="ignore"):
            direct = function(*arrays, algorithm="direct")
            found = function(*arrays, **INNER)
        np.testing.assert_allclose(found, direct, rtol=1e-3 if dtype == "float32" else 1e-10)
    prepared = convx.prepare_conv(w, **INNER)
    for _ in range(2):
        assert_same(prepared(x), F.conv2d(x, w, **INNER))


@pytest.mark.parametrize("dtype", FLOATS)
def test_rows_and_columns_of_different_sizes(dtype, rng):
    """Each is brought to one size by itself, so none is lost, and zeros stay zeros."""
    x, w, _, _ = arrays_of(rng, dtype, channels=40)
    x *= (10.0 ** rng.integers(-9, 9, (3, 1, 5, 7))).astype(dtype)
    w *= (10.0 ** rng.integers(-9, 9, (30, 1, 1, 1))).astype(dtype)
    x[1, :, 2], w[7] = 0, 0
    wide = [one.astype(np.longdouble) for one in (x, w)]
    exact = np.einsum("nchw,kc->nkhw", wide[0], wide[1][:, :, 0, 0])
    largest = np.abs(wide[0]).max(1, keepdims=True) * np.abs(wide[1]).max(1).reshape(1, -1, 1, 1)
    found = F.conv2d(x, w, **INNER)
    assert np.all(np.abs(found - exact) <= 40 * np.finfo(dtype).eps * largest)
    assert not found[1, :, 2].any()
    assert not found[:, 7].any()


def test_gradients_are_adjoint(rng):
    x, w, _, dy = arrays_of(rng, "float64")
    product = np.vdot(F.conv2d(x, w, **INNER), dy)
    assert np.isclose(np.vdot(x, grad.conv2d_input(x.shape, w, dy, **INNER)), product)
    assert np.isclose(np.vdot(w, grad.conv2d_weight(x, w.shape, dy, **INNER)), product)


@pytest.mark.parametrize("channels", [3, 40, 1000])
def test_scratch_memory_of_small_caches(channels, monkeypatch):
    """Below twice the L2 cache, however few steps or many columns and rows there are."""
    monkeypatch.setattr(machine, "L2_BYTES", 256 * 1024)
    monkeypatch.setattr(execution, "_programs", {})
    x, w = np.zeros((1, channels, 200, 200), "f4"), np.zeros((900, channels, 1, 1), "f4")
    dy = np.zeros((1, 900, 200, 200), "f4")
    for function, arrays in (
        (F.conv2d, (x, w)),
        (grad.conv2d_input, (x.shape, w, dy)),
        (grad.conv2d_weight, (x, w.shape, dy)),
    ):
        (program,) = programs_of(function, *arrays, **INNER)
        assert program.scratch_bytes < 2 * machine.L2_BYTES


def test_workspace():
    """Scratch memory below twice the L2 cache for each thread, and the packed weights."""
    x, w = np.zeros((2, 512, 28, 28), "f4"), np.zeros((512, 512, 1, 1), "f4")
    dy = np.zeros((2, 512, 28, 28), "f4")
    for threads in (1, 2):
        with convx.threads(threads):
            for function, arrays in ((F.conv2d, (x, w)), (grad.conv2d_weight, (x, w.shape, dy))):
                (program,) = programs_of(function, *arrays, **INNER)
                assert program.scratch_bytes < 2 * machine.L2_BYTES
                packed = 0 if function is grad.conv2d_weight else 1.1 * w.nbytes
                assert program.workspace_bytes < threads * 2 * machine.L2_BYTES + packed
