"""Windows as columns, their sums, and shuffles, against the reference and PyTorch."""

import math

import numpy as np
import pytest
from hypothesis import strategies as st
from support import assert_same, randomly, small_integers, values
from torch_samples import as_numpy, check_gradients, check_samples

from convx import functional as F
from convx import grad, reference

SHUFFLES = ["pixel_shuffle", "pixel_unshuffle", "channel_shuffle"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "bool"])
def test_unfold_samples(dtype):
    check_samples("nn.functional.unfold", F.unfold, dtype)


def test_unfold_gradients_of_samples():
    check_gradients("nn.functional.unfold", grad.unfold)


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "complex128"])
@pytest.mark.parametrize("name", SHUFFLES)
def test_shuffle_samples(name, dtype):
    check_samples(f"nn.functional.{name}", getattr(F, name), dtype)


@pytest.mark.parametrize("name", SHUFFLES)
def test_shuffle_gradients_of_samples(name):
    check_gradients(f"nn.functional.{name}", getattr(grad, name))


@st.composite
def foldings(draw):
    """Sizes, and kernel, dilation, padding and stride that go with them, one for each axis."""
    axes = draw(st.integers(1, 3))
    sizes, options = [], [[], [], [], []]
    for _ in range(axes):
        kernel, dilation, pad = (draw(st.integers(*one)) for one in ((1, 4), (1, 3), (0, 4)))
        least = max(1, dilation * (kernel - 1) + 1 - 2 * pad)
        sizes.append(draw(st.integers(least, least + 4)))
        for option, one in zip(options, (kernel, dilation, pad, draw(st.integers(1, 4)))):
            option.append(one)
    return sizes, options


@randomly(200, case=foldings(), dtype=st.sampled_from(["float32", "int8", "complex64", "bool"]))
def test_unfold_against_the_reference(case, dtype):
    sizes, options = case
    x = small_integers(np.random.default_rng(0), (2, 3, *sizes)).astype(dtype)
    expected = reference.unfold(x, *options)
    assert_same(F.unfold(x, *options), expected)
    assert_same(F.unfold(x[0], *options), expected[0])


@randomly(200, case=foldings(), dtype=st.sampled_from(["float32", "int8", "complex64", "float16"]))
def test_fold_against_the_reference(case, dtype):
    sizes, options = case
    rng = np.random.default_rng(1)
    shape = F.unfold(np.empty((2, 3, *sizes)), *options).shape
    columns = rng.integers(-4, 5, shape).astype(dtype)
    expected = reference.fold(columns, sizes, *options)
    assert_same(F.fold(columns, sizes, *options), expected)
    assert_same(F.fold(columns[1], sizes, *options), expected[1])
    assert_same(grad.unfold(columns, expected, *options), expected)


@randomly(100, case=foldings())
def test_each_is_the_adjoint_of_the_other(case):
    sizes, options = case
    rng = np.random.default_rng(2)
    x = small_integers(rng, (2, 3, *sizes))
    columns = small_integers(rng, F.unfold(x, *options).shape)
    assert (F.unfold(x, *options) * columns).sum() == (x * F.fold(columns, sizes, *options)).sum()
    assert_same(grad.fold(x, columns, sizes, *options), F.unfold(x, *options))


@randomly(60, case=foldings())
def test_fold_against_torch(case):
    torch = pytest.importorskip("torch")
    sizes, options = case
    if len(sizes) != 2:
        return
    columns = values(np.random.default_rng(3), F.unfold(np.empty((2, 3, *sizes)), *options).shape)
    expected = torch.nn.functional.fold(torch.tensor(columns), sizes, *options)
    np.testing.assert_allclose(
        F.fold(columns, sizes, *options), as_numpy(expected), rtol=1e-12, atol=1e-12
    )


def test_numbers_mean_two_axes():
    x = np.arange(60.0).reshape(2, 2, 3, 5)
    columns = F.unfold(x, 2, padding=1)
    assert columns.shape == (2, 8, 24)
    assert_same(columns, F.unfold(x, (2, 2), padding=(1, 1)))
    assert F.fold(columns, (3, 5), 2, padding=1).shape == x.shape
    assert F.fold(np.ones((4, 4)), 3, 2).shape == (1, 3, 3)
    assert F.fold(np.ones((2, 4)), 5, (2,)).shape == (1, 5)


def test_half_precision_is_rounded_once():
    """2049 ones are 2048 if every sum is rounded."""
    columns = np.ones((2049, 2049), np.float16)
    folded = F.fold(columns, (4097,), (2049,))
    assert folded.dtype == np.float16
    assert folded[0, 2048] == np.float16(2049)


def test_many_taps_and_few_positions():
    x = small_integers(np.random.default_rng(4), (1, 1, 3000))
    columns = F.unfold(x, (2998,))
    assert columns.shape == (1, 2998, 3)
    assert_same(F.fold(columns, (3000,), (2998,)), x * np.minimum(3, [1, 2, *[3] * 2996, 2, 1]))


def test_convolution_is_a_product():
    rng = np.random.default_rng(5)
    x, w = small_integers(rng, (2, 3, 6, 7)), small_integers(rng, (4, 3, 3, 2))
    product = w.reshape(4, -1) @ F.unfold(x, (3, 2), padding=1, stride=2)
    assert_same(product.reshape(2, 4, 3, 4), F.conv2d(x, w, padding=1, stride=2))


@pytest.mark.parametrize("dtype", ["float64", "int8", "U2", "M8[s]", "f4,i2"])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_shuffles_against_the_reference(factor, dtype):
    x = np.arange(2 * 36 * 3 * 2).reshape(2, 36, 3, 2).astype(dtype)
    y = reference.pixel_shuffle(x, factor)
    assert_same(F.pixel_shuffle(x, factor), y)
    assert_same(F.pixel_shuffle(x[0], factor), y[0])
    assert_same(F.pixel_shuffle(x[None], factor), y[None])
    assert_same(F.pixel_unshuffle(y, factor), x)
    assert_same(reference.pixel_unshuffle(y, factor), x)
    assert_same(grad.pixel_shuffle(y, x, factor), x)
    assert_same(grad.pixel_unshuffle(x, y, factor), y)
    dealt = reference.channel_shuffle(x, 2 * factor)
    assert_same(F.channel_shuffle(x, 2 * factor), dealt)
    assert_same(grad.channel_shuffle(dealt, x, 2 * factor), x)


def test_shuffles_of_other_ranks():
    x = np.arange(12)
    assert F.pixel_shuffle(x.reshape(3, 4), (3,)).tolist() == [
        [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]
    ]
    assert_same(F.pixel_unshuffle(F.pixel_shuffle(x.reshape(3, 4), (3,)), [3]), x.reshape(3, 4))
    cube = np.arange(2 * 12 * 8).reshape(2, 12, 2, 2, 2)
    shuffled = F.pixel_shuffle(cube, (2, 1, 3))
    assert shuffled.shape == (2, 2, 4, 2, 6)
    assert shuffled[1, 1, 3, 1, 5] == cube[1, 6 + 5, 1, 1, 1]
    assert_same(F.pixel_unshuffle(shuffled, (2, 1, 3)), cube)


def test_layouts_and_out():
    x = values(np.random.default_rng(6), (2, 4, 6, 4))
    calls = [
        (lambda x, **o: F.unfold(x, 2, **o), (2, 16, 15)),
        (lambda x, **o: F.pixel_shuffle(x, 2, **o), (2, 1, 12, 8)),
        (lambda x, **o: F.pixel_unshuffle(x, 2, **o), (2, 16, 3, 2)),
        (lambda x, **o: F.channel_shuffle(x, 2, **o), x.shape),
        (lambda x, **o: F.fold(x.reshape(2, 4, 24), (7, 5), 2, **o), (2, 1, 7, 5)),
    ]
    read_only = x.copy()
    read_only.flags.writeable = False
    for call, shape in calls:
        expected = call(x)
        assert expected.shape == shape
        for same in (np.asfortranarray(x), x[::-1].copy()[::-1], x.astype(">f8"), read_only):
            assert_same(call(same), expected)
        out = np.empty(shape)
        assert call(x, out=out) is out
        assert_same(out, expected)
        strided = np.empty((*shape, 2))[..., 0]
        assert call(x, out=strided) is strided
        assert_same(strided.copy(), expected)
    same = x.copy()
    F.channel_shuffle(same, 2, out=same)
    assert_same(same, F.channel_shuffle(x, 2))


def test_empty_batches():
    x = np.empty((0, 4, 5, 5))
    assert F.unfold(x, 3).shape == (0, 36, 9)
    assert F.fold(np.empty((0, 36, 9)), 5, 3).shape == (0, 4, 5, 5)
    assert grad.unfold(np.empty((0, 36, 9)), x, 3).shape == x.shape
    assert F.pixel_shuffle(x, 2).shape == (0, 1, 10, 10)
    assert F.channel_shuffle(x, 2).shape == x.shape


def test_an_item_alone_and_in_a_batch():
    columns = values(np.random.default_rng(7), (3, 18, 16), "float32")
    whole = F.fold(columns, 6, 3)
    for one, alone in zip(whole, columns):
        assert_same(F.fold(alone, 6, 3), one)
    assert math.prod(whole.shape) == 3 * 2 * 36
