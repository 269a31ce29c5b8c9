"""Tables of a network's layers: what each of them reads, and where its results go.

See ``cx_layer`` in ``kernels/network.h``.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._core import _driver
from convx._engine import machine
from convx._engine.maps import Map
from convx._engine.pool_windows import PoolAxis
from convx._engine.window import Table

AnyArray = NDArray[Any]

TILE, POINTS, TAPS = 4, 6, 3  # of Winograd's algorithm
POINTS_ROOM = 0.25  # of the L2 cache, for the points of the tiles that go together


@dataclass(frozen=True, eq=False)
class Layer:
    """What a layer computes, whatever the sizes.

    Values are numbered: 0 is the input, and the layers' results follow. ``kind`` is "conv",
    "linear", "max", "mean" or "flatten".
    """

    kind: str
    reads: int
    adds: int | None = None
    activation: _driver.Activation = field(default_factory=_driver.Activation)
    weight: AnyArray | None = None
    bias: AnyArray | None = None
    groups: int = 1
    windows: Callable[[tuple[int, ...]], Sequence[Any]] | None = None
    packed: dict[tuple[str, int], AnyArray] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Step:
    """What the driver is told of a layer: see ``cx_layer``."""

    kind: str
    source: Map
    target: Map
    added: Map | None = None
    activation: _driver.Activation = field(default_factory=_driver.Activation)
    offsets: Table = field(default_factory=lambda: np.zeros(0, np.int64))
    weights: AnyArray | None = None
    bias: AnyArray | None = None
    row_taps: int = 1
    vectors: int = 1
    lines: Table = field(default_factory=lambda: np.zeros((1, 3), np.int64))
    length: int = 1
    merged: bool = False
    in_step: int = 0
    out_step: int = 0  # 0: from one place to the next
    first: Table | None = None
    factors: NDArray[np.float64] | None = None
    tiles: Table | None = None
    tiles_together: int = 1
    array_item: int = 0
    array_channel: int = 0
    array_step: int = 1
    array_plane: int = 0


@dataclass(slots=True, eq=False)
class Task:
    """A layer, the maps that it reads, adds and makes, and how it is computed."""

    layer: Layer
    source: Map
    added: Map | None
    target: Map
    windows: Sequence[Any]
    kind: str = ""


def border_of(task: Task) -> tuple[list[int], list[int]]:
    """Return the zeros that are read before and after the input along each axis."""
    unit = TILE if task.kind == "points" else 1
    outputs = [-(-size // unit) * unit for size in task.target.sizes]
    high = [
        (count - 1) * w.stride + w.extent - w.pad_low - w.size
        for count, w in zip(outputs, task.windows)
    ]
    return [w.pad_low for w in task.windows], high


def taps_of(task: Task) -> Table:
    """Return the places of the taps from the first one on."""
    total = np.zeros(1, np.int64)
    for window, pitch in zip(task.windows, task.source.pitches):
        along = np.arange(window.kernel) * (window.dilation * pitch)
        total = np.add.outer(total, along).reshape(-1)
    return total


def describe_lines(step: Step, task: Task) -> None:
    """Tell where lines of outputs lie: all in one where nothing is padded and no step taken."""
    source, target, added, windows = task.source, task.target, task.added, task.windows
    plain = all((w.kernel, w.stride) == (1, 1) for w in windows)
    maps = [one for one in (source, target, added) if one is not None]
    step.merged = task.kind == "product" and plain and not any(one.has_border for one in maps)
    step.in_step = source.lanes * windows[-1].stride
    if step.merged:
        step.length = math.prod(target.sizes)
        return
    step.length = target.sizes[-1]
    outer = [np.arange(size) for size in target.sizes[:-1]]
    coordinates = [along * w.stride - w.pad_low for along, w in zip(outer, windows)]
    last = np.array([-windows[-1].pad_low])
    places = source.places([*coordinates, last])
    step.lines = np.stack(
        [places, target.places(outer), places * 0 if added is None else added.places(outer)], 1
    )


def tiles_of(task: Task) -> Table:
    """Return where tiles begin in the input, the output and what is added; rows and columns."""
    target, added = task.target, task.added
    outer = [np.arange(0, size, TILE) for size in target.sizes]
    places = task.source.places([along - w.pad_low for along, w in zip(outer, task.windows)])
    inside = [np.minimum(TILE, size - along) for size, along in zip(target.sizes, outer)]
    rows, columns = (one.reshape(-1) for one in np.meshgrid(*inside, indexing="ij"))
    there = places * 0 if added is None else added.places(outer)
    return np.stack([places, target.places(outer), there, rows, columns], 1)


def describe_pool(step: Step, task: Task) -> None:
    """Tell which places each output of a pool is taken from."""
    axes: Sequence[PoolAxis] = task.windows
    target = task.target
    offsets, first, factors = [], [0], []
    for outputs in itertools.product(*(range(size) for size in target.sizes)):
        along = [
            axis.start[o] + axis.step * np.arange(axis.count[o]) for axis, o in zip(axes, outputs)
        ]
        offsets.append(task.source.places(along))
        first.append(first[-1] + offsets[-1].size)
        factors.append(
            math.prod(
                axis.divisor[o % axis.divisor.size]
                for axis, o in zip(axes, outputs)
                if axis.divisor is not None
            )
        )
    step.offsets, step.first = np.concatenate(offsets), np.array(first)
    step.factors = 1 / np.array(factors)
    outer = target.places([np.arange(size) for size in target.sizes[:-1]])
    step.lines = np.stack([outer * 0, outer, outer * 0], 1)
    step.length = target.sizes[-1]


def describe_points(step: Step, task: Task, lanes: int, rows: int, item_size: int) -> None:
    """Tell the tiles of Winograd's algorithm, and what of them goes together."""
    vectors = sum(-(-one.channels // lanes) for one in (task.source, task.target))
    room = int(POINTS_ROOM * machine.L2_BYTES)
    together = room // (POINTS**2 * vectors * lanes * item_size)
    step.tiles = tiles_of(task)
    step.tiles_together = max(1, min(together, 4 * rows) // rows) * rows
    channel = np.arange(task.source.channels)
    row = step.tiles_together * lanes
    step.offsets = channel // lanes * row + channel % lanes
    few = math.prod(-(-size // TILE) for size in task.target.sizes) <= rows // 2
    step.vectors = vectors_together(task.target.channels, lanes, few)


def vectors_together(filters: int, lanes: int, few_outputs: bool) -> int:
    """Vectors of filters in a product: four where there are few outputs beside one another."""
    vectors = -(-filters // lanes)
    # there are products of one, two and four
    return 4 if few_outputs and vectors >= 4 and vectors % 4 != 3 else min(2, vectors)


def input_step(target: Map, strides: Sequence[int] | None = None) -> Step:
    """Copy an array, of such strides in elements, into a map; it is contiguous without them."""
    shape = (1, target.channels, *target.sizes)
    contiguous = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    strides = contiguous if strides is None else strides
    step = Step("input", target, target)
    step.array_item, step.array_channel, *along = strides
    step.array_step = along[-1]
    is_plane = along == contiguous[2:]
    step.array_plane = math.prod(target.sizes) if is_plane else 0
    step.length, outer = _lines(target, merged=is_plane)
    there = np.zeros(1, np.int64)
    for coordinates, stride in zip(outer, along):
        there = np.add.outer(there, coordinates * stride).reshape(-1)
    step.lines = np.stack([there, target.places(outer), there * 0], 1)
    return step


def output_step(source: Map) -> Step:
    """Copy a map into a contiguous array."""
    step = Step("output", source, source)
    step.length, outer = _lines(source, merged=True)
    here = source.places(outer)
    there = np.arange(here.size) * step.length
    step.lines = np.stack([here, there, there * 0], 1)
    step.array_channel = here.size * step.length
    step.array_item = source.channels * step.array_channel
    return step


def _lines(of: Map, merged: bool) -> tuple[int, list[Table]]:
    """Return the length of lines, and their coordinates: the plane is one where it can be."""
    if merged and not of.has_border:
        return math.prod(of.sizes), [np.zeros(1, np.int64) for _ in of.sizes[:-1]]
    return of.sizes[-1], [np.arange(size) for size in of.sizes[:-1]]
