"""Averages of what a ReLU leaves: in one pass over blocks of 2 by 2, else one after the other."""

import numpy as np
import pytest
from hypothesis import strategies as st
from support import assert_same, check_bits, guarded, layouts_of, randomly

from convx import functional as F
from convx import grad, nn, reference
from convx._core._driver import instruction_sets

# Rows shorter than a vector, of whole ones, of more; planes that 2 does not divide; a long one.
PLANES = [(2, 2), (10, 10), (28, 28), (6, 32), (4, 66), (5, 7), (3, 8), (2, 6000), (150, 2)]


def values(shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def one_by_one(x, *options, pool="avg_pool2d", **more):
    return getattr(F, pool)(F.relu(x), *options, **more)


def gradient_one_by_one(dy, x, *options, pool="avg_pool2d", **more):
    return grad.relu(getattr(grad, pool)(dy, x, *options, **more), x)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("plane", PLANES)
def test_bits_are_those_of_one_after_the_other(plane, dtype):
    x = values((3, 2, *plane), dtype)
    x[0, 0, 0, 0] = -0.0
    options = {"activation": "relu"}
    for given, more in (((2,), {}), ((2,), {"divisor_override": 3}), ((3, 2, 1), {})):
        if min(plane) + 2 * (len(given) - 1) < given[0]:
            continue
        y = F.avg_pool2d(x, *given, **more, **options)
        assert_same(y, one_by_one(x, *given, **more))
        dy = values(y.shape, dtype, 1)
        found = grad.avg_pool2d(dy, x, *given, **more, **options)
        assert_same(found, gradient_one_by_one(dy, x, *given, **more))
    sizes = tuple(one // 2 for one in plane)
    y = F.adaptive_avg_pool2d(x, sizes, **options)
    assert_same(y, one_by_one(x, sizes, pool="adaptive_avg_pool2d"))
    dy = values(y.shape, dtype, 2)
    found = grad.adaptive_avg_pool2d(dy, x, sizes, **options)
    assert_same(found, gradient_one_by_one(dy, x, sizes, pool="adaptive_avg_pool2d"))


@pytest.mark.parametrize("place", [0, 27, 783])
def test_nan_passes(place):
    x = values((2, 3, 28, 28), "float32")
    x.reshape(6, -1)[1, place] = np.nan
    y = F.avg_pool2d(x, 2, activation="relu")
    np.testing.assert_array_equal(y, one_by_one(x, 2))
    assert np.isnan(y).sum() == 1
    dx = grad.avg_pool2d(np.ones_like(y), x, 2, activation="relu")
    assert_same(dx, gradient_one_by_one(np.ones_like(y), x, 2))
    assert dx.reshape(6, -1)[1, place] == 0.25


@randomly(
    30,
    items=st.integers(1, 4),
    plane=st.tuples(*[st.integers(1, 40)] * 2),
    taps=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_reference_and_adjoint(items, plane, taps, seed):
    plane = tuple(max(one, taps) for one in plane)
    x = values((items, 3, *plane), seed=seed)
    y = F.avg_pool2d(x, taps, activation="relu")
    pairs = [(one,) * 2 for one in (taps, taps, 0, 1)]
    np.testing.assert_allclose(y, reference.avg_pool(np.maximum(x, 0), True, None, *pairs, False))
    dy = values(y.shape, seed=seed + 1)
    dx = grad.avg_pool2d(dy, x, taps, activation="relu")
    # The function is linear in x wherever that keeps its signs.
    np.testing.assert_allclose(np.sum(dx * x), np.sum(dy * y), atol=1e-12)
    assert not dx[x <= 0].any()


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_other_ranks(axes):
    x = values((2, 3, *[4] * axes), "float32")
    for name, given in (("avg_pool", 2), ("adaptive_avg_pool", 2)):
        pool, back = (getattr(one, f"{name}{axes}d") for one in (F, grad))
        y = pool(x, given, activation="relu")
        assert_same(y, pool(F.relu(x), given))
        assert_same(back(y, x, given, activation="relu"), grad.relu(back(y, x, given), x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("plane", [(10, 10), (28, 28), (2, 34)])
def test_nothing_beyond_the_arrays_is_touched(plane, side, dtype):
    x, dy = values((3, *plane), dtype), values((3, *[one // 2 for one in plane]), dtype, 1)
    out, back = guarded(np.ones_like(dy), side), guarded(np.ones_like(x), side)
    result = F.avg_pool2d(guarded(x, side), 2, activation="relu", out=out)
    assert result is out
    assert_same(out, one_by_one(x, 2))
    given = guarded(dy, side), guarded(x, side), 2
    assert grad.avg_pool2d(*given, activation="relu", out=back) is back
    assert_same(back, gradient_one_by_one(dy, x, 2))


def test_layouts_integers_and_out_that_is_the_input():
    x, dy = values((2, 3, 8, 8), "float32"), values((2, 3, 4, 4), "float32", 1)
    expected, gradient = one_by_one(x, 2), gradient_one_by_one(dy, x, 2)
    for one, other in zip(layouts_of(x), layouts_of(dy)):
        assert_same(F.avg_pool2d(one, 2, activation="relu"), expected)
        assert_same(grad.avg_pool2d(other, one, 2, activation="relu"), gradient)
    numbers = np.arange(-8, 8).reshape(1, 4, 4)
    assert_same(F.avg_pool2d(numbers, 2, activation="relu"), one_by_one(numbers, 2))
    place = x.copy()
    assert_same(grad.avg_pool2d(dy, place, 2, activation="relu", out=place), gradient)


def test_no_items():
    x, dy = np.zeros((0, 3, 8, 8), "float32"), np.zeros((0, 3, 4, 4), "float32")
    assert F.avg_pool2d(x, 2, activation="relu").shape == dy.shape
    assert grad.avg_pool2d(dy, x, 2, activation="relu").shape == x.shape


def test_errors():
    x = values((1, 4, 4))
    for pool in (F.avg_pool2d, F.adaptive_avg_pool2d):
        with pytest.raises(ValueError, match="activation must be one of 'relu', got 'tanh'"):
            pool(x, 2, activation="tanh")
        with pytest.raises(TypeError, match="activation must be a string"):
            pool(x, 2, activation=True)
    with pytest.raises(ValueError, match="activation"):
        grad.avg_pool2d(x[:, ::2, ::2], x, 2, activation="silu")


def everything():
    x, dy = values((8, 16, 28, 28), "float32"), values((8, 16, 14, 14), "float32", 1)
    y = F.adaptive_avg_pool2d(x, 14, activation="relu")
    return y.tobytes() + grad.adaptive_avg_pool2d(dy, x, 14, activation="relu").tobytes()


def test_bits_do_not_depend_on_threads_or_vectors():
    check_bits(everything, instruction_sets())


def test_pytorch():
    torch = pytest.importorskip("torch")
    x, dy = values((2, 3, 28, 28), "float32"), values((2, 3, 14, 14), "float32", 1)
    given = torch.tensor(x, requires_grad=True)
    expected = torch.nn.functional.adaptive_avg_pool2d(torch.relu(given), 14)
    expected.backward(torch.from_numpy(dy))
    y = F.adaptive_avg_pool2d(x, 14, activation="relu")
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-6, atol=1e-7)
    found = grad.adaptive_avg_pool2d(dy, x, 14, activation="relu")
    np.testing.assert_allclose(found, given.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("pool", [nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(3), nn.MaxPool2d(2)])
@pytest.mark.parametrize("before", [nn.ReLU(), nn.ReLU(inplace=True), nn.ReLU6()])
def test_a_sequential_is_as_its_layers(before, pool):
    x = values((2, 3, 8, 8), "float32")
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, rng=0), before, pool)
    y, pullback = model.vjp(x)
    assert_same(y, model(x))
    dy = values(y.shape, "float32", 1)
    dx = pullback(dy)
    found = [one.grad for one in model.parameters()]
    model.zero_grad()
    results, pullbacks = [x], []
    for layer in model:
        result, back = layer.vjp(results[-1])
        results.append(result)
        pullbacks.append(back)
    for back in reversed(pullbacks):
        dy = back(dy)
    assert_same(dx, dy)
    for one, parameter in zip(found, model.parameters()):
        assert_same(one, parameter.grad)
