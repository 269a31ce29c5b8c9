"""The direct gradient of weights: how its passes are cut into boxes, and its sums into tasks.

The boxes set the order of the sums: they must not depend on the machine.
"""

import math
from collections.abc import Sequence

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
)
from convx._engine.problem import Axis, PassPlan, Problem

GRADIENT_POSITIONS = 256  # outputs of a box of the weight gradient: it sets the order of its sum
GRADIENT_UNIT = 32  # rows of more outputs are cut into multiples of this
GRADIENT_TILE = 256 * 1024  # bytes of one channel's tile, for which boxes are made smaller
GRADIENT_COLUMNS = 320  # channels times taps of a task of the weight gradient
GRADIENT_FILTERS = 256  # filters of a task of the weight gradient
LANES_GRADIENT = 1024  # outputs of a box of the weight gradient of depthwise convolutions
LANES_TILE = 32 * 1024  # bytes of one channel's tile there, for which boxes are made smaller
SMALL_KERNELS = 16384  # weights in all below which their gradient is summed in parts
ROW_PARTS = 8  # such parts
POSITIONS_BYTES = 3584  # of one filter's outputs in a box where positions are lanes: they stay in L1
POSITIONS_UNIT = 64  # rows of more outputs are cut into multiples of this there
POSITIONS_TILE = 256 * 1024  # bytes of the tiles of a task's channels there: they stay in L2


def estimate(problem: Problem, axes: Sequence[Axis]) -> float:
    """Multiply-adds that take as long as a group."""
    if is_depthwise(problem):
        return _estimate_columns(problem, axes, costs.DIRECT["depthwise_gradient"], 1)
    by_columns = _estimate_columns(
        problem, axes, costs.DIRECT["weight_gradient"], vector_size(problem)
    )
    return min(by_columns, _estimate_positions(problem, axes))


def _estimate_columns(
    problem: Problem, axes: Sequence[Axis], each: costs.Direct, lanes: int
) -> float:
    """Estimate what channels and taps as columns cost, where they fill so many lanes."""
    columns, filters = problem.channels * math.prod(problem.kernel), problem.filters
    outputs = math.prod(axis.taps.outputs for axis in axes)
    per_output = whole(columns, lanes) * filters + columns * each.tap
    per_output += problem.channels * each.input + filters * each.output
    return problem.batch * outputs * per_output + columns * filters * each.weight


def _estimate_positions(problem: Problem, axes: Sequence[Axis]) -> float:
    """Estimate what positions as lanes cost: rows, and boxes, end with a vector."""
    each, lanes = costs.POSITIONS, vector_size(problem)
    merged = merge_pointwise(axes)
    outputs = math.prod(axis.taps.outputs for axis in merged)
    row = merged[-1].taps.outputs
    box = math.prod(_position_blocks(problem, merged))
    if not outputs:
        return 0.0
    computed = outputs / row * whole(row, lanes) + outputs / box * each.end * lanes
    columns = problem.channels * math.prod(problem.kernel)
    per_item = computed * columns * problem.filters * each.product
    per_item += outputs * (problem.channels * each.input + problem.filters * each.output)
    return problem.batch * per_item


def _positions_pay(problem: Problem, axes: Sequence[Axis]) -> bool:
    """Whether positions are better lanes than channels and taps."""
    if is_depthwise(problem):
        return False
    return estimate(problem, axes) == _estimate_positions(problem, axes)


def plan_gradient(problem: Problem) -> PassPlan:
    """Cut a pass so that its scratch memory stays below twice the L2 cache."""
    taps = math.prod(len(axis.taps.coordinates) for axis in problem.axes)
    as_lanes = may_be_lanes(problem, problem.axes)
    if not as_lanes and _positions_pay(problem, problem.axes):
        cut = _cut_positions(problem)
        if fits(cut, problem):
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
    plans, tap_tables = axis_plans(axes, blocks, dense=as_lanes)
    boxes, positions = math.prod(axis.blocks for axis in plans), math.prod(blocks)

    channel_block = _gradient_channels(problem, taps, columns, lanes)
    row_parts = 1
    if problem.weights <= SMALL_KERNELS:
        row_parts = min(ROW_PARTS, problem.batch * boxes)
    task_groups = lanes if as_lanes else 1
    tasks = -(-problem.groups // task_groups) * -(-problem.channels // channel_block) * row_parts
    room = machine.L2_BYTES // 2 // (positions * problem.item_size)
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
        gathered=not as_lanes,
        lanes=as_lanes,
    )


def _cut_positions(problem: Problem) -> PassPlan:
    """Cut a gradient of weights with positions as lanes."""
    lanes, narrowest, rows = _driver.register_block(machine.ISA, problem.dtype)
    axes = merge_pointwise(problem.axes)
    taps = math.prod(len(axis.taps.coordinates) for axis in axes)
    plans, tap_tables = axis_plans(axes, _position_blocks(problem, axes))
    boxes = math.prod(axis.blocks for axis in plans)
    tile = pitch(math.prod(axis.tile_length for axis in plans), problem.item_size)
    channel_block = even(problem.channels, POSITIONS_TILE // (tile * problem.item_size))
    row_parts = 1
    if problem.weights <= SMALL_KERNELS:
        row_parts = min(ROW_PARTS, problem.batch * boxes)
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
    most = POSITIONS_BYTES // problem.item_size
    return split([axis.taps.outputs for axis in axes], most, POSITIONS_UNIT)


def _gradient_blocks(problem: Problem, axes: Sequence[Axis]) -> list[int]:
    """Outputs of a box of the weight gradient: few enough for one channel's tile to be small."""
    positions, tile_bytes = GRADIENT_POSITIONS, GRADIENT_TILE
    if is_depthwise(problem):
        positions, tile_bytes = LANES_GRADIENT, LANES_TILE
    while True:
        blocks = split([axis.taps.outputs for axis in axes], positions, GRADIENT_UNIT)
        lengths = [
            int(strands(axis.taps.coordinates, axis.taps.stride, block)[1].sum())
            for axis, block in zip(axes, blocks)
        ]
        if positions == 1 or math.prod(lengths) * problem.item_size <= tile_bytes:
            return blocks
        positions //= 2


def _gradient_channels(problem: Problem, taps: int, columns: int, lanes: int) -> int:
    """Channels of a task of the weight gradient: whole panels of columns, if there are enough."""
    if problem.groups * problem.channels * taps < problem.threads * GRADIENT_COLUMNS:
        return even(problem.channels, -(-problem.channels // problem.threads))
    panel = 2 * lanes
    granule = panel // math.gcd(panel, taps)
    whole = min(columns, GRADIENT_COLUMNS) // taps // granule * granule
    if 0 < whole <= problem.channels:
        return whole
    return even(problem.channels, columns // taps)
