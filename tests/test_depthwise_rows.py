"""Depthwise kernels by rows: small planes; of 3 by 3 taps gradients of weights, stride 2."""

import sys

import numpy as np
import pytest
from support import Case, assert_same, check, run_python, values

import convx
from convx import functional as F
from convx import grad, reference
from convx._core import _driver
from convx._engine import execution

SLIDING = {
    "7×7": Case((7, 7), (3, 3), batch=5, groups=37, options={"padding": 1}),
    "14×14": Case((14, 14), (3, 3), batch=9, groups=33, options={"padding": 1}),
    "28×28": Case((28, 28), (3, 3), batch=2, groups=3, options={"padding": 1}),
    "no padding": Case((9, 18), (3, 3), batch=3, groups=5),
    "wide padding": Case((6, 11), (3, 3), groups=4, options={"padding": ((4, 5), (2, 3))}),
    "reflected": Case((7, 16), (3, 3), groups=6).with_options(padding=1, padding_mode="reflect"),
    "rows in one cache set": Case((5, 1024), (3, 3), groups=2, options={"padding": 1}),
    "boxes of rows": Case((67, 112), (3, 3), batch=2, groups=2, options={"padding": 1}),
    "boxes along rows": Case((9, 4000), (3, 3), groups=2, options={"padding": 1}),
    "every other": Case((28, 28), (3, 3), batch=3, groups=18, options={"padding": 1, "stride": 2}),
    "every other, odd": Case((15, 31), (3, 3), groups=5, options={"padding": 1, "stride": 2}),
    "every other, short": Case((14, 14), (3, 3), groups=5, options={"padding": 1, "stride": 2}),
    "volume": Case((4, 14, 14), (3, 3, 3), batch=2, groups=3, options={"padding": 1}),
    "strided volume": Case(
        (7, 9, 16), (2, 3, 3), groups=3, options={"stride": (3, 1, 1), "padding": 1}
    ),
}


def arrays_of(case, dtype):
    x, w, _ = case.arrays(dtype)
    y = reference.conv_nd(x, w, **case.all_options)
    return x, w, values(np.random.default_rng(case.seed + 1), y.shape, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SLIDING)
def test_sliding_rows(name, dtype):
    case = SLIDING[name]
    x, w, dy = arrays_of(case, dtype)
    with execution.recording() as programs:
        grad.conv_nd_weight(x, w.shape, dy, **case.all_options)
    assert dtype == "float64" or programs[0].plan.passes[0].slide_rows == 3
    arrays = (x, w.shape, dy)
    check(grad.conv_nd_weight, reference.conv_nd_weight, arrays, case.all_options, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stride", [1, 2])
def test_planes_of_every_height_and_width(stride, dtype):
    for width in (*range(1, 20), 23, 24, 28, 31, 32, 33, 49):
        size = (1 + (width * 7) % 13, width)
        case = Case(size, (3, 3), batch=2, groups=3, options={"padding": 1, "stride": stride})
        x, w, dy = arrays_of(case, dtype)
        arrays = (x, w.shape, dy)
        check(grad.conv_nd_weight, reference.conv_nd_weight, arrays, case.all_options, dtype)


@pytest.mark.parametrize("height", [9, 17, 25, 33, 41, 57, 64, 65, 66])
def test_boxes_of_eight_rows_and_what_is_left(height):
    """The last box of a plane has two rows at least: the kernel counts on that."""
    case = Case((height, 256), (3, 3), groups=2, options={"padding": 1})
    x, w, dy = arrays_of(case, "float32")
    arrays = (x, w.shape, dy)
    check(grad.conv_nd_weight, reference.conv_nd_weight, arrays, case.all_options, "float32")


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("width", [7, 14, 28])
def test_what_lies_beside_a_row_takes_no_part(width, stride, rng):
    """Rows are read where they lie, with what lies around them: other rows, other planes."""
    x, options = values(rng, (2, 5, 14, width), "float32"), {"stride": stride, "groups": 5}
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    shape = F.conv2d(padded, np.ones((5, 1, 3, 3), np.float32), **options).shape
    dy = values(rng, shape, "float32")
    expected = grad.conv2d_weight(padded, (5, 1, 3, 3), dy, **options)
    wide = np.full((2, 7, 30, width + 7), np.nan, np.float32)
    view = wide[:, 1:-1, 3:17, 2 : 2 + width]
    view[...] = x
    assert_same(grad.conv2d_weight(view, (5, 1, 3, 3), dy, padding=1, **options), expected)
    framed = np.full((2, 6, shape[2], shape[3] + 3), np.nan, np.float32)
    framed[:, :-1, :, 1:-2] = dy
    apart = framed[:, :-1, :, 1:-2]
    assert_same(grad.conv2d_weight(x, (5, 1, 3, 3), apart, padding=1, **options), expected)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of the reference
@pytest.mark.parametrize("of", ["input", "gradient"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("place", [(0, 0), (0, 13), (6, 5), (6, 6), (7, 7), (13, 0), (13, 13)])
def test_infinities_reach_the_taps_that_meet_them(of, stride, place, rng):
    x = values(rng, (2, 3, 14, 14), "float32")
    options = {"stride": stride, "padding": 1, "groups": 3}
    dy = values(rng, (2, 3, *(14 // stride,) * 2), "float32")
    if of == "input":
        x[1, 1, place[0], place[1]] = np.inf
    else:
        dy[1, 1, place[0] // stride, place[1] // stride] = np.inf
    found = grad.conv2d_weight(x, (3, 1, 3, 3), dy, **options)
    expected = reference.conv_nd_weight(x, (3, 1, 3, 3), dy, **options)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
    assert 0 < np.isfinite(found).sum() < found.size


def test_threads_change_no_bits(rng):
    for name in ("7×7", "14×14", "every other", "boxes of rows"):
        case = SLIDING[name]
        x, w, dy = arrays_of(case, "float32")
        with convx.threads(1):
            alone = grad.conv_nd_weight(x, w.shape, dy, **case.all_options)
        for threads in (2, 3, 7):
            with convx.threads(threads):
                found = grad.conv_nd_weight(x, w.shape, dy, **case.all_options)
            assert_same(found, alone)


ON_ANOTHER_ISA = """
import hashlib
import numpy as np
from convx import functional as F, grad
rng, told = np.random.default_rng(5), hashlib.sha256()
for dtype in (np.float32, np.float64):
    for width, stride in ((3, 1), (4, 1), (7, 1), (14, 1), (28, 1), (14, 2), (28, 2), (56, 2)):
        x = rng.standard_normal((5, 3, 16, width)).astype(dtype)
        dy = rng.standard_normal((5, 3, 16 // stride, width // stride)).astype(dtype)
        options = {"stride": stride, "padding": 1, "groups": 3}
        told.update(grad.conv2d_weight(x, (3, 1, 3, 3), dy, **options).tobytes())
    for width, taps in ((16, 5), (20, 7), (28, 5), (28, 7), (56, 7)):
        x = rng.standard_normal((2, 3, 37, width)).astype(dtype)
        w = rng.standard_normal((3, 1, taps, taps)).astype(dtype)
        options = {"padding": taps // 2, "groups": 3, "algorithm": "direct"}
        told.update(F.conv2d(x, w, **options).tobytes())
        told.update(grad.conv2d_input(x.shape, w, x, **options).tobytes())
print(told.hexdigest())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="runs a process for each instruction set")
def test_instruction_sets_with_fused_multiply_add_give_the_same_bits():
    fused = [isa for isa in _driver.instruction_sets() if isa != "baseline"]
    assert len({run_python(ON_ANOTHER_ISA, CONVX_ISA=isa) for isa in fused}) <= 1


PHASES = {
    "14×14": Case((14, 14), (3, 3), batch=2, groups=5, options={"padding": 1}),
    "28×28": Case((28, 28), (3, 3), batch=2, groups=18, options={"padding": 1}),
    "no padding": Case((17, 31), (3, 3), groups=17),
    "more padding": Case((9, 14), (3, 3), batch=2, groups=16, options={"padding": 2}),
    "padding of one side": Case((15, 29), (3, 3), groups=16, options={"padding": ((1, 0), (0, 1))}),
    "several vectors": Case((13, 97), (3, 3), batch=2, groups=16, options={"padding": 1}),
    "boxes of rows": Case((140, 96), (3, 3), groups=16, options={"padding": 1}),
    "wide": Case((7, 2500), (3, 3), groups=16, options={"padding": 1}),
    "a few rows": Case((3, 13), (3, 3), batch=3, groups=16, options={"padding": 1}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PHASES)
def test_phases(name, dtype):
    case = PHASES[name]
    options = {**case.all_options, "stride": 2}
    x, w, _ = case.arrays(dtype)
    dy = values(np.random.default_rng(2), F.conv_nd(x, w, **options).shape, dtype)
    arrays = (x.shape, w, dy)
    with execution.recording() as programs:
        grad.conv_nd_input(*arrays, **options)
    (one,) = programs[0].plan.passes
    assert one.parts is not None
    assert not one.lanes
    check(grad.conv_nd_input, reference.conv_nd_input, arrays, options, dtype)
    b = values(np.random.default_rng(3), (case.groups,), dtype)
    check(F.conv_transpose_nd, reference.conv_transpose_nd, (dy, w, b), options, dtype)
    extra = {**options, "output_padding": 1}
    check(F.conv_transpose_nd, reference.conv_transpose_nd, (dy, w, b), extra, dtype)


@pytest.mark.parametrize("name", PHASES)
def test_phases_are_the_chains_of_a_single_channel(name):
    case = PHASES[name]
    options = {**case.all_options, "stride": 2}
    x, w, _ = case.arrays("float32")
    dy = values(np.random.default_rng(2), F.conv_nd(x, w, **options).shape, "float32")
    found = grad.conv_nd_input(x.shape, w, dy, **options)
    shape, alone = (case.batch, 1, *case.size), {**options, "groups": 1, "algorithm": "direct"}
    for group in (0, case.groups - 1):
        only = slice(group, group + 1)
        expected = grad.conv_nd_input(shape, w[only], dy[:, only], **alone)
        assert_same(found[:, only], expected)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of the reference
@pytest.mark.parametrize("place", [(0, 0), (3, 6), (6, 6)])
def test_phases_spread_infinities_to_what_their_taps_reach(place, rng):
    w, dy = np.ones((16, 1, 3, 3), np.float32), values(rng, (2, 16, 7, 7), "float32")
    dy[1, 4, place[0], place[1]] = np.inf
    found = grad.conv2d_input((2, 16, 14, 14), w, dy, stride=2, padding=1, groups=16)
    expected = reference.conv_nd_input((2, 16, 14, 14), w, dy, stride=2, padding=1, groups=16)
    np.testing.assert_array_equal(np.isinf(found), np.isinf(expected))
    assert np.isfinite(found).sum() == found.size - (4 if place == (0, 0) else 9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("pad", [0, 1, 2])
@pytest.mark.parametrize(
    "size",
    [(7, 6), (7, 7), (8, 8), (9, 12), (14, 13), (14, 14), (15, 16), (12, 24), (28, 28), (20, 40)],
)
def test_small_planes(size, pad, dtype):
    case = Case(size, (3, 3), batch=2, groups=19, options={"padding": pad})
    x, w, b = case.arrays(dtype)
    check(F.conv_nd, reference.conv_nd, (x, w, b), case.all_options, dtype)
    dy = values(np.random.default_rng(2), F.conv_nd(x, w, **case.all_options).shape, dtype)
    arrays = (x.shape, w, dy)
    check(grad.conv_nd_input, reference.conv_nd_input, arrays, case.all_options, dtype)


@pytest.mark.parametrize("size", [(7, 7), (9, 8), (14, 14), (15, 13), (28, 28)])
def test_small_planes_are_the_chains_of_a_single_channel(size):
    case = Case(size, (3, 3), batch=3, groups=18, options={"padding": 1})
    x, w, b = case.arrays("float32")
    options, alone = case.all_options, {**case.all_options, "groups": 1, "algorithm": "direct"}
    y = F.conv_nd(x, w, b, **options)
    dx = grad.conv_nd_input(x.shape, w, y, **options)
    assert_same(convx.prepare_conv(w, b, **options)(x), y)
    activated = convx.prepare_conv(w, b, **options, activation="relu")
    assert_same(activated(x, residual=y), np.maximum(y + y, 0))
    for group in (0, 7, 17):
        only = slice(group, group + 1)
        assert_same(F.conv_nd(x[:, only], w[only], b[only], **alone), y[:, only])
        shape = (3, 1, *size)
        assert_same(grad.conv_nd_input(shape, w[only], y[:, only], **alone), dx[:, only])


def test_rows_of_small_planes_do_not_mix_what_is_not_finite(rng):
    for size in ((7, 7), (14, 14), (16, 12)):
        x, w = values(rng, (2, 17, *size), "float32"), np.ones((17, 1, 3, 3), np.float32)
        x[0, 3, 3, -1] = x[1, 5, 0, 0] = x[1, 5, -1, 2] = np.inf
        for found in (
            F.conv2d(x, w, padding=1, groups=17),
            grad.conv2d_input(x.shape, w, x, padding=1, groups=17),
        ):
            assert np.isinf(found).sum() == 6 + 4 + 6
            assert not np.isnan(found).any()


LARGER = [(7, 16), (14, 28), (15, 17), (28, 28), (35, 16), (36, 20), (37, 25), (41, 40), (56, 56)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("taps", [5, 7])
@pytest.mark.parametrize("size", LARGER)
def test_planes_of_larger_kernels(size, taps, dtype):
    for pad in (0, taps // 2, ((taps - 1, 1), (0, taps - 1))):
        case = Case(size, (taps, taps), batch=2, groups=3, options={"padding": pad})
        if min(size) < taps:
            continue
        x, w, b = case.arrays(dtype)
        check(F.conv_nd, reference.conv_nd, (x, w, b), case.all_options, dtype)
        dy = values(np.random.default_rng(2), F.conv_nd(x, w, **case.all_options).shape, dtype)
        arrays = (x.shape, w, dy)
        check(grad.conv_nd_input, reference.conv_nd_input, arrays, case.all_options, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("taps", [5, 7])
@pytest.mark.parametrize("size", LARGER)
def test_planes_of_larger_kernels_are_the_chains_of_large_planes(size, taps, dtype):
    """The same with zeros below, so many that the planes are no small ones."""
    options = {"padding": taps // 2, "groups": 17, "algorithm": "direct"}
    x, w, b = Case(size, (taps, taps), batch=2, groups=17, options={}).arrays(dtype)
    tall = np.concatenate((x, np.zeros((2, 17, 5000 // size[1], size[1]), dtype)), 2)
    expected = F.conv2d(tall, w, b, **options)[:, :, : size[0]]
    gradient = grad.conv2d_input(tall.shape, w, tall, **options)[:, :, : size[0]]
    for threads in (1, 2):
        with convx.threads(threads):
            assert_same(F.conv2d(x, w, b, **options), expected)
            assert_same(grad.conv2d_input(x.shape, w, x, **options), gradient)
            prepared = convx.prepare_conv(w, b, **options, activation="relu")
            assert_same(prepared(x, residual=expected), np.maximum(expected + expected, 0))


@pytest.mark.parametrize("taps", [5, 7])
@pytest.mark.parametrize("width", [16, 20, 28, 56])
def test_what_lies_beside_planes_of_larger_kernels_takes_no_part(taps, width, rng):
    x, w = values(rng, (2, 3, 37, width), "float32"), values(rng, (3, 1, taps, taps), "float32")
    wide = np.full((2, 5, 50, width + 9), np.nan, np.float32)
    view = wide[:, 1:-1, 3:40, 4 : 4 + width]
    view[...] = x
    options = {"padding": taps // 2, "groups": 3, "algorithm": "direct"}
    assert_same(F.conv2d(view, w, **options), F.conv2d(x, w, **options))
    into = np.full((2, 5, 37, width), 7, np.float32)
    for item in range(2):  # what lies before and behind the result stays
        F.conv2d(x[item], w, **options, out=into[item, 1:-1])
    assert_same(into[:, 1:-1], F.conv2d(x, w, **options))
    assert (into[:, [0, -1]] == 7).all()


def test_planes_of_larger_kernels_do_not_mix_what_is_not_finite(rng):
    for size, taps in (((14, 28), 5), ((36, 56), 7)):
        x, w = values(rng, (2, 17, *size), "float32"), np.ones((17, 1, taps, taps), np.float32)
        x[0, 3, 7, -1] = x[1, 5, 0, 0] = x[1, 6, -1, 12] = np.inf
        reach = taps // 2 + 1
        options = {"padding": taps // 2, "groups": 17, "algorithm": "direct"}
        for found in (F.conv2d(x, w, **options), grad.conv2d_input(x.shape, w, x, **options)):
            assert np.isinf(found).sum() == taps * reach + reach * reach + reach * taps
            assert not np.isnan(found).any()
