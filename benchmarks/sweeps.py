"""Sweeps: functions that go over memory once or twice, as pools, activations and norms do.

A table of cases. Functions have the same name and arguments in convx and in PyTorch; what else a
library needs to know of a case, :mod:`benchmarks.sweep_calls` tells.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.layers import Array

OPERATIONS = ("forward", "gradient")
DTYPE = "float32"

LAYER = (16, 64, 56, 56)
PLANES = (1, 64, 112, 112)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A function and its arguments.

    Attributes
    ----------
    name : str
    function : str
        In ``torch.nn.functional`` and ``convx.functional``.
    shape : tuple of int
        Of the input.
    more : callable
        The arguments after the input, made from it.
    options : mapping
        Arguments by name.
    onnx : tuple, optional
        Operator, attributes, and constants from the arguments after the input.
    operations : tuple of str
        Which of :data:`OPERATIONS` are measured.
    gradient_reads_input : bool
        Whether the gradient depends on the input.
    """

    name: str
    function: str
    shape: tuple[int, ...]
    more: Callable[[Array], tuple[Any, ...]] = lambda _: ()
    options: Mapping[str, Any] = field(default_factory=dict)
    onnx: tuple[str, dict[str, Any], Callable[..., list[Array]]] | None = None
    operations: tuple[str, ...] = OPERATIONS
    gradient_reads_input: bool = False

    def __str__(self) -> str:
        """Tell the sizes, as in ``16×64, 56×56``."""
        batch, channels, *size = self.shape
        return f"{batch}×{channels}, {'×'.join(map(str, size))}"

    def operands(self, dtype: str = DTYPE) -> tuple[Array, tuple[Any, ...]]:
        """Return the input and the arguments after it; the same numbers in every type."""
        x = self.draw(self.shape, "input").astype(dtype)
        return x, self.more(x)

    def draw(self, shape: tuple[int, ...], what: str) -> Array:
        """Random numbers around 0, the same in every process."""
        generator = np.random.default_rng(zlib.crc32(f"{self.name} {what}".encode()))
        return np.asarray(4 * generator.random(shape, dtype=np.float32) - 2, np.float32)


@dataclass(frozen=True, slots=True)
class SweepCase:
    """A sweep or its gradient to time, on so many threads."""

    name: str
    operation: str
    threads: int
    dtype: str = DTYPE

    @property
    def sweep(self) -> Sweep:
        """What is computed."""
        return SWEEPS[self.name]

    def entries(self) -> dict[str, Any]:
        """What a record tells of the case."""
        return {
            "layer": self.name,
            "sizes": str(self.sweep),
            "operation": self.operation,
            "dtype": self.dtype,
            "threads": self.threads,
        }


def _arguments(*values: Any) -> Callable[[Array], tuple[Any, ...]]:
    return lambda _: values


def _pool(
    name: str, function: str, shape: tuple[int, ...], kernel: int, stride: int, padding: int = 0
) -> Sweep:
    """A pool; of wide windows only forward."""
    axes = len(shape) - 2
    attributes: dict[str, Any] = {
        "kernel_shape": [kernel] * axes,
        "strides": [stride] * axes,
        "pads": [padding] * (2 * axes),
    }
    operator = "MaxPool" if "max" in function else "AveragePool"
    if operator == "AveragePool":
        attributes["count_include_pad"] = 1
    return Sweep(
        name,
        function,
        shape,
        _arguments(kernel, stride, padding),
        onnx=(operator, attributes, lambda *_: []),
        operations=OPERATIONS if kernel < 9 else ("forward",),
        gradient_reads_input="max" in function,
    )


def _indices(x: Array) -> Array:
    """For every element one place of its own 2×2 square in a plane of twice the size."""
    *_, height, width = x.shape
    places = np.random.default_rng(0).integers(0, 4, x.shape)
    rows = 2 * np.arange(height)[:, None] + places // 2
    return np.asarray(rows * 2 * width + 2 * np.arange(width) + places % 2)


def _whole_indices(indices: Array, *_: Any) -> list[Array]:
    """ONNX counts through the whole output, not through each plane of it."""
    planes = np.arange(indices.shape[0] * indices.shape[1]).reshape(*indices.shape[:2], 1, 1)
    return [indices + planes * (4 * indices.shape[2] * indices.shape[3])]


def _statistics(x: Array) -> tuple[Array, ...]:
    """Running mean and variance, weight and bias of a batch norm; the first two get updated."""
    channels = np.linspace(0.5, 1.5, x.shape[1]).astype(x.dtype)
    return 0.1 * channels, channels.copy(), channels[::-1].copy(), channels


def _onnx_statistics(mean: Array, variance: Array, weight: Array, bias: Array) -> list[Array]:
    return [weight, bias, mean, variance]


def _classes(x: Array) -> tuple[Array]:
    return (np.random.default_rng(0).integers(0, x.shape[1], (x.shape[0], *x.shape[2:])),)


def _activation(name: str, operator: str | None = None) -> Sweep:
    onnx = (operator, {}, lambda *_: []) if operator else None
    return Sweep(name, name, LAYER, onnx=onnx, gradient_reads_input=True)


def _along_channels(name: str, operator: str) -> Sweep:
    return Sweep(
        name,
        name,
        LAYER,
        options={"dim": 1},
        onnx=(operator, {"axis": 1}, lambda *_: []),
        gradient_reads_input=True,
    )


SWEEPS = {
    sweep.name: sweep
    for sweep in (
        _pool("max_3x3_s2", "max_pool2d", (16, 64, 112, 112), 3, 2, 1),
        _pool("max_2x2", "max_pool2d", (1, 64, 224, 224), 2, 2),
        _pool("avg_2x2", "avg_pool2d", PLANES, 2, 2),
        _pool("avg_3x3", "avg_pool2d", PLANES, 3, 3),
        _pool("avg_3x3_s1", "avg_pool2d", PLANES, 3, 1, 1),
        _pool("avg_2x2x2", "avg_pool3d", (1, 64, 32, 112, 112), 2, 2),
        Sweep(
            "adaptive_avg",
            "adaptive_avg_pool2d",
            (16, 2048, 7, 7),
            _arguments(1),
            onnx=("GlobalAveragePool", {}, lambda *_: []),
        ),
        _pool("max_9x9", "max_pool2d", PLANES, 9, 1, 4),
        _pool("max_31x31", "max_pool2d", PLANES, 31, 1, 15),
        _pool("avg_9x9", "avg_pool2d", PLANES, 9, 1, 4),
        _pool("avg_31x31", "avg_pool2d", PLANES, 31, 1, 15),
        Sweep(
            "unpool_2x2",
            "max_unpool2d",
            PLANES,
            lambda x: (_indices(x), 2),
            onnx=("MaxUnpool", {"kernel_shape": [2, 2], "strides": [2, 2]}, _whole_indices),
        ),
        Sweep(
            "pad_reflect",
            "pad",
            (1, 64, 224, 224),
            _arguments((3, 3, 3, 3)),
            {"mode": "reflect"},
            onnx=("Pad", {"mode": "reflect"}, lambda *_: [np.array([0, 0, 3, 3] * 2)]),
        ),
        _along_channels("softmax", "Softmax"),
        _along_channels("log_softmax", "LogSoftmax"),
        Sweep("cross_entropy", "cross_entropy", LAYER, _classes, gradient_reads_input=True),
        Sweep(
            "batch_norm_train",
            "batch_norm",
            LAYER,
            _statistics,
            {"training": True},
            gradient_reads_input=True,
        ),
        Sweep(
            "batch_norm",
            "batch_norm",
            LAYER,
            _statistics,
            onnx=("BatchNormalization", {}, _onnx_statistics),
            gradient_reads_input=True,
        ),
        _activation("relu", "Relu"),
        _activation("gelu", "Gelu"),
        _activation("silu"),
        _activation("sigmoid", "Sigmoid"),
        _activation("tanh", "Tanh"),
        _activation("hardswish", "HardSwish"),
    )
}
