"""Plans: which algorithm computes a convolution, in which passes.

A plan is a pure function of shapes, strides, element type, thread count and machine. Only speed
depends on the last two.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

from convx._engine import direct, machine, winograd
from convx._engine.problem import Axis, PassPlan, Plan, Problem
from convx._engine.threads import WORK_PER_THREAD


def plan(
    problem: Problem, axes: Sequence[Sequence[Axis]], out_shape: tuple[int, ...], algorithm: str
) -> Plan:
    """Plan a problem in passes, one for each choice among what ``axes`` has for every axis."""
    outputs = math.prod(out_shape)
    work = problem.channels * math.prod(problem.kernel) * outputs
    problem = replace(problem, threads=max(1, min(problem.threads, work // WORK_PER_THREAD)))
    tile, transformed = choose_tile(problem, axes, algorithm) if work else (0, 0)
    if tile:
        split = [*axes[: len(axes) - transformed]]
        split += [
            [phase for axis in choices for phase in winograd.phases(axis)]
            for choices in axes[len(axes) - transformed :]
        ]
        passes = [
            winograd.plan_pass(replace(problem, axes=chosen), tile, transformed)
            for chosen in itertools.product(*split)
        ]
    else:
        passes = [
            direct.plan_pass(replace(problem, axes=chosen))
            for chosen in (itertools.product(*axes) if work else ())
        ]
    written = sum(math.prod(axis.outputs for axis in one.axes) for one in passes)
    per_channel = math.prod(out_shape[2:])
    gradient = problem.kind == "weight_gradient"
    row_parts = max((one.row_parts for one in passes), default=1)
    return Plan(
        kind=problem.kind,
        dtype=problem.dtype,
        algorithm="winograd" if tile else "direct",
        out_shape=(row_parts, problem.weights) if gradient else out_shape,
        passes=tuple(passes),
        packs=bool(tile) or not gradient and _pack_once(passes, problem),
        writes_all=gradient or written == per_channel,
        threads=problem.threads,
        packing=tuple(one.packing for one in passes),
        falls_back=bool(tile),
    )


# What Winograd's transformations cost, as so many multiply-adds of the product at each point: of a
# tile of one input channel, of a tile of one filter, and of the weights of one pair of both.
INPUT_COST, OUTPUT_COST, WEIGHT_COST = 21, 25, 20
# Of the direct algorithm's cost, what another may be estimated at to be chosen.
WORTHWHILE = 0.9


def choose_tile(
    problem: Problem, axes: Sequence[Sequence[Axis]], algorithm: str
) -> tuple[int, int]:
    """Choose the outputs of a tile along an axis and how many axes are transformed, or zeros.

    The choice depends on the shape of an item and of the weights, and on nothing else: neither the
    other items of a batch, nor threads, nor weights prepared beforehand change the bits of a result.
    """
    if algorithm == "direct" or not _has_winograd(problem, axes):
        return 0, 0
    estimates = {
        (tile, transformed): estimate(problem, axes, tile, transformed)
        for transformed in range(1, winograd.transformed_axes(axes) + 1)
        for tile in winograd.TILES
    }
    best = min(estimates, key=estimates.__getitem__)
    if algorithm == "winograd" or estimates[best] < WORTHWHILE * estimate(problem, axes, 0, 0):
        return best
    return 0, 0


def _has_winograd(problem: Problem, axes: Sequence[Sequence[Axis]]) -> bool:
    return (
        problem.kind == "forward"
        and problem.dtype in ("float32", "float64")
        and winograd.transformed_axes(axes) > 0
    )


def estimate(
    problem: Problem, axes: Sequence[Sequence[Axis]], tile: int, transformed: int
) -> float:
    """Estimate the cost of an item's group as multiply-adds of a product at full speed."""
    pairs = problem.channels * problem.filters
    first = len(axes) - transformed
    direct_axes = [
        sum(len(axis.taps.coordinates) * axis.taps.outputs for axis in choices)
        for choices in axes[:first]
    ]
    total = float(pairs * math.prod(direct_axes))
    if not tile:
        return total
    phases = [
        [phase for axis in choices for phase in winograd.phases(axis)] for choices in axes[first:]
    ]
    tiles = math.prod(
        sum(-(-phase.taps.outputs // tile) for phase in along) for along in phases
    )
    outer = math.prod(sum(len(a.taps.coordinates) for a in choices) for choices in axes[:first])
    places = math.prod(sum(axis.taps.outputs for axis in choices) for choices in axes[:first])
    points = winograd.points(tile, transformed)
    weights = outer * pairs
    if weights * points * problem.groups * problem.item_size > winograd.MOST_WEIGHTS:
        return math.inf
    inputs, outputs = outer * problem.channels * INPUT_COST, problem.filters * OUTPUT_COST
    return points * (tiles * (total + places * (inputs + outputs)) + WEIGHT_COST * weights)


def _pack_once(passes: Sequence[PassPlan], problem: Problem) -> bool:
    """Whether to pack the weights once for a call rather than for every box."""
    shared = any(one.batch * one.boxes > one.items and not one.strided for one in passes)
    return shared and problem.weights * problem.item_size <= machine.L2_BYTES // 2
