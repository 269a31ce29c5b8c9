"""Convolutions of small planes in maps: results, what takes them, and what changes no bits."""

import numpy as np
import pytest
from hypothesis import strategies as st
from support import FLOATS, assert_same, check, layouts_of, randomly, values, without_algorithm

import convx
from convx import functional as F
from convx import grad, reference
from convx._core import _distance, _memo
from convx._core._network import MapProgram
from convx._engine import execution, map_convolution

WINOGRAD = {"algorithm": "winograd"}


def taken(function, *arrays, **options):
    """Tell which of the programs of a call are computed in maps."""
    with execution.recording() as programs:
        function(*arrays, **options)
    return [isinstance(one, MapProgram) for one in programs]


def arrays_of(rng, dtype, sizes=(9, 14), batch=3, channels=16, filters=31):
    x, w = (
        values(rng, shape, dtype)
        for shape in ((batch, channels, *sizes), (filters, channels, 3, 3))
    )
    return x, w, values(rng, (filters,), dtype)


@randomly(
    40,
    dtype=st.sampled_from(FLOATS),
    sizes=st.tuples(st.integers(3, 17), st.integers(3, 17)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    batch=st.integers(1, 19),
    channels=st.sampled_from((8, 14, 16, 32, 40, 47)),
    filters=st.sampled_from((7, 16, 24, 48, 70)),
    seed=st.integers(0, 99),
)
def test_results_and_gradients(dtype, sizes, padding, batch, channels, filters, seed):
    rng = np.random.default_rng(seed)
    x, w, b = arrays_of(rng, dtype, sizes, batch, channels, filters)
    options = {"padding": padding, **WINOGRAD}
    check(F.conv2d, without_algorithm(reference.conv_nd), (x, w, b), options, dtype)
    dy = values(rng, F.conv2d(x, w, **options).shape, dtype)
    oracle = without_algorithm(reference.conv_nd_input)
    check(grad.conv2d_input, oracle, (x.shape, w, dy), options, dtype)


@randomly(
    40,
    dtype=st.sampled_from(FLOATS),
    sizes=st.tuples(st.integers(5, 17), st.integers(5, 17)),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.integers(1, 2),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    filters=st.sampled_from((16, 24, 31, 48)),
    seed=st.integers(0, 99),
)
def test_strides_give_the_bits_of_the_direct_algorithm(
    dtype, sizes, kernel, stride, dilation, padding, filters, seed
):
    """Whether they are computed in maps or not."""
    rng = np.random.default_rng(seed)
    padding = tuple(map(max, padding, (dilation * (k - 1) // 2 for k in kernel)))
    options = {"stride": stride, "dilation": dilation, "padding": padding, "algorithm": "direct"}
    x, w = values(rng, (3, 16, *sizes), dtype), values(rng, (filters, 16, *kernel), dtype)
    y = F.conv2d(x, w, **options)
    dx = grad.conv2d_input(x.shape, w, y, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(map_convolution, "MOST_BYTES", 0)
        patch.setattr(execution, "_programs", {})
        _memo.suspend_memos(1)
        directly = F.conv2d(x, w, **options), grad.conv2d_input(x.shape, w, y, **options)
        _memo.suspend_memos(-1)
    assert_same(directly[0], y)
    assert_same(directly[1], dx)


def test_strided_in_maps(rng):
    """Forward and back, prepared too, but not those of few taps or many phases."""
    x, w, b = arrays_of(rng, "float32")
    dy = F.conv2d(x, w, padding=1, stride=2)
    assert taken(F.conv2d, x, w, b, padding=1, stride=2) == [True]
    assert taken(grad.conv2d_input, x.shape, w, dy, padding=1, stride=2) == [True]
    assert taken(convx.prepare_conv(w, b, padding=1, stride=2), x) == [True]
    assert convx.explain(F.conv2d, x, w, padding=1, stride=2).algorithm == "direct"
    assert taken(F.conv2d, x, w[:, :, :1, :1], stride=2) == [False]
    third = F.conv2d(x, w, padding=1, stride=3)
    assert taken(grad.conv2d_input, x.shape, w, third, padding=1, stride=3) == [False]
    y = F.conv2d(x, w, b, padding=1, stride=2)
    residual = values(rng, y.shape, "float32")
    prepared = convx.prepare_conv(w, b, padding=1, stride=2, activation="relu")
    assert_same(prepared(x), np.maximum(y, 0))
    assert_same(prepared(x, residual), np.maximum(y + residual, 0))


def test_an_axis_that_no_tap_reaches():
    dy, w = np.ones((1, 16, 2, 9), np.float32), np.ones((16, 16, 1, 3), np.float32)
    y = F.conv_transpose2d(dy, w, stride=(2, 1), padding=(1, 0), algorithm="winograd")
    assert_same(y, np.zeros((1, 16, 1, 11), np.float32))


def test_what_is_computed_in_maps(rng):
    """Small planes whose channels and filters fill vectors, whatever the batch is."""
    x, w, b = arrays_of(rng, "float32")
    dy = F.conv2d(x, w, padding=1)
    for some in (x, x[:1]):
        assert taken(F.conv2d, some, w, b, padding=1, **WINOGRAD) == [True]
    assert taken(F.conv2d, x, w, padding=3, **WINOGRAD) == [True]
    assert taken(grad.conv2d_input, x.shape, w, dy, padding=1, **WINOGRAD) == [True]
    assert taken(F.conv_transpose2d, dy, w, padding=1, **WINOGRAD) == [True]
    assert taken(F.conv2d, x, w, padding=1, algorithm="direct") == [False]
    assert taken(F.conv2d, x, w, padding=2, dilation=2, **WINOGRAD) == [False]
    assert taken(F.conv2d, x, w, padding=1, padding_mode="reflect", **WINOGRAD) == [False]
    assert taken(F.conv2d, x[:, :11], w[:, :11], padding=1, **WINOGRAD) == [False]
    assert taken(F.conv2d, x, w[:11], padding=1, **WINOGRAD) == [False]
    large = np.zeros((1, 16, 80, 80), np.float32)
    assert taken(F.conv2d, large, w, padding=1, **WINOGRAD) == [False]


def test_the_largest_takes_no_more_memory_than_promised(rng):
    x, w, _ = arrays_of(rng, "float32", (44, 44), 1, 32, 32)
    assert taken(F.conv2d, x, w, padding=1, **WINOGRAD) == [True]
    told = convx.explain(F.conv2d, x, w, padding=1, **WINOGRAD)
    weights = 36 * w[..., 0, 0].nbytes
    assert told.algorithm == "winograd"
    assert weights < told.workspace_bytes < weights + 2 * 2**20
    x, w, _ = arrays_of(rng, "float32", (44, 44), 1, 64, 16)
    assert taken(F.conv2d, x, w, padding=40, stride=2) == [False]


@pytest.mark.parametrize("dtype", FLOATS)
def test_equal_bits(dtype, rng):
    """For any number of threads, for an item alone, for other strides, into ``out``."""
    x, w, b = arrays_of(rng, dtype, batch=21)
    options = {"padding": 1, **WINOGRAD}
    y = F.conv2d(x, w, b, **options)
    for threads in (1, 2, 3):
        with convx.threads(threads):
            assert_same(F.conv2d(x, w, b, **options), y)
    for n in range(len(x)):
        assert_same(F.conv2d(x[n], w, b, **options), y[n])
    for other in layouts_of(x):
        out = np.empty_like(y)
        F.conv2d(other, w, b, **options, out=out)
        assert_same(out, y)
    x.flags.writeable = w.flags.writeable = b.flags.writeable = False
    assert_same(F.conv2d(x, w, b, **options), y)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("activation", [None, "relu6", "tanh"])
def test_prepared(dtype, activation, rng):
    """The sums are those of a plain call, and what comes after them too."""
    x, w, b = arrays_of(rng, dtype)
    options = {"padding": 1, **WINOGRAD}
    y = F.conv2d(x, w, b, **options)
    residual = values(rng, y.shape, dtype)
    prepared = convx.prepare_conv(w, b, activation=activation, **options)
    assert taken(prepared, x) == [True]
    finish = getattr(F, activation) if activation else np.array
    for _ in range(2):  # the second time by the memo
        np.testing.assert_allclose(prepared(x), finish(y), rtol=1e-6)
        np.testing.assert_allclose(prepared(x, residual), finish(y + residual), rtol=1e-6)
    if activation is None:
        assert_same(prepared(x), y)


def test_prepared_weights_of_small_and_large_planes(rng):
    """They are packed in different ways, and each call has its own."""
    x, w, b = arrays_of(rng, "float32")
    large = values(rng, (1, 16, 80, 80), "float32")
    options = {"padding": 1, **WINOGRAD}
    prepared = convx.prepare_conv(w, b, **options)
    for _ in range(3):
        np.testing.assert_allclose(prepared(x), F.conv2d(x, w, b, **options), atol=1e-4)
        np.testing.assert_allclose(prepared(large), F.conv2d(large, w, b, **options), atol=1e-4)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_computed_directly(bad, rng):
    x, w, b = arrays_of(rng, "float32")
    x[1, 2, 3, 4] = bad
    residual = values(rng, (3, 31, 9, 14), "float32")
    direct = F.conv2d(x, w, b, padding=1, algorithm="direct")
    assert_same(F.conv2d(x, w, b, padding=1, **WINOGRAD), direct)
    prepared = convx.prepare_conv(w, b, padding=1, activation="relu", **WINOGRAD)
    directly = convx.prepare_conv(w, b, padding=1, activation="relu", algorithm="direct")
    assert_same(prepared(x, residual), directly(x, residual))


def test_no_items():
    w = np.ones((16, 16, 3, 3), np.float32)
    assert F.conv2d(np.ones((0, 16, 9, 9), np.float32), w, **WINOGRAD).shape == (0, 16, 7, 7)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("options", [WINOGRAD, {"algorithm": "direct", "stride": 2}])
def test_weights_that_each_thread_packs(rng, dtype, options):
    """Where processors are apart, of 2 threads and 2 items or more: the same bits."""
    x, w, b = arrays_of(rng, dtype, (14, 14), 4, 64, 70)
    with execution.recording() as programs:
        F.conv2d(x, w, b, padding=1, **options)
    assert all(isinstance(one, MapProgram) for one in programs)
    for x[2, 3, 4, 5] in (1, np.inf):  # of which the fallback takes care
        with convx.threads(1):
            y = F.conv2d(x, w, b, padding=1, **options)
            dx = grad.conv2d_input(x.shape, w, y, padding=1, **options)
        try:
            for apart in (True, False):
                _distance.assume_apart(apart)
                with convx.threads(2):
                    found = F.conv2d(x, w, b, padding=1, **options)
                    np.testing.assert_array_equal(found, y)
                    found = grad.conv2d_input(x.shape, w, y, padding=1, **options)
                    np.testing.assert_array_equal(found, dx)
        finally:
            _distance.assume_apart(None)
