"""Results that are larger than the caches are stored past them: the same bits come out."""

from contextlib import contextmanager

import numpy as np
import pytest
from support import Case, values

import convx
from convx import functional as F
from convx import grad
from convx._core import _memo
from convx._core._memory import new_result
from convx._engine import cut, execution

CASES = {
    "pointwise": Case((16, 24), (1, 1), batch=2, channels=20, filters=30),
    "pointwise, gathered": Case((7, 9), (1, 1), batch=2, channels=40, filters=60),
    "pointwise, sums in steps": Case((8, 16), (1, 1), channels=700, filters=27),
    "rows": Case((9, 64), (3, 3), batch=2, channels=5, filters=29, options={"padding": 1}),
    "ends of rows": Case((9, 70), (3, 3), channels=5, filters=29, options={"padding": 1}),
    "every other": Case((20, 33), (3, 3), channels=8, filters=20, options={"stride": 2}),
    "groups": Case((6, 32), (1, 3), batch=3, groups=2, channels=12, filters=14),
    "a line": Case((640,), (3,), channels=16, filters=15),
}


@contextmanager
def stored_far():
    """Let everything that is planned be stored past the caches, however small it is."""
    _memo.suspend_memos(1)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cut, "FAR_BYTES", 0)
            patch.setattr(execution, "_programs", {})
            yield
    finally:
        _memo.suspend_memos(-1)


def aligned(shape, dtype):
    """An array that begins with a page, in one that large results come from."""
    size = int(np.prod(shape))
    return new_result((max(size, 2**17),), np.dtype(dtype))[:size].reshape(shape)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("name", CASES)
def test_bits_are_the_same(name, dtype):
    case = CASES[name].with_options(algorithm="direct")
    x, w, b = case.arrays(dtype)
    near = F.conv_nd(x, w, b, **case.all_options)
    dy = values(np.random.default_rng(1), near.shape, dtype)
    gradients = grad.conv_nd(dy, x, w, b, **case.all_options)
    with stored_far():
        far, anywhere = aligned(near.shape, dtype), np.empty(near.size + 1, dtype)[1:]
        F.conv_nd(x, w, b, out=far, **case.all_options)
        assert far.tobytes() == near.tobytes()
        F.conv_nd(x, w, b, out=anywhere.reshape(near.shape), **case.all_options)
        assert anywhere.tobytes() == near.tobytes()
        for one, other in zip(grad.conv_nd(dy, x, w, b, **case.all_options), gradients):
            assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("name", ["pointwise", "rows"])
def test_what_is_activated_is_the_same(name):
    case = CASES[name].with_options(algorithm="direct")
    x, w, b = case.arrays("float32")
    options = {**case.all_options, "activation": "silu"}
    near = convx.prepare_conv(w, b, **options)(x)
    with stored_far():
        far = aligned(near.shape, "float32")
        convx.prepare_conv(w, b, **options)(x, out=far)
    assert far.tobytes() == near.tobytes()


@pytest.mark.parametrize("items", [1, 7])
def test_gradients_of_many_weights(items, rng):
    """Of planes that are summed in one step, and in several, which add to what is there."""
    x, dy = values(rng, (items, 288, 10, 13)), values(rng, (items, 256, 10, 13))
    near = grad.conv2d_weight(x, (256, 288, 1, 1), dy)
    with stored_far():
        far = grad.conv2d_weight(x, (256, 288, 1, 1), dy)
    assert near.nbytes >= 2**18
    assert far.tobytes() == near.tobytes()


def test_only_large_results_go_past_the_caches(rng):
    x, w = values(rng, (2, 3, 256, 256), "float32"), values(rng, (36, 3, 1, 1), "float32")
    with execution.recording() as programs:
        F.conv2d(x, w)
        F.conv2d(x[:1], w)
    assert [program.plan.passes[0].far for program in programs] == [True, False]
    assert F.conv2d(x, w)[1:].tobytes() == F.conv2d(x[1:], w).tobytes()
