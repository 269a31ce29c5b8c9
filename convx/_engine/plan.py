"""Plans: how a convolution is cut into passes, boxes and steps, and which algorithm computes it.

A plan is a pure function of shapes, strides, element type, thread count and machine. Only speed
depends on the last two: every output is one chain of multiply-adds in the order of (channel, tap),
however it is blocked.

The constants were chosen by ``python -m benchmarks.blocking`` on an AMD EPYC (Genoa, Zen 4) with
1 MiB of L2 cache, GCC 12, November 2026.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from convx._core import _driver
from convx._engine import machine
from convx._engine.problem import Axis, AxisPlan, PassPlan, Plan, Problem
from convx._engine.threads import WORK_PER_THREAD
from convx._engine.window import AxisTaps, Table

STEP = 320  # channels times taps of one step of the reduction: a register block of weights in L1
BOX_POSITIONS = 256  # outputs of a box where they are gathered
POINTWISE_POSITIONS = 512  # the same for kernels of one tap, whose input is read in long rows
ROW_POSITIONS = 2048  # outputs of a box whose tile is read by rows
GRADIENT_POSITIONS = 256  # outputs of a box of the weight gradient: it sets the order of its sum
GRADIENT_UNIT = 32  # rows of more outputs are cut into multiples of this
GRADIENT_TILE = 256 * 1024  # bytes of one channel's tile, for which boxes are made smaller
GRADIENT_COLUMNS = 320  # channels times taps of a task of the weight gradient
GRADIENT_FILTERS = 256  # filters of a task of the weight gradient
FORWARD_FILTERS = 512  # filters of a task
STRIDED_POSITIONS = 64  # outputs of a task up to which weights are read where they are
TASK_POSITIONS = 1024  # outputs of a task, over the items of a batch
GATHER_FILTERS = 24  # filters from which copying positions to panels is worth while at all
GATHER_COST = 5  # copying a vector to a panel costs as much as so many of its multiply-adds
FLAT_FILTERS = 4  # filters of a group up to which rows are computed as one stretch
FLAT_WEIGHTS = 4096  # weights of a group up to which they are
FLAT_POSITIONS = 4096  # outputs of a box where they are
FLAT_TASK = 16384  # outputs of a task where they are, over items and groups
SMALL_KERNELS = 8192  # weights in all below which their gradient is summed in parts
ROW_PARTS = 8  # such parts


def _merge_pointwise(axes: Sequence[Axis]) -> list[Axis]:
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


def _strands(coordinates: Table, stride: int, block: int) -> tuple[Table, Table, Table]:
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


def _table(values: Any) -> Table:
    return np.ascontiguousarray(values, dtype=np.int64).reshape(-1)


def _outer_sum(tables: Sequence[Table]) -> Table:
    """Sums of one element of each table, the last table's fastest."""
    total = np.zeros(1, np.int64)
    for table in tables:
        total = (total[:, None] + table[None, :]).reshape(-1)
    return total


def _gathers(axes: Sequence[Axis], filters: int, unit: int) -> bool:
    """Whether panels that run on over rows save more than copying positions to them costs.

    Without, every row takes a whole number of ``unit`` columns.
    """
    row = axes[-1].taps.outputs
    if all(len(axis.taps.coordinates) == 1 for axis in axes):
        return filters >= GATHER_FILTERS  # there is no other copy: the panels are the tile
    wasted = -(-row // unit) * unit - row
    return wasted * filters > GATHER_COST * row


def _works_in_place(axes: Sequence[Axis], block: int, gathered: bool, lanes: int) -> bool:
    """Whether the input can be its own tile: nothing is padded, and rows are contiguous."""
    for axis in axes:
        taps = axis.taps
        last = int(taps.coordinates.max()) + (taps.outputs - 1) * taps.stride
        if taps.coordinates.min() < 0 or last >= axis.in_size:
            return False
    if axes[-1].in_stride != 1 or axes[-1].taps.stride != 1:
        return False
    if gathered and any(len(axis.taps.coordinates) > 1 for axis in axes):
        return False
    # whole vectors are read: past a row they do not fill, that would be past the input
    return axes[-1].taps.outputs % lanes == block % lanes == 0


def _blocks(axes: Sequence[Axis], target: int, unit: int) -> list[int]:
    """Outputs of a box along each axis: whole rows as far as ``target`` outputs go.

    Rows that are longer are cut into multiples of ``unit``, between vectors.
    """
    blocks: list[int] = []
    for axis in reversed(axes):
        outputs = axis.taps.outputs
        pieces = -(-outputs // max(1, target))
        block = -(-outputs // pieces)
        if not blocks and pieces > 1 and block > unit:
            block = min(-(-block // unit) * unit, outputs)
        blocks.append(block)
        target //= block
    return blocks[::-1]


def _parts(tasks: int, most: int, threads: int) -> int:
    """Fewest parts of each task that give every thread about as much to do."""
    for parts in range(1, most + 1):
        if tasks * parts % threads == 0 or tasks * parts >= 8 * threads:
            return parts
    return most


def _pitch(size: int, item_size: int) -> int:
    """Elements from one channel of a tile to the next: an odd number of cache lines."""
    line = 64 // item_size
    return (-(-size // line) | 1) * line


def _even(total: int, most: int) -> int:
    """Largest piece when ``total`` is cut evenly into pieces of at most ``most``."""
    pieces = max(1, -(-total // max(1, most)))
    return max(1, -(-total // pieces))


def plan_pass(problem: Problem) -> PassPlan:
    """Cut a pass so that its scratch memory stays below twice the L2 cache.

    First with ever shorter steps of the reduction, down to one channel, then with ever fewer
    outputs in a box: what grows is the tile.
    """
    taps = math.prod(len(axis.taps.coordinates) for axis in problem.axes)
    cut = _cut(problem, None, None)
    while not (cut.flat or _fits(cut, problem)) and cut.channel_block > 1:
        cut = _cut(problem, cut.positions, max(1, cut.channel_block // 2) * taps)
    step = cut.channel_block * cut.tap_block
    positions = cut.positions
    while not _fits(cut, problem) and positions > 1 and problem.kind != "weight_gradient":
        positions //= 2
        cut = _cut(problem, positions, step)
    return cut


def _fits(cut: PassPlan, problem: Problem) -> bool:
    gradient = problem.kind == "weight_gradient"
    size = _driver.Pass(cut).scratch_bytes(machine.ISA, problem.dtype, gradient)
    return size < 2 * machine.L2_BYTES


def _cut(problem: Problem, positions: int | None, step: int | None) -> PassPlan:
    """Cut a pass with at most so many outputs in a box, and channels times taps in a step."""
    gradient = problem.kind == "weight_gradient"
    lanes, narrowest, rows = _driver.register_block(machine.ISA, problem.dtype)
    axes = _merge_pointwise(problem.axes)
    gathered = gradient or _gathers(axes, problem.filters, narrowest)
    taps = math.prod(len(axis.taps.coordinates) for axis in axes)
    flat = not (gradient or gathered) and _is_flat(problem, taps)
    if gradient:  # boxes set the order of the sum: they must not depend on the machine
        blocks = _gradient_blocks(axes, problem.item_size)
    else:
        positions = positions or _positions(problem, taps, gathered, flat)
        blocks = _blocks(axes, positions, 2 * lanes)
    in_place = not (gradient or flat) and _works_in_place(axes, blocks[-1], gathered, lanes)
    axis_plans, tap_tables = _axis_plans(axes, blocks, in_place)
    tile_lengths = [axis.tile_length for axis in axis_plans]
    boxes = math.prod(axis.blocks for axis in axis_plans)

    single = flat and problem.filters == 1
    slide_rows, slide_columns = _slides(axis_plans, tap_tables) if single else (0, 0)
    kernel_strides = [math.prod(problem.kernel[a + 1 :]) for a in range(len(problem.kernel))]
    tap_weight = _outer_sum(
        [stride * axis.taps.kernel for axis, stride in zip(problem.axes, kernel_strides)]
    )
    kernel_taps = math.prod(problem.kernel)
    if problem.weights_transposed:
        weight_filter, weight_channel = kernel_taps, problem.filters * kernel_taps
    else:
        weight_filter, weight_channel = problem.channels * kernel_taps, kernel_taps
    weight_group = problem.filters * problem.channels * kernel_taps

    items, task_groups, row_parts, tap_block = 1, 1, 1, taps
    filter_blocks = -(-problem.filters // rows)
    if gradient:
        channel_block = _gradient_channels(problem, taps, step or GRADIENT_COLUMNS, lanes)
        if problem.groups * weight_group <= SMALL_KERNELS:
            row_parts = min(ROW_PARTS, problem.batch * boxes)
        tasks = problem.groups * -(-problem.channels // channel_block) * row_parts
        packed = math.prod(blocks) * problem.item_size
        most_filters = min(GRADIENT_FILTERS, max(rows, machine.L2_BYTES // 2 // packed))
    else:
        step = FLAT_WEIGHTS if flat else min(step or STEP, STEP)
        channel_block = _even(problem.channels, step // taps)
        tap_block = taps if taps <= step else _even(taps, step)
        alike = problem.groups * boxes
        shared = min(TASK_POSITIONS // math.prod(blocks), problem.batch * alike // problem.threads)
        items = _even(problem.batch, shared)
        if flat:
            shared = min(FLAT_TASK // (items * math.prod(blocks)), alike // (4 * problem.threads))
            task_groups = _even(problem.groups, shared)
        tasks = -(-problem.groups // task_groups) * boxes * -(-problem.batch // items)
        most_filters = FORWARD_FILTERS
    filter_parts = max(
        min(filter_blocks, -(-problem.filters // most_filters)),
        _parts(tasks, filter_blocks, problem.threads),
    )
    return PassPlan(
        axes=axis_plans,
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
        tap_offset=_outer_sum(tap_tables),
        tap_weight=tap_weight,
        taps_in_order=weight_channel == taps and bool((tap_weight == np.arange(taps)).all()),
        boxes=boxes,
        items=items,
        task_groups=task_groups,
        filter_parts=filter_parts,
        row_parts=row_parts,
        channel_block=channel_block,
        tap_block=tap_block,
        tile_size=_pitch(math.prod(tile_lengths), problem.item_size),
        tile_rows=math.prod(tile_lengths[:-1]),
        positions=math.prod(blocks),
        narrowest=narrowest,
        in_place=in_place,
        strided=not gradient
        and gathered
        and _reads_weights(weight_filter * problem.item_size, items * math.prod(blocks)),
        gathered=gathered,
        slide_rows=slide_rows,
        slide_columns=slide_columns,
        flat=flat,
    )


def _gradient_blocks(axes: Sequence[Axis], item_size: int) -> list[int]:
    """Outputs of a box of the weight gradient: few enough for one channel's tile to be small."""
    positions = GRADIENT_POSITIONS
    while True:
        blocks = _blocks(axes, positions, GRADIENT_UNIT)
        lengths = [
            int(_strands(axis.taps.coordinates, axis.taps.stride, block)[1].sum())
            for axis, block in zip(axes, blocks)
        ]
        if positions == 1 or math.prod(lengths) * item_size <= GRADIENT_TILE:
            return blocks
        positions //= 2


def _is_flat(problem: Problem, taps: int) -> bool:
    """Whether the filters of a group are so few that the ends of rows cost more than gaps."""
    return (
        problem.filters <= FLAT_FILTERS
        and problem.filters * problem.channels * taps <= FLAT_WEIGHTS
    )


def _slides(axes: Sequence[AxisPlan], tap_tables: Sequence[Table]) -> tuple[int, int]:
    """Taps along the last two axes where the tap rows are neighbouring tile rows, else zeros."""
    if len(axes) < 2 or len(tap_tables[-2]) < 2:
        return 0, 0
    steps = np.diff(tap_tables[-2])
    neighbours = abs(steps[0]) == axes[-2].position_stride and bool((steps == steps[0]).all())
    return (len(tap_tables[-2]), len(tap_tables[-1])) if neighbours else (0, 0)


def _positions(problem: Problem, taps: int, gathered: bool, flat: bool) -> int:
    """How many outputs a box should have."""
    if gathered:
        return BOX_POSITIONS if taps > 1 else POINTWISE_POSITIONS
    if flat:
        return FLAT_POSITIONS
    # the tile of a step should leave room in L2
    channels = min(problem.channels, max(1, STEP // taps))
    room = machine.L2_BYTES // 3 // problem.item_size // channels
    return min(ROW_POSITIONS, max(64, room))


def _gradient_channels(problem: Problem, taps: int, columns: int, lanes: int) -> int:
    """Channels of a task of the weight gradient: whole panels of columns, if there are enough."""
    if problem.groups * problem.channels * taps < problem.threads * GRADIENT_COLUMNS:
        return _even(problem.channels, -(-problem.channels // problem.threads))
    panel = 2 * lanes
    granule = panel // math.gcd(panel, taps)
    whole = min(columns, GRADIENT_COLUMNS) // taps // granule * granule
    if 0 < whole <= problem.channels:
        return whole
    return _even(problem.channels, columns // taps)


def _reads_weights(stride: int, positions: int) -> bool:
    """Whether weights are used too little to be packed, and do not crowd one set of a cache."""
    return positions <= STRIDED_POSITIONS and stride % 4096 != 0


def _axis_plans(
    axes: Sequence[Axis], blocks: Sequence[int], in_place: bool
) -> tuple[tuple[AxisPlan, ...], list[Table]]:
    """Tables of the axes, and where each axis's taps lie in the tile."""
    plans: list[AxisPlan] = []
    tap_tables: list[Table] = []
    tile_stride = 1
    for axis, block in reversed(list(zip(axes, blocks))):
        taps = axis.taps
        starts, lengths, places = _strands(taps.coordinates, taps.stride, block)
        if in_place:
            position_stride = taps.stride * axis.in_stride
            tap_tables.append(taps.coordinates * axis.in_stride)
        else:
            position_stride = tile_stride
            tap_tables.append(places * tile_stride)
        plans.append(
            AxisPlan(
                outputs=taps.outputs,
                block=block,
                blocks=-(-taps.outputs // block),
                out_stride=taps.out_step * axis.out_stride,
                in_size=axis.in_size,
                in_stride=axis.in_stride,
                stride=taps.stride,
                position_stride=position_stride,
                strand_start=starts,
                strand_length=lengths,
                tile_length=int(lengths.sum()),
                halo=axis.halo,
                halo_low=axis.halo_low,
            )
        )
        tile_stride *= plans[-1].tile_length
    return tuple(reversed(plans)), tap_tables[::-1]


def _pack_once(passes: Sequence[PassPlan], size: int) -> bool:
    """Whether to pack the weights once for a call rather than for every box."""
    shared = any(one.batch * one.boxes > one.items and not one.strided for one in passes)
    return shared and size <= machine.L2_BYTES // 2


def plan(
    problem: Problem, axes: Sequence[Sequence[Axis]], out_shape: tuple[int, ...], algorithm: str
) -> Plan:
    """Plan a problem in passes, one for each choice among what ``axes`` has for every axis."""
    outputs = math.prod(out_shape)
    work = problem.channels * math.prod(problem.kernel) * outputs
    threads = max(1, min(problem.threads, work // WORK_PER_THREAD))
    passes = [
        plan_pass(replace(problem, axes=chosen, threads=threads))
        for chosen in (itertools.product(*axes) if work else ())
    ]
    written = sum(math.prod(axis.outputs for axis in one.axes) for one in passes)
    per_channel = math.prod(out_shape[2:])
    packed = problem.groups * problem.filters * problem.channels * math.prod(problem.kernel)
    row_parts = max((one.row_parts for one in passes), default=1)
    sums = (row_parts, packed)
    return Plan(
        kind=problem.kind,
        dtype=problem.dtype,
        algorithm="direct" if algorithm == "auto" else algorithm,
        out_shape=sums if problem.kind == "weight_gradient" else out_shape,
        passes=tuple(passes),
        packs=problem.kind == "forward" and _pack_once(passes, packed * problem.item_size),
        writes_all=problem.kind == "weight_gradient" or written == per_channel,
        threads=threads,
        packing=tuple((one.channel_block, one.tap_block) for one in passes),
    )
