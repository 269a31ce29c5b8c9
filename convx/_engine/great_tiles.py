"""Fourier transforms of great tiles: correlation of one channel with a large kernel.

The transforms of `fft.py` have a tile in each lane of a vector, so that tiles must be small. Here a
tile is large, and neighbouring points of a row are the lanes: for kernels that are large beside
those tiles. See kernels/spectral_sweep.h.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convx._core import _driver
from convx._engine import boundary, costs, machine

Table = NDArray[np.int64]
Roots = NDArray[np.floating[Any]]

# Along an axis: powers of two, and some of them times 3, 5, 9 or 15.
POINTS = (
    *(32, 40, 48, 64, 80, 96, 128, 144, 160, 192, 240, 256, 288, 320, 384, 480, 512, 576),
    *(640, 768, 960, 1024, 1152, 1280, 1536, 1920, 2048, 2304, 2560, 3072, 3840, 4096),
    *(4608, 5120, 6144, 7680, 8192, 12288, 16384, 24576, 32768, 49152),
)
FINE = 16  # CX_CHAIN
# Of a tile: more if a kernel has so many places itself, which tiles of other sizes would mostly be.
MOST_POINTS = 2**19
MORE_POINTS = 8
HUGE_POINTS = 2**24
# Of a tile that goes through the L2 cache easily, and of one of a single row through the L1 cache.
NEAR_BYTES, NEAR_ROW_BYTES = 3 * 2**19, 2**15
VECTOR_BYTES, LANES = 64, 16  # of the widest vectors, and at most
# Along rows: pairs of vectors. What is done around 32 points takes as long as they do.
ROW_POINTS = tuple(n for n in POINTS if n % (2 * LANES) == 0 and n > 2 * LANES)
# Rows and columns that a line is taken as: of few rows, tables would be as long as the line.
LINES = (
    *((1, n) for n in POINTS if n % (2 * LANES) == 0 and n <= 16384),
    *((m, n) for m in POINTS for n in POINTS if n % (2 * LANES) == 0 and m <= n <= 16 * m),
)
MORE_TILES = 1 / 64  # for outputs that are whole lines of the cache
KERNEL = 1 / 3  # the transform of a kernel, in pairs of tiles
ODD = 2 / 5  # what the last one of an odd number of pairs costs besides: a second thread waits
FEW, FEW_COST = 4, 1.15  # pairs from which threads share them out well, and what fewer cost more


class GreatAxis(NamedTuple):
    """An axis, and the kernel along it."""

    size: int
    kernel: int = 1
    low: int = 0
    high: int = 0
    border: str = "zeros"

    @property
    def padded(self) -> int:
        """Samples with the padding."""
        return self.size + self.low + self.high

    @property
    def outputs(self) -> int:
        """Places of the kernel."""
        return self.padded - self.kernel + 1

    def sources(self) -> Table:
        """The sample at each padded place, -1 for zeros."""
        places = np.arange(-self.low, self.size + self.high)
        return boundary.sources_of(self.border, places, self.size)


class Plane(NamedTuple):
    """An item as rows and columns: all axes but the last are one axis of rows.

    The padded samples of such an axis follow one another, and so do the taps of a kernel, with gaps
    between them. A line has no axes of rows.
    """

    rows: tuple[GreatAxis, ...]
    columns: GreatAxis
    dtype: str
    parts: int  # 2 of complex numbers

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of an item."""
        return math.prod(axis.size for axis in self.rows), self.columns.size

    @property
    def kernel(self) -> tuple[int, int]:
        """Rows and columns of the kernel."""
        return math.prod(axis.kernel for axis in self.rows), self.columns.kernel

    @property
    def outputs(self) -> tuple[int, int]:
        """Rows and columns of the result."""
        return math.prod(axis.outputs for axis in self.rows), self.columns.outputs

    @property
    def row_extent(self) -> int:
        """Padded rows from the first of the kernel to the last."""
        extent = 1
        for axis, stride in zip(self.rows, self._strides()):
            extent += (axis.kernel - 1) * stride
        return extent

    @property
    def padded_outputs(self) -> int:
        """Padded rows that the kernel may begin at."""
        return math.prod(axis.padded for axis in self.rows) - self.row_extent + 1

    def _strides(self) -> list[int]:
        sizes = [axis.padded for axis in self.rows]
        return [math.prod(sizes[place + 1 :]) for place in range(len(sizes))]

    def row_tables(self) -> tuple[Table, Table, Table]:
        """The row of an item and that of the result at padded rows, or -1; and rows with taps."""
        source, target = np.zeros(1, np.int64), np.zeros(1, np.int64)
        places = np.zeros(1, np.int64)
        for axis, stride in zip(self.rows, self._strides()):
            source = _within(source, axis.size, axis.sources())
            wanted = np.arange(axis.padded)
            target = _within(target, axis.outputs, np.where(wanted < axis.outputs, wanted, -1))
            places = np.add.outer(places, np.arange(axis.kernel) * stride).ravel()
        return source, np.ascontiguousarray(target[: self.padded_outputs]), places


def _within(outer: Table, size: int, inner: Table) -> Table:
    """Places of two axes as one; -1 where there is none along either."""
    both = np.add.outer(outer * size, inner)
    both[np.logical_or.outer(outer < 0, inner < 0)] = -1
    return both.ravel()


@dataclass(frozen=True, slots=True)
class GreatTiling:
    """How a plane is cut, and what that costs in multiply-adds of a product at full speed."""

    points: tuple[int, int]
    along: bool
    chained: bool
    tile: tuple[int, int]
    tiles: tuple[int, int]
    cost: float


@dataclass(frozen=True, slots=True)
class GreatPlan:
    """What `_spectral.GreatTiles` is made of.

    Of the kernel there are taps, those of a row, the tile's row for each of its rows, and vectors
    of columns.
    """

    points: tuple[int, int]
    along: bool
    chained: bool
    tile: tuple[int, int]
    tiles: tuple[int, int]
    row_source: Table
    row_target: Table
    kernel: tuple[int, int]
    kernel_place: Table
    kernel_columns: int
    low_source: Table
    high_source: Table
    row: tuple[int, int, int]
    outputs: tuple[int, int]
    row_roots: Roots
    place_roots: Roots
    turns: Roots
    lane_roots: Roots
    chain: Roots


@lru_cache(256)
def choose(plane: Plane) -> GreatTiling | None:
    """Return the cheapest way of cutting a plane, if there is one, whatever the batch is."""
    return min(tilings(plane), key=lambda tiling: tiling.cost, default=None)


def tilings(plane: Plane) -> Iterator[GreatTiling]:
    """Yield the ways of cutting a plane."""
    yield from _planes(plane)
    yield from _lines(plane)


def _planes(plane: Plane) -> Iterator[GreatTiling]:
    """Tiles of two axes; if the kernel is a column, only columns are transformed."""
    rows, columns = plane.row_extent, plane.columns.kernel
    if rows == 1:
        return
    down, along = plane.padded_outputs, plane.columns.outputs
    most = _most_points(rows * columns)
    sizes = _sizes(POINTS, rows, down), _sizes(ROW_POINTS, columns, along)
    for points in itertools.product(*sizes):
        if math.prod(points) > most:
            continue
        right = points[0] - rows + 1, _whole_lines(plane, points[1] - columns + 1)
        tiles = -(-down // right[0]), -(-along // right[1])
        cost = _cost(plane, points, columns > 1, tiles)
        yield GreatTiling(points, columns > 1, False, right, tiles, cost)


def _sizes(points: Sequence[int], taps: int, outputs: int) -> list[int]:
    """Those of the points for an axis up to the first that take all outputs in one tile."""
    needed = outputs + taps - 1
    return [n for n, before in zip(points, (0, *points)) if taps <= n and before < needed]


def _lines(plane: Plane) -> Iterator[GreatTiling]:
    """Tiles of a line: of one row, or of some that follow one another."""
    if plane.rows:
        return
    most = _most_points(plane.columns.kernel)
    for points in LINES:
        right = math.prod(points) - plane.columns.kernel + 1
        if right < 1 or math.prod(points) > most:
            continue
        if points[0] == 1:  # the rows of others begin anywhere
            right = _whole_lines(plane, right)
        tiles = 1, -(-plane.columns.outputs // right)
        cost = _cost(plane, points, True, tiles)
        yield GreatTiling(points, True, True, (points[0], right), tiles, cost)


def _whole_lines(plane: Plane, right: int) -> int:
    """Of so many outputs of a row, return as many as tiles are to have.

    They are stored as whole lines of the cache if that takes hardly more tiles.
    """
    outputs, line = plane.columns.outputs, VECTOR_BYTES // np.dtype(plane.dtype).itemsize
    tiles = -(-outputs // right)
    even = -(-outputs // (tiles * line)) * line
    whole = even if even <= right else right // line * line
    return whole if whole and -(-outputs // whole) <= tiles * (1 + MORE_TILES) else right


def _most_points(places: int) -> int:
    """Points of a tile at most, for a kernel that spans so many."""
    return min(max(MOST_POINTS, MORE_POINTS * places), HUGE_POINTS)


def _cost(plane: Plane, points: tuple[int, int], along: bool, tiles: tuple[int, int]) -> float:
    each, all_points, item_size = costs.GREAT, math.prod(points), np.dtype(plane.dtype).itemsize
    pairs = -(-math.prod(tiles) * plane.parts // 2)
    counted = (pairs + ODD * (pairs % 2)) * (FEW_COST if pairs < FEW else 1)
    per_point = each.step * len(_radices(points[0])) + each.move
    if along:
        of_row = each.step * len(_radices(points[1] * item_size // VECTOR_BYTES)) + each.lanes
        without = (plane.row_extent - 1) / points[0]  # rows without outputs do not go back
        per_point += of_row * (1 - without / 2)
    chained = not plane.rows and points[0] > 1
    per_point += each.chain * chained
    near = NEAR_BYTES if plane.rows or chained else NEAR_ROW_BYTES
    per_point += each.far_tile * max(0, math.log2(2 * all_points * item_size / near))
    if not plane.rows:  # lines come in batches, which share the kernel's transform and the call
        return pairs * all_points * per_point
    return (counted + KERNEL) * all_points * per_point + each.call


def plan(plane: Plane, tiling: GreatTiling) -> GreatPlan:
    """Make the tables of a way of cutting a plane."""
    dtype, (rows, columns) = np.dtype(plane.dtype), tiling.points
    lanes, _, _ = _driver.register_block(machine.ISA, plane.dtype)
    places = columns // lanes
    row_source, row_target, kernel_place = plane.row_tables()
    taps, row_taps = math.prod(plane.kernel), plane.kernel[1]
    if tiling.chained:
        kernel_place, row_taps = np.arange(-(-taps // columns)), columns
    axis, low, high = plane.columns, plane.columns.low, plane.columns.high
    ends = axis.sources() if axis.border != "zeros" else np.empty(0, np.int64)
    return GreatPlan(
        points=tiling.points,
        along=tiling.along,
        chained=tiling.chained,
        tile=tiling.tile,
        tiles=tiling.tiles,
        row_source=row_source,
        row_target=row_target,
        kernel=(taps, row_taps),
        kernel_place=kernel_place,
        kernel_columns=places if tiling.along else 1,
        low_source=np.ascontiguousarray(ends[:low]),
        high_source=np.ascontiguousarray(ends[low + axis.size :]),
        row=(low, axis.size, high),
        outputs=(plane.padded_outputs, axis.outputs),
        row_roots=_roots(rows).astype(dtype),
        place_roots=_roots(places).astype(dtype),
        turns=_turned(np.multiply.outer(_order(places), np.arange(lanes)), columns).astype(dtype),
        lane_roots=_lane_roots(lanes).astype(dtype),
        chain=(_chain(rows, columns) if tiling.chained else np.zeros(1)).astype(dtype),
    )


def _angles(turns: Table, points: int) -> tuple[Roots, Roots]:
    """Cosines and negative sines of so many turns by the smallest angle."""
    angles = 2 * np.pi * (turns % points) / points
    return np.cos(angles), -np.sin(angles)


def _roots(points: int) -> Roots:
    """Cosine and negative sine of each angle."""
    return np.stack(_angles(np.arange(points), points), axis=1)


def _turned(turns: Table, points: int) -> Roots:
    """For each row of turns, cosines of all, then negative sines."""
    return np.stack(_angles(turns, points), axis=1)


def _lane_roots(lanes: int) -> Roots:
    """By what the second of two vectors is turned, from pairs of lanes to halves."""
    lane = np.arange(lanes)
    levels = [np.stack(_angles(lane % bit, 2 * bit)) for bit in (2, 4, 8) if bit < lanes]
    return np.stack(levels) if levels else np.zeros(1)


@lru_cache(16)
def _chain(rows: int, columns: int) -> Roots:
    """Powers of the root of all points, of each row: of every 16th column, and of 16.

    Rows are those frequencies that transforms of columns leave there.
    """
    frequency, all_points = _order(rows)[:, None], rows * columns
    coarse = np.stack(_angles(frequency * np.arange(0, columns, FINE), all_points), axis=2)
    fine = np.stack(_angles(frequency * np.arange(FINE), all_points), axis=1)
    return np.concatenate([coarse.reshape(rows, -1), fine.reshape(rows, -1)], axis=1)


def _order(points: int) -> Table:
    """Which frequency lies at each place after a transform."""
    order = np.zeros(1, np.int64)
    for radix in reversed(_radices(points)):
        order = np.concatenate([order * radix + part for part in range(radix)])
    return order


@lru_cache(64)
def _radices(points: int) -> tuple[int, ...]:
    """The radices of the steps of a transform, as `cx_radix` has them."""
    radices = []
    while points > 1:
        two = points & -points
        odd = 5 if points % 3 else 3
        radix = odd if two < points else {16: 4}.get(two, min(two, 8))
        radices.append(radix)
        points //= radix
    return tuple(radices)
