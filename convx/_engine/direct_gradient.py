"""The direct gradient of weights: how its passes are cut into boxes, and its sums into tasks.

The boxes set the order of the sums: they must not depend on the machine.
"""

import math
from collections.abc import Sequence

import numpy as np

from convx._core import _driver
from convx._engine import costs, machine
from convx._engine.cut import (
    axis_plans,
    even,
    filter_parts,
    fits,
    is_depthwise,
    may_be_lanes,
    merge_pointwise,
    outer_sum,
    pass_plan,
    pitch,
    split,
    strands,
    vector_size,
    whole,
    works_in_place,
)
from convx._engine.problem import Axis, PassPlan, Problem

GRADIENT_POSITIONS = 256  # outputs of a box of the weight gradient: it sets the order of its sum
GRADIENT_UNIT = 32  # rows of more outputs are cut into multiples of this
GRADIENT_TILE = 256 * 1024  # bytes of one channel's tile, for which boxes are made smaller
GRADIENT_COLUMNS = 320  # channels times taps of a task of the weight gradient
GRADIENT_FILTERS = 512  # filters of a task of the weight gradient
LANES_GRADIENT = 1024  # outputs of a box of the weight gradient of depthwise convolutions
LANES_TILE = 32 * 1024  # bytes of one channel's tile there, for which boxes are made smaller
SMALL_KERNELS = 40960  # weights in all up to which their gradient is summed in parts
ROW_PARTS = 8  # such parts, …
PARTS_PER_THREAD = 4  # of them that are enough for each thread
PARTIAL_SUMS = 131072  # … but no more sums in all of them
SLIDE_GRADIENT = 2048  # the same where rows share their input
SLIDE_TAPS = 3  # taps along each of the last two axes with which they do
SLIDE_ROWS = 4  # rows of outputs from which they do
SLIDE_GROUPS = 32  # groups of a task there: their sums stay in L1
SLIDE_PARTS = 4  # parts of the sums there, which end in each of them
POSITIONS_BYTES = 3584  # of a filter in a box where positions are lanes: several stay in L1
LINES_BYTES = 14336  # the same of items side by side, whose gradients pass by the L1 cache
TRANSPOSE_COST = 6  # multiply-adds that transposing a column costs at each output
TILE_COST = 10  # the same of a channel's tile, beyond what it costs where positions are lanes
LOAD_COST = 2  # loading a vector that is not aligned, in multiply-adds
END_COST = 8  # ending the sum of a weight in a box, in multiply-adds of vectors of positions
POSITIONS_UNIT = 64  # rows of more outputs are cut into multiples of this there
POSITIONS_TILE = 256 * 1024  # bytes of the tiles of a task's channels there: they stay in L2


def estimate(problem: Problem, axes: Sequence[Axis]) -> float:
    """Multiply-adds that take as long as a group."""
    if _positions_pay(problem, axes):
        return _estimate_positions(problem, axes)
    depthwise = is_depthwise(problem)
    each = costs.DIRECT["depthwise_gradient" if depthwise else "weight_gradient"]
    columns, filters = problem.channels * math.prod(problem.kernel), problem.filters
    computed = columns if depthwise else whole(columns, vector_size(problem))
    per_output = computed * filters + columns * each.tap
    per_output += problem.channels * each.input + filters * each.output
    outputs = math.prod(axis.taps.outputs for axis in axes)
    return problem.batch * outputs * per_output + columns * filters * each.weight


def _estimate_positions(problem: Problem, axes: Sequence[Axis]) -> float:
    each, lanes = costs.POSITIONS[problem.kind], vector_size(problem)
    outputs, computed, boxes = _positions(problem, axes)
    weights = problem.channels * math.prod(problem.kernel) * _filters_worth(problem.filters)
    per_item = weights * (computed * each.product + boxes * lanes * each.end)
    per_item += outputs * (problem.channels * each.input + problem.filters * each.output)
    return problem.batch * per_item


def _positions_pay(problem: Problem, axes: Sequence[Axis]) -> bool:
    """Whether positions are better lanes than channels and taps.

    Where they are, rows are filled up to whole vectors, and every weight's sum ends in each box;
    otherwise columns are filled up and transposed.
    """
    lanes, filters = vector_size(problem), problem.filters
    outputs, computed, boxes = _positions(problem, axes)
    if is_depthwise(problem) or not outputs:
        return False
    columns = problem.channels * math.prod(problem.kernel)
    by_columns = filters * whole(columns, lanes) + TRANSPOSE_COST * columns
    by_columns += TILE_COST * problem.channels
    each = (computed + boxes * lanes * END_COST) / outputs
    by_positions = columns * _filters_worth(filters) * each
    if by_positions >= by_columns:
        return False
    merged = merge_pointwise(axes)
    return _tile_bytes(problem, merged, _position_blocks(problem, merged)) <= GRADIENT_TILE


def _filters_worth(filters: int) -> float:
    """Filters that take as long where positions are lanes: one or two wait for loads of columns."""
    return max(filters, LOAD_COST + filters / 4)


def _positions(problem: Problem, axes: Sequence[Axis]) -> tuple[int, int, int]:
    """Outputs of an item, with every row filled up to whole vectors, and boxes of them."""
    merged = merge_pointwise(axes)
    sizes = [axis.taps.outputs for axis in merged]
    blocks = _position_blocks(problem, merged)
    computed = math.prod(sizes[:-1]) * whole(sizes[-1], vector_size(problem))
    boxes = math.prod(-(-size // max(1, block)) for size, block in zip(sizes, blocks))
    return math.prod(sizes), computed, boxes


def plan_gradient(problem: Problem) -> PassPlan:
    """Cut a pass so that its scratch memory stays below twice the L2 cache."""
    taps = math.prod(len(axis.taps.coordinates) for axis in problem.axes)
    as_lanes = may_be_lanes(problem, problem.axes)
    if _rows_slide(problem, problem.axes):
        cut = _cut_slide(problem)
        if fits(cut, problem):
            return cut
    if not as_lanes and _positions_pay(problem, problem.axes):
        cut = _cut_positions(problem, problem.channels)
        while not fits(cut, problem) and cut.channel_block > 1:
            cut = _cut_positions(problem, cut.channel_block // 2)
        return cut
    cut = _cut_gradient(problem, GRADIENT_COLUMNS, as_lanes)
    if as_lanes and not fits(cut, problem):  # a kernel of ten thousand taps
        cut = _cut_gradient(problem, GRADIENT_COLUMNS, False)
    while not fits(cut, problem) and cut.channel_block > 1:
        cut = _cut_gradient(problem, max(1, cut.channel_block // 2) * taps, False)
    return cut


def _cut_gradient(problem: Problem, columns: int, as_lanes: bool) -> PassPlan:
    """Cut a gradient of weights with at most so many channels by taps in a task.

    The boxes set the order of the sum: they must not depend on the machine.
    """
    lanes, narrowest, rows = _driver.register_block(machine.ISA, problem.dtype)
    axes = merge_pointwise(problem.axes)
    taps = math.prod(len(axis.taps.coordinates) for axis in axes)
    blocks = _gradient_blocks(problem, axes)
    in_place = not as_lanes and _reads_input(problem, axes, blocks, lanes)
    plans, tap_tables = axis_plans(axes, blocks, in_place, dense=as_lanes)
    boxes, positions = math.prod(axis.blocks for axis in plans), math.prod(blocks)

    strided = not as_lanes and problem.out_channel * problem.item_size % 4096 != 0
    together = 1
    if boxes == 1 and strided:
        together = even(problem.batch, GRADIENT_POSITIONS // positions)
    row_parts = _row_parts(problem, -(-problem.batch * boxes // together))
    channel_block = _gradient_channels(problem, taps, columns, lanes, row_parts)
    task_groups = lanes if as_lanes else 1
    tasks = -(-problem.groups // task_groups) * -(-problem.channels // channel_block) * row_parts
    held = machine.L2_BYTES if strided else machine.L2_BYTES // 2  # gradients of a task's filters
    room = held // (together * positions * problem.item_size)
    most_filters = min(GRADIENT_FILTERS, max(rows, room))
    return pass_plan(
        problem,
        axes,
        plans,
        outer_sum(tap_tables),
        items=1,
        task_groups=task_groups,
        filter_parts=1 if as_lanes else filter_parts(problem, tasks, most_filters, rows),
        row_parts=row_parts,
        channel_block=channel_block,
        tap_block=taps,
        narrowest=narrowest,
        boxes_together=together,
        in_place=in_place,
        gathered=not as_lanes,
        strided=strided,
        lanes=as_lanes,
    )


def _row_parts(problem: Problem, steps: int) -> int:
    """Parts that so many steps of the sum are dealt into, for threads to share."""
    if problem.weights > SMALL_KERNELS:
        return 1
    return min(ROW_PARTS, PARTIAL_SUMS // problem.weights, steps)


def _reads_input(problem: Problem, axes: Sequence[Axis], blocks: Sequence[int], lanes: int) -> bool:
    """Whether columns can be read from the input: lines of a vector or more, without a border.

    Channels a multiple of 4096 bytes apart would fall into one set of the L1 cache.
    """
    outputs, block = axes[-1].taps.outputs, blocks[-1]
    return (
        works_in_place(axes, block, True, lanes)
        and min(block, outputs % block or block) >= lanes
        and problem.in_channel * problem.item_size % 4096 != 0
    )


def _rows_slide(problem: Problem, axes: Sequence[Axis]) -> bool:
    """Whether rows of a depthwise gradient share their input, and fill most of their lanes."""
    if not is_depthwise(problem) or problem.filters > 1 or len(axes) < 2:
        return False
    stride = axes[-1].taps.stride
    alike = all(
        axis.taps.stride == stride
        and len(axis.taps.coordinates) == SLIDE_TAPS
        and bool((np.diff(axis.taps.coordinates) == 1).all())
        for axis in axes[-2:]
    )
    rows, columns = (axis.taps.outputs for axis in axes[-2:])
    lanes = vector_size(problem)
    if columns <= lanes // 2:  # rows of half a vector are worth it too
        lanes //= 2
    return (
        alike
        and problem.dtype in ("float32", "float64")
        and (stride == 1 or (stride == 2 and all(axis.taps.stride == 1 for axis in axes[:-2])))
        and rows >= SLIDE_ROWS
        and 4 * columns >= 3 * whole(columns, lanes)
    )


def _slide_blocks(axes: Sequence[Axis]) -> list[int]:
    """Outputs of a box along each axis where rows share their input: never a single row."""
    *outer, rows, columns = (axis.taps.outputs for axis in axes)
    length = split([columns], SLIDE_GRADIENT, GRADIENT_UNIT)[0]
    height = even(rows, max(2 * SLIDE_ROWS, SLIDE_GRADIENT // length))
    while rows % height == 1:
        height += 1
    return [*split(outer, SLIDE_GRADIENT // (height * length), GRADIENT_UNIT), height, length]


def _cut_slide(problem: Problem) -> PassPlan:
    """Cut a depthwise gradient of weights whose rows share their input."""
    _, narrowest, _ = _driver.register_block(machine.ISA, problem.dtype)
    axes = merge_pointwise(problem.axes)
    plans, tap_tables = axis_plans(axes, _slide_blocks(axes), dense=axes[-1].taps.stride > 1)
    taps = math.prod(len(axis.taps.coordinates) for axis in axes)
    boxes = math.prod(axis.blocks for axis in plans)
    row_parts = min(SLIDE_PARTS, _row_parts(problem, problem.batch * boxes))
    dealt = -(-4 * problem.threads // row_parts)
    return pass_plan(
        problem,
        axes,
        plans,
        outer_sum(tap_tables),
        items=1,
        task_groups=even(problem.groups, min(SLIDE_GROUPS, -(-problem.groups // dealt))),
        filter_parts=1,
        row_parts=row_parts,
        channel_block=1,
        tap_block=taps,
        narrowest=narrowest,
        slide_rows=SLIDE_TAPS,
        slide_columns=SLIDE_TAPS,
        flat=True,
    )


def _cut_positions(problem: Problem, channels: int) -> PassPlan:
    """Cut a gradient of weights with positions as lanes, at most so many channels in a task."""
    _, narrowest, rows = _driver.register_block(machine.ISA, problem.dtype)
    axes = merge_pointwise(problem.axes)
    taps = math.prod(len(axis.taps.coordinates) for axis in axes)
    plans, tap_tables = axis_plans(axes, _position_blocks(problem, axes))
    boxes = math.prod(axis.blocks for axis in plans)
    tile = pitch(math.prod(axis.tile_length for axis in plans), problem.item_size)
    most_channels = min(channels, POSITIONS_TILE // (tile * problem.item_size))
    channel_block = even(problem.channels, most_channels)
    row_parts = _row_parts(problem, problem.batch * boxes)
    tasks = problem.groups * -(-problem.channels // channel_block) * row_parts
    return pass_plan(
        problem,
        axes,
        plans,
        outer_sum(tap_tables),
        items=1,
        filter_parts=filter_parts(problem, tasks, problem.filters, rows),
        row_parts=row_parts,
        channel_block=channel_block,
        tap_block=taps,
        narrowest=narrowest,
        position_lanes=True,
    )


def _position_blocks(problem: Problem, axes: Sequence[Axis]) -> list[int]:
    """Outputs of a box along each axis where positions are lanes."""
    most = (LINES_BYTES if problem.lines else POSITIONS_BYTES) // problem.item_size
    return split([axis.taps.outputs for axis in axes], most, POSITIONS_UNIT)


def _gradient_blocks(problem: Problem, axes: Sequence[Axis]) -> list[int]:
    """Outputs of a box of the weight gradient: few enough for one channel's tile to be small."""
    positions, tile_bytes = GRADIENT_POSITIONS, GRADIENT_TILE
    if is_depthwise(problem):
        positions, tile_bytes = LANES_GRADIENT, LANES_TILE
    while True:
        blocks = split([axis.taps.outputs for axis in axes], positions, GRADIENT_UNIT)
        if positions == 1 or _tile_bytes(problem, axes, blocks) <= tile_bytes:
            return blocks
        positions //= 2


def _tile_bytes(problem: Problem, axes: Sequence[Axis], blocks: Sequence[int]) -> int:
    """Bytes of one channel's tile for a box of so many outputs along each axis."""
    lengths = [
        int(strands(axis.taps.coordinates, axis.taps.stride, block)[1].sum())
        for axis, block in zip(axes, blocks)
    ]
    return math.prod(lengths) * problem.item_size


def _gradient_channels(
    problem: Problem, taps: int, columns: int, lanes: int, row_parts: int
) -> int:
    """Channels of a task of the weight gradient: whole panels of columns, if there are enough.

    Tasks are about as large as one another, so that threads have as much to do. Few columns are
    dealt to threads if these do not have parts of the sum to share.
    """
    few = problem.groups * problem.channels * taps < problem.threads * GRADIENT_COLUMNS
    if few and row_parts < PARTS_PER_THREAD * problem.threads:
        return even(problem.channels, -(-problem.channels // problem.threads))
    panel = 2 * lanes
    granule = panel // math.gcd(panel, taps)
    most = min(columns, GRADIENT_COLUMNS) // taps // granule * granule
    if 0 < most <= problem.channels:
        return whole(even(problem.channels, most), granule)
    return even(problem.channels, columns // taps)
