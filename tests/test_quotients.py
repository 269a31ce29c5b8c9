"""Sums of windows are divided to the bits of a division, however that is computed."""

import numpy as np
import pytest
from support import run_python

from convx import functional as F
from convx import grad

# Odd integers, which may be corrected products, powers of 2, and what is neither.
DIVISORS = [3, 5, 7, 9, 11, 15, 25, 27, 49, 121, 3 * 5 * 7 * 11, 2**16 - 1]
OTHERS = [1, 2, 64, 6, 10, 12, 2**16 + 1, 2**24 - 1]


def numbers(dtype, divisor):
    """Numbers hard to divide: of every size, and close to what lies between two quotients."""
    rng = np.random.default_rng(divisor)
    info = np.finfo(dtype)
    bits = rng.integers(0, 2 ** (info.bits - 1), 4000, np.uint64).astype(f"u{info.bits // 8}")
    exponents = rng.integers(info.minexp - info.nmant, info.maxexp - 1, 4000)
    quotients = np.ldexp(rng.uniform(1, 2, 4000), exponents).astype(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        halfway = quotients * dtype(divisor)
        above = np.nextafter(halfway, dtype(np.inf))
        steps = rng.integers(-divisor, divisor + 1, 4000)
        between = (above + np.spacing(above) * steps).astype(dtype)
    tiny = info.smallest_subnormal * np.arange(1200, dtype=dtype)
    normal = np.nextafter(info.tiny * dtype(divisor), dtype([[0], [np.inf]])).ravel()
    special = np.array([0, info.max, info.tiny, info.eps, np.inf, np.nan, 1, divisor], dtype)
    parts = [bits.view(dtype), halfway, above, between, tiny, normal, special]
    all_of_them = np.concatenate([*parts, np.arange(2000, dtype=dtype)])
    return np.concatenate([all_of_them, -all_of_them])


def assert_same_bits(found, expected):
    """NaN may be any; zeros have their sign."""
    assert found.dtype == expected.dtype
    numbers_only = ~np.isnan(expected)
    assert np.array_equal(np.isnan(found), ~numbers_only)
    kind = f"u{found.itemsize}"
    assert np.array_equal(found[numbers_only].view(kind), expected[numbers_only].view(kind))


def alone(x, rows, step):
    """A picture that has `x` in its second row, `step` columns apart, and else -0."""
    picture = np.full((1, rows, step * x.size), -0.0, x.dtype)
    picture[0, 1, 1::step] = x
    return picture


def means(x, divisor):
    """Means of windows that have one number each, besides -0, which changes no sum."""
    blocks = alone(x, 3, 3)
    yield F.avg_pool2d(blocks, 3, divisor_override=divisor)[0, 0]
    yield F.avg_pool2d(blocks, (2, 3), divisor_override=divisor)[0, 0]
    around = F.avg_pool2d(alone(x, 4, 3), 3, 1, 1, divisor_override=divisor)
    yield around[0, 1, 1::3]
    yield around[0, 2, 1::3]
    yield F.avg_pool2d(blocks, 3, 1, divisor_override=divisor)[0, 0, ::3]
    yield F.avg_pool2d(alone(x, 3, 4), 3, 2, divisor_override=divisor)[0, 0, ::2]
    yield F.avg_pool2d(alone(x, 2, 2), 2, divisor_override=divisor)[0, 0]
    yield F.avg_pool3d(blocks[None], (1, 3, 3), divisor_override=divisor)[0, 0, 0]
    yield F.avg_pool3d(alone(x, 3, 4)[None], (1, 3, 4), divisor_override=divisor)[0, 0, 0]
    narrow = np.ascontiguousarray(blocks.reshape(3, -1, 6).swapaxes(0, 1))
    yield F.avg_pool2d(narrow, (2, 3), (1, 3), divisor_override=divisor)[:, 0].ravel()


def gradients(x, divisor):
    """Of windows in whose midst there is an element that no other window has."""
    grad_output = x.reshape(1, 1, -1)
    picture = np.zeros((1, 3, 2 * x.size + 1), x.dtype)
    yield grad.avg_pool2d(grad_output, picture, 3, 2, divisor_override=divisor)[0, 1, 1::2]
    yield grad.avg_pool2d(grad_output, picture[:, :, 1:], (3, 2), divisor_override=divisor)[
        0, 0, ::2
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("divisor", DIVISORS + OTHERS)
def test_quotients(divisor, dtype):
    x = numbers(dtype, divisor)
    with np.errstate(all="ignore"):
        expected = x / dtype(divisor)
    for found in [*means(x, divisor), *gradients(x, divisor)]:
        assert_same_bits(found, expected)


def around(x, rows, row, divisor):
    """Means around every element of pictures with `x` in one row, three columns apart, and else -0.

    The pictures are small enough for their rows to go together.
    """
    pictures = np.full((x.size // 50, rows, 150), -0.0, x.dtype)
    pictures[:, row, 1::3] = x.reshape(-1, 50)
    return F.avg_pool2d(pictures[None], 3, 1, 1, divisor_override=divisor)[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("divisor", [3, 9, 121, 2**16 - 1, 8, 6])
def test_quotients_around_every_element(divisor, dtype):
    """Pairs of rows at the borders and inside, an even and an odd number of them."""
    x = numbers(dtype, divisor)
    x = x[: x.size // 50 * 50]
    with np.errstate(all="ignore"):
        expected = (x / dtype(divisor)).repeat(3).reshape(-1, 1, 150)
    for rows, row in [(3, 0), (3, 1), (4, 3), (7, 3), (7, 6), (8, 2), (8, 5)]:
        found = around(x, rows, row, divisor)[..., 1:-1]
        near = slice(max(0, row - 1), row + 2)
        there = np.broadcast_to(expected[..., 1:-1], found[:, near].shape)
        assert_same_bits(np.ascontiguousarray(found[:, near]), np.ascontiguousarray(there))
        others = np.delete(found, near, axis=1)
        assert_same_bits(others, np.full_like(others, -0.0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_number_that_underflows(dtype):
    """Wherever it is, all quotients are rounded once, and so are those of the planes after it."""
    x = np.random.default_rng(0).standard_normal((3, 20, 50)).astype(dtype)
    sums = F.avg_pool2d(x, 3, 1, 1, divisor_override=1)
    for place in ((0, 0, 7), (1, 10, 49), (2, 19, 20)):
        for part in range(64):
            tiny = np.zeros_like(x)
            tiny[place] = np.ldexp(1 + part / 64, np.finfo(dtype).minexp + 4)
            found = F.avg_pool2d(tiny, 3, 1, 1)
            assert_same_bits(found, F.avg_pool2d(tiny, 3, 1, 1, divisor_override=1) / dtype(9))
        assert_same_bits(F.avg_pool2d(x, 3, 1, 1), sums / dtype(9))


def test_numbers_are_hard():
    """A product with the inverse alone differs for many."""
    for divisor in DIVISORS:
        x = numbers(np.float32, divisor)
        with np.errstate(all="ignore"):
            quotient = x / np.float32(divisor)
            product = x * (1 / np.float32(divisor))
        assert np.count_nonzero((product != quotient) & ~np.isnan(quotient)) > 100


ON_ANOTHER_ISA = """
import numpy as np
import test_quotients

for dtype in (np.float32, np.float64):
    for divisor in (3, 9, 65535):
        test_quotients.test_quotients(divisor, dtype)
        test_quotients.test_quotients_around_every_element(divisor, dtype)
print("the same")
"""


@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
def test_instruction_sets(isa):
    try:
        said = run_python(ON_ANOTHER_ISA, CONVX_ISA=isa)
    except AssertionError as error:
        if "CONVX_ISA" in str(error):
            pytest.skip(f"no {isa}")
        raise
    assert said.split() == ["the", "same"]
