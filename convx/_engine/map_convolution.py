"""Convolutions of small planes in maps: Winograd's algorithm where channels are lanes.

Bringing a plane into a map and its result back takes less time there than dealing rows into tiles
and joining them does (``kernels/network.h``): a convolution is a network of one layer.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convx._core import _driver, _network
from convx._engine import machine
from convx._engine.maps import Map, pack
from convx._engine.network_steps import (
    POINTS,
    TAPS,
    Layer,
    Step,
    Task,
    border_of,
    describe_points,
    input_step,
    output_step,
)
from convx._engine.problem import Axis, Plan, Problem
from convx._engine.window import Table, Window

# What is the same on all machines, for bits depend on it: chosen on an AMD EPYC (Zen 4), November
# 2026, by layers of 8 to 128 channels on 7² to 56².
LANES_BYTES = 64  # vectors that channels and filters fill
LEAST_FILLED = 0.75  # of the lanes, by filters and by channels
MOST_BYTES = 512 * 1024  # of the input and the output of an item
MOST_WEIGHTS = 10 * 2**20  # bytes at all points
MAPS, MOST_ITEMS = 0.5, 16  # of the L2 cache for items that go together, and how many


@dataclass(frozen=True, slots=True)
class Weights:
    """How the weights lie that become points: a kernel's places are those of the taps in order."""

    filters: int
    channels: int
    filter_step: int
    channel_step: int
    places: Table
    points: int = POINTS**2


def program(plan: Plan, fallback: Callable[[], Any]) -> _network.MapProgram | None:
    """Return what computes a plan in maps, or None if that is not for it."""
    if not _is_for(plan):
        return None
    problem = plan.problem
    axes = [choices[0] for choices in plan.axes]
    network, step = _network_of(problem, axes)
    weights = _weights(problem, axes)
    packing = ("maps", step.vectors, weights.places.tobytes())
    return _network.MapProgram(
        replace(plan, packing=packing), machine.ISA, network, weights, fallback
    )


def _is_for(plan: Plan) -> bool:
    """Tell from the shapes of an item and of the weights, for bits depend on it."""
    problem = plan.problem
    if plan.algorithm != "winograd" or problem.kind != "forward" or problem.groups > 1:
        return False
    if len(plan.axes) != 2:
        return False
    if not all(len(choices) == 1 and _is_plain(choices[0]) for choices in plan.axes):
        return False
    lanes = LANES_BYTES // problem.item_size
    counts = problem.channels, problem.filters
    if any(count < LEAST_FILLED * -(-count // lanes) * lanes for count in counts):
        return False
    inputs = problem.channels * math.prod(choices[0].in_size for choices in plan.axes)
    outputs = math.prod(plan.out_shape[1:])
    weights = POINTS**2 * problem.channels * problem.filters
    size = problem.item_size
    return (inputs + outputs) * size <= MOST_BYTES and weights * size <= MOST_WEIGHTS


def _is_plain(axis: Axis) -> bool:
    """Whether taps and outputs are neighbours, and around the input are zeros that are read."""
    taps = axis.taps
    low, high = _padding(axis)
    are_taps = sorted(taps.coordinates.tolist()) == [*range(-low, TAPS - low)]
    are_outputs = (taps.stride, taps.out_start, taps.out_step) == (1, 0, 1)
    return are_taps and are_outputs and axis.halo is None and min(low, high) >= 0


def _padding(axis: Axis) -> tuple[int, int]:
    low = -int(axis.taps.coordinates.min())
    return low, axis.taps.outputs + TAPS - 1 - axis.in_size - low


def _weights(problem: Problem, axes: list[Axis]) -> Weights:
    rows, columns = (axis.taps.kernel[np.argsort(axis.taps.coordinates)] for axis in axes)
    steps = [problem.channels * TAPS**2, TAPS**2]
    if problem.weights_transposed:
        steps = [TAPS**2, problem.filters * TAPS**2]
    places = np.add.outer(rows * TAPS, columns).reshape(-1)
    return Weights(problem.filters, problem.channels, *steps, places)


def _network_of(problem: Problem, axes: list[Axis]) -> tuple[_network.Network, Step]:
    """Return the network of the one layer, whose weights come with each call, and that layer."""
    dtype = np.dtype(problem.dtype)
    lanes, _, rows = _driver.register_block(machine.ISA, problem.dtype)
    windows = [Window(axis.in_size, TAPS, 1, 1, *_padding(axis)) for axis in axes]
    source = Map(problem.channels, tuple(axis.in_size for axis in axes), lanes)
    target = Map(problem.filters, tuple(axis.taps.outputs for axis in axes), lanes)
    task = Task(Layer("conv", 0), source, None, target, windows, "points")
    source.widen(*border_of(task))
    line, last_use = 64 // dtype.itemsize, [1, 2]
    one_item = pack([source, target], last_use, 1, line) * dtype.itemsize
    items = max(1, min(MOST_ITEMS, int(MAPS * machine.L2_BYTES) // one_item))
    size = pack([source, target], last_use, items, line)
    step = Step("points", source, target)
    describe_points(step, task, lanes, rows, dtype.itemsize)
    strides = [problem.in_batch, problem.in_channel, *(axis.in_stride for axis in axes)]
    steps = [input_step(source, strides), step, output_step(target)]
    work = TAPS**2 * problem.channels * problem.filters * math.prod(target.sizes)
    shape = (target.channels, *target.sizes)
    return _network.Network(machine.ISA, dtype, steps, shape, size, items, work), step
