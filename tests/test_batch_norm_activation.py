"""Batch norm with what follows it, against the reference, PyTorch, and its parts one by one."""

import numpy as np
import pytest
from hypothesis import strategies as st
from support import guarded, randomly, run_in_child, run_python

import convx
from convx import functional as F
from convx import grad, nn, reference
from convx._core._driver import instruction_sets

ACTIVATIONS = [None, "relu", "relu6", "silu", "hardswish", "leaky_relu", "sigmoid", "tanh"]
SHAPES = [(6, 3), (9, 70), (4100, 5), (3, 149, 1, 1)]
SHAPES += [(3, 5, 2, 2), (2, 4, 7, 7), (5, 2, 17), (33, 20, 5, 5), (2, 2, 70, 70)]


def arrays_of(shape, seed=0, dtype="float64"):
    """Input, gradient, residual, weight, bias, running mean and variance."""
    rng = np.random.default_rng(seed)
    x, dy, residual = (rng.standard_normal(shape).astype(dtype) for _ in range(3))
    weight, bias, mean = (rng.standard_normal(shape[1]).astype(dtype) for _ in range(3))
    return x + dtype_of(dtype)(3), dy, residual, weight, bias, mean, rng.random(shape[1]) + 0.5


def dtype_of(name):
    return np.dtype(name).type


def activated(name, x):
    return x if name is None else reference.activate(x, name)


def before_activation(name, dy, v):
    return dy if name is None else dy * reference.derivative(v, name)


@randomly(
    60,
    shape=st.sampled_from(SHAPES),
    seed=st.integers(0, 99),
    activation=st.sampled_from(ACTIVATIONS),
    has_residual=st.booleans(),
    training=st.booleans(),
)
def test_reference(shape, seed, activation, has_residual, training):
    x, dy, residual, weight, bias, mean, variance = arrays_of(shape, seed)
    residual = residual if has_residual else None
    options = {"activation": activation, "residual": residual}
    own = (None, None) if training else (mean, variance)
    running = mean.copy(), variance.copy()
    y, statistics = F.batch_norm_activation(
        x, *running, weight, bias, training, momentum=0.25, **options
    )
    v = reference.batch_norm(x, *own, weight, bias, training=training)
    v = v if residual is None else v + residual
    np.testing.assert_allclose(y, activated(activation, v), rtol=1e-9, atol=1e-9)
    alone = mean.copy(), variance.copy()
    F.batch_norm(x, *alone, weight, bias, training, momentum=0.25)
    np.testing.assert_allclose(running, alone, rtol=1e-12)

    dx, no_mean, no_variance, dw, db, dr = grad.batch_norm_activation(
        dy, x, mean, variance, weight, bias, training, statistics=statistics, **options
    )
    assert no_mean is no_variance is None
    g = before_activation(activation, dy, v)
    parts = grad.batch_norm(g, x, mean, variance, weight, bias, training)
    for found, expected in zip((dx, dw, db), (parts[0], *parts[3:])):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)
    if residual is None:
        assert dr is None
    else:
        np.testing.assert_allclose(dr, g, rtol=1e-8, atol=1e-8)
        assert not np.shares_memory(dr, dy)


@pytest.mark.parametrize("activation", ["silu", "tanh"])
def test_gradients_by_differences(activation):
    x, dy, residual, weight, bias, *_ = arrays_of((3, 2, 5))
    options = {"training": True, "activation": activation}

    def value(x, residual, weight, bias):
        y, _ = F.batch_norm_activation(x, None, None, weight, bias, residual=residual, **options)
        return float(np.sum(y * dy))

    dx, _, _, dw, db, dr = grad.batch_norm_activation(
        dy, x, None, None, weight, bias, residual=residual, **options
    )
    given, step = [x, residual, weight, bias], 1e-6
    for place, found in enumerate((dx, dr, dw, db)):
        for index in np.ndindex(found.shape):
            ends = []
            for sign in (1, -1):
                moved = [one.copy() for one in given]
                moved[place][index] += sign * step
                ends.append(value(*moved))
            assert found[index] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pytorch(dtype):
    torch = pytest.importorskip("torch")
    x, dy, residual, weight, bias, *_ = arrays_of((4, 5, 9, 9), dtype=dtype)
    options = {"training": True, "residual": residual, "activation": "relu"}
    y, statistics = F.batch_norm_activation(x, None, None, weight, bias, **options)
    found = grad.batch_norm_activation(
        dy, x, None, None, weight, bias, statistics=statistics, **options
    )
    given = [torch.tensor(one, requires_grad=True) for one in (x, weight, bias, residual)]
    norm = torch.nn.functional.batch_norm(given[0], None, None, *given[1:3], training=True)
    expected = torch.relu(norm + given[3])
    expected.backward(torch.from_numpy(dy))
    close = {"rtol": 0, "atol": 2e-4 if dtype == "float32" else 1e-10}
    np.testing.assert_allclose(y, expected.detach().numpy(), **close)
    for one, other in zip((found[0], *found[3:]), given):
        np.testing.assert_allclose(one, other.grad.numpy(), **close)


def everything(shape, dtype="float32"):
    """The bytes of all results, with a residual and without."""
    x, dy, residual, weight, bias, *_ = arrays_of(shape, dtype=dtype)
    told = []
    for options in ({}, {"activation": "relu"}, {"activation": "relu6", "residual": residual}):
        running = np.zeros(shape[1]), np.ones(shape[1])
        y, statistics = F.batch_norm_activation(x, *running, weight, bias, True, **options)
        found = grad.batch_norm_activation(
            dy, x, *running, weight, bias, True, statistics=statistics, **options
        )
        again = grad.batch_norm_activation(dy, x, None, None, weight, bias, True, **options)
        for one, other in zip(found, again):
            np.testing.assert_array_equal(one, other)
        told += [y, *running, *statistics, *(one for one in found if one is not None)]
    return b"".join(one.tobytes() for one in told)


LARGE = [(16, 3, 60, 60), (40, 33, 9, 9), (2, 2, 150, 150), (4500, 37), (50, 149)]


@pytest.mark.parametrize("shape", LARGE)
def test_bits_do_not_depend_on_threads(shape):
    results = set()
    for threads in (1, 2, 3, 5):
        with convx.threads(threads):
            results.add(everything(shape))
    assert len(results) == 1


def test_bits_are_those_of_other_vectors():
    code = (
        "import hashlib\n"
        "from test_batch_norm_activation import LARGE, everything\n"
        "print(hashlib.sha256(b''.join(everything(one) for one in LARGE)).hexdigest())"
    )
    results = set()
    for isa in {"avx2", "avx512"} & set(instruction_sets()):
        results.add(run_python(code, CONVX_ISA=isa))
    assert len(results) <= 1


@pytest.mark.parametrize("shape", [(9, 70), (4100, 5)])
def test_channels_of_one_position_have_sums_of_their_own(shape):
    x, dy, residual, weight, bias, mean, variance = arrays_of(shape, dtype="float32")
    some = slice(1, 4)
    for training in (True, False):
        options = {"training": training, "activation": "silu"}
        whole, _ = F.batch_norm_activation(
            x, mean.copy(), variance.copy(), weight, bias, residual=residual, **options
        )
        alone, _ = F.batch_norm_activation(
            *(one[..., some] for one in (x, mean.copy(), variance.copy(), weight, bias)),
            residual=residual[:, some],
            **options,
        )
        np.testing.assert_array_equal(alone, whole[:, some])
        whole, *_, dw, _, _ = grad.batch_norm_activation(
            dy, x, mean, variance, weight, bias, residual=residual, **options
        )
        alone, *_, dw_alone, _, _ = grad.batch_norm_activation(
            *(one[..., some] for one in (dy, x, mean, variance, weight, bias)),
            residual=residual[:, some],
            **options,
        )
        np.testing.assert_array_equal(alone, whole[:, some])
        np.testing.assert_array_equal(dw_alone, dw[some])


@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_beyond_channels_of_one_position_is_touched(side, dtype):
    arrays = arrays_of((7, 37), dtype=dtype)

    def call(held):
        x, dy, residual, weight, bias, *running = held
        given = {"activation": "relu", "residual": residual}
        results = []
        for training in (True, False):
            y, _ = F.batch_norm_activation(x, *running, weight, bias, training, **given)
            found = grad.batch_norm_activation(dy, x, *running, weight, bias, training, **given)
            results += [y, *(one for one in found if one is not None)]
        return results

    expected = call([one.copy() for one in arrays])
    outcome = run_in_child(lambda: call([guarded(one, side) for one in arrays]))
    assert outcome.error is None, outcome
    for one, other in zip(outcome.value, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_arrangements_of_arrays():
    x, dy, residual, weight, bias, *_ = arrays_of((4, 6, 5, 5), dtype="float32")
    options = {"training": True, "activation": "relu"}
    expected, found = F.batch_norm_activation(
        x, None, None, weight, bias, residual=residual, **options
    )
    gradients = grad.batch_norm_activation(
        dy, x, None, None, weight, bias, residual=residual, statistics=found, **options
    )
    for change in (
        lambda one: one.astype(one.dtype.newbyteorder()),
        lambda one: np.asfortranarray(one),
        lambda one: np.repeat(one, 2, axis=-1)[..., ::2],
        lambda one: np.broadcast_to(one, one.shape),
    ):
        given = [change(one) for one in (x, weight, bias, residual, dy)]
        y, _ = F.batch_norm_activation(
            given[0], None, None, *given[1:3], residual=given[3], **options
        )
        np.testing.assert_array_equal(y, expected)
        again = grad.batch_norm_activation(
            given[4], given[0], None, None, *given[1:3], residual=given[3], **options
        )
        for one, other in zip(again, gradients):
            np.testing.assert_array_equal(one, other)
    for place in (x.copy(), np.empty_like(x), np.empty_like(x).transpose(0, 1, 3, 2)):
        source = place if np.array_equal(place, x) else x
        y, _ = F.batch_norm_activation(
            source, None, None, weight, bias, residual=residual, out=place, **options
        )
        assert y is place
        np.testing.assert_array_equal(y, expected)


def test_half_precision_and_no_items():
    x, dy, residual, weight, bias, *_ = arrays_of((4, 3, 6), dtype="float16")
    options = {"training": True, "activation": "relu", "residual": residual}
    y, _ = F.batch_norm_activation(x, None, None, weight, bias, **options)
    wide = {**options, "residual": residual.astype("float32")}
    exact, _ = F.batch_norm_activation(x.astype("float32"), None, None, weight, bias, **wide)
    assert y.dtype == np.float16
    np.testing.assert_array_equal(y, exact.astype("float16"))
    found = grad.batch_norm_activation(dy, x, None, None, weight, bias, **options)
    assert [one.dtype for one in found if one is not None] == [np.float16] * 4
    none = np.empty((0, 3, 6))
    y, statistics = F.batch_norm_activation(none, None, None, training=True, residual=none)
    assert y.shape == none.shape
    dx, _, _, dw, db, dr = grad.batch_norm_activation(
        none, none, None, None, weight, bias, True, residual=none, statistics=statistics
    )
    assert dx.shape == dr.shape == none.shape
    assert not dw.any()
    assert not db.any()


def test_what_is_not_finite_stays_in_its_channel():
    x, _, _, weight, bias, *_ = arrays_of((4, 6, 5))
    expected, _ = F.batch_norm_activation(x, None, None, weight, bias, True, activation="relu")
    x[1, 2, 3] = np.inf
    y, _ = F.batch_norm_activation(x, None, None, weight, bias, True, activation="relu")
    assert np.isnan(y[:, 2]).all()
    np.testing.assert_array_equal(np.delete(y, 2, 1), np.delete(expected, 2, 1))


# In networks


def steps_apart(model, x, dy):
    """Output and gradient of a sequence, layer by layer."""
    pullbacks = []
    for layer in model:
        x, pullback = layer.vjp(x)
        pullbacks.append(pullback)
    y = x
    for pullback in reversed(pullbacks):
        dy = pullback(dy)
    return y, dy


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.GELU, nn.Tanh])
def test_a_sequence_gives_what_its_layers_give(activation):
    x, dy, *_ = arrays_of((4, 6, 5, 5), dtype="float32")
    results = []
    for run in (lambda model: model.vjp(x), lambda model: steps_apart(model, x, dy)):
        model = nn.Sequential(nn.Conv2d(6, 6, 1, rng=0), nn.BatchNorm2d(6), activation())
        y, back = run(model)
        dx = back(dy) if callable(back) else back
        results.append([y, dx, *(one.grad for one in model.parameters()), *model.buffers()])
    for one, other in zip(*results):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("inner", [nn.Sequential, lambda norm: norm])
@pytest.mark.parametrize("activation", [nn.ReLU(), nn.Mish(), None])
def test_a_residual_gives_what_its_parts_give(inner, activation):
    x, dy, *_ = arrays_of((4, 6, 5, 5), dtype="float64")
    main = nn.Sequential(
        nn.Conv2d(6, 6, 1, dtype=x.dtype, rng=0), inner(nn.BatchNorm2d(6, dtype=x.dtype))
    )
    block = nn.Residual(main, nn.Conv2d(6, 6, 1, dtype=x.dtype, rng=1), activation)
    y, pullback = block.vjp(x)
    dx = pullback(dy)
    found = [one.grad for one in block.parameters()]
    np.testing.assert_allclose(y, block(x), rtol=0, atol=1e-12)

    block.zero_grad()
    sides = [part.vjp(x) for part in (block.main, block.shortcut)]
    _, back = block.activation.vjp(sides[0][0] + sides[1][0])
    g = back(dy)
    np.testing.assert_allclose(dx, sides[0][1](g) + sides[1][1](g), rtol=0, atol=1e-10)
    for one, other in zip(found, block.parameters()):
        np.testing.assert_allclose(one, other.grad, rtol=0, atol=1e-10)


def test_a_norm_of_ones_own_is_left_alone():
    class Loud(nn.BatchNorm1d):
        def vjp(self, x, input_gradient=True):
            return 10 * x, lambda dy: 10 * dy

    y, pullback = nn.Sequential(Loud(2), nn.ReLU()).vjp(np.array([[-1.0, 2.0]]))
    np.testing.assert_array_equal(y, [[0, 20]])
    np.testing.assert_array_equal(pullback(np.ones((1, 2))), [[0, 10]])


# Sums


def test_sums_of_arrays(rng):
    arrays = [rng.standard_normal((3, 70000)).astype(t) for t in ("float32", "float64", "<f4")]
    np.testing.assert_array_equal(F.add(*arrays), arrays[0] + arrays[1] + arrays[2])
    np.testing.assert_array_equal(F.add(arrays[0][::-1, ::3]), arrays[0][::-1, ::3])
    out = arrays[1].copy()
    assert F.add(arrays[0], out, out=out) is out
    np.testing.assert_array_equal(out, arrays[0] + arrays[1])
    assert F.add(np.empty((0, 2)), np.empty((0, 2))).shape == (0, 2)
    found = grad.add(out, *arrays)
    assert [one.dtype for one in found] == ["float32", "float64", "float32"]
    assert not any(np.shares_memory(one, out) for one in found)
    np.testing.assert_array_equal(found[1], out)
