"""Resizing along one axis: which inputs each output takes, by which weights.

The rules for coordinates are PyTorch's. Those of nearest pixels are evaluated in the same precision
as there, so that a coordinate next to an integer falls to the same side of it; those between pixels
in double precision.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._core import _resampling
from convx._engine import machine, sweeps
from convx._engine.boundary import AxisMap
from convx._engine.dtypes import AnyArray
from convx._engine.window import Table

Weights = NDArray[Any]

# Keys's parameter of the cubic kernel: one for sampling, another for smoothing, as in PyTorch.
SAMPLING_CUBIC = -0.75
SMOOTHING_CUBIC = -0.5

# PyTorch rounds the coordinates of nearest pixels to single precision, in double precision too. So
# does convx where that is precise enough: from 2**24 on it would take wrong pixels.
LARGEST_ROUNDED = 2**22


@dataclass(frozen=True, slots=True)
class Taps:
    """Weighted sums along an axis of ``inputs`` samples.

    Output ``j`` is the sum of ``weights[t] * input[sources[t]]`` for t from ``starts[j]`` to
    ``starts[j + 1] - 1``.
    """

    inputs: int
    starts: Table
    sources: Table
    weights: Weights

    @property
    def outputs(self) -> int:
        """Samples of the axis that is made."""
        return len(self.starts) - 1

    def adjoint(self) -> "Taps":
        """Return the transposed table: inputs and outputs change places."""
        outputs = np.repeat(np.arange(self.outputs), np.diff(self.starts))
        order = np.argsort(self.sources, kind="stable")
        starts = np.searchsorted(self.sources[order], np.arange(self.inputs + 1))
        return Taps(self.outputs, starts, outputs[order], self.weights[order])

    def in_type(self, dtype: np.dtype[Any]) -> "Taps":
        """Return the table with its weights rounded to the type of what they weigh."""
        return replace(self, weights=self.weights.astype(dtype, copy=False))


@dataclass(frozen=True, slots=True)
class Resizing:
    """How an axis of ``size`` samples becomes one of ``wanted``; ``scale`` is that given, if any.

    ``dtype`` is the type of coordinates and weights.
    """

    size: int
    wanted: int
    scale: float | None
    align_corners: bool
    dtype: np.dtype[Any]

    @property
    def step(self) -> Any:
        """Distance of two outputs, in inputs."""
        number = self.dtype.type
        if self.align_corners:
            return number(self.size - 1 if self.wanted > 1 else 0) / number(max(self.wanted - 1, 1))
        if self.scale is not None:
            return number(1 / self.scale)
        return number(self.size) / number(self.wanted)

    def _coordinates(self) -> Weights:
        places: Weights = np.arange(self.wanted).astype(self.dtype)
        half = self.dtype.type(0 if self.align_corners else 0.5)
        coordinates: Weights = (places + half) * self.step - half
        return coordinates

    def nearest(self, exact: bool) -> Table:
        """Which sample each output is: that at its left edge, or that at its middle."""
        coordinates: Weights = np.arange(self.wanted).astype(self.dtype) * self.step
        if exact:
            coordinates = np.maximum(self._coordinates(), 0) + self.dtype.type(0.5)
        if self.size <= LARGEST_ROUNDED:
            coordinates = coordinates.astype(np.float32)
        return np.minimum(np.floor(coordinates).astype(np.int64), self.size - 1)

    def linear(self) -> Taps:
        """Between two neighbours, by the distances from them."""
        coordinates = np.maximum(self._coordinates(), 0)
        left = np.minimum(coordinates.astype(np.int64), self.size - 1)
        right = np.minimum(left + 1, self.size - 1)
        share = np.clip(coordinates - left.astype(self.dtype), 0, 1)
        if self.size == self.wanted:
            left, share = np.arange(self.size), np.zeros_like(share)
        return self._taps(np.stack([left, right], 1), np.stack([1 - share, share], 1))

    def cubic(self) -> Taps:
        """Between four neighbours, by Keys's cubic kernel."""
        coordinates = self._coordinates()
        left = np.minimum(np.floor(coordinates).astype(np.int64), self.size - 1)
        share = np.clip(coordinates - left.astype(self.dtype), 0, 1)
        offsets = np.arange(-1, 3)
        weights = _cubic(abs(share[:, np.newaxis] - offsets.astype(self.dtype)), SAMPLING_CUBIC)
        if self.size == self.wanted:
            left, weights = np.arange(self.size), np.zeros_like(weights) + (offsets == 0)
        return self._taps(np.clip(left[:, np.newaxis] + offsets, 0, self.size - 1), weights)

    def smooth(self, cubic: bool) -> Taps:
        """The kernel as wide as an output is when the axis shrinks, its weights summing up to 1."""
        stretch = max(self.step, self.dtype.type(1))
        reach = (2 if cubic else 1) * stretch
        half = self.dtype.type(0.5)
        centres = (np.arange(self.wanted).astype(self.dtype) + half) * self.step
        first = np.maximum((centres - reach + half).astype(np.int64), 0)
        end = np.minimum((centres + reach + half).astype(np.int64), self.size)
        places = first[:, np.newaxis] + np.arange(max((end - first).max(), 1))
        distances = abs((places.astype(self.dtype) - centres[:, np.newaxis] + half) / stretch)
        weights = _cubic(distances, SMOOTHING_CUBIC) if cubic else np.maximum(1 - distances, 0)
        weights = np.where(places < end[:, np.newaxis], weights, 0)
        weights /= weights.sum(1, keepdims=True)
        if self.size == self.wanted:
            places, weights = np.arange(self.size)[:, np.newaxis], np.ones((self.size, 1))
        return self._taps(np.minimum(places, self.size - 1), weights)

    def area(self) -> Taps:
        """The mean of all samples that an output lies over."""
        edges = np.arange(self.wanted + 1) * self.size
        first, end = edges[:-1] // self.wanted, -(-edges[1:] // self.wanted)
        counts = end - first
        starts = np.concatenate([[0], np.cumsum(counts)])
        sources = np.arange(starts[-1]) - np.repeat(starts[:-1] - first, counts)
        weights = np.repeat(1 / counts, counts).astype(self.dtype)
        return Taps(self.size, starts, sources, weights)

    def copies(self, exact: bool) -> AxisMap:
        """The map of :meth:`nearest`."""
        return AxisMap(self.size, 0, 0, self.nearest(exact))

    def taps(self, mode: str, antialias: bool) -> Taps:
        """The table of a mode."""
        if mode.startswith("nearest"):
            places = self.nearest(mode == "nearest-exact")
            return self._taps(places[:, np.newaxis], np.ones((self.wanted, 1), self.dtype))
        if mode == "area":
            return self.area()
        if antialias:
            return self.smooth(mode == "bicubic")
        return self.cubic() if mode == "bicubic" else self.linear()

    def _taps(self, sources: Table, weights: Weights) -> Taps:
        """A table without the weights of 0, which would spread what is not finite."""
        counts = (weights != 0).sum(1)
        starts = np.concatenate([[0], np.cumsum(counts)])
        chosen = weights != 0
        return Taps(self.size, starts, sources[chosen], weights[chosen].astype(self.dtype))


def _cubic(distances: Weights, a: float) -> Weights:
    """Keys's kernel: 1 at 0, and 0 at the other integers and from 2 on."""
    x = distances
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((x - 5) * x + 8) * x * a - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0)).astype(x.dtype)


def order(axes: list[Taps]) -> list[int]:
    """Axes in the order of least work: those that shrink, then those that grow, the last first."""
    growth = [one.outputs / one.inputs for one in axes]
    shrinking = [axis for axis, one in enumerate(growth) if one < 1]
    return shrinking + [axis for axis in reversed(range(len(axes))) if growth[axis] >= 1]


def resample(x: AnyArray, axis: int, taps: Taps, result: AnyArray | None = None) -> AnyArray:
    """Apply a table along one axis of a contiguous array of the table's type."""
    shape = (*x.shape[:axis], taps.outputs, *x.shape[axis + 1 :])
    if result is None:
        result = sweeps.new_copy(None, shape, x.dtype)
    if result.size:
        lines, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
        _resampling.resample(
            machine.ISA,
            taps.starts,
            taps.sources,
            taps.weights,
            x.reshape(lines, taps.inputs, inner),
            result.reshape(lines, taps.outputs, inner),
            sweeps.threads_for(x.nbytes + result.nbytes),
        )
    return result
