"""Correlations with kernels that are large beside the tiles of the plan: by great tiles."""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from convx._core import _spectral
from convx._engine import execution, great_tiles, machine
from convx._engine.dtypes import AnyArray
from convx._engine.great_tiles import GreatAxis, GreatTiling, Plane
from convx._engine.plan import estimates
from convx._engine.threads import WORK_PER_THREAD, get_num_threads
from convx._ops.correlation import Correlation

LEAST_TAPS = 32  # from which they are looked at
MOST_KEPT = 64


class Great(NamedTuple):
    """A correlation by great tiles."""

    plane: Plane
    tiling: GreatTiling


def planned(of: Correlation, borders: tuple[str, ...], dtype: np.dtype[Any]) -> Great | None:
    """Return how great tiles correlate items of one channel; None if the plan is better."""
    if of.options.algorithm == "direct" or math.prod(of.options.kernel) < LEAST_TAPS:
        return None
    real = np.empty(0, dtype).real.dtype
    if real.kind != "f":
        return None
    parts = 2 if dtype.kind == "c" else 1
    found = _plane(of, borders, real.name, parts)
    tiling = None if found is None else great_tiles.choose(found)
    if found is None or tiling is None or not _pays(of, tiling, real.name, parts):
        return None
    return Great(found, tiling)


def run(
    of: Correlation, great: Great, x: AnyArray, kernel: AnyArray, out: AnyArray | None
) -> AnyArray | None:
    """Correlate by great tiles; None where an output is not finite, which a transform spreads."""
    found, tiling = great
    work = round(tiling.cost) * of.batch
    threads = max(1, min(get_num_threads(), work // WORK_PER_THREAD))
    tiles = _tiles(found, tiling)
    execution.note("fft", work, threads * tiles.scratch_bytes + tiles.spectrum_bytes, threads)
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
    dtype, isa, rows = np.result_type(x, kernel), machine.ISA, tiles.kernel_rows
    if dtype.kind != "c":
        spectrum = tiles.pack(isa, kernel, None, rows)
        result = execution.target(out, shape, dtype, x, kernel)
        return result if tiles.run(isa, x, None, spectrum, result, None, threads) else None
    x_parts, w_parts = (
        [np.ascontiguousarray(one.real), np.ascontiguousarray(one.imag)] for one in (x, kernel)
    )
    spectrum = tiles.pack(isa, w_parts[0], -w_parts[1], rows)
    real, imaginary = np.empty((2, *shape), x_parts[0].dtype)
    if not tiles.run(isa, x_parts[0], x_parts[1], spectrum, real, imaginary, threads):
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


def _pays(of: Correlation, tiling: GreatTiling, dtype: str, parts: int) -> bool:
    """Tell whether great tiles cost less than what the plan would do."""
    planned = _estimates(of, dtype)
    if of.options.algorithm != "auto":
        planned = {name: cost for name, cost in planned.items() if name == of.options.algorithm}
    return tiling.cost < parts * min(planned.values(), default=math.inf) / max(of.batch, 1)


@lru_cache(MOST_KEPT)
def _estimates(of: Correlation, dtype: str) -> dict[str, float]:
    """What the algorithms of the plan cost for contiguous arrays."""
    shape = of.input_shape
    strides = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    return estimates(of.plan("forward", strides, dtype, 1))


@lru_cache(MOST_KEPT)
def _tiles(plane: Plane, tiling: GreatTiling) -> _spectral.GreatTiles:
    return _spectral.GreatTiles(great_tiles.plan(plane, tiling))
