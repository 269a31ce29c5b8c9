"""Convolutions of small planes in maps, where channels are the lanes of vectors.

Bringing a plane into a map and its result back takes less time than dealing rows into tiles and
joining them, or than gathering and scattering with strides (``kernels/network.h``). So a
convolution is a network of one layer, or of one for each phase of its outputs.
"""

import itertools
import math
from collections.abc import Callable, Sequence
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
    vectors_together,
)
from convx._engine.problem import Axis, Plan, Problem
from convx._engine.window import Table, Window

# What is the same on all machines, for bits depend on it: chosen on an AMD EPYC (Zen 4), November
# 2026, by layers of 8 to 128 channels on 7² to 56².
LANES_BYTES = 64  # vectors that channels and filters fill
LEAST_FILLED = 0.75  # of the lanes, by filters and by channels
MOST_BYTES = 512 * 1024  # of the input, with its border, and the output of an item
MOST_WEIGHTS = 10 * 2**20  # bytes at all points
LEAST_TAPS = 9  # of all phases of a product
MOST_PHASES = 4
MAPS, MOST_ITEMS = 0.5, 16  # of the L2 cache for items that go together, and how many


# What a pass has of each axis, or all that there is for an axis.
Axes = Sequence[Axis]


@dataclass(frozen=True, slots=True)
class Weights:
    """Which weights a layer takes: a kernel's places are those of its taps."""

    filters: int
    channels: int
    taps: int  # that are packed one by one; those that become points are one
    filter_step: int
    channel_step: int
    places: Table
    values: int  # that a filter has for each channel


def program(plan: Plan, fallback: Callable[[], Any] | None) -> _network.MapProgram | None:
    """Return what computes a plan in maps, or None if that is not for it."""
    problem, passes = plan.problem, [*itertools.product(*plan.axes)]
    if problem.kind != "forward":
        return None
    if plan.algorithm == "winograd" and has_tiles(problem, plan.axes):
        network, steps = _network_of_points(problem, passes[0])
        weights = [_weights_of_points(problem, passes[0])]
    elif plan.algorithm == "direct" and plan.writes_all and is_strided(problem, plan.axes):
        network, steps = _network_of_products(problem, passes, plan.out_shape)
        weights = [_weights_of_product(problem, axes) for axes in passes]
    else:
        return None
    packing = ("maps", *((s.vectors, w.places.tobytes()) for s, w in zip(steps, weights)))
    planned = replace(plan, packing=packing)
    return _network.MapProgram(planned, machine.ISA, network, weights, fallback)


def _is_small(problem: Problem, axes: Sequence[Axes]) -> bool:
    """Tell from the shapes of an item and of the weights, for bits may depend on it."""
    if problem.dtype not in ("float32", "float64"):
        return False
    halos = any(axis.halo is not None for choices in axes for axis in choices)
    if len(axes) != 2 or not all(axes) or problem.groups > 1 or halos:
        return False
    lanes = LANES_BYTES // problem.item_size
    counts = problem.channels, problem.filters
    if any(count < LEAST_FILLED * -(-count // lanes) * lanes for count in counts):
        return False
    inputs = problem.channels * math.prod(map(_padded_size, axes))
    outputs = math.prod(sum(axis.taps.outputs for axis in choices) for choices in axes)
    weights = POINTS**2 * problem.channels * problem.filters
    size = problem.item_size
    elements = inputs + problem.filters * outputs
    return elements * size <= MOST_BYTES and weights * size <= MOST_WEIGHTS


def has_tiles(problem: Problem, axes: Sequence[Axes]) -> bool:
    """Whether Winograd's algorithm is run in maps.

    Taps and outputs are neighbours there, and zeros around the input are read.
    """
    if not _is_small(problem, axes) or any(len(choices) > 1 for choices in axes):
        return False
    for (axis,) in axes:
        taps, (low, high) = axis.taps, padding(axis)
        are_taps = sorted(taps.coordinates.tolist()) == [*range(-low, TAPS - low)]
        if not are_taps or taps.stride != 1 or taps.out_step != 1 or min(low, high) < 0:
            return False
    return True


def is_strided(problem: Problem, axes: Sequence[Axes]) -> bool:
    """Whether there are strides, and enough taps to make up for the way into maps and back."""
    if not _is_small(problem, axes):
        return False
    phases = math.prod(len(choices) for choices in axes)
    strided = phases > 1 or any(choices[0].taps.stride > 1 for choices in axes)
    taps = math.prod(sum(len(axis.taps.kernel) for axis in choices) for choices in axes)
    return strided and phases <= MOST_PHASES and taps >= LEAST_TAPS


def padding(axis: Axis) -> tuple[int, int]:
    """Return how far the taps reach before and beyond the input."""
    coordinates = axis.taps.coordinates
    last = (axis.taps.outputs - 1) * axis.taps.stride + int(coordinates.max())
    return -int(coordinates.min()), last + 1 - axis.in_size


def _padded_size(choices: Axes) -> int:
    """Return the size of the input with what the taps reach around it."""
    lows, highs = zip(*map(padding, choices))
    return int(choices[0].in_size + max(0, *lows) + max(0, *highs))


def _steps_of_weights(problem: Problem, taps: int) -> tuple[int, int]:
    """Return how far filters and channels are apart."""
    if problem.weights_transposed:
        return taps, problem.filters * taps
    return problem.channels * taps, taps


def _places(problem: Problem, kernels: Sequence[Table]) -> Table:
    places = np.zeros(1, np.int64)
    for size, along in zip(problem.kernel, kernels):
        places = np.add.outer(places * size, along).reshape(-1)
    return places


def _weights_of_points(problem: Problem, axes: Axes) -> Weights:
    """Taps are in the order of their coordinates."""
    kernels = [axis.taps.kernel[np.argsort(axis.taps.coordinates)] for axis in axes]
    steps, places = _steps_of_weights(problem, TAPS**2), _places(problem, kernels)
    return Weights(problem.filters, problem.channels, 1, *steps, places, POINTS**2)


def _weights_of_product(problem: Problem, axes: Axes) -> Weights:
    places = _places(problem, [axis.taps.kernel for axis in axes])
    steps = _steps_of_weights(problem, math.prod(problem.kernel))
    return Weights(problem.filters, problem.channels, len(places), *steps, places, len(places))


Planned = tuple[_network.Network, list[Step]]


def _network_of_points(problem: Problem, axes: Axes) -> Planned:
    """Return the network of one layer, and the layer."""
    lanes, _, rows = _driver.register_block(machine.ISA, problem.dtype)
    source = Map(problem.channels, tuple(axis.in_size for axis in axes), lanes)
    target = Map(problem.filters, tuple(axis.taps.outputs for axis in axes), lanes)
    windows = [Window(axis.in_size, TAPS, 1, 1, *padding(axis)) for axis in axes]
    task = Task(Layer("conv", 0), source, None, target, windows, "points")
    source.widen(*border_of(task))

    def steps() -> list[Step]:
        step = Step("points", source, target)
        describe_points(step, task, lanes, rows, problem.item_size)
        return [step]

    return _placed(problem, axes, source, target, steps)


def _network_of_products(
    problem: Problem, passes: Sequence[Axes], out_shape: tuple[int, ...]
) -> Planned:
    """Return the network of a layer for each phase of the outputs, and the layers."""
    lanes, _, rows = _driver.register_block(machine.ISA, problem.dtype)
    source = Map(problem.channels, tuple(axis.in_size for axis in passes[0]), lanes)
    target = Map(problem.filters, out_shape[2:], lanes)
    for axes in passes:
        low, high = zip(*map(padding, axes))
        source.widen(low, high)

    def steps() -> list[Step]:
        return [_product_step(source, target, axes, lanes, rows) for axes in passes]

    return _placed(problem, passes[0], source, target, steps)


def _product_step(source: Map, target: Map, axes: Axes, lanes: int, rows: int) -> Step:
    """Describe the product that makes some of the outputs, lines of them at even distances."""
    step, taps = Step("product", source, target), [axis.taps for axis in axes]
    offsets = np.zeros(1, np.int64)
    for along, pitch in zip(taps, source.pitches):
        offsets = np.add.outer(offsets, along.coordinates * pitch).reshape(-1)
    step.offsets = np.add.outer(source.of_channels(), offsets).reshape(-1)
    *outer, last = taps
    here = source.places([np.arange(one.outputs) * one.stride for one in outer])
    there = target.places([one.out_start + np.arange(one.outputs) * one.out_step for one in outer])
    step.lines = np.stack([here, there + last.out_start * lanes, here * 0], 1)
    step.length = last.outputs
    step.in_step, step.out_step = lanes * last.stride, lanes * last.out_step
    step.vectors = vectors_together(target.channels, lanes, step.length <= rows // 2)
    return step


def _placed(
    problem: Problem, axes: Axes, source: Map, target: Map, steps: Callable[[], list[Step]]
) -> Planned:
    """Place the maps for some items, and return the network with its layers."""
    line, last_use = 64 // problem.item_size, [1, 2]
    one_item = pack([source, target], last_use, 1, line) * problem.item_size
    items = max(1, min(MOST_ITEMS, int(MAPS * machine.L2_BYTES) // one_item))
    size = pack([source, target], last_use, items, line)
    layers = steps()
    strides = [problem.in_batch, problem.in_channel, *(axis.in_stride for axis in axes)]
    every = [input_step(source, strides), *layers, output_step(target)]
    shape = (target.channels, *target.sizes)
    dtype = np.dtype(problem.dtype)
    return _network.Network(machine.ISA, dtype, every, shape, size, items, 0), layers
