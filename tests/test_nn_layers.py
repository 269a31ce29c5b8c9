"""Layers: as PyTorch's of the same arguments, forward and backward, and numerically."""

import inspect
import math
import re

import numpy as np
import pytest
from nn_cases import LAYERS, ONLY_HERE, made, name_of_case

from convx import functional, nn

cases = pytest.mark.parametrize("case", LAYERS, ids=name_of_case)


def torch_layer(torch, case):
    name, given, options, _ = case
    return getattr(torch.nn, name)(*given, **options).double()


def values_for(layer, shape, seed=3):
    """An input, and parameters and buffers that are not those of the beginning."""
    rng = np.random.default_rng(seed)
    for _, parameter in layer.named_parameters():
        parameter.data[...] = rng.standard_normal(parameter.shape)
    return rng.standard_normal(shape)


@cases
def test_layers_as_pytorchs(case):
    """Two steps of training, with new statistics in each, then a call in use."""
    torch = pytest.importorskip("torch")
    layer, other = made(case), torch_layer(torch, case)
    x = values_for(layer, case[3])
    precision = 1e-7 if case[0] == "Hardsigmoid" else 1e-9  # their sixth is of single precision
    other.load_state_dict({k: torch.from_numpy(v) for k, v in layer.state_dict().items()})
    for _ in range(2):
        y, pullback = layer.vjp(x)
        input = torch.from_numpy(x).requires_grad_()
        expected = other(input.clone())  # it may work in place
        np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-9, atol=1e-12)
        dy = np.cos(np.arange(y.size)).reshape(y.shape)
        expected.backward(torch.from_numpy(dy))
        np.testing.assert_allclose(pullback(dy), input.grad.numpy(), rtol=precision, atol=1e-11)
    gradients = {name: one.grad for name, one in layer.named_parameters()}
    theirs = {name: one.grad.numpy() for name, one in other.named_parameters()}
    assert list(gradients) == list(theirs)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, theirs[name], rtol=1e-9, atol=1e-10)
    state, saved = layer.state_dict(), other.state_dict()
    assert list(state) == list(saved)
    for name, array in state.items():
        assert array.shape == tuple(saved[name].shape)
        np.testing.assert_allclose(array, saved[name].numpy(), rtol=1e-9, atol=1e-12)
    found, expected = layer.eval()(x), other.eval()(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@cases
def test_layers_are_shown_as_pytorchs(case):
    torch = pytest.importorskip("torch")
    theirs = repr(torch_layer(torch, case))
    assert repr(made(case)) == theirs


@pytest.mark.parametrize("case", [*LAYERS, *ONLY_HERE], ids=name_of_case)
def test_defaults_are_pytorchs(case):
    """Arguments have the names, order and defaults that they have there."""
    torch = pytest.importorskip("torch")
    other = getattr(torch.nn, case[0], None)
    if other is None:
        pytest.skip("PyTorch has no such layer")
    ours = inspect.signature(getattr(nn, case[0])).parameters
    theirs = inspect.signature(other).parameters
    left_out = {"device", "dtype", "_random_samples", "min_value", "max_value", "args", "kwargs"}
    expected = {name: one.default for name, one in theirs.items() if name not in left_out}
    found = {name: one.default for name, one in ours.items() if name not in ("dtype", "rng")}
    found.pop("options", None)
    if case[0] != "Identity":  # it takes anything
        assert found == expected
        assert list(found) == list(expected)


def redrawn(case):
    """A layer that draws what the last one drew."""
    layer = made(case)
    values_for(layer, case[3])
    return layer


@pytest.mark.parametrize("case", ONLY_HERE, ids=name_of_case)
def test_gradients_numerically(case):
    rng = np.random.default_rng(5)
    layer = redrawn(case)
    # apart from one another, so that no maximum changes its place, and positive for chances
    x = rng.permutation(np.linspace(0.5, 2.5, math.prod(case[3]))).reshape(case[3])
    y, pullback = layer.vjp(x)
    dy = rng.standard_normal(y.shape)
    dx = pullback(dy)
    step = 1e-6

    def loss(x, shift=None):
        other = redrawn(case)
        for (name, one), (_, direction) in zip(other.named_parameters(), shift or ()):
            assert name
            one.data += direction
        return float((other.vjp(x)[0] * dy).sum())

    if not case[0].startswith("Stochastic"):  # where chances depend on the input too
        for _ in range(3):
            v = rng.standard_normal(x.shape)
            slope = (loss(x + step * v) - loss(x - step * v)) / (2 * step)
            assert slope == pytest.approx(float((dx * v).sum()), rel=1e-6, abs=1e-7)
    else:
        assert np.count_nonzero(dx) == np.count_nonzero(dy)
        np.testing.assert_allclose(np.sort(dx[dx != 0]), np.sort(dy.ravel()), rtol=1e-12)
    directions = [(n, rng.standard_normal(p.shape)) for n, p in layer.named_parameters()]
    if directions:
        high, low = ([(n, s * step * v) for n, v in directions] for s in (1, -1))
        slope = (loss(x, high) - loss(x, low)) / (2 * step)
        total = sum(
            float((one.grad * v).sum()) for one, (_, v) in zip(layer.parameters(), directions)
        )
        assert slope == pytest.approx(total, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("case", [*LAYERS, *ONLY_HERE], ids=name_of_case)
def test_nothing_is_kept_of_a_call(case):
    """A pullback is that of its own call, whatever was called since; inputs are not changed."""
    rng = np.random.default_rng(7)
    layer, again = made(case).eval(), made(case).eval()
    values_for(layer, case[3])
    again.load_state_dict(layer.state_dict())
    x, other = rng.random(case[3]), rng.random(case[3])
    x.flags.writeable = other.flags.writeable = False
    if type(layer).__name__.startswith("Fractional"):
        pytest.skip("draws in use too")
    y, pullback = layer.vjp(x)
    layer.vjp(other)[1](np.ones_like(y))
    layer.zero_grad()
    dy = rng.random(y.shape)
    expected, expected_pullback = again.vjp(x)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(pullback(dy), expected_pullback(dy))
    for one, two in zip(layer.parameters(), again.parameters()):
        np.testing.assert_array_equal(one.grad, two.grad)


def test_every_layer_has_a_case():
    tried = {case[0] for case in (*LAYERS, *ONLY_HERE)}
    layers = {
        name
        for name in nn.__all__
        if isinstance(getattr(nn, name), type) and issubclass(getattr(nn, name), nn.Module)
    }
    apart = {"Module", "FunctionLayer", "Sequential", "Parallel", "Concat", "Residual"}
    apart |= {"Conv", "ConvTranspose"}
    apart |= {f"MaxUnpool{axes}d" for axes in (1, 2, 3)}
    assert layers - tried == apart | {name for name in layers if name.endswith("Loss")}


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_unpooling(axes):
    x = np.random.default_rng(0).standard_normal((2, 3, *(4,) * axes))
    pool = getattr(nn, f"MaxPool{axes}d")(2, return_indices=True)
    unpool = getattr(nn, f"MaxUnpool{axes}d")(2)
    y, indices = pool(x)
    spread, pullback = unpool.vjp(y, indices)
    assert spread.shape == x.shape
    np.testing.assert_array_equal(pullback(spread), y)
    wide = unpool(y, indices, output_size=[5] * axes)
    assert wide.shape == (2, 3, *(5,) * axes)


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_of_classes(name, reduction):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((5, 4)), np.array([0, 3, 2, -100, 1])
    weight = rng.random(4)
    ours = getattr(nn, name)(weight, reduction=reduction)
    theirs = getattr(torch.nn, name)(torch.from_numpy(weight), reduction=reduction)
    check_loss(torch, ours, theirs, x, target)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("MSELoss", {}),
        ("L1Loss", {"reduction": "sum"}),
        ("SmoothL1Loss", {"beta": 0.5}),
        ("HuberLoss", {"delta": 0.5}),
        ("BCELoss", {}),
        ("BCEWithLogitsLoss", {"reduction": "none"}),
    ],
)
def test_losses_of_pairs(name, options):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, target = rng.random((5, 4)), rng.random((5, 4))
    check_loss(torch, getattr(nn, name)(**options), getattr(torch.nn, name)(**options), x, target)


def check_loss(torch, ours, theirs, x, target):
    loss, pullback = ours.vjp(x, target)
    input = torch.from_numpy(x).requires_grad_()
    expected = theirs(input, torch.from_numpy(target))
    np.testing.assert_allclose(loss, expected.detach().numpy(), rtol=1e-12)
    expected.sum().backward()
    np.testing.assert_allclose(pullback(np.ones_like(loss)), input.grad.numpy(), rtol=1e-9)
    np.testing.assert_array_equal(ours(x, target), loss)


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (nn.Conv2d(8, 300, 5, rng=0), 200),
        (nn.Conv1d(16, 300, 5, groups=2, rng=0), 40),
        (nn.ConvTranspose2d(300, 10, 5, rng=0), 250),
        (nn.Linear(50, 400, rng=0), 50),
    ],
    ids=["Conv2d", "Conv1d", "ConvTranspose2d", "Linear"],
)
def test_initial_distributions(layer, inputs):
    """Evenly between ±1/√inputs, weights and bias."""
    bound = 1 / math.sqrt(inputs)
    for parameter in (layer.weight.data, layer.bias.data):
        assert np.abs(parameter).max() <= bound
        assert np.abs(parameter).max() > 0.75 * bound
    weight = layer.weight.data.astype(np.float64) / bound
    assert abs(weight.mean()) < 0.02
    assert weight.var() == pytest.approx(1 / 3, rel=0.02)
    assert (weight**4).mean() == pytest.approx(1 / 5, rel=0.04)


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
def test_initial_bounds_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    ours = getattr(nn, name)(8, 64, 3, groups=4, rng=0)
    theirs = getattr(torch.nn, name)(8, 64, 3, groups=4)
    for one, other in zip(ours.parameters(), theirs.parameters()):
        largest = float(other.detach().abs().max())
        assert np.abs(one.data).max() == pytest.approx(largest, rel=0.15)


def test_the_same_seed_gives_the_same_numbers():
    one, other = nn.models.lenet5(rng=3), nn.models.lenet5(rng=3, dtype=np.float64)
    for a, b in zip(one.parameters(), other.parameters()):
        np.testing.assert_array_equal(a.data, b.data.astype(np.float32))
    different = nn.models.lenet5(rng=4)
    assert not np.array_equal(one[0].weight.data, different[0].weight.data)


def test_output_size_of_a_transposed_convolution():
    torch = pytest.importorskip("torch")
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, dtype=np.float64)
    theirs = torch.nn.ConvTranspose2d(2, 3, 3, stride=2).double()
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in layer.state_dict().items()})
    x = np.ones((1, 2, 4, 4))
    expected = theirs(torch.from_numpy(x), output_size=(10, 9)).detach().numpy()
    np.testing.assert_allclose(layer(x, output_size=(10, 9)), expected, rtol=1e-12)
    with pytest.raises(ValueError, match="output_padding"):
        layer(x, output_size=(12, 9))


def test_norms_refuse_other_ranks():
    with pytest.raises(ValueError, match="input must have 4 axes, got 3"):
        nn.BatchNorm2d(3)(np.ones((2, 3, 4)))
    with pytest.raises(ValueError, match="num_channels must be divisible by 2, got 3"):
        nn.GroupNorm(2, 3)


@pytest.mark.parametrize("arguments", [(0, 3, 3), (3, 0, 3), (3, 4, 0), (3.5, 4, 3), (3, 4, "3")])
def test_arguments_of_convolutions_are_checked(arguments):
    with pytest.raises((TypeError, ValueError), match=r"must"):
        nn.Conv2d(*arguments)


def test_adaptive_pools_and_those_of_kernels_agree():
    """Blocks of two by two have a kernel of their own; its sums are those of all others."""
    x = np.random.default_rng(0).standard_normal((3, 28, 28)).astype(np.float32)
    for size in (28, 10, 26):
        part = np.ascontiguousarray(x[:, :size, :size])
        found = functional.avg_pool2d(part, 2)
        a, b = part[:, ::2] + part[:, 1::2], np.float32(0.25)
        np.testing.assert_array_equal(found, (a[..., ::2] + a[..., 1::2]) * b)
        np.testing.assert_array_equal(found, functional.adaptive_avg_pool2d(part, size // 2))
        third = functional.avg_pool2d(part, 2, divisor_override=3)
        np.testing.assert_array_equal(third, (a[..., ::2] + a[..., 1::2]) / np.float32(3))


def test_no_names_of_layers_are_made_up():
    """A layer without a twin in PyTorch is a kind of convolution or of pooling, or a container."""
    torch = pytest.importorskip("torch")
    own = {name for name in nn.__all__ if not hasattr(torch.nn, name)}
    allowed = r"\w+Conv2d|Stochastic\w+|FunctionLayer|Parallel|Concat|Residual|Differences|models"
    allowed += r"|Conv|ConvTranspose|prepare|PreparedModel|load|save"
    assert all(re.fullmatch(allowed, name) for name in own)


@pytest.mark.parametrize(
    "layer",
    [nn.ReLU(True), nn.Hardtanh(inplace=True), nn.LeakyReLU(0.5, True), nn.Dropout(1, True)],
)
def test_calls_in_place(layer):
    x = np.array([-1.0, 2.0])
    given = x.copy()
    y, pullback = layer.vjp(x)
    assert np.array_equal(x, given)
    assert pullback(y).shape == x.shape
    assert layer(x) is x
    assert not np.array_equal(x, given)
