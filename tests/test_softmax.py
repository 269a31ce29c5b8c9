"""Softmax and its relatives against PyTorch, on its own samples, and against the reference."""

import math

import numpy as np
import pytest
from hypothesis import strategies as st
from support import assert_same, guarded, randomly, run_python
from test_activation import NAMES as ACTIVATIONS
from torch_samples import check_gradients, check_samples

import convx
from convx import functional as F
from convx import grad, reference
from convx._core import _driver

NAMES = ("softmax", "log_softmax", "softmin")
each = pytest.mark.parametrize("name", NAMES)


def in_torch(name):
    return "nn.functional.softmin" if name == "softmin" else name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each
def test_samples(name, dtype):
    check_samples(in_torch(name), getattr(F, name), dtype)


@each
def test_gradients(name):
    check_gradients(in_torch(name), getattr(grad, name))


def expected(x, axis, name):
    return reference.softmax(-x if name == "softmin" else x, axis, name == "log_softmax")


def expected_gradient(dy, x, axis, name):
    if name == "softmin":
        return -reference.softmax_gradient(dy, -x, axis)
    return reference.softmax_gradient(dy, x, axis, name == "log_softmax")


@randomly(
    80,
    name=st.sampled_from(NAMES),
    shape=st.lists(st.integers(1, 70), min_size=1, max_size=3),
    axis=st.integers(0, 2),
    dtype=st.sampled_from(["float32", "float64", "float16"]),
    scale=st.sampled_from([0.1, 3, 100]),
    seed=st.integers(0, 2**32 - 1),
)
def test_reference(name, shape, axis, dtype, scale, seed):
    rng = np.random.default_rng(seed)
    axis = axis % len(shape)
    x, dy = (scale * rng.standard_normal((2, *shape))).astype(dtype)
    eps = np.finfo(dtype).eps
    wide, wide_dy = np.float64(x), np.float64(dy)
    y = expected(wide, axis, name)
    found = getattr(F, name)(x, axis - len(shape))
    assert found.dtype == x.dtype
    # the logarithm is a difference of numbers of that size
    least = 8 * eps * (1 + scale) if name == "log_softmax" else np.finfo(dtype).smallest_subnormal
    np.testing.assert_allclose(found, y, rtol=16 * eps * (1 + scale), atol=least + 2**-40 * eps)
    dx = getattr(grad, name)(dy, x, axis)
    assert dx.dtype == x.dtype
    # what the sum's error makes, of terms as large as the gradients
    bound = 16 * eps * abs(dy).max() * shape[axis]
    np.testing.assert_allclose(dx, expected_gradient(wide_dy, wide, axis, name), atol=bound)


@pytest.mark.parametrize(("shape", "axis"), [((6, 1003), 1), ((3, 1003, 64), 1), ((999, 5), 0)])
def test_accuracy(shape, axis):
    """Few units in the last place, and for the logarithm of the largest difference."""
    x = (4 * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)
    y = expected(np.float64(x), axis, "softmax")
    assert (abs(F.softmax(x, axis) - y) / np.spacing(np.float32(y))).max() < 24
    np.testing.assert_allclose(F.softmax(x, axis).sum(axis, dtype=np.float64), 1, rtol=2e-6)
    y = expected(np.float64(x), axis, "log_softmax")
    assert (abs(F.log_softmax(x, axis) - y) / np.spacing(np.float32(abs(y).max()))).max() < 2


@each
@pytest.mark.parametrize("axis", [0, 1])
def test_special_values_are_those_of_torch(name, axis):
    torch = pytest.importorskip("torch")
    inf, nan = math.inf, math.nan
    lines = np.zeros((9, 40), np.float32)
    lines[1:] = np.random.default_rng(0).standard_normal((8, 40))
    lines[1, 3], lines[2, 20], lines[3, 39] = -inf, inf, nan
    lines[4], lines[5] = -inf, inf
    lines[6, 0], lines[6, 1] = 1e38, -1e38
    lines[7, :20] = -inf
    x = lines if axis else np.ascontiguousarray(lines.T)
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    y = getattr(torch.nn.functional, name)(tensor, axis)
    np.testing.assert_allclose(getattr(F, name)(x, axis), y.detach().numpy(), 2e-6, 1e-7)
    dy = np.ones_like(x)
    (dx,) = torch.autograd.grad(y, tensor, torch.from_numpy(dy))
    np.testing.assert_allclose(getattr(grad, name)(dy, x, axis), dx.numpy(), 1e-4, 2e-5)


@each
@pytest.mark.parametrize("shape", [(9, 301, 77), (600, 200), (40, 7, 5, 30)])
def test_bits_depend_on_the_line_alone(name, shape):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, *shape), np.float32)
    for axis in range(1, len(shape)):
        function = getattr(F, name)
        y, dx = function(x, axis), getattr(grad, name)(dy, x, axis)
        with convx.threads(1):
            assert_same(function(x, axis), y)
            assert_same(getattr(grad, name)(dy, x, axis), dx)
        assert_same(function(x[4], axis - 1), y[4])
        assert_same(getattr(grad, name)(dy[4], x[4], axis - 1), dx[4])


@each
@pytest.mark.parametrize("length", [1, 3, 8, 33, 76])
def test_bits_are_those_of_rows_that_lie_otherwise(name, length):
    """Rows some 2 KiB apart go in other numbers, for they share the sets of the caches."""
    x, dy = 4 * np.random.default_rng(0).standard_normal((2, 3, length, 1050), np.float32)
    function, gradient = getattr(F, name), getattr(grad, name)
    y, dx = function(x, 1), gradient(dy, x, 1)
    for columns in (512, 1024):
        some_x, some_dy = (one[..., :columns].copy() for one in (x, dy))
        assert_same(function(some_x, 1), y[..., :columns])
        assert_same(gradient(some_dy, some_x, 1), dx[..., :columns])


@each
@pytest.mark.parametrize(
    ("shape", "axis"), [((5, 33), 1), ((5, 7), 1), ((33, 20), 0), ((33, 3), 0)]
)
def test_out(name, shape, axis):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, *shape))
    function, gradient = getattr(F, name), getattr(grad, name)
    y, dx = function(x, axis), gradient(dy, x, axis)
    for out in (np.empty(shape), np.empty((*shape, 2))[..., 0], np.empty(shape[::-1]).T):
        assert function(x, axis, out=out) is out
        np.testing.assert_array_equal(out, y)
        assert gradient(dy, x, axis, out=out) is out
        np.testing.assert_array_equal(out, dx)
    for same in (0, 1):
        arrays = [dy.copy(), x.copy()]
        gradient(*arrays, axis, out=arrays[same])
        assert_same(arrays[same], dx)
    here = x.copy()
    assert function(here, axis, out=here) is here
    assert_same(here, y)


def test_layouts():
    x = np.random.default_rng(0).standard_normal((5, 40))
    y = F.softmax(x, 1)
    for change in (lambda a: a.astype(">f8"), np.asfortranarray, np.ndarray.tolist):
        assert_same(F.softmax(change(x), 1), y)
    np.testing.assert_allclose(F.softmax(x.T, 0), y.T, rtol=1e-14)
    assert F.softmax(np.ones((3, 0)), 1).shape == (3, 0)
    assert F.softmax(np.ones((0, 3)), 1).shape == (0, 3)
    assert grad.softmax(np.ones((3, 0)), np.ones((3, 0)), 0).shape == (3, 0)
    assert F.softmax(5.0, -1) == 1


def test_dtype():
    x = np.arange(6).reshape(2, 3)
    y = F.softmax(x, 1, dtype=np.float32)
    assert_same(y, F.softmax(x.astype(np.float32), 1))
    single, dy = x.astype(np.float32), np.ones((2, 3))
    dx = grad.log_softmax(dy, single, 1, dtype="float64")
    assert dx.dtype == np.float32
    assert_same(dx, grad.log_softmax(dy, x.astype(float), 1).astype(np.float32))
    out = np.empty((2, 3), np.float32)
    assert grad.log_softmax(dy, single, 1, dtype="float64", out=out) is out
    assert_same(out, dx)


def test_axis_that_is_not_told():
    for shape in ((4,), (4, 5), (4, 5, 6), (4, 5, 6, 7)):
        x = np.random.default_rng(0).standard_normal(shape)
        assert_same(F.softmax(x), F.softmax(x, 0 if len(shape) in (1, 3) else 1))


@each
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(("shape", "axis"), [((3, 7), 1), ((3, 39), 1), ((7, 3), 0), ((5, 37), 0)])
def test_nothing_outside_is_touched(name, side, shape, axis):
    """Arrays beside pages that must not be read or written: else the process ends."""
    rng = np.random.default_rng(0)
    for dtype in ("float32", "float64"):
        x, dy = rng.standard_normal((2, *shape)).astype(dtype)
        near_x, near_dy, out = (guarded(one, side) for one in (x, dy, x))
        assert_same(getattr(F, name)(near_x, axis, out=out), getattr(F, name)(x, axis))
        gradient = getattr(grad, name)
        assert_same(gradient(near_dy, near_x, axis, out=out), gradient(dy, x, axis))
        gradient = grad.gelu
        assert_same(gradient(near_dy, near_x, out=out), gradient(dy, x))
        assert_same(F.dropout(near_x, rng=1, out=out), F.dropout(x, rng=1))
        assert_same(F.prelu(near_x, x[:1, 0], out=out), F.prelu(x, x[:1, 0]))


SAME_EVERYWHERE = """
import hashlib, sys
import numpy as np
from convx import functional as F, grad
found = hashlib.sha256()
for dtype in ("float32", "float64"):
    x, dy = (4 * np.random.default_rng(0).standard_normal((2, 7, 45, 53))).astype(dtype)
    for name in sys.argv[1:]:
        for options in ({"dim": 1}, {"dim": 2}) if "soft" in name and name != "softplus" else ({},):
            found.update(getattr(F, name)(x, **options).tobytes())
            found.update(getattr(grad, name)(dy, x, **options).tobytes())
print(found.hexdigest())
"""


def test_fast_instruction_sets_agree():
    fast = [isa for isa in _driver.instruction_sets() if isa != "baseline"]
    names = [*NAMES, *ACTIVATIONS]
    assert len({run_python(SAME_EVERYWHERE, *names, CONVX_ISA=isa) for isa in fast}) <= 1
