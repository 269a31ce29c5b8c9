"""What is measured: layers, operations on them, and their operands."""

import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

# "prepared" is the forward convolution with weights that stay the same from call to call.
OPERATIONS = ("forward", "prepared", "grad_input", "grad_weight")
DTYPES = ("float32", "float64")
TITLES = {
    "forward": "forward",
    "prepared": "prepared",
    "grad_input": "input gradient",
    "grad_weight": "weight gradient",
    "gradient": "gradient",  # of a sweep
    "filter": "filter",
    "step": "training step",
    "predict": "prediction",
    "predict one": "prediction of one",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution layer; stride, padding and dilation are the same on every axis."""

    name: str
    batch: int
    channels: int
    size: tuple[int, ...]
    filters: int
    kernel: tuple[int, ...]
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1
    source: str = ""

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.size)

    @property
    def output_size(self) -> tuple[int, ...]:
        """Spatial sizes of the output."""
        return tuple(
            (size + 2 * self.padding - self.dilation * (k - 1) - 1) // self.stride + 1
            for size, k in zip(self.size, self.kernel)
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input."""
        return (self.batch, self.channels, *self.size)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights."""
        return (self.filters, self.channels // self.groups, *self.kernel)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the output."""
        return (self.batch, self.filters, *self.output_size)

    @property
    def flops(self) -> int:
        """Additions and multiplications of the direct algorithm, the same for every operation.

        Those with the zeros of the padding are counted too.
        """
        return 2 * math.prod(self.output_shape) * math.prod(self.weight_shape[1:])

    @property
    def is_image(self) -> bool:
        """Whether it filters one image to one of the same size, as image libraries do."""
        return (
            self.rank == 2
            and self.batch == self.channels == self.filters == self.stride == self.dilation == 1
            and self.output_size == self.size
        )

    def __str__(self) -> str:
        """Tell the sizes, as in ``4×256→256, 14×14, 3×3``."""
        text = f"{self.batch}×{self.channels}→{self.filters}, {_times(self.size)}, "
        text += _times(self.kernel)
        for letter, value in (("s", self.stride), ("d", self.dilation), ("g", self.groups)):
            text += f" {letter}{value}" if value > 1 else ""
        return text


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to time: an operation on a layer, in an element type, on so many threads.

    Libraries other than convx choose their algorithm themselves.
    """

    layer: Layer
    operation: str
    dtype: str
    threads: int
    algorithm: str = "auto"

    def entries(self) -> dict[str, Any]:
        """What a record tells of the case."""
        return {
            "layer": self.layer.name,
            "sizes": str(self.layer),
            "operation": self.operation,
            "dtype": self.dtype,
            "threads": self.threads,
            "flops": self.layer.flops,
        }

    @property
    def result_shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        if self.operation == "grad_input":
            return self.layer.input_shape
        if self.operation == "grad_weight":
            return self.layer.weight_shape
        return self.layer.output_shape


@dataclass(frozen=True, slots=True)
class Operands:
    """The arrays of a layer."""

    input: Array
    weight: Array
    grad_output: Array


@lru_cache(maxsize=1)
def operands(layer: Layer, dtype: str) -> Operands:
    """Return the operands of a layer, the same in every process."""
    generator = np.random.default_rng(zlib.crc32(layer.name.encode()))

    def draw(shape: Sequence[int]) -> Array:
        array = generator.random(tuple(shape), dtype=np.dtype(dtype).type)
        array -= 0.5
        return array

    return Operands(draw(layer.input_shape), draw(layer.weight_shape), draw(layer.output_shape))


def network_layers() -> list[Layer]:
    """Layers of known networks, from ``layers.json``."""
    rows = json.loads(Path(__file__).with_name("layers.json").read_text())
    return [
        Layer(
            name=row["name"],
            batch=row["N"],
            channels=row["C"],
            size=tuple(row["size"]),
            filters=row["K"],
            kernel=tuple(row["kernel"]),
            stride=row["stride"],
            padding=row["padding"],
            dilation=row["dilation"],
            groups=row["groups"],
            source=row["source"],
        )
        for row in rows
    ]


def direct_layers(batches: Sequence[int] = (1, 8)) -> list[Layer]:
    """Dense 3×3 and 1×1 layers with at least 64 channels: what the direct kernels are for."""
    sizes = {
        3: ((64, 64, 56), (128, 128, 28), (256, 256, 14), (512, 512, 7)),
        1: ((64, 256, 56), (512, 128, 28), (1024, 256, 14), (512, 2048, 7)),
    }
    return [
        Layer(
            name=f"direct_{k}x{k}_{plane}_b{batch}",
            batch=batch,
            channels=channels,
            size=(plane, plane),
            filters=filters,
            kernel=(k, k),
            padding=k // 2,
        )
        for k, rows in sizes.items()
        for channels, filters, plane in rows
        for batch in batches
    ]


def direct_aim(layer: Layer, operation: str) -> float:
    """Return the fraction of the FMA peak that the direct kernels are meant to reach."""
    if operation == "grad_weight":
        return 0.75
    return 0.85 if min(layer.size) >= 28 else 0.70


def telling_layers() -> list[Layer]:
    """Layers that tell the costs of the algorithms apart: few filters, few channels, and so on."""

    def layer(name: str, channels: int, size: tuple[int, ...], filters: int, k: int, groups=1):
        kernel = (k,) * len(size)
        return Layer(name, 1, channels, size, filters, kernel, padding=k // 2, groups=groups)

    return [
        *(layer(f"filters_{n}", 64, (56, 56), n, 3) for n in (1, 2, 4, 8, 16)),
        *(layer(f"channels_{n}", n, (56, 56), 64, 3) for n in (1, 2, 4, 8, 16)),
        *(layer(f"both_{n}", n, (112, 112), n, 3) for n in (2, 4, 8, 32)),
        *(layer(f"grouped_{n}", 32 * n, (28, 28), 32 * n, 3, 32) for n in (4, 8, 16)),
        *(layer(f"plane_{n}", 128, (n, n), 128, 3) for n in (7, 14, 28)),
        *(layer(f"wide_{n}", n, (14, 14), n, 3) for n in (32, 64, 512)),
        *(layer(f"five_{n}", n, (28, 28), n, 5) for n in (8, 16, 32, 64)),
        *(layer(f"cube_{n}", 32, (8, n, n), 32, 3) for n in (14, 28)),
        *(layer(f"line_{k}", 1, (100_000,), 1, k) for k in (31, 101, 401)),
        *(layer(f"lines_{k}", 16, (10_000,), 16, k) for k in (3, 5, 31, 101)),
        *(layer(f"depthwise_{k}", 64, (56, 56), 64, k, 64) for k in (5, 7, 9, 11, 15, 21)),
        *(layer(f"picture_{k}", 1, (512, 512), 1, k) for k in (5, 7, 9, 11, 21)),
        *(layer(f"pictures_{k}", 4, (128, 128), 4, k) for k in (7, 9, 13)),
    ]


# With these two threads are meant to do so many times the work of one.
THREADS_AIM = {2: 1.85}


def small_layers() -> list[Layer]:
    """Layers so small that the call itself is what takes the time."""
    return [
        Layer("small_1x8x8", 1, 1, (8, 8), 1, (3, 3), padding=1),
        Layer("small_8x8x8", 1, 8, (8, 8), 8, (3, 3), padding=1),
    ]


def threads_in_words(count: int) -> str:
    """Tell a number of threads."""
    return "one thread" if count == 1 else f"{count} threads"


def _times(sizes: Sequence[int]) -> str:
    return "×".join(map(str, sizes))
