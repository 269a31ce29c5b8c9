"""Training: twenty steps as PyTorch's, and the same bits whatever runs beside it."""

import threading

import numpy as np
import pytest
from nn_cases import copied, twin

import convx
from convx import nn, optim

STEPS = 20
MODELS = {
    "lenet5": lambda dtype: nn.models.lenet5(dtype=dtype, rng=0),
    "small_resnet": lambda dtype: nn.models.small_resnet(width=4, dtype=dtype, rng=0),
    "mobilenet": lambda dtype: nn.models.mobilenet(width=4, dtype=dtype, rng=0),
}


def batches(dtype, steps=STEPS, items=6, size=20):
    rng = np.random.default_rng(1)
    for _ in range(steps):
        yield rng.standard_normal((items, 1, size, size)).astype(dtype), rng.integers(0, 10, items)


def trained(model, optimizer, steps=STEPS):
    """The losses of some steps."""
    criterion, losses = nn.CrossEntropyLoss(), []
    for x, target in batches(next(model.parameters()).dtype, steps):
        optimizer.zero_grad()
        y, pullback = model.vjp(x, input_gradient=False)
        loss, loss_pullback = criterion.vjp(y, target)
        pullback(loss_pullback(1.0))
        optimizer.step()
        losses.append(float(loss))
    return losses


def trained_by_torch(torch, model, optimizer, steps=STEPS):
    criterion, losses = torch.nn.CrossEntropyLoss(), []
    for x, target in batches(next(model.parameters()).detach().numpy().dtype, steps):
        optimizer.zero_grad()
        loss = criterion(model(torch.from_numpy(x)), torch.from_numpy(target))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-4)])
def test_twenty_steps_are_pytorchs(name, dtype, tolerance):
    """Gradients of 0 are told apart by their rounding errors in Adam, so here it is momentum."""
    torch = pytest.importorskip("torch")
    model = MODELS[name](dtype)
    other = copied(torch, model, twin(torch, model))
    options = {"lr": 0.01, "momentum": 0.9, "weight_decay": 1e-4}
    losses = trained(model, optim.SGD(model.parameters(), **options))
    expected = trained_by_torch(torch, other, torch.optim.SGD(other.parameters(), **options))
    np.testing.assert_allclose(losses, expected, rtol=0, atol=tolerance)
    assert losses[0] != losses[-1]
    for name, array in other.state_dict().items():
        np.testing.assert_allclose(
            model.state_dict()[name], array.numpy(), rtol=0, atol=tolerance, err_msg=name
        )


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-4)])
def test_twenty_steps_of_adam_are_pytorchs(dtype, tolerance):
    torch = pytest.importorskip("torch")
    model = MODELS["lenet5"](dtype)
    other = copied(torch, model, twin(torch, model))
    losses = trained(model, optim.Adam(model.parameters()))
    expected = trained_by_torch(torch, other, torch.optim.Adam(other.parameters()))
    np.testing.assert_allclose(losses, expected, rtol=0, atol=tolerance)
    for name, array in other.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], array.numpy(), rtol=0, atol=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small_resnet", "mobilenet"])
@pytest.mark.parametrize(
    ("dtype", "steps", "tolerance"), [(np.float64, STEPS, 1e-9), (np.float32, 8, 1e-4)]
)
def test_steps_at_full_width_are_pytorchs(name, dtype, steps, tolerance):
    """In float32 sooner or later a sum that is nearly 0 is rounded to the other side of a ReLU."""
    torch = pytest.importorskip("torch")
    model = getattr(nn.models, name)(dtype=dtype, rng=0)
    other = copied(torch, model, twin(torch, model))
    options = {"lr": 0.01, "momentum": 0.9, "weight_decay": 1e-4}
    losses = trained(model, optim.SGD(model.parameters(), **options), steps)
    expected = trained_by_torch(torch, other, torch.optim.SGD(other.parameters(), **options), steps)
    np.testing.assert_allclose(losses, expected, rtol=0, atol=tolerance)
    for key, array in other.state_dict().items():
        np.testing.assert_allclose(
            model.state_dict()[key], array.numpy(), rtol=0, atol=tolerance, err_msg=key
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small_resnet", "mobilenet"])
def test_twenty_steps_of_adam_at_full_width_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    model = getattr(nn.models, name)(dtype=np.float64, rng=0)
    other = copied(torch, model, twin(torch, model))
    losses = trained(model, optim.Adam(model.parameters()))
    expected = trained_by_torch(torch, other, torch.optim.Adam(other.parameters()))
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-9)
    for key, array in other.state_dict().items():
        np.testing.assert_allclose(
            model.state_dict()[key], array.numpy(), rtol=0, atol=1e-9, err_msg=key
        )


def weights_after(name, steps=4):
    model = MODELS[name](np.float32)
    trained(model, optim.Adam(model.parameters()), steps)
    return model.state_dict()


@pytest.mark.parametrize("name", MODELS)
def test_bits_do_not_depend_on_threads(name):
    with convx.threads(1):
        alone = weights_after(name)
    with convx.threads(2):
        together = weights_after(name)
    for key, array in alone.items():
        np.testing.assert_array_equal(array, together[key], err_msg=key)


def test_two_models_in_two_threads_have_their_bits():
    expected = [weights_after(name) for name in ("lenet5", "small_resnet")]
    found = [{}, {}]

    def train(place, name):
        found[place].update(weights_after(name))

    threads = [
        threading.Thread(target=train, args=(place, name))
        for place, name in enumerate(("lenet5", "small_resnet"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(expected, found):
        assert list(one) == list(other)
        for key, array in one.items():
            np.testing.assert_array_equal(array, other[key], err_msg=key)


def test_a_loss_goes_down():
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((16, 1, 14, 14)).astype(np.float32), np.arange(16) % 10
    model, criterion = nn.models.lenet5(rng=0), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        y, pullback = model.vjp(x)
        loss, loss_pullback = criterion.vjp(y, target)
        assert pullback(loss_pullback(1.0)).shape == x.shape
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("items", [1, 5])
def test_prepared_models_predict_the_same(name, items):
    model = MODELS[name](np.float64)
    trained(model, optim.SGD(model.parameters(), lr=0.05), 3)
    ready = nn.prepare(model)
    assert model.training
    (x, _), *_ = batches(np.float64, 1, items)
    np.testing.assert_allclose(ready(x), model.eval()(x), rtol=1e-9, atol=1e-10)
    before = ready(x)
    for parameter in model.parameters():
        parameter.data[...] = 0
    np.testing.assert_array_equal(ready(x), before)


def test_what_is_prepared_need_not_be_fused():
    """Layers in any order, with all that can follow a convolution, and what cannot."""
    layers = [
        nn.BatchNorm2d(2),
        nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect", bias=False, rng=0),
        nn.BatchNorm2d(4, affine=False),
        nn.LeakyReLU(0.2),
        nn.Dropout(0.5, rng=0),
        nn.Conv2d(4, 4, 1, rng=1),
        nn.BatchNorm2d(4, track_running_stats=False),
        nn.GELU(),
        nn.Residual(nn.ReLU()),
        nn.Residual(nn.Sequential(nn.Conv2d(4, 4, 1, rng=2), nn.BatchNorm2d(4)), None, nn.ELU()),
        nn.Residual(nn.Sequential(nn.Identity()), nn.Conv2d(4, 4, 1, rng=2), nn.ReLU()),
        nn.Concat(nn.Identity(), nn.Sequential(nn.MaxPool2d(2), nn.Upsample(scale_factor=2))),
        nn.Parallel(nn.Conv2d(8, 3, 1, rng=3), nn.Conv2d(8, 3, 1, rng=4)),
        nn.ConvTranspose2d(3, 2, 2, stride=2, rng=5),
        nn.BatchNorm2d(2),
        nn.Flatten(),
        nn.Linear(128, 6, rng=6),
        nn.Tanh(),
        nn.Linear(6, 2, rng=7),
        nn.Softmax(1),
    ]
    model = nn.Sequential(*layers).to(np.float64)
    x = np.random.default_rng(0).standard_normal((3, 2, 4, 4))
    model.vjp(x)
    np.testing.assert_allclose(nn.prepare(model)(x), model.eval()(x), rtol=1e-9, atol=1e-11)
    assert "PreparedConv" in repr(nn.prepare(model))
    with pytest.raises(TypeError, match="model must be a module, got int"):
        nn.prepare(3)
