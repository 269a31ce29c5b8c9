"""Networks that predict: layers collected, planned for the shape of an item, and run together."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from convx._core._driver import Activation
from convx._core._network import Network as Program
from convx._engine import arguments, execution, pool_windows
from convx._engine.dtypes import AnyArray
from convx._engine.network import NotPlanned, plan
from convx._engine.network_steps import Layer
from convx._engine.pool_windows import PoolAxis
from convx._engine.threads import WORK_PER_THREAD
from convx._ops import pool_tables
from convx._ops.conv import PreparedConv

# Plans of so many shapes are kept.
MOST_PLANS = 16
MISSING: Any = object()
DTYPES = ({np.dtype(np.float32)}, {np.dtype(np.float64)})


class Network:
    """Layers that are run together where inputs are small.

    Each method adds a layer and returns the number of its result, by which others read it; 0 is
    the input. What cannot be part of a network raises :class:`NotPlanned`.
    """

    def __init__(self) -> None:
        self._layers: list[Layer] = []
        self._dtypes: set[np.dtype[Any]] = set()
        self._dtype: np.dtype[Any] | None = None
        self._plans: dict[tuple[int, ...], Program | None] = {}

    def _add(self, layer: Layer) -> int:
        self._layers.append(layer)
        self._dtypes |= {one.dtype for one in (layer.weight, layer.bias) if one is not None}
        return len(self._layers)

    def convolve(self, source: int, conv: PreparedConv, residual: int | None = None) -> int:
        """Add a prepared convolution, with the result that is added to its own."""
        weight, bias, options, activation = conv.parts()
        if options.padding_mode != "zeros":
            raise NotPlanned
        layer = Layer(
            "conv", source, residual, activation, weight, bias, options.groups, options.windows
        )
        return self._add(layer)

    def multiply(
        self,
        source: int,
        weight: AnyArray,
        bias: AnyArray | None,
        activation: object,
        slope: object,
    ) -> int:
        """Add a linear layer and an activation."""
        chosen = Activation(*arguments.activation(activation, slope, weight.dtype))
        return self._add(Layer("linear", source, None, chosen, weight, bias))

    def pool(self, source: int, function: str, options: dict[str, Any]) -> int:
        """Add a pool, told by its function and the options of that."""
        if function not in POOLS or options.get("return_indices"):
            raise NotPlanned
        kind, windows, axes = POOLS[function]
        return self._add(Layer(kind, source, windows=partial(_windows, windows, axes, options)))

    def flatten(self, source: int) -> int:
        """Make one axis of all but the batch's."""
        return self._add(Layer("flatten", source))

    def run(self, x: Any) -> tuple[AnyArray, AnyArray | None] | None:
        """Return what a program's run returns, or None for inputs that no plan is for."""
        if not isinstance(x, np.ndarray) or x.ndim < 3 or not len(x):
            return None
        shape = x.shape[1:]
        program: Program | None = self._plans.get(shape, MISSING)
        if program is MISSING:
            program = self._plan(shape)
        if program is None:
            return None
        flags = x.flags
        if x.dtype is not self._dtype or not (flags.c_contiguous and flags.aligned):
            if x.dtype.newbyteorder("=") != self._dtype:
                return None
            x = np.require(x, self._dtype, ("C", "A"))
        if execution.is_recording():
            threads = program.threads_for(len(x), WORK_PER_THREAD)
            execution.note("network", program.work * len(x), program.scratch_bytes, threads)
            return np.zeros((len(x), *program.shape), x.dtype), None
        return program.run(x, WORK_PER_THREAD)

    def _plan(self, shape: tuple[int, ...]) -> Program | None:
        """Find out how items of a shape are computed, if together."""
        while len(self._plans) >= MOST_PLANS:
            self._plans.pop(next(iter(self._plans)), None)
        program = None
        if self._dtypes in DTYPES and min(shape) > 0:
            (self._dtype,) = self._dtypes
            try:
                program = plan(self._layers, shape, self._dtype)
            except (NotPlanned, ValueError):  # the layers themselves tell what is wrong
                program = None
        self._plans[shape] = program
        return program


Windows = Callable[[tuple[int, ...], dict[str, Any]], list[PoolAxis]]


def _windows(
    windows: Windows, axes: int, options: dict[str, Any], sizes: tuple[int, ...]
) -> list[PoolAxis]:
    if len(sizes) != axes:
        raise NotPlanned
    return windows(sizes, options)


def _of_maxima(sizes: tuple[int, ...], options: dict[str, Any]) -> list[PoolAxis]:
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
    windows = arguments.pooling(sizes, *(options[name] for name in names))
    return [pool_windows.regular(*one) for one in windows]


def _of_means(sizes: tuple[int, ...], options: dict[str, Any]) -> list[PoolAxis]:
    names = ("kernel_size", "stride", "padding", "ceil_mode")
    windows = pool_tables.average_windows(sizes, *(options[name] for name in names))
    axes = [pool_windows.regular(*one) for one in windows]
    divisor = options.get("divisor_override")
    return pool_windows.divided(
        axes, windows, pool_tables.divisors_of(options["count_include_pad"], divisor)
    )


def _adaptive(sizes: tuple[int, ...], options: dict[str, Any]) -> list[PoolAxis]:
    outputs = arguments.adaptive_sizes(options["output_size"], sizes)
    return pool_windows.adaptive_means(sizes, outputs)


# By the function's name: what is taken of a window, the windows, and their axes.
POOLS: dict[str, tuple[str, Windows, int]] = {
    f"{name}{axes}d": (kind, windows, axes)
    for name, kind, windows in (
        ("max_pool", "max", _of_maxima),
        ("avg_pool", "mean", _of_means),
        ("adaptive_max_pool", "max", _adaptive),
        ("adaptive_avg_pool", "mean", _adaptive),
    )
    for axes in (1, 2, 3)
}
