"""``convx summary``: the layers of a network, their shapes, weights, operations and reach."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convx import functional as F
from convx import nn

from .errors import CommandError
from .models import MODELS, SIDE, build, load_model

__all__ = ["add_arguments", "run", "summary"]

Array: TypeAlias = NDArray[Any]
#: Kernel, stride, padding and dilation of the layers so far; None once an output sees everything.
Reach: TypeAlias = list[tuple[Any, Any, Any, Any]] | None

DESCRIPTION = f"""\
List the layers of a network for pictures of {SIDE} x {SIDE}: the shape of the output
for one picture, the weights, the operations (a multiplication and an addition
are two; convolutions and linear layers alone are counted), and the receptive
field, that is how many samples of the input one output sees along an axis.
"""


@dataclass(frozen=True)
class Row:
    """One layer."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    flops: int
    field: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = DESCRIPTION
    parser.add_argument("model", metavar="MODEL", help=f"{', '.join(MODELS)}, or a file of weights")


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit code."""
    name, model = _model(options.model)
    rows = list(summary(model, np.zeros((1, 1, SIDE, SIDE), np.float32)))
    header = ("layer", "kind", "output", "parameters", "FLOPs", "sees")
    cells = [
        (r.name, r.kind, _shape(r.shape), f"{r.parameters:,}", f"{r.flops:,}", r.field)
        for r in rows
    ]
    totals = sum(row.parameters for row in rows), sum(row.flops for row in rows)
    last = ("", name, "", f"{totals[0]:,}", f"{totals[1]:,}", "")
    print(_table([header, *cells, last]))
    return 0


def summary(model: nn.Module, x: Array) -> Iterator[Row]:
    """Go through a network with an input, and tell about every layer."""
    _, _, rows = _walk(model, "", x, [])
    yield from rows


def _model(text: str) -> tuple[str, nn.Module]:
    if text in MODELS:
        return text, build(text, rng=0).eval()
    if not Path(text).suffix:
        raise CommandError(f"unknown model {text!r}; known are {', '.join(MODELS)} and FILE.npz")
    return load_model(Path(text))


def _walk(module: nn.Module, name: str, x: Array, reach: Reach) -> tuple[Array, Reach, list[Row]]:
    """Return the output of a module, what one number of it sees, and a row for each layer."""
    if isinstance(module, nn.Sequential):
        rows: list[Row] = []
        for child, layer in module.named_children():
            x, reach, more = _walk(layer, f"{name}.{child}".lstrip("."), x, reach)
            rows += more
        return x, reach, rows
    if isinstance(module, nn.Residual):
        _, main, rows = _walk(module.main, f"{name}.main", x, reach)
        _, _, around = _walk(module.shortcut, f"{name}.shortcut", x, reach)
        y = module(x)
        total = Row(name, "Residual", y.shape, 0, 0, _field(main))
        return y, main, [*rows, *around, total]
    y = module(x)
    after = _after(module, x, reach)
    count = sum(one.data.size for one in module.parameters())
    kind = type(module).__name__
    return y, after, [Row(name, kind, y.shape, count, _flops(module, x), _field(after))]


def _after(module: nn.Module, x: Array, reach: Reach) -> Reach:
    if reach is None or isinstance(module, nn.Flatten | nn.Linear):
        return None
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return [*reach, _adaptive(module, x)]
    if hasattr(module, "kernel_size"):
        options = (getattr(module, name, 1) for name in ("kernel_size", "stride"))
        return [*reach, (*options, getattr(module, "padding", 0), getattr(module, "dilation", 1))]
    return reach


def _adaptive(module: nn.Module, x: Array) -> tuple[Any, Any, Any, Any]:
    """The windows of an adaptive pool; where they are of several sizes, the largest."""
    size, count = x.shape[-1], module(x).shape[-1]
    kernel = max(math.ceil((i + 1) * size / count) - i * size // count for i in range(count))
    return kernel, max(1, size // count), 0, 1


def _flops(module: nn.Module, x: Array) -> int:
    if isinstance(module, nn.Conv):
        return F.count_flops(
            x.shape[2:],
            module.in_channels,
            module.out_channels,
            module.kernel_size,
            module.stride,
            module.padding,
            module.dilation,
            module.groups,
        )
    if isinstance(module, nn.Linear):
        return 2 * int(module.weight.data.size)
    return 0


def _field(reach: Reach) -> str:
    if reach is None:
        return "all"
    size = F.receptive_field(reach).size
    return " x ".join(map(str, size)) if isinstance(size, tuple) else f"{size} x {size}"


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape[1:]))


def _table(rows: list[tuple[str, ...]]) -> str:
    """Align the rows in columns: names on the left, numbers on the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = (str.ljust, str.ljust, str.rjust, str.rjust, str.rjust, str.rjust)
    return "\n".join(
        "  ".join(
            side(cell, width) for side, cell, width in zip(sides, row, widths, strict=True)
        ).rstrip()
        for row in rows
    )
