"""Pooling against the reference and PyTorch, and what must not differ."""

import itertools

import numpy as np
import pytest
from hypothesis import strategies as st
from support import FLOATS, INTEGERS, assert_same, randomly
from torch_samples import check_errors, check_gradients, check_samples

import convx
from convx import functional as F
from convx import grad, reference

RANKS = (1, 2, 3)
ROOM = {1: 60, 2: 24, 3: 9}
KERNELS = {1: 12, 2: 6, 3: 4}


@st.composite
def poolings(draw, dilated=True, ranks=RANKS):
    """Rank, sizes, and the options of a kernel that fits."""
    rank = draw(st.sampled_from(ranks))
    kernel = tuple(draw(st.integers(1, KERNELS[rank])) for _ in range(rank))
    stride = tuple(draw(st.sampled_from([1, 1, 2, 2, 3, 4, 5])) for _ in range(rank))
    dilation = tuple(draw(st.sampled_from([1, 1, 2, 3])) if dilated else 1 for _ in range(rank))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    sizes = tuple(
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, ROOM[rank]))
        for k, d, p in zip(kernel, dilation, padding)
    )
    return rank, sizes, (kernel, stride, padding, dilation, draw(st.booleans()))


def values(seed, shape, dtype="float64", odd=False):
    """Few different numbers, so that there are ties, and some that are none."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-9, 10, shape).astype(dtype)
    if odd:
        x[rng.random(shape) < 0.05] = np.nan
        x[rng.random(shape) < 0.1] = -np.inf
        x[rng.random(shape) < 0.02] = np.inf
    return x


def named(kind, rank, of=F):
    return getattr(of, f"{kind}{rank}d")


def has_elements(sizes, options):
    return all(all(len(axis) for axis in grid) for _, grid in reference.windows(sizes, *options))


@randomly(30, pooling=poolings(), seed=st.integers(0, 99), dtype=st.sampled_from(FLOATS))
def test_maxima(pooling, seed, dtype):
    rank, sizes, options = pooling
    if not has_elements(sizes, options):
        return
    x = values(seed, (2, *sizes), dtype, odd=seed % 2)
    y, indices = named("max_pool", rank)(x, *options, return_indices=True)
    expected = reference.max_pool(x, *options)
    np.testing.assert_array_equal(y, expected[0])
    np.testing.assert_array_equal(indices, expected[1])
    assert_same(named("max_pool", rank)(x, *options), y)


@randomly(
    40,
    pooling=poolings(dilated=False),
    seed=st.integers(0, 99),
    count_include_pad=st.booleans(),
    divisor=st.sampled_from([None, None, 3]),
)
def test_averages(pooling, seed, count_include_pad, divisor):
    rank, sizes, (kernel, stride, padding, dilation, ceil_mode) = pooling
    x = values(seed, (2, *sizes))
    given = (kernel, stride, padding, ceil_mode, count_include_pad)
    y = named("avg_pool", rank)(x, *given, divisor_override=divisor)
    expected = reference.avg_pool(
        x, count_include_pad, divisor, kernel, stride, padding, dilation, ceil_mode
    )
    np.testing.assert_allclose(y, expected, rtol=1e-14, atol=1e-14)
    # the adjoint identity, in numbers that are exact
    g = values(seed + 1, y.shape)
    back = named("avg_pool", rank, grad)(g, x, *given, divisor_override=divisor)
    np.testing.assert_allclose((y * g).sum(), (x * back).sum(), rtol=1e-10, atol=1e-10)


@randomly(30, pooling=poolings(dilated=False), seed=st.integers(0, 99))
def test_norms(pooling, seed):
    rank, sizes, (kernel, stride, _, dilation, ceil_mode) = pooling
    sizes = tuple(max(size, k) for size, k in zip(sizes, kernel))
    x = values(seed, (2, *sizes))
    p = [0.5, 1, 2, 3, 2.5, np.inf][seed % 6]
    y = named("lp_pool", rank)(x, p, kernel, stride, ceil_mode)
    grids = reference.windows(sizes, kernel, stride, (0,) * rank, dilation, ceil_mode)
    np.testing.assert_allclose(y, reference.pool(x, grids, reference.lp_norm(p)), rtol=1e-12)


@randomly(40, rank=st.sampled_from(RANKS), seed=st.integers(0, 999))
def test_adaptive(rank, seed):
    rng = np.random.default_rng(seed)
    sizes = tuple(rng.integers(1, ROOM[rank], rank).tolist())
    outputs = tuple(int(rng.integers(1, size + 3)) for size in sizes)
    x = values(seed, (2, *sizes))
    y = named("adaptive_avg_pool", rank)(x, outputs)
    expected = reference.adaptive_pool(x, outputs, reference.mean)
    np.testing.assert_allclose(y, expected, rtol=1e-13, atol=1e-13)
    most = named("adaptive_max_pool", rank)(x, outputs)
    np.testing.assert_array_equal(
        most, reference.adaptive_pool(x, outputs, lambda one: one.max(-1))
    )
    g = values(seed + 1, y.shape)
    back = named("adaptive_avg_pool", rank, grad)(g, x, outputs)
    np.testing.assert_allclose((y * g).sum(), (x * back).sum(), rtol=1e-10, atol=1e-10)


# PyTorch


def as_torch_is(arguments, options):
    """Samples that spell what convx asks for: one number for each axis, positive divisors."""
    rank = arguments[0].ndim - 1
    for one in [*arguments[1:], *options.values()]:
        if isinstance(one, tuple | list) and (len(one) == 0 or len(one) < rank - 1):
            return False
    divisor = [*arguments[1:], None] if len(arguments) > 6 else [options.get("divisor_override")]
    given = arguments[6] if len(arguments) > 6 else divisor[0]
    return given is None or given > 0


def every(count):
    """Every so many of the samples, for there are very many of some functions."""
    counter = itertools.count()
    return lambda arguments, options: as_torch_is(arguments, options) and next(counter) % count == 0


KINDS = [
    (f"{kind}{rank}d", step)
    for kind, step in [
        ("max_pool", 29), ("avg_pool", 1), ("adaptive_max_pool", 1), ("adaptive_avg_pool", 1)]
    for rank in RANKS
]  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("name", "step"), KINDS)
def test_samples(name, step, dtype):
    check_samples(f"nn.functional.{name}", getattr(F, name), dtype, every(step))


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(f"max_pool{rank}d", dtype) for rank in (2, 3) for dtype in ("int64", "int8", "uint8")]
    + [(f"avg_pool{rank}d", "int64") for rank in RANKS],
)
def test_samples_of_integers(name, dtype):
    check_samples(f"nn.functional.{name}", getattr(F, name), dtype, every(37))


@pytest.mark.parametrize(("name", "step"), KINDS)
def test_sample_gradients(name, step):
    check_gradients(f"nn.functional.{name}", getattr(grad, name), every(step))


def is_wrong_here_too(arguments, options):
    """Not so are padding of more than half of a dilated window, and no channels."""
    shape, rank = arguments[0].shape, arguments[0].ndim
    no_channels = 0 in shape and tuple(shape) in {(0, 10), (0, 1, 2, 10)}
    wide = options.get("padding") == 3 and options.get("dilation") == 2
    return not (wide or (no_channels and rank <= 4 and options == {"kernel_size": 1}))


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("kind", ["max_pool", "avg_pool"])
def test_sample_errors(kind, rank):
    name = f"{kind}{rank}d"
    check_errors(f"nn.functional.{name}", getattr(F, name), is_wrong_here_too)


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("kind", ["adaptive_max_pool", "adaptive_avg_pool"])
def test_adaptive_sample_errors(kind, rank):
    name = f"{kind}{rank}d"
    check_errors(f"nn.functional.{name}", getattr(F, name))


@randomly(30, pooling=poolings(), seed=st.integers(0, 99))
def test_gradients_of_maxima(pooling, seed):
    torch = pytest.importorskip("torch")
    rank, sizes, options = pooling
    if not has_elements(sizes, options):
        return
    x = values(seed, (2, 3, *sizes), odd=seed % 4 == 0)
    leaf = torch.tensor(x, requires_grad=True)
    y = named("max_pool", rank, torch.nn.functional)(leaf, *options)
    g = values(seed + 1, y.shape)
    y.backward(torch.tensor(g))
    back = named("max_pool", rank, grad)(g, x, *options)
    np.testing.assert_allclose(back, leaf.grad.numpy(), rtol=1e-13, atol=1e-13)
    indices = named("max_pool", rank)(x, *options, return_indices=True)[1]
    np.testing.assert_array_equal(
        named("max_pool", rank, grad)(g, x, *options, indices=indices), back
    )


# Facts


def test_nan_ties_and_infinities():
    assert F.max_pool2d([[[1.0, np.nan], [np.nan, 4.0]]], 2, return_indices=True)[1] == 2
    assert F.max_pool1d([[3.0, 3.0, 3.0]], 3, return_indices=True)[1] == 0
    assert F.max_pool1d([[-np.inf] * 3], 3, return_indices=True)[1] == 0
    y, indices = F.max_pool1d([[7.0]], 2, 1, 2, 3, return_indices=True)
    assert y.tolist() == [[-np.inf, -np.inf]]
    assert indices.tolist() == [[-1, -1]]
    assert grad.max_pool1d([[1.0, 1.0]], [[7.0]], 2, 1, 2, 3) == 0
    assert F.max_pool1d(np.full((1, 4), -128, "i1"), 3, padding=1).tolist() == [[-128, -128]]


def test_divisors_leave_out_what_hangs_over():
    x = np.ones((1, 6))
    y = F.avg_pool1d(x, 3, stride=2, padding=1, ceil_mode=True)
    np.testing.assert_allclose(y, [[2 / 3, 1, 1, 1 / 2]])
    assert F.avg_pool1d(np.array([[2, 3, -2, -3]]), 2).tolist() == [[2, -2]]


@pytest.mark.parametrize("kernel", [2, 3, 9, 31])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e20])
def test_values_stay_in_their_windows(kernel, value):
    """Not as with running sums, after which nothing is right any more."""
    x = np.ones((1, 70, 90), "float32")
    x[0, 33, 41] = value
    y = F.avg_pool2d(x, kernel, stride=1)
    touched = np.zeros(y.shape, bool)
    touched[0, max(0, 34 - kernel) : 34, max(0, 42 - kernel) : 42] = True
    np.testing.assert_allclose(y[~touched], 1, rtol=1e-6)
    assert not (abs(y[touched] - 1) < 1e-3).any()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("stride", [(1, 1), (3, 2)])
@pytest.mark.parametrize("kernel", [(9, 31), (31, 9), (7, 7)])
def test_large_windows_as_in_torch(kernel, stride, dtype):
    """Of two and three axes, with gradients."""
    torch = pytest.importorskip("torch")
    for rank in (2, 3):
        long = (3, *kernel)[-rank:]
        x = values(rank, (2, 3, *(5, 45, 47)[-rank:]), dtype)
        given = (long, (1, *stride)[-rank:], tuple(k // 2 for k in long))
        for kind in ("max_pool", "avg_pool"):
            leaf = torch.tensor(x, requires_grad=True)
            y = named(kind, rank, torch.nn.functional)(leaf, *given)
            g = values(1, y.shape, dtype)
            y.backward(torch.tensor(g))
            error = {"float32": 2e-4, "float64": 1e-11}[dtype]
            ours = named(kind, rank)(x, *given)
            np.testing.assert_allclose(ours, y.detach().numpy(), rtol=error, atol=error)
            back = named(kind, rank, grad)(g, x, *given)
            np.testing.assert_allclose(back, leaf.grad.numpy(), rtol=error, atol=error)


@pytest.mark.parametrize("kernel", [9, 31])
def test_large_windows(kernel):
    x = values(0, (3, 45, 67), odd=True)
    options = ((kernel,) * 2, (1, 2), (kernel // 2,) * 2, (1, 1), False)
    y, indices = F.max_pool2d(x, *options, return_indices=True)
    expected = reference.max_pool(x, *options)
    np.testing.assert_array_equal(y, expected[0])
    np.testing.assert_array_equal(indices, expected[1])


CALLS = {
    "max_pool2d": ((3, 2, 1), {}),
    "avg_pool2d": ((3, 2, 1), {}),
    "lp_pool2d": ((2, 3, 2), {}),
    "adaptive_max_pool2d": ((5,), {}),
    "adaptive_avg_pool2d": ((5,), {}),
    "fractional_max_pool2d": ((2, 7), {"rng": 5}),
    "stochastic_pool2d": ((3, 2), {"rng": 5}),
    "global_max_pool": ((), {}),
    "global_avg_pool": ((), {}),
    "global_lp_pool": ((3,), {}),
    "avg_unpool2d": ((3, 2), {}),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_same_bits(name, dtype):
    """For any number of threads, any layout, with ``out``, and an item alone or in a batch."""
    function, back = getattr(F, name), getattr(grad, name)
    given, options = CALLS[name]
    x = abs(np.random.default_rng(0).standard_normal((4, 9, 61, 67))).astype(dtype)
    with convx.threads(1):
        y = function(x, *given, **options)
        g = np.random.default_rng(1).standard_normal(y.shape).astype(dtype)
        dx = back(g, x, *given, **options)
    assert y.dtype == dx.dtype == dtype
    with convx.threads(2):
        assert_same(function(x, *given, **options), y)
        assert_same(back(g, x, *given, **options), dx)
    if "rng" not in options:
        assert_same(function(x[2:3], *given), y[2:3].copy())
        assert_same(back(g[2:3], x[2:3], *given), dx[2:3].copy())
    swapped = np.ascontiguousarray(x.astype(x.dtype.newbyteorder())[..., ::-1])[..., ::-1]
    swapped.flags.writeable = False
    assert_same(function(swapped, *given, **options), y)
    assert_same(back(g[:, ::-1].copy()[:, ::-1], swapped, *given, **options), dx)
    out = np.empty_like(y)
    assert function(x, *given, **options, out=out) is out
    assert_same(out, y)
    into = np.empty_like(x)
    assert back(g, x, *given, **options, out=into) is into
    assert_same(into, dx)
    if name not in ("fractional_max_pool2d", "stochastic_pool2d"):
        assert function(x[:0], *given, **options).shape == (0, *y.shape[1:])
        assert back(g[:0], x[:0], *given, **options).shape == (0, *x.shape[1:])


@pytest.mark.parametrize("dtype", [one for one in INTEGERS if one != "uint64"])
def test_integers(dtype):
    info = np.iinfo(dtype)
    x = np.random.default_rng(0).integers(info.min, info.max, (2, 9), dtype, endpoint=True)
    assert_same(F.max_pool1d(x, 3), x.reshape(2, 3, 3).max(-1))
    small = np.random.default_rng(0).integers(0, 20, (2, 9)).astype(dtype)
    assert_same(F.avg_pool1d(small, 3), (small.reshape(2, 3, 3).sum(-1) // 3).astype(dtype))


@pytest.mark.parametrize(
    "options",
    [(2, 2, 0, 1), (3, 1, 1, 1), (31, 1, 15, 1), (9, 9, 4, 1), (5, 3, 2, 2), (2, 1, 1, 3)],
)
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_long_lines(options, ceil_mode):
    """That are pooled a part at a time."""
    x = values(0, (2, 6001), odd=True)
    y, indices = F.max_pool1d(x, *options, ceil_mode, return_indices=True)
    expected = reference.max_pool(x, *((one,) for one in options), ceil_mode)
    np.testing.assert_array_equal(y, expected[0])
    np.testing.assert_array_equal(indices, expected[1])
    assert_same(F.max_pool1d(x, *options, ceil_mode), y)
    kernel, stride, padding, _ = options
    x, one = values(0, (2, 6001)), (1,)
    for included in (False, True):
        y = F.avg_pool1d(x, kernel, stride, padding, ceil_mode, included)
        plain = ((kernel,), (stride,), (padding,), one, ceil_mode)
        np.testing.assert_allclose(y, reference.avg_pool(x, included, None, *plain), rtol=1e-12)
        g = values(1, y.shape)
        back = grad.avg_pool1d(g, x, kernel, stride, padding, ceil_mode, included)
        np.testing.assert_allclose((y * g).sum(), (x * back).sum(), rtol=1e-9)


@pytest.mark.parametrize(
    ("taps", "stride"), [(2, 1), (3, 1), (4, 1), (2, 2), (3, 2), (3, 3), (4, 4)]
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_every_number_of_outputs(taps, stride, dtype):
    """That fill vectors and do not; whole numbers, so that sums are exact."""
    for outputs in (*range(1, 36), 48, 63):
        x = values(outputs, (3, taps, stride * (outputs - 1) + taps), dtype)
        windows = np.lib.stride_tricks.sliding_window_view(x, taps, -1)[..., ::stride, :]
        assert_same(F.max_pool2d(x, taps, stride), windows.max((1, 3))[:, None])
        total = windows.sum((1, 3), dtype=dtype)[:, None]
        divided = np.trunc(total / taps**2) if dtype == "int64" else total / x.dtype.type(taps**2)
        assert_same(F.avg_pool2d(x, taps, stride), divided.astype(dtype))


def test_wider_padding_than_torch_takes():
    assert F.avg_pool1d([[6.0]], 3, stride=1, padding=2).tolist() == [[2, 2, 2]]
    assert F.max_pool1d([[1.0, 2.0]], 3, stride=1, padding=((2, 1),)).tolist() == [[1, 2, 2]]


def test_long_strides():
    """That lead out of the axis, and dilation of a single tap."""
    x = np.arange(8.0).reshape(1, 8)
    assert F.max_pool1d(x, 2, stride=2**61).tolist() == [[1.0]]
    assert F.max_pool1d(x, 1, stride=3, dilation=2**61).tolist() == [[0.0, 3.0, 6.0]]
    assert F.max_pool1d(x, 2, 2**50, 2**40, 2**40 + 1).tolist() == [[1.0]]
