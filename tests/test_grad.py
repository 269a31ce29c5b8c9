"""Gradients against the reference, PyTorch, numerical differentiation, and the adjoint identity."""

from functools import partial

import numpy as np
import pytest
from hypothesis import strategies as st
from support import DTYPES, MODES, Case, check, convolutions, randomly, small_integers, values

import convx
from convx import functional as F
from convx import grad, reference
from convx._core import _driver
from convx._engine import execution, machine

dtypes = st.sampled_from(DTYPES)


def gradient_of_output(case, dtype, make=values):
    """A random gradient for the output of a case."""
    forward = reference.conv_transpose_nd if case.transposed else reference.conv_nd
    x, w, _ = case.arrays(dtype, make)
    shape = forward(x, w, **case.all_options).shape
    return make(np.random.default_rng(case.seed + 1), shape, dtype)


def check_gradients(case, dtype):
    name = "conv_transpose_nd" if case.transposed else "conv_nd"
    oracle = getattr(reference, f"{name}_grad")
    arrays = (gradient_of_output(case, dtype), *case.arrays(dtype))
    check(getattr(grad, name), oracle, arrays, case.all_options, dtype)


@randomly(150, case=convolutions(), dtype=dtypes)
def test_any_convolution(case, dtype):
    check_gradients(case, dtype)


@randomly(150, case=convolutions(transposed=True), dtype=dtypes)
def test_any_transposed_convolution(case, dtype):
    check_gradients(case, dtype)


@randomly(50, case=convolutions(), dtype=dtypes)
def test_input_and_weight_alone(case, dtype):
    x, w, _ = case.arrays(dtype)
    y, options = gradient_of_output(case, dtype), case.all_options
    names = ["conv_nd_input", "conv_nd_weight"]
    if len(case.size) <= 3:
        names += [name.replace("_nd", f"{len(case.size)}d") for name in names]
    for name in names:
        oracle = getattr(reference, name[:4] + "_nd" + name[name.rindex("_") :])
        arrays = (x.shape, w, y) if name.endswith("input") else (x, w.shape, y)
        check(getattr(grad, name), oracle, arrays, options, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "complex128"])
def test_sums_of_weights_in_parts(dtype):
    rng = np.random.default_rng(3)
    x, y = small_integers(rng, (3, 7, 40, 40), dtype), small_integers(rng, (3, 61, 38, 38), dtype)
    expected = reference.conv_nd_weight(x, (61, 7, 3, 3), y)
    for threads in (1, 2, 3):
        with convx.threads(threads):
            found = grad.conv2d_weight(x, (61, 7, 3, 3), y, algorithm="direct")
            np.testing.assert_array_equal(found, expected)
    told = convx.explain(grad.conv2d_weight, x, (61, 7, 3, 3), y, algorithm="direct")
    assert told.workspace_bytes > 2 * expected.nbytes


DEPTHWISE = {
    "3×3": ((3, 3), {"padding": 1}),
    "5×5": ((5, 5), {"padding": 2}),
    "strided": ((3, 3), {"stride": 2, "padding": 1}),
    "strided and dilated": ((3, 2), {"stride": (3, 2), "dilation": 2}),
    "far apart": ((2, 2), {"stride": 5, "dilation": 7, "padding": 4}),
    "wrapped around": ((4, 3), {"padding": 3, "padding_mode": "circular"}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("name", DEPTHWISE)
def test_depthwise(name, dtype):
    """Few groups and many, more than a vector's lanes, planes smaller and larger than a box."""
    kernel, options = DEPTHWISE[name]
    for size, groups, filters in (
        ((8, 9), 2, 1),
        ((14, 14), 21, 1),
        ((9, 40), 33, 2),
        ((45, 50), 17, 1),
    ):
        case = Case(size, kernel, batch=2, groups=groups, filters=filters, options=options)
        check_gradients(case, dtype)


def test_depthwise_without_phases():
    """The only tap falls on the padding: no input is reached."""
    options = {"stride": 2, "padding": (0, 1)}
    check_gradients(Case((2, 1), (2, 1), groups=33, options=options), "float32")


PHASES = {
    "of rows": ((30, 41), (3, 3), {"stride": (1, 2)}),
    "of lines": ((30, 41), (4, 3), {"stride": (2, 1), "padding": 1}),
    "many": ((23, 26), (5, 5), {"stride": (4, 3), "padding": 2}),
    "some without taps": ((20, 21), (2, 2), {"stride": 3}),
    "of three axes": ((5, 9, 20), (3, 2, 3), {"stride": 2, "padding": 1}),
    "several boxes": ((70, 90), (3, 3), {"stride": 2, "padding": 1}),
    "a single output": ((3, 2), (3, 2), {"stride": 2}),
}


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("name", PHASES)
def test_depthwise_phases(name, transposed):
    """Output phases with groups as lanes, of one filter or several."""
    size, kernel, options = PHASES[name]
    for groups, filters in ((33, 1), (17, 2)):
        case = Case(
            size,
            kernel,
            batch=2,
            groups=groups,
            filters=filters,
            transposed=transposed,
            options=options,
        )
        check_gradients(case, "float32")


def test_depthwise_of_any_layout(rng):
    """What may be read beside a row depends on the strides: here there is nothing to read."""
    x, w = values(rng, (2, 20, 12, 30), "float32"), values(rng, (20, 1, 3, 3), "float32")
    dy = values(rng, (2, 20, 10, 28), "float32")
    expected = grad.conv2d_weight(x, w.shape, dy, groups=20)
    forward = F.conv2d(x, w, groups=20)
    layouts = {
        "reversed": x[:, :, ::-1].copy()[:, :, ::-1],
        "channels last": np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1),
        "rows first": x.transpose(2, 0, 1, 3).copy().transpose(1, 2, 0, 3),
        "part of a larger array": np.pad(x, 3)[3:-3, 3:-3, 3:-3, 3:-3],
    }
    for name, array in layouts.items():
        np.testing.assert_array_equal(array, x, name)
        np.testing.assert_array_equal(F.conv2d(array, w, groups=20), forward, name)
        found = grad.conv2d_weight(array, w.shape, dy, groups=20)
        np.testing.assert_array_equal(found, expected, name)


BIG = {
    "layer": Case((28, 28), (3, 3), batch=2, channels=40, filters=33, options={"padding": 1}),
    "wide rows": Case((4, 1030), (3, 3), channels=3, filters=5, options={"padding": 1}),
    "long line": Case((20_000,), (5,), channels=2, filters=3),
    "many boxes": Case((120, 130), (3, 3), batch=2, channels=4, filters=20),
    "many taps": Case((60, 60), (30, 31), channels=2, filters=3),
    "long kernel": Case((900,), (700,), channels=2, filters=3, options={"padding": 500}),
    "pointwise": Case((30, 30), (1, 1), batch=2, channels=70, filters=70),
    "many filters": Case((6, 6), (3, 3), channels=3, filters=700),
    "many channels": Case((6, 6), (3, 3), channels=500, filters=9),
    "big batch": Case((5, 5), (3, 3), batch=50, channels=8, filters=30, options={"padding": 1}),
    "depthwise": Case((40, 60), (3, 3), groups=50, options={"padding": 1}),
    "groups": Case((20, 20), (3, 3), groups=8, channels=20, filters=18, options={"padding": 1}),
    "strided": Case((60, 61), (3, 3), channels=20, filters=18, options={"stride": 2}),
    "stride beyond the kernel": Case((90, 90), (2, 3), filters=4, options={"stride": (31, 40)}),
    "dilation beyond the input": Case((9, 9), (3, 3), options={"dilation": 50, "padding": 60}),
    "volume": Case((9, 10, 30), (3, 3, 3), channels=4, filters=14, options={"stride": 2}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "complex64"])
@pytest.mark.parametrize("name", BIG)
def test_big(name, dtype):
    check_gradients(BIG[name], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_every_count_of_channels_and_filters(dtype):
    for count in (*range(1, 41), 64, 65):
        case = Case((7, 9), (2, 3), channels=count, filters=3, seed=count)
        check_gradients(case.with_options(padding=1), dtype)
        case = Case((7, 9), (2, 3), channels=3, filters=count, seed=count)
        check_gradients(case.with_options(stride=2), dtype)


# Rows of outputs that fill vectors, exactly or nearly: positions are lanes there.
LONG_ROWS = {
    "pointwise": Case((41, 25), (1, 1), batch=2, channels=9, filters=23),
    "whole vectors": Case((12, 64), (3, 3), channels=3, filters=8, options={"padding": 1}),
    "strided": Case((19, 125), (5, 5), batch=2, channels=2, filters=7, options={"stride": 2}),
    "boxes of rows": Case((40, 126), (3, 2), channels=2, filters=13, options={"padding": 1}),
    "groups": Case((9, 63), (3, 3), groups=3, channels=2, filters=5),
    "far apart": Case((3000,), (2,), channels=5, filters=11, options={"dilation": 512}),
    "one of each": Case((50, 127), (3, 3), batch=3),
    "volume": Case((5, 6, 62), (3, 3, 3), channels=3, filters=4, options={"padding": 1}),
    "wrapped around": Case(
        (20, 48), (3, 3), channels=2, filters=5, options={"padding": 1, "padding_mode": "circular"}
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "complex64"])
@pytest.mark.parametrize("name", LONG_ROWS)
def test_long_rows(name, dtype):
    case = LONG_ROWS[name]
    arrays = (gradient_of_output(case, dtype), *case.arrays(dtype))
    direct = partial(grad.conv_nd, algorithm="direct")
    check(direct, reference.conv_nd_grad, arrays, case.all_options, dtype)


@pytest.mark.parametrize("name", LONG_ROWS)
def test_long_rows_take_positions_as_lanes(name):
    case = LONG_ROWS[name]
    x, w, _ = case.arrays("float32")
    dy = gradient_of_output(case, "float32")
    with execution.recording() as programs:
        grad.conv_nd_weight(x, w.shape, dy, algorithm="direct", **case.all_options)
    assert programs[0].plan.passes[0].position_lanes


# Small planes: several items are summed together, rows may be filled with the gaps between them.
SMALL_PLANES = {
    "7×7": Case((7, 7), (3, 3), batch=7, channels=5, filters=29, options={"padding": 1}),
    "pointwise": Case((7, 7), (1, 1), batch=6, channels=33, filters=15),
    "strided": Case((13, 9), (3, 2), batch=5, channels=18, filters=30, options={"stride": 2}),
    "dilated": Case((10, 11), (2, 3), batch=9, channels=6, filters=17, options={"dilation": 2}),
    "groups": Case((6, 5), (3, 3), batch=11, groups=3, channels=4, filters=16),
    "one column": Case((40, 1), (3, 1), batch=8, channels=17, filters=31),
    "volume": Case((3, 4, 5), (2, 2, 2), batch=13, channels=5, filters=14),
    "reflected": Case((7, 5), (3, 3), batch=6, channels=5, filters=16).with_options(
        padding=1, padding_mode="reflect"
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("name", SMALL_PLANES)
def test_small_planes(name, dtype):
    case = SMALL_PLANES[name]
    arrays = (gradient_of_output(case, dtype), *case.arrays(dtype))
    direct = partial(grad.conv_nd, algorithm="direct")
    check(direct, reference.conv_nd_grad, arrays, case.all_options, dtype)


@pytest.mark.parametrize("name", SMALL_PLANES)
def test_small_planes_are_summed_together(name):
    case = SMALL_PLANES[name]
    x, w, _ = case.arrays("float32")
    dy = gradient_of_output(case, "float32")
    with execution.recording() as programs:
        grad.conv_nd_weight(x, w.shape, dy, algorithm="direct", **case.all_options)
    assert programs[0].plan.passes[0].boxes_together > 1


# One tap: columns are read from the input, and filters that are lanes from the weights.
POINTWISE = {
    "a vector": Case((2, 8), (1, 1), batch=2, channels=40, filters=129),
    "more than vectors": Case((7, 9), (1, 1), batch=3, channels=64, filters=150),
    "several boxes": Case((17, 17), (1, 1), batch=2, channels=130, filters=131),
    "several steps": Case((14, 14), (1, 1), channels=32, filters=1030),
    "groups": Case((5, 7), (1, 1), batch=2, groups=2, channels=64, filters=130),
    "a line": Case((100,), (1,), batch=3, channels=96, filters=140),
    "every other": Case((19, 57), (1, 1), batch=3, channels=70, filters=93, options={"stride": 2}),
    "every other, groups": Case(
        (5, 34), (1, 1), batch=2, groups=2, channels=40, filters=31, options={"stride": (3, 2)}
    ),
    "weights in one cache set": Case((7, 7), (1, 1), batch=2, channels=1024, filters=130),
    "weights in one cache set, many": Case((7, 7), (1, 1), batch=6, channels=1024, filters=130),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("name", POINTWISE)
def test_pointwise(name, dtype):
    case = POINTWISE[name]
    arrays = (gradient_of_output(case, dtype), *case.arrays(dtype))
    direct = partial(grad.conv_nd, algorithm="direct")
    check(direct, reference.conv_nd_grad, arrays, case.all_options, dtype)


@pytest.mark.parametrize("name", POINTWISE)
def test_pointwise_reads_operands_where_they_are(name):
    case = POINTWISE[name]
    x, w, _ = case.arrays("float32")
    dy = gradient_of_output(case, "float32")
    with execution.recording() as programs:
        grad.conv_nd_weight(x, w.shape, dy, **case.all_options)
        grad.conv_nd_input(x.shape, w, dy, **case.all_options)
    of_weight, of_input = (program.plan.passes[0] for program in programs)
    assert of_weight.in_place
    filters_are_lanes = _driver.register_block(machine.ISA, "float32")[2] >= 14
    few = not name.endswith(("boxes", "many")) and case.channels % 32 == 0
    assert (of_input.strided and of_input.filter_vectors > 0) == (few and filters_are_lanes)


@pytest.mark.parametrize("name", ["planes in one cache set", "less than a vector", "strided"])
def test_pointwise_copies_what_it_cannot_read(name):
    size, stride = {"p": ((32, 32), 1), "l": ((1, 3), 1), "s": ((20, 21), 3)}[name[0]]
    case = Case(size, (1, 1), batch=2, channels=20, filters=30, options={"stride": stride})
    arrays = (gradient_of_output(case, "float32"), *case.arrays("float32"))
    with execution.recording() as programs:
        grad.conv_nd_weight(arrays[1], arrays[2].shape, arrays[0], **case.all_options)
    assert not programs[0].plan.passes[0].in_place
    check(grad.conv_nd, reference.conv_nd_grad, arrays, case.all_options, "float32")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_every_other_output(dtype):
    """Rows of up to some vectors, whose ends are stored in whole vectors too."""
    for columns in (*range(1, 20), *range(30, 36), 64, 65, 66, 97):
        case = Case((5, columns), (1, 1), channels=3, filters=30, options={"stride": 2})
        check_gradients(case, dtype)
        case = Case((4, columns), (2, 3), channels=30, filters=6, options={"stride": 2})
        check_gradients(case.with_options(padding=1), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_in_one_cache_set(dtype):
    """Gradients of planes that are 4096 bytes apart, or a multiple, are packed."""
    case = Case((32, 32), (3, 3), batch=2, channels=7, filters=40, options={"padding": 1})
    arrays = (gradient_of_output(case, dtype), *case.arrays(dtype))
    direct = partial(grad.conv_nd, algorithm="direct")
    check(direct, reference.conv_nd_grad, arrays, case.all_options, dtype)


@pytest.mark.parametrize("place", [0, 20, 24])
def test_rows_do_not_mix_what_is_not_finite(place, rng):
    """A row of 21 outputs is read in two vectors, the second of which runs into the next row."""
    x, dy = values(rng, (1, 2, 6, 25), "float32"), values(rng, (1, 3, 6, 21), "float32")
    x[0, 1, 3, place] = np.inf
    found = grad.conv2d_weight(x, (3, 2, 1, 5), dy, algorithm="direct")
    expected = reference.conv_nd_weight(x, (3, 2, 1, 5), dy)
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
    assert 0 < np.isfinite(found).sum() < found.size


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(1,), (2,), (3, 1), (1, 1, 2)], ids=str)
def test_padding_much_wider_than_the_array(size, mode):
    rank = len(size)
    case = Case(size, (3,) * rank, batch=2, channels=2, filters=3)
    check_gradients(case.with_options(padding=((7, 11),) * rank, padding_mode=mode), "float64")


# PyTorch


def torch_gradients(function, arrays, dy, options):
    torch = pytest.importorskip("torch")
    tensors = [None if a is None else torch.from_numpy(a).requires_grad_() for a in arrays]
    y = function(*tensors, **options)
    wanted = [tensor for tensor in tensors if tensor is not None]
    found = list(torch.autograd.grad(y, wanted, torch.from_numpy(dy)))
    return [None if tensor is None else found.pop(0).numpy() for tensor in tensors]


of_torch = {"ranks": (1, 2, 3), "paddings": ("integers",), "modes": st.just("zeros")}


@randomly(40, case=convolutions(**of_torch) | convolutions(transposed=True, **of_torch))
def test_torch(case):
    torch = pytest.importorskip("torch")
    name = f"conv{'_transpose' if case.transposed else ''}{len(case.size)}d"
    arrays, dy = case.arrays("float64"), gradient_of_output(case, "float64")
    options = {k: v for k, v in case.all_options.items() if k != "padding_mode"}
    expected = torch_gradients(getattr(torch.nn.functional, name), arrays, dy, options)
    for one, exactly in zip(getattr(grad, name)(dy, *arrays, **options), expected, strict=True):
        if exactly is None:
            assert one is None
        else:
            scale = np.abs(exactly).max(initial=1)
            np.testing.assert_allclose(one, exactly, rtol=1e-10, atol=1e-12 * scale)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_torch_grad_has_the_same_arguments(rank, rng):
    torch = pytest.importorskip("torch")
    x, w = values(rng, (2, 4, *(7,) * rank)), values(rng, (6, 2, *(3,) * rank))
    options = (2, 1, 1, 2)  # stride, padding, dilation, groups
    dy = values(rng, F.conv_nd(x, w, None, *options).shape)
    for name, arrays in (("input", (x.shape, w, dy)), ("weight", (x, w.shape, dy))):
        function = getattr(torch.nn.grad, f"conv{rank}d_{name}")
        tensors = [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arrays]
        result = getattr(grad, f"conv{rank}d_{name}")(*arrays, *options)
        expected = function(*tensors, *options).numpy()
        np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-12)


# What a gradient is


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("transposed", [False, True])
def test_numerical_differentiation(transposed, mode, rng):
    """The maps are linear in each array, so a central difference is exact but for rounding."""
    options = {"stride": (2, 1), "padding": ((1, 2), (0, 3)), "dilation": (1, 2), "groups": 2}
    options["padding_mode"] = mode
    arrays = [values(rng, (2, 4, 6, 7)), values(rng, (4, 3, 3, 2)), values(rng, (6,))]
    if not transposed:
        arrays[1] = values(rng, (6, 2, 3, 2))
    name = "conv_transpose2d" if transposed else "conv2d"
    function = getattr(F, name)
    dy = values(rng, function(*arrays, **options).shape)
    gradients = getattr(grad, name)(dy, *arrays, **options)
    for place, gradient in enumerate(gradients):
        direction = values(rng, gradient.shape)

        def along(step, place=place, direction=direction):
            moved = list(arrays)
            moved[place] = moved[place] + step * direction
            return (function(*moved, **options) * dy).sum()

        slope = (along(1.0) - along(-1.0)) / 2
        np.testing.assert_allclose(slope, (gradient * direction).sum(), rtol=1e-10, atol=1e-10)


@randomly(80, case=convolutions(), dtype=st.sampled_from(["float32", "float64", "int64"]))
def test_adjoint_identity(case, dtype):
    """<conv(x, w), y> == <x, conv_input(w, y)> == <w, conv_weight(x, y)>, to the last bit."""
    x, w, _ = case.arrays(dtype, small_integers)
    y = gradient_of_output(case, dtype, small_integers)
    options = {**case.all_options, "algorithm": "direct"}

    def inner(a, b):
        assert a.shape == b.shape
        return (a.astype("float64") * b.astype("float64")).sum()

    product = inner(F.conv_nd(x, w, **options), y)
    assert product == inner(x, grad.conv_nd_input(x.shape, w, y, **options))
    assert product == inner(w, grad.conv_nd_weight(x, w.shape, y, **options))


@randomly(60, case=convolutions(transposed=True))
def test_transposed_convolution_is_the_adjoint(case):
    """<conv_transpose(x), y> == <x, conv(y)>, where the last positions of conv may be too many."""
    x, w, _ = case.arrays("float64", small_integers)
    y = gradient_of_output(case, "float64", small_integers)
    options = {**case.all_options, "algorithm": "direct"}
    product = (F.conv_transpose_nd(x, w, **options) * y).sum()
    del options["output_padding"]
    back = F.conv_nd(y, w, **options)[(..., *map(slice, case.size))]
    assert product == (x * back).sum()


def test_bias_is_not_asked_for(rng):
    x, w, dy = values(rng, (1, 2, 5)), values(rng, (3, 2, 2)), values(rng, (1, 3, 4))
    assert grad.conv1d(dy, x, w)[2] is None
    assert grad.conv_transpose1d(x, dy[..., :4], w)[2] is None


@pytest.mark.parametrize("dtype", ["float32", "float16", "complex64", "int8"])
@pytest.mark.parametrize("channels", [2, 40])
def test_no_items(channels, dtype):
    """Sums over no items are zero, whatever memory held before."""
    x, w, dy = (
        np.zeros(s, dtype) for s in [(0, channels, 8, 8), (32, channels, 3, 3), (0, 32, 6, 6)]
    )
    for _ in range(3):
        np.full(w.shape, 7, dtype)  # memory to be used again
        dx, dw, db = grad.conv2d(dy, x, w, np.zeros(32, dtype))
        assert dx.shape == x.shape
        np.testing.assert_array_equal(dw, np.zeros_like(w))
        np.testing.assert_array_equal(db, np.zeros(32, dtype))
        np.full(w.shape, 7, dtype)
        dx, dw, _ = grad.conv_transpose2d(x, dy, w)
        assert dx.shape == dy.shape
        np.testing.assert_array_equal(dw, np.zeros_like(w))


def test_no_input_channels():
    x, w, dy = np.zeros((2, 0, 5)), np.zeros((3, 0, 2)), np.ones((2, 3, 4))
    dx, dw, db = grad.conv1d(dy, x, w, np.zeros(3))
    assert (dx.shape, dw.shape) == (x.shape, w.shape)
    np.testing.assert_array_equal(db, [8, 8, 8])


def test_float16_sums_are_rounded_once():
    """Sums that float16 itself would not get beyond 2048, or would round in between."""
    x, w, dy = (np.ones(s, "float16") for s in [(64, 1, 10, 10), (1, 1, 1, 1), (64, 1, 10, 10)])
    _, dw, db = grad.conv2d(dy, x, w, np.ones(1, "float16"))
    assert (dw.item(), db.item()) == (6400, 6400)
    x = np.linspace(0.1, 0.7, 64 * 100).reshape(64, 1, 10, 10).astype("float16")
    exactly = x.astype("float64").sum()
    rounding = np.spacing(np.float16(exactly)) * 0.51
    _, dw, db = grad.conv2d(x, dy, w, np.ones(1, "float16"))
    assert abs(dw.item() - exactly) <= rounding
    assert abs(db.item() - exactly) <= rounding


@pytest.mark.parametrize(("batch", "size"), [(9, 5), (3, 5), (8, 300), (9, 0), (0, 5)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_gradient_of_the_bias(batch, size, dtype, rng):
    """Of many small items and of others, whatever their layout."""
    dy = values(rng, (batch, 3, 4, size), dtype)
    x, w, b = np.ones((batch, 1, 4, size), dtype), np.ones((3, 1, 1, 1), dtype), np.ones(3, dtype)
    if not size:
        with pytest.raises(ValueError, match="input"):
            grad.conv2d(dy, x, w, b)
        return
    *_, db = grad.conv2d(dy, x, w, b)
    exact = dy.sum((0, 2, 3), dtype=dtype if dtype == "uint8" else "float64")
    np.testing.assert_allclose(db, exact, rtol=1e-5, atol=1e-3)
    assert db.dtype == dtype
    assert grad.conv2d(np.asfortranarray(dy), x, w, b)[2].tobytes() == db.tobytes()
