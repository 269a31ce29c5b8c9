"""The short way of repeated calls: what it remembers must not answer a call that differs."""

import numpy as np
import pytest
from support import assert_same, values

import convx
from convx import functional as F
from convx import grad, reference
from convx._core import _memo


def test_it_tells_dtypes_apart(rng):
    """Arrays of the same item size, shape and strides."""
    kept = {}
    for _ in range(3):
        for dtype in ("float32", "int32", "uint32", "float64", "int64", "uint64"):
            x = np.arange(1, 9).astype(dtype).reshape(1, 8)
            w = np.array([[[3, 5]]], dtype)
            first = kept.setdefault(dtype, F.conv1d(x, w))
            assert_same(F.conv1d(x, w), first)
            np.testing.assert_array_equal(first, [[13, 21, 29, 37, 45, 53, 61]])
        swapped = np.arange(1, 9).astype(np.dtype("float64").newbyteorder()).reshape(1, 8)
        assert_same(F.conv1d(swapped, np.array([[[3.0, 5.0]]])), kept["float64"])
        flags = np.ones((1, 8), bool)
        with pytest.raises(TypeError, match="input"):
            F.conv1d(flags, np.ones((1, 1, 2), bool))


def test_it_tells_strides_apart(rng):
    wide = values(rng, (1, 2, 40))
    w = values(rng, (3, 2, 3))
    for _ in range(3):
        for x in (wide[..., :20], wide[..., ::2], wide[..., 20:], wide[..., 39:19:-1]):
            assert_same(F.conv1d(x, w), F.conv_nd(x.copy(), w))
        for other in (w, w[..., ::-1], w[::-1], np.asfortranarray(w)):
            assert_same(F.conv1d(wide, other), F.conv_nd(wide, other.copy()))


def test_it_tells_options_apart(rng):
    """Names and numbers, pairs and integers, and the same numbers in other places."""
    x, w = values(rng, (1, 2, 9, 9)), values(rng, (2, 2, 3, 3))
    paddings = ["same", "valid", 0, 1, 2, 3, 4, 5, (1, 2), ((1, 2), (0, 0)), ((0, 0), (1, 2))]
    options = [
        {"padding": padding, "padding_mode": mode}
        for padding in paddings
        for mode in ("zeros", "reflect", "symmetric", "replicate", "circular")
    ]
    options += [{"stride": 2}, {"dilation": 2}, {"groups": 2}, {"stride": (1, 2)}]
    options += [{"dilation": (1, 2)}, {"stride": 2, "dilation": 2}, {"algorithm": "direct"}]
    for _ in range(3):
        for one in options:
            weight = w[:, :1] if "groups" in one else w
            assert_same(F.conv2d(x, weight, **one), F.conv_nd(x.copy(), weight.copy(), **one))
            np.testing.assert_allclose(
                F.conv2d(x, weight, **one),
                reference.conv_nd(x, weight, **{k: v for k, v in one.items() if k != "algorithm"}),
                rtol=1e-12,
                atol=1e-12,
            )


@pytest.mark.parametrize(
    "wrong",
    [
        {"stride": True},
        {"stride": 1.0},
        {"stride": "1"},
        {"stride": (True, 1)},
        {"padding": False},
        {"padding": 0.0},
        {"padding": None},
        {"dilation": np.float64(1)},
        {"dilation": np.True_},
        {"groups": True},
        {"groups": 1.0},
        {"groups": (1,)},
        {"padding_mode": 0},
        {"padding_mode": b"zeros"},
        {"algorithm": 1},
        {"algorithm": None},
    ],
    ids=str,
)
def test_it_does_not_excuse_wrong_types(wrong, rng):
    """Values that equal those of a call that was right, but are not of their type."""
    x, w = values(rng, (1, 2, 9, 9)), values(rng, (2, 2, 3, 3))
    for _ in range(3):
        F.conv2d(x, w, stride=1, padding=0, dilation=1, groups=1)
    name = next(iter(wrong))
    with pytest.raises(TypeError, match=name):
        F.conv2d(x, w, **wrong)
    F.conv2d(x, w, stride=np.int64(1))  # an integer of another type is one
    with pytest.raises(TypeError, match="bias"):
        F.conv2d(x, w, np.array([True, False]))


def test_it_does_not_share_results(rng):
    x, w = values(rng, (1, 2, 9, 9)), values(rng, (2, 2, 3, 3))
    results = [F.conv2d(x, w) for _ in range(4)]
    results[1][...] = 7
    assert_same(results[3], results[0])
    assert not np.shares_memory(results[2], results[3])


def test_prepared_convolution_keeps_copies(rng):
    x, w, b = values(rng, (1, 2, 9, 9)), values(rng, (2, 2, 3, 3)), values(rng, (2,))
    conv, expected = convx.prepare_conv(w, b), F.conv2d(x, w, b)
    w[...] = b[...] = 7
    for _ in range(3):
        assert_same(conv(x), expected)


def known(rng):
    """A call that is remembered, with its result."""
    x, w = values(rng, (1, 2, 9, 9)), values(rng, (2, 2, 3, 3))
    for _ in range(3):
        y = F.conv2d(x, w)
    return x, w, y


def test_out_of_a_known_call(rng):
    x, w, y = known(rng)
    for kind in (
        np.empty_like,
        lambda y: np.empty(y.shape[::-1]).T,
        lambda y: np.empty(2 * y.size)[::2].reshape(y.shape),
    ):
        out = kind(y)
        for _ in range(3):
            out[...] = 7
            assert F.conv2d(x, w, out=out) is out
            np.testing.assert_array_equal(out, y)
    assert F.conv2d(x, w) is not out


def test_bad_out_of_a_known_call(rng):
    x, w, y = known(rng)
    read_only = np.empty_like(y)
    read_only.flags.writeable = False
    swapped = np.empty(y.shape, y.dtype.newbyteorder())
    wrong = [
        y[0],
        y[..., 1:],
        y.reshape(2, 1, 7, 7),
        read_only,
        swapped,
        y.astype("float32"),
        y.view("int64"),
        y.tolist(),
        "y",
    ]
    for out in wrong:
        with pytest.raises((ValueError, TypeError), match="out"):
            F.conv2d(x, w, out=out)


@pytest.mark.parametrize("shift", [0, 1, 40, 80, 161, 162])
def test_overlapping_out_of_a_known_call(shift, rng):
    x, w, y = known(rng)
    memory = np.zeros(300)
    memory[:162] = x.ravel()
    view, out = memory[:162].reshape(x.shape), memory[shift : shift + 98].reshape(y.shape)
    F.conv2d(view, w, out=out)
    np.testing.assert_array_equal(out, y)
    backwards = np.zeros(162)[::-1].reshape(x.shape)  # as if read from its end
    assert backwards.base is not None
    backwards[...] = x
    for _ in range(2):
        kept = backwards.copy()
        out = backwards.base.ravel()[32:130].reshape(y.shape)
        assert np.shares_memory(out, backwards)
        F.conv2d(backwards, w, out=out)
        np.testing.assert_array_equal(out, y)
        backwards[...] = kept
    weights = np.zeros((2, 2, 7, 7))
    x = values(rng, (1, 2, 13, 13))
    for _ in range(3):
        weights[...] = values(rng, weights.shape)
        expected = F.conv2d(x, weights.copy())
        F.conv2d(x, weights, out=weights[:1])
        np.testing.assert_array_equal(weights[:1], expected)


def test_bias_of_a_known_call_may_be_out():
    x, w, b = np.arange(4.0).reshape(1, 4), np.ones((1, 1, 4)), np.ones(1)
    for _ in range(3):
        b[0] = 1
        F.conv1d(x, w, b, out=b.reshape(1, 1))
        assert b[0] == 7


def test_more_calls_than_it_remembers(rng):
    """The oldest are forgotten, and nothing else changes."""
    w = values(rng, (2, 1, 3))
    x = values(rng, (1, 700))
    expected = F.conv1d(x, w)
    for _ in range(2):
        for size in range(3, 700):
            assert_same(F.conv1d(x[:, :size], w), expected[:, : size - 2].copy())


def test_prepared_convolution_of_many_shapes(rng):
    """Shapes that want the weights packed in different ways take turns."""
    w, b = values(rng, (40, 30, 3, 3)), values(rng, (40,))
    conv = convx.prepare_conv(w, b, padding=1, algorithm="direct")
    inputs = [values(rng, (30, *size)) for size in [(3, 3), (20, 30), (7, 1), (1, 300), (40, 9)]]
    expected = [F.conv2d(x, w, b, padding=1, algorithm="direct") for x in inputs]
    for x, exactly in [*zip(inputs, expected)] * 3:
        assert_same(conv(x), exactly)
        out = np.empty_like(exactly)
        assert conv(x, out=out) is out
        assert_same(out, exactly)


def test_number_of_threads_is_part_of_a_call(rng):
    x, w = values(rng, (4, 30, 20, 20)), values(rng, (40, 30, 3, 3))
    expected = F.conv2d(x, w)
    for _ in range(2):
        for count in (1, 2):
            with convx.threads(count):
                assert_same(F.conv2d(x, w), expected)


def test_it_tells_gradients_of_inputs_apart(rng):
    """By the size of the input, which arrays of the same shapes may have, and by the options."""
    dy, w = values(rng, (2, 3, 5, 5)), values(rng, (3, 4, 3, 3))
    sizes = [(2, 4, 11, 11), (2, 4, 12, 11), (2, 4, 12, 12)]
    modes = ["zeros", "reflect", "zeros"]
    for _ in range(3):
        for mode in modes:
            for size in sizes:
                options = {"stride": 2, "padding": 0, "padding_mode": mode}
                dx = grad.conv2d_input(size, w, dy, **options)
                assert dx.shape == size
                assert_same(dx, grad.conv_nd_input(list(size), w.copy(), dy.copy(), **options))
        padded = {"padding": 1, "padding_mode": "reflect"}
        dx = grad.conv2d_input((2, 4, 5, 5), w, dy, **padded)
        assert_same(dx, grad.conv_nd_input([2, 4, 5, 5], w, dy, **padded))
        with pytest.raises(ValueError, match="grad_output"):
            grad.conv2d_input((2, 4, 13, 12), w, dy, stride=2)
        alone = grad.conv2d_input((4, 11, 11), w, dy[0], stride=2)
        assert_same(alone, grad.conv2d_input(sizes[0], w, dy, stride=2)[0])


def gradient_calls():
    """Calls whose arrays or options differ in one thing only, so that keys must tell them apart."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 4, 7, 6)), rng.standard_normal((6, 2, 3, 3))
    b = rng.standard_normal(6)
    for options in (
        {"groups": 2},
        {"groups": 2, "padding": 1},
        {"groups": 2, "padding": (1, 1), "padding_mode": "circular"},
        {"groups": 2, "stride": 2, "padding": 1},
        {"groups": 2, "dilation": 2},
    ):
        y = convx.conv_nd(x, w, **options)
        for bias in (b, None):
            yield (y, x, w, bias), options
            yield (y[0], x[0], w, bias), options  # without a batch
            yield (y[:1], x[:1], w, bias), options
            yield (y, x.astype(np.float32), w, bias), options
            yield (y.astype(np.float32), x, w, bias), options
            yield (
                tuple(None if one is None else one.astype(">f8") for one in (y, x, w, bias)),
                options,
            )
            yield (y, np.asfortranarray(x), w, bias), options
            yield (y, x, np.asfortranarray(w), bias), options
    yield (y.astype(np.complex128), x, w, b), options
    yield ((10 * y).astype(np.int64), x.astype(np.int64), w.astype(np.int64), None), options


def test_gradients_are_the_same_the_second_time():
    calls = list(gradient_calls())
    first = [grad.conv2d(*arrays, **options) for arrays, options in calls]
    for (arrays, options), expected in zip(calls, first):
        for with_input in (True, False, True):
            found = grad.conv2d(*arrays, **options, input_gradient=with_input)
            if not with_input:
                assert found[0] is None
            for one, other in zip(found[not with_input :], expected[not with_input :]):
                assert (one is None) == (other is None)
                if one is not None:
                    assert one.dtype == other.dtype
                    np.testing.assert_array_equal(one, other)
    _memo.suspend_memos(1)
    try:
        anew = [grad.conv2d(*arrays, **options) for arrays, options in calls]
    finally:
        _memo.suspend_memos(-1)
    for found, expected in zip(anew, first):
        for one, other in zip(found, expected):
            np.testing.assert_equal(one, other)


def test_gradients_are_checked_the_second_time():
    x, w, b = np.ones((1, 2, 5)), np.ones((3, 2, 2)), np.ones(3)
    y = convx.conv_nd(x, w)
    for _ in range(2):
        grad.conv1d(y, x, w, b)
        with pytest.raises(ValueError, match="bias must have shape"):
            grad.conv1d(y, x, w, np.ones(2))
        with pytest.raises(ValueError, match="grad_output must have shape"):
            grad.conv1d(y[:, :2], x, w, b)
        with pytest.raises(TypeError, match="input_gradient must be True or False, got 1"):
            grad.conv1d(y, x, w, b, input_gradient=1)


@pytest.mark.parametrize("shape", [(2, 3, 9, 9), (8, 16, 64, 64)])
def test_what_no_tap_reaches_is_zero_the_second_time(shape, rng):
    """The memory of the second result is that of one that is gone, and was not zero."""
    w, size = values(rng, (4, shape[1], 1, 1)), (shape[2] + 1) // 2
    dy = values(rng, (shape[0], 4, size, size))
    first = grad.conv2d_input(shape, w, dy, stride=2)
    for _ in range(3):
        gone = np.empty_like(first) if first.nbytes < 2**18 else F.add(first, first)
        gone.fill(np.nan)
        del gone
        assert_same(grad.conv2d_input(shape, w, dy, stride=2), first)
    np.testing.assert_array_equal(first[:, :, 1::2], 0)


def test_kept_results_belong_to_their_options():
    made = []

    def note(*options):
        made.append(options)
        return list(options)

    kept = _memo.Kept(note, lambda found: len(found) < 4)
    plain = [(1,), (True,), ((1, 2),), ((1, True),), ((True, 1),), (((1,), 2),), ("1",), (None,)]
    for _ in range(2):
        for options in plain:
            found = kept(*options)
            assert [type(one) for one in found] == [type(one) for one in options]
            assert found == list(options)
    assert made == plain
    for options in [([1],), (1.0,), (np.int64(1),), (1, 2, 3, 4), ((1,) * 99,)]:
        made.clear()
        assert kept(*options) == kept(*options) == list(options)
        assert made == [options] * 2


def test_kept_results_are_few():
    made = []
    kept = _memo.Kept(lambda size: made.append(size) or (size,), bool)
    for _ in range(2):
        for size in range(1000):
            assert kept(size) == (size,)
    assert len(made) == 2000
    assert kept(999) == (999,)
    assert len(made) == 2000


def test_errors_are_not_kept():
    x = np.ones((1, 4, 4), np.float32)
    for _ in range(2):
        assert F.max_pool2d(x, 1).shape == x.shape
        assert F.pad(x, (1, 1)).shape == (1, 4, 6)
        with pytest.raises(TypeError, match="kernel_size"):
            F.max_pool2d(x, True)
        with pytest.raises(TypeError, match="ceil_mode"):
            F.avg_pool2d(x, 1, ceil_mode=1.5)
        with pytest.raises(ValueError, match="kernel_size"):
            F.max_pool2d(x, 5)
        with pytest.raises(TypeError, match="pad"):
            F.pad(x, (True, 1))


def test_what_is_kept_of_padding_has_no_values():
    x = np.arange(6.0).reshape(2, 3)
    for value in (None, 7.0, -1.0):
        assert F.pad(x, (1, 0), value=value)[0, 0] == (value or 0)
        assert_same(grad.pad(np.ones((2, 4)), x, (1, 0), value=value)[0], np.ones(3))
    assert_same(F.pad(x.astype("int16"), (1, 0), value=3)[0], np.array([3, 0, 1, 2], "int16"))
    assert_same(F.pad(x.astype("<f4"), (0, 1), mode="reflect")[1], np.array([3, 4, 5, 4], "<f4"))
