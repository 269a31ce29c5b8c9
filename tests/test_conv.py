"""Forward and transposed convolution against the reference, over shapes, options and dtypes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import strategies as st
from support import (
    DTYPES,
    INTEGERS,
    MODES,
    Case,
    assert_same,
    check,
    convolutions,
    randomly,
    small_integers,
    values,
    without_algorithm,
)

import convx
from convx import functional as F
from convx import reference
from convx._core import _driver
from convx._engine import execution, machine

dtypes = st.sampled_from(DTYPES)

# The widths of kernels' channel and filter blocks, and beyond.
COUNTS = (*range(1, 41), 64, 65, 96, 130)


def check_conv(case: Case, dtype: str) -> None:
    check(F.conv_nd, reference.conv_nd, case.arrays(dtype), case.all_options, dtype)


def check_transpose(case: Case, dtype: str) -> None:
    oracle = reference.conv_transpose_nd
    check(F.conv_transpose_nd, oracle, case.arrays(dtype), case.all_options, dtype)


@randomly(200, case=convolutions(), dtype=dtypes)
def test_any_convolution(case, dtype):
    check_conv(case, dtype)


@randomly(200, case=convolutions(transposed=True), dtype=dtypes)
def test_any_transposed_convolution(case, dtype):
    check_transpose(case, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (1, 7)], ids=str)
def test_every_count_of_filters(kernel, dtype):
    for filters in COUNTS:
        case = Case((9, 11), kernel, channels=3, filters=filters, seed=filters)
        check_conv(case.with_options(padding="same"), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 1)], ids=str)
def test_every_count_of_channels(kernel, dtype):
    for channels in COUNTS:
        case = Case((7, 10), kernel, channels=channels, filters=5, seed=channels)
        check_conv(case.with_options(padding=((0, 2), (1, 0))), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("size", [(48,), (8, 34), (4, 4, 9)], ids=str)
def test_pointwise_rows_of_whole_vectors(size, dtype):
    """The input is read where it lies, some panels at a time, for all filters but very many."""
    for filters in (24, 39, 65, 128, 129, 512, 513):
        case = Case(size, (1,) * len(size), batch=2, groups=2, channels=7, filters=filters)
        check_conv(case, dtype)
        check_transpose(replace(case, transposed=True), dtype)


def test_pointwise_rows_are_gathered_for_very_many_filters(rng):
    few_registers = _driver.register_block(machine.ISA, "float64")[2] < 14
    most, gathered = 128 if few_registers else 512, []
    for filters in (24, most, most + 1):
        with execution.recording() as programs:
            F.conv_nd(values(rng, (2, 7, 64)), values(rng, (filters, 7, 1)))
        (one,) = programs[0].plan.passes
        assert one.in_place
        gathered.append(one.gathered)
    assert gathered == [False, False, True]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_in_one_cache_set(dtype):
    """Channels whose weights are 4096 bytes apart are packed some at a time, or read in place."""
    count = 4096 // np.dtype(dtype).itemsize
    for size, kernel, batch in (((7, 7), (1, 1), 1), ((7, 7), (1, 1), 3), ((5, 5), (3, 3), 1)):
        case = Case(size, kernel, batch=batch, channels=37, filters=count, transposed=True)
        check_transpose(case.with_options(padding=kernel[0] // 2), dtype)


# Output rows share input rows in blocks, as far as the tap rows are neighbours.
DEPTHWISE = {
    "plain": ((3, 3), {"padding": 1}),
    "tall": ((5, 2), {}),
    "low": ((2, 5), {"padding": (2, 1)}),
    "large": ((11, 9), {"padding": 5}),
    "strided": ((3, 3), {"stride": (2, 1), "padding": 1}),
    "dilated": ((3, 3), {"dilation": (2, 3), "padding": 2}),
    "strided along both": ((3, 4), {"stride": 2, "padding": 2}),
    "every other": ((3, 3), {"stride": 2, "padding": 1}),
    "every other, 5 taps": ((5, 5), {"stride": 2, "padding": ((2, 1), (0, 3))}),
    "every other, dilated": ((3, 3), {"stride": 2, "dilation": 2, "padding": 2}),
    "5 taps": ((5, 5), {"padding": ((2, 2), (3, 0))}),
    "7 taps": ((7, 7), {"padding": 3}),
    "reflected": ((4, 3), {"padding": 2, "padding_mode": "reflect"}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("name", DEPTHWISE)
def test_depthwise_planes_of_every_height_and_width(name, dtype):
    kernel, options = DEPTHWISE[name]
    sizes = zip((5, 6, 7, 8, 9, 14, 23, 37), (6, 61, 14, 28, 32, 15, 47, 56))
    for (height, width), groups in zip(sizes, (3, 33, 16, 3, 21, 17, 3, 40)):
        case = Case((height, width), kernel, batch=2, groups=groups, options=options, seed=width)
        check_conv(case, dtype)
        check_transpose(replace(case, transposed=True), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_depthwise_volumes_and_multipliers(dtype):
    for filters, groups in ((1, 7), (2, 7), (4, 7), (5, 7), (1, 19), (3, 18)):
        for size, kernel in (((5, 9, 30), (3, 3, 3)), ((4, 33), (2, 3)), ((70,), (4,))):
            case = Case(size, kernel, groups=groups, filters=filters, options={"padding": 1})
            check_conv(case, dtype)
            check_transpose(replace(case, transposed=True), dtype)


@pytest.mark.parametrize("size", [(2, 2), (5, 6), (14, 14), (40, 50)])
def test_depthwise_prepared(size, rng):
    """Groups that are lanes take the weights as they are given: there is nothing to pack."""
    x, w = values(rng, (2, 40, *size), "float32"), values(rng, (40, 1, 3, 3), "float32")
    prepared = convx.prepare_conv(w, padding=1, groups=40)
    expected = F.conv2d(x, w, padding=1, groups=40)
    for _ in range(2):
        np.testing.assert_array_equal(prepared(x), expected)
    with execution.recording() as programs:
        prepared(x)
    assert all((one.packed_size == 0) == one.plan.passes[0].lanes for one in programs)


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
def test_what_lies_beside_a_depthwise_row_takes_no_part(kernel, stride, rng):
    """Rows are read where they lie, with what lies around them: other rows, other planes."""
    pad, groups = kernel // 2, 5
    wide = np.full((2, groups + 2, 40, 44), np.nan, np.float32)
    for height, width in ((14, 14), (15, 13), (28, 28), (30, 40)):
        x, w = (
            values(rng, shape, "float32")
            for shape in ((2, groups, height, width), (groups, 1, kernel, kernel))
        )
        view = wide[:, 1:-1, 3 : 3 + height, 2 : 2 + width]
        view[...] = x
        options = {"stride": stride, "padding": pad, "groups": groups, "algorithm": "direct"}
        expected = F.conv2d(x, w, **options)
        assert_same(F.conv2d(view, w, **options), expected)
        padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        assert_same(F.conv2d(padded, w, **options | {"padding": 0}), expected)
        wide[...] = np.nan


def test_single_filter_lets_no_infinity_spread():
    x = np.zeros((1, 1, 20, 40), np.float32)
    x[0, 0, 10, 20] = np.inf
    w = np.ones((1, 1, 3, 3), np.float32)
    touched = ~np.isfinite(F.conv2d(x, w, padding=1))
    assert touched.sum() == 9
    assert touched[0, 0, 9:12, 19:22].all()


EDGES = {
    "full": Case((12, 14), (5, 5), batch=2, channels=3, filters=6, options={"padding": 4}),
    "rows of padding alone": Case((9, 15), (3, 5), channels=2, filters=7, options={"padding": 5}),
    "strided and dilated": Case(
        (21, 60), (4, 3), channels=2, filters=5, options={"padding": 6, "stride": 2, "dilation": 2}
    ),
    "a volume": Case((3, 4, 16), (3, 3, 3), channels=2, filters=6, options={"padding": 2}),
    "wide rows, many channels": Case(
        (7, 90), (5, 3), channels=60, filters=20, options={"padding": 3}
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", EDGES)
def test_taps_over_nothing_but_padding(name, dtype):
    """They are left out, unless their weight is not finite: that makes NaN of zeros."""
    case = EDGES[name]
    check_conv(case, dtype)
    x, w, _ = case.arrays(dtype)
    options = case.all_options
    for place in (0, w[0, 0].size // 2, w[0, 0].size - 1):
        for bad in (np.nan, np.inf):
            bent = w.copy()
            bent[1, -1].flat[place] = bad
            with np.errstate(invalid="ignore"):
                expected = reference.conv_nd(x, bent, **options)
                found = F.conv_nd(x, bent, algorithm="direct", **options)
            np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
            np.testing.assert_array_equal(np.isinf(found), np.isinf(expected))
            assert 0 < np.isfinite(found).sum() < found.size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_length_of_rows(dtype):
    for length in (*range(1, 70), 127, 128, 129, 255, 257, 300):
        for filters in (1, 3, 30):
            case = Case((2, length), (2, 1), channels=2, filters=filters, seed=length)
            check_conv(case, dtype)
            check_conv(case.with_options(padding=(1, 2), stride=2), dtype)


BIG = {
    "wide rows": Case((4, 3000), (3, 3), channels=3, filters=5, options={"padding": 1}),
    "wide rows, many filters": Case((3, 2100), (3, 3), channels=2, filters=40),
    "long line": Case((20_000,), (5,), channels=2, filters=3, options={"padding": 2}),
    "many boxes": Case((150, 170), (3, 3), batch=2, channels=4, filters=20),
    "many boxes, strided": Case((150, 170), (3, 3), channels=4, filters=9, options={"stride": 2}),
    "many boxes of a volume": Case((20, 30, 40), (3, 3, 3), channels=2, filters=14),
    "many taps": Case((60, 60), (30, 31), channels=2, filters=3),
    "many taps and boxes": Case((400,), (333,), channels=3, filters=4, options={"padding": 300}),
    "many channels": Case((6, 6), (3, 3), channels=300, filters=40, options={"padding": 1}),
    "many filters": Case((6, 6), (3, 3), channels=3, filters=700),
    "pointwise": Case((40, 40), (1, 1), channels=70, filters=70),
    "pointwise, strided": Case((40, 40), (1, 1), channels=70, filters=70, options={"stride": 3}),
    "pointwise, every other": Case(
        (19, 57), (1, 1), batch=3, groups=2, channels=130, filters=61, options={"stride": 2}
    ),
    "big batch": Case((5, 5), (3, 3), batch=50, channels=8, filters=30, options={"padding": 1}),
    "depthwise": Case((40, 60), (3, 3), groups=50, options={"padding": 1}),
    "depthwise, multiplied": Case((17, 60), (3, 3), groups=20, filters=3),
    "groups": Case((20, 20), (3, 3), groups=8, channels=20, filters=18, options={"padding": 1}),
    "stride beyond the kernel": Case((90, 90), (2, 3), filters=4, options={"stride": (31, 40)}),
    "dilation beyond the input": Case((9, 9), (3, 3), options={"dilation": 50, "padding": 60}),
    "kernel of the input's size": Case((33, 35), (33, 35), channels=3, filters=20),
    "more taps than samples": Case((5, 4), (20, 21), filters=4, options={"padding": 12}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "complex64"])
@pytest.mark.parametrize("name", BIG)
def test_big(name, dtype):
    check_conv(BIG[name], dtype)


TRANSPOSED = {
    "patches": Case((9, 9), (8, 8), channels=5, filters=7, options={"stride": 8}),
    "stride beyond the kernel": Case((9, 9), (2, 3), channels=5, options={"stride": 5}),
    "upsampling": Case((30, 31), (4, 4), channels=16, filters=20, options={"stride": 2}),
    "wide": Case((3, 900), (3, 3), channels=4, filters=9, options={"stride": 2, "padding": 1}),
    "groups": Case((14, 15), (3, 3), groups=6, channels=5, filters=9, options={"stride": 3}),
    "depthwise": Case((20, 20), (4, 4), groups=40, options={"stride": 2, "padding": 1}),
    "volume": Case((6, 7, 8), (3, 3, 3), channels=4, filters=20, options={"stride": 2}),
    "output padding beyond the stride": Case(
        (9,), (3,), filters=3, options={"stride": 2, "dilation": 5, "output_padding": 4}
    ),
    "all cropped but one": Case((9, 9), (3, 3), channels=2, options={"padding": 5}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "complex64"])
@pytest.mark.parametrize("name", TRANSPOSED)
def test_big_transposed(name, dtype):
    check_transpose(replace(TRANSPOSED[name], transposed=True), dtype)


NARROW = {
    "7": Case((7, 7), (3, 3), batch=3, channels=15, filters=64, options={"padding": 1}),
    "10": Case((14, 14), (5, 5), batch=20, channels=6, filters=16),
    "14": Case((14, 14), (3, 3), channels=70, filters=93, options={"padding": 1}),
    "34 outputs, in pieces": Case((4, 35), (3, 2), channels=40, filters=32, bias=False),
    "strided": Case((17, 29), (3, 3), batch=2, channels=20, filters=47, options={"stride": 2}),
    "groups": Case((9, 9), (3, 3), groups=3, channels=16, filters=30, options={"padding": 2}),
    "one tap": Case((7, 5), (1, 1), batch=2, channels=300, filters=60),
    "one tap, strided": Case((13, 13), (1, 1), channels=200, filters=140, options={"stride": 3}),
    "a line": Case((11,), (5,), batch=None, channels=130, filters=80, options={"dilation": 2}),
    "a volume": Case((5, 6, 9), (3, 3, 3), channels=9, filters=32, options={"padding": 1}),
    "many taps": Case((40, 9), (37, 15), channels=1, filters=16, options={"padding": (2, 7)}),
    "reflected": Case(
        (9, 9), (3, 3), channels=20, filters=64, options={"padding": 1, "padding_mode": "reflect"}
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32"])
@pytest.mark.parametrize("name", NARROW)
def test_narrow_planes(name, dtype):
    """Where filters are the lanes of vectors, on machines with enough registers."""
    case = NARROW[name].with_options(algorithm="direct")
    x, w, b = case.arrays(dtype)
    check(F.conv_nd, without_algorithm(reference.conv_nd), (x, w, b), case.all_options, dtype)
    found = convx.prepare_conv(w, b, **case.all_options)(x)
    np.testing.assert_array_equal(found, F.conv_nd(x, w, b, **case.all_options))


@pytest.mark.parametrize("name", NARROW)
def test_narrow_planes_take_filters_as_lanes(name):
    case = NARROW[name].with_options(algorithm="direct")
    with execution.recording() as programs:
        F.conv_nd(*case.arrays("float32"), **case.all_options)
    filters = programs[0].plan.passes[0].filter_vectors
    rows = _driver.register_block(machine.ISA, "float32")[2]
    assert (filters > 0) == (rows >= 14)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(1,), (2,), (3, 1), (2, 4), (1, 1, 1)], ids=str)
def test_padding_much_wider_than_the_array(size, mode, dtype):
    rank = len(size)
    case = Case(size, (3,) * rank, batch=2, channels=2, filters=3)
    case = case.with_options(padding=((7, 11),) * rank, padding_mode=mode)
    check_conv(case, dtype)
    outputs = tuple(n + 3 for n in size)
    wide = Case(outputs, (9,) * rank, channels=2, filters=3, transposed=True)
    check_transpose(wide.with_options(padding=((5, 4),) * rank, padding_mode=mode), dtype)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_same_pads_the_odd_sample_after(kernel, stride, dilation, mode, rng):
    x, w = small_integers(rng, (1, 2, 11)), small_integers(rng, (3, 2, kernel))
    total = dilation * (kernel - 1)
    options = {"stride": stride, "dilation": dilation, "padding_mode": mode}
    result = F.conv1d(x, w, padding="same", **options)
    pads = ((total // 2, total - total // 2),)
    np.testing.assert_array_equal(result, F.conv1d(x, w, padding=pads, **options))
    assert result.shape[-1] == -(-11 // stride)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_names_by_rank(rank, rng):
    """conv1d … conv3d and their transposes take what conv_nd takes, in PyTorch's order."""
    x, w, b = (values(rng, s) for s in [(2, 4, *(7,) * rank), (6, 2, *(3,) * rank), (6,)])
    conv, transpose = getattr(F, f"conv{rank}d"), getattr(F, f"conv_transpose{rank}d")
    y = conv(x, w, b, 2, 1, 2, 2)
    named = {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}
    np.testing.assert_array_equal(y, F.conv_nd(x, w, b, **named))
    z = transpose(y, w, b[:4], 2, 1, 1, 2, 2)
    named["output_padding"] = 1
    np.testing.assert_array_equal(z, F.conv_transpose_nd(y, w, b[:4], **named))
    check(F.conv_transpose_nd, reference.conv_transpose_nd, (y, w, b[:4]), named, "float64")


@pytest.mark.parametrize("rank", [5, 8, 30])
def test_many_axes(rank, rng):
    size = (3, 2, 4, 2, 3, *(1,) * (rank - 5))
    kernel = (2, 1, 3, 2, 1, *(1,) * (rank - 5))
    x, w = small_integers(rng, (2, 2, *size)), small_integers(rng, (3, 2, *kernel))
    for options in ({}, {"stride": 2, "padding": 1}, {"padding": 1, "padding_mode": "circular"}):
        if rank == 30 and options:
            options["padding"] = (1,) * 5 + (0,) * 25
        expected = reference.conv_nd(x, w, **options)
        np.testing.assert_array_equal(F.conv_nd(x, w, **options), expected)


@pytest.mark.parametrize("transposed", [False, True])
def test_algorithm_direct_is_the_exact_one(transposed, rng):
    x, w = values(rng, (1, 3, 9, 9)), values(rng, (3, 3, 3, 3))
    function = F.conv_transpose2d if transposed else F.conv2d
    direct = function(x, w, algorithm="direct")
    np.testing.assert_allclose(direct, function(x, w), rtol=1e-12)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_wrap_around(dtype):
    most = np.iinfo(dtype).max
    x, w = np.full((1, 1, 3), most, dtype), np.full((1, 1, 2), most, dtype)
    b = np.array([most], dtype)
    expected = np.full((1, 1, 2), (2 * most * most + most) % 2 ** (8 * b.itemsize), "uint64")
    np.testing.assert_array_equal(F.conv1d(x, w, b), expected.astype(dtype))


def test_float16_is_rounded_once():
    """4096 products of 1 and one of 0.5 stop at 2048 where every sum is rounded to float16."""
    x, w = np.ones((1, 1, 4097), "float16"), np.ones((1, 1, 4097), "float16")
    assert F.conv1d(x, w).item() == 4096  # 4097, rounded to even
    x[0, 0, 0] = 3
    assert F.conv1d(x, w).item() == 4100  # 4099
    assert F.conv_transpose1d(w, x[:, :, :1]).dtype == np.float16


def test_float16_is_rounded_once_where_padding_is_folded():
    x, w = np.ones((1, 1, 40), "float16"), np.full((1, 1, 3), 0.1, "float16")
    options = {"padding": 12, "padding_mode": "symmetric"}
    exactly = reference.conv_transpose_nd(x.astype("float64"), w.astype("float64"), **options)
    result = F.conv_transpose1d(x, w, **options)
    np.testing.assert_array_equal(result, exactly.astype("float32").astype("float16"))


def test_nothing_is_conjugated():
    result = F.conv1d(np.array([[1j, 2.0]]), np.array([[[1j, 0.0]]]))
    np.testing.assert_array_equal(result, [[-1.0 + 0j]])


@pytest.mark.parametrize("mode", MODES)
def test_no_items(mode, rng):
    w, options = values(rng, (5, 3, 2, 3)), {"padding": 1, "padding_mode": mode}
    assert F.conv2d(np.zeros((0, 3, 8, 9)), w, **options).shape == (0, 5, 9, 9)
    assert F.conv_transpose2d(np.zeros((0, 5, 8, 9)), w, **options).shape == (0, 3, 7, 9)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int16", "complex128"])
@pytest.mark.parametrize("bias", [True, False])
def test_no_input_channels(dtype, bias):
    """Every sum is empty: the bias is what is left."""
    b = np.arange(1, 5).astype(dtype) if bias else None
    column = np.zeros(4, dtype) if b is None else b
    for _ in range(3):
        np.full((2, 4, 6, 7), 7, dtype)  # memory to be used again
        result = F.conv2d(np.zeros((2, 0, 8, 9), dtype), np.zeros((4, 0, 3, 3), dtype), b)
        expected = np.broadcast_to(column[:, None, None], (2, 4, 6, 7))
        np.testing.assert_array_equal(result, expected)
        assert result.dtype == dtype
        result = F.conv_transpose2d(np.zeros((2, 0, 8, 9), dtype), np.zeros((0, 4, 3, 3), dtype), b)
        expected = np.broadcast_to(column[:, None, None], (2, 4, 10, 11))
        np.testing.assert_array_equal(result, expected)
