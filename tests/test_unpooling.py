"""Unpooling, and pooling that draws, against PyTorch and by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import strategies as st
from support import assert_same, guarded, randomly
from torch_samples import check_errors, check_gradients, check_samples, samples

import convx
from convx import functional as F
from convx import grad

RANKS = (1, 2, 3)


def named(kind, rank, of=F):
    return getattr(of, f"{kind}{rank}d")


def are_one_each(indices):
    flat = np.asarray(indices).reshape(*indices.shape[:2], -1)
    return all(len(np.unique(plane)) == plane.size for plane in flat.reshape(-1, flat.shape[-1]))


def every(count, wanted=lambda arguments, options: True):
    counter = itertools.count()
    return lambda arguments, options: wanted(arguments, options) and next(counter) % count == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rank", RANKS)
def test_unpool_samples(rank, dtype):
    name = f"max_unpool{rank}d"
    check_samples(f"nn.functional.{name}", getattr(F, name), dtype, every(3))


@pytest.mark.parametrize("rank", RANKS)
def test_unpool_sample_gradients(rank):
    """Where no two values go to one index; of those PyTorch's gradient takes both for the last."""
    name = f"max_unpool{rank}d"
    single = every(2, lambda arguments, options: are_one_each(arguments[1]))
    check_gradients(f"nn.functional.{name}", getattr(grad, name), single)


@pytest.mark.parametrize("rank", RANKS)
def test_unpool_sample_errors(rank):
    name = f"max_unpool{rank}d"
    check_errors(f"nn.functional.{name}", getattr(F, name))


def test_duplicates():
    x, indices = np.array([[1.0, 2.0, 3.0]]), np.array([[4, 1, 4]])
    assert F.max_unpool1d(x, indices, 2).tolist() == [[0, 2, 0, 0, 3, 0]]
    g = np.arange(1.0, 7.0)[None]
    assert grad.max_unpool1d(g, x, indices, 2).tolist() == [[0, 2, 5]]


@pytest.mark.parametrize("dtype", ["i1", "u1", ">i2", "u2", "<i4", ">u4", "i8", "u8"])
def test_indices_of_any_integers(dtype):
    x, g = np.arange(1.0, 9.0).reshape(2, 4), np.arange(16.0).reshape(2, 8)
    indices = np.array([[7, 0, 3, 2], [1, 5, 1, 6]]).astype(dtype)
    expected = np.zeros((2, 8))
    expected[0, [7, 0, 3, 2]], expected[1, [1, 5, 6]] = [1, 2, 3, 4], [7, 6, 8]
    assert F.max_unpool1d(x, indices, 2).tolist() == expected.tolist()
    dx = grad.max_unpool1d(g, x, indices[:, ::-1], 2)  # the last of two is now the first
    assert dx.tolist() == [[2, 3, 0, 7], [14, 0, 13, 9]]
    for wrong in (8, 127, -1):
        with pytest.raises(ValueError, match="indices"):
            F.max_unpool1d(
                x, (indices.astype("i8") + (wrong - 6) * (indices == 6)).astype(dtype), 2
            )


@randomly(60, rank=st.sampled_from(RANKS), seed=st.integers(0, 999))
def test_unpooling_is_the_adjoint(rank, seed):
    rng = np.random.default_rng(seed)
    kernel = tuple(rng.integers(1, 5, rank).tolist())
    stride = tuple(rng.integers(1, 5, rank).tolist())
    padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel)
    sizes = tuple(rng.integers(2, 9, rank).tolist())
    usual = [(n - 1) * s - 2 * p + k for n, s, p, k in zip(sizes, stride, padding, kernel)]
    if min(usual) < 1:
        return
    size = tuple(n + int(rng.integers(0, s)) for n, s in zip(usual, stride))
    x = rng.standard_normal((2, 3, *sizes))
    given = (kernel, stride, padding)
    y = named("avg_unpool", rank)(x, *given, size)
    g = rng.standard_normal(y.shape)
    pooled = named("avg_pool", rank)(g, *given)
    assert pooled.shape == x.shape
    np.testing.assert_allclose((y * g).sum(), (x * pooled).sum(), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(named("avg_unpool", rank, grad)(g, x, *given, size), pooled)
    places = rng.permuted(np.tile(np.arange(math.prod(size)), (2, 3, 1)), axis=-1)
    if math.prod(sizes) <= math.prod(size):
        indices = places[..., : math.prod(sizes)].reshape(x.shape)
        z = named("max_unpool", rank)(x, indices, *given, size)
        back = named("max_unpool", rank, grad)(g, x, indices, *given, size)
        np.testing.assert_allclose((z * g).sum(), (x * back).sum(), rtol=1e-10, atol=1e-10)


def test_unpooling_undoes_pooling():
    x = np.random.default_rng(0).standard_normal((2, 3, 9, 7))
    y, indices = F.max_pool2d(x, 2, return_indices=True)
    z = F.max_unpool2d(y, indices, 2, output_size=x.shape)
    assert z.shape == x.shape
    np.testing.assert_array_equal(F.max_pool2d(np.where(z, z, -np.inf), 2), y)
    same = F.avg_unpool2d(y, 2, divisor_override=1)
    np.testing.assert_allclose(F.avg_pool2d(same, 2), y)


@randomly(40, rank=st.sampled_from(RANKS), seed=st.integers(0, 999))
def test_unpooling_from_own_cells(rank, seed):
    """Indices in each input's own cell, as those of maxima; all of them, or all but one."""
    rng = np.random.default_rng(seed)
    dtype = rng.choice(["f4", "f8"])
    kernel = (*rng.integers(1, 4, rank - 1).tolist(), int(rng.integers(2, 5)))
    sizes = tuple(rng.integers(2, (70, 16, 5)[rank - 1], rank).tolist())
    shape = tuple(n * k for n, k in zip(sizes, kernel))
    pooled, indices = named("max_pool", rank)(
        rng.random((2, 3, *shape)), kernel, return_indices=True
    )
    x, g = pooled.astype(dtype), rng.standard_normal((2, 3, *shape)).astype(dtype)
    odd = rng.integers(indices.size)
    if rng.integers(2):
        indices.flat[odd] = rng.integers(math.prod(shape))
    given = (x, indices, kernel)
    y, dx = np.zeros((6, math.prod(shape)), dtype), np.zeros(x.shape, dtype)
    last = np.full(y.shape, -1)
    for place, index in enumerate(indices.reshape(-1)):
        plane = place // math.prod(sizes)
        y[plane, index], last[plane, index] = x.flat[place], place
    for plane, index in zip(*np.nonzero(last >= 0)):
        dx.flat[last[plane, index]] = g.reshape(y.shape)[plane, index]
    np.testing.assert_array_equal(named("max_unpool", rank)(*given), y.reshape(g.shape))
    np.testing.assert_array_equal(named("max_unpool", rank, grad)(g, *given), dx)
    for wrong in (math.prod(shape), -1, 2**32 + int(indices.flat[odd])):
        indices.flat[odd] = wrong
        for result in (
            lambda: named("max_unpool", rank)(*given),
            lambda: named("max_unpool", rank, grad)(g, *given),
        ):
            with pytest.raises(ValueError, match="indices"):
                result()


def squares(rng, shape, dtype):
    """Inputs, an index of each in its own square of 2 by 2, and a gradient of the outputs."""
    *leading, height, width = shape
    below, right = rng.integers(0, 2, (2, *shape))
    rows, columns = 2 * np.arange(height)[:, None] + below, 2 * np.arange(width) + right
    x = rng.standard_normal(shape).astype(dtype)
    g = rng.standard_normal((*leading, 2 * height, 2 * width)).astype(dtype)
    return x, rows * 2 * width + columns, g


def scattered(x, indices, g):
    """The same by NumPy, of indices none of which is there twice."""
    planes = x.shape[0] * x.shape[1]
    y, flat = np.zeros_like(g), indices.reshape(planes, -1)
    np.put_along_axis(y.reshape(planes, -1), flat, x.reshape(planes, -1), 1)
    return y, np.take_along_axis(g.reshape(planes, -1), flat, 1).reshape(x.shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_squares(dtype, side):
    """Rows of fewer elements than a vector, of whole vectors, and of others, between guards."""
    rng = np.random.default_rng(0)
    for width in (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 45):
        x, indices, g = squares(rng, (2, 3, 3, width), dtype)
        y, dx = scattered(x, indices, g)
        x, indices, g = (guarded(one, side) for one in (x, indices, g))
        out, dx_out = guarded(np.ones_like(g), side), guarded(np.ones_like(x), side)
        assert F.max_unpool2d(x, indices, 2, out=out) is out
        assert_same(out, y)
        assert grad.max_unpool2d(g, x, indices, 2, out=dx_out) is dx_out
        assert_same(dx_out, dx)
        pooled = guarded(np.zeros_like(g), side)
        assert_same(grad.max_pool2d(x, pooled, 2, indices=indices), y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_index_is_not_in_its_square(dtype):
    """Wherever it is, it goes where it tells, or is told to be wrong."""
    rng = np.random.default_rng(1)
    x, indices, g = squares(rng, (1, 2, 2, 37), dtype)
    size = g.shape[2] * g.shape[3]
    for place in range(0, x.size, 3):
        for elsewhere in (0, size - 1):
            others = indices.copy()
            others.flat[place] = elsewhere
            plane = place // (x.size // 2)
            if (others[0, plane] == elsewhere).sum() > 1:
                continue
            y, dx = scattered(x, others, g)
            assert_same(F.max_unpool2d(x, others, 2), y)
            assert_same(grad.max_unpool2d(g, x, others, 2), dx)
        own = indices.flat[place]
        for wrong in (size, -1, -own - 1, own + 2**32, 2**31, -(2**63)):
            others = indices.copy()
            others.flat[place] = wrong
            for call in (
                lambda given=others: F.max_unpool2d(x, given, 2),
                lambda given=others: grad.max_unpool2d(g, x, given, 2),
            ):
                with pytest.raises(ValueError, match="indices"):
                    call()


@pytest.mark.parametrize("width", [128, 131])
def test_large_squares(width):
    """Results that go past the caches, and what is asked for early."""
    x, indices, g = squares(np.random.default_rng(2), (1, 70, 128, width), "float32")
    assert g.nbytes >= 2**24
    others = indices.copy()
    indices[0, 3, 0, 0] = others[0, 3, 0, 0] = 1
    others[0, 3, 5, 7] = 0  # so a plane goes the other way
    y, dx = scattered(x, indices, g)
    odd, _ = scattered(x, others, g)
    for threads in (1, 2):
        with convx.threads(threads):
            assert_same(F.max_unpool2d(x, indices, 2), y)
            assert_same(grad.max_unpool2d(g, x, indices, 2), dx)
            assert_same(F.max_unpool2d(x, others, 2), odd)


# Norms


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("p", [1, 1.5, 2, 3, np.inf])
def test_norm_gradients(rank, p):
    rng = np.random.default_rng(rank)
    x = rng.standard_normal((2, *(5,) * rank))
    given = (p, 3, 2)
    y = named("lp_pool", rank)(x, *given)
    g = rng.standard_normal(y.shape)
    dx = named("lp_pool", rank, grad)(g, x, *given)
    along, h = rng.standard_normal(x.shape), 1e-6
    up, down = (named("lp_pool", rank)(x + sign * h * along, *given) for sign in (1, -1))
    np.testing.assert_allclose((dx * along).sum(), ((up - down) * g).sum() / (2 * h), rtol=1e-6)


def test_norms_are_not_those_of_torch():
    """Which sums signed powers, and weights windows that hang over."""
    assert F.lp_pool1d([[-3.0, 1.0]], 1, 2).tolist() == [[4.0]]
    np.testing.assert_allclose(F.lp_pool1d([[-2.0, 1.0]], 3, 2), [[9 ** (1 / 3)]])
    assert F.lp_pool1d([[0.0, 0.0, 5.0]], 2, 2, ceil_mode=True).tolist() == [[0.0, 5.0]]
    assert grad.lp_pool1d([[1.0]], [[0.0, 0.0]], 2, 2).tolist() == [[0, 0]]


def test_norms_as_in_torch_where_these_are_right():
    torch = pytest.importorskip("torch")
    for name in ("lp_pool1d", "lp_pool2d"):
        x = abs(np.random.default_rng(0).standard_normal((2, 3, *(9,) * int(name[-2]))))
        leaf = torch.tensor(x, requires_grad=True)
        y = getattr(torch.nn.functional, name)(leaf, 3, 3, 2)
        y.backward(torch.ones_like(y))
        np.testing.assert_allclose(getattr(F, name)(x, 3, 3, 2), y.detach().numpy())
        dx = getattr(grad, name)(np.ones(y.shape), x, 3, 3, 2)
        np.testing.assert_allclose(dx, leaf.grad.numpy(), rtol=1e-9)


# What draws


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rank", [2, 3])
def test_fractional_samples(rank, dtype):
    """PyTorch's samples, with random samples of ours."""
    torch = pytest.importorskip("torch")
    name = f"fractional_max_pool{rank}d"
    rng = np.random.default_rng(0)
    seen = 0
    for arguments, options in samples(f"nn.functional.{name}", dtype):
        x = arguments[0]
        shape = (*((1,) if x.ndim == rank + 1 else ()), *x.shape[:-rank], rank)
        u = rng.random(shape).astype(dtype)
        given = {**options, "return_indices": True}
        theirs = getattr(torch.nn.functional, name)(
            x, *arguments[1:], **{**given, "_random_samples": torch.tensor(u)}
        )
        ours = getattr(F, name)(x.numpy(), *arguments[1:], **{**given, "_random_samples": u})
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other.numpy())
        seen += 1
    assert seen > 10


@pytest.mark.parametrize("rank", [2, 3])
def test_fractional_gradients(rank):
    x = np.random.default_rng(0).permutation(2 * 3 * 7**rank).astype(float)
    x = x.reshape(2, 3, *(7,) * rank)
    y, indices = named("fractional_max_pool", rank)(x, 2, 4, return_indices=True, rng=3)
    g = np.random.default_rng(1).standard_normal(y.shape)
    dx = named("fractional_max_pool", rank, grad)(g, x, 2, 4, rng=3)
    given = named("fractional_max_pool", rank, grad)(g, x, 2, 4, rng=3, indices=indices)
    np.testing.assert_array_equal(dx, given)
    flat = np.zeros((6, 7**rank))
    np.add.at(flat, (np.arange(6)[:, None], indices.reshape(6, -1)), g.reshape(6, -1))
    np.testing.assert_allclose(dx, flat.reshape(x.shape), rtol=1e-12, atol=1e-12)


def test_stochastic_draws():
    """Each value comes as often as its share of the sum."""
    x = np.tile([[1.0, 0.0, 3.0, 4.0]], (20000, 1))
    y = F.stochastic_pool1d(x, 4, rng=0)
    counts = [np.mean(y == value) for value in (0, 1, 3, 4)]
    np.testing.assert_allclose(counts, [0, 1 / 8, 3 / 8, 4 / 8], atol=0.015)
    np.testing.assert_allclose(F.stochastic_pool1d(x[:1], 4, training=False), [[26 / 8]])


@randomly(30, rank=st.sampled_from(RANKS), seed=st.integers(0, 999))
def test_stochastic_pools(rank, seed):
    rng = np.random.default_rng(seed)
    x = rng.permutation(1.0 + np.arange(2 * 9**rank)).reshape(2, *(9,) * rank)
    given = (3, 2, 1)
    y = named("stochastic_pool", rank)(x, *given, rng=seed)
    assert np.isin(y, x).all()
    assert (y <= named("max_pool", rank)(x, *given)).all()
    dx = named("stochastic_pool", rank, grad)(np.ones(y.shape), x, *given, rng=seed)
    np.testing.assert_allclose((dx * x).sum(), y.sum())
    mean = named("stochastic_pool", rank)(x, *given, training=False)
    g, along, h = rng.standard_normal(mean.shape), rng.standard_normal(x.shape), 1e-3
    dx = named("stochastic_pool", rank, grad)(g, x, *given, training=False)
    up, down = (
        named("stochastic_pool", rank)(x + sign * h * along, *given, training=False)
        for sign in (1, -1)
    )
    slope = ((up - down) * g).sum() / (2 * h)
    np.testing.assert_allclose((dx * along).sum(), slope, rtol=1e-5, atol=1e-5)


def test_stochastic_pools_of_odd_windows():
    x = np.array([[0.0, 0.0, np.nan, 1.0, 2.0, 0.0]])
    for training in (True, False):
        y = F.stochastic_pool1d(x, 2, training=training, rng=0)
        np.testing.assert_array_equal(y, [[0, np.nan, 2]])
    assert grad.stochastic_pool1d([[1.0]], [[0.0, 0.0]], 2, training=False).tolist() == [[0, 0]]
    assert grad.stochastic_pool1d([[1.0]], [[0.0, 0.0]], 2, rng=0).tolist() == [[1, 0]]
