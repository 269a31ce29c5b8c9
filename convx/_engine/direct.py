"""The direct algorithm: how its passes are cut into boxes and steps.

Every output is one chain of multiply-adds in the order of (channel, tap), however it is blocked.

The constants were chosen by ``python -m benchmarks.blocking`` on an AMD EPYC (Genoa, Zen 4) with
1 MiB of L2 cache, GCC 12, November 2026; those of lanes on one of its successors (Turin, Zen 5).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from convx._core import _driver
from convx._engine import costs, direct_filters, direct_gradient, machine
from convx._engine.cut import (
    axis_plans,
    choices_of,
    even,
    filter_parts,
    fits,
    has_many_weights,
    kernel_places,
    may_be_lanes,
    merge_pointwise,
    outer_sum,
    pass_plan,
    products,
    split,
    vector_size,
    wastes,
    whole,
    works_in_place,
)
from convx._engine.problem import DIRECT, Axis, PassPlan, Problem, Tiling

STEP = 320  # channels times taps of one step of the reduction: a register block of weights in L1
SCATTERED_STEP = 512  # the same where outputs are no neighbours, which makes their storing slow
SCATTERED_POSITIONS = 64  # outputs of a box below which it is not made smaller for such a step
BOX_POSITIONS = 256  # outputs of a box where they are gathered
POINTWISE_POSITIONS = 512  # the same for kernels of one tap, whose input is read in long rows
LEAST_POSITIONS = 128  # outputs of a box below which it is not made smaller for the threads
ROW_POSITIONS = 2048  # outputs of a box whose tile is read by rows
FORWARD_FILTERS = 512  # filters of a task
STRIDED_POSITIONS = 64  # outputs of a task up to which weights are read where they are
TASK_POSITIONS = 1024  # outputs of a task, over the items of a batch
GATHER_FILTERS = 24  # filters from which copying positions to panels is worth while at all
STREAM_FILTERS = 512  # filters up to which kernels of one tap read whole vectors in place
STREAM_FEWER = 128  # the same with register blocks of fewer than STREAM_ROWS filters
STREAM_ROWS = 14
FLAT_FILTERS = 4  # filters of a group up to which rows are computed as one stretch
FLAT_WEIGHTS = 4096  # weights of a group up to which they are
FLAT_POSITIONS = 4096  # outputs of a box where they are
SLIDE_POSITIONS = 16384  # the same where rows share their input
SLIDE_MORE = 28672  # the same of more than SLIDE_TAPS taps, if each thread still has SLIDE_BOXES
SLIDE_BOXES = 8
SPREAD_BYTES = 2048  # of a row of outputs, from which rows of their tile are spread over a cache
SLIDE_TAPS = 9  # taps up to which that is preferred to lanes with 16 registers
SLIDE_COLUMNS = 48  # outputs of a row from which it is for more of them too
SLIDE_EVERY_OTHER = 3, 5  # taps along each axis with which they do that with a stride of 2 too
FLAT_TASK = 16384  # outputs of a task where they are, over items and groups
LANES_POSITIONS = 2048  # outputs of a box where groups are the lanes of vectors
LANES_TAPS = 48  # taps up to which they are
PHASED_TAPS = 3  # taps along each axis with which rows of outputs of all phases are made at once
SMALL_PLANE = 1024  # outputs of a plane up to which it is small, …
SMALL_TAPS = 3  # … with so many taps along each of two axes
ROW_END = 1  # ending a row costs as much as so many more of its outputs, for estimates


def tilings(axes: Sequence[Sequence[Axis]]) -> list[Tiling]:
    """The one way of transforming no axis."""
    return [DIRECT]


def estimate(problem: Problem, axes: Sequence[Sequence[Axis]], tiling: Tiling) -> float:
    """Multiply-adds that take as long as a group."""
    if problem.kind == "weight_gradient":
        return direct_gradient.estimate(problem, [choices[0] for choices in axes])
    each = costs.DIRECT[problem.kind]
    channels, filters, taps = problem.channels, problem.filters, math.prod(problem.kernel)
    outputs = math.prod(sum(axis.taps.outputs for axis in choices) for choices in axes)
    computed, gathered = _columns(problem, axes)
    per_item = products(axes) * channels * (filters * computed + each.tap * gathered)
    per_item += outputs * (channels * each.input + filters * each.output)
    kernels = 0 if problem.weights_prepared else channels * filters * taps
    return problem.batch * per_item + kernels * each.weight


def _columns(problem: Problem, axes: Sequence[Sequence[Axis]]) -> tuple[float, float]:
    """Columns of products that are computed, and that are gathered, for each that is needed."""
    lanes, taps = vector_size(problem), math.prod(problem.kernel)
    row = max((axis.taps.outputs for axis in axes[-1]), default=0)
    if taps == 1 or row == 0:
        return 1.0, 1.0
    if wastes(row, problem.filters, lanes // 2):
        by_filters = direct_filters.fills_vectors(problem, taps, lanes)
        return 1.0, 0.0 if by_filters else whole(row, lanes) / row
    return (whole(row, lanes // 2) + ROW_END) / row, 0.0


def plan_passes(problem: Problem, axes: Sequence[Sequence[Axis]], tiling: Tiling) -> list[PassPlan]:
    """Plan a pass for each choice among what there is for every axis, or one pass for them all."""
    if _may_be_parts(problem, axes):
        joined = _join_passes(problem, axes)
        if fits(joined, problem):
            return [joined]
    return [plan_pass(one) for one in choices_of(problem, axes)]


def plan_pass(problem: Problem) -> PassPlan:
    """Cut a pass so that its scratch memory stays below twice the L2 cache.

    First with ever shorter steps of the reduction, down to one channel, then with ever fewer
    outputs in a box: what grows is the tile. Where outputs are no neighbours in memory, each step
    costs more, and smaller boxes come first.
    """
    if problem.kind == "weight_gradient":
        return direct_gradient.plan_gradient(problem)
    if direct_filters.applies(problem):
        by_filters = direct_filters.plan_filters(problem)
        if by_filters is not None:
            return by_filters
    taps = math.prod(len(axis.taps.coordinates) for axis in problem.axes)
    scattered = problem.axes[-1].taps.out_step > 1
    cut = _cut_forward(problem, None, SCATTERED_STEP if scattered else STEP)
    if scattered:
        cut = _with_smaller_boxes(problem, cut, SCATTERED_POSITIONS)
    while not (cut.flat or fits(cut, problem)) and cut.channel_block > 1:
        cut = _cut_forward(problem, cut.positions, max(1, cut.channel_block // 2) * taps)
    return _with_smaller_boxes(problem, cut, 1)


def _with_smaller_boxes(problem: Problem, cut: PassPlan, least: int) -> PassPlan:
    """Cut a convolution anew while it does not fit, in boxes of at least so many outputs."""
    step, positions = cut.channel_block * cut.tap_block, cut.positions
    while not fits(cut, problem) and positions >= 2 * least:
        positions //= 2
        cut = _cut_forward(problem, positions, step)
    return cut


def _cut_forward(problem: Problem, positions: int | None, step: int) -> PassPlan:
    """Cut a convolution with at most so many outputs in a box, and channels by taps in a step."""
    lanes, narrowest, rows = _driver.register_block(machine.ISA, problem.dtype)
    axes = merge_pointwise(problem.axes)
    taps = math.prod(len(axis.taps.coordinates) for axis in axes)
    may_slide = problem.filters == 1 and _is_flat(problem, taps)
    every_other = may_slide and _slides_every_other(problem, axes, lanes)
    slides = every_other or (may_slide and _slides(axes))
    as_lanes = (
        problem.groups >= lanes
        and taps <= LANES_TAPS
        and (len(axes) > 1 or axes[0].taps.stride > 1)
        and may_be_lanes(problem, axes)
        and not every_other
        and not (
            slides
            and _fills_rows(axes, _lanes_of_rows(problem, axes, lanes, narrowest))
            and _pays_sliding(axes, taps, rows)
        )
    )
    streams = _streams(problem, axes)
    gathered = not (as_lanes or streams) and _gathers(axes, problem.filters, narrowest)
    flat = not (as_lanes or gathered) and _is_flat(problem, taps)
    if positions is None:
        positions = _positions(problem, taps, gathered, flat, streams)
        positions = LANES_POSITIONS if as_lanes else positions
        positions = _slide_positions(problem, axes, taps) if slides and flat else positions
    blocks = split([axis.taps.outputs for axis in axes], positions, 2 * lanes)
    if not (flat or as_lanes):
        blocks = _dealt(problem, axes, blocks, lanes)
    if slides and flat:
        height = _driver.SLIDE_ROWS
        blocks[-2] = min(-(-blocks[-2] // height) * height, axes[-2].taps.outputs)
    in_place = not (flat or as_lanes) and works_in_place(axes, blocks[-1], gathered, lanes)
    spread = slides and flat and blocks[-1] * problem.item_size >= SPREAD_BYTES
    plans, tap_tables = axis_plans(
        axes,
        blocks,
        in_place,
        dense=as_lanes or every_other,
        spread=problem.item_size if spread else 0,
    )
    boxes, positions = math.prod(axis.blocks for axis in plans), math.prod(blocks)
    slide_rows, slide_columns = map(len, tap_tables[-2:]) if slides and flat else (0, 0)

    if flat or as_lanes:
        step = FLAT_WEIGHTS
    channel_block = even(problem.channels, step // taps)
    alike = problem.groups * boxes
    shared = min(TASK_POSITIONS // positions, problem.batch * alike // problem.threads)
    items, task_groups = even(problem.batch, shared), 1
    if as_lanes:
        task_groups = _groups_of_task(problem, boxes, lanes)
    elif flat:
        items = 1 if slides else items
        shared = min(FLAT_TASK // (items * positions), alike // (4 * problem.threads))
        task_groups = even(problem.groups, shared)
    tasks = -(-problem.groups // task_groups) * boxes * -(-problem.batch // items)
    return pass_plan(
        problem,
        axes,
        plans,
        outer_sum(tap_tables),
        items=items,
        task_groups=task_groups,
        filter_parts=1 if as_lanes else filter_parts(problem, tasks, FORWARD_FILTERS, rows),
        channel_block=channel_block,
        tap_block=taps if taps <= step else even(taps, step),
        narrowest=narrowest,
        in_place=in_place,
        strided=gathered and _reads_weights(problem, items * positions),
        gathered=gathered,
        slide_rows=slide_rows,
        slide_columns=slide_columns,
        flat=flat,
        lanes=as_lanes,
    )


def _dealt(problem: Problem, axes: Sequence[Axis], blocks: list[int], lanes: int) -> list[int]:
    """Make boxes smaller where there are too few to be dealt to the threads evenly.

    Where weights are many it is their filters that are dealt, lest each thread packs all of them.
    """
    sizes, threads = [axis.taps.outputs for axis in axes], problem.threads
    counts = [-(-size // block) for size, block in zip(sizes, blocks)]
    tasks = problem.batch * problem.groups * math.prod(counts)
    if threads == 1 or tasks >= 8 * threads or has_many_weights(problem):
        return blocks
    axis = next((i for i, size in enumerate(sizes) if size > 1), len(sizes) - 1)
    pieces = whole(counts[axis], threads // math.gcd(tasks // counts[axis], threads))
    block = whole(-(-sizes[axis] // pieces), lanes if axis == len(sizes) - 1 else 1)
    dealt = [*blocks[:axis], min(block, sizes[axis]), *blocks[axis + 1 :]]
    return dealt if math.prod(dealt) >= LEAST_POSITIONS else blocks


def _may_be_parts(problem: Problem, axes: Sequence[Sequence[Axis]]) -> bool:
    """Whether all output phases can be parts of one pass with groups as lanes."""
    lanes = _driver.register_block(machine.ISA, problem.dtype)[0]
    last = axes[-1]
    alternate = all(
        (axis.taps.out_start, axis.taps.out_step) == (phase, len(last))
        for phase, axis in enumerate(last)
    )
    taps = math.prod(sum(len(axis.taps.coordinates) for axis in choices) for choices in axes)
    return (
        problem.kind != "weight_gradient"
        and math.prod(len(choices) for choices in axes) > 1
        and alternate
        and len(axes) > 1
        and (problem.groups >= lanes or _phases_slide(problem, axes, lanes))
        and taps <= LANES_TAPS
        and may_be_lanes(problem, [choices[0] for choices in axes])
    )


def _join_passes(problem: Problem, axes: Sequence[Sequence[Axis]]) -> PassPlan:
    """Plan one pass over all output phases: they share the tile that all their taps need."""
    joined = [_join(choices) for choices in axes]
    sizes = [axis.taps.outputs for axis in joined]
    lanes, narrowest, _ = _driver.register_block(machine.ISA, problem.dtype)
    count = math.prod(map(len, axes))
    by_rows = _phases_slide(problem, axes, lanes)
    positions = max(SLIDE_POSITIONS // count, sizes[-1]) if by_rows else LANES_POSITIONS // count
    blocks = split(sizes, positions, 2 * lanes)
    plans, places = axis_plans(joined, blocks, dense=True)
    parts: list[int] = []
    offset, weight = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for one in choices_of(problem, axes):
        tables = [
            table[np.searchsorted(union.taps.coordinates, axis.taps.coordinates)]
            for table, union, axis in zip(places, joined, one.axes)
        ]
        first, taps = len(offset), math.prod(len(table) for table in tables)
        start = sum(axis.taps.out_start * axis.out_stride for axis in one.axes)
        parts += [first, taps, start, *(axis.taps.outputs for axis in one.axes)]
        offset = np.concatenate([offset, outer_sum(tables)])
        weight = np.concatenate([weight, kernel_places(one)])
    boxes = math.prod(axis.blocks for axis in plans)
    joined_pass = pass_plan(
        problem,
        joined,
        plans,
        offset,
        items=1,
        task_groups=_groups_of_task(problem, boxes, 1 if by_rows else lanes),
        channel_block=1,
        tap_block=len(offset),
        narrowest=narrowest,
        lanes=not by_rows,
        flat=by_rows,
        slide_rows=PHASED_TAPS if by_rows else 0,
        slide_columns=PHASED_TAPS if by_rows else 0,
        parts=np.array(parts, np.int64),
        interleaved=len(axes[-1]),
    )
    return replace(joined_pass, tap_weight=weight, taps_in_order=False)


def _phases_slide(problem: Problem, axes: Sequence[Sequence[Axis]], lanes: int) -> bool:
    """Whether two rows of inputs make rows of all four phases, of kernels that kernels know it of.

    Then each axis has a phase with the taps 0 and 2, from neighbours, and one with tap 1.
    """
    if problem.filters > 1 or len(axes) != 2 or problem.dtype not in ("float32", "float64"):
        return False
    for choices in axes:
        taps = sorted((axis.taps for axis in choices), key=lambda one: len(one.coordinates))
        if [one.kernel.tolist() for one in taps] != [[1], [0, 2]]:
            return False
        (only,), (upper, lower) = (one.coordinates.tolist() for one in taps)
        if upper != lower + 1 or only != (lower if choices[0].taps is taps[0] else upper):
            return False
        if any(axis.taps.stride != 1 for axis in choices):
            return False
    columns = axes[-1][0].taps.outputs
    unit = lanes // 2 if columns <= lanes // 2 else lanes
    return axes[-1][0].out_stride == 1 and 4 * columns >= 3 * whole(columns, unit)


def _groups_of_task(problem: Problem, boxes: int, lanes: int) -> int:
    """Groups of a task where they are lanes: whole vectors, and four tasks for each thread."""
    parts = -(-4 * problem.threads // boxes)
    return -(-even(problem.groups, problem.groups // parts) // lanes) * lanes


def _join(choices: Sequence[Axis]) -> Axis:
    """Return an axis with the taps of all phases, as many outputs as the first phase has."""
    coordinates = np.unique(np.concatenate([axis.taps.coordinates for axis in choices]))
    taps = replace(
        choices[0].taps,
        outputs=max(axis.taps.outputs for axis in choices),
        coordinates=coordinates,
        kernel=np.zeros_like(coordinates),
        out_start=0,
    )
    return replace(choices[0], taps=taps)


def _streams(problem: Problem, axes: Sequence[Axis]) -> bool:
    """Whether a kernel of one tap reads whole vectors where they are: not for very many filters."""
    lanes, _, rows = _driver.register_block(machine.ISA, problem.dtype)
    most = STREAM_FILTERS if rows >= STREAM_ROWS else STREAM_FEWER
    pointwise = all(len(axis.taps.coordinates) == 1 for axis in axes)
    return pointwise and problem.filters <= most and works_in_place(axes, lanes, False, lanes)


def _gathers(axes: Sequence[Axis], filters: int, unit: int) -> bool:
    """Whether panels that run on over rows save more than copying positions to them costs.

    Without, every row takes a whole number of ``unit`` columns.
    """
    row = axes[-1].taps.outputs
    if all(len(axis.taps.coordinates) == 1 for axis in axes):
        return filters >= GATHER_FILTERS  # there is no other copy: the panels are the tile
    return wastes(row, filters, unit)


def _is_flat(problem: Problem, taps: int) -> bool:
    """Whether the filters of a group are so few that the ends of rows cost more than gaps."""
    return (
        problem.filters <= FLAT_FILTERS
        and problem.filters * problem.channels * taps <= FLAT_WEIGHTS
    )


def _slides(axes: Sequence[Axis]) -> bool:
    """Whether the tap rows of an output row are those of the next one, but for the first."""
    if len(axes) < 2 or len(axes[-2].taps.coordinates) < 2:
        return False
    steps = np.diff(axes[-2].taps.coordinates)
    return abs(steps[0]) == axes[-2].taps.stride and bool((steps == steps[0]).all())


def _slides_every_other(problem: Problem, axes: Sequence[Axis], lanes: int) -> bool:
    """Whether the same holds with a stride of 2, for kernels that the kernels know it of."""
    if problem.dtype not in ("float32", "float64") or len(axes) < 2:
        return False
    taps = len(axes[-1].taps.coordinates)
    alike = all(
        axis.taps.stride == 2
        and len(axis.taps.coordinates) == taps
        and bool((np.diff(axis.taps.coordinates) == 1).all())
        for axis in axes[-2:]
    )
    outputs = axes[-1].taps.outputs * axes[-2].taps.outputs
    return (
        alike
        and taps in SLIDE_EVERY_OTHER
        and _fills_rows(axes, lanes)
        and outputs <= SLIDE_POSITIONS
        and all(axis.taps.stride == 1 for axis in axes[:-2])
    )


def _fills_rows(axes: Sequence[Axis], lanes: int) -> bool:
    """Whether there are rows enough to share their input, and most lanes of theirs are outputs."""
    rows, columns = (axis.taps.outputs for axis in axes[-2:])
    return rows >= _driver.SLIDE_ROWS and 4 * columns >= 3 * whole(columns, lanes)


def _lanes_of_rows(problem: Problem, axes: Sequence[Axis], lanes: int, narrowest: int) -> int:
    """Lanes of a vector of a row; of short rows of small planes half a vector does."""
    taps = [axis.taps for axis in axes]
    is_small = (
        problem.dtype in ("float32", "float64")
        and [len(one.coordinates) for one in taps] == [SMALL_TAPS, SMALL_TAPS]
        and taps[-1].stride == taps[-1].out_step * axes[-1].out_stride == 1
        and axes[0].out_stride * taps[0].out_step == taps[-1].outputs
        and taps[0].outputs * taps[-1].outputs <= SMALL_PLANE
    )
    return narrowest if is_small and taps[-1].outputs <= narrowest else lanes


def _pays_sliding(axes: Sequence[Axis], taps: int, rows: int) -> bool:
    """Whether sharing input rows beats lanes, with registers for blocks of so many filters."""
    return rows >= 8 or taps <= SLIDE_TAPS or axes[-1].taps.outputs >= SLIDE_COLUMNS


def _positions(problem: Problem, taps: int, gathered: bool, flat: bool, streams: bool) -> int:
    """How many outputs a box should have."""
    if gathered:
        return BOX_POSITIONS if taps > 1 else POINTWISE_POSITIONS
    if flat:
        return FLAT_POSITIONS
    channels = min(problem.channels, max(1, STEP // taps))
    if streams:  # sums of all filters wait in L2 for the next step, if there is one
        room = machine.L2_BYTES // 2 // problem.item_size // problem.filters
        return ROW_POSITIONS if channels == problem.channels else min(ROW_POSITIONS, max(64, room))
    # the tile of a step should leave room in L2
    room = machine.L2_BYTES // 3 // problem.item_size // channels
    return min(ROW_POSITIONS, max(64, room))


def _slide_positions(problem: Problem, axes: Sequence[Axis], taps: int) -> int:
    """How many outputs a box should have where rows share their input: boxes share some of it."""
    if taps <= SLIDE_TAPS:
        return SLIDE_POSITIONS
    outputs = problem.batch * problem.groups * math.prod(axis.taps.outputs for axis in axes)
    return max(SLIDE_POSITIONS, min(SLIDE_MORE, outputs // (SLIDE_BOXES * problem.threads)))


def _reads_weights(problem: Problem, positions: int) -> bool:
    """Whether weights are used too little to be packed, and do not crowd one set of a cache."""
    taps = math.prod(problem.kernel)
    stride = taps if problem.weights_transposed else problem.channels * taps
    return positions <= STRIDED_POSITIONS and stride * problem.item_size % 4096 != 0
