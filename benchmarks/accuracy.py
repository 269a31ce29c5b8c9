"""``python -m benchmarks.accuracy``: errors of the algorithms, as docs has them.

Data are normally distributed. Errors are relative to the root mean square of the result; float32 is
held against the direct algorithm in float64, and float64 against the direct algorithm in float64,
whose own error is among the differences.
"""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.layers import Array
from convx import functional, grad

# Input, weights, stride, what is computed; what has more than one tap has padding 1.
LAYERS = {
    "64 channels, 56², 3×3": ((1, 64, 56, 56), (64, 64, 3, 3), 1, "forward"),
    "64 channels, 56², 3×3, stride 2": ((1, 64, 56, 56), (64, 64, 3, 3), 2, "forward"),
    "64 channels, 56², 2×2": ((1, 64, 56, 56), (64, 64, 2, 2), 1, "forward"),
    "64 channels, 56², 4×4": ((1, 64, 56, 56), (64, 64, 4, 4), 1, "forward"),
    "3 channels, 224², 7×7, stride 2": ((1, 3, 224, 224), (64, 3, 7, 7), 2, "forward"),
    "64 channels, 56², 5×5": ((1, 64, 56, 56), (64, 64, 5, 5), 1, "forward"),
    "64 channels, 8×28², 3×3×3": ((1, 64, 8, 28, 28), (64, 64, 3, 3, 3), 1, "forward"),
    "512 channels, 300, 3 taps": ((1, 512, 300), (512, 512, 3), 1, "forward"),
    "gradient of the weight, 64 channels, 56²": ((1, 64, 56, 56), (64, 64, 3, 3), 1, "grad_weight"),
}
POINTWISE = {
    "64 channels, 56², 1×1": ((1, 64, 56, 56), (64, 64, 1, 1), 1, "forward"),
    "256 channels, 14², 1×1": ((1, 256, 14, 14), (256, 256, 1, 1), 1, "forward"),
    "1024 channels, 14², 1×1": ((1, 1024, 14, 14), (256, 1024, 1, 1), 1, "forward"),
    "gradient of the weight, 4×1024 channels, 14²": (
        (4, 1024, 14, 14),
        (256, 1024, 1, 1),
        1,
        "grad_weight",
    ),
}


def function_of(name: str, dtype: str) -> Callable[..., Array]:
    """Return what computes a layer in an element type, but for the algorithm."""
    shape, kernel, stride, operation = {**LAYERS, **POINTWISE}[name]
    padding = int(kernel[-1] > 1)
    rng = np.random.default_rng(0)
    x, other = (
        rng.standard_normal(one).astype("float32").astype(dtype)
        for one in (shape, kernel if operation == "forward" else (shape[0], kernel[0], *shape[2:]))
    )
    if operation == "forward":
        return partial(functional.conv_nd, x, other, stride=stride, padding=padding)
    return partial(grad.conv_nd_weight, x, kernel, other, stride=stride, padding=padding)


def errors(found: Array, exact: Array) -> tuple[Any, Any]:
    """Return the root mean square and the largest error, relative to that of the result."""
    difference, scale = found - exact, np.sqrt(np.mean(exact**2))
    return np.sqrt(np.mean(difference**2)) / scale, np.abs(difference).max() / scale


def show(title: str, algorithm: str, names: Iterable[str]) -> None:
    """Print a table of layers."""
    print(f"| | direct, float32 | {title}, float32 | {title}, float64 |\n|---|---|---|---|")
    for name in names:
        exact = function_of(name, "float64")(algorithm="direct")
        cells = (
            errors(function_of(name, dtype)(algorithm=how), exact)
            for how, dtype in (
                ("direct", "float32"),
                (algorithm, "float32"),
                (algorithm, "float64"),
            )
        )
        row = " | ".join(f"{mean:.1e} / {most:.1e}" for mean, most in cells)
        print(f"| {name} | {row} |", flush=True)


def main() -> int:
    """Run the command."""
    show("Winograd", "winograd", LAYERS)
    print()
    show("inner products", "inner_product", POINTWISE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
