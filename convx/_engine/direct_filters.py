"""The direct algorithm with filters as the lanes of vectors: for narrow planes, and strides."""

import math

from convx._core import _driver
from convx._engine import machine
from convx._engine.cut import (
    axis_plans,
    even,
    filter_parts,
    fits,
    merge_pointwise,
    outer_sum,
    pass_plan,
    split,
    wastes,
    whole,
    works_in_place,
)
from convx._engine.problem import PassPlan, Problem

LEAST_ROWS = 14  # outputs of a register block that it takes
LEAST_FILLED = 0.85  # of the lanes, by filters
LEAST_REDUCTION = 128  # channels times taps from which it pays
POINTWISE_OUTPUTS = 256  # outputs of a plane up to which it pays where the kernel has one tap
BOX_POSITIONS = 256  # outputs of a box
TASK_POSITIONS = 1024  # outputs of a task, over the items of a batch
MOST_FILTERS = 256, 128  # filters of a task: the most of these that fit
PACKED_BYTES = 2048  # of a filter's weights in a step of the reduction: two steps fit in L2
READ_BYTES = 512  # the same where weights are read where they are, far apart


def applies(problem: Problem) -> bool:
    """Whether filters are better lanes than outputs: rows are narrow, sums are long."""
    lanes, narrowest, rows = _driver.register_block(machine.ISA, problem.dtype)
    axes = merge_pointwise(problem.axes)
    taps = math.prod(len(axis.taps.coordinates) for axis in axes)
    outputs = math.prod(axis.taps.outputs for axis in axes)
    narrow = outputs <= POINTWISE_OUTPUTS
    if taps > 1:
        narrow = wastes(axes[-1].taps.outputs, problem.filters, narrowest)
    floating = problem.dtype in ("float32", "float64")
    return floating and narrow and rows >= LEAST_ROWS and fills_vectors(problem, taps, lanes)


def plan_filters(problem: Problem) -> PassPlan | None:
    """Cut a pass so that its scratch memory stays below twice the L2 cache, if that is possible."""
    cuts = (_cut(problem, most_filters) for most_filters in MOST_FILTERS)
    return next((cut for cut in cuts if fits(cut, problem)), None)


def fills_vectors(problem: Problem, taps: int, lanes: int) -> bool:
    """Whether filters fill vectors, with sums long enough to be transposed at the end."""
    filled = problem.filters / whole(problem.filters, lanes)
    return filled >= LEAST_FILLED and problem.channels * taps >= LEAST_REDUCTION


def _cut(problem: Problem, most_filters: int) -> PassPlan:
    """Cut a convolution with filters as lanes, at most so many in a task."""
    lanes, narrowest, rows = _driver.register_block(machine.ISA, problem.dtype)
    axes = merge_pointwise(problem.axes)
    taps = math.prod(len(axis.taps.coordinates) for axis in axes)
    vectors = 4 if axes[-1].taps.outputs <= rows // 2 else 2
    while vectors > 1 and problem.filters <= vectors // 2 * lanes:
        vectors //= 2
    width = vectors * lanes
    blocks = split([axis.taps.outputs for axis in axes], BOX_POSITIONS, rows)
    in_place = works_in_place(axes, blocks[-1], False, 1)
    plans, tap_tables = axis_plans(axes, blocks, in_place)
    boxes, positions = math.prod(axis.blocks for axis in plans), math.prod(blocks)
    alike = problem.groups * boxes
    shared = min(TASK_POSITIONS // positions, problem.batch * alike // problem.threads)
    items = even(problem.batch, shared)
    tasks = alike * -(-problem.batch // items)
    strided = _reads_filters(problem, width)
    step = (READ_BYTES if strided else PACKED_BYTES) // problem.item_size
    return pass_plan(
        problem,
        axes,
        plans,
        outer_sum(tap_tables),
        items=items,
        filter_parts=filter_parts(problem, tasks, most_filters, width),
        channel_block=even(problem.channels, step // taps),
        tap_block=taps if taps <= step else even(taps, step),
        narrowest=narrowest,
        in_place=in_place,
        strided=strided,
        filter_vectors=vectors,
        filters_packed=whole(problem.filters, width),
    )


def _reads_filters(problem: Problem, width: int) -> bool:
    """Whether blocks of so many filters are read where they are, as neighbours in memory.

    Not for many outputs where those of all channels fall into one set of the L1 cache.
    """
    outputs = problem.batch * math.prod(axis.taps.outputs for axis in problem.axes)
    crowded = problem.filters * problem.item_size % 4096 == 0 and outputs > POINTWISE_OUTPUTS
    pointwise = math.prod(problem.kernel) == 1 and problem.filters % width == 0
    return pointwise and problem.weights_transposed and not (crowded or problem.weights_prepared)
