"""The folder of results of a training: weights, a log, and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from numpy.typing import NDArray

from convx import nn, plot
from convx._engine.files import replacing

from .training import Training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PICTURES", "can_draw", "write_pictures", "write_weights"]

Array: TypeAlias = NDArray[Any]

PICTURES = ("loss.png", "accuracy.png", "kernels.png", "feature-maps.png", "confusion.png")

#: Layers whose output is drawn, at most.
MOST_MAPS = 2


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    try:
        import matplotlib as mpl  # noqa: F401
    except ImportError:
        return False
    return True


def write_weights(folder: Path, training: Training) -> None:
    """Write the weights and the log."""
    nn.save(folder / "weights.npz", training.model.state_dict())
    with replacing(folder / "log.json") as file:
        file.write(json.dumps(training.log(), indent=2).encode() + b"\n")


def write_pictures(folder: Path, training: Training) -> None:
    """Draw curves, kernels, feature maps and the confusion matrix."""
    for name, draw in zip(PICTURES, (_loss, _accuracy, _kernels, _maps, _confusion), strict=True):
        figure = draw(training)
        with replacing(folder / name) as file:
            figure.savefig(file, format="png", dpi=120)


def _figure(width: float = 6, height: float = 4) -> Figure:
    from matplotlib.figure import Figure

    return Figure((width, height), layout="constrained")


def _loss(training: Training) -> Figure:
    return _curves(training, "loss", "loss")


def _accuracy(training: Training) -> Figure:
    return _curves(training, "accuracy", "accuracy")


def _curves(training: Training, what: str, ylabel: str) -> Figure:
    figure = _figure()
    series = {
        "training": [getattr(one, what) for one in training.epochs],
        "held out": [getattr(one, f"held_out_{what}") for one in training.epochs],
    }
    plot.learning_curves(series, ylabel=ylabel, ax=figure.add_subplot())
    return figure


def _kernels(training: Training) -> Figure:
    figure = _figure(5, 3.6)
    first = next(one for one in training.model.modules() if isinstance(one, nn.Conv))
    ax = plot.kernels(first.weight.data, ax=figure.add_subplot())
    ax.set_title("kernels of the first layer")
    return figure


def _maps(training: Training) -> Figure:
    """A digit, and what the first layers that end a convolution make of it."""
    digit = training.held_out.images[:1]
    shown = _outputs(training.model, digit)
    figure = _figure(4 * (1 + len(shown)), 4)
    axes = figure.subplots(1, 1 + len(shown))
    plot.feature_maps(digit[0], ax=axes[0]).set_title(f"a {training.held_out.labels[0]}")
    for ax, (name, maps) in zip(axes[1:], shown, strict=True):
        plot.feature_maps(maps[0], ax=ax).set_title(f"after layer {name}")
    return figure


def _outputs(model: nn.Sequential, x: Array) -> list[tuple[str, Array]]:
    found = []
    for name, layer in model.eval().named_children():
        x = layer(x)
        if isinstance(layer, nn.ReLU | nn.ReLU6 | nn.Residual) and x.ndim == 4:
            found.append((name, x))
    return found[:MOST_MAPS]


def _confusion(training: Training) -> Figure:
    figure = _figure(5.5, 5)
    counts = training.confusion()
    ax = plot.confusion_matrix(counts, ax=figure.add_subplot())
    ax.set_title(f"{counts.trace()} of {counts.sum()} held-out digits are right")
    return figure
