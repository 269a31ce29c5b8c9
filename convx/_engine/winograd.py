"""Winograd's minimal filtering: where it applies, and how its passes are cut.

Tiles of outputs, 4 or 2 along each of the last one or two axes, take the place of outputs, and
points at which polynomials are multiplied that of taps; taps along other axes are summed like
channels.

The constants were chosen on AMD EPYCs (Genoa, Zen 4, and Turin, Zen 5) with 1 MiB of L2 cache, GCC
12, November 2026; ``python -m benchmarks.blocking`` tries others.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from convx._core import _driver
from convx._engine import costs, direct, machine, map_convolution
from convx._engine.cut import (
    MOST_WEIGHTS,
    are_neighbours,
    axis_plans,
    by_sections,
    choices_of,
    even,
    fewest_parts,
    fits,
    has_many_weights,
    outer_sum,
    pass_plan,
    pitch,
    split,
    tile_sizes,
    transformed,
    vector_size,
    whole,
    with_phases,
)
from convx._engine.problem import DIRECT, Axis, AxisPlan, PassPlan, Problem, Tiling
from convx._engine.window import AxisTaps, Table

TILES = {2: (4,), 3: (4, 2), 4: (3,), 5: (2,)}  # outputs of a tile along an axis with so many taps
SECTION_TAPS = (3, 4)  # taps of a section of many neighbours
MOST_SECTIONS = 36  # of all axes: their points of a channel stay in L1 and L2
STRIDED = Tiling("winograd", (2, 2), (3, 3), 2)
PASSING = Tiling("winograd", (4, 4), (3, 3))  # which can transform weights in passing
PASSING_TILES = 4  # tiles that share weights transformed so
PASSING_COLUMNS = 16  # tiles of such a task: of several items, if need be
PASSING_BYTES = 1.25 * 2**20  # of its inputs at the points
PASSING_MOST = 32  # tiles of all tasks: for more, weights are transformed once
PASSING_GRADIENT = 16  # tiles of a gradient of weights for which no sums are kept
MOST_COLUMNS = 128  # tiles of a task
LEAST_COLUMNS = 32  # fewer where the reduction takes one step are not worth it
STEP_COLUMNS = (64, 32, 16)  # tiles of a task where the reduction takes several steps
STEP_ROWS = 64  # channels times taps that are not transformed of such a step
AT_ONCE = 1.25  # of the L2 cache: transformed inputs of one step, or sums that wait for the next
BOX_PARTS = (1, 2, 3)  # such parts of a task may be a box
GRADIENT_TILES = 64  # tiles of a product of the weight gradient: it sets the order of its sum
GRADIENT_PLACES = 2048  # inputs of a channel in a box for which there are fewer tiles
GRADIENT_UNIT = 8  # rows of more tiles are cut into multiples of this
GRADIENT_FILTERS = 512  # bytes of a row of filters of a task of the weight gradient
GRADIENT_CHANNELS = 64  # channels of such a task, about
GRADIENT_SUMS = 1.2  # of the L2 cache: sums of such a task, and transformed gradients
SUMMED_IN_PARTS = 24576  # weights up to which the sum of their gradient is dealt into parts
ROW_PARTS = 2  # such parts
KEPT_WEIGHTS = 60 * 2**20  # bytes of them whose memory is kept from call to call
NEAR_WEIGHTS = 10 * 2**20  # bytes of transformed weights that stay in a cache


def tilings(axes: Sequence[Sequence[Axis]]) -> list[Tiling]:
    """All the ways of transforming the last axes that there are."""
    found: list[Tiling] = []
    for taps, tiles in TILES.items():
        fitting = [
            any(_fits(axis.taps, taps) for axis in choices) for choices in reversed(axes[-2:])
        ]
        for count in range(1, len([*itertools.takewhile(bool, fitting)]) + 1):
            found += [Tiling("winograd", (tile,) * count, (taps,) * count) for tile in tiles]
    strided = [all(map(_fits_stride, choices)) for choices in axes[-2:]]
    found += [STRIDED] if strided == [True, True] else []
    return [*found, *_section_tilings(axes)]


def _section_tilings(axes: Sequence[Sequence[Axis]]) -> list[Tiling]:
    """All the ways of transforming sections of the taps along the last axes."""
    found: list[Tiling] = []
    each = [*itertools.takewhile(any, map(_strands, reversed(axes[-2:])))]
    for count in range(1, len(each) + 1):
        strands, lengths = zip(*reversed(each[:count]))
        longest = max(lengths)
        for taps in (longest,) if longest <= max(TILES) else SECTION_TAPS:
            sections = tuple(n * -(-length // taps) for n, length in zip(strands, lengths))
            if 1 < math.prod(sections) <= MOST_SECTIONS:
                sizes = ((tile,) * count for tile in TILES.get(taps, ()))
                found += [Tiling("winograd", s, (taps,) * count, 1, sections) for s in sizes]
    return found


def _strands(choices: Sequence[Axis]) -> tuple[int, int]:
    """Into how many strands a stride parts neighbouring taps, and how many each of them has."""
    if len(choices) != 1:
        return 0, 0
    taps = choices[0].taps
    count = len(taps.coordinates)
    neighbours = count > 1 and bool((np.diff(np.sort(taps.coordinates)) == 1).all())
    return (taps.stride, -(-count // taps.stride)) if neighbours else (0, 0)


def _fits(taps: AxisTaps, count: int) -> bool:
    """Whether taps are so many neighbours; two that are some only within phases save too little."""
    if len(taps.coordinates) != count or not are_neighbours(taps):
        return False
    return count > 2 or abs(int(np.diff(taps.coordinates)[0])) <= taps.stride


def _fits_stride(axis: Axis) -> bool:
    """Whether a stride of 2 leaves taps of both phases that are neighbours."""
    coordinates, stride = axis.taps.coordinates, axis.taps.stride
    return len(coordinates) == 3 and stride == 2 and bool((np.diff(coordinates) == 1).all())


def estimate(problem: Problem, axes: Sequence[Sequence[Axis]], tiling: Tiling) -> float:
    """Multiply-adds that take as long as a group."""
    return sum(_estimate_pass(one, _tiling_of(one, tiling)) for one in choices_of(problem, axes))


def _tiling_of(problem: Problem, tiling: Tiling) -> Tiling:
    """Tell how one pass is transformed: along those of the last axes that have so many taps."""
    if tiling.stride > 1 or tiling.all_sections > 1:
        return tiling
    each = zip(reversed(problem.axes), reversed(tiling.taps))
    count = len([*itertools.takewhile(bool, (_fits(axis.taps, taps) for axis, taps in each))])
    if not count:
        return DIRECT
    return tiling._replace(tiles=tiling.tiles[-count:], taps=tiling.taps[-count:])


def _estimate_pass(problem: Problem, tiling: Tiling) -> float:
    columns = _passing_columns(problem, tiling)
    if columns:
        return _estimate_passing(problem, tiling, columns)
    return _estimate_packed(problem, tiling)


def _passing_columns(problem: Problem, tiling: Tiling) -> int:
    """Tiles of a task whose weights are transformed in passing, 0 if they are not.

    These are whole planes, under 3×3 taps. Results are the same either way.
    """
    phases = any(axis.phases > 1 for axis in problem.axes)
    if tiling != PASSING or math.prod(problem.kernel) != tiling.kernel_taps or phases:
        return 0
    tiles = math.prod(tiling.tile_counts(problem.axes))
    columns = problem.batch * tiles
    if problem.kind == "weight_gradient":
        return columns if columns <= PASSING_GRADIENT else 0
    in_maps = map_convolution.has_tiles(problem, [[axis] for axis in problem.axes])
    if columns > PASSING_MOST or problem.weights_prepared or in_maps:
        return 0
    most = int(PASSING_BYTES) // (tiling.points * problem.channels * problem.item_size)
    return min(columns, min(PASSING_COLUMNS, most) // tiles * tiles)


def _estimate_passing(problem: Problem, tiling: Tiling, columns: int) -> float:
    each, lanes = costs.PASSING[problem.kind], vector_size(problem)
    kernels = problem.channels * whole(problem.filters, lanes)
    if problem.kind == "weight_gradient":
        kernels = problem.filters * whole(problem.channels, lanes)
    transforms = -(-columns // PASSING_TILES) * each.transform
    products = tiling.points * columns * each.product
    points = costs.WINOGRAD[problem.kind]
    borders = problem.channels * points.input + problem.filters * points.output
    tasks = problem.batch * math.prod(tiling.tile_counts(problem.axes)) / columns
    per_task = kernels * (each.kernel + transforms + products) + tiling.points * columns * borders
    return tasks * per_task


def _estimate_packed(problem: Problem, tiling: Tiling) -> float:
    axes = [[axis] for axis in problem.axes]
    if not tiling.axes:
        kernel = tuple(len(axis.taps.coordinates) for axis in problem.axes)
        return direct.estimate(replace(problem, kernel=kernel), axes, tiling)
    each, gradient = costs.WINOGRAD[problem.kind], problem.kind == "weight_gradient"
    first = len(axes) - tiling.axes
    outer, filters = _outer_taps(problem, tiling), problem.filters
    lanes, shared = vector_size(problem), tiling.sums / tiling.points
    # channels of the sums that become a gradient of weights are in whole panels of two vectors
    panels = whole(problem.channels, 2 * lanes)
    weight_bytes = problem.groups * filters * outer * panels * tiling.points * problem.item_size
    if weight_bytes > MOST_WEIGHTS:
        return math.inf
    places = math.prod(axis.taps.outputs for axis in problem.axes[:first])
    tiles = math.prod(tiling.tile_counts([with_phases(axis) for axis in problem.axes[first:]]))
    channels, inputs, outputs = problem.channels, outer * problem.channels, filters
    filled = 1.0
    per_tap, per_output = channels * filters * outer, each.output
    if gradient:  # products have whole panels of channels; each task transforms whole vectors anew
        columns, per_tap = outer * whole(channels, lanes), panels * filters * outer
        most = min(2, len(axes))  # one axis of two saves less than items side by side do
        if channels < lanes and outer > 1 and (tiling.stride, tiling.axes) == (1, most):
            columns = whole(outer * channels, lanes)  # taps share panels
            per_tap, per_output = columns * filters, costs.BARE_OUTPUT
        together = GRADIENT_FILTERS // problem.item_size
        inputs = columns * -(-filters // together)
        outputs = whole(filters, lanes) * -(-outer * problem.channels // GRADIENT_CHANNELS)
    elif 0 < tiles * places < lanes and not map_convolution.has_tiles(problem, axes):
        # half a vector at least
        filled = whole(tiles * places, lanes // 2) / (tiles * places)
    per_tile = per_tap + inputs * each.input + outputs * per_output * shared
    kernels = 0 if problem.weights_prepared else outer * channels * filters
    far = max(0, weight_bytes - NEAR_WEIGHTS) / max(1, weight_bytes)
    fresh = weight_bytes > KEPT_WEIGHTS
    per_weight = each.weight + each.far_weight * far + each.fresh_weight * fresh
    weights = kernels * (
        each.weights + per_weight * (tiling.weight_points if gradient else tiling.points)
    )
    more = costs.TWO_TAPS if tiling.taps[0] == 2 else 1.0
    more = costs.STRIDED if tiling.stride > 1 and not gradient else more
    return more * (problem.batch * places * tiles * tiling.points * filled * per_tile + weights)


def plan_passes(problem: Problem, axes: Sequence[Sequence[Axis]], tiling: Tiling) -> list[PassPlan]:
    """Plan a pass for each choice among what there is for every axis.

    Phases of a stride have different taps: what the tiling does not fit is computed directly.
    """
    return [_plan_pass(one, _tiling_of(one, tiling)) for one in choices_of(problem, axes)]


def _plan_pass(problem: Problem, tiling: Tiling) -> PassPlan:
    """Cut a pass so that its scratch memory stays below twice the L2 cache."""
    if not tiling.axes:
        return direct.plan_pass(problem)
    columns = _passing_columns(problem, tiling)
    problem = transformed(problem, tiling)
    gradient = problem.kind == "weight_gradient"
    if columns and not gradient:
        cut = _cut_passing(problem, tiling, columns)
        if fits(cut, problem):
            return cut
    cut_with = partial(_cut_gradient, in_passing=columns > 0) if gradient else _cut_forward
    share = 1
    cut = cut_with(problem, tiling, share)
    while share < MOST_COLUMNS and not fits(cut, problem):
        share *= 2
        cut = cut_with(problem, tiling, share)
    return cut


@dataclass(frozen=True, slots=True)
class _Boxes:
    """The boxes of a pass: their axes, and how many tiles each has."""

    plans: tuple[AxisPlan, ...]
    tap_tables: list[Table]
    tiles: int
    count: int

    @classmethod
    def of(cls, problem: Problem, tiling: Tiling, tiles: Sequence[int]) -> "_Boxes":
        """Cut into boxes of so many tiles along each axis."""
        axes, sizes = problem.axes, tile_sizes(problem.axes, tiling)
        blocks = [
            min(count * size, axis.phase_outputs) for axis, count, size in zip(axes, tiles, sizes)
        ]
        plans, tap_tables = axis_plans(axes, blocks, tiles=sizes)
        boxes = math.prod(axis.blocks for axis in plans)
        return cls(plans, tap_tables, math.prod(tiles), boxes)

    @property
    def places(self) -> int:
        """Inputs of a channel that a box needs."""
        return math.prod(axis.tile_length for axis in self.plans)


def _gradient_boxes(problem: Problem, tiling: Tiling, most: int) -> _Boxes:
    return _Boxes.of(problem, tiling, _split_tiles(problem, tiling, most, GRADIENT_UNIT))


def _split_tiles(problem: Problem, tiling: Tiling, most: int, unit: int) -> list[int]:
    """Tiles of a box along each axis, at most so many in all, rows in multiples of ``unit``."""
    sizes = tile_sizes(problem.axes, tiling)
    counts = [-(-axis.phase_outputs // size) for axis, size in zip(problem.axes, sizes)]
    return split(counts, most, unit)


def _fill(tiles: Sequence[int], columns: int, lanes: int) -> float:
    """Of the columns of a product, those that are tiles when as many boxes go together as can."""
    used = columns // math.prod(tiles) * math.prod(tiles)
    return used / (-(-used // (2 * lanes)) * 2 * lanes)


def _outer_taps(problem: Problem, tiling: Tiling) -> int:
    """Taps that are summed like channels: along axes that are not transformed, and sections."""
    outer = problem.axes[: len(problem.axes) - tiling.axes]
    return tiling.all_sections * math.prod(len(axis.taps.coordinates) for axis in outer)


def _plan(problem: Problem, tiling: Tiling, boxes: _Boxes, **chosen: Any) -> PassPlan:
    plan = pass_plan(
        problem,
        problem.axes,
        boxes.plans,
        outer_sum(boxes.tap_tables),
        tap_block=_outer_taps(problem, tiling) * tiling.kernel_taps,
        tiling=tiling,
        **chosen,
    )
    if tiling.all_sections == 1:
        return plan
    return replace(
        plan,
        tap_offset=by_sections(plan.tap_offset, tiling),
        tap_weight=by_sections(plan.tap_weight, tiling),
        taps_in_order=False,
    )


def _cut_forward(problem: Problem, tiling: Tiling, share: int) -> PassPlan:
    """Cut a convolution: with tasks of ``share`` times fewer tiles than would be best."""
    lanes, narrowest, rows = _driver.register_block(machine.ISA, problem.dtype)
    outer, panel = _outer_taps(problem, tiling), 2 * lanes
    # of a column: one row of the reduction at every point, and one filter's sums
    row_bytes, sum_bytes = tiling.points * problem.item_size, tiling.sums * problem.item_size
    room = int(AT_ONCE * machine.L2_BYTES) // sum_bytes
    at_once = int(AT_ONCE * machine.L2_BYTES) // (row_bytes * problem.channels * outer)
    in_steps = next((c for c in STEP_COLUMNS if c * problem.filters <= room), STEP_COLUMNS[-1])
    if at_once >= max(LEAST_COLUMNS, in_steps):
        columns = max(1, min(MOST_COLUMNS, at_once // panel * panel) // share)
        channel_block = problem.channels
        sums = machine.L2_BYTES // (4 * sum_bytes)
    else:
        columns = max(1, in_steps // share)
        channel_block = even(problem.channels, STEP_ROWS // outer)
        sums = room
    cuts = [_split_tiles(problem, tiling, -(-columns // parts), lanes) for parts in BOX_PARTS]
    # smaller boxes need more of the input: only for a gain of a tenth
    tiles = max(cuts, key=lambda cut: int(10 * _fill(cut, columns, lanes)))
    boxes = _Boxes.of(problem, tiling, tiles)
    alike = problem.batch * problem.groups * boxes.count
    together = columns // boxes.tiles
    if together < alike or not has_many_weights(problem):
        together = min(together, alike // problem.threads)
    # else threads are dealt filters, and use the weights that they transformed
    boxes_together = even(boxes.count, together)
    items = even(problem.batch, together // boxes_together)
    columns = -(-items * boxes_together * boxes.tiles // lanes) * lanes

    filter_blocks = -(-problem.filters // rows)
    sum_blocks = min(filter_blocks, max(1, sums // (columns * rows)))
    tasks = problem.groups * -(-boxes.count // boxes_together) * -(-problem.batch // items)
    filter_parts = fewest_parts(tasks, filter_blocks, problem.threads)
    if channel_block < problem.channels:
        filter_parts = max(filter_parts, -(-filter_blocks // sum_blocks))
    return _plan(
        problem,
        tiling,
        boxes,
        items=items,
        boxes_together=boxes_together,
        filter_parts=filter_parts,
        channel_block=channel_block,
        narrowest=narrowest,
        sum_blocks=sum_blocks,
        point_size=pitch(problem.filters * channel_block * outer, problem.item_size),
    )


def _cut_passing(problem: Problem, tiling: Tiling, columns: int) -> PassPlan:
    """Cut a convolution of small planes: so many tiles to a task, and filters by vectors."""
    lanes, narrowest, _ = _driver.register_block(machine.ISA, problem.dtype)
    counts = tiling.tile_counts(problem.axes)
    items = even(problem.batch, columns // math.prod(counts))
    tasks = problem.groups * -(-problem.batch // items)
    return _plan(
        problem,
        tiling,
        _Boxes.of(problem, tiling, counts),
        items=items,
        filter_parts=fewest_parts(tasks, -(-problem.filters // lanes), problem.threads),
        channel_block=lanes,
        narrowest=narrowest,
        filter_vectors=1,
        in_passing=True,
    )


def _cut_gradient(problem: Problem, tiling: Tiling, share: int, in_passing: bool) -> PassPlan:
    """Cut a gradient of weights: with tasks of ``share`` times fewer channels than would be best.

    Less than a panel of them saves nothing: where that is not enough, there are fewer filters.

    The boxes set the order of the sum: they must not depend on the machine.
    """
    lanes, narrowest, rows = _driver.register_block(machine.ISA, problem.dtype)
    outer, panel = _outer_taps(problem, tiling), 2 * lanes
    tiles = GRADIENT_TILES
    boxes = _gradient_boxes(problem, tiling, tiles)
    while boxes.places > GRADIENT_PLACES and tiles > 1:
        tiles //= 2
        boxes = _gradient_boxes(problem, tiling, tiles)
    filter_blocks = -(-problem.filters // rows)
    tile_bytes = tiling.points * GRADIENT_TILES * problem.item_size
    together = min(
        GRADIENT_FILTERS // problem.item_size, int(GRADIENT_SUMS * machine.L2_BYTES) // tile_bytes
    )
    filter_parts = -(-problem.filters // max(rows, together // max(1, share // 4)))
    filters = -(-problem.filters // filter_parts)
    sums = int(GRADIENT_SUMS * machine.L2_BYTES) // (tiling.weight_points * problem.item_size)
    channel_block = min(problem.channels, max(panel, sums // (filters * outer) // panel * panel))
    channel_block = max(min(panel, channel_block), channel_block // share)
    if in_passing:  # no sums are kept
        filter_parts, channel_block = min(share, filter_blocks), whole(problem.channels, panel)
        channel_block = min(problem.channels, max(panel, channel_block // share))
    boxes_together = even(problem.batch * boxes.count, tiles // boxes.tiles)
    steps = -(-problem.batch * boxes.count // boxes_together)
    row_parts = _row_parts(problem, steps)
    tasks = problem.groups * -(-problem.channels // channel_block) * filter_parts * row_parts
    filter_parts *= fewest_parts(tasks, -(-filter_blocks // filter_parts), problem.threads)
    return _plan(
        problem,
        tiling,
        boxes,
        items=1,
        boxes_together=boxes_together,
        filter_parts=min(filter_parts, filter_blocks),
        row_parts=row_parts,
        channel_block=channel_block,
        narrowest=narrowest,
        in_passing=in_passing,
    )


def _row_parts(problem: Problem, steps: int) -> int:
    """Parts that so many steps of the sum are dealt into, for threads to share.

    Parts of the filters would all transform the same inputs.
    """
    if problem.groups > 1 or problem.weights > SUMMED_IN_PARTS:
        return 1
    return min(ROW_PARTS, steps)
