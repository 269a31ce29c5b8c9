"""The loop that trains a network: epochs, batches, what is measured, how it ends."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convx import nn, optim
from convx.data import DataLoader, Digits, random_shift

from .models import CLASSES, build

__all__ = ["OPTIMIZERS", "Epoch", "Recipe", "Training", "predictions"]

Array: TypeAlias = NDArray[Any]

#: Class, learning rate by default, and other options.
OPTIMIZERS: dict[str, tuple[Any, float, dict[str, float]]] = {
    "adam": (optim.Adam, 4e-3, {}),
    "adamw": (optim.AdamW, 4e-3, {}),
    "sgd": (optim.SGD, 5e-2, {"momentum": 0.9}),
    "rmsprop": (optim.RMSprop, 1e-3, {}),
}

#: Pictures in a batch that is only looked at.
LARGE_BATCH = 250


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the seed and these numbers decide every bit of it."""

    model: str = "lenet"
    epochs: int = 15
    batch_size: int = 32
    optimizer: str = "adam"
    lr: float | None = None
    shift: int = 2
    seed: int = 0


@dataclass(frozen=True)
class Epoch:
    """What was measured in one epoch; loss and accuracy of training are means over its batches."""

    epoch: int
    loss: float
    accuracy: float
    held_out_loss: float
    held_out_accuracy: float
    seconds: float


@dataclass
class Training:
    """A network in training.

    Parameters
    ----------
    recipe : Recipe
        How it is trained.
    digits, held_out : Digits
        What it learns, and what it is tested with.
    """

    recipe: Recipe
    digits: Digits
    held_out: Digits
    epochs: list[Epoch] = field(default_factory=list)
    interrupted: bool = False

    def __post_init__(self) -> None:
        first, second, self._chance = np.random.default_rng(self.recipe.seed).spawn(3)
        self.model = build(self.recipe.model, first)
        self._loader = DataLoader(self.digits, self.recipe.batch_size, shuffle=True, rng=second)
        kind, rate, options = OPTIMIZERS[self.recipe.optimizer]
        rate = rate if self.recipe.lr is None else self.recipe.lr
        self._optimizer = kind(self.model.parameters(), lr=rate, **options)
        # The rate goes down with every batch, to nothing at the end.
        self._schedule = optim.lr_scheduler.CosineAnnealingLR(
            self._optimizer, max(1, self.recipe.epochs * len(self._loader))
        )
        self._criterion = nn.CrossEntropyLoss()

    def run(self, bar: Any = iter) -> Iterator[Epoch]:
        """Train epoch after epoch; Ctrl-C ends it after the batch, with what was learned till then.

        ``bar`` goes around the batches of an epoch and may show how far they are.
        """
        try:
            for number in range(1, self.recipe.epochs + 1):
                start = time.perf_counter()
                loss, accuracy = self._learn(bar(self._loader))
                held_out = self.test()
                seconds = time.perf_counter() - start
                self.epochs.append(Epoch(number, loss, accuracy, *held_out, seconds))
                yield self.epochs[-1]
        except KeyboardInterrupt:
            self.interrupted = True

    def test(self) -> tuple[float, float]:
        """Loss and accuracy on the digits that were held out."""
        logits = _logits(self.model, self.held_out.images)
        loss = float(self._criterion(logits, self.held_out.labels))
        return loss, float((logits.argmax(1) == self.held_out.labels).mean())

    def confusion(self) -> Array:
        """Held-out digits of every class (rows) and what they are taken for (columns)."""
        taken_for = _logits(self.model, self.held_out.images).argmax(1)
        counts = np.zeros((CLASSES, CLASSES), int)
        np.add.at(counts, (self.held_out.labels, taken_for), 1)
        return counts

    def log(self) -> dict[str, Any]:
        """All that was measured, for a JSON file."""
        return {
            "recipe": {**asdict(self.recipe), "lr": self._schedule.base_lrs[0]},
            "digits": {"training": len(self.digits.labels), "held_out": len(self.held_out.labels)},
            "parameters": sum(one.data.size for one in self.model.parameters()),
            "interrupted": self.interrupted,
            "epochs": [asdict(one) for one in self.epochs],
            "confusion": self.confusion().tolist(),
        }

    def _learn(self, batches: Iterable[tuple[Array, Array]]) -> tuple[float, float]:
        """Take one step for every batch; return mean loss and accuracy."""
        self.model.train()
        loss, right, count = 0.0, 0, 0
        for images, labels in batches:
            shifted = random_shift(images, self.recipe.shift, rng=self._chance)
            logits, pullback = self.model.vjp(shifted, input_gradient=False, once=True)
            one, loss_pullback = self._criterion.vjp(logits, labels)
            self._optimizer.zero_grad()
            pullback(loss_pullback(1.0))
            self._optimizer.step()
            self._schedule.step()
            loss += float(one) * len(labels)
            right += int((logits.argmax(1) == labels).sum())
            count += len(labels)
        return loss / count, right / count


def predictions(model: nn.Module, images: Array) -> Array:
    """The probability of every class, ``(N, classes)``."""
    return np.asarray(nn.Softmax(1)(_logits(model, images)))


def _logits(model: nn.Module, images: Array) -> Array:
    ready = nn.prepare(model.eval())
    starts = range(0, len(images), LARGE_BATCH)
    return np.concatenate([ready(images[start : start + LARGE_BATCH]) for start in starts])
