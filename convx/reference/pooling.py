"""Pooling, window by window.

A window is a grid of samples; those that lie in the padding are left out.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "adaptive_pool",
    "avg_pool",
    "lp_norm",
    "max_pool",
    "mean",
    "place_of_max",
    "pool",
    "windows",
]

Window = tuple[tuple[int, ...], tuple[NDArray[np.intp], ...]]


def windows(
    sizes: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool = False,
) -> Iterator[Window]:
    """Yield each output's place and, for each axis, which samples its window has."""
    along = []
    for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation):
        reach = d * (k - 1) + 1
        # a last window may hang over the end, but must begin before the padding there
        starts = [
            start
            for start in range(-p, n + p, s)
            if start + reach <= n + p or (ceil_mode and start + reach < n + p + s and start < n)
        ]
        taps = range(0, reach, d)
        along.append(
            [np.array([start + t for t in taps if 0 <= start + t < n], int) for start in starts]
        )
    for place in np.ndindex(*map(len, along)):
        yield place, tuple(axis[i] for axis, i in zip(along, place))


def pool(
    x: NDArray[Any],
    grids: Iterator[Window],
    reduce: Callable[[NDArray[Any]], NDArray[Any]],
) -> NDArray[Any]:
    """Apply ``reduce`` to the samples of each window, which it has along its last axis.

    Examples
    --------
    >>> x = np.array([[1.0, 5.0, 2.0, 3.0]])
    >>> pool(x, windows((4,), (2,), (2,), (0,), (1,)), lambda values: values.max(-1))
    array([[5., 3.]])
    """
    found = list(grids)
    outputs = [1 + max(along) for along in zip(*(place for place, _ in found))]
    axes = len(outputs)
    leading = x.shape[:-axes]
    results = {}
    for place, grid in found:
        samples: tuple[Any, ...] = np.ix_(*grid)
        results[place] = reduce(x[(..., *samples)].reshape(*leading, -1))
    y = np.zeros((*leading, *outputs), next(iter(results.values())).dtype)
    for place, value in results.items():
        index: tuple[Any, ...] = (..., *place)
        y[index] = value
    return y


def place_of_max(values: NDArray[Any]) -> NDArray[Any]:
    """Return the place of the first of the maxima, or of the last NaN, along the last axis.

    Examples
    --------
    >>> place_of_max(np.array([[1.0, 3.0, 3.0], [np.nan, np.nan, 1.0]]))
    array([1, 1])
    """
    nan = np.isnan(values)
    last_nan = values.shape[-1] - 1 - nan[..., ::-1].argmax(-1)
    place: NDArray[Any] = np.where(nan.any(-1), last_nan, np.where(nan, -np.inf, values).argmax(-1))
    return place


def max_pool(x: NDArray[Any], *options: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return maxima and their indices, for the options of :func:`windows`."""
    axes = len(options[0])
    sizes = x.shape[-axes:]
    plane = np.broadcast_to(np.arange(np.prod(sizes)).reshape(sizes), x.shape)
    pairs = np.stack([x, plane], -axes - 1)

    def greatest(both: NDArray[Any]) -> NDArray[Any]:
        place = place_of_max(both[..., 0, :])[..., None, None]
        return np.take_along_axis(both, place, -1)[..., 0]

    y = pool(pairs, windows(sizes, *options), greatest)
    values, indices = np.moveaxis(y, -axes - 1, 0)
    return values.astype(x.dtype), indices.astype(np.int64)


def mean(values: NDArray[Any]) -> NDArray[Any]:
    """Return averages along the last axis."""
    average: NDArray[Any] = values.mean(-1)
    return average


def avg_pool(
    x: NDArray[Any], count_include_pad: bool, divisor_override: int | None, *options: Any
) -> NDArray[Any]:
    """Return averages, for the options of :func:`windows`."""
    kernel, _, padding, _, _ = options
    axes = len(kernel)
    if divisor_override is not None:
        sums = pool(x, windows(x.shape[-axes:], *options), lambda values: values.sum(-1))
        return np.asarray(sums / divisor_override)
    if not count_include_pad:
        return pool(x, windows(x.shape[-axes:], *options), mean)
    wide = [(0, 0)] * (x.ndim - axes) + [(p, p) for p in padding]
    zeros = (*options[:2], (0,) * axes, *options[3:])
    padded = np.pad(x, wide)
    sizes = padded.shape[-axes:]
    outputs = [len(set(one)) for one in zip(*(o for o, _ in windows(x.shape[-axes:], *options)))]
    inside = (
        (place, grid)
        for place, grid in windows(sizes, *zeros)
        if all(i < n for i, n in zip(place, outputs))
    )
    return pool(padded, inside, mean)


def lp_norm(p: float) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return a function that takes norms along the last axis."""

    def norm(values: NDArray[Any]) -> NDArray[Any]:
        if np.isinf(p):
            return np.asarray(abs(values).max(-1))
        return np.asarray((abs(values) ** p).sum(-1) ** (1 / p))

    return norm


def adaptive_pool(
    x: NDArray[Any],
    outputs: Sequence[int],
    reduce: Callable[[NDArray[Any]], NDArray[Any]],
) -> NDArray[Any]:
    """Apply ``reduce`` to windows that share out each axis.

    Examples
    --------
    >>> adaptive_pool(np.array([[1.0, 5.0, 3.0]]), (2,), mean)
    array([[3., 4.]])
    """
    sizes = x.shape[-len(outputs) :]
    along = [
        [np.arange(i * n // o, -(-(i + 1) * n // o)) for i in range(o)]
        for n, o in zip(sizes, outputs)
    ]
    places = np.ndindex(*outputs)
    return pool(x, ((place, tuple(a[i] for a, i in zip(along, place))) for place in places), reduce)
