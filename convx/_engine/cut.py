"""Cutting a pass: boxes of outputs, the tiles of input that they need, and the tables of both."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from convx._core import _driver
from convx._engine import machine
from convx._engine.problem import Axis, AxisPlan, PassPlan, Problem, Tiling
from convx._engine.window import NO_WEIGHT, AxisTaps, Table

LANES_STRIDE = 4  # the greatest stride for which groups are the lanes of vectors
FAR_BYTES = 16 * 2**20  # of a result that is stored past the caches, which it would leave anyway
GATHER_COST = 5  # copying a vector to a panel costs as much as so many of its multiply-adds
MOST_WEIGHTS = 128 * 2**20  # bytes of transformed weights, or of the sums that become a gradient


def merge_pointwise(axes: Sequence[Axis]) -> list[Axis]:
    """Join neighbouring axes along which nothing is summed and which lie in memory as one."""
    merged: list[Axis] = []
    for axis in axes:
        before = merged[-1] if merged else None
        if (
            before is not None
            and before.is_pointwise
            and axis.is_pointwise
            and (axis.in_size == 1 or before.in_stride == axis.in_size * axis.in_stride)
            and (axis.in_size == 1 or before.out_stride == axis.in_size * axis.out_stride)
        ):
            size = before.in_size * axis.in_size
            inner = axis if axis.in_size > 1 else before
            merged[-1] = replace(
                inner, taps=AxisTaps(size, 1, axis.taps.coordinates, axis.taps.kernel), in_size=size
            )
        else:
            merged.append(axis)
    return merged


def strands(coordinates: Table, stride: int, block: int) -> tuple[Table, Table, Table]:
    """Lay out the input coordinates that ``block`` outputs read, each of them once.

    Returns the strands' first coordinates and lengths, and each tap's place in the tile.
    """
    distinct, inverse = np.unique(coordinates, return_inverse=True)
    order = np.lexsort((distinct, distinct % stride))
    ordered = distinct[order]
    gaps = np.diff(ordered)
    # a strand goes on as long as the next tap's coordinates follow those of the one before
    breaks = (gaps < 0) | (gaps % stride != 0) | (gaps // stride > block)
    strand = np.concatenate([[0], np.cumsum(breaks)])
    starts = ordered[np.concatenate([[True], breaks])]
    ends = ordered[np.concatenate([breaks, [True]])]
    lengths = (ends - starts) // stride + block
    places = np.empty_like(distinct)
    before = np.cumsum(lengths) - lengths
    places[order] = before[strand] + (ordered - starts[strand]) // stride
    return starts, lengths, places[inverse.reshape(-1)]


def choices_of(problem: Problem, axes: Sequence[Sequence[Axis]]) -> list[Problem]:
    """One problem for each choice among what there is for every axis."""
    return [replace(problem, axes=chosen) for chosen in itertools.product(*axes)]


def products(axes: Sequence[Sequence[Axis]]) -> int:
    """Multiply-adds along some axes, for each filter and channel: outputs times taps."""
    return math.prod(
        sum(len(axis.taps.coordinates) * axis.taps.outputs for axis in choices) for choices in axes
    )


def outer_taps(axes: Sequence[Sequence[Axis]]) -> int:
    """Taps along axes that are not transformed, of all passes."""
    return math.prod(sum(len(axis.taps.coordinates) for axis in choices) for choices in axes)


def vector_size(problem: Problem) -> int:
    """Elements of a vector of 64 bytes: estimates count in these, whatever the machine has."""
    return 64 // problem.item_size


def tile_sizes(axes: Sequence[Axis], tiling: Tiling) -> list[int]:
    """Outputs of a tile along each axis, 1 where it is not transformed."""
    return [*(1,) * (len(axes) - tiling.axes), *tiling.tiles]


def are_neighbours(taps: AxisTaps) -> bool:
    """Whether taps are neighbours within a phase of the outputs that has some in every phase."""
    gaps = abs(np.diff(taps.coordinates))
    if not len(gaps):
        return taps.stride == 1
    evenly = bool((gaps == gaps[0]).all())
    return evenly and taps.stride in (1, gaps[0]) and gaps[0] // taps.stride <= taps.outputs


def with_phases(axis: Axis) -> Axis:
    """Part the outputs along an axis into phases within which the taps are neighbours, in order.

    Taps that are closer than outputs have one phase.
    """
    taps = axis.taps
    order = np.argsort(taps.coordinates)
    gap = int(abs(taps.coordinates[1] - taps.coordinates[0])) if len(order) > 1 else taps.stride
    phases = max(1, gap // taps.stride)
    return replace(
        axis,
        taps=replace(
            taps,
            stride=phases * taps.stride,
            coordinates=taps.coordinates[order],
            kernel=taps.kernel[order],
            out_step=phases * taps.out_step,
        ),
        phases=phases,
    )


def with_sections(axis: Axis, count: int) -> Axis:
    """Order neighbouring taps by strands: every tap that is a stride from the one before.

    So each section of taps is part of a strand. The last ones are filled up with taps without a
    weight, to ``count`` in all.
    """
    taps = axis.taps
    order = np.argsort(taps.coordinates)
    places = np.full(count, NO_WEIGHT)
    places[: len(order)] = taps.kernel[order]
    coordinates = int(taps.coordinates.min()) + np.arange(count)
    by_strand = np.arange(count).reshape(-1, taps.stride).T.reshape(-1)
    return replace(
        axis, taps=replace(taps, coordinates=coordinates[by_strand], kernel=places[by_strand])
    )


def transformed(problem: Problem, tiling: Tiling) -> Problem:
    """Return the problem with phases, or sections, along the axes that are transformed."""
    first = len(problem.axes) - tiling.axes
    if tiling.all_sections > 1:
        each = zip(problem.axes[first:], tiling.sections, tiling.taps)
        last = [with_sections(axis, sections * taps) for axis, sections, taps in each]
    else:
        last = [with_phases(axis) for axis in problem.axes[first:]]
    return replace(problem, axes=(*problem.axes[:first], *last))


def by_sections(taps: Table, tiling: Tiling) -> Table:
    """Sort a table so that the taps of a section of all axes follow one another.

    Along each axis they do, as the axes' tables have them.
    """
    along = [size for both in zip(tiling.sections, tiling.taps) for size in both]
    sections, within = range(1, len(along), 2), range(2, len(along) + 1, 2)
    return taps.reshape(-1, *along).transpose(0, *sections, *within).reshape(-1)


def outer_sum(tables: Sequence[Table]) -> Table:
    """Sums of one element of each table, the last table's fastest."""
    total = np.zeros(1, np.int64)
    for table in tables:
        total = (total[:, None] + table[None, :]).reshape(-1)
    return total


def split(outputs: Sequence[int], target: int, unit: int) -> list[int]:
    """Outputs of a box along each axis: whole rows as far as ``target`` outputs go.

    Rows that are longer are cut into multiples of ``unit``, between vectors.
    """
    blocks: list[int] = []
    for count in reversed(outputs):
        pieces = -(-count // max(1, target))
        block = -(-count // pieces)
        if not blocks and pieces > 1 and block > unit:
            block = min(-(-block // unit) * unit, count)
        blocks.append(block)
        target //= block
    return blocks[::-1]


def fewest_parts(tasks: int, most: int, threads: int) -> int:
    """Fewest parts of each task that give every thread about as much to do."""
    for parts in range(1, most + 1):
        if tasks * parts % threads == 0 or tasks * parts >= 8 * threads:
            return parts
    return most


def filter_parts(problem: Problem, tasks: int, most_filters: int, rows: int) -> int:
    """Parts of the filters that so many tasks are cut into further."""
    filter_blocks = -(-problem.filters // rows)
    needed = min(filter_blocks, -(-problem.filters // most_filters))
    return max(needed, fewest_parts(tasks, filter_blocks, problem.threads))


def has_many_weights(problem: Problem) -> bool:
    """Whether weights outnumber an item's inputs: it is better to share them out among threads."""
    places = math.prod(axis.taps.outputs for axis in problem.axes)
    return problem.weights > problem.groups * problem.channels * places


def is_depthwise(problem: Problem) -> bool:
    """Whether every group has one channel."""
    return problem.channels == 1 and problem.groups > 1


def may_be_lanes(problem: Problem, axes: Sequence[Axis]) -> bool:
    """Whether groups can be the lanes of vectors."""
    small = all(axis.taps.stride <= LANES_STRIDE for axis in axes)
    return is_depthwise(problem) and small and axes[-1].in_stride == 1


def whole(count: int, unit: int) -> int:
    """As many as it takes for whole units."""
    return -(-count // unit) * unit


def even(total: int, most: int) -> int:
    """Largest piece when ``total`` is cut evenly into pieces of at most ``most``."""
    pieces = max(1, -(-total // max(1, most)))
    return max(1, -(-total // pieces))


def pitch(size: int, item_size: int) -> int:
    """Elements from one channel of a tile to the next: an odd number of cache lines."""
    line = 64 // item_size
    return (-(-size // line) | 1) * line


def axis_plans(
    axes: Sequence[Axis],
    blocks: Sequence[int],
    in_place: bool = False,
    tiles: Sequence[int] | None = None,
    dense: bool = False,
    spread: int = 0,
) -> tuple[tuple[AxisPlan, ...], list[Table]]:
    """Tables of the axes, and where each axis's taps lie in the tile.

    Where boxes are covered by tiles of so many outputs, the input has what whole tiles need. A
    dense tile has neighbouring samples beside one another whatever the stride is. Rows of a spread
    one, of elements of so many bytes, are an odd number of cache lines apart.
    """
    plans: list[AxisPlan] = []
    tap_tables: list[Table] = []
    tile_stride = 1
    for axis, block, tile in reversed(list(zip(axes, blocks, tiles or [1] * len(axes)))):
        taps = axis.taps
        step, needed = taps.stride, -(-block // tile) * tile
        if dense:
            step, needed = 1, (needed - 1) * taps.stride + 1
        starts, lengths, places = strands(taps.coordinates, step, needed)
        if in_place:
            position_stride = taps.stride * axis.in_stride
            tap_tables.append(taps.coordinates * axis.in_stride)
        else:
            position_stride = taps.stride // step * tile_stride
            tap_tables.append(places * tile_stride)
        length = int(lengths.sum())
        plans.append(
            AxisPlan(
                outputs=taps.outputs,
                phases=axis.phases,
                block=block,
                blocks=axis.phases * -(-axis.phase_outputs // block),
                out_stride=taps.out_step * axis.out_stride,
                in_size=axis.in_size,
                in_stride=axis.in_stride,
                stride=taps.stride,
                step=step,
                position_stride=position_stride,
                strand_start=starts,
                strand_length=lengths,
                tile_length=pitch(length, spread) if spread and not plans else length,
                halo=axis.halo,
                halo_low=axis.halo_low,
            )
        )
        tile_stride *= plans[-1].tile_length
    return tuple(reversed(plans)), tap_tables[::-1]


def kernel_places(problem: Problem) -> Table:
    """Where the taps of a problem's axes lie in a kernel: those without a weight at its end."""
    kernel = problem.kernel
    strides = [math.prod(kernel[a + 1 :]) for a in range(len(kernel))]
    each = [axis.taps.kernel for axis in problem.axes]
    places = outer_sum([stride * along for along, stride in zip(each, strides)])
    return np.where(outer_sum([along == NO_WEIGHT for along in each]), math.prod(kernel), places)


def pass_plan(
    problem: Problem,
    axes: Sequence[Axis],
    plans: tuple[AxisPlan, ...],
    tap_offset: Table,
    **chosen: Any,
) -> PassPlan:
    """Put a pass together: what follows from the problem and its axes, and what was chosen."""
    tap_weight = kernel_places(problem)
    kernel_taps = math.prod(problem.kernel)
    if problem.weights_transposed:
        weight_filter, weight_channel = kernel_taps, problem.filters * kernel_taps
    else:
        weight_filter, weight_channel = problem.channels * kernel_taps, kernel_taps
    weight_group = problem.filters * problem.channels * kernel_taps
    in_order = weight_channel == len(tap_weight) and bool(
        (tap_weight == np.arange(len(tap_weight))).all()
    )
    lengths = [axis.tile_length for axis in plans]
    return PassPlan(
        axes=plans,
        batch=problem.batch,
        groups=problem.groups,
        channels=problem.channels,
        filters=problem.filters,
        in_batch=problem.in_batch,
        in_channel=problem.in_channel,
        out_batch=problem.out_batch,
        out_channel=problem.out_channel,
        out_origin=sum(axis.taps.out_start * axis.out_stride for axis in axes),
        weight_filter=weight_filter,
        weight_channel=weight_channel,
        weight_group=weight_group,
        weight_size=problem.groups * weight_group,
        kernel_taps=kernel_taps,
        tap_offset=tap_offset,
        tap_weight=tap_weight,
        taps_in_order=in_order,
        boxes=math.prod(axis.blocks for axis in plans),
        tile_size=pitch(math.prod(lengths), problem.item_size),
        tile_rows=math.prod(lengths[:-1]),
        positions=math.prod(axis.block for axis in plans),
        far=_output_size(problem) * problem.item_size >= FAR_BYTES,
        **chosen,
    )


def _output_size(problem: Problem) -> int:
    """Elements of what a pass computes."""
    if problem.kind == "weight_gradient":
        return problem.weights
    outputs = math.prod(axis.taps.outputs for axis in problem.axes)
    return problem.batch * problem.groups * problem.filters * outputs


def fits(cut: PassPlan, problem: Problem) -> bool:
    """Whether a thread's scratch memory stays below twice the L2 cache."""
    gradient = problem.kind == "weight_gradient"
    size = _driver.Pass(cut).scratch_bytes(machine.ISA, problem.dtype, gradient)
    return size < 2 * machine.L2_BYTES


def wastes(row: int, filters: int, unit: int) -> bool:
    """Whether filling up every row to whole units costs more than copying its outputs."""
    return (whole(row, unit) - row) * filters > GATHER_COST * row


def works_in_place(axes: Sequence[Axis], block: int, gathered: bool, lanes: int) -> bool:
    """Whether the input can be its own tile: nothing is padded, and rows are contiguous.

    Panels are gathered from every second element of a row, too.
    """
    for axis in axes:
        taps = axis.taps
        last = int(taps.coordinates.max()) + (taps.outputs - 1) * taps.stride
        if taps.coordinates.min() < 0 or last >= axis.in_size:
            return False
    if axes[-1].in_stride != 1:
        return False
    if gathered:
        return axes[-1].taps.stride <= 2 and all(len(axis.taps.coordinates) == 1 for axis in axes)
    if axes[-1].taps.stride != 1:
        return False
    # whole vectors are read: past a row they do not fill, that would be past the input
    return axes[-1].taps.outputs % lanes == block % lanes == 0
