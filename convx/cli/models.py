"""The networks that can be trained by name, and weights that fit one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from convx import nn

from .errors import CommandError

__all__ = ["CLASSES", "MODELS", "SIDE", "build", "load_model"]

MODELS = {
    "lenet": nn.models.lenet5,
    "small-resnet": nn.models.small_resnet,
    "mobilenet": nn.models.mobilenet,
}

#: Pictures of digits: so many pixels high and wide, of so many classes.
SIDE, CLASSES = 28, 10


def build(name: str, rng: np.random.Generator | int | None = None) -> nn.Sequential:
    """Make a network for digits, with weights drawn by `rng`."""
    return MODELS[name](CLASSES, 1, rng=rng)


def load_model(path: Path) -> tuple[str, nn.Sequential]:
    """Load weights into the network that they are of, and return its name and the network.

    Raises
    ------
    CommandError
        The weights fit none of the networks.
    ValueError, OSError
        The file cannot be read.
    """
    state = nn.load(path)
    for name in MODELS:
        model = build(name, rng=0)
        if _shapes(model.state_dict()) == _shapes(state):
            model.load_state_dict(state)
            return name, model.eval()
    raise CommandError(
        f"the weights in {str(path)!r} fit none of {', '.join(MODELS)}: "
        f"{len(state)} arrays, {_first_shapes(state)}"
    )


def _shapes(state: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in state.items()}


def _first_shapes(state: dict[str, Any]) -> str:
    told = [f"{name} {array.shape}" for name, array in list(state.items())[:2]]
    return ", ".join([*told, "…"] if len(state) > len(told) else told) or "none"
