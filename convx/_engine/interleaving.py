"""Batches of small planes with their items side by side, in rows that are as many times as long.

An item's sample and those of the other items at its place are neighbours then: taps are as many
times as far apart, and a row of all items fills vectors however short one of an item is
(``kernels/interleave_sweep.h``). So it is the direct algorithm on one item with long rows, with the
same chain of multiply-adds for each output.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from convx._core import _driver, _interleaving
from convx._engine import machine
from convx._engine.cut import vector_size, whole
from convx._engine.plan import plan as plan_problem
from convx._engine.problem import Axis, Plan, Problem
from convx._engine.window import AxisTaps, Table

# What is the same on all machines, for bits of gradients depend on it: chosen on an AMD EPYC
# (Zen 4), November 2026, by 40 layers of 1 to 128 channels on 5² to 56² (docs/kernels.md).
MOST_BYTES = 2**20  # of inputs and outputs of the items that lie side by side, a vector of them
LEAST_FILLED = 0.75  # of the places of items, in all parts of the batch
LEAST_TAPS = 9  # of a kernel
LEAST_FILTERS = 5  # fewer are computed as stretches, which run over the ends of rows
MOST_LEFT = 0.8  # of products along rows, where those with zeros at their ends are left out
LEAST_WASTE = 1.1  # lanes of rows, in halves of vectors, for each of their outputs


def program(plan: Plan) -> _interleaving.InterleavedProgram | None:
    """Return what computes a plan with items side by side, or None if that is not for it."""
    problem = plan.problem
    if plan.algorithm != "direct" or not plan.writes_all or not _applies(problem, plan.axes):
        return None
    axes = [choices[0] for choices in plan.axes]
    inputs = problem.channels * math.prod(axis.in_size for axis in axes)
    outputs = problem.filters * math.prod(axis.taps.outputs for axis in axes)
    items = vector_size(problem)
    if (inputs + outputs) * items * problem.item_size > MOST_BYTES:
        return None
    inner = _side_by_side(problem, axes, items)
    return _interleaving.InterleavedProgram(
        replace(plan, packing=inner.packing),
        inner,
        machine.ISA,
        [_driver.Pass(one) for one in inner.passes],
        problem.batch,
        _interleaving.Rows(items, problem.in_batch, *_input_rows(problem, axes)),
        _interleaving.Rows(items, problem.out_batch, np.zeros(1, np.int64), outputs, 1),
        partial(_one_by_one, plan) if len(inner.passes) > 1 else None,
    )


def _one_by_one(plan: Plan) -> _driver.Program:
    return _driver.Program(plan, machine.ISA, [_driver.Pass(one) for one in plan.passes])


def _applies(problem: Problem, axes: Sequence[Sequence[Axis]]) -> bool:
    """Whether outputs are neighbours, in rows that do not fill vectors, and items fill them."""
    if problem.dtype not in ("float32", "float64") or problem.groups > 1:
        return False
    if not axes or not all(axes):
        return False
    if math.prod(problem.kernel) < LEAST_TAPS or problem.filters < LEAST_FILTERS:
        return False
    steps = [(len(choices), choices[0].taps.stride, choices[0].taps.out_step) for choices in axes]
    halos = any(choices[0].halo is not None for choices in axes)
    lanes, row = vector_size(problem), axes[-1][0].taps.outputs
    wasted = whole(row, lanes // 2) / row
    if steps != [(1, 1, 1)] * len(axes) or halos or wasted < LEAST_WASTE:
        return False
    return _fills_parts(problem, lanes)


def _fills_parts(problem: Problem, items: int) -> bool:
    """Whether parts of so many items have few places that are empty, and every thread has a part.

    The parts of a gradient are sums of their own: there threads must make no difference.
    """
    parts = -(-problem.batch // items)
    filled = problem.batch >= LEAST_FILLED * parts * items
    return filled and (problem.kind == "weight_gradient" or parts >= problem.threads)


def _input_rows(problem: Problem, axes: Sequence[Axis]) -> tuple[Table, int, int]:
    """Return where the rows of an item begin, their length, and how far their elements are apart.

    Axes that lie in memory as one make rows that are longer.
    """
    sizes = [problem.channels, *(axis.in_size for axis in axes)]
    strides = [problem.in_channel, *(axis.in_stride for axis in axes)]
    length, step = sizes.pop(), strides.pop()
    while sizes and strides[-1] == length * step:
        length *= sizes.pop()
        strides.pop()
    places = np.zeros(1, np.int64)
    for size, stride in zip(sizes, strides):
        places = np.add.outer(places, np.arange(size) * stride).reshape(-1)
    return places, length, step


def _side_by_side(problem: Problem, axes: Sequence[Axis], items: int) -> Plan:
    """Plan the one item that so many are together."""
    ins, outs = [axis.in_size for axis in axes], [axis.taps.outputs for axis in axes]
    ins[-1], outs[-1] = ins[-1] * items, outs[-1] * items
    in_strides, out_strides = _strides(ins), _strides(outs)
    along = [
        replace(axis, in_stride=in_stride, out_stride=out_stride)
        for axis, in_stride, out_stride in zip(axes, in_strides, out_strides)
    ]
    choices = [[axis] for axis in along]
    last = replace(along[-1], in_size=ins[-1])
    choices[-1] = [
        replace(last, taps=_spread(taps, items)) for taps in _stretches(problem, axes[-1])
    ]
    single = replace(
        problem,
        threads=1,
        batch=1,
        in_batch=problem.channels * math.prod(ins),
        in_channel=math.prod(ins),
        out_batch=problem.filters * math.prod(outs),
        out_channel=math.prod(outs),
        lines=True,
    )
    shape = (1, problem.filters, *outs)
    planned = plan_problem(single, choices, shape, "direct")
    undivided = (replace(one, row_parts=1) for one in planned.passes)
    return replace(planned, passes=tuple(undivided))


def _spread(taps: AxisTaps, items: int) -> AxisTaps:
    """Return the same for so many items side by side."""
    return replace(
        taps,
        outputs=taps.outputs * items,
        coordinates=taps.coordinates * items,
        out_start=taps.out_start * items,
    )


def _stretches(problem: Problem, axis: Axis) -> list[AxisTaps]:
    """Part outputs along an axis where taps of those at its ends reach nothing but zeros.

    There they are left out, if that saves enough.
    """
    taps, size = axis.taps, axis.in_size
    low, high = -int(taps.coordinates.min()), size - int(taps.coordinates.max())
    if problem.kind == "weight_gradient" or not 0 <= low <= high <= taps.outputs:
        return [taps]
    ends = {0, (low + 1) // 2, low, high, (high + taps.outputs) // 2, taps.outputs}
    parts = []
    for start, end in itertools.pairwise(sorted(ends)):
        reached = (taps.coordinates + end > 0) & (taps.coordinates + start < size)
        coordinates = taps.coordinates[reached] + start
        parts.append(AxisTaps(end - start, 1, coordinates, taps.kernel[reached], start))
    products = sum(one.outputs * len(one.kernel) for one in parts)
    pays = products <= MOST_LEFT * taps.outputs * len(taps.kernel)
    return parts if pays and all(len(one.kernel) for one in parts) else [taps]


def _strides(sizes: Sequence[int]) -> list[int]:
    return [math.prod(sizes[axis + 1 :]) for axis in range(len(sizes))]
