"""Windows of pooling: the options of a call, checked, and the tables that kernels read.

Both are kept for the next call.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from convx._core import _pool
from convx._core._memo import Kept
from convx._engine import arguments, pool_windows
from convx._engine.pool_windows import PoolAxis

# Bytes of an index.
INDEX_SIZE = 8
# So many tables are kept of calls before, if they have no more entries than this.
MOST_KEPT = 256
MOST_OF_TABLES = 1 << 15


def _pooling_of_maxima(axes: Sequence[PoolAxis]) -> _pool.Pooling:
    return _pool.Pooling("max", pool_windows.merged(axes))


def _pooling_of_sums(axes: Sequence[PoolAxis]) -> _pool.Pooling:
    together = pool_windows.merged(axes)
    adjoint = None
    if len(together) > 1:
        outer = [axis.adjoint() for axis in together[:-1]]
        adjoint = _pool.Pooling("sum", [*outer, pool_windows.apart(together[-1].size)])
    return _pool.Pooling("sum", together, adjoint)


def _kept(build: Callable[..., _pool.Pooling], outputs: Sequence[int], *key: Any) -> _pool.Pooling:
    """Return the tables of windows, from those that are kept if they are not large."""
    if sum(outputs) > MOST_OF_TABLES:
        build = build.__wrapped__  # type: ignore[attr-defined]
    return build(*key)


@lru_cache(MOST_KEPT)
def _tables_of_maxima(windows: tuple[Any, ...]) -> _pool.Pooling:
    return _pooling_of_maxima(
        [
            pool_windows.regular(window, outputs, alone=len(windows) == 1)
            for window, outputs in windows
        ]
    )


def of_maxima(windows: tuple[Any, ...]) -> _pool.Pooling:
    """Return the tables of maxima of windows."""
    return _kept(_tables_of_maxima, outputs_of(windows), windows)


@lru_cache(MOST_KEPT)
def _tables_of_sums(windows: tuple[Any, ...], divisors: str | int | None) -> _pool.Pooling:
    alone = len(windows) == 1 and divisors != "present"
    axes = [pool_windows.regular(window, outputs, alone) for window, outputs in windows]
    return _pooling_of_sums(pool_windows.divided(axes, windows, divisors))


def of_sums(windows: tuple[Any, ...], divisors: str | int | None) -> _pool.Pooling:
    """Return the tables of sums of windows, with divisors as in `pool_windows.divided`."""
    sizes = [window.size for window, _ in windows]
    return _kept(_tables_of_sums, [*outputs_of(windows), *sizes], windows, divisors)


@lru_cache(MOST_KEPT)
def _adaptive_maxima(sizes: tuple[int, ...], outputs: tuple[int, ...]) -> _pool.Pooling:
    return _pooling_of_maxima([pool_windows.adaptive(*one) for one in zip(sizes, outputs)])


@lru_cache(MOST_KEPT)
def _adaptive_means(sizes: tuple[int, ...], outputs: tuple[int, ...]) -> _pool.Pooling:
    return _pooling_of_sums(pool_windows.adaptive_means(sizes, outputs))


def planes_of(shape: Sequence[int], axes: int) -> int:
    """Return the number of planes of an array: items times channels."""
    return math.prod(shape[:-axes])


def outputs_of(windows: Sequence[tuple[Any, int]]) -> tuple[int, ...]:
    """Return the sizes of the output."""
    return tuple(outputs for _, outputs in windows)


def check_output(shape: tuple[int, ...], windows: Sequence[tuple[Any, int]], item: int) -> None:
    """Raise for what is too large, before there are tables of its windows."""
    outputs = (*shape[: -len(windows)], *outputs_of(windows))
    arguments.check_memory(outputs, max(item, INDEX_SIZE), "an output")


def average_windows(
    sizes: tuple[int, ...],
    kernel_size: object,
    stride: object,
    padding: object,
    ceil_mode: object,
) -> tuple[Any, ...]:
    """Return the windows of averages, which have no dilation."""
    return tuple(arguments.pooling(sizes, kernel_size, stride, padding, 1, ceil_mode))


def divisors_of(count_include_pad: object, override: object) -> str | int:
    """Return which divisors averages have: see `pool_windows.divided`."""
    included = arguments.flag(count_include_pad, "count_include_pad")
    divisor = arguments.divisor_override(override)
    if divisor is not None:
        return divisor
    return "padded" if included else "present"


class Windows(NamedTuple):
    """The windows of a call."""

    pooling: _pool.Pooling
    outputs: tuple[int, ...]
    entries: int  # of the tables


def are_few(windows: Windows) -> bool:
    """Tell whether windows have tables that are kept."""
    return windows.entries <= MOST_OF_TABLES


# Each takes the shape of the input, the number of its spatial axes and the bytes of an element;
# then what a caller gives of windows.


def _find_maxima(shape: tuple[int, ...], axes: int, item: int, *given: object) -> Windows:
    windows = tuple(arguments.pooling(arguments.pooled_sizes(shape, axes), *given))
    check_output(shape, windows, item)
    outputs = outputs_of(windows)
    return Windows(of_maxima(windows), outputs, sum(outputs))


def _find_means(
    shape: tuple[int, ...],
    axes: int,
    item: int,
    given: tuple[object, object, object, object],
    divisor: tuple[object, object],
) -> Windows:
    sizes = arguments.pooled_sizes(shape, axes)
    windows = average_windows(sizes, *given)
    check_output(shape, windows, item)
    outputs = outputs_of(windows)
    pooling = of_sums(windows, divisors_of(*divisor))
    return Windows(pooling, outputs, sum(outputs) + sum(sizes))


def _adaptive(
    shape: tuple[int, ...], axes: int, output_size: object
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    sizes = arguments.pooled_sizes(shape, axes)
    outputs = arguments.adaptive_sizes(output_size, sizes)
    arguments.check_memory((*shape[:-axes], *outputs), INDEX_SIZE, "an output")
    return sizes, outputs


def of_cells(sizes: tuple[int, ...], outputs: tuple[int, ...]) -> _pool.Pooling:
    """Return the tables of maxima of windows that share out each axis."""
    return _kept(_adaptive_maxima, outputs, sizes, outputs)


def _find_adaptive_maxima(shape: tuple[int, ...], axes: int, output_size: object) -> Windows:
    sizes, outputs = _adaptive(shape, axes, output_size)
    return Windows(of_cells(sizes, outputs), outputs, sum(outputs))


def _find_adaptive_means(shape: tuple[int, ...], axes: int, output_size: object) -> Windows:
    sizes, outputs = _adaptive(shape, axes, output_size)
    entries = sum(sizes) + sum(outputs)
    pooling = _kept(_adaptive_means, [*sizes, *outputs], sizes, outputs)
    return Windows(pooling, outputs, entries)


maxima = Kept(_find_maxima, are_few)
means = Kept(_find_means, are_few)
adaptive_maxima = Kept(_find_adaptive_maxima, are_few)
adaptive_means = Kept(_find_adaptive_means, are_few)
