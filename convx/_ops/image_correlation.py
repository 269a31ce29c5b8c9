"""Correlation of images with kernels of their rank.

As filters along axes, by the engine of the convolutions, or in SciPy's order where that decides the
integers that come out.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from convx._engine import dtypes, execution
from convx._engine.dtypes import AnyArray
from convx._engine.passes import Pass
from convx._ops import filters, footprint, separable

# How many multiply-adds of a whole kernel cost as much as one of its factors, if it is a product of
# one for each axis.
SEPARATED_COST = 3
# Elements from which a kernel can cost so much: 3×3×3.
LEAST_SEPARATED = 27
# Elements of a kernel of integers up to which sums of bytes are computed modulo 256, tap by tap.
MOST_BYTE_TAPS = 100
# Elements up to which a kernel's places are kept for the next call.
MOST_KEPT_TAPS = 1024
# Relative error of the product of the factors, in units of the rounding of single precision.
SEPARABLE = {"float32": 2e-7, "float64": 4e-16}


def correlate(
    x: AnyArray,
    weights: AnyArray,
    axes: Sequence[int],
    lows: Sequence[int],
    border: str,
    fill: float,
    out: AnyArray,
    dilation: Sequence[int] = (),
    stride: Sequence[int] = (),
    accumulate: np.dtype[np.float64] | None = None,
    shortcut: filters.Shortcut | None = None,
    key: separable.Key = None,
) -> AnyArray:
    """Correlate along axes, ascending, with weights in double precision; returns ``out``.

    A ``shortcut`` is for calls like this one, whose arrays it has in the type of the result; the
    ``key`` for those of bytes.
    """
    dilation, stride = (tuple(one) or (1,) * len(axes) for one in (dilation, stride))
    small = x.dtype == np.float32 or (x.dtype.kind in "iub" and x.dtype.itemsize <= 2)
    single = small and accumulate is None
    if out.size == 0:
        return out
    dtype = out.dtype.newbyteorder("=")
    if dtype.kind == "f":
        computed = np.dtype(np.float32 if single and dtype == np.float32 else np.float64)
    elif _is_exact(x, weights, fill, 2**24) and single:
        if _fit_bytes(x, weights, fill, dtype) and max(stride, default=1) == 1:
            return _in_order(
                x, weights, axes, lows, border, fill, out, dilation, is_modular=True, key=key
            )
        computed = np.dtype(np.float32)
    elif _is_exact(x, weights, fill, 2**53):
        computed = np.dtype(np.float64)
    else:
        if max(stride, default=1) == 1:
            return _in_order(x, weights, axes, lows, border, fill, out, dilation)
        whole = _in_order(x, weights, axes, lows, border, fill, np.empty(x.shape, dtype), dilation)
        steps = footprint.spread(stride, axes, x.ndim, 1)
        return execution.deliver(whole[tuple(slice(None, None, one) for one in steps)], out)
    if out.dtype.kind == "f" and max(stride, default=1) == 1:
        factors = separated(weights, computed, border, fill)
        if factors is not None:
            passes = [
                Pass(axis, "weights", len(one), low * gap, border, tuple(one.tolist()), gap)
                for axis, one, low, gap in zip(axes, factors, lows, dilation)
            ]
            return separable.filtered(x, passes, fill, out, accumulate)
    pads = tuple(
        (low * gap, (taps - 1 - low) * gap) for taps, low, gap in zip(weights.shape, lows, dilation)
    )
    kernel = np.ascontiguousarray(weights, computed)
    if shortcut is not None and out.dtype == x.dtype and shortcut.call[1] is x:
        kernel = shortcut.kernel
    else:
        shortcut = None
    result = filters.correlate(
        x.astype(computed, copy=False),
        kernel,
        tuple(axes),
        pads,
        (border,) * len(axes),
        constant=fill,
        stride=stride,
        dilation=dilation,
        out=out if out.dtype == computed else None,
        shortcut=shortcut,
    )
    if result is out or execution.is_recording():
        return out
    if computed == np.float32 and dtype.kind in "iu":  # whole numbers that int32 holds
        result = result.astype(np.int32)
    out[...] = dtypes.cast_like_c(result, dtype)
    return out


def pays_separated(sizes: tuple[int, ...]) -> bool:
    """Tell whether a kernel of these sizes should be separated, if it is a product."""
    return len(sizes) > 1 and math.prod(sizes) >= SEPARATED_COST * sum(sizes)


def _may_be_product(weights: AnyArray, place: tuple[np.intp, ...]) -> bool:
    """Tell whether four elements, one of them the largest, are as in a product; few others are."""
    plane, (row, column) = weights[place[:-2]], place[-2:]
    pairs = (row, column), (row - 1, column - 1), (row, column - 1), (row - 1, column)
    largest, across, beside, above = (float(plane[pair]) for pair in pairs)
    return abs(largest * across - beside * above) <= 1e-6 * largest * largest


def separated(
    weights: AnyArray, dtype: np.dtype[np.generic], border: str, fill: float
) -> list[AnyArray] | None:
    """Return one factor for each axis, if the kernel is their product and it pays to use them."""
    if not pays_separated(weights.shape) or (border == "constant" and fill != 0):
        return None
    sizes = weights.shape
    place = np.unravel_index(np.abs(weights).argmax(), sizes)
    largest = weights[place]
    if largest == 0 or not _may_be_product(weights, place) or not np.isfinite(weights).all():
        return None
    factors = []
    for axis in range(weights.ndim):
        line = tuple(slice(None) if one == axis else place[one] for one in range(weights.ndim))
        factors.append(weights[line] / (largest if axis else 1))
    product = factors[0]
    for one in factors[1:]:
        product = np.multiply.outer(product, one)
    off = np.abs(product - weights).max()
    return factors if off <= SEPARABLE[dtype.name] * abs(largest) else None


def _is_exact(x: AnyArray, weights: AnyArray, fill: float, limit: float) -> bool:
    """Tell whether all sums are integers below a limit, in whichever order they are taken."""
    if x.dtype.kind not in "iub" or not float(fill).is_integer():
        return False
    if not (np.isfinite(weights).all() and (weights == np.rint(weights)).all()):
        return False
    if x.dtype.kind == "b":
        largest = 1.0
    elif x.dtype.itemsize <= 4:
        bounds = np.iinfo(x.dtype)
        largest = float(max(abs(bounds.min), bounds.max))
    else:
        largest = max(abs(float(x.max())), abs(float(x.min())))
    return bool(np.abs(weights).sum() * max(largest, abs(fill)) < limit)


def _fit_bytes(x: AnyArray, weights: AnyArray, fill: float, dtype: np.dtype[np.generic]) -> bool:
    """Tell whether sums of integers may be computed modulo 256."""
    return x.dtype == dtype == np.uint8 and weights.size <= MOST_BYTE_TAPS and 0 <= fill < 256


@lru_cache(64)
def _taps(
    weights: bytes, shape: tuple[int, ...], axes: tuple[int, ...], gaps: tuple[int, ...], ndim: int
) -> tuple[AnyArray, AnyArray]:
    """Return the places of a kernel's elements that are not as good as 0, and these."""
    kernel = np.frombuffer(weights, np.float64).reshape(shape)
    taps = np.argwhere(np.abs(kernel) > np.finfo(float).eps)
    every = np.zeros((len(taps), ndim), np.int64)
    every[:, list(axes)] = taps * np.array(gaps)
    return every, kernel[tuple(taps.T)]


def _in_order(
    x: AnyArray,
    weights: AnyArray,
    axes: Sequence[int],
    lows: Sequence[int],
    border: str,
    fill: float,
    out: AnyArray,
    dilation: Sequence[int],
    *,
    is_modular: bool = False,
    key: separable.Key = None,
) -> AnyArray:
    """Correlate in SciPy's order, which leaves out weights that are as good as 0.

    That is of no concern to integers that are computed modulo 256.
    """
    find_taps = _taps if weights.size <= MOST_KEPT_TAPS else _taps.__wrapped__
    given = weights.tobytes(), weights.shape, tuple(axes), tuple(dilation), x.ndim
    every, chosen = find_taps(*given)
    if not len(every):
        if not execution.is_recording():
            out[...] = 0
        return out
    gaps = dict(zip(axes, dilation))
    all_lows = footprint.spread([low * gaps[a] for low, a in zip(lows, axes)], axes, x.ndim, 0)
    return footprint.combined(
        x, "weights", every, chosen, all_lows, border, fill, out, is_modular=is_modular, key=key
    )
