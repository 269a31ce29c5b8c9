"""Modules: names, state dictionaries, containers, copies, errors."""

import copy
import pickle
import weakref

import numpy as np
import pytest

import convx
from convx import nn


def small():
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, rng=0),
        nn.BatchNorm2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8, 3, rng=1),
    )


X = np.random.default_rng(0).standard_normal((4, 1, 4, 4)).astype(np.float32)


def test_names():
    model = small()
    assert [name for name, _ in model.named_parameters()] == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "4.weight",
        "4.bias",
    ]
    assert [name for name, _ in model.named_buffers()] == [
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
    ]
    assert [name for name, _ in model.named_modules()] == ["", "0", "1", "2", "3", "4"]
    assert len(list(model.buffers())) == 3
    assert len(list(model.children())) == len(model) == 5


def test_named_layers_and_slices():
    model = nn.Sequential({"conv": nn.Conv2d(1, 2, 3, rng=0), "act": nn.ReLU()})
    assert list(model.state_dict()) == ["conv.weight", "conv.bias"]
    part = small()[:2]
    assert isinstance(part, nn.Sequential)
    assert len(part) == 2
    assert isinstance(small()[-1], nn.Linear)
    assert len(nn.Sequential().append(nn.ReLU()).append(nn.ReLU())) == 2
    with pytest.raises(TypeError, match="layers must be modules, got int at 0"):
        nn.Sequential(3)


def test_modules_in_lists_and_shared_ones():
    class Net(nn.Module):
        def __init__(self):
            self.layers = [nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)]
            self.tied = self.layers[0]

    net = Net()
    assert list(net.state_dict()) == [
        "layers.0.weight",
        "layers.0.bias",
        "layers.1.weight",
        "layers.1.bias",
        "tied.weight",
        "tied.bias",
    ]
    assert len(list(net.parameters())) == 4
    with pytest.raises(NotImplementedError, match="Net has no method vjp"):
        net(X)


def test_gradients_add_up():
    model, other = small(), small()
    for _ in range(2):
        y, pullback = model.vjp(X)
        dx = pullback(np.ones_like(y))
    y, pullback = other.vjp(X)
    np.testing.assert_array_equal(pullback(np.ones_like(y)), dx)
    for one, two in zip(model.parameters(), other.parameters()):
        np.testing.assert_allclose(one.grad, 2 * two.grad, rtol=1e-6)
    model.zero_grad()
    assert all(one.grad is None for one in model.parameters())


@pytest.mark.parametrize("first", [nn.Flatten(), nn.Sequential(nn.Flatten()), nn.Identity()])
def test_gradients_of_parameters_alone(first):
    """They are the same without that of the input, which ends at the first parameters."""
    rest = nn.Linear(16, 3, rng=0) if not isinstance(first, nn.Identity) else nn.Conv2d(1, 2, 3)
    model = nn.Sequential(first, rest, nn.ReLU())
    y, pullback = model.vjp(X)
    pullback(np.ones_like(y))
    expected = [one.grad for one in model.parameters()]
    model.zero_grad()
    y, pullback = model.vjp(X, input_gradient=False)
    assert pullback(np.ones_like(y)) is None
    for one, gradient in zip(model.parameters(), expected):
        np.testing.assert_array_equal(one.grad, gradient)


def test_a_pullback_that_is_called_once_lets_go():
    model, other = small(), small()
    x = np.array(X)
    y, pullback = model.vjp(x, once=True)
    expected, again = other.vjp(X)
    np.testing.assert_array_equal(y, expected)
    seen, dy = weakref.ref(x), np.ones_like(y)
    del x
    np.testing.assert_array_equal(pullback(dy), again(dy))
    assert seen() is None
    for one, two in zip(model.parameters(), other.parameters()):
        np.testing.assert_array_equal(one.grad, two.grad)
    with pytest.raises(ValueError, match="pullback must be called once"):
        pullback(dy)
    np.testing.assert_array_equal(again(dy), other.vjp(X)[1](dy))


def test_containers_inside_let_go_too():
    main = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, rng=0), nn.BatchNorm2d(1))
    rest = nn.Sequential(nn.Conv2d(1, 1, 1, rng=1), nn.Tanh())
    blocks = (
        nn.Residual(main, activation=nn.ReLU()),
        nn.Residual(main, rest),
        nn.Residual(rest, nn.Sequential(nn.Identity()), nn.ReLU6()),
        nn.Residual(nn.Tanh()),
    )
    for block in blocks:
        model = nn.Sequential(nn.ReLU(), block, nn.Sequential(rest))
        model.zero_grad()
        y, pullback = model.vjp(X)
        dx, expected = pullback(y), [one.grad for one in model.parameters()]
        np.testing.assert_array_equal(pullback(y), dx)
        model.zero_grad()
        y, pullback = model.vjp(X, once=True)
        np.testing.assert_array_equal(pullback(y), dx)
        for one, gradient in zip(model.parameters(), expected):
            np.testing.assert_array_equal(one.grad, gradient)
        with pytest.raises(ValueError, match="pullback must be called once"):
            pullback(y)


def test_the_gradient_that_comes_is_not_changed():
    parameter, gradient = nn.Parameter(np.zeros(2)), np.ones(2)
    parameter.add_grad(gradient)
    parameter.add_grad(gradient)
    np.testing.assert_array_equal(gradient, 1)
    np.testing.assert_array_equal(parameter.grad, 2)
    with pytest.raises(ValueError, match=r"gradient must have the shape of the parameter \(2,\)"):
        parameter.add_grad(np.ones(3))
    with pytest.raises(TypeError, match="data must have a floating dtype, got int64"):
        nn.Parameter(np.arange(3))
    assert parameter.dtype == np.float64
    np.testing.assert_array_equal(np.asarray(parameter), parameter.data)


def test_modes():
    model = small()
    assert model.eval() is model
    assert not any(one.training for one in model.modules())
    before = model.state_dict()
    model(X)
    np.testing.assert_array_equal(before["1.running_mean"], model.state_dict()["1.running_mean"])
    assert model.train()[1].training
    model(X)
    assert not np.array_equal(before["1.running_mean"], model[1].running_mean)


def test_state_goes_round():
    model, other = small(), small()
    for one in model.parameters():
        one.data += 1
    state = model.state_dict()
    assert other.load_state_dict(state) == ([], [])
    np.testing.assert_array_equal(other(X), model(X))
    state["0.weight"][...] = 0  # a copy
    assert np.any(model[0].weight.data)


def test_what_does_not_fit_is_listed_and_nothing_loaded():
    model = small()
    before, state = model.state_dict(), model.state_dict()
    state["0.weight"] = state["0.weight"][:1]
    state["1.num_batches_tracked"] = np.array(0.5)
    state["4.bias"] = np.array(["a", "b", "c"])
    state["new"] = np.zeros(3)
    state["1.weight"] = np.full(2, 7.0)
    del state["0.bias"]
    with pytest.raises(ValueError, match="nothing was loaded") as caught:
        model.load_state_dict(state)
    for line in (
        "missing: 0.bias",
        "unexpected: new",
        "0.weight: shape (1, 1, 3, 3) instead of (2, 1, 3, 3)",
        "1.num_batches_tracked: dtype float64 instead of int64",
        "4.bias: dtype <U1 instead of float32",
    ):
        assert line in str(caught.value)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    with pytest.raises(ValueError, match=r"0.weight: shape") as caught:
        model.load_state_dict(state, strict=False)
    assert "missing" not in str(caught.value)
    with pytest.raises(TypeError, match="state must be a mapping"):
        model.load_state_dict([1])


def test_parts_may_be_loaded():
    model = small()
    found = model.load_state_dict({"4.bias": [1, 2, 3], "other": 0}, strict=False)
    assert len(found.missing_keys) == 8
    assert found.unexpected_keys == ["other"]
    np.testing.assert_array_equal(model[4].bias.data, [1, 2, 3])


def test_dtypes():
    model = small().to(np.float64)
    assert model(X.astype(np.float64)).dtype == np.float64
    assert model[1].running_var.dtype == np.float64
    assert model[1].num_batches_tracked.dtype == np.int64


@pytest.mark.parametrize("way", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_are_apart(way):
    model = nn.Sequential(small(), nn.Dropout(0.5, rng=3), nn.Residual(nn.ReLU()))
    other = way(model)
    np.testing.assert_array_equal(model(X), other(X))
    other[0][4].bias.data += 1
    assert not np.array_equal(model.eval()(X), other.eval()(X))


def test_containers_as_their_formulas():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 4))
    dy = np.random.default_rng(1).standard_normal((2, 3, 4, 4))
    main, around = nn.Tanh(), nn.Sigmoid()
    block = nn.Residual(main, around, nn.ReLU())
    y, pullback = block.vjp(x)
    sums = main(x) + around(x)
    np.testing.assert_allclose(y, np.maximum(sums, 0))
    np.testing.assert_array_equal(y, block(x))
    masked = dy * (sums > 0)
    expected = main.vjp(x)[1](masked) + around.vjp(x)[1](masked)
    np.testing.assert_allclose(pullback(dy), expected, rtol=1e-12)
    total, pullback = nn.Parallel(main, around, nn.Identity()).vjp(x)
    np.testing.assert_allclose(total, sums + x, rtol=1e-12)
    expected = main.vjp(x)[1](dy) + around.vjp(x)[1](dy) + dy
    np.testing.assert_allclose(pullback(dy), expected, rtol=1e-12)
    joined, pullback = nn.Concat(main, around, dim=2).vjp(x)
    np.testing.assert_array_equal(joined, np.concatenate([main(x), around(x)], 2))
    wide = np.concatenate([dy, 2 * dy], 2)
    expected = main.vjp(x)[1](dy) + around.vjp(x)[1](2 * dy)
    np.testing.assert_allclose(pullback(wide), expected, rtol=1e-12)


def test_a_unet_can_be_written():
    def level(channels, inner):
        down = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(channels, channels, 3, padding=1, rng=0))
        up = nn.ConvTranspose2d(channels, channels, 2, stride=2, rng=1)
        skip = nn.Concat(nn.Identity(), nn.Sequential(down, inner, up))
        return nn.Sequential(
            skip, nn.Conv2d(2 * channels, channels, 3, padding=1, rng=2), nn.ReLU()
        )

    model = level(3, level(3, nn.Identity()))
    x = np.ones((1, 3, 8, 8), np.float32)
    y, pullback = model.vjp(x)
    assert y.shape == pullback(y).shape == x.shape


def test_models():
    for name, count in (("lenet5", 61706), ("small_resnet", 77754), ("mobilenet", 36874)):
        model = getattr(nn.models, name)(rng=0)
        assert sum(one.data.size for one in model.parameters()) == count
        assert model.eval()(np.zeros((2, 1, 28, 28), np.float32)).shape == (2, 10)
        wide = getattr(nn.models, name)(3, 2, rng=0).eval()
        assert wide(np.zeros((1, 2, 32, 32), np.float32)).shape == (1, 3)


def test_it_is_there_without_being_imported():
    assert convx.nn is nn
    assert convx.optim.SGD.__module__ == "convx.optim.rules"
    with pytest.raises(AttributeError, match="module 'convx' has no attribute 'layers'"):
        convx.layers  # noqa: B018
