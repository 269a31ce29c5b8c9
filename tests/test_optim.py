"""Optimisers and schedules: those of PyTorch, step by step, and what is saved of them."""

import numpy as np
import pytest

import convx
from convx import nn, optim

SHAPES = [(3, 5), (70, 130), (), (0, 4)]
RULES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "betas": (0.8, 0.9), "eps": 1e-6, "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True, "maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True}),
    ("RMSprop", {}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.5, "alpha": 0.9, "maximize": True}),
]
rules = pytest.mark.parametrize(("name", "options"), RULES)


def parameters(dtype=np.float64):
    rng = np.random.default_rng(0)
    return [nn.Parameter(np.array(rng.standard_normal(shape), dtype)) for shape in SHAPES]


def gradients(steps=6, dtype=np.float64):
    rng = np.random.default_rng(1)
    for _ in range(steps):
        yield [np.array(rng.standard_normal(shape), dtype) for shape in SHAPES]


def follow(optimizer, members, all_gradients):
    for some in all_gradients:
        optimizer.zero_grad()
        for member, gradient in zip(members, some):
            member.add_grad(gradient)
        optimizer.step()


def torch_twin(torch, name, options, members):
    theirs = [torch.nn.Parameter(torch.from_numpy(one.data.copy())) for one in members]
    return theirs, getattr(torch.optim, name)(theirs, **options)


def follow_torch(torch, optimizer, members, all_gradients):
    for some in all_gradients:
        for member, gradient in zip(members, some):
            member.grad = torch.from_numpy(gradient)
        optimizer.step()


@rules
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_steps_are_pytorchs(name, options, dtype, tolerance):
    torch = pytest.importorskip("torch")
    members = parameters(dtype)
    theirs, other = torch_twin(torch, name, options, members)
    follow(getattr(optim, name)(members, **options), members, gradients(dtype=dtype))
    follow_torch(torch, other, theirs, gradients(dtype=dtype))
    for ours, their in zip(members, theirs):
        np.testing.assert_allclose(
            ours.data, their.detach().numpy(), rtol=tolerance, atol=tolerance
        )


@rules
def test_state_is_pytorchs(name, options):
    """Saved there, it goes on here; saved here, it goes on in another one here."""
    torch = pytest.importorskip("torch")
    members = parameters()
    theirs, other = torch_twin(torch, name, options, members)
    first, *rest = gradients()
    follow_torch(torch, other, theirs, [first])
    ours = getattr(optim, name)(members, lr=5.0)
    for member, their in zip(members, theirs):
        member.data[...] = their.detach().numpy()
    ours.load_state_dict(other.state_dict())
    follow(ours, members, rest[:2])
    saved = ours.state_dict()
    assert {k for one in saved["state"].values() for k in one} == {
        k for one in other.state_dict()["state"].values() for k, v in one.items() if v is not None
    }
    again = getattr(optim, name)(members)
    again.load_state_dict(saved)
    follow(again, members, rest[2:])
    follow_torch(torch, other, theirs, rest)
    for member, their in zip(members, theirs):
        np.testing.assert_allclose(member.data, their.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_what_is_saved_is_a_copy():
    members = parameters()
    optimizer = optim.Adam(members)
    follow(optimizer, members, gradients(1))
    saved = optimizer.state_dict()
    before = saved["state"][0]["exp_avg"].copy()
    follow(optimizer, members, gradients(1))
    np.testing.assert_array_equal(saved["state"][0]["exp_avg"], before)
    assert saved["param_groups"][0]["params"] == [0, 1, 2, 3]


def test_state_that_does_not_fit():
    members = parameters()
    optimizer = optim.Adam(members)
    follow(optimizer, members, gradients(1))
    saved = optimizer.state_dict()
    with pytest.raises(ValueError, match=r"groups of \[2\] parameters, got \[4\]"):
        optim.Adam(parameters()[:2]).load_state_dict(saved)
    saved["state"][1]["exp_avg"] = np.zeros(3)
    other = optim.Adam(parameters())
    with pytest.raises(ValueError, match=r"state must have exp_avg of shape \(70, 130\)"):
        other.load_state_dict(saved)
    assert not other.state


def test_groups():
    one, two = nn.Parameter(np.ones(3)), nn.Parameter(np.ones(3))
    optimizer = optim.SGD([{"params": [one]}, {"params": [two], "lr": 1.0}], lr=0.5)
    for member in (one, two):
        member.add_grad(np.ones(3))
    optimizer.step()
    np.testing.assert_array_equal(one.data, 0.5)
    np.testing.assert_array_equal(two.data, 0.0)
    assert repr(optimizer).startswith("SGD(1 parameters, lr=0.5, momentum=0.0")


def test_parameters_without_gradients_stay():
    members = parameters()
    before = [one.data.copy() for one in members]
    optimizer = optim.AdamW(members)
    optimizer.step()
    for member, data in zip(members, before):
        np.testing.assert_array_equal(member.data, data)
    assert not optimizer.state


@rules
def test_bits_do_not_depend_on_threads(name, options):
    results = []
    for threads in (1, 2):
        rng = np.random.default_rng(0)
        member = nn.Parameter(rng.standard_normal(300_001).astype(np.float32))
        optimizer = getattr(optim, name)([member], **options)
        with convx.threads(threads):
            for _ in range(2):
                optimizer.zero_grad()
                member.add_grad(rng.standard_normal(300_001).astype(np.float32))
                optimizer.step()
        results.append(member.data)
    np.testing.assert_array_equal(*results)


def test_arrays_of_any_layout():
    """A parameter is changed where it is, whatever its strides; gradients are read as they are."""
    wide = np.ones((4, 6))
    member, plain = nn.Parameter(wide.T), nn.Parameter(np.ones((6, 4)))
    gradient = np.arange(24.0).reshape(6, 4)
    read_only = np.asfortranarray(gradient).astype(">f8")
    read_only.flags.writeable = False
    follow(optim.Adam([member]), [member], [[read_only]] * 3)
    follow(optim.Adam([plain]), [plain], [[gradient]] * 3)
    np.testing.assert_array_equal(wide.T, plain.data)
    assert member.data.base is wide


def test_types_may_be_mixed():
    """Parameters of several types, none of them last, take the steps that they take alone."""
    dtypes, data = ("f4", "f8", "f4", "f8"), np.arange(1.0, 6.0)
    together = [nn.Parameter(data.astype(one)) for one in dtypes]
    alone = [nn.Parameter(data.astype(one)) for one in dtypes]
    follow(optim.Adam(together), together, [[data] * 4] * 2)
    for member in alone:
        follow(optim.Adam([member]), [member], [[data]] * 2)
    for one, other in zip(together, alone):
        np.testing.assert_array_equal(one.data, other.data)


def test_nothing_is_changed_if_one_parameter_is_refused():
    good, wrong = nn.Parameter(np.ones(3)), nn.Parameter(np.ones(3))
    good.grad, wrong.grad = np.ones(3), np.ones(4)
    with pytest.raises(ValueError, match="grad must have shape"):
        optim.SGD([good, wrong]).step()
    np.testing.assert_array_equal(good.data, 1)


@rules
def test_state_of_another_type_is_refused(name, options):
    """A parameter that was converted has a state that a step would go beyond the end of."""
    model = nn.Linear(3, 2, dtype=np.float32, rng=0)
    optimizer = getattr(optim, name)(model.parameters(), **options)
    for dtype in (np.float32, np.float64):
        model.to(dtype)
        before = model.weight.data.copy()
        for member in model.parameters():
            member.add_grad(np.ones(member.shape))
        has_state = any("step" not in key for own in optimizer.state.values() for key in own)
        if not has_state:
            optimizer.step()
            continue
        with pytest.raises(ValueError, match="state must be of its parameter's type and shape"):
            optimizer.step()
        np.testing.assert_array_equal(model.weight.data, before)


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("SGD", {"lr": -1}, ValueError, "lr must not be negative, got -1.0"),
        ("SGD", {"lr": "1"}, TypeError, "lr must be a real number"),
        ("SGD", {"momentum": -0.1}, ValueError, "momentum must not be negative"),
        ("SGD", {"nesterov": True}, ValueError, "nesterov must have a positive momentum"),
        ("Adam", {"betas": (0.9, 1.0)}, ValueError, r"betas\[1\] must be from 0 to less than 1"),
        ("Adam", {"betas": 0.9}, ValueError, "betas must be a sequence of 2 numbers, got 0.9"),
        ("Adam", {"eps": float("nan")}, ValueError, "eps must be finite"),
        ("AdamW", {"amsgrad": 1}, TypeError, "amsgrad must be True or False, got 1"),
        ("RMSprop", {"weight_decay": -1}, ValueError, "weight_decay must not be negative"),
    ],
)
def test_options_are_checked(name, options, error, message):
    with pytest.raises(error, match=message):
        getattr(optim, name)(parameters(), **options)


def test_parameters_are_checked():
    with pytest.raises(ValueError, match="params must have at least one parameter"):
        optim.SGD([])
    one = nn.Parameter(np.ones(2))
    with pytest.raises(ValueError, match="params must have every parameter once"):
        optim.SGD([one, one])
    with pytest.raises(ValueError, match=r"options of .*, got \['rate'\]"):
        optim.SGD([{"params": [one], "rate": 1}])
    fixed = np.ones(2)
    fixed.flags.writeable = False
    for data, error, message in (
        (fixed, ValueError, "parameters must be writable"),
        (np.ones(2, np.float16), TypeError, "arrays of float32 or float64, got float16"),
        (np.ones(2, ">f8"), TypeError, "byte order"),
    ):
        one = nn.Parameter(data)
        one.grad = np.ones(2)
        with pytest.raises(error, match=message):
            optim.SGD([one]).step()
    one = nn.Parameter(np.ones(2))
    one.grad = np.ones(3)
    with pytest.raises(ValueError, match=r"grad must have shape \(2,\)"):
        optim.SGD([one]).step()


SCHEDULES = [
    ("StepLR", (3,), {"gamma": 0.5}),
    ("MultiStepLR", ([2, 5],), {}),
    ("ExponentialLR", (0.9,), {}),
    ("ConstantLR", (), {"factor": 0.25, "total_iters": 4}),
    ("LinearLR", (), {}),
    ("CosineAnnealingLR", (8,), {"eta_min": 0.01}),
    ("LambdaLR", (lambda steps: 0.9**steps,), {}),
]


@pytest.mark.parametrize(("name", "given", "options"), SCHEDULES, ids=lambda one: str(one)[:20])
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_schedules_are_pytorchs(name, given, options):
    torch = pytest.importorskip("torch")
    ours = optim.SGD([{"params": parameters()[:1]}, {"params": parameters(), "lr": 2.0}], lr=0.5)
    theirs = torch.optim.SGD(
        [{"params": [torch.ones(1)]}, {"params": [torch.ones(2)], "lr": 2.0}], 0.5
    )
    schedule = getattr(optim.lr_scheduler, name)(ours, *given, **options)
    other = getattr(torch.optim.lr_scheduler, name)(theirs, *given, **options)
    for _ in range(8):
        assert schedule.get_last_lr() == pytest.approx(other.get_last_lr(), rel=1e-12, abs=1e-15)
        schedule.step()
        other.step()


@pytest.mark.parametrize("options", [{}, {"mode": "max", "threshold_mode": "abs", "cooldown": 2}])
def test_plateaus_are_pytorchs(options):
    torch = pytest.importorskip("torch")
    ours = optim.SGD(parameters()[:1], lr=0.5)
    theirs = torch.optim.SGD([torch.ones(1)], 0.5)
    given = {"factor": 0.5, "patience": 1, "min_lr": 0.02, **options}
    schedule = optim.lr_scheduler.ReduceLROnPlateau(ours, **given)
    other = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **given)
    for measure in np.random.default_rng(0).random(40):
        schedule.step(measure)
        other.step(measure)
        assert schedule.get_last_lr() == pytest.approx(other.get_last_lr(), rel=1e-12)
    with pytest.raises(ValueError, match="mode must be 'min' or 'max'"):
        optim.lr_scheduler.ReduceLROnPlateau(ours, mode="most")


def test_schedules_go_on():
    optimizer = optim.SGD(parameters()[:1], lr=0.5)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for _ in range(3):
        schedule.step()
    other = optim.SGD(parameters()[:1], lr=0.5)
    other.load_state_dict(optimizer.state_dict())
    again = optim.lr_scheduler.CosineAnnealingLR(other, 10)
    again.load_state_dict(schedule.state_dict())
    for one in (schedule, again):
        one.step()
    assert other.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"] != 0.5
