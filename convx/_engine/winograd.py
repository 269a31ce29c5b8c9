"""Winograd's minimal filtering: where it applies, and how its passes are cut.

Tiles of outputs, 4 or 2 along each of the last one or two axes, take the place of outputs, points
at which polynomials are multiplied that of taps; taps along other axes are summed like channels.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from convx._core import _driver
from convx._engine import machine
from convx._engine.cut import axis_plans, even, fewest_parts, outer_sum, pass_plan, pitch, split
from convx._engine.problem import Axis, PassPlan, Problem

TAPS = 3  # along each transformed axis
TILES = (4, 2)  # outputs of a tile along each of them
MOST_COLUMNS = 128  # tiles of a task
AT_ONCE = 1.25  # of the L2 cache: transformed inputs up to which a task needs one step
STEP_COLUMNS = 64  # the same where the reduction takes several steps
MOST_WEIGHTS = 128 * 2**20  # bytes of transformed weights


def transformed_axes(axes: Sequence[Sequence[Axis]]) -> int:
    """How many of the last axes can be transformed: 2, 1 or 0."""
    fitting = [all(_fits_tiles(axis) for axis in choices) for choices in axes]
    if not fitting[-1]:
        return 0
    return 2 if len(axes) > 1 and fitting[-2] else 1


def _fits_tiles(axis: Axis) -> bool:
    taps = axis.taps
    if len(taps.coordinates) != TAPS:
        return False
    gaps = abs(np.diff(taps.coordinates))
    return bool(gaps[0] == gaps[1]) and taps.stride in (1, gaps[0])


def phases(axis: Axis) -> list[Axis]:
    """Split the outputs along an axis into those whose taps are neighbours, in rising order."""
    taps = axis.taps
    order = np.argsort(taps.coordinates)
    coordinates, kernel = taps.coordinates[order], taps.kernel[order]
    gap = int(coordinates[1] - coordinates[0])
    step = gap // taps.stride
    return [
        replace(
            axis,
            taps=replace(
                taps,
                outputs=-(-(taps.outputs - phase) // step),
                stride=gap,
                coordinates=coordinates + phase * taps.stride,
                kernel=kernel,
                out_start=taps.out_start + phase * taps.out_step,
                out_step=taps.out_step * step,
            ),
        )
        for phase in range(min(step, taps.outputs))
    ]


def points(tile: int, transformed: int) -> int:
    """Products of a tile, where a direct sum has one for each tap and output."""
    return (tile + TAPS - 1) ** transformed


def plan_pass(problem: Problem, tile: int, transformed: int) -> PassPlan:
    """Cut a pass so that its scratch memory stays below twice the L2 cache."""
    columns = MOST_COLUMNS
    cut = _cut(problem, tile, transformed, columns)
    while columns > 1 and not _fits(cut, problem):
        columns //= 2
        cut = _cut(problem, tile, transformed, columns)
    return cut


def _fits(cut: PassPlan, problem: Problem) -> bool:
    return _driver.Pass(cut).scratch_bytes(machine.ISA, problem.dtype) < 2 * machine.L2_BYTES


def _cut(problem: Problem, tile: int, transformed: int, columns: int) -> PassPlan:
    """Cut a pass with at most so many tiles in a task."""
    lanes, narrowest, rows = _driver.register_block(machine.ISA, problem.dtype)
    axes = problem.axes
    outer = math.prod(len(axis.taps.coordinates) for axis in axes[: len(axes) - transformed])
    tiles = [1] * (len(axes) - transformed) + [tile] * transformed
    counts = [-(-axis.taps.outputs // size) for axis, size in zip(axes, tiles)]
    # of a column: one row of the reduction, or one filter's sums, at every point
    column_bytes = points(tile, transformed) * problem.item_size
    at_once = int(AT_ONCE * machine.L2_BYTES) // (column_bytes * problem.channels * outer)
    panel = 2 * lanes
    if at_once >= panel:
        columns = min(columns, at_once // panel * panel)
        channel_block = problem.channels
    else:
        columns = min(columns, STEP_COLUMNS)
        room = machine.L2_BYTES // 2 // (column_bytes * columns * outer)
        channel_block = even(problem.channels, room)
    counted = split(counts, columns, lanes)
    blocks = [
        min(count * size, axis.taps.outputs) for axis, count, size in zip(axes, counted, tiles)
    ]
    plans, tap_tables = axis_plans(axes, blocks, False, tiles)
    boxes = math.prod(axis.blocks for axis in plans)
    positions = math.prod(counted)
    alike = problem.groups * boxes
    items = even(problem.batch, min(columns // positions, problem.batch * alike // problem.threads))
    columns = items * positions
    filter_blocks = -(-problem.filters // rows)
    sums = machine.L2_BYTES // (4 if channel_block == problem.channels else 1)
    columns = -(-columns // lanes) * lanes
    sum_blocks = max(1, sums // (column_bytes * columns * rows))
    tasks = problem.groups * boxes * -(-problem.batch // items)
    filter_parts = fewest_parts(tasks, filter_blocks, problem.threads)
    if channel_block < problem.channels:
        filter_parts = max(filter_parts, -(-filter_blocks // sum_blocks))
    return pass_plan(
        problem,
        axes,
        plans,
        outer_sum(tap_tables),
        items=items,
        task_groups=1,
        filter_parts=filter_parts,
        row_parts=1,
        channel_block=channel_block,
        tap_block=outer * TAPS**transformed,
        narrowest=narrowest,
        in_place=False,
        strided=False,
        gathered=False,
        winograd_tile=tile,
        winograd_axes=transformed,
        sum_blocks=min(sum_blocks, filter_blocks),
        point_size=pitch(problem.filters * channel_block * outer, problem.item_size),
    )
