"""What is planned, and what a plan is made of: the records that planner and driver share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convx._engine.window import AxisTaps, Table


class Tiling(NamedTuple):
    """How an algorithm cuts outputs into tiles along the last axes, which it transforms.

    Along each of these axes there are as many points as inputs of a tile: ``tiles + taps - 1``
    without a stride. Where taps are parted into sections, these are transformed one by one, with so
    many taps each, and summed like channels. The direct algorithm transforms none.
    """

    algorithm: str = "direct"
    tiles: tuple[int, ...] = ()
    taps: tuple[int, ...] = ()
    stride: int = 1
    sections: tuple[int, ...] = (1,)

    @property
    def axes(self) -> int:
        """Axes that are transformed."""
        return len(self.tiles)

    @property
    def all_sections(self) -> int:
        """Sections of the taps of all axes."""
        return math.prod(self.sections)

    @property
    def points_along(self) -> tuple[int, ...]:
        """Points along each of them."""
        return tuple(self.stride * (tile - 1) + taps for tile, taps in zip(self.tiles, self.taps))

    @property
    def points(self) -> int:
        """Points of a tile."""
        return math.prod(self.points_along)

    @property
    def sums(self) -> int:
        """Sums of products at points of a tile: with a stride, some points share one."""
        each = zip(self.tiles, self.taps)
        return math.prod(tile + -(-taps // self.stride) - 1 for tile, taps in each)

    @property
    def weight_points(self) -> int:
        """Points that differ in their weights."""
        each = zip(self.tiles, self.taps)
        return math.prod(tile + -(-taps // self.stride) - (self.stride == 1) for tile, taps in each)

    @property
    def kernel_taps(self) -> int:
        """Taps that become points."""
        return math.prod(self.taps)

    def tile_counts(self, axes: "Sequence[Axis] | Sequence[AxisPlan]") -> list[int]:
        """Tiles along each axis; of an axis that is not transformed, outputs."""
        first = len(axes) - self.axes
        sizes = (1,) * first + self.tiles
        each: zip[tuple[Axis | AxisPlan, int]] = zip(axes, sizes)
        return [axis.phases * -(-axis.phase_outputs // size) for axis, size in each]


DIRECT = Tiling()


@dataclass(frozen=True, slots=True)
class AxisPlan:
    """One spatial axis of a pass; see cx_axis in convx.h."""

    outputs: int
    phases: int
    block: int
    blocks: int
    out_stride: int
    in_size: int
    in_stride: int
    stride: int
    step: int
    position_stride: int
    strand_start: Table
    strand_length: Table
    tile_length: int
    halo: Table | None
    halo_low: int
    tile: int = 1
    points: int = 1
    pair_outputs: int = 1
    roots: NDArray[np.float64] | None = None

    @property
    def phase_outputs(self) -> int:
        """Outputs of the first phase, which has the most."""
        return -(-self.outputs // self.phases)


@dataclass(frozen=True, slots=True)
class PassPlan:
    """One pass; see cx_pass in convx.h."""

    axes: tuple[AxisPlan, ...]
    batch: int
    groups: int
    channels: int
    filters: int
    in_batch: int
    in_channel: int
    out_batch: int
    out_channel: int
    out_origin: int
    weight_filter: int
    weight_channel: int
    weight_group: int
    weight_size: int
    kernel_taps: int
    tap_offset: Table
    tap_weight: Table
    taps_in_order: bool
    boxes: int
    items: int
    channel_block: int
    tap_block: int
    tile_size: int
    tile_rows: int
    positions: int
    narrowest: int
    boxes_together: int = 1
    far: bool = False
    task_groups: int = 1
    filter_parts: int = 1
    row_parts: int = 1
    in_place: bool = False
    strided: bool = False
    gathered: bool = False
    slide_rows: int = 0
    slide_columns: int = 0
    flat: bool = False
    lanes: bool = False
    parts: Table | None = None
    interleaved: int = 1
    position_lanes: bool = False
    filter_vectors: int = 0
    filters_packed: int = 0
    tiling: Tiling = DIRECT
    in_passing: bool = False
    sum_blocks: int = 0
    point_size: int = 0

    def tables(self) -> list[Table]:
        """All the tables of the pass."""
        tables = [self.tap_offset, self.tap_weight]
        tables += [] if self.parts is None else [self.parts]
        for axis in self.axes:
            tables += [axis.strand_start, axis.strand_length]
            tables += [] if axis.halo is None else [axis.halo]
        return tables

    @property
    def packed_size(self) -> int:
        """Elements of the packed weights, 0 where they are read as they are given."""
        if self.tiling.algorithm == "fft":
            groups = -(-self.groups // self.task_groups) * self.task_groups
            outer = len(self.tap_weight) // self.tiling.kernel_taps
            return groups * self.filters * self.channels * outer * 2 * self.tiling.points
        if self.lanes or self.parts is not None or self.in_passing:
            return 0
        if self.tiling.axes:
            steps = self.groups * -(-self.channels // self.channel_block)
            return steps * self.tiling.points * self.point_size
        filters = self.filters_packed or self.filters
        return self.groups * filters * self.channels * len(self.tap_weight)

    @property
    def packing(self) -> tuple[object, ...]:
        """Tell how the weights are packed: equal for passes of two plans that can share them."""
        step = self.channel_block, self.tap_block
        return self.tiling, *step, self.filter_vectors, self.tap_weight.tobytes()

    @property
    def outputs(self) -> int:
        """Outputs of a channel of an item."""
        if self.parts is None:
            return math.prod(axis.outputs for axis in self.axes)
        return int(self.parts.reshape(-1, 3 + len(self.axes))[:, 3:].prod(axis=1).sum())

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the pass, without those of transformations."""
        tiles = math.prod(self.tiling.tile_counts(self.axes))
        taps = len(self.tap_weight) // self.tiling.kernel_taps * self.tiling.points
        if self.tiling.algorithm == "fft":  # complex products, of two tiles at a time
            taps *= 2
        return self.batch * tiles * self.groups * self.filters * self.channels * taps


@dataclass(frozen=True, slots=True)
class Axis:
    """One spatial axis of the arrays and the taps that a pass sums along it.

    With phases, only every so manieth output is a neighbour of another: ``taps`` tells its stride
    and step.
    """

    taps: AxisTaps
    in_size: int
    in_stride: int
    out_stride: int
    halo: Table | None = None
    halo_low: int = 0
    phases: int = 1

    @property
    def phase_outputs(self) -> int:
        """Outputs of the first phase, which has the most."""
        return -(-self.taps.outputs // self.phases)

    @property
    def is_pointwise(self) -> bool:
        """Whether every output takes just the input of its own place."""
        taps = self.taps
        return (
            taps.coordinates.tolist() == [0]
            and (taps.stride, taps.out_start, taps.out_step) == (1, 0, 1)
            and taps.outputs == self.in_size
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """What a pass computes, before it is cut: strides count elements."""

    kind: str
    dtype: str
    kernel: tuple[int, ...]
    batch: int
    groups: int
    channels: int
    filters: int
    in_batch: int
    in_channel: int
    out_batch: int
    out_channel: int
    weights_transposed: bool
    weights_prepared: bool
    threads: int
    axes: tuple[Axis, ...] = ()
    lines: bool = False  # whether its rows are those of several items, side by side

    @property
    def item_size(self) -> int:
        """Bytes of an element."""
        return np.dtype(self.dtype).itemsize

    @property
    def weights(self) -> int:
        """Weights in all."""
        return self.groups * self.filters * self.channels * math.prod(self.kernel)


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned operation: what :class:`convx._core._driver.Program` is made of."""

    kind: str
    dtype: str
    algorithm: str
    out_shape: tuple[int, ...]
    passes: tuple[PassPlan, ...]
    packs: bool
    writes_all: bool
    threads: int
    packing: tuple[object, ...]
    falls_back: bool
    problem: Problem
    axes: tuple[tuple[Axis, ...], ...]  # none where there is nothing to compute
    table_bytes: int = field(init=False)
    work: int = field(init=False)
    item_size: int = field(init=False)

    def __post_init__(self) -> None:
        tables = [table for one in self.passes for table in one.tables()]
        object.__setattr__(self, "table_bytes", sum(table.nbytes for table in tables))
        object.__setattr__(self, "work", sum(one.multiply_adds for one in self.passes))
        object.__setattr__(self, "item_size", np.dtype(self.dtype).itemsize)


class NotedPlan(NamedTuple):
    """What is told of a call without a plan: its algorithm, and multiply-adds."""

    algorithm: str
    work: int
