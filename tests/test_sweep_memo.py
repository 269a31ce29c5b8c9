"""The short way of repeated sweeps: activations, softmax, norms, losses."""

import math

import numpy as np
import pytest
from support import assert_same, values

import convx
from convx import functional as F
from convx import grad
from convx._core import _activations, _memo, _sweep
from convx._engine import machine

POSITIONS = (4, 3, 2, 5)


def parameters(rng, dtype):
    """Weight and bias, running mean and variance, of three channels."""
    weight, bias, mean = values(rng, (3, 3), dtype)
    return weight, bias, mean, np.abs(values(rng, (3,), dtype)) + 1


def calls():
    """Functions of an array, its gradient, and the parameters of its channels."""
    for name in ("relu", "relu6", "sigmoid", "gelu", "elu", "leaky_relu", "hardtanh", "softplus"):
        yield name, lambda x, g, p, name=name: getattr(F, name)(x)
        yield f"grad.{name}", lambda x, g, p, name=name: getattr(grad, name)(g, x)
    for name in ("softmax", "log_softmax", "softmin"):
        yield name, lambda x, g, p, name=name: getattr(F, name)(x, 1)
        yield f"grad.{name}", lambda x, g, p, name=name: getattr(grad, name)(g, x, -1)
    yield "layer_norm", lambda x, g, p: F.layer_norm(x, x.shape[2:])
    yield "layer_norm of elements", lambda x, g, p: F.layer_norm(x, x.shape[1:], x[1], g[2])
    yield "grad.layer_norm", lambda x, g, p: grad.layer_norm(g, x, x.shape[2:])[0]
    yield "grad.layer_norm of elements", layer_gradients
    yield "group_norm", lambda x, g, p: F.group_norm(x, 3, *p[:2])
    yield "instance_norm", lambda x, g, p: F.instance_norm(x, None, None, *p[:2])
    yield "batch_norm", lambda x, g, p: F.batch_norm(x, *p[2:], *p[:2])
    yield "batch_norm of x", lambda x, g, p: F.batch_norm(x, None, None, p[0], training=True)
    yield "grad.batch_norm", lambda x, g, p: grad.batch_norm(g, x, *p[2:], *p[:2], True)[0]
    yield "follow", follow
    for activation in ("relu", "silu", None):
        for has_residual in (False, True):
            name = f"batch_norm_activation, {activation}, residual {has_residual}"
            yield name, all_in_one(activation, has_residual, training=True)
            yield f"{name}, evaluation", all_in_one(activation, has_residual, training=False)
    yield from pools()
    for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
        yield name, lambda x, g, p, name=name: getattr(F, name)(x, g)


def pools():
    """Pools of two axes, and their gradients, which are made of what the pools return."""
    kinds = {
        "max_pool2d": [(2, 1, 1), (3, 2, 1)],
        "avg_pool2d": [(2, 1, 1), (2, 2, 1, True, False), (3, (2, 1), (1, 1))],
        "adaptive_max_pool2d": [(1,), ((2, None),)],
        "adaptive_avg_pool2d": [(1,), ((2, None),)],
    }
    for name, cases in kinds.items():
        for given in cases:
            yield (
                f"{name}, {given}",
                lambda x, g, p, name=name, given=given: getattr(F, name)(x, *given),
            )
            yield f"grad.{name}, {given}", pool_gradient(name, given)
    for activation in ("relu", None):
        yield f"avg_pool2d, {activation}", squares_of(activation)
    yield "max_pool2d with indices", places


def pool_gradient(name, given):
    """Return the gradient of a pool, of which the pool's result is that of the output."""
    return lambda x, g, p: getattr(grad, name)(getattr(F, name)(g, *given), x, *given)


def squares_of(activation):
    """Return a function of averages of blocks of 2 by 2, and of their gradient."""
    options = {"activation": activation}

    def call(x, g, p):
        x, g = (one.reshape(1, -1, 2, 2) for one in (x, g))
        y = F.avg_pool2d(x, 2, **options)
        dx = grad.avg_pool2d(F.max_pool2d(g, 2), x, 2, **options)
        return np.concatenate([y.ravel(), dx.ravel()])

    return call


def places(x, g, p):
    """Return maxima and where they are, one after the other."""
    y, indices = F.max_pool2d(x, 2, 1, 1, return_indices=True)
    assert type(indices) is np.ndarray
    return np.concatenate([y.ravel(), indices.ravel()])


def layer_gradients(x, g, p):
    """Return the gradients of a layer norm with weights, one after the other."""
    return np.concatenate([one.ravel() for one in grad.layer_norm(g, x, x.shape[1:], x[1], g[2])])


def follow(x, g, p):
    """Return what batch norm in training does to the running statistics, too."""
    mean, variance = p[2].copy(), p[3].copy()
    y = F.batch_norm(x, mean, variance, training=True, momentum=0.25)
    return np.concatenate([y.ravel(), mean, variance])


def all_in_one(activation, has_residual, training):
    """Return a function of all that batch norm with its ending makes, and of its gradients."""

    def call(x, g, p):
        running = p[2].copy(), p[3].copy()
        options = {"activation": activation, "residual": g if has_residual else None}
        given = (*running, p[0], p[1] if has_residual else None, training)
        y, found = F.batch_norm_activation(x, *given, **options)
        statistics = [one.copy() for one in found]
        gradients = []
        for known in (found, None):
            gradients += grad.batch_norm_activation(y, x, *given, **options, statistics=known)
        made = [y, *running, *statistics, *(one for one in gradients if one is not None)]
        return np.concatenate([one.ravel() for one in made])

    return call


def arrays(rng):
    """Input and gradient that a kernel reads as they are, or does not."""
    for dtype in ("float32", "float64", "float16"):
        for shape in (POSITIONS, (6, 3, 1, 2), (6, 3, 40, 1)):
            x, g = values(rng, (2, *shape), dtype)
            yield x, g, dtype
            yield np.asfortranarray(x), g, dtype
            yield x, g[::-1], dtype
            yield x.astype(x.dtype.newbyteorder()), g, dtype
            yield x, x, dtype
            x.flags.writeable = False
            yield x, g, dtype


@pytest.mark.parametrize(("name", "call"), calls(), ids=[name for name, _ in calls()])
def test_every_call_of_many_is_as_the_first(name, call, rng):
    cases = [(x, g, parameters(rng, dtype)) for x, g, dtype in arrays(rng)]
    _memo.suspend_memos(1)
    try:
        expected = [call(*case) for case in cases]
    finally:
        _memo.suspend_memos(-1)
    for _ in range(3):
        for case, one in zip(cases, expected):
            found = call(*case)
            assert_same(found, one)
            assert not np.may_share_memory(found, case[0])
            found[...] = 7  # a result is nobody else's


def test_it_tells_options_apart(rng):
    x = values(rng, (4, 5, 6), "float32")
    kept = {}
    for _ in range(3):
        for slope in (0.0, -0.0, 0.5, 1, 2):
            y = F.leaky_relu(-np.abs(x), slope)
            assert_same(y, kept.setdefault(("slope", str(slope)), y))
            np.testing.assert_array_equal(y, -np.abs(x) * np.float32(slope))
            assert math.copysign(1, slope) == -np.copysign(1, y[0, 0, 0])
        for dim in (0, 1, 2, -1, None, np.int64(1)):
            sums = F.softmax(x, dim).sum(0 if dim is None else dim)
            np.testing.assert_allclose(sums, 1, rtol=1e-5)
        assert F.softmax(x, 0, dtype=np.float64).dtype == np.float64
        for dim in (True, 1.0, "1"):
            with pytest.raises(TypeError, match="dim"):
                F.softmax(x, dim)
        with pytest.raises(ValueError, match="dim"):
            F.softmax(x, 3)
        for bounds in ((-1, 1), (-1.0, 0.5), (0, math.inf)):
            assert_same(F.hardtanh(x, *bounds), np.clip(x, *bounds).astype("float32"))
        assert_same(F.relu(x.astype("int32") * 3), np.maximum(x.astype("int32") * 3, 0))


def test_it_leaves_places_alone(rng):
    """What goes to ``out=`` or into the input itself takes the long way."""
    x, other = values(rng, (2, 3, 40), "float32")
    expected = np.maximum(x, 0)
    for _ in range(3):
        out = np.empty_like(x)
        assert F.relu(x, out=out) is out
        assert_same(out, expected)
        changed = x.copy()
        assert F.relu(changed, inplace=True) is changed
        assert F.softmax(changed, 0, out=changed) is changed
        assert_same(F.relu(x), expected)
        with pytest.raises(TypeError, match="inplace"):
            F.relu(x, 1)
        with pytest.raises(ValueError, match="inplace"):
            F.relu(x, True, out=out)
    assert_same(grad.relu(other, x), np.where(x > 0, other, np.float32(0)))


def test_arrays_of_one_place_are_not_taken_for_one_another(rng):
    x, g = values(rng, (2, 3, 50))
    for first, second in ((x, x), (g, x), (x, g), (x, x)):
        np.testing.assert_array_equal(grad.relu(first, second), np.where(second > 0, first, 0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_running_statistics_are_checked_every_time(dtype, rng):
    x = values(rng, (4, 3, 20), dtype)
    mean, variance = np.zeros(3, dtype), np.ones(3, dtype)
    locked = np.zeros(3, dtype)
    locked.flags.writeable = False
    for _ in range(3):
        F.batch_norm(x, mean, variance, training=True)
        with pytest.raises(ValueError, match="running_mean must be writable"):
            F.batch_norm(x, locked, variance, training=True)
        with pytest.raises(ValueError, match="running_var must be given"):
            F.batch_norm(x, mean, None, training=True)
        with pytest.raises(ValueError, match="eps"):
            F.batch_norm(x, mean, variance, training=True, eps=-1.0)
    np.testing.assert_array_equal(locked, 0)
    np.testing.assert_allclose(mean, x.mean((0, 2)) * (1 - 0.9**3), rtol=1e-5)


def test_running_statistics_may_lie_in_other_operands(rng):
    x = values(rng, (4, 3, 20))
    for _ in range(3):
        room = np.array([1.0, 2.0, 3.0, 4.0])
        expected = F.batch_norm(x, None, None, room[:3].copy(), training=True)
        assert_same(F.batch_norm(x, room[1:], np.ones(3), room[:3], training=True), expected)
        np.testing.assert_allclose(room[1:], 0.9 * np.array([2, 3, 4]) + 0.1 * x.mean((0, 2)))
        both = np.ones(3)
        F.batch_norm(x, both, both, training=True, momentum=1.0)
        np.testing.assert_allclose(both, x.var((0, 2), ddof=1))


def test_classes_are_checked_every_time(rng):
    scores, target = values(rng, (6, 5), "float32"), np.array([0, 1, 4, 2, 3, 0])
    expected = F.cross_entropy(scores, target)
    for _ in range(3):
        assert_same(F.cross_entropy(scores, target), expected)
        assert_same(F.cross_entropy(scores[::-1], target[::-1]), expected)
        with pytest.raises(ValueError, match="target"):
            F.cross_entropy(scores, np.array([0, 1, 5, 2, 3, 0]))
        with pytest.raises(ValueError, match="target"):
            F.cross_entropy(scores, target[:5])
        ignored = np.array([0, 1, -100, 2, 3, 0])
        assert F.cross_entropy(scores, ignored) != expected
        assert F.cross_entropy(scores, target, ignore_index=4) != expected
        assert F.cross_entropy(scores, target, reduction="sum") > 5 * expected
        with pytest.raises(TypeError, match="label_smoothing"):
            F.cross_entropy(scores, target, label_smoothing=False)
        with pytest.raises(TypeError, match="ignore_index"):
            F.nll_loss(scores, target, ignore_index=np.array([1, 2]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 127, 128, 129, 1000])
def test_plain_likelihoods_are_exact_sums(rows, dtype, rng):
    """Scores are added up in parts, in double precision."""
    scores, target = values(rng, (rows, 7), dtype), rng.integers(0, 7, rows)
    picked = [float(row[one]) for row, one in zip(scores, target, strict=True)]
    expected = -math.fsum(picked) / rows
    bound = 1e-15 if dtype == "float64" else 1e-7
    np.testing.assert_allclose(F.nll_loss(scores, target), expected, rtol=bound, atol=bound)
    scores[rows // 2, target[rows // 2]] = -np.inf
    assert F.nll_loss(scores, target) == np.inf
    scores[0, target[0]] = np.nan
    assert np.isnan(F.nll_loss(scores, target))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_plain_likelihoods_are_those_of_the_long_way(dtype, rng):
    scores, target = values(rng, (6, 5), dtype), np.array([0, 1, 4, 2, 3, 0])
    for given in (target, target[:0:-1]):
        short, long = scores[: len(given)], np.asfortranarray(scores[: len(given)])
        np.testing.assert_allclose(F.nll_loss(short, given), F.nll_loss(long, given), rtol=1e-6)
        assert F.nll_loss(short, given).dtype == dtype
        for one in (1.0, -0.5):
            found = grad.nll_loss(one, short, given)[0]
            np.testing.assert_allclose(found, grad.nll_loss(one, long, given)[0], rtol=1e-6)
            assert found.dtype == dtype
    with pytest.raises(ValueError, match="target"):
        F.nll_loss(scores, target + 1)


def test_means_of_losses_are_checked_every_time(rng):
    x, y = values(rng, (2, 1, 8), "float32")
    expected = np.mean((x.astype(float) - y) ** 2)
    for _ in range(3):
        np.testing.assert_allclose(F.mse_loss(x, y), expected, rtol=1e-6)
        with pytest.warns(UserWarning, match="broadcast"):
            np.testing.assert_allclose(F.mse_loss(x, y[0]), expected, rtol=1e-6)
        assert F.mse_loss(x, y, reduction="none").shape == x.shape
        np.testing.assert_allclose(F.mse_loss(x, y, reduction="sum"), 8 * expected, rtol=1e-6)
        assert F.huber_loss(x, y, delta=0.5) < F.huber_loss(x, y, delta=5.0)
        assert F.smooth_l1_loss(x, y, beta=0.1) > F.smooth_l1_loss(x, y, beta=5.0)
        with pytest.raises(ValueError, match="reduction"):
            F.mse_loss(x, y, reduction="average")
        with pytest.raises(ValueError, match="delta"):
            F.huber_loss(x, y, delta=0.0)


def test_threads_are_told_apart(rng):
    x = values(rng, (64, 4096), "float32")
    for _ in range(2):
        for count in (1, 2, 1):
            with convx.threads(count):
                assert_same(F.softmax(x, 1), F.softmax(x.copy(), -1))


def test_a_memo_stays_small():
    memo, held = _sweep.SweepMemo(), []
    for size in range(1, 1000):
        x, y = np.full(size, -1.0), np.empty(size)
        sweep = _activations.activate(machine.ISA, "relu", (), x, None, y, 1)
        memo.remember((x,), ("relu",), sweep, y)
        held.append(x)
    remembered = [memo.call((x,), ("relu",)) is not None for x in held]
    assert remembered == [False] * 743 + [True] * 256


def test_only_what_is_returned_is_remembered():
    memo, x, y = _sweep.SweepMemo(), np.ones(5), np.empty(5)
    sweep = _activations.activate(machine.ISA, "relu", (), x.copy(), None, y, 1)
    memo.remember((x,), (), sweep, y)
    assert memo.call((x,), ()) is None
    sweep = _activations.activate(machine.ISA, "relu", (), x, None, y, 1)
    memo.remember((x,), (), sweep, y.copy())
    assert memo.call((x,), ()) is None
    memo.remember((x, x), (), sweep, y)
    assert memo.call((x, x), ()) is None
    memo.remember((x,), (object(),), sweep, y)
    memo.remember((x,), (), None, y)
    assert memo.call((x,), ()) is None
    memo.remember((x,), (), sweep, y)
    assert_same(memo.call((x,), ()), y)
    assert memo.call((x[::-1],), ()) is None
    assert memo.call(([1.0] * 5,), ()) is None
