"""Pools by windows of few taps, whose rows of outputs are computed some at a time."""

import itertools

import numpy as np
import pytest
from support import assert_same, guarded, run_python

import convx
from convx import functional as F
from convx import grad, reference

# Taps and strides that have loops of their own, and two that have none.
FEW = [(2, 1), (3, 1), (4, 1), (2, 2), (3, 2), (4, 2), (3, 3), (4, 4), (2, 3), (5, 2)]
# Rows of fewer elements than a vector, of whole vectors, of more, and planes of several blocks.
PLANES = [(5, 6), (70, 16), (13, 75)]


def values(shape, dtype="float32"):
    return np.random.default_rng(sum(shape)).integers(-99, 99, shape).astype(dtype)


def maxima(x, taps, stride, padding):
    pairs = [(one,) * 2 for one in (taps, stride, padding, 1)]
    return reference.max_pool(x, *pairs, True)[0]


def means(x, taps, stride, padding, counts=True, divisor=None):
    pairs = [(one,) * 2 for one in (taps, stride, padding, 1)]
    return reference.avg_pool(x, counts, divisor, *pairs, True)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize(("taps", "stride"), FEW)
def test_maxima(taps, stride, plane):
    for padding, dtype in itertools.product({0, taps // 2}, ["float32", "int32"]):
        x = values((2, *plane), dtype)
        y = F.max_pool2d(x, taps, stride, padding, ceil_mode=True)
        assert_same(y, maxima(x, taps, stride, padding))


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize(("taps", "stride"), FEW)
def test_means(taps, stride, plane):
    for padding, counts in itertools.product({0, taps // 2}, [True, False]):
        x = values((2, *plane), "float64")
        y = F.avg_pool2d(x, taps, stride, padding, True, counts)
        np.testing.assert_allclose(y, means(x, taps, stride, padding, counts), rtol=1e-15)


@pytest.mark.parametrize("divisor", [1, 3, 4, 2**31 - 1])
def test_divisor(divisor):
    x = values((3, 9, 40))
    y = F.avg_pool2d(x, 3, 1, 1, divisor_override=divisor)
    np.testing.assert_allclose(y, means(x, 3, 1, 1, divisor=divisor), rtol=1e-6)


def test_volumes():
    x = values((2, 6, 9, 37), "float64")
    options = (3, 3, 3), (2, 1, 2), (1, 1, 1), (1, 1, 1), False
    expected = reference.max_pool(x, *options)[0]
    assert_same(F.max_pool3d(x, 3, (2, 1, 2), 1), expected)
    expected = reference.avg_pool(x, True, None, *options)
    np.testing.assert_allclose(F.avg_pool3d(x, 3, (2, 1, 2), 1), expected, rtol=1e-15)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("taps", [(2, 2, 2), (1, 4, 2), (2, 1, 2), (1, 3, 2)])
def test_volumes_by_vectors(taps, side):
    """Windows of up to four rows, fewer at the borders, with NaN and infinities anywhere."""
    rng = np.random.default_rng(taps[1])
    for width, dtype in itertools.product((16, 34, 67, 130), ("float32", "float64")):
        exact = values((2, 5, 9, width), dtype)
        x = exact.copy()
        x[rng.random(x.shape) < 0.05] = np.nan
        x[rng.random(x.shape) < 0.2] = -np.inf
        for padding in ((0, 0, 0), (taps[0] // 2, taps[1] // 2, 0)):
            options = taps, (2, 2, 2), padding, (1, 1, 1), False
            expected = reference.max_pool(x, *options)[0]
            out = guarded(np.ones_like(expected), side)
            assert_same(F.max_pool3d(guarded(x, side), taps, 2, padding, out=out), expected)
            sums = reference.avg_pool(exact, True, 1, *options)
            for divisor in (1, 8, 7):
                found = F.avg_pool3d(
                    guarded(exact, side), taps, 2, padding, False, True, divisor, out=out
                )
                assert_same(found, sums / exact.dtype.type(divisor))


def test_not_finite():
    x = values((1, 20, 50))
    x[0, 3, 4], x[0, 10, 20], x[0, 15, 30] = np.nan, np.inf, -np.inf
    assert_same(F.max_pool2d(x, 3, 2, 1), maxima(x, 3, 2, 1)[:, :10, :25])
    mean = means(x, 3, 2, 1)[:, :10, :25]
    np.testing.assert_allclose(F.avg_pool2d(x, 3, 2, 1), mean, rtol=1e-6)


# Windows whose vectors stay in registers: taps, stride, padding.
SHUFFLED = [(2, 2, 0), (3, 1, 0), (3, 1, 1), (3, 2, 0), (3, 2, 1), (3, 3, 0)]


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(("taps", "stride", "padding"), SHUFFLED)
def test_rows_of_vectors(taps, stride, padding, side):
    """Rows of some vectors and any rest, with NaN and infinities anywhere, and nothing around."""
    rng = np.random.default_rng(taps + stride)
    for width in (16, 31, 32, 33, 37, 47, 48, 50, 64, 67, 97, 99, 130):
        for dtype in ("float32", "float64"):
            exact = values((1, 5, width), dtype)
            x = exact.copy()
            x[rng.random(x.shape) < 0.05] = np.nan
            x[rng.random(x.shape) < 0.2] = -np.inf
            expected = maxima(x, taps, stride, padding)
            out = guarded(np.ones_like(expected), side)
            found = F.max_pool2d(guarded(x, side), taps, stride, padding, ceil_mode=True, out=out)
            assert_same(found, expected)
            sums = means(exact, taps, stride, padding, divisor=1)
            for divisor in (1, 4, 7):
                found = F.avg_pool2d(
                    guarded(exact, side), taps, stride, padding, True, True, divisor, out=out
                )
                assert_same(found, sums / exact.dtype.type(divisor))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("taps", "stride", "padding"), SHUFFLED)
def test_rows_of_several_pieces(taps, stride, padding, threads):
    """Planes that are shared out: what runs over the end of a row is that of one piece's row."""
    x = values((3, 300, 131))
    expected = maxima(x, taps, stride, padding)
    sums = means(x, taps, stride, padding, divisor=1)
    with convx.threads(threads):
        for _ in range(5):
            found = F.max_pool2d(x, taps, stride, padding, ceil_mode=True)
            assert_same(found, expected)
            found = F.avg_pool2d(x, taps, stride, padding, True, True, 1)
            np.testing.assert_array_equal(found, sums)


def test_every_nan_of_a_row_is_found():
    """A maximum is NaN exactly if its window has one, whichever column that is in."""
    x = np.zeros((150, 3, 50), np.float32)
    for place in range(150):
        x[place, place // 50, place % 50] = np.nan
    for taps, stride, padding in SHUFFLED:
        found = np.isnan(F.max_pool2d(x, taps, stride, padding))
        assert np.array_equal(
            found, np.isnan(maxima(x, taps, stride, padding))[:, : found.shape[1], : found.shape[2]]
        )
        mean = F.avg_pool2d(x, taps, stride, padding)
        assert np.array_equal(found, np.isnan(mean))


ON_ANOTHER_ISA = """
import hashlib
import numpy as np
from convx import functional as F, grad

rng = np.random.default_rng(0)
x = rng.standard_normal((2, 20, 77), np.float32)
said = hashlib.sha256()
for taps, stride, padding in {cases}:
    for name in ("max_pool2d", "avg_pool2d"):
        y = getattr(F, name)(x, taps, stride, padding)
        said.update(y.tobytes())
        grad_output = rng.standard_normal(y.shape, np.float32)
        said.update(getattr(grad, name)(grad_output, x, taps, stride, padding).tobytes())
for size in (16, 33, 49, 50, 64):
    said.update(F.adaptive_avg_pool1d(rng.standard_normal((2, 11, size), np.float32), 1).tobytes())
print(said.hexdigest())
"""


def test_instruction_sets_agree():
    code = ON_ANOTHER_ISA.format(cases=SHUFFLED)
    assert len({run_python(code, CONVX_ISA=isa) for isa in ("baseline", "")}) == 1


def test_blocks_change_no_bits():
    """Rows go together differently in a small array and in one that is read from memory."""
    x = np.random.default_rng(0).standard_normal((17, 2, 256, 256), np.float32)
    for pool in (F.avg_pool2d, F.max_pool2d):
        assert np.array_equal(pool(x, 3, 2, 1)[16], pool(x[16], 3, 2, 1))


def test_zeros_keep_their_sign():
    x = np.full((1, 4, 4), -0.0, np.float32)
    assert np.signbit(F.avg_pool2d(x, 3, 1)).all()
    assert np.signbit(F.max_pool2d(x, 3, 1, 1)).all()


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize(("taps", "stride"), FEW)
def test_gradients_of_means(taps, stride, plane):
    """Every input gets what the windows have that it is in, in numbers that are exact."""
    for padding in {0, taps // 2}:
        x = values((2, *plane), "float64")
        pairs = [(one,) * 2 for one in (taps, stride, padding, 1)]
        grad_output = values(F.avg_pool2d(x, taps, stride, padding).shape, "float64")
        expected = np.zeros_like(x)
        for (row, column), (rows, columns) in reference.windows(plane, *pairs):
            expected[:, rows[:, None], columns] += grad_output[:, row, column, None, None]
        options = (taps, stride, padding)
        found = grad.avg_pool2d(grad_output, x, *options, divisor_override=1)
        assert_same(found, expected)
        found = grad.avg_pool2d(grad_output, x, *options)
        np.testing.assert_allclose(found, expected / taps**2, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("plane", "taps"),
    [((5000,), (31,)), ((40, 35), (9, 9)), ((20, 50), (3, 3)), ((6, 7, 35), (3, 1, 5))],
)
def test_gradients_that_are_the_same_pool(plane, taps):
    """Every input is in as many windows as its own window has inputs, fewer at the borders."""
    pairs = taps, (1,) * len(taps), tuple(one // 2 for one in taps), (1,) * len(taps)
    grad_output = values((2, *plane), "float64")
    expected = np.zeros_like(grad_output)
    for place, indices in reference.windows(plane, *pairs):
        expected[(slice(None), *np.ix_(*indices))] += grad_output[(slice(None), *place)].reshape(
            (-1,) + (1,) * len(taps)
        )
    of = getattr(grad, f"avg_pool{len(plane)}d")
    found = of(grad_output, np.zeros_like(expected), taps, 1, pairs[2])
    np.testing.assert_allclose(found, expected / np.prod(taps), rtol=1e-13, atol=1e-13)
    counted = of(grad_output, np.zeros_like(expected), taps, 1, pairs[2], count_include_pad=False)
    of_all = (slice(None), *(slice(2 * one, -2 * one or None) for one in pairs[2]))
    np.testing.assert_allclose(counted[of_all], found[of_all], rtol=1e-13, atol=1e-13)


def test_gradients_of_means_of_volumes():
    x = values((2, 6, 9, 37), "float64")
    for taps, stride in [(3, (2, 1, 1)), (2, 2)]:
        y = F.avg_pool3d(x, taps, stride)
        grad_output = values(y.shape, "float64")
        found = grad.avg_pool3d(grad_output, x, taps, stride)
        assert np.isclose((found * x).sum(), (y * grad_output).sum(), rtol=1e-12)


# Of 2 by 2: rows of fewer blocks than a vector has, of some vectors, and with a rest.
HALVED = [(4, 4), (5, 7), (2, 64), (33, 67), (28, 28), (6, 130)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("plane", HALVED)
def test_gradients_of_maxima_of_blocks(plane, dtype):
    """The first of equal maxima has the gradient, or the last NaN."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, (2, *plane)).astype(dtype)
    x[rng.random(x.shape) < 0.15] = np.nan
    x[rng.random(x.shape) < 0.1] = -np.inf
    for side in ("before", "after"):
        indices = reference.max_pool(x, (2, 2), (2, 2), (0, 0), (1, 1), False)[1].astype(np.int64)
        grad_output = values(indices.shape, dtype)
        expected = np.zeros((2, plane[0] * plane[1]), dtype)
        flat = (len(x), -1)
        np.put_along_axis(expected, indices.reshape(flat), grad_output.reshape(flat), 1)
        out = guarded(np.ones_like(x), side)
        operands = guarded(grad_output, side), guarded(x, side)
        assert_same(grad.max_pool2d(*operands, 2, out=out), expected.reshape(x.shape))


# How many elements are NaN, and what others are: the padding, or finite.
ONLY_SOME = [(0, 0), (0, -0.0), (0, -np.inf), (0.15, 0), (0.15, -np.inf)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "plane",
    [
        (1, 16),
        (2, 8),
        (2, 17),
        (5, 31),
        (33, 67),
        (8, 100),
        (3, 129),
        (14, 14),
        (5, 13),
        (3, 12),
        (4, 7),
    ],
)
def test_gradients_of_maxima_two_apart(plane, dtype):
    """Of 3 by 3: windows share rows and columns, their maxima too, and some lie at borders."""
    rng = np.random.default_rng(plane[1])
    windows = itertools.product((0, 1, (0, 1), (1, 0)), (False, True))
    for (padding, ceil_mode), (nans, least) in itertools.product(windows, ONLY_SOME):
        paddings = padding if isinstance(padding, tuple) else (padding, padding)
        if plane[0] + 2 * paddings[0] < 3:
            continue
        x = rng.integers(0, 5, (3, *plane)).astype(dtype)
        x[rng.random(x.shape) < nans] = np.nan
        x[rng.random(x.shape) < 0.3] = least
        indices = reference.max_pool(x, (3, 3), (2, 2), paddings, (1, 1), ceil_mode)[1]
        grad_output = values(indices.shape, dtype)
        expected = np.zeros((3, plane[0] * plane[1]), dtype)
        for k in range(3):
            np.add.at(expected[k], indices[k].astype(np.int64).ravel(), grad_output[k].ravel())
        for side in ("before", "after"):
            out = guarded(np.ones_like(x), side)
            operands = guarded(grad_output, side), guarded(x, side)
            found = grad.max_pool2d(*operands, 3, 2, padding, ceil_mode=ceil_mode, out=out)
            assert_same(found, expected.reshape(x.shape))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("padding", [0, 1])
def test_gradients_of_the_least_maxima(padding, dtype):
    """The least numbers are greater than the padding; sums of the greatest overflow."""
    size = np.finfo(dtype)
    for least, other in ((size.min, size.min), (size.min, size.max), (-np.inf, -np.inf)):
        x = np.full((1, 21, 70), least, dtype)
        x[:, ::5, ::7] = other
        y, indices = F.max_pool2d(x, 3, 2, padding, return_indices=True)
        found = grad.max_pool2d(np.ones_like(y), x, 3, 2, padding)
        expected = np.bincount(indices.ravel(), minlength=x.size).reshape(x.shape)
        assert np.array_equal(found, expected)


def test_gradients_of_one_plane_in_many():
    """Planes with NaN or infinities go another way, and change nothing of those around."""
    x = np.random.default_rng(0).standard_normal((9, 30, 41), np.float32)
    x[2, 3, 5], x[3, -1, -1], x[7] = np.nan, np.inf, -np.inf
    for padding in (0, 1):
        grad_output = values(F.max_pool2d(x, 3, 2, padding).shape)
        found = grad.max_pool2d(grad_output, x, 3, 2, padding)
        for plane in range(9):
            alone = slice(plane, plane + 1)
            expected = grad.max_pool2d(grad_output[alone], x[alone], 3, 2, padding)
            assert found[alone].tobytes() == expected.tobytes()
        with convx.threads(2):
            assert grad.max_pool2d(grad_output, x, 3, 2, padding).tobytes() == found.tobytes()


def test_gradients_of_maxima_have_no_negative_zeros():
    """A share of -0 is added to 0, wherever it goes."""
    x = np.random.default_rng(0).standard_normal((2, 30, 41), np.float32)
    for padding, of in itertools.product((0, 1), (-0.0, np.nan)):
        x[1, 4, 4] = of
        y = F.max_pool2d(x, 3, 2, padding)
        assert not np.signbit(grad.max_pool2d(np.full_like(y, -0.0), x, 3, 2, padding)).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("plane", HALVED)
def test_gradients_of_means_of_blocks(plane, dtype):
    x = values((2, *plane), dtype)
    for taps in (2, 3, 4, (2, 3), (4, 2)):
        rows, columns = (taps, taps) if isinstance(taps, int) else taps
        if rows > plane[0] or columns > plane[1]:
            continue
        grad_output = values(F.avg_pool2d(x, taps).shape, dtype)
        spread = grad_output.repeat(rows, 1).repeat(columns, 2) / x.dtype.type(rows * columns)
        expected = np.zeros_like(x)
        expected[:, : spread.shape[1], : spread.shape[2]] = spread
        for side in ("before", "after"):
            out = guarded(np.ones_like(x), side)
            found = grad.avg_pool2d(guarded(grad_output, side), x, taps, out=out)
            assert_same(found, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("plane", [(1, 1), (3, 5), (3, 6), (5, 7), (7, 7), (4, 4), (9, 33)])
def test_gradients_of_means_of_whole_planes(plane, dtype):
    x = values((3, 5, *plane), dtype)
    grad_output = values((3, 5, 1, 1), dtype)
    for side in ("before", "after"):
        out = guarded(np.ones_like(x), side)
        found = grad.adaptive_avg_pool2d(guarded(grad_output, side), x, 1, out=out)
        share = grad_output / x.dtype.type(plane[0] * plane[1])
        assert_same(found, np.broadcast_to(share, x.shape).copy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("taps", [2, 3, 4, (2, 3), (3, 4)])
def test_rows_of_gradients_of_means(taps, dtype):
    """Rows whose last vectors are whole, or run over into the next one, with and without a rest."""
    rows, columns = (taps, taps) if isinstance(taps, int) else taps
    for outputs, rest in itertools.product(
        [1, 2, 7, 8, 15, 16, 17, 33, 37, 48], [0, 1, columns - 1]
    ):
        x = values((2, 3 * rows + rest % rows, columns * outputs + rest), dtype)
        grad_output = values((2, 3, outputs), dtype)
        expected = np.zeros_like(x)
        spread = grad_output.repeat(rows, 1).repeat(columns, 2) / x.dtype.type(rows * columns)
        expected[:, : 3 * rows, : columns * outputs] = spread
        for side in ("before", "after"):
            out = guarded(np.ones_like(x), side)
            found = grad.avg_pool2d(guarded(grad_output, side), x, taps, out=out)
            assert_same(found, expected)


def sums_alone(x):
    """Of each plane by itself, without any others to be added up with it."""
    flat = x.reshape(-1, *x.shape[-2:])
    return np.array([F.adaptive_avg_pool2d(one[None], 1)[0, 0, 0] for one in flat])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "plane", [(2, 7), (4, 4), (1, 17), (3, 6), (1, 19), (4, 8), (7, 7), (5, 10), (8, 8), (14, 14)]
)
def test_means_of_whole_planes(plane, dtype):
    """Eight at a time, and what is left, have the bits of one alone; nothing else is read."""
    rng = np.random.default_rng(plane[1])
    for planes, side in itertools.product((1, 7, 8, 9, 16, 29), ("before", "after")):
        x = guarded(rng.standard_normal((planes, 1, *plane)).astype(dtype), side)
        if planes > 8:
            x[3], x[4, 0, 0, 0], x[5, 0, -1, -1], x[6] = -0.0, np.inf, np.nan, -np.inf
        found = F.adaptive_avg_pool2d(x, 1)
        assert found.tobytes() == sums_alone(x).tobytes()
        np.testing.assert_allclose(
            found.ravel(), x.astype("float64").mean((1, 2, 3)), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("width", [224, 200, 75])
def test_large_gradients(width):
    """What is stored past the caches is what a plane alone has."""
    x = np.random.default_rng(0).standard_normal(
        (1 + 2**22 // (160 * width), 160, width), np.float32
    )
    x[len(x) // 2, 7, 9] = np.nan
    pools = (F.max_pool2d, grad.max_pool2d), (F.avg_pool2d, grad.avg_pool2d)
    for (pool, gradient), options in itertools.product(pools, [(2,), (3, 2, 1)]):
        grad_output = pool(x, *options)
        whole = gradient(grad_output, x, *options)
        for plane in (0, len(x) // 2, len(x) - 1):
            alone = slice(plane, plane + 1)
            assert_same(whole[alone], gradient(grad_output[alone], x[alone], *options))
    volume = x[None, : len(x) // 4 * 4]
    grad_output = F.avg_pool3d(volume, 2)
    found = grad.avg_pool3d(grad_output, volume, 2)
    expected = grad_output.repeat(2, 1).repeat(2, 2).repeat(2, 3) / np.float32(8)
    assert_same(found[..., : expected.shape[-1]], expected)
    assert not found[..., expected.shape[-1] :].any()
