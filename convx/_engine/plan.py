"""Plans: which algorithm computes a convolution, in which passes.

A plan is a pure function of shapes, strides, element type, thread count and machine. Only speed
depends on the last two.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from convx._engine import direct, machine, winograd
from convx._engine.problem import DIRECT, Axis, PassPlan, Plan, Problem, Tiling
from convx._engine.threads import WORK_PER_THREAD


def plan(
    problem: Problem, axes: Sequence[Sequence[Axis]], out_shape: tuple[int, ...], algorithm: str
) -> Plan:
    """Plan a problem in passes, one for each choice among what ``axes`` has for every axis."""
    outputs = math.prod(out_shape)
    work = problem.channels * math.prod(problem.kernel) * outputs
    problem = replace(problem, threads=max(1, min(problem.threads, work // WORK_PER_THREAD)))
    tiling = choose_tiling(problem, axes, algorithm) if work else DIRECT
    transforms = tiling != DIRECT
    problems = [
        replace(problem, axes=chosen) for chosen in (itertools.product(*axes) if work else ())
    ]
    if transforms:
        passes = [winograd.plan_pass(one, tiling) for one in problems]
    else:
        passes = [direct.plan_pass(one) for one in problems]
    written = sum(math.prod(axis.outputs for axis in one.axes) for one in passes)
    per_channel = math.prod(out_shape[2:])
    gradient = problem.kind == "weight_gradient"
    row_parts = max((one.row_parts for one in passes), default=1)
    return Plan(
        kind=problem.kind,
        dtype=problem.dtype,
        algorithm="winograd" if transforms else "direct",
        out_shape=(row_parts, problem.weights) if gradient else out_shape,
        passes=tuple(passes),
        packs=not gradient and (transforms or _pack_once(passes, problem)),
        writes_all=gradient or written == per_channel,
        threads=problem.threads,
        packing=tuple(one.packing for one in passes),
        falls_back=transforms,
    )


class Costs(NamedTuple):
    """What Winograd's transformations cost, in multiply-adds of the product.

    At each point of a tile: of an input channel, of a filter. Of the weights of one pair of both:
    for all points, and for each.
    """

    input: int
    output: int
    weights: int
    weight: int


# Measured on an AMD EPYC (Turin, Zen 5), November 2026.
FORWARD_COSTS, GRADIENT_COSTS = Costs(17, 21, 230, 10), Costs(12, 15, 0, 50)
# Bytes of transformed weights, or of the sums that become their gradient, which has its channels in
# whole panels.
MOST_WEIGHTS, PANEL = 128 * 2**20, 32
# Fewer tiles of an item do not fill a vector.
LEAST_TILES = 16
# Of the direct algorithm's cost, what another may be estimated at to be chosen.
WORTHWHILE = 0.9


def choose_tiling(problem: Problem, axes: Sequence[Sequence[Axis]], algorithm: str) -> Tiling:
    """Choose how Winograd's algorithm computes a problem, or the direct one.

    The choice depends on the shapes of the weights and of an item, and on whether the weights are
    prepared; for the weights' gradient on the number of items instead. So neither the other items
    of a batch nor threads change the bits of a result.
    """
    if algorithm == "direct" or problem.dtype not in ("float32", "float64"):
        return DIRECT
    estimates = {one: estimate(problem, axes, one) for one in winograd.tilings(axes)}
    best = min(estimates, key=estimates.__getitem__, default=DIRECT)
    limit = math.inf
    if algorithm == "auto":
        limit = WORTHWHILE * estimate(problem, axes, DIRECT)
    return best if estimates.get(best, math.inf) < limit else DIRECT


def estimate(problem: Problem, axes: Sequence[Sequence[Axis]], tiling: Tiling) -> float:
    """Estimate the cost of a group of an item, or of all items for a gradient of weights.

    It counts multiply-adds of a product at full speed.
    """
    first = len(axes) - tiling.axes
    pairs = problem.channels * problem.filters
    products = pairs * math.prod(
        sum(len(axis.taps.coordinates) * axis.taps.outputs for axis in choices)
        for choices in axes[:first]
    )
    if tiling == DIRECT:
        return products * (problem.batch if problem.kind == "weight_gradient" else 1)
    transformed = [[winograd.with_phases(axis) for axis in choices] for choices in axes[first:]]
    outer = math.prod(sum(len(axis.taps.coordinates) for axis in one) for one in axes[:first])
    whole = problem.filters * outer * -(-problem.channels // PANEL) * PANEL
    if problem.groups * whole * tiling.points * problem.item_size > MOST_WEIGHTS:
        return math.inf
    places = math.prod(sum(axis.taps.outputs for axis in choices) for choices in axes[:first])
    tiles = math.prod(
        sum(tiling.tiles(axis.taps.outputs, axis.phases) for axis in choices)
        for choices in transformed
    )
    rows, filters, costs = outer * problem.channels, problem.filters, FORWARD_COSTS
    inputs, outputs = rows * costs.input, filters * costs.output
    if problem.kind == "weight_gradient":  # a sum over the batch; each task transforms anew
        tiles, costs = problem.batch * tiles, GRADIENT_COSTS
        inputs = rows * costs.input * -(-filters // winograd.GRADIENT_FILTERS)
        outputs = filters * costs.output * -(-rows // winograd.GRADIENT_FILTERS)
    else:
        tiles = max(tiles, LEAST_TILES)
    per_tile = products + places * (inputs + outputs)
    kernels = 0 if problem.weights_prepared else outer * pairs
    weights = kernels * (costs.weights + costs.weight * tiling.points)
    return tiling.points * tiles * per_tile + weights


def _pack_once(passes: Sequence[PassPlan], problem: Problem) -> bool:
    """Whether to pack the weights once for a call rather than for every box."""
    shared = any(
        one.batch * one.boxes > one.items and not (one.strided or one.lanes) for one in passes
    )
    return shared and problem.weights * problem.item_size <= machine.L2_BYTES // 2
