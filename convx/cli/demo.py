"""``convx demo``: filter a photograph, run a layer forward and backward, train a network.

Filters and layer are computed three times: by convx in float32, by the plain NumPy of
`convx.reference` in float64, and by SciPy where it is installed. The network is LeNet-5, which
learns the digits that come with convx for a few epochs.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

import convx
from convx import functional as F
from convx import grad, reference

from . import images, kernels, peers
from .convolve import apply
from .numbers import whole
from .sheet import Panel, write_sheet
from .train import train
from .training import Recipe

__all__ = ["add_arguments", "run"]

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = tuple[Array, ...]

DESCRIPTION = """\
Filter a photograph with named kernels, run a convolution layer forward and
backward on it, check both against plain NumPy (and SciPy where installed), time
them, and draw a sheet of the results. Then train LeNet-5 on handwritten digits
for a few epochs. The exit code is 1 if a check fails.
"""

SHEET = "convx-demo.png"
TRAINING = "convx-demo-training"
FILTERS = ("gaussian:2", "box:9", "sharpen", "sobel", "laplace", "emboss")
BOUNDARY = "reflect"

#: Largest difference allowed, as a part of the largest value; float32 resolves 6e-8.
TOLERANCE = 1e-5

#: Epochs of training, and what part of the held-out digits must be right after them.
EPOCHS, LEAST_ACCURACY = 5, 0.9

COLOURS = {
    "light": (1 / 3, 1 / 3, 1 / 3),
    "red - green": (1.0, -1.0, 0.0),
    "blue - yellow": (-1 / 2, -1 / 2, 1.0),
    "purple - green": (1 / 2, -1.0, 1 / 2),
}
ANGLES = (0, 45, 90, 135, 180, 225, 270, 315)


@dataclass(frozen=True)
class Step:
    """One computation, three ways; each way is a function of the same inputs."""

    name: str
    inputs: Arrays
    ours: Callable[..., Arrays]
    plain: Callable[..., Arrays]
    scipy: Callable[..., Arrays] | None


@dataclass(frozen=True)
class Outcome:
    """The results of a step, their largest relative differences, and the seconds they took."""

    name: str
    results: Arrays
    error: float
    seconds: float
    scipy_error: float | None = None
    scipy_seconds: float | None = None

    @property
    def passed(self) -> bool:
        """Whether all differences are within the tolerance; NaN is not."""
        return self.error <= TOLERANCE and (self.scipy_error or 0.0) <= TOLERANCE

    def cells(self) -> tuple[str, ...]:
        """One line of the printed table."""
        return (
            self.name,
            _milliseconds(self.seconds),
            _milliseconds(self.scipy_seconds),
            f"{self.scipy_seconds / self.seconds:.1f} x" if self.scipy_seconds else "-",
            f"{self.error:.1e}",
            "-" if self.scipy_error is None else f"{self.scipy_error:.1e}",
            "ok" if self.passed else "WRONG",
        )


HEADER = ("", "convx", "SciPy", "ratio", "error", "vs SciPy", "check")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path(),
        help=f"folder for the sheet {SHEET}, made if it is missing (default: here)",
    )
    parser.add_argument(
        "--repeat",
        metavar="N",
        type=functools.partial(whole, 1),
        default=7,
        help="timed runs of each step, of which the median is shown (default: 7)",
    )
    parser.add_argument(
        "--epochs",
        metavar="N",
        type=functools.partial(whole, 0),
        default=EPOCHS,
        help=f"epochs of training, 0 for none (default: {EPOCHS})",
    )


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit code."""
    images.require_pillow()
    options.out.mkdir(parents=True, exist_ok=True)
    scipy = _scipy_if_installed()
    photo = _photograph()
    filters = [_filter_step(name, photo, scipy) for name in FILTERS]
    layer = _layer_steps(photo, scipy)

    print(_versions(scipy), flush=True)
    outcomes = _report(_filters_title(photo), filters, options.repeat)
    layer_outcomes = _report(_layer_title(), layer, options.repeat)
    print(_legend(options.repeat, scipy))

    sheet = options.out / SHEET
    write_sheet(sheet, _panels(photo, outcomes, layer_outcomes))
    print(f"\nsheet of pictures: {sheet}")
    passed = all(outcome.passed for outcome in (*outcomes, *layer_outcomes))
    if options.epochs:
        passed &= _train(options.epochs, options.out / TRAINING)
    return 0 if passed else 1


def _train(epochs: int, folder: Path) -> bool:
    """Train LeNet-5; tell whether it has learned what that many epochs should teach."""
    print(f"\nLeNet-5 learns handwritten digits, {epochs} epochs\n")
    training = train(Recipe(epochs=epochs), folder)
    if training.interrupted:
        raise KeyboardInterrupt
    accuracy = training.epochs[-1].held_out_accuracy
    enough = epochs < EPOCHS or accuracy >= LEAST_ACCURACY
    print(f"{accuracy:.1%} of the held-out digits are right: {'ok' if enough else 'WRONG'}")
    return enough


# ---------------------------------------------------------------------------------------------
# The photograph and the layer
# ---------------------------------------------------------------------------------------------


def _photograph() -> Array:
    """The photograph as ``(3, height, width)`` samples from 0 to 1."""
    with resources.as_file(resources.files("convx") / "data" / "chelsea.png") as path:
        return images.read_picture(path).planes.astype(np.float32) / 255


def _batch_of(photo: Array) -> Array:
    """The photograph and its mirror images."""
    return np.stack([photo, photo[..., ::-1], photo[:, ::-1], photo[:, ::-1, ::-1]])


def _layer_weight() -> Array:
    """Edges of every colour and angle, ``(32, 3, 3, 3)``; at 0 degrees it brightens rightwards."""
    # A layer correlates: the turn by 180 degrees makes its kernels out of those of a convolution.
    down, across = (np.flip(chain[0]) for chain in kernels.parse("sobel")(2, None).chains)
    turns = np.deg2rad(ANGLES)
    edges = [np.cos(turn) * across + np.sin(turn) * down for turn in turns]
    weight = np.einsum("ic,jyx->ijcyx", list(COLOURS.values()), edges) / 4
    return np.asarray(weight.reshape(-1, 3, 3, 3), dtype=np.float32)


def _layer_bias() -> Array:
    """Thresholds that leave out the faintest edges."""
    return np.full(len(COLOURS) * len(ANGLES), -0.01, dtype=np.float32)


# ---------------------------------------------------------------------------------------------
# The steps, three ways each
# ---------------------------------------------------------------------------------------------


def _filter_step(name: str, photo: Array, scipy: ModuleType | None) -> Step:
    stencil = kernels.parse(name)(2, None)
    return Step(
        name,
        (photo,),
        lambda planes: (apply(stencil, planes, boundary=BOUNDARY, mode="same"),),
        lambda planes: (_plain_filter(stencil, planes),),
        functools.partial(peers.filter, scipy.ndimage, name, stencil) if scipy else None,
    )


def _layer_steps(photo: Array, scipy: ModuleType | None) -> list[Step]:
    weight, bias = _layer_weight(), _layer_bias()
    # The loss is half the sum of the squares of the features, so that they are its gradient.
    features = np.maximum(F.conv2d(photo, weight, bias, padding=1), 0)
    batch = _batch_of(photo)
    batch_features = np.maximum(F.conv2d(batch, weight, bias, padding=1), 0)
    return [
        Step(
            "forward",
            (photo, weight, bias),
            lambda x, w, b: (F.conv2d(x, w, b, padding=1),),
            lambda x, w, b: (reference.conv_nd(x, w, b, padding=1),),
            functools.partial(peers.forward, scipy.signal) if scipy else None,
        ),
        Step(
            "gradient of the input",
            (features, photo, weight),
            lambda y, x, w: (grad.conv2d_input(x.shape, w, y, padding=1),),
            lambda y, x, w: (reference.conv_nd_input(x.shape, w, y, padding=1),),
            functools.partial(peers.input_gradient, scipy.signal) if scipy else None,
        ),
        Step(
            "gradient of the weight",
            (features, photo, weight),
            lambda y, x, w: (grad.conv2d_weight(x, w.shape, y, padding=1),),
            lambda y, x, w: (reference.conv_nd_weight(x, w.shape, y, padding=1),),
            functools.partial(peers.weight_gradient, scipy.signal) if scipy else None,
        ),
        Step(
            "forward, batch of 4",
            (batch, weight, bias),
            lambda x, w, b: (F.conv2d(x, w, b, padding=1),),
            lambda x, w, b: (reference.conv_nd(x, w, b, padding=1),),
            None,
        ),
        Step(
            "backward, batch of 4",
            (batch_features, batch, weight, bias),
            lambda y, x, w, b: _no_none(grad.conv2d(y, x, w, b, padding=1)),
            lambda y, x, w, b: _no_none(reference.conv_nd_grad(y, x, w, b, padding=1)),
            None,
        ),
    ]


def _no_none(gradients: Iterable[Array | None]) -> Arrays:
    return tuple(gradient for gradient in gradients if gradient is not None)


def _plain_filter(stencil: kernels.Stencil, planes: Array) -> Array:
    """Filter with one N-d kernel for each response, also where convx takes 1-D passes."""
    dense = [functools.reduce(np.multiply, chain) for chain in stencil.chains]
    responses = [
        reference.conv_nd(
            planes[:, np.newaxis],
            np.flip(kernel)[np.newaxis, np.newaxis],
            padding=[(size // 2, (size - 1) // 2) for size in kernel.shape],
            padding_mode=BOUNDARY,
        )[:, 0]
        for kernel in dense
    ]
    return np.sqrt(np.square(responses).sum(0)) if stencil.magnitude else responses[0]


# ---------------------------------------------------------------------------------------------
# Measuring
# ---------------------------------------------------------------------------------------------


def _measure(step: Step, repeat: int) -> Outcome:
    """Run, check and time a step; the runs that are checked warm up for those that are timed."""
    exact = tuple(array.astype(np.float64) for array in step.inputs)
    results = step.ours(*step.inputs)
    error = _difference(results, step.plain(*exact))
    seconds = _median_seconds(step.ours, step.inputs, repeat)
    if step.scipy is None:
        return Outcome(step.name, results, error, seconds)
    scipy_error = _difference(results, step.scipy(*exact))
    scipy_seconds = _median_seconds(step.scipy, step.inputs, repeat)
    return Outcome(step.name, results, error, seconds, scipy_error, scipy_seconds)


def _median_seconds(call: Callable[..., Arrays], inputs: Arrays, repeat: int) -> float:
    return statistics.median(_seconds(call, inputs) for _ in range(repeat))


def _seconds(call: Callable[..., Arrays], inputs: Arrays) -> float:
    start = time.perf_counter()
    call(*inputs)
    return time.perf_counter() - start


def _difference(ours: Iterable[Array], theirs: Iterable[Array]) -> float:
    """The largest difference, as a part of the largest value; NaN where one is NaN."""
    pairs = zip(ours, theirs, strict=True)
    parts = [np.max(np.abs(mine - other)) / np.max(np.abs(other)) for mine, other in pairs]
    return float(np.max(parts))


def _scipy_if_installed() -> ModuleType | None:
    try:
        for name in ("scipy.ndimage", "scipy.signal"):
            importlib.import_module(name)
    except ImportError:
        return None
    return importlib.import_module("scipy")


# ---------------------------------------------------------------------------------------------
# Showing
# ---------------------------------------------------------------------------------------------


def _report(title: str, steps: Sequence[Step], repeat: int) -> list[Outcome]:
    outcomes = [_measure(step, repeat) for step in steps]
    print(
        f"\n{title}\n\n{_table([HEADER, *(outcome.cells() for outcome in outcomes)])}", flush=True
    )
    return outcomes


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Align the rows in columns, the first on the left and the others on the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    # The two tables of the demo have the same columns: they look best with the same widths.
    widths = [
        max(width, least) for width, least in zip(widths, (24, 9, 9, 7, 8, 8, 5), strict=True)
    ]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1e3:.2f} ms"


def _versions(scipy: ModuleType | None) -> str:
    peer = f"SciPy {scipy.__version__}" if scipy else "no SciPy"
    isa = convx.show_config(mode="dicts")["machine"]["isa used"]
    threads = convx.get_num_threads()
    ours = f"convx {convx.__version__} ({isa}, {threads} thread{'s' * (threads > 1)})"
    return f"{ours}, NumPy {np.__version__}, {peer}"


def _filters_title(photo: Array) -> str:
    height, width = photo.shape[1:]
    return f"Filters on a photograph of {width} x {height} RGB pixels, boundary '{BOUNDARY}'"


def _layer_title() -> str:
    return "Layer conv2d on the photograph: 3 -> 32 channels, 3 x 3, padding 1"


def _legend(repeat: int, scipy: ModuleType | None) -> str:
    lines = [
        f"times     in float32, median of {repeat} after a warm-up",
        "error     largest difference to convx.reference in float64, over the largest value",
        f"check     ok where the differences are at most {TOLERANCE:g}",
    ]
    if scipy:
        lines[1:1] = ["          (SciPy: one call for each colour, or pair of channels)"]
        lines[3:3] = ["vs SciPy  largest difference to SciPy in float64, over the largest value"]
    return "\n" + "\n".join(lines)


def _panels(
    photo: Array, filters: Sequence[Outcome], layer: Sequence[Outcome]
) -> list[list[Panel]]:
    filtered = {outcome.name: outcome.results[0] for outcome in filters}
    panels = [
        Panel("photograph", photo),
        Panel("gaussian:2", filtered["gaussian:2"]),
        Panel("box:9", filtered["box:9"]),
        Panel("sharpen", filtered["sharpen"]),
        Panel("sobel", _stretched(filtered["sobel"])),
        Panel("laplace (grey is 0)", _around_grey(filtered["laplace"])),
        Panel("emboss", filtered["emboss"]),
        Panel("layer: gradient of the input (grey is 0)", _around_grey(layer[1].results[0])),
    ]
    features = np.maximum(layer[0].results[0], 0)
    names = [f"{colour}, {angle} deg" for colour in COLOURS for angle in ANGLES]
    panels_of_layer = [
        Panel(name, _stretched(feature)) for name, feature in zip(names, features, strict=True)
    ]
    return [*_rows_of(4, panels), *_rows_of(len(ANGLES), panels_of_layer)]


def _rows_of(length: int, panels: Sequence[Panel]) -> list[list[Panel]]:
    return [list(panels[start : start + length]) for start in range(0, len(panels), length)]


def _stretched(samples: Array) -> Array:
    """Scale so that all but the brightest samples are within 0 and 1."""
    return samples / max(float(np.percentile(samples, 99.5)), 1e-6)


def _around_grey(samples: Array) -> Array:
    return 0.5 + 0.5 * _stretched(np.abs(samples)) * np.sign(samples)
