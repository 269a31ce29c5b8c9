"""Correlations with kernels that are large beside the tiles of the plan: by great tiles."""

import math
from functools import lru_cache

import numpy as np

from convx._core import _spectral
from convx._engine import execution, great_tiles, machine
from convx._engine.dtypes import AnyArray
from convx._engine.great_tiles import GreatTiling, Plane
from convx._engine.plan import estimates
from convx._engine.threads import WORK_PER_THREAD, get_num_threads
from convx._ops.correlation import Correlation

LEAST_TAPS = 32  # from which they are looked at
MOST_KEPT = 64


def run(
    of: Correlation, borders: tuple[str, ...], x: AnyArray, kernel: AnyArray, out: AnyArray | None
) -> AnyArray | None:
    """Correlate items of one channel with one kernel; None where the plan is better.

    Also where an output is not finite: a transform spreads that.
    """
    if of.options.algorithm == "direct" or math.prod(of.options.kernel) < LEAST_TAPS:
        return None
    dtype = np.result_type(x, kernel)
    real = np.empty(0, dtype).real.dtype
    if real.kind != "f":
        return None
    parts = 2 if dtype.kind == "c" else 1
    found = _plane(of, borders, real.name, parts)
    tiling = None if found is None else great_tiles.choose(found)
    if found is None or tiling is None or not _pays(of, tiling, real.name, parts):
        return None
    work = round(tiling.cost) * of.batch
    threads = max(1, min(get_num_threads(), work // WORK_PER_THREAD))
    tiles = _tiles(found, tiling)
    execution.note("fft", work, threads * tiles.scratch_bytes + tiles.spectrum_bytes, threads)
    if execution.is_recording():
        return np.broadcast_to(np.zeros((), dtype), of.output_shape)
    items = np.ascontiguousarray(x).reshape(of.batch, *found.size)
    weight = np.ascontiguousarray(kernel).reshape(found.kernel)
    result = _correlated(tiles, items, weight, (of.batch, *found.outputs), threads, out)
    return None if result is None else result.reshape(of.output_shape)


def _correlated(
    tiles: _spectral.GreatTiles,
    x: AnyArray,
    kernel: AnyArray,
    shape: tuple[int, ...],
    threads: int,
    out: AnyArray | None,
) -> AnyArray | None:
    dtype, isa, rows = np.result_type(x, kernel), machine.ISA, np.arange(kernel.shape[0])
    if dtype.kind != "c":
        spectrum = tiles.pack(isa, kernel, None, rows)
        result = execution.target(out, shape, dtype, x, kernel)
        return result if tiles.run(isa, x, None, spectrum, result, None, threads) else None
    x_parts, w_parts = (
        [np.ascontiguousarray(one.real), np.ascontiguousarray(one.imag)] for one in (x, kernel)
    )
    spectrum = tiles.pack(isa, w_parts[0], -w_parts[1], rows)
    real, imaginary = np.empty((2, *shape), x_parts[0].dtype)
    if not tiles.run(isa, *x_parts, spectrum, real, imaginary, threads):
        return None
    whole = np.empty(shape, dtype)
    whole.real, whole.imag = real, imaginary
    return whole


def _plane(of: Correlation, borders: tuple[str, ...], dtype: str, parts: int) -> Plane | None:
    """Return an item as a plane or as a line, if it is one: axes without a kernel are its items."""
    axes = [axis for axis, taps in enumerate(of.options.kernel) if taps > 1]
    windows, last = of.windows, len(of.windows) - 1
    if any(window.stride > 1 or window.dilation > 1 for window in windows):
        return None
    if any(windows[a].pad_low + windows[a].pad_high for a in range(last + 1) if a not in axes):
        return None

    def plane(*along: int | None) -> Plane:
        none = 1, 1, (0, 0), "zeros"
        size, kernel, pads, border = zip(
            *(
                none
                if axis is None
                else (
                    windows[axis].size,
                    windows[axis].kernel,
                    (windows[axis].pad_low, windows[axis].pad_high),
                    borders[axis],
                )
                for axis in along
            )
        )
        return Plane(size, kernel, pads, border, dtype, parts)

    if axes == [last]:
        return plane(None, last)
    if axes == [last - 1, last]:
        return plane(last - 1, last)
    if len(axes) == 1:
        columns = math.prod(window.size for window in windows[axes[0] + 1 :])
        found = plane(axes[0], None)
        return found._replace(size=(found.size[0], columns))
    return None


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
