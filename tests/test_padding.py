"""Padding and its gradient, against the reference and PyTorch."""

import numpy as np
import pytest
from hypothesis import strategies as st
from support import DTYPES, MODES, assert_same, guarded, randomly, small_integers, values
from torch_samples import as_numpy, check_gradients, check_samples

import convx
from convx import functional as F
from convx import grad, reference

PAD_MODES = ["constant" if mode == "zeros" else mode for mode in MODES]
VARIANTS = ["constant", "reflect", "replicate", "replicate_negative", "circular"]


def pairs_of(pad):
    """The pairs (low, high) of the last axes, as the reference takes them."""
    return [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]


def expected_pad(x, pad, mode):
    """By the reference; what is cropped is not there to go round in a circle."""
    pairs = pairs_of(pad)
    if mode == "circular":
        cropped = [(min(low, 0), min(high, 0)) for low, high in pairs]
        x = reference.pad(x, cropped)
        pairs = [(max(low, 0), max(high, 0)) for low, high in pairs]
    return reference.pad(x, pairs, "zeros" if mode == "constant" else mode)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "complex64"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_samples(variant, dtype):
    check_samples(f"nn.functional.pad {variant}", F.pad, dtype)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_of_samples(variant):
    check_gradients(f"nn.functional.pad {variant}", grad.pad)


@st.composite
def paddings(draw):
    """A shape, widths that leave something of it, and a mode."""
    mode = draw(st.sampled_from(PAD_MODES))
    shape = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    pad = []
    for size in reversed(shape[draw(st.integers(0, len(shape) - 1)) :]):
        low = draw(st.integers(1 - size, 9))
        high = draw(st.integers(1 - size - min(low, 0), 9))
        pad += [low, high] if draw(st.booleans()) else [max(high, 1 - size), max(low, 0)]
    for axis, (low, high) in enumerate(pairs_of(pad), len(shape) - len(pad) // 2):
        if shape[axis] + min(low, 0) + min(high, 0) < 1:
            pad[2 * (len(shape) - 1 - axis)] = 0
    return shape, pad, mode


@randomly(300, case=paddings(), dtype=st.sampled_from(["float32", "int16", "complex128"]))
def test_against_the_reference(case, dtype):
    shape, pad, mode = case
    x = values(np.random.default_rng(0), shape, dtype)
    assert_same(F.pad(x, pad, mode), expected_pad(x, pad, mode))


@randomly(200, case=paddings(), dtype=st.sampled_from(["float64", "complex64", "int32", "uint64"]))
def test_gradient_is_the_adjoint(case, dtype):
    shape, pad, mode = case
    rng = np.random.default_rng(1)
    x = small_integers(rng, shape).astype(dtype)
    y = small_integers(rng, F.pad(x, pad, mode).shape).astype(dtype)
    back = grad.pad(y, x, pad, mode)
    assert (back.dtype, back.shape) == (x.dtype, x.shape)
    assert (F.pad(x, pad, mode) * y).sum() == (x * back).sum()


@pytest.mark.parametrize("mode", ["reflect", "symmetric", "replicate", "circular"])
def test_gradient_against_the_reference(mode):
    rng = np.random.default_rng(2)
    pairs = [(9, 4), (0, 7), (11, 2)]
    x, y = np.empty((2, 3, 4, 5)), small_integers(rng, (2, 16, 11, 18))
    assert_same(
        grad.pad(y, x, (11, 2, 0, 7, 9, 4), mode), reference.unpad(y, (3, 4, 5), pairs, mode)
    )


def test_wider_than_the_array():
    before, after = [2, 3, 2, 1, 2, 3, 2], [2, 1, 2, 3, 2]
    assert F.pad([1, 2, 3], (7, 5), "reflect").tolist() == [*before, 1, 2, 3, *after]
    assert F.pad([1, 2], (3, 4), "symmetric").tolist() == [2, 2, 1, 1, 2, 2, 1, 1, 2]
    assert F.pad([7], (2, 1), "reflect").tolist() == [7, 7, 7, 7]


def test_cropped_on_one_side():
    x = [1, 2, 3, 4, 5]
    assert F.pad(x, (-4, 2), "reflect").tolist() == [5, 4, 3]
    assert F.pad(x, (-2, 3), "symmetric").tolist() == [3, 4, 5, 5, 4, 3]
    assert F.pad(x, (-5, 3), "replicate").tolist() == [5, 5, 5]
    assert F.pad(x, (-3, 3), "circular").tolist() == [4, 5, 4, 5, 4]
    assert F.pad(x, (-7, 9), value=8).tolist() == [8] * 7
    assert F.pad(x, (9, -7), "reflect").tolist() == [2, 1, 2, 3, 4, 5, 4]
    assert F.pad(x, (-3, -2), "reflect").shape == (0,)


@pytest.mark.parametrize(
    "dtype",
    [
        *DTYPES,
        "bool",
        "U3",
        "S5",
        "M8[s]",
        "m8[ms]",
        "f8,i2",
        "longdouble",
        "clongdouble",
        "V3",
        "V7",
    ],
)
@pytest.mark.parametrize("mode", ["constant", "symmetric"])
def test_any_dtype_is_copied(dtype, mode):
    x = np.arange(1, 241).reshape(10, 24).view(np.uint8)[:, : 12 * np.dtype(dtype).itemsize]
    x = np.ascontiguousarray(x).view(np.uint8).reshape(-1)[: 24 * np.dtype(dtype).itemsize]
    if np.dtype(dtype).kind in "?U":
        x = np.arange(24).astype(dtype)
    x = x.view(dtype)[:24].reshape(4, 6) if x.dtype != np.dtype(dtype) else x.reshape(4, 6)
    result = F.pad(x, (3, 1, 2, 2), mode)
    assert result.dtype == x.dtype
    rows, columns = (np.pad(np.arange(n), w, "symmetric") for n, w in ((4, (2, 2)), (6, (3, 1))))
    if mode == "symmetric":
        assert result.tobytes() == x[np.ix_(rows, columns)].tobytes()
    else:
        assert result[2:-2, 3:-1].tobytes() == x.tobytes()
        outside = np.ones(result.shape, bool)
        outside[2:-2, 3:-1] = False
        assert result[outside].tobytes() == np.zeros(outside.sum(), dtype).tobytes()


@pytest.mark.parametrize("shape", [(2, 3, 200, 40), (2, 300, 3, 1), (2, 3, 5, 129)])
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("mode", PAD_MODES)
def test_equal_bits_for_threads_and_batches(shape, axes, mode):
    x = values(np.random.default_rng(3), shape, "float32")
    pad = (0, 0) * (3 - axes) + (2, 1) * axes
    with convx.threads(1):
        alone = F.pad(x, pad, mode)
        back = grad.pad(alone, x, pad, mode)
    with convx.threads(2):
        assert_same(F.pad(x, pad, mode), alone)
        assert_same(grad.pad(alone, x, pad, mode), back)
    assert_same(alone, expected_pad(x, pad, mode))
    assert_same(F.pad(x[1:], pad, mode), alone[1:])
    assert_same(grad.pad(alone[1:], x[1:], pad, mode), back[1:])


def test_layouts():
    x = values(np.random.default_rng(4), (4, 6, 8))
    expected = F.pad(x, (1, 2, 3, 1), "reflect")
    read_only = x.copy()
    read_only.flags.writeable = False
    unaligned = np.frombuffer(b"." + x.tobytes(), "u1")[1:].view("f8").reshape(x.shape)
    wide = np.repeat(x, 2, -1)[..., ::2]
    for same in (x.T.copy().T, x[::-1].copy()[::-1], x.astype(">f8"), read_only, unaligned, wide):
        assert_same(F.pad(same, (1, 2, 3, 1), "reflect"), expected)
        assert_same(F.pad(np.asarray(same).tolist(), [1, 2, 3, 1], "reflect"), expected)
    back = grad.pad(expected, x, (1, 2, 3, 1), "reflect")
    assert_same(grad.pad(expected.astype(">f8"), x, (1, 2, 3, 1), "reflect"), back)
    assert_same(grad.pad(np.asfortranarray(expected), x, (1, 2, 3, 1), "reflect"), back)


def test_out():
    x = np.arange(6.0).reshape(2, 3)
    expected = F.pad(x, (1, 1), "circular")
    out = np.empty((2, 5))
    assert F.pad(x, (1, 1), "circular", out=out) is out
    assert_same(out, expected)
    strided = np.empty((5, 2)).T
    assert F.pad(x, (1, 1), "circular", out=strided) is strided
    assert_same(strided.copy(), expected)
    memory = np.arange(10.0)
    F.pad(memory[:6].reshape(2, 3), (1, 1), "circular", out=memory.reshape(2, 5))
    assert_same(memory.reshape(2, 5), expected)
    same = np.arange(6.0).reshape(2, 3)
    assert F.pad(same, (0, 0), out=same) is same


def test_nothing_to_pad():
    assert_same(F.pad(np.array(5.0), ()), np.array(5.0))
    x = np.arange(3.0)
    for pad in ((), (0, 0)):
        copy = F.pad(x, pad, "reflect")
        assert_same(copy, x)
        assert not np.shares_memory(copy, x)
        assert_same(grad.pad(x, x, pad, "reflect"), x)
    assert_same(F.pad(np.empty((0, 3)), (1, 1), "reflect"), np.empty((0, 5)))
    assert_same(F.pad(np.empty((2, 0)), (1, 2), value=7), np.full((2, 3), 7.0))
    assert_same(grad.pad(np.ones((2, 3)), np.empty((2, 0)), (1, 2)), np.empty((2, 0)))
    assert_same(grad.pad(np.empty((2, 0)), np.ones((2, 3)), (-1, -2)), np.zeros((2, 3)))


def test_half_precision_is_rounded_once():
    y = np.full(2049, 1, np.float16)
    x = np.zeros(1, np.float16)
    assert grad.pad(y, x, (1024, 1024), "replicate") == np.float16(2049)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "bool", "complex64"])
def test_constant_is_converted(dtype):
    assert_same(F.pad(np.zeros(1, dtype), (1, 0), value=1), np.array([1, 0], dtype))
    assert_same(F.pad(np.zeros(1, dtype), (1, 0), value=True), np.array([1, 0], dtype))


def test_constants_that_are_special():
    assert np.isnan(F.pad([1.0], (1, 0), value=float("nan"))[0])
    assert F.pad([1.0], (1, 0), value=-np.inf)[0] == -np.inf
    assert F.pad(np.array(["2026-01-01"], "M8[D]"), (0, 1), value="2026-11-25")[1] == np.datetime64(
        "2026-11-25"
    )
    assert F.pad([1.0], (1, 1), "reflect", 0).tolist() == [1, 1, 1]


def test_what_is_not_finite_stays_where_it_is():
    x = np.zeros((5, 7))
    x[2, 3] = np.nan
    x[0, 0] = np.inf
    y = F.pad(x, (2, 2, 1, 1), "reflect")
    assert np.isnan(y).sum() == 1
    assert np.isinf(y).sum() == 1
    back = grad.pad(y, x, (2, 2, 1, 1), "reflect")
    assert np.isnan(back).sum() == 1


def test_nan_payloads_are_kept():
    bits = np.array([0x7FF4DEADBEEF0001, 0xFFF0000000000001, 1], np.uint64)
    assert F.pad(bits.view("f8"), (1, 1), "circular")[1:4].tobytes() == bits.tobytes()


@randomly(150, case=paddings())
def test_against_torch(case):
    torch = pytest.importorskip("torch")
    shape, pad, mode = case
    if mode == "circular" and min(pad) < 0:
        return  # of a cropped axis PyTorch leaves elements as its memory had them
    x = values(np.random.default_rng(5), (2, 3, *shape))
    try:
        expected = torch.nn.functional.pad(torch.tensor(x), pad, mode)
    except (RuntimeError, NotImplementedError, ValueError):  # symmetric, and what it restricts
        return
    assert_same(F.pad(x, pad, mode), as_numpy(expected))


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "complex128"])
@pytest.mark.parametrize("width", [1, 5, 33, 70])
def test_nothing_beside_the_arrays_is_touched(width, dtype, side):
    """They end, or begin, where memory is forbidden."""
    x = guarded(np.arange(3 * width).reshape(3, width).astype(dtype), side)
    for pad in ((3, 2, 1, 1), (-1, 1), (0, 0, 2, 0)):
        expected = F.pad(x.copy(), pad, "symmetric")
        out = guarded(expected, side)
        out[...] = 0
        assert_same(F.pad(x, pad, "symmetric", out=out), expected)
        back = grad.pad(guarded(expected, side), x, pad, "symmetric")
        assert_same(back, grad.pad(expected, x, pad, "symmetric"))
