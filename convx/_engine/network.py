"""Networks that predict, planned: which algorithm each layer takes, and where its results lie.

The results of layers are *maps*, with channels as the lanes of vectors and the border around them
that the next layers need (``kernels/network.h``). A few items of the batch go through all layers
together, so that maps stay in the cache.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._core import _driver, _network
from convx._engine import machine
from convx._engine.maps import Map, pack
from convx._engine.network_steps import (
    POINTS,
    TAPS,
    TILE,
    Layer,
    Step,
    Task,
    border_of,
    describe_lines,
    describe_points,
    describe_pool,
    input_step,
    output_step,
    taps_of,
    vectors_together,
)
from convx._engine.window import Window

AnyArray = NDArray[Any]

# What is the same on all machines, for bits depend on it: chosen on an AMD EPYC (Genoa, Zen 4),
# November 2026, by networks of `nn.models` and others of 16 to 128 channels on 28² to 112².
LANES_BYTES = 64  # vectors that costs are told in
MOST_MAPS = 5 * 2**20  # bytes of what a layer reads and makes of an item: else layer by layer
MOST_WEIGHTS = 10 * 2**20  # bytes of a layer's packed weights, likewise
LEAST_WEIGHTED = 2  # layers with weights, likewise
LEAST_FILLED = 0.4  # of the lanes, by filters, likewise
ROW = _network.ROW_TAPS
MOST_ITEMS = 16  # that go through the layers together
MAPS = 0.5  # of the L2 cache, what the maps of several items may take
# What transforming the inputs and the outputs of a tile costs, in multiply-adds of vectors.
TO_POINTS, FROM_POINTS = 180, 260


# What makes points of taps along an axis: values of a polynomial at 0, 1, -1, 1/2, -2 and infinity,
# times the factors in ``kernels/points.h``.
TO_WEIGHTS = np.array(
    [[1, 0, 0], [1, 1, 1], [1, -1, 1], [1, 0.5, 0.25], [1, -2, 4], [0, 0, 1]]
) * np.array([[1], [1 / 3], [-1 / 3], [-16 / 15], [1 / 15], [1]])


class NotPlanned(Exception):
    """A network that is better computed layer by layer."""


def plan(layers: Sequence[Layer], shape: tuple[int, ...], dtype: np.dtype[Any]) -> _network.Network:
    """Plan layers for items of a shape, or raise :class:`NotPlanned`."""
    return _Planning(layers, shape, dtype).network()


class _Planning:
    """The plan of a network while it is made."""

    def __init__(
        self, layers: Sequence[Layer], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.dtype = dtype
        self.lanes, _, self.rows = _driver.register_block(machine.ISA, dtype.name)
        self.maps = [Map(shape[0], shape[1:], self.lanes)]
        self.tasks: list[Task] = []
        # of each value, its map and whether it has a single axis
        self.values = [(self.maps[0], False)]
        for layer in layers:
            self.values.append(self._result_of(layer))
        for task in self.tasks:
            task.kind = self._kind_of(task)
        if not self.tasks:
            raise NotPlanned
        self._check_sizes()
        self._choose_lanes_of_input()
        for task in self.tasks:
            if task.layer.kind == "conv":
                task.source.widen(*border_of(task))

    def _result_of(self, layer: Layer) -> tuple[Map, bool]:
        """Add the task of a layer, and return the map of its result, as yet without border."""
        source, flat = self.values[layer.reads]
        if layer.kind == "flatten":
            return source, True
        if flat != (layer.kind == "linear"):
            raise NotPlanned
        added = None if layer.adds is None else self.values[layer.adds][0]
        windows = layer.windows(source.sizes) if layer.windows is not None else ()
        if layer.kind == "linear":
            channels, sizes = _result_of_linear(layer, source), (1,) * len(source.sizes)
        elif len(windows) != len(source.sizes):
            raise NotPlanned
        elif layer.kind == "conv":
            channels, sizes = _result_of_conv(layer, source, windows, added)
        else:
            channels, sizes = source.channels, tuple(axis.outputs for axis in windows)
            if any(axis.count.min(initial=1) < 1 for axis in windows):
                raise NotPlanned
        target = Map(channels, sizes, self.lanes)
        self.maps.append(target)
        self.tasks.append(Task(layer, source, added, target, windows))
        return target, flat

    def _kind_of(self, task: Task) -> str:
        """Choose how a layer is computed."""
        layer, source, target = task.layer, task.source, task.target
        if layer.kind != "conv":
            return {"linear": "product"}.get(layer.kind, layer.kind)
        if layer.groups > 1:
            return "single"
        regular = all((w.kernel, w.stride, w.dilation) == (TAPS, 1, 1) for w in task.windows)
        lanes = LANES_BYTES // self.dtype.itemsize
        if len(task.windows) != 2 or not regular or source.channels < lanes:
            return "product"
        filters = -(-target.channels // lanes)
        tiles = math.prod(-(-size // TILE) for size in target.sizes)
        direct = filters * source.channels * TAPS**2 * math.prod(target.sizes)
        each = POINTS**2 * filters * source.channels
        each += TO_POINTS * -(-source.channels // lanes) + FROM_POINTS * filters
        return "points" if tiles * each < direct else "product"

    def _check_sizes(self) -> None:
        """Refuse what gains nothing by layers that are run together, or has only one."""
        lanes = LANES_BYTES // self.dtype.itemsize
        needed = computed = 0
        for task in self.tasks:
            maps = [one for one in (task.source, task.target, task.added) if one is not None]
            elements = sum(one.channels * math.prod(one.sizes) for one in maps)
            if elements * self.dtype.itemsize > MOST_MAPS:
                raise NotPlanned
            if task.layer.weight is not None:
                weights = task.layer.weight.size
                points = POINTS**2 // TAPS**2 if task.kind == "points" else 1
                if points * weights * self.dtype.itemsize > MOST_WEIGHTS:
                    raise NotPlanned
                filters, work = task.target.channels, weights * math.prod(task.target.sizes)
                needed += work
                computed += work * -(-filters // lanes) * lanes // filters
        weighted = sum(task.layer.weight is not None for task in self.tasks)
        if weighted < LEAST_WEIGHTED or needed < LEAST_FILLED * computed:
            raise NotPlanned

    def _choose_lanes_of_input(self) -> None:
        """Few channels of the input are not made lanes if only products read them."""
        first = self.maps[0]
        readers = {task.kind for task in self.tasks if task.source is first}
        added = any(task.added is first for task in self.tasks)
        if first.channels < self.lanes and readers == {"product"} and not added:
            first.lanes = 1

    def network(self) -> _network.Network:
        """Place the maps, and return the network as the driver runs it."""
        index = {id(one): place for place, one in enumerate(self.maps)}
        last_use = [*range(len(self.maps) - 1), len(self.maps)]
        for place, task in enumerate(self.tasks, 1):
            for one in (task.source, task.added):
                if one is not None:
                    last_use[index[id(one)]] = max(place, last_use[index[id(one)]])
        line = 64 // self.dtype.itemsize
        one_item = pack(self.maps, last_use, 1, line) * self.dtype.itemsize
        items = max(1, min(MOST_ITEMS, int(MAPS * machine.L2_BYTES) // one_item))
        size = pack(self.maps, last_use, items, line)
        steps = [input_step(self.maps[0]), *map(self._step, self.tasks)]
        last, flat = self.values[-1]
        steps.append(output_step(last))
        shape = (last.channels * math.prod(last.sizes),) if flat else (last.channels, *last.sizes)
        work = sum(self._work(task) for task in self.tasks)
        return _network.Network(machine.ISA, self.dtype, steps, shape, size, items, work)

    def _work(self, task: Task) -> int:
        """Multiply-adds for an item."""
        weight = task.layer.weight
        return 0 if weight is None else weight.size * math.prod(task.target.sizes)

    def _step(self, task: Task) -> Step:
        layer, source, target = task.layer, task.source, task.target
        step = Step(task.kind, source, target, task.added, layer.activation)
        if task.kind in ("max", "mean"):
            describe_pool(step, task)
            return step
        step.bias = self._filled(layer.bias, (target.channels,)).reshape(-1)
        if layer.kind == "linear":
            step.merged, step.in_step = True, source.plane
            places = source.places([np.arange(size) for size in source.sizes])
            step.offsets = np.add.outer(source.of_channels(), places).reshape(-1)
        elif task.kind == "points":
            describe_points(step, task, self.lanes, self.rows, self.dtype.itemsize)
        else:
            taps = taps_of(task)
            last = task.windows[-1]
            if task.kind == "single" and (last.kernel, last.stride, last.dilation) == (ROW, 1, 1):
                step.row_taps = ROW
            step.offsets = taps[:: step.row_taps].copy()
            if task.kind == "product":
                step.offsets = np.add.outer(source.of_channels(), taps).reshape(-1)
            describe_lines(step, task)
        if task.kind != "points":
            step.vectors = self._vectors_together(step, task)
        key = (task.kind, step.vectors)
        if key not in layer.packed:
            layer.packed[key] = self._packed(task, step.vectors)
        step.weights = layer.packed[key]
        return step

    def _vectors_together(self, step: Step, task: Task) -> int:
        """Vectors of filters in a product of outputs or of items."""
        if task.kind == "single":
            return 1
        few = task.layer.kind == "linear" or (not step.merged and step.length <= self.rows // 2)
        return vectors_together(task.target.channels, self.lanes, few)

    def _filled(self, array: AnyArray | None, shape: tuple[int, ...]) -> AnyArray:
        """Return a matrix whose rows are whole vectors of filters, zeros where it has none."""
        rows = -(-shape[0] // self.lanes) * self.lanes
        filled = np.zeros((rows, *shape[1:]), self.dtype)
        if array is not None:
            filled[: shape[0]] = array.reshape(shape)
        return filled

    def _packed(self, task: Task, vectors: int) -> AnyArray:
        """Return the weights as the driver wants them."""
        weight = task.layer.weight
        assert weight is not None
        filters = len(weight)
        if task.kind == "single":
            filled = self._filled(weight, (filters, weight[0].size))
            parts = filled.reshape(-1, self.lanes, filled.shape[1]).transpose(0, 2, 1)
            return np.ascontiguousarray(parts)
        if task.kind == "product":
            matrices = [weight.reshape(filters, -1)]
        else:
            taps = weight.transpose(2, 3, 0, 1).astype(np.float64, order="C")
            matrices = [point for row in _points_of(taps) for point in _points_of(row)]
        width = vectors * self.lanes
        blocks = []
        for matrix in matrices:
            filled = self._filled(matrix, matrix.shape)
            blocks += [filled[f : f + width].T.reshape(-1) for f in range(0, len(filled), width)]
        return np.concatenate(blocks)


def _points_of(taps: Any) -> list[Any]:
    """Return the points of taps along the first axis, by sums in the same order anywhere."""
    return [a * taps[0] + b * taps[1] + c * taps[2] for a, b, c in TO_WEIGHTS]


def _result_of_linear(layer: Layer, source: Map) -> int:
    assert layer.weight is not None
    if layer.weight.ndim != 2 or layer.weight.shape[1] != source.channels * math.prod(source.sizes):
        raise NotPlanned
    return len(layer.weight)


def _result_of_conv(
    layer: Layer, source: Map, windows: Sequence[Window], added: Map | None
) -> tuple[int, tuple[int, ...]]:
    assert layer.weight is not None
    channels, sizes = len(layer.weight), tuple(window.output_size for window in windows)
    single = layer.groups == source.channels == channels
    fits = source.channels == layer.weight.shape[1] * layer.groups and min(sizes) > 0
    fits = fits and layer.weight.ndim - 2 == len(source.sizes)
    alike = added is None or (added.channels, added.sizes) == (channels, sizes)
    if not (fits and alike and (layer.groups == 1 or single)):
        raise NotPlanned
    return channels, sizes
