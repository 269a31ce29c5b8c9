"""Fourier transforms of great tiles: correlation of one channel with a large kernel.

The transforms of `fft.py` have a tile in each lane of a vector, so that tiles must be small. Here a
tile is large, and its columns, then its rows are the lanes: for kernels that are large beside those
tiles. See kernels/spectral_sweep.h.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convx._engine import boundary, costs

POINTS = (32, 64, 128, 256, 512)
CHAIN_POINTS = (64, 128, 256, 512)  # rows and columns that a line is taken as
FINE = 16  # CX_CHAIN
MOST_BYTES = 2**22  # of a tile, both parts
NEAR_BYTES = 3 * 2**18  # of a tile and the part of a spectrum that stay in the L2 cache with it

Table = NDArray[np.int64]


class Plane(NamedTuple):
    """An item with two axes that is correlated with a kernel; a line is a single row."""

    size: tuple[int, int]
    kernel: tuple[int, int]
    pads: tuple[tuple[int, int], tuple[int, int]]
    borders: tuple[str, str]
    dtype: str
    parts: int  # 2 of complex numbers

    @property
    def outputs(self) -> tuple[int, int]:
        """Outputs along both axes."""
        first, second = (
            n + sum(pads) - k + 1 for n, k, pads in zip(self.size, self.kernel, self.pads)
        )
        return first, second


@dataclass(frozen=True, slots=True)
class GreatTiling:
    """How a plane is cut, and what that costs in multiply-adds of a product at full speed."""

    points: tuple[int, int]
    turns: bool
    chained: bool
    tile: tuple[int, int]
    tiles: tuple[int, int]
    cost: float


@dataclass(frozen=True, slots=True)
class GreatPlan:
    """What `_spectral.GreatTiles` is made of."""

    points: tuple[int, int]
    turns: bool
    chained: bool
    tile: tuple[int, int]
    tiles: tuple[int, int]
    row_source: Table
    low_source: Table
    high_source: Table
    row: tuple[int, int, int]
    outputs: tuple[int, int]
    row_roots: NDArray[np.float64]
    column_roots: NDArray[np.float64]
    chain: NDArray[np.floating]
    kernel_rows: Table = field(default_factory=lambda: np.empty(0, np.int64))


@lru_cache(256)
def choose(plane: Plane) -> GreatTiling | None:
    """Return the cheapest way of cutting a plane, if there is one, whatever the batch is."""
    found = [*_planes(plane), *_lines(plane)]
    return min(found, key=lambda tiling: tiling.cost, default=None)


def _planes(plane: Plane) -> Iterator[GreatTiling]:
    """Tiles of two axes; if the kernel is a column, only columns are transformed."""
    (rows, columns), turns = plane.kernel, plane.kernel[1] > 1
    if rows == 1:
        return
    down, along = plane.outputs
    for points in itertools.product(POINTS, POINTS):
        right = points[0] - rows + 1, points[1] - columns + 1
        if min(right) < 1 or _bytes(plane, points) > MOST_BYTES:
            continue
        tiles = -(-down // right[0]), -(-along // right[1])
        yield GreatTiling(points, turns, False, right, tiles, _cost(plane, points, turns, tiles))


def _lines(plane: Plane) -> Iterator[GreatTiling]:
    """Tiles of a line whose rows follow one another."""
    if plane.kernel[0] > 1 or plane.size[0] > 1:
        return
    outputs = plane.outputs[1]
    for points in itertools.product(CHAIN_POINTS, CHAIN_POINTS):
        right = math.prod(points) - plane.kernel[1] + 1
        if points[0] > points[1] or right < 1 or _bytes(plane, points) > MOST_BYTES:
            continue
        tiles = 1, -(-outputs // right)
        cost = _cost(plane, points, True, tiles) * costs.GREAT.chain
        yield GreatTiling(points, True, True, (points[0], right), tiles, cost)


def _bytes(plane: Plane, points: Sequence[int]) -> int:
    return 2 * math.prod(points) * np.dtype(plane.dtype).itemsize


def _cost(plane: Plane, points: tuple[int, int], turns: bool, tiles: tuple[int, int]) -> float:
    each, all_points = costs.GREAT, math.prod(points)
    pairs = -(-math.prod(tiles) * plane.parts // 2)
    steps = math.log2(all_points if turns else points[0])
    moves = each.move * (2 if turns else 1)
    if _bytes(plane, points) > NEAR_BYTES:
        moves += each.far
    kernel = 1 / 2  # is transformed once
    return (pairs + kernel) * all_points * (each.transform * steps + moves) + each.call


def plan(plane: Plane, tiling: GreatTiling) -> GreatPlan:
    """Make the tables of a way of cutting a plane."""
    dtype = np.dtype(plane.dtype)
    sources = []
    for border, size, (low, high) in zip(plane.borders, plane.size, plane.pads):
        sources.append(boundary.sources_of(border, np.arange(-low, size + high), size))
    low, high = plane.pads[1]
    inside = plane.size[1]
    zeros = plane.borders[1] == "zeros"
    none = np.empty(0, np.int64)
    rows, columns = tiling.points
    return GreatPlan(
        points=tiling.points,
        turns=tiling.turns,
        chained=tiling.chained,
        tile=tiling.tile,
        tiles=tiling.tiles,
        row_source=np.ascontiguousarray(sources[0], np.int64),
        low_source=none if zeros else np.ascontiguousarray(sources[1][:low], np.int64),
        high_source=none if zeros else np.ascontiguousarray(sources[1][low + inside :], np.int64),
        row=(low, inside, high),
        outputs=plane.outputs,
        row_roots=_roots(rows),
        column_roots=_roots(columns),
        chain=_chain(rows, columns).astype(dtype) if tiling.chained else np.zeros(1, dtype),
        kernel_rows=np.arange(plane.kernel[0]),
    )


def _roots(points: int) -> NDArray[np.float64]:
    """Cosines and negative sines of all the angles."""
    angles = 2 * np.pi * np.arange(points) / points
    return np.ascontiguousarray(np.stack([np.cos(angles), -np.sin(angles)], axis=1))


@lru_cache(16)
def _chain(rows: int, columns: int) -> NDArray[np.float64]:
    """Powers of the root of all points: for every 16th column and for 16, of each row.

    Rows are those frequencies that transforms of columns leave there.
    """
    frequency = _order(rows)
    coarse, fine = np.arange(0, columns, FINE), np.arange(FINE)
    places = np.concatenate([coarse, fine])[:, None] * frequency % (rows * columns)
    angles = 2 * np.pi * places / (rows * columns)
    return np.ascontiguousarray(np.stack([np.cos(angles), -np.sin(angles)]))


def _order(points: int) -> Table:
    """Which frequency lies at each place after a transform by radix 4, and 2 at last."""
    if points == 1:
        return np.zeros(1, np.int64)
    radix = 4 if points > 2 else 2
    inner = _order(points // radix)
    return np.concatenate([inner * radix + part for part in range(radix)])
