"""Batches with items side by side: results, what takes them, and what changes no bits."""

import numpy as np
import pytest
from hypothesis import strategies as st
from support import FLOATS, assert_same, check, layouts_of, randomly, values

import convx
from convx import functional as F
from convx import grad, reference
from convx._core import _memo
from convx._core._interleaving import InterleavedProgram
from convx._engine import execution, interleaving

DIRECT = {"algorithm": "direct"}


def taken(function, *arrays, **options):
    """Tell which of the programs of a call have items side by side."""
    with execution.recording() as programs:
        function(*arrays, **options)
    return [isinstance(one, InterleavedProgram) for one in programs]


def one_by_one(function, *arrays, **options):
    """Call a function that has no items side by side."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interleaving, "MOST_BYTES", 0)
        patch.setattr(execution, "_programs", {})
        _memo.suspend_memos(1)
        result = function(*arrays, **options)
        _memo.suspend_memos(-1)
    return result


def arrays_of(rng, dtype, batch=32, sizes=(10, 11), channels=3, filters=6, kernel=(3, 3)):
    x = values(rng, (batch, channels, *sizes), dtype)
    return x, values(rng, (filters, channels, *kernel), dtype), values(rng, (filters,), dtype)


@randomly(
    25,
    dtype=st.sampled_from(FLOATS),
    kernel=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    batch=st.integers(6, 50),
    channels=st.integers(1, 7),
    filters=st.integers(5, 20),
    options=st.tuples(st.integers(0, 2), st.integers(1, 2)),
    data=st.data(),
)
def test_results_and_gradients(dtype, kernel, batch, channels, filters, options, data):
    padding, dilation = options
    kernel[0] += max(0, 9 - np.prod(kernel))
    sizes = [data.draw(st.integers(dilation * (k - 1) + 1, dilation * (k - 1) + 6)) for k in kernel]
    rng = np.random.default_rng(batch)
    x, w, b = arrays_of(rng, dtype, batch, sizes, channels, filters, kernel)
    options = {"padding": padding, "dilation": dilation, **DIRECT}
    y = F.conv_nd(x, w, b, **options)
    assert_same(y, one_by_one(F.conv_nd, x, w, b, **options))
    dy = values(rng, y.shape, dtype)
    dx = grad.conv_nd_input(x.shape, w, dy, **options)
    assert_same(dx, one_by_one(grad.conv_nd_input, x.shape, w, dy, **options))
    plain = {"padding": padding, "dilation": dilation}
    check(grad.conv_nd_weight, reference.conv_nd_weight, (x, w.shape, dy), plain, dtype)


def test_what_has_items_side_by_side(rng):
    """Batches of rows that do not fill vectors, with whole parts of items, or nearly."""
    x, w, b = arrays_of(rng, "float32")
    dy = F.conv2d(x, w)
    for count in (12, 16, 27, 32):
        assert taken(F.conv2d, x[:count], w, b, **DIRECT) == [True]
    with convx.threads(1):
        assert taken(F.conv2d, x, w, b) == [True]
        assert taken(grad.conv2d, dy, x, w, b, **DIRECT) == [False, True]
        assert taken(grad.conv2d_weight, x, w.shape, dy, **DIRECT) == [True]
        assert taken(convx.prepare_conv(w, b, **DIRECT), x) == [True]
        assert taken(F.conv_transpose2d, x, np.ones((3, 6, 3, 3), np.float32)) == [True]
        assert convx.explain(F.conv2d, x, w).algorithm == "direct"
    assert taken(F.conv2d, x[:1], w, **DIRECT) == [False]
    assert taken(F.conv2d, x[:20], w, **DIRECT) == [False]
    assert taken(F.conv2d, x, w, stride=2, **DIRECT) == [False]
    assert taken(F.conv2d, x, w, padding=1, padding_mode="circular", **DIRECT) == [False]
    assert taken(F.conv2d, x, w[:, :, :1], **DIRECT) == [False]
    assert taken(F.conv2d, x, w[:4], **DIRECT) == [False]
    assert taken(F.conv2d, x[..., :10], w, **DIRECT) == [False]  # rows of 8 outputs
    assert taken(F.conv2d, np.zeros((32, 3, 99, 99), np.float32), w, **DIRECT) == [False]
    assert taken(F.conv2d, x.astype(np.int32), w.astype(np.int32)) == [False]


def test_threads_have_parts_of_their_own(rng):
    """With fewer parts than threads only a gradient of weights has them, which is theirs."""
    x, w, _ = arrays_of(rng, "float32", 32, (14, 14), 16, 16, (5, 5))
    dy = F.conv2d(x, w, **DIRECT)
    for threads, expected in ((1, True), (2, True), (3, False)):
        with convx.threads(threads):
            found = taken(F.conv2d, x, w, **DIRECT)
            assert found == [expected or convx.get_num_threads() < threads]
            assert taken(grad.conv2d_weight, x, w.shape, dy, **DIRECT) == [True]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("batch", [16, 37, 64])
def test_equal_bits(dtype, batch, rng):
    """For any number of threads, for an item alone, for other strides, into ``out``."""
    x, w, b = arrays_of(rng, dtype, batch)
    y = F.conv2d(x, w, b, **DIRECT)
    dw = grad.conv2d_weight(x, w.shape, y, **DIRECT)
    for threads in (1, 2, 3):
        with convx.threads(threads):
            assert_same(F.conv2d(x, w, b, **DIRECT), y)
            assert_same(grad.conv2d_weight(x, w.shape, y, **DIRECT), dw)
    for n in range(0, batch, 5):
        assert_same(F.conv2d(x[n], w, b, **DIRECT), y[n])
    for other in layouts_of(x):
        out = np.empty_like(y)
        F.conv2d(other, w, b, **DIRECT, out=out)
        assert_same(out, y)
        assert_same(grad.conv2d_weight(other, w.shape, y, **DIRECT), dw)
    x.flags.writeable = w.flags.writeable = b.flags.writeable = False
    assert_same(F.conv2d(x, w, b, **DIRECT), y)
    same = np.broadcast_to(x[:1], x.shape)
    assert_same(F.conv2d(same, w, b, **DIRECT), np.repeat(y[:1], batch, 0))


@pytest.mark.parametrize("activation", [None, "relu6", "tanh"])
def test_prepared(activation, rng):
    x, w, b = arrays_of(rng, "float32")
    prepared = convx.prepare_conv(w, b, activation=activation, **DIRECT)
    y = one_by_one(F.conv2d, x, w, b, **DIRECT)
    residual = values(rng, y.shape, "float32")
    finish = getattr(F, activation) if activation else np.array
    for some in (x, x[:1], x):
        result = prepared(some, residual[: len(some)])
        expected = finish(y[: len(some)] + residual[: len(some)])
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-7)
        expected = finish(y[: len(some)])
        np.testing.assert_allclose(prepared(some), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_item(bad, rng):
    x, w, b = arrays_of(rng, "float32", 28)
    expected = F.conv2d(x, w, b, padding=1, **DIRECT)
    x[5, 1, 2, 3] = bad
    y = F.conv2d(x, w, b, padding=1, **DIRECT)
    others = np.arange(28) != 5
    assert not np.isfinite(y[5]).all()
    assert_same(y[others], expected[others])
    assert_same(y, one_by_one(F.conv2d, x, w, b, padding=1, **DIRECT))


@pytest.mark.parametrize("dtype", FLOATS)
def test_ends_of_rows_leave_out_products_with_zeros(dtype, rng):
    """But not those with weights that are not finite."""
    _, w, _ = arrays_of(rng, dtype, 32, (13, 13), 6, 5, (5, 5))
    dy = values(rng, (32, 5, 9, 9), dtype)
    shape = (32, 6, 13, 13)
    with execution.recording() as programs:
        grad.conv2d_input(shape, w, dy, **DIRECT)
    assert [one.packed_size for one in programs] == [5 * 6 * 5 * (2 + 4 + 5 + 4 + 2)]
    for bad in (1, np.inf, np.nan):
        w[3, 2, 0, 4] = bad
        dx = grad.conv2d_input(shape, w, dy, **DIRECT)
        assert_same(dx, one_by_one(grad.conv2d_input, shape, w, dy, **DIRECT))
        assert np.isnan(dx).any() == (bad != 1)


def test_gradients_of_many_parts_are_sums_of_theirs(rng):
    x, w, _ = arrays_of(rng, "float64", 80)
    dy = F.conv2d(x, w, **DIRECT)
    parts = [
        grad.conv2d_weight(x[n : n + 8], w.shape, dy[n : n + 8], **DIRECT) for n in range(0, 80, 8)
    ]
    assert_same(grad.conv2d_weight(x, w.shape, dy, **DIRECT), sum(parts[1:], parts[0]))


def test_memory_is_told(rng):
    """Items side by side take memory of their own, of which there is a bound."""
    x, w, _ = arrays_of(rng, "float32", 32, (27, 27), 8, 8)
    lines = 16 * 8 * (27**2 + 25**2) * 4
    told = convx.explain(F.conv2d, x, w, **DIRECT)
    assert lines <= told.workspace_bytes < told.threads * (lines + 2**21) + 2**20
