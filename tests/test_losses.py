"""Losses against PyTorch's samples, the reference, and themselves in other arrangements."""

from functools import partial

import numpy as np
import pytest
from hypothesis import strategies as st
from support import assert_same, guarded, randomly, run_in_child
from torch_samples import check_errors, check_gradients, check_samples

import convx
from convx import functional as F
from convx import grad, reference

NAMES = [
    "cross_entropy",
    "nll_loss",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_samples(name, dtype):
    check_samples(f"nn.functional.{name}", getattr(F, name), dtype)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_samples(name):
    """Of input and target: the samples ask for no gradient of a weight."""

    def of_input_and_target(*arguments, **options):
        return getattr(grad, name)(*arguments, **options)[:2]

    check_gradients(f"nn.functional.{name}", of_input_and_target)


def named(arguments, options):
    """Samples whose shapes do not broadcast are errors here too, others are warned of."""
    return "broadcast" not in str(options)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ["l1_loss", "huber_loss"])
def test_errors_of_samples(name):
    check_errors(f"nn.functional.{name}", getattr(F, name), named)


# Many classes

shapes = st.tuples(
    st.integers(1, 5),
    st.integers(1, 40) | st.sampled_from([600, 1000]),
    st.sampled_from([(), (1,), (3,), (16,), (5, 7), (600,), (2, 3, 4)]),
).map(lambda shape: (*shape[:2], *shape[2]))
reductions = st.sampled_from(["mean", "sum", "none"])


def reduced(losses, weights, reduction):
    if reduction == "none":
        return losses
    return losses.sum() / (weights.sum() if reduction == "mean" else 1)


def scores_of(shape, seed, weighted):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, shape[1], shape[:1] + shape[2:])
    weight = rng.random(shape[1]) + 0.1 if weighted else None
    return rng, 5 * rng.standard_normal(shape), target, weight


def assert_near(result, expected, rtol=1e-11):
    assert type(result) is np.ndarray
    np.testing.assert_allclose(result, expected, rtol=rtol, atol=rtol)


def check_slope(function, x, gradient, rng):
    """Hold a gradient against differences in a random direction."""
    step = 1e-6 * rng.standard_normal(x.shape)
    difference = (function(x + step) - function(x - step)).sum()
    np.testing.assert_allclose(2 * (gradient * step).sum(), difference, rtol=2e-4, atol=1e-10)


@randomly(
    80,
    shape=shapes,
    seed=st.integers(0, 99),
    weighted=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.0, 0.1, 1.0]),
    reduction=reductions,
    ignored=st.booleans(),
)
def test_cross_entropy_of_classes(shape, seed, weighted, smoothing, reduction, ignored):
    rng, x, target, weight = scores_of(shape, seed, weighted)
    index = int(target.flat[0]) if ignored and (target != target.flat[0]).any() else -100
    counts = target != index
    q = reference.one_hot(target, shape[1])
    weights = (np.ones(shape[1]) if weight is None else weight)[target] * counts
    # smoothing spreads the label, and takes every class with the weight of its own
    plain, spread = (
        reference.cross_entropy(x, one, weight) * counts
        for one in (q, np.full(shape, 1 / shape[1]))
    )
    losses = (1 - smoothing) * plain + smoothing * spread
    options = {"ignore_index": index, "reduction": reduction, "label_smoothing": smoothing}
    result = F.cross_entropy(x, target, weight, **options)
    assert_near(result, reduced(losses, weights, reduction))
    g = rng.standard_normal(result.shape)
    dx, dt, dw = grad.cross_entropy(g, x, target, weight, **options)
    assert dt is dw is None
    check_slope(lambda x: g * F.cross_entropy(x, target, weight, **options), x, dx, rng)


@randomly(
    60,
    shape=shapes,
    seed=st.integers(0, 99),
    weighted=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.1]),
    reduction=reductions,
)
def test_cross_entropy_of_probabilities(shape, seed, weighted, smoothing, reduction):
    rng, x, target, weight = scores_of(shape, seed, weighted)
    q = rng.random(shape)
    options = {"reduction": reduction, "label_smoothing": smoothing}
    losses = reference.cross_entropy(x, q, weight, smoothing)
    result = F.cross_entropy(x, q, weight, **options)
    assert_near(result, reduced(losses, np.ones(target.shape), reduction))
    g = rng.standard_normal(result.shape)
    dx, dq, dw = grad.cross_entropy(g, x, q, weight, **options)
    check_slope(lambda x: g * F.cross_entropy(x, q, weight, **options), x, dx, rng)
    check_slope(lambda q: g * F.cross_entropy(x, q, weight, **options), q, dq, rng)
    if weighted:
        check_slope(lambda w: g * F.cross_entropy(x, q, w, **options), weight, dw, rng)
    else:
        assert dw is None


@randomly(60, shape=shapes, seed=st.integers(0, 99), weighted=st.booleans(), reduction=reductions)
def test_nll_loss(shape, seed, weighted, reduction):
    rng, x, target, weight = scores_of(shape, seed, weighted)
    losses = reference.nll_loss(x, reference.one_hot(target, shape[1]), weight)
    weights = (np.ones(shape[1]) if weight is None else weight)[target]
    result = F.nll_loss(x, target, weight, reduction=reduction)
    assert_near(result, reduced(losses, weights, reduction))
    g = rng.standard_normal(result.shape)
    dx, _, _ = grad.nll_loss(g, x, target, weight, reduction=reduction)
    check_slope(lambda x: g * F.nll_loss(x, target, weight, reduction=reduction), x, dx, rng)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_nothing_counts(name):
    function, gradient = getattr(F, name), getattr(grad, name)
    x, target = np.ones((3, 4)), np.full(3, -100)
    assert np.isnan(function(x, target))
    assert function(x, target, reduction="sum") == 0
    assert_same(function(x, target, reduction="none"), np.zeros(3))
    assert_same(gradient(1.0, x, target, reduction="sum")[0], np.zeros((3, 4)))
    assert np.isnan(function(x[:0], target[:0]))
    assert function(x[:0], target[:0], reduction="sum") == 0
    assert gradient(1.0, x[:0], target[:0])[0].shape == (0, 4)


def test_a_batch_of_nothing():
    x = np.ones((0, 4))
    assert np.isnan(F.mse_loss(x, x))
    assert F.l1_loss(x, x, "sum") == 0
    assert F.huber_loss(x, x, "none").shape == (0, 4)
    assert grad.mse_loss(1.0, x, x)[0].shape == (0, 4)
    assert np.isnan(F.binary_cross_entropy(x, x))


def test_ignored_columns_may_hold_anything():
    x = np.array([[np.nan, 1.0], [0.0, 0.0]])
    assert_near(F.cross_entropy(x, [-100, 1]), np.log(2.0))
    assert_near(F.nll_loss(x, [1, 1], reduction="none"), [-1.0, 0.0])


@pytest.mark.parametrize("shape", [(2, 5), (1, 5, 20)])
def test_extreme_logits(shape):
    x = np.zeros(shape)
    x[:, 0], x[:, 1], x[:, 2] = 1e30, -1e30, -np.inf
    targets = np.zeros(shape[:1] + shape[2:], int)
    for target, loss in enumerate((0, 2e30, np.inf)):
        assert (F.cross_entropy(x, targets + target, reduction="none") == loss).all()
    dx = grad.cross_entropy(1.0, x, targets + 1, reduction="sum")[0]
    assert dx.sum() == 0
    assert (dx[:, 0] == 1).all()
    x[0, 3] = np.nan
    losses = F.cross_entropy(x, targets, reduction="none")
    assert np.isnan(losses[0]).all()
    assert not np.isnan(losses[1:]).any()
    x[:] = -np.inf
    assert np.isnan(F.cross_entropy(x, targets))


@pytest.mark.parametrize("shape", [(40, 3000), (2, 3000, 40)])
def test_many_classes_in_single_precision(shape, rng):
    x = rng.standard_normal(shape).astype(np.float32)
    target = rng.integers(0, 3000, shape[:1] + shape[2:])
    exact = F.cross_entropy(x.astype(float), target, reduction="none")
    np.testing.assert_allclose(F.cross_entropy(x, target, reduction="none"), exact, rtol=4e-7)


# Pairs of elements

OPTIONS = {
    "mse_loss": {},
    "l1_loss": {},
    "smooth_l1_loss": {"beta": 0.7},
    "huber_loss": {"delta": 0.7},
    "binary_cross_entropy": {},
    "binary_cross_entropy_with_logits": {},
}
WEIGHTED = ("mse_loss", "l1_loss", "huber_loss")
elementwise = pytest.mark.parametrize("name", OPTIONS)


def pair_of(name, shape, rng):
    x, t = rng.standard_normal(shape), rng.standard_normal(shape)
    if name.startswith("binary"):
        t = rng.random(shape)
        x = 0.1 + 0.8 * rng.random(shape) if name == "binary_cross_entropy" else 3 * x
    return x, t


@elementwise
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(), (7,), (3, 50, 300)])
def test_against_the_reference(name, reduction, shape, rng):
    x, t = pair_of(name, shape, rng)
    losses = getattr(reference, name)(x, t, **OPTIONS[name])
    options = {**OPTIONS[name], "reduction": reduction}
    result = getattr(F, name)(x, t, **options)
    assert_near(result, reduced(losses, np.ones(shape), reduction))
    g = rng.standard_normal(result.shape)
    dx, dt, *_ = getattr(grad, name)(g, x, t, **options)
    check_slope(lambda x: g * getattr(F, name)(x, t, **options), x, dx, rng)
    check_slope(lambda t: g * getattr(F, name)(x, t, **options), t, dt, rng)


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_of_elements(name, reduction, rng):
    x, t = pair_of(name, (4, 5), rng)
    w = rng.random((4, 5)) + 0.1
    losses = w * getattr(reference, name)(x, t)
    expected = reduced(losses, np.ones((4, 5)) if name == "huber_loss" else w, reduction)
    function = getattr(F, name)
    result = function(x, t, weight=w, reduction=reduction)
    assert_near(result, expected)
    g = rng.standard_normal(result.shape)
    dx, dt, dw = getattr(grad, name)(g, x, t, weight=w, reduction=reduction)
    for array, gradient, key in ((x, dx, 0), (t, dt, 1), (w, dw, 2)):

        def moved(one, key=key):
            arrays = [x, t, w]
            arrays[key] = one
            return g * function(*arrays[:2], weight=arrays[2], reduction=reduction)

        check_slope(moved, array, gradient, rng)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_that_are_broadcast(reduction, rng):
    x, t = rng.random((4, 5)), rng.random((4, 5))
    w, p = rng.random(5), rng.random((4, 1)) + 1
    options = {"weight": w, "reduction": reduction}
    losses = reference.binary_cross_entropy(x, t) * w
    assert_near(
        F.binary_cross_entropy(x, t, **options), reduced(losses, np.ones((4, 5)), reduction)
    )
    losses = reference.binary_cross_entropy_with_logits(x, t, p) * w
    with_logits = F.binary_cross_entropy_with_logits
    result = with_logits(x, t, pos_weight=p, **options)
    assert_near(result, reduced(losses, np.ones((4, 5)), reduction))
    g = rng.standard_normal(result.shape)
    dx, dt, dw, dp = grad.binary_cross_entropy_with_logits(g, x, t, pos_weight=p, **options)
    assert dw is dp is None
    check_slope(lambda x: g * with_logits(x, t, pos_weight=p, **options), x, dx, rng)
    check_slope(lambda t: g * with_logits(x, t, pos_weight=p, **options), t, dt, rng)


def test_shapes_that_differ_are_warned_of(rng):
    x, t = rng.standard_normal((4, 5)), rng.standard_normal((4, 1))
    with pytest.warns(UserWarning, match="broadcast"):
        result = F.mse_loss(x, t)
    assert_near(result, np.mean((x - t) ** 2))
    with pytest.warns(UserWarning, match="broadcast"):
        dx, dt, _ = grad.mse_loss(1.0, x, t)
    assert_near(dt, -dx.sum(1, keepdims=True))
    with pytest.raises(ValueError, match="target"):
        F.binary_cross_entropy_with_logits(x, t)
    with pytest.raises(ValueError, match="target"):
        F.mse_loss(x, t[:3])


def test_certainties():
    x, t = [0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]
    assert F.binary_cross_entropy(x, t, reduction="none").tolist() == [0, 0, 100, 100]
    dx = grad.binary_cross_entropy(1.0, x, t, reduction="sum")[0]
    assert dx.tolist() == [0, 0, -1e12, 1e12]
    far = F.binary_cross_entropy_with_logits([1e4, -1e4], [1, 0], reduction="none")
    assert far.tolist() == [0, 0]


def test_smooth_losses_without_a_smooth_part():
    x, t = np.array([1.0, -2.0, 0.0]), np.zeros(3)
    for beta in (0, 1e-300):
        single = F.smooth_l1_loss(np.float32(x), np.float32(t), "none", beta=beta)
        assert_same(single, np.abs(np.float32(x)))
    assert_same(grad.smooth_l1_loss(1.0, x, t, "sum", beta=0)[0], np.sign(x))


@elementwise
def test_other_layouts(name, rng):
    x, t = (one.astype(np.float32) for one in pair_of(name, (30, 40, 20), rng))
    function, gradient, options = getattr(F, name), getattr(grad, name), OPTIONS[name]
    expected, whole = function(x, t, **options), gradient(1.0, x, t, **options)[0]
    for other in (
        np.ascontiguousarray(x.T).T,
        x.astype(">f4"),
        np.frombuffer(x.tobytes(), "f4").reshape(x.shape),
    ):
        assert_same(function(other, t, **options), expected)
        assert_same(gradient(1.0, other, t, **options)[0], whole)
    assert_same(
        function(x[::-1], t[::-1], reduction="none", **options)[::-1].copy(),
        function(x, t, reduction="none", **options),
    )


@elementwise
def test_half_precision(name, rng):
    x, t = (one.astype(np.float16) for one in pair_of(name, (30, 40), rng))
    function, gradient = getattr(F, name), getattr(grad, name)
    for reduction in ("mean", "none"):
        options = {**OPTIONS[name], "reduction": reduction}
        expected = function(x.astype("f4"), t.astype("f4"), **options)
        assert_same(function(x, t, **options), expected.astype("f2"))
        g = np.ones(expected.shape, np.float16)
        dx = gradient(g, x.astype("f4"), t.astype("f4"), **options)[0]
        assert_same(gradient(g, x, t, **options)[0], dx.astype("f2"))


@pytest.mark.parametrize("shape", [(30, 700), (3, 20, 30, 40), (4, 7, 5)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_and_layouts_change_no_bits(shape, dtype, rng):
    x = rng.standard_normal(shape).astype(dtype)
    target = rng.integers(0, shape[1], shape[:1] + shape[2:])
    with convx.threads(1):
        expected = F.cross_entropy(x, target, reduction="none")
        dx = grad.cross_entropy(1.0, x, target)[0]
    with convx.threads(2):
        for other in (x, np.ascontiguousarray(x.T).T, x.astype(x.dtype.newbyteorder())):
            assert_same(F.cross_entropy(other, target.astype("u2"), reduction="none"), expected)
            assert_same(grad.cross_entropy(1.0, other, target)[0], dx)
    assert_same(F.cross_entropy(x[1:2], target[1:2], reduction="none"), expected[1:2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_short_way_of_cross_entropy(dtype, rng):
    """Plain logits and classes go a short way, with the results and errors of the long one."""
    x, target = rng.standard_normal((30, 7)).astype(dtype), rng.integers(0, 7, 30)
    loss, dx = F.cross_entropy(x, target), grad.cross_entropy(0.5, x, target)[0]
    rtol = 1e-6 if dtype == "float32" else 1e-11
    assert_near(loss, reference.cross_entropy(x, np.eye(7)[target]).mean(), rtol)
    frozen = x.copy()
    frozen.flags.writeable = False
    for scores, classes in (
        (x, target.astype("u1")),
        (frozen, target),
        (x[None][0].T.copy().T, target),
    ):
        assert_same(F.cross_entropy(scores, classes), loss)
        assert_same(grad.cross_entropy(np.float64(0.5), scores, classes)[0], dx)
    target[3] = -100
    assert_near(
        F.cross_entropy(x, target), F.cross_entropy(*(np.delete(one, 3, 0) for one in (x, target)))
    )
    assert not grad.cross_entropy(0.5, x, target)[0][3].any()
    for wrong in (7, -1, 2**40):
        target[3] = wrong
        for call in (F.cross_entropy, partial(grad.cross_entropy, 1.0)):
            with pytest.raises(ValueError, match="target must be from 0 to 6"):
                call(x, target)


@elementwise
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_change_no_bits_of_pairs(name, dtype, rng):
    x, t = (one.astype(dtype) for one in pair_of(name, (3, 5, 17000), rng))
    function, gradient, options = getattr(F, name), getattr(grad, name), OPTIONS[name]
    results = []
    for count in (1, 2):
        with convx.threads(count):
            dx, dt, *_ = gradient(np.ones(x.shape), x, t, reduction="none", **options)
            results.append((function(x, t, **options), function(x, t, reduction="none"), dx, dt))
    for one, other in zip(*results, strict=True):
        assert_same(one, other)


@elementwise
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 15, 17, 4096, 4097, 9000])
def test_sums_of_pairs(name, dtype, size, rng):
    """Every length: the sum is that of all losses, in double precision whatever the dtype."""
    x, t = (one.astype(dtype) for one in pair_of(name, size, rng))
    losses = getattr(F, name)(x, t, reduction="none", **OPTIONS[name])
    total = getattr(F, name)(x, t, reduction="sum", **OPTIONS[name])
    assert losses.dtype == total.dtype == dtype
    np.testing.assert_allclose(total, losses.sum(dtype="f8"), rtol=4 * np.finfo(dtype).eps)
    for k in (0, size - 1):
        lone = getattr(F, name)(x[k : k + 1], t[k : k + 1], reduction="none", **OPTIONS[name])
        np.testing.assert_allclose(losses[k], lone[0], rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logarithms_of_probabilities(dtype):
    """From the least subnormal number to 1, within 4 units in the last place."""
    tiny, eps = float(np.finfo(dtype).smallest_subnormal), float(np.finfo(dtype).eps)
    x = np.concatenate([np.geomspace(tiny, 0.5, 4000), np.linspace(0, 1, 4001)]).astype(dtype)
    with np.errstate(divide="ignore"):
        own, other = np.log(x.astype("f8")), np.log1p(-x.astype("f8"))
    ones, zeros = np.ones_like(x), np.zeros_like(x)
    certain = F.binary_cross_entropy(x, ones, reduction="none")
    np.testing.assert_allclose(certain, -np.maximum(own, -100).astype(dtype), rtol=4 * eps)
    against = F.binary_cross_entropy(x, zeros, reduction="none")
    np.testing.assert_allclose(against, -np.maximum(other, -100), rtol=4 * eps, atol=2 * tiny)
    dt = grad.binary_cross_entropy(1.0, x, zeros, reduction="sum")[1]
    with np.errstate(invalid="ignore"):
        exact = (other - own).astype(dtype)
    np.testing.assert_allclose(dt, exact, rtol=8 * eps, atol=4 * eps)


@pytest.mark.parametrize("name", sorted({*OPTIONS} - {"binary_cross_entropy"}))
def test_nan_stays_in_its_pair(name, rng):
    x, t = pair_of(name, 40, rng)
    x[7] = t[20] = np.nan
    losses = getattr(F, name)(x, t, reduction="none", **OPTIONS[name])
    assert np.flatnonzero(np.isnan(losses)).tolist() == [7, 20]
    dx = getattr(grad, name)(np.ones(40), x, t, reduction="none", **OPTIONS[name])[0]
    assert np.flatnonzero(np.isnan(dx)).tolist() == [7, 20]


@pytest.mark.parametrize("side", ["after", "before"])
@elementwise
def test_no_pairs_beyond_the_arrays_are_touched(name, side, rng):
    x, t = (one.astype("f4") for one in pair_of(name, 4099, rng))

    def losses(x, t, g):
        dx, dt, *_ = getattr(grad, name)(g, x, t, reduction="none")
        return [getattr(F, name)(x, t), getattr(F, name)(x, t, reduction="none"), dx, dt]

    expected = losses(x, t, x)
    outcome = run_in_child(lambda: losses(*(guarded(one, side) for one in (x, t, x))))
    assert outcome.error is None, outcome
    for one, exactly in zip(outcome.value, expected, strict=True):
        assert_same(one, exactly)


def test_cross_entropy_of_half_precision(rng):
    x, target = rng.standard_normal((6, 5)).astype(np.float16), rng.integers(0, 5, 6)
    single = x.astype(np.float32)
    assert_same(F.cross_entropy(x, target), F.cross_entropy(single, target).astype("f2"))
    expected = grad.cross_entropy(1.0, single, target)[0].astype("f2")
    assert_same(grad.cross_entropy(1.0, x, target)[0], expected)
    assert_same(F.nll_loss(x, target), F.nll_loss(single, target).astype("f2"))


@pytest.mark.parametrize("name", NAMES)
def test_out(name, rng):
    if name in OPTIONS:
        x, t = pair_of(name, (3, 4), rng)
    else:
        x, t = rng.standard_normal((3, 4)), np.array([0, 3, 1])
    function = getattr(F, name)
    for reduction in ("mean", "none"):
        expected = function(x, t, reduction=reduction)
        out = np.empty(expected.shape)
        assert function(x, t, reduction=reduction, out=out) is out
        assert_same(out, expected)
        with pytest.raises(ValueError, match="out must"):
            function(x, t, reduction=reduction, out=np.empty(5))


@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 5), (2, 37, 19), (2, 3, 530), (2, 1, 3), (3, 530)])
def test_nothing_beyond_the_arrays_is_touched(side, dtype, shape, rng):
    x = rng.standard_normal(shape).astype(dtype)
    target = rng.integers(0, shape[1], shape[:1] + shape[2:])
    expected = [
        F.cross_entropy(x, target, reduction="none"),
        grad.cross_entropy(1.0, x, target)[0],
    ]

    def call():
        held = guarded(x, side), guarded(target, side)
        return [
            F.cross_entropy(*held, reduction="none"),
            grad.cross_entropy(1.0, *held)[0],
        ]

    outcome = run_in_child(call)
    assert outcome.error is None, outcome
    for one, exactly in zip(outcome.value, expected, strict=True):
        assert_same(one, exactly)
