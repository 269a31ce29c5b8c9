"""``convx train``: a network learns handwritten digits."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from convx.data import mnist

from .models import MODELS
from .numbers import positive, whole
from .results import can_draw, write_pictures, write_weights
from .training import OPTIMIZERS, Recipe, Training

__all__ = ["add_arguments", "run", "train"]

DESCRIPTION = """\
Train a network on handwritten digits: the 5,000 that come with convx, of which
1,000 are held out, or all of MNIST from a folder. Writes weights, a log and
pictures. Ctrl-C ends the training and keeps what was learned.
"""

FOLDER = "convx-training"
HEADER = "epoch      loss  accuracy  held-out loss  accuracy  seconds"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    default = Recipe()
    parser.description = DESCRIPTION
    parser.add_argument(
        "--model", choices=MODELS, default=default.model, help="the network (default: lenet)"
    )
    parser.add_argument(
        "--data", metavar="DIR", type=Path, help="folder with the four files of MNIST"
    )
    for name, text in (
        ("epochs", "passes over the digits"),
        ("batch_size", "digits to a step"),
    ):
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            metavar="N",
            type=functools.partial(whole, 1),
            default=getattr(default, name),
            help=f"{text} (default: {getattr(default, name)})",
        )
    rates = ", ".join(f"{rate:g} for {name}" for name, (_, rate, _) in OPTIMIZERS.items())
    parser.add_argument(
        "--optimizer",
        choices=OPTIMIZERS,
        default=default.optimizer,
        help="how the weights are changed (default: adam)",
    )
    parser.add_argument(
        "--lr",
        metavar="RATE",
        type=positive,
        help=f"learning rate at the beginning; it goes down to 0 (default: {rates})",
    )
    parser.add_argument(
        "--shift",
        metavar="PIXELS",
        type=functools.partial(whole, 0),
        default=default.shift,
        help=f"digits are shifted at random by up to this (default: {default.shift})",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=functools.partial(whole, 0),
        default=default.seed,
        help="the same seed gives the same weights (default: 0)",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path(FOLDER),
        help=f"folder of the results, made if it is missing (default: {FOLDER})",
    )


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit code."""
    names = ("model", "epochs", "batch_size", "optimizer", "lr", "shift", "seed")
    recipe = Recipe(**{name: getattr(options, name) for name in names})
    training = train(recipe, options.out, options.data)
    if training.interrupted:
        print("convx: interrupted: what was learned is saved", file=sys.stderr)
        return 130
    return 0


def train(recipe: Recipe, folder: Path, data: Path | None = None) -> Training:
    """Train a network, tell how it goes, and write the folder of results."""
    digits, held_out = mnist(data)
    folder.mkdir(parents=True, exist_ok=True)
    training = Training(recipe, digits, held_out)
    print(f"{recipe.model}: {len(digits.labels)} digits, {len(held_out.labels)} held out\n")
    print(HEADER, flush=True)
    for one in training.run(_progress_bar()):
        print(
            f"{one.epoch:>5}  {one.loss:>8.4f}  {one.accuracy:>8.2%}  {one.held_out_loss:>13.4f}  "
            f"{one.held_out_accuracy:>8.2%}  {one.seconds:>7.1f}",
            flush=True,
        )
    write_weights(folder, training)
    if can_draw():
        write_pictures(folder, training)
    else:
        print("no pictures: matplotlib is not installed, pip install 'convx-cpu[plots]'")
    print(f"\nweights, log and pictures: {folder}")
    return training


def _progress_bar() -> Callable[[Any], Any]:
    """What shows the batches of an epoch on a terminal, where tqdm is installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return iter
    return functools.partial(tqdm, unit="batch", leave=False, disable=None)
