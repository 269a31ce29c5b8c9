"""Gradients of weights in maps, where channels and filters are the lanes of vectors.

Both operands are brought into maps, some items at a time, and an element of the input multiplies
vectors of filters as it lies (``kernels/map_gradient.h``): nothing is gathered for strides, and
Winograd's algorithm transforms vectors by arithmetic alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from convx._core import _driver, _map_gradient, _network
from convx._engine import machine
from convx._engine.map_convolution import Axes, has_tiles, is_strided, padding
from convx._engine.maps import Map, pack
from convx._engine.network_steps import (
    POINTS,
    TAPS,
    TILE,
    Layer,
    Task,
    border_of,
    input_step,
    tiles_of,
)
from convx._engine.problem import Plan, Problem
from convx._engine.window import Table, Window

# What is the same on all machines, for bits depend on it: chosen on an AMD EPYC (Zen 4), November
# 2026.
MOST_PARTS = 8  # of the batch, with sums of their own
MOST_SUMS = 2**18  # elements of the sums of all parts
LEAST_PLACES = 32  # that a part sums over

ROOM = 0.35  # of the L2 cache for the maps or points of items that go together
ASKS = 0.25  # of it for sums beside which the items that come next are asked for


@dataclass(frozen=True, slots=True)
class Sums:
    """What is summed over: places of an item in both maps, and the taps of each, or tiles."""

    batch: int
    parts: int
    places: int
    taps: int
    inputs: Table
    outputs: Table
    offsets: Table | None = None
    tiles: Table | None = None
    in_row: int = 0
    out_row: int = 0
    asks: bool = True


def program(
    plan: Plan, fallback: Callable[[], Any] | None
) -> _map_gradient.MapGradientProgram | None:
    """Return what computes a gradient of weights in maps, or None if that is not for it."""
    problem = plan.problem
    if problem.kind != "weight_gradient" or not all(len(one) == 1 for one in plan.axes):
        return None
    axes = [choices[0] for choices in plan.axes]
    if not _takes_all_taps(problem, axes):
        return None
    if any(one.in_passing for one in plan.passes) or 2 * problem.weights > MOST_SUMS:
        return None  # no sums are kept, or too many for parts that threads share
    if plan.algorithm == "winograd" and has_tiles(problem, plan.axes):
        network, sums = _of_points(problem, axes)
    elif plan.algorithm == "direct" and is_strided(problem, plan.axes):
        network, sums = _of_taps(problem, axes)
    else:
        return None
    return _map_gradient.MapGradientProgram(plan, machine.ISA, network, sums, fallback)


def _takes_all_taps(problem: Problem, axes: Axes) -> bool:
    """Whether each tap meets some input, in the order of the kernel."""
    kernels = zip(problem.kernel, axes)
    return all(axis.taps.kernel.tolist() == [*range(size)] for size, axis in kernels)


def _maps_of(problem: Problem, axes: Axes) -> tuple[Map, Map]:
    """Return the maps of the input and of the outputs' gradient, without borders."""
    lanes, _, _ = _driver.register_block(machine.ISA, problem.dtype)
    source = Map(problem.channels, tuple(axis.in_size for axis in axes), lanes)
    return source, Map(problem.filters, tuple(axis.taps.outputs for axis in axes), lanes)


def _parts(problem: Problem, places: int, sums: int) -> int:
    """Return how many parts the batch has, which threads share: a power of two."""
    most = min(MOST_PARTS, MOST_SUMS // sums, problem.batch * places // LEAST_PLACES)
    return min(problem.batch, 1 << max(1, most).bit_length() - 1)


def _layers(problem: Problem, axes: Axes, source: Map, target: Map, items: int) -> _network.Network:
    """Return the layers that bring so many items into maps."""
    size = pack([source, target], [1, 1], items, 64 // problem.item_size)
    inputs = [problem.in_batch, problem.in_channel, *(axis.in_stride for axis in axes)]
    steps = [input_step(source, inputs), input_step(target)]
    shape = (target.channels, *target.sizes)
    dtype = np.dtype(problem.dtype)
    return _network.Network(machine.ISA, dtype, steps, shape, size, items, 0)


def _of_points(problem: Problem, axes: Axes) -> tuple[_network.Network, Sums]:
    """Return the layers, and sums over the tiles of Winograd's algorithm."""
    source, target = _maps_of(problem, axes)
    windows = [Window(axis.in_size, TAPS, 1, 1, *padding(axis)) for axis in axes]
    task = Task(Layer("conv", 0), source, None, target, windows, "points")
    source.widen(*border_of(task))
    target.widen([0, 0], [-size % TILE for size in target.sizes])
    places = math.prod(-(-size // TILE) for size in target.sizes)
    vectors = sum(-(-one.channels // one.lanes) for one in (source, target))
    each = places * POINTS**2 * vectors * source.lanes * problem.item_size
    items = _items_together(problem, each)
    network = _layers(problem, axes, source, target, items)
    along = np.arange(items * places) * source.lanes
    parts = _parts(problem, places, problem.weights)
    rows = source.pitches[0], target.pitches[0]
    taps = TAPS**2
    asks = POINTS**2 * problem.weights // taps * problem.item_size <= ASKS * machine.L2_BYTES
    return network, Sums(
        problem.batch, parts, places, taps, along, along, None, tiles_of(task), *rows, asks
    )


def _of_taps(problem: Problem, axes: Axes) -> tuple[_network.Network, Sums]:
    """Return the layers, and sums over outputs, whose taps are strides apart."""
    source, target = _maps_of(problem, axes)
    low, high = zip(*map(padding, axes))
    source.widen(low, high)
    taps = [axis.taps for axis in axes]
    each = (source.plane * -(-source.channels // source.lanes) + target.plane) * problem.item_size
    network = _layers(problem, axes, source, target, _items_together(problem, each))
    offsets = np.zeros(1, np.int64)
    for along, pitch in zip(taps, source.pitches):
        offsets = np.add.outer(offsets, along.coordinates * pitch).reshape(-1)
    inputs = source.places([np.arange(one.outputs) * one.stride for one in taps])
    outputs = target.places([np.arange(one.outputs) for one in taps])
    parts = _parts(problem, len(outputs), problem.weights)
    return network, Sums(problem.batch, parts, len(outputs), len(offsets), inputs, outputs, offsets)


def _items_together(problem: Problem, item_bytes: int) -> int:
    """Return how many items have their maps or points in the cache."""
    return max(1, min(problem.batch, int(ROOM * machine.L2_BYTES) // item_bytes))
