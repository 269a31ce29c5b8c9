"""Correlations with kernels that are large beside the tiles of the plan: by great tiles."""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from convx._core import _spectral
from convx._engine import costs, execution, great_tiles, machine
from convx._engine.dtypes import AnyArray
from convx._engine.great_tiles import GreatAxis, GreatTiling, Plane
from convx._engine.plan import estimates
from convx._engine.threads import WORK_PER_THREAD, get_num_threads
from convx._ops import whole
from convx._ops.correlation import Correlation

LEAST_TAPS = 32  # from which they are looked at
MANY_TAPS = 4096  # from which a plan is not made to be compared
MOST_KEPT = 64
SIZED_TAPS = 7, 7  # of a plane: direct sums of them have a function of their own


class Great(NamedTuple):
    """A correlation by great tiles."""

    plane: Plane
    tiling: GreatTiling


class Whole(NamedTuple):
    """A correlation by transforms of the whole arrays."""

    points: int
    cost: float


How = Great | Whole | None


@lru_cache(256)
def planned(of: Correlation, borders: tuple[str, ...], dtype: np.dtype[Any]) -> How:
    """Return how items of one channel are correlated; None if the plan is better."""
    if of.options.algorithm == "direct" or math.prod(of.options.kernel) < LEAST_TAPS:
        return None
    if np.empty(0, dtype).real.dtype.kind != "f":
        return None
    costs_of = ways(of, borders, dtype)
    return min(costs_of, key=costs_of.__getitem__)


def ways(of: Correlation, borders: tuple[str, ...], dtype: np.dtype[Any]) -> dict[How, float]:
    """Return the ways to correlate items of one channel, that of the plan first, with costs."""
    real, parts = np.empty(0, dtype).real.dtype.name, 2 if dtype.kind == "c" else 1
    found: dict[How, float] = {None: _planned_cost(of, real, parts)}
    plane = _plane(of, borders, real, parts)
    tiling = None if plane is None else great_tiles.choose(plane)
    if plane is not None and tiling is not None:
        found[Great(plane, tiling)] = tiling.cost
    plain = all(window.stride == window.dilation == 1 for window in of.windows)
    if plain and set(borders) == {"zeros"}:
        sizes = [whole.smooth(window.size + window.kernel - 1) for window in of.windows]
        points = math.prod(sizes) * parts
        cost = costs.WHOLE * points * math.log2(points)
        found[Whole(points, cost)] = cost
    return found


def run(
    of: Correlation, how: Great | Whole, x: AnyArray, kernel: AnyArray, out: AnyArray | None
) -> AnyArray | None:
    """Correlate as planned; None where an output is not finite, which a transform spreads."""
    if isinstance(how, Whole):
        return _run_whole(of, how, x, kernel)
    found, tiling = how
    work = round(tiling.cost) * of.batch
    threads = max(1, min(get_num_threads(), work // WORK_PER_THREAD))
    tiles = _tiles(found, tiling)
    execution.note("fft", work, tiles.workspace_bytes(threads), threads)
    if execution.is_recording():
        return np.broadcast_to(np.zeros((), np.result_type(x, kernel)), of.output_shape)
    items = np.ascontiguousarray(x).reshape(-1, *found.size)
    weight = np.ascontiguousarray(kernel).reshape(found.kernel)
    result = _correlated(tiles, items, weight, (len(items), *found.outputs), threads, out)
    return None if result is None else result.reshape(of.output_shape)


def _correlated(
    tiles: _spectral.GreatTiles,
    x: AnyArray,
    kernel: AnyArray,
    shape: tuple[int, ...],
    threads: int,
    out: AnyArray | None,
) -> AnyArray | None:
    dtype, isa = np.result_type(x, kernel), machine.ISA
    if dtype.kind != "c":
        result = execution.target(out, shape, dtype, x, kernel)
        return result if tiles.run(isa, x, None, kernel, None, result, None, threads) else None
    (x_real, x_imaginary), (w_real, w_imaginary) = (
        [np.ascontiguousarray(one.real), np.ascontiguousarray(one.imag)] for one in (x, kernel)
    )
    real, imaginary = np.empty((2, *shape), x_real.dtype)
    if not tiles.run(isa, x_real, x_imaginary, w_real, -w_imaginary, real, imaginary, threads):
        return None
    whole = np.empty(shape, dtype)
    whole.real, whole.imag = real, imaginary
    return whole


def _plane(of: Correlation, borders: tuple[str, ...], dtype: str, parts: int) -> Plane | None:
    """Return an item as rows and columns, if it is so; axes before the first kernel are items."""
    axes = [axis for axis, taps in enumerate(of.options.kernel) if taps > 1]
    if any(window.stride > 1 or window.dilation > 1 for window in of.windows):
        return None
    found = [
        GreatAxis(window.size, window.kernel, window.pad_low, window.pad_high, border)
        for window, border in zip(of.windows, borders)
    ]
    if any(axis.kernel == 1 and axis.low + axis.high for axis in found):
        return None
    last = len(found) - 1
    if axes[-1] < last:
        if len(axes) > 1:
            return None
        columns = math.prod(axis.size for axis in found[axes[0] + 1 :])
        return Plane((found[axes[0]],), GreatAxis(columns), dtype, parts)
    return Plane(tuple(found[axes[0] : last]), found[last], dtype, parts)


def _run_whole(of: Correlation, how: Whole, x: AnyArray, kernel: AnyArray) -> AnyArray | None:
    dtype = np.result_type(x, kernel)
    execution.note("fft", round(how.cost) * of.batch, 3 * how.points * dtype.itemsize * of.batch, 1)
    if execution.is_recording():
        return np.broadcast_to(np.zeros((), dtype), of.output_shape)
    axes = tuple(range(2, x.ndim))
    pads = [(window.pad_low, window.pad_high) for window in of.windows]
    result = whole.correlate(x, kernel, axes, pads, of.output_shape)
    return result if np.isfinite(result).all() else None


def _planned_cost(of: Correlation, dtype: str, parts: int) -> float:
    """What the plan would do costs for an item: of many taps, what their products do at least."""
    taps = math.prod(of.options.kernel)
    if taps > MANY_TAPS:
        return float(taps * math.prod(of.outputs) * parts**2)
    known = _estimates(of, dtype)
    if of.options.algorithm != "auto":
        known = {name: cost for name, cost in known.items() if name == of.options.algorithm}
    if of.options.kernel[-2:] == SIZED_TAPS and taps == math.prod(SIZED_TAPS) and "direct" in known:
        known = {**known, "direct": costs.SIZED * known["direct"]}
    return parts**2 * min(known.values(), default=math.inf) / max(of.batch, 1)


@lru_cache(MOST_KEPT)
def _estimates(of: Correlation, dtype: str) -> dict[str, float]:
    """What the algorithms of the plan cost for contiguous arrays."""
    shape = of.input_shape
    strides = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    return estimates(of.plan("forward", strides, dtype, 1))


@lru_cache(MOST_KEPT)
def _tiles(plane: Plane, tiling: GreatTiling) -> _spectral.GreatTiles:
    return _spectral.GreatTiles(great_tiles.plan(plane, tiling))
