"""The linear layer, and convolutions as matrices."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import strategies as st
from support import (
    MODES,
    assert_same,
    check_bits,
    guarded,
    randomly,
    small_integers,
    values,
)
from torch_samples import check_gradients, check_samples

from convx import functional as F
from convx import grad, reference
from convx._core._driver import instruction_sets


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int64", "int8"])
def test_samples(dtype):
    check_samples("nn.functional.linear", F.linear, dtype)


def test_gradients_of_samples():
    check_gradients("nn.functional.linear", grad.linear)


@pytest.mark.parametrize("shape", [(5,), (0, 5), (3, 5), (2, 3, 5), (1, 2, 1, 5)])
@pytest.mark.parametrize("dtype", ["float32", "complex128", "int16", "float16"])
def test_against_the_reference(shape, dtype):
    rng = np.random.default_rng(0)
    x, w, b = (small_integers(rng, one).astype(dtype) for one in (shape, (4, 5), (4,)))
    assert_same(F.linear(x, w, b), reference.linear(x, w, b))
    assert_same(F.linear(x, w), reference.linear(x, w))
    assert_same(np.asarray(F.linear(x, w[0], b[0])), np.asarray(reference.linear(x, w, b)[..., 0]))


def test_gradients_are_adjoints():
    rng = np.random.default_rng(1)
    x, w, b = (small_integers(rng, one) for one in ((2, 3, 5), (4, 5), (4,)))
    y = small_integers(rng, (2, 3, 4))
    dx, dw, db = grad.linear(y, x, w, b)
    assert (dx.shape, dw.shape, db.shape) == (x.shape, w.shape, b.shape)
    assert (F.linear(x, w) * y).sum() == (dx * x).sum() == (dw * w).sum()
    assert (y * b).sum() == (db * b).sum()
    assert grad.linear(y, x, w)[2] is None
    dx, dw, db = grad.linear(y[..., 0], x, w[0], b[0])
    assert (dx.shape, dw.shape, db.shape) == (x.shape, (5,), ())


def test_a_convolution_of_one_tap():
    rng = np.random.default_rng(2)
    x, w = small_integers(rng, (2, 5, 3, 4)), small_integers(rng, (4, 5))
    by_pixel = F.linear(np.moveaxis(x, 1, -1), w)
    assert_same(np.moveaxis(by_pixel, -1, 1).copy(), F.conv2d(x, w[:, :, None, None]))


def test_mixed_dtypes_layouts_and_out():
    rng = np.random.default_rng(3)
    x, w = values(rng, (3, 5)), values(rng, (4, 5))
    expected = F.linear(x, w)
    for same in (np.asfortranarray(x), x.astype(">f8"), x.tolist(), x[::-1].copy()[::-1]):
        assert_same(F.linear(same, w), expected)
    assert F.linear(x.astype("f4"), w).dtype == np.float64
    for out in (np.empty((3, 4)), np.empty((4, 3)).T):
        assert F.linear(x, w, out=out) is out
        assert_same(out.copy(), expected)
    square = values(rng, (4, 4))
    expected = F.linear(square, square)
    assert F.linear(square, square, out=square) is square
    assert_same(square, expected)


def test_half_precision_is_rounded_once():
    x = np.ones((1, 2049), np.float16)
    assert F.linear(x, x)[0, 0] == np.float16(2049)


# The kernel of matrices

# Items, inputs, outputs: blocks of rows and of columns that are whole or not, several pieces.
MODERATE = [(16, 16, 1), (17, 40, 10), (32, 84, 120), (33, 129, 65), (20, 400, 70), (19, 250, 200)]
MODERATE += [(47, 300, 121)]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(("items", "inputs", "outputs"), MODERATE)
def test_moderate_matrices_are_exact(items, inputs, outputs, dtype):
    rng = np.random.default_rng(items)
    for before in ((items,), (4, -(-items // 4))):
        x = (small_integers(rng, (*before, inputs)) % 4).astype(dtype)
        w = (small_integers(rng, (outputs, inputs)) % 4).astype(dtype)
        b, dy = small_integers(rng, (outputs,)).astype(dtype), None
        for _ in range(2):  # the second call goes a short way
            y = F.linear(x, w, b)
            assert_same(y, reference.linear(x, w, b))
            assert_same(F.linear(x, w), reference.linear(x, w))
            dy = y % 3 if dy is None else dy
            dx, dw, db = grad.linear(dy, x, w, b)
            rows, slopes = x.reshape(-1, inputs), dy.reshape(-1, outputs)
            assert_same(dx, (dy.astype(float) @ w).astype(dtype))
            assert_same(dw, (slopes.T.astype(float) @ rows).astype(dtype))
            assert_same(db, slopes.sum(0, dtype=float).astype(dtype))
            without = grad.linear(dy, x, w, input_gradient=False)
            assert without[0] is without[2] is None
            assert_same(without[1], dw)
            y[...] = dx[...] = dw[...] = 7  # results are nobody else's
        one = grad.linear(dy[..., 0], x, w[0], b[0])
        assert_same(one[0], grad.linear(dy[..., :1], x, w[:1])[0])
        assert_same(one[1], (slopes[:, 0].astype(float) @ rows).astype(dtype))
        assert_same(F.linear(x, w[0], b[0]), np.ascontiguousarray(F.linear(x, w, b)[..., 0]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_moderate_matrices_touch_nothing_else(side, dtype):
    rng = np.random.default_rng(0)
    for items, inputs, outputs in MODERATE:
        x, w, b = (
            values(rng, one, dtype) for one in ((items, inputs), (outputs, inputs), (outputs,))
        )
        dy = values(rng, (items, outputs), dtype)
        x, w, b, dy = (guarded(one, side) for one in (x, w, b, dy))
        close = {"rtol": 0, "atol": 1e-4 if dtype == "float32" else 1e-12}
        np.testing.assert_allclose(F.linear(x, w, b), reference.linear(x, w, b), **close)
        dx, dw, _ = grad.linear(dy, x, w, b)
        np.testing.assert_allclose(dx, dy @ w, **close)
        np.testing.assert_allclose(dw, dy.T @ x, **close)


def everything():
    """The bytes of products that have pieces for several threads."""
    rng = np.random.default_rng(0)
    told = []
    for dtype, items in product(("float32", "float64"), (32, 40)):
        x, w, b = (values(rng, one, dtype) for one in ((items, 700), (300, 700), (300,)))
        y = F.linear(x, w, b)
        told += [y, *grad.linear(y, x, w, b)]
    return b"".join(one.tobytes() for one in told)


def test_bits_of_moderate_matrices():
    check_bits(everything, {"avx2", "avx512"} & set(instruction_sets()))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whichever_matrix_is_turned_sums_are_the_same(dtype):
    """Of few items the items are turned, of many the weights."""
    rng = np.random.default_rng(0)
    x, w, b = (values(rng, one, dtype) for one in ((256, 230), (90, 230), (90,)))
    assert_same(F.linear(x[:32], w, b), F.linear(x, w, b)[:32])


def test_moderate_matrices_keep_what_is_not_finite_in_its_row():
    x, w = np.ones((20, 24), np.float32), np.ones((30, 24), np.float32)
    x[3, 5], w[7, 23] = np.nan, np.inf
    y = F.linear(x, w)
    assert np.isnan(y[3]).all()
    assert (y[:, 7][np.arange(20) != 3] == np.inf).all()
    assert np.isfinite(np.delete(np.delete(y, 3, 0), 7, 1)).all()


def test_arrays_are_checked_every_time():
    x, w, b = np.ones((20, 24)), np.ones((30, 24)), np.ones(30)
    dy = np.ones((20, 30))
    for _ in range(3):
        F.linear(x, w, b)
        grad.linear(dy, x, w, b)
        with pytest.raises(ValueError, match="input must have 24 features"):
            F.linear(x[:, :23], w, b)
        with pytest.raises(ValueError, match="bias must have shape"):
            grad.linear(dy, x, w, b[:29])
        with pytest.raises(ValueError, match="grad_output must have shape"):
            grad.linear(dy[:19], x, w, b)
        with pytest.raises(TypeError, match="input_gradient"):
            grad.linear(dy, x, w, b, input_gradient=1)
        assert_same(F.linear(x[:, ::-1], w.astype(">f8"), b), F.linear(x, w, b))


# Matrices of convolutions


def test_a_kernel_of_3_by_3_over_4_by_4():
    matrix = F.convolution_matrix(np.arange(1, 10).reshape(3, 3), (4, 4))
    assert matrix.tolist() == [
        [1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 0, 0, 0, 0],
        [0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0],
        [0, 0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9],
    ]


@st.composite
def matrices(draw):
    """A weight's shape, sizes, and options."""
    axes, groups = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    options = {
        name: tuple(draw(st.integers(*bounds)) for _ in range(axes))
        for name, bounds in (("stride", (1, 3)), ("padding", (0, 4)), ("dilation", (1, 2)))
    }
    kernel = [draw(st.integers(1, 3)) for _ in range(axes)]
    sizes = [
        draw(st.integers(max(1, d * (k - 1) + 1 - 2 * p), 5))
        for k, d, p in zip(kernel, options["dilation"], options["padding"])
    ]
    filters, within = groups * draw(st.integers(1, 2)), draw(st.integers(1, 2))
    options |= {"groups": groups, "padding_mode": draw(st.sampled_from(list(MODES)))}
    return (filters, within, *kernel), tuple(sizes), options


@randomly(200, case=matrices(), dtype=st.sampled_from(["float64", "int32", "complex64"]))
def test_matrices_against_the_reference(case, dtype):
    shape, sizes, options = case
    rng = np.random.default_rng(4)
    w = small_integers(rng, shape).astype(dtype)
    matrix = F.convolution_matrix(w, sizes, **options)
    assert_same(matrix, np.ascontiguousarray(reference.convolution_matrix(w, sizes, **options)))
    x = small_integers(rng, (shape[1] * options["groups"], *sizes)).astype(dtype)
    # Sums of small integers are exact in whatever order, but not by way of Winograd's fractions.
    y = F.conv_nd(x, w, **options, algorithm="direct")
    np.testing.assert_array_equal(matrix @ x.ravel(), y.ravel())
    given, padding_mode = list(options.values())[:4], options["padding_mode"]
    back = grad.conv_nd_input(x.shape, w, y, *given, padding_mode=padding_mode, algorithm="direct")
    np.testing.assert_array_equal(matrix.T @ y.ravel(), back.ravel())


@randomly(100, case=matrices())
def test_sparse_matrices(case):
    shape, sizes, options = case
    w = np.random.default_rng(5).integers(1, 9, shape)
    dense = F.convolution_matrix(w, sizes, **options)
    (data, indices, indptr), (rows, columns) = F.convolution_matrix(
        w, sizes, sparse=True, **options
    )
    assert dense.shape == (rows, columns)
    assert len(indptr) == rows + 1
    assert len(data) == len(indices) == indptr[-1] == (dense != 0).sum()
    again = np.zeros_like(dense)
    for row, (first, end) in enumerate(pairwise(indptr)):
        assert (np.diff(indices[first:end]) > 0).all()
        again[row, indices[first:end]] = data[first:end]
    assert_same(again, dense)


def test_scipy_takes_sparse_matrices():
    sparse = pytest.importorskip("scipy.sparse")
    w = np.random.default_rng(6).standard_normal((4, 3, 3, 3))
    matrix = sparse.csr_array(*F.convolution_matrix(w, (9, 8), padding=1, sparse=True))
    x = np.random.default_rng(7).standard_normal((3, 9, 8))
    y = F.conv2d(x, w, padding=1)
    np.testing.assert_allclose(matrix @ x.ravel(), y.ravel(), rtol=1e-12, atol=1e-12)
    back = F.conv_transpose2d(y, w, padding=1)
    np.testing.assert_allclose(matrix.T @ y.ravel(), back.ravel(), rtol=1e-12, atol=1e-12)
    assert matrix.has_canonical_format


def test_same_and_pairs():
    assert F.convolution_matrix([1, 2, 3], (3,), padding="same").tolist() == [
        [2, 3, 0],
        [1, 2, 3],
        [0, 1, 2],
    ]
    assert F.convolution_matrix([1, 10], (2,), padding=((2, 0),)).tolist() == [
        [0, 0],
        [10, 0],
        [1, 10],
    ]
