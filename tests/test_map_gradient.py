"""Gradients of weights in maps: results, what takes them, and what changes no bits."""

import numpy as np
import pytest
from hypothesis import strategies as st
from support import (
    FLOATS,
    assert_same,
    check,
    check_bits,
    layouts_of,
    randomly,
    values,
    without_algorithm,
)

import convx
from convx import functional as F
from convx import grad, reference
from convx._core import _driver, _memo
from convx._core._map_gradient import MapGradientProgram
from convx._engine import execution, map_convolution, map_gradient

WINOGRAD = {"algorithm": "winograd"}
OPTIONS = [{"padding": 1, **WINOGRAD}, {"padding": 1, "stride": 2}]


def taken(function, *arrays, **options):
    """Tell which of the programs of a call are computed in maps."""
    with execution.recording() as programs:
        function(*arrays, **options)
    return [isinstance(one, MapGradientProgram) for one in programs]


def arrays_of(rng, options, dtype="float32", batch=3, sizes=(9, 14)):
    x, shape = values(rng, (batch, 16, *sizes), dtype), (31, 16, 3, 3)
    dy = F.conv2d(x, np.zeros(shape, dtype), **options)
    return x, shape, values(rng, dy.shape, dtype)


def otherwise(x, shape, dy, **options):
    """Return the gradient as it is computed where planes are large."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(map_convolution, "MOST_BYTES", 0)
        patch.setattr(execution, "_programs", {})
        _memo.suspend_memos(1)
        dw = grad.conv2d_weight(x, shape, dy, **options)
        _memo.suspend_memos(-1)
    return dw


@randomly(
    60,
    dtype=st.sampled_from(FLOATS),
    sizes=st.tuples(st.integers(3, 17), st.integers(3, 17)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    batch=st.integers(1, 19),
    channels=st.sampled_from((8, 14, 16, 32, 47)),
    filters=st.sampled_from((7, 16, 24, 48, 70)),
    seed=st.integers(0, 99),
)
def test_points(dtype, sizes, padding, batch, channels, filters, seed):
    rng = np.random.default_rng(seed)
    options, shape = {"padding": padding, **WINOGRAD}, (filters, channels, 3, 3)
    x = values(rng, (batch, channels, *sizes), dtype)
    dy = values(rng, F.conv2d(x, np.zeros(shape, dtype), **options).shape, dtype)
    oracle = without_algorithm(reference.conv_nd_weight)
    check(grad.conv2d_weight, oracle, (x, shape, dy), options, dtype)


@randomly(
    60,
    dtype=st.sampled_from(FLOATS),
    sizes=st.tuples(st.integers(5, 17), st.integers(5, 17)),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.integers(1, 2),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    batch=st.integers(1, 9),
    filters=st.sampled_from((16, 24, 31, 48)),
    seed=st.integers(0, 99),
)
def test_strides(dtype, sizes, kernel, stride, dilation, padding, batch, filters, seed):
    rng = np.random.default_rng(seed)
    padding = tuple(map(max, padding, (dilation * (k - 1) // 2 for k in kernel)))
    options = {"stride": stride, "dilation": dilation, "padding": padding, "algorithm": "direct"}
    x, shape = values(rng, (batch, 16, *sizes), dtype), (filters, 16, *kernel)
    dy = values(rng, F.conv2d(x, np.zeros(shape, dtype), **options).shape, dtype)
    oracle = without_algorithm(reference.conv_nd_weight)
    check(grad.conv2d_weight, oracle, (x, shape, dy), options, dtype)


def test_what_is_computed_in_maps(rng):
    """Small planes whose channels and filters fill vectors, by Winograd or with strides."""
    for options in OPTIONS:
        x, shape, dy = arrays_of(rng, options)
        assert taken(grad.conv2d_weight, x, shape, dy, **options) == [True]
        in_passing = "stride" not in options  # few tiles are
        assert taken(grad.conv2d_weight, x[:1], shape, dy[:1], **options) == [not in_passing]
        assert taken(grad.conv2d_weight, x[:, :11], (31, 11, 3, 3), dy, **options) == [False]
        assert taken(grad.conv2d_weight, x, (11, 16, 3, 3), dy[:, :11], **options) == [False]
        large = arrays_of(rng, options, sizes=(90, 90))
        assert taken(grad.conv2d_weight, *large, **options) == [False]
    plain = {"padding": 1, "algorithm": "direct"}
    assert taken(grad.conv2d_weight, *arrays_of(rng, plain), **plain) == [False]
    around = {"padding": 1, "stride": 2, "padding_mode": "reflect"}
    assert taken(grad.conv2d_weight, *arrays_of(rng, around), **around) == [False]
    x, shape, dy = arrays_of(rng, OPTIONS[1])
    assert convx.explain(grad.conv2d_weight, x, shape, dy, **OPTIONS[1]).algorithm == "direct"


def test_a_transposed_convolution(rng):
    """There the output takes the part of the input."""
    x, w = values(rng, (5, 16, 7, 7), "float32"), values(rng, (16, 24, 3, 3), "float32")
    options = {"stride": 2, "padding": 1, "output_padding": 1}
    dy = values(rng, F.conv_transpose2d(x, w, **options).shape, "float32")
    assert any(taken(grad.conv_transpose2d, dy, x, w, **options))
    check(grad.conv_transpose2d, reference.conv_transpose_nd_grad, (dy, x, w), options, "float32")


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_equal_bits(options, dtype, rng):
    """For any number of threads, however many items go together, and for other strides."""
    x, shape, dy = arrays_of(rng, options, dtype, batch=21)
    dw = grad.conv2d_weight(x, shape, dy, **options)
    for threads in (1, 2, 3):
        with convx.threads(threads):
            assert_same(grad.conv2d_weight(x, shape, dy, **options), dw)
    for room in (1e-6, 0.1, 8):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(map_gradient, "ROOM", room)
            patch.setattr(execution, "_programs", {})
            _memo.suspend_memos(1)
            assert_same(grad.conv2d_weight(x, shape, dy, **options), dw)
            _memo.suspend_memos(-1)
    for other in layouts_of(x):
        assert_same(grad.conv2d_weight(other, shape, dy, **options), dw)
    for other in layouts_of(dy):
        assert_same(grad.conv2d_weight(x, shape, other, **options), dw)
    x.flags.writeable = dy.flags.writeable = False
    assert_same(grad.conv2d_weight(x, shape, dy, **options), dw)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("which", [0, 1])
def test_what_is_not_finite(bad, options, which, rng):
    """Winograd's algorithm gives way to the direct one; with strides it spreads as elsewhere."""
    x, shape, dy = arrays_of(rng, options)
    (x, dy)[which][1, 2, 3, 4] = bad
    dw = grad.conv2d_weight(x, shape, dy, **options)
    direct = otherwise(x, shape, dy, **{**options, "algorithm": "direct"})
    assert not np.isfinite(dw).all()
    np.testing.assert_allclose(dw, direct, rtol=1e-4, atol=1e-4)
    if "algorithm" in options:
        assert_same(dw, grad.conv2d_weight(x, shape, dy, padding=1, algorithm="direct"))


def bits_of_strides():
    """Return gradients of some shapes as bytes."""
    rng = np.random.default_rng(7)
    arrays = [arrays_of(rng, OPTIONS[1], dtype, 11) for dtype in FLOATS]
    return b"".join(grad.conv2d_weight(*some, **OPTIONS[1]).tobytes() for some in arrays)


def test_bits_of_instruction_sets():
    check_bits(bits_of_strides, {"avx2", "avx512"} & set(_driver.instruction_sets()))


def test_memory(rng):
    """What is told of it has room for the sums of all parts."""
    x, shape, dy = arrays_of(rng, OPTIONS[0], batch=16)
    told = convx.explain(grad.conv2d_weight, x, shape, dy, **OPTIONS[0])
    assert told.algorithm == "winograd"
    assert 36 * 31 * 16 * 4 < told.workspace_bytes < 4 * 2**20
