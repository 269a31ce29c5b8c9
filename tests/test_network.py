"""Prepared models whose layers are run together: results, and what changes no bit of them."""

import math
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import guarded, run_in_child, run_python

import convx
from convx import nn
from convx._engine import network
from convx._engine.network import _Planning
from convx._ops import network as network_calls

DTYPES = (np.float32, np.float64)
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish, nn.LeakyReLU, nn.Sigmoid, nn.Tanh)
MODELS = {name: getattr(nn.models, name) for name in ("lenet5", "small_resnet", "mobilenet")}
CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def together(ready, x):
    """Whether the layers run together."""
    return convx.explain(ready, x).algorithm == "network"


def divided(ready, x, threads):
    """The result for an item of which so many threads compute parts, however little it is."""
    with pytest.MonkeyPatch.context() as patch, convx.threads(threads):
        patch.setattr(network_calls, "WORK_PER_THREAD", 1)
        assert convx.explain(ready, x).threads == convx.get_num_threads()
        return ready(x)


def step_by_step(ready, x):
    for step in ready.steps:
        x = step(x)
    return x


def settle(model, rng):
    """Statistics of norms that are not those of the beginning; values that keep their size."""
    for name, value in model.state_dict().items():
        if name.endswith("running_mean"):
            value[...] = 0.1 * rng.standard_normal(value.shape)
        elif name.endswith("running_var"):
            value[...] = rng.uniform(0.5, 1.5, value.shape)
        elif value.ndim > 1:
            value[...] = rng.standard_normal(value.shape) * np.sqrt(2 / value[0].size)
    return model.eval()


def tolerance(dtype):
    return {"rtol": 2e-5, "atol": 2e-5} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-13}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", MODELS)
def test_models_of_the_package_run_together(name, dtype, rng):
    model = MODELS[name](channels=3, dtype=dtype, rng=0)
    settle(model, rng)
    ready = nn.prepare(model)
    x = rng.standard_normal((19, 3, 28, 28)).astype(dtype)
    assert together(ready, x)
    y = ready(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, model(x), **tolerance(dtype))
    np.testing.assert_allclose(y, step_by_step(ready, x), **tolerance(dtype))


def random_layer(draw, axes, channels, dtype):
    """A layer that keeps sizes of 6 and more above 1, and the channels that come out."""
    kind = draw(
        st.sampled_from(("conv", "conv", "depthwise", "residual", "max", "mean", "adaptive"))
    )
    filters = draw(st.sampled_from((1, 3, 8, 16, 17, 33)))
    options = {"rng": draw(st.integers(0, 9)), "dtype": dtype}
    if kind in ("conv", "depthwise"):
        taps = draw(st.sampled_from((1, 2, 3, 3, 3, 5)))
        stride = draw(st.sampled_from((1, 1, 1, 2)))
        dilation = draw(st.sampled_from((1, 1, 2)))
        groups = channels if kind == "depthwise" else 1
        filters = channels if kind == "depthwise" else filters
        layer = CONVS[axes - 1](
            channels, filters, taps, stride, dilation * (taps // 2), dilation, groups, **options
        )
        layers = [layer]
        if draw(st.booleans()):
            layers.append(
                (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[axes - 1](filters, dtype=dtype)
            )
        if draw(st.booleans()):
            layers.append(draw(st.sampled_from(ACTIVATIONS))())
        return layers, filters
    if kind == "residual":
        main = CONVS[axes - 1](channels, channels, 3, padding=1, **options)
        around = None
        if draw(st.booleans()):
            around = CONVS[axes - 1](channels, channels, 1, **options)
        return [nn.Residual(main, around, draw(st.sampled_from((None, nn.ReLU()))))], channels
    if kind == "adaptive":
        sort = draw(st.sampled_from(("Avg", "Max")))
        return [getattr(nn, f"Adaptive{sort}Pool{axes}d")(draw(st.integers(3, 5)))], channels
    options = {"padding": draw(st.integers(0, 1)), "ceil_mode": draw(st.booleans())}
    if kind == "mean":
        options["count_include_pad"] = draw(st.booleans())
    sort = "Max" if kind == "max" else "Avg"
    layer = getattr(nn, f"{sort}Pool{axes}d")(
        draw(st.integers(2, 3)), draw(st.integers(1, 2)), **options
    )
    return [layer], channels


@st.composite
def models(draw):
    """A model, and the shape of its input."""
    dtype = draw(st.sampled_from(DTYPES))
    axes = draw(st.integers(1, 3))
    first = channels = draw(st.sampled_from((1, 2, 3, 16, 20)))
    size = tuple(draw(st.integers(7, (40, 17, 8)[axes - 1])) for _ in range(axes))
    filters = draw(st.sampled_from((1, 5, 16, 24)))
    layers = [CONVS[axes - 1](channels, filters, 3, padding=1, rng=0, dtype=dtype)]
    channels = filters
    for _ in range(draw(st.integers(0, 4))):
        more, channels = random_layer(draw, axes, channels, dtype)
        layers += more
    if draw(st.booleans()):
        layers.append(nn.Flatten())
        try:
            features = nn.Sequential(*layers).eval()(np.zeros((1, first, *size), dtype)).shape[1]
        except ValueError:  # a window does not fit
            features = 1
        layers.append(nn.Linear(features, draw(st.sampled_from((1, 10, 90))), rng=1, dtype=dtype))
        if draw(st.booleans()):
            layers += [draw(st.sampled_from(ACTIVATIONS))(), nn.Dropout()]
    return nn.Sequential(*layers), (draw(st.integers(1, 5)), first, *size), dtype


@settings(max_examples=120, deadline=None)
@given(models(), st.integers(0, 2**32 - 1))
def test_random_models(drawn, seed):
    model, shape, dtype = drawn
    rng = np.random.default_rng(seed)
    settle(model, rng)
    ready = nn.prepare(model)
    x = rng.standard_normal(shape).astype(dtype)
    try:
        expected = model(x)
    except ValueError:
        with pytest.raises(ValueError, match="must"):
            ready(x)
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "MOST_WEIGHTS", math.inf)
        patch.setattr(network, "LEAST_FILLED", 0)
        patch.setattr(network, "LEAST_WEIGHTED", 1)
        assert together(ready, x)
    y = ready(x)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, **tolerance(dtype))
    leave_nan_in_scratch_memory()
    one = ready(x[:1])
    assert one.tobytes() == y[:1].tobytes()
    for threads in (2, 3):
        leave_nan_in_scratch_memory()
        assert divided(ready, x[:1], threads).tobytes() == one.tobytes()


FILLER = nn.prepare(nn.models.small_resnet(rng=0))


def leave_nan_in_scratch_memory():
    with np.errstate(invalid="ignore"):
        assert np.isnan(FILLER(np.full((3, 1, 28, 28), np.nan, np.float32))).all()


@pytest.mark.skipif(sys.platform != "linux", reason="pages are protected by mprotect")
@pytest.mark.parametrize("side", ["after", "before"])
def test_inputs_between_forbidden_pages(side, rng):
    def run():
        for name, build in MODELS.items():
            ready = nn.prepare(settle(build(channels=18, rng=0), rng))
            for items in (1, 3):
                x = rng.standard_normal((items, 18, 25, 19)).astype(np.float32)
                assert ready(guarded(x, side)).tobytes() == ready(x).tobytes(), name
            one = guarded(x[:1], side)
            assert divided(ready, one, 2).tobytes() == ready(x[:1]).tobytes(), name
        return "done"

    assert run_in_child(run).value == "done"


@settings(max_examples=120, deadline=None)
@given(models())
def test_plans_stay_in_their_maps(drawn):
    """Nothing is read or written that is not an item's place in a map, with its border."""
    model, shape, dtype = drawn
    (stretch,) = nn.prepare(model.eval())._in_turn.stretches
    layers = stretch.network._layers
    try:
        planning = _Planning(layers, shape[1:], np.dtype(dtype))
        planning.network()
    except (ValueError, network.NotPlanned):
        return
    lanes = planning.lanes
    for task in planning.tasks:
        step = planning._step(task)
        source, target = task.source, task.target
        reads, writes = np.zeros(1, int), np.zeros(1, int)
        blocks = source.of_channels() if task.kind == "product" else np.zeros(1, int)
        if task.kind == "points":
            corner = 5 * source.pitches[0] + 5 * lanes
            reads = step.tiles[:, 0] + np.array([[0], [corner]])
            writes = step.tiles[:, 1] + (step.tiles[:, 3] - 1) * target.pitches[0]
            writes = writes + (step.tiles[:, 4] - 1) * lanes
        elif task.layer.kind == "linear":
            reads = step.offsets - blocks.max()
        else:
            along = (
                np.arange(step.length) * step.in_step if step.first is None else np.zeros(1, int)
            )
            places = np.add.outer(step.lines[:, 0], along).reshape(-1)
            reads = np.add.outer(places, step.offsets).reshape(-1)
            if task.kind == "product":
                reads = reads % source.block if not source.has_border else reads - blocks.max()
            writes = np.add.outer(step.lines[:, 1], np.arange(step.length) * lanes).reshape(-1)
        assert reads.max() < source.plane
        if task.kind != "product":
            assert reads.min() >= 0
        assert writes.min() >= 0
        assert writes.max() + lanes <= target.plane
        if task.kind != "points":
            assert len(np.unique(writes)) == math.prod(target.sizes)


@pytest.mark.parametrize("name", MODELS)
def test_bits_are_those_of_any_batch_and_any_threads(name, rng):
    model = MODELS[name](rng=0)
    settle(model, rng)
    ready = nn.prepare(model)
    x = rng.standard_normal((37, 1, 28, 28)).astype(np.float32)
    with convx.threads(1):
        y = ready(x)
        for start, end in ((0, 1), (3, 5), (20, 37)):
            assert ready(x[start:end]).tobytes() == y[start:end].tobytes()
    for threads in (2, 3, 5):
        with convx.threads(threads):
            assert ready(x).tobytes() == y.tobytes()
        for item in range(37):
            one = divided(ready, x[item : item + 1], threads)
            assert one.tobytes() == y[item : item + 1].tobytes()
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(ready, [x] * 6):
            assert found.tobytes() == y.tobytes()
        for item, found in enumerate(pool.map(ready, np.split(x, 37))):
            assert found.tobytes() == y[item : item + 1].tobytes()


ON_ANOTHER_ISA = """
import hashlib, sys
import numpy as np
from convx import nn
from test_network import MODELS, settle

rng = np.random.default_rng(0)
digest = hashlib.sha256()
for build in MODELS.values():
    model = settle(build(rng=0), rng)
    digest.update(nn.prepare(model)(rng.standard_normal((3, 1, 28, 28)).astype("f4")).tobytes())
print(digest.hexdigest())
"""


def test_instruction_sets_with_fused_products_give_the_same_bits():
    fused = [isa for isa in convx.show_config("dicts")["machine"]["isa found"] if isa != "baseline"]
    assert len({run_python(ON_ANOTHER_ISA, CONVX_ISA=isa) for isa in fused}) <= 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_item(bad, rng):
    model = settle(nn.models.small_resnet(rng=0), rng)
    ready = nn.prepare(model)
    x = rng.standard_normal((6, 1, 28, 28)).astype(np.float32)
    y = ready(x)
    x[2, 0, 3, 27] = bad
    found = ready(x)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found[2:3], step_by_step(ready, x[2:3]), rtol=1e-5)
    others = [0, 1, 3, 4, 5]
    assert found[others].tobytes() == y[others].tobytes()
    for _ in range(20):  # whichever thread meets it
        assert divided(ready, x[2:3], 2).tobytes() == found[2:3].tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_maxima_and_products_of_what_is_not_finite(dtype, rng):
    """NaN is the maximum; nothing is multiplied that a kernel does not reach."""
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1, rng=0, dtype=dtype),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(12, 16, 3, rng=0, dtype=dtype),
    )
    ready = nn.prepare(model)
    x = rng.standard_normal((2, 1, 12, 12)).astype(dtype)
    x[0, 0, 4, 4], x[0, 0, 9, 1], x[1, 0, 0, 0] = np.nan, np.inf, -np.inf
    assert together(ready, x)
    found, expected = ready(x), model.eval()(x)
    assert np.isnan(found).any()
    np.testing.assert_allclose(found, expected, **tolerance(dtype))


def test_inputs_of_other_kinds_take_the_steps(rng):
    model = settle(nn.models.lenet5(rng=0), rng)
    ready = nn.prepare(model)
    x = rng.standard_normal((3, 1, 28, 28)).astype(np.float32)
    y = ready(x)
    x.flags.writeable = False
    assert together(ready, x)
    assert ready(x).tobytes() == y.tobytes()
    spread = np.zeros((3, 2, 28, 57), np.float32)
    spread[:, 1:, :, 1::2] = x
    for same in (x[::-1].copy()[::-1], x.astype(">f4"), spread[:, 1:, :, 1::2]):
        assert together(ready, same)
        assert ready(same).tobytes() == y.tobytes()
    for other in (x.astype(np.float64), x.tolist()):
        np.testing.assert_allclose(ready(other), y, rtol=1e-5, atol=1e-6)
    assert ready(x.astype(np.float64)).dtype == np.float64
    assert ready(x[:0]).shape == (0, 10)
    assert not together(ready, x.astype(np.float64))
    with pytest.raises(ValueError, match="channels"):
        ready(np.zeros((2, 3, 28, 28), np.float32))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(2, 16, 3, padding=1, padding_mode="reflect", rng=0),
        nn.Conv2d(2, 16, 3, groups=2, rng=0),
        nn.ConvTranspose2d(2, 4, 3, rng=0),
        nn.LPPool2d(2, 2),
        nn.Flatten(2),
        nn.Residual(nn.MaxPool2d(1)),
        nn.Sequential(nn.Conv2d(2, 16, 3, rng=0), nn.GELU()),
        nn.Sequential(nn.Conv2d(2, 16, 3, rng=0, dtype=np.float16)),
        nn.Sequential(nn.Conv2d(2, 16, 3, rng=0), nn.Conv2d(16, 16, 3, rng=0, dtype=np.float64)),
        nn.Sequential(nn.Conv2d(2, 900, 3, padding=1, rng=0)),
        nn.Sequential(nn.Conv2d(2, 4, 3, rng=0)),
        nn.Linear(8, 3, rng=0),
        nn.Identity(),
    ],
    ids=repr,
)
def test_what_has_no_kernel_takes_the_steps(layer, rng):
    """Among them what is too large, and filters that leave most lanes idle."""
    ready = nn.prepare(layer)
    x = rng.standard_normal((2, 2, 30, 8)).astype(np.float32)
    if "900" in repr(layer):
        x = rng.standard_normal((1, 2, 40, 40)).astype(np.float32)
    assert not together(ready, x)
    np.testing.assert_allclose(ready(x), layer.eval()(x), rtol=1e-5, atol=1e-6)


def test_stretches_of_layers_run_together(rng):
    """What has no kernel parts them, in branches too."""

    def block(channels, filters):
        conv = nn.Conv2d(channels, filters, 3, padding=1, rng=0)
        return nn.Sequential(conv, nn.ReLU(), nn.Conv2d(filters, filters, 1, rng=1), nn.ReLU())

    inside = nn.Sequential(nn.MaxPool2d(2), block(16, 32), nn.Upsample(scale_factor=2))
    model = nn.Sequential(block(3, 16), nn.GELU(), nn.Concat(nn.Identity(), inside), block(48, 16))
    ready = nn.prepare(model)
    x = rng.standard_normal((3, 3, 12, 12)).astype(np.float32)
    assert convx.explain(ready, x).algorithm == "network"
    np.testing.assert_allclose(ready(x), model.eval()(x), rtol=1e-5, atol=1e-5)


def test_explanations_count_the_work(rng):
    ready = nn.prepare(nn.models.lenet5(rng=0))
    x = rng.standard_normal((4, 1, 28, 28)).astype(np.float32)
    told = convx.explain(ready, x)
    assert told.output_shape == (4, 10)
    multiply_adds = 6 * 25 * 784 + 16 * 150 * 100 + 400 * 120 + 120 * 84 + 84 * 10
    assert told.flops == 2 * 4 * multiply_adds
    assert told.workspace_bytes > 0


def test_a_single_item_is_divided_where_there_is_work_enough(rng):
    x = rng.standard_normal((1, 1, 28, 28)).astype(np.float32)
    with convx.threads(2):
        most = convx.get_num_threads()
        told = {name: convx.explain(nn.prepare(build(rng=0)), x) for name, build in MODELS.items()}
    assert {name: one.threads for name, one in told.items()} == {
        "lenet5": 1,
        "small_resnet": most,
        "mobilenet": most,
    }
