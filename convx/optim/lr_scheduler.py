"""Schedules of learning rates, with the formulas of :mod:`torch.optim.lr_scheduler`.

A schedule is made after its optimiser, and its ``step()`` is called after each epoch, or, by
choice, after each batch. The rate is computed anew from where it began, so that it does not drift.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from convx.optim.optimizer import Optimizer


class LRScheduler:
    """Base of schedules: subclasses say what factor the first rate has after some steps.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups have their "lr" changed.

    Attributes
    ----------
    last_epoch : int
        Steps so far.
    base_lrs : list of float
        The rates that the groups began with.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer, self.last_epoch = optimizer, 0
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self._set()

    def rate(self, base: float, steps: int) -> float:
        """Return the rate after some steps of what began with ``base``."""
        raise NotImplementedError(f"{type(self).__name__} has no schedule")

    def _set(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self.base_lrs):
            group["lr"] = self.rate(base, self.last_epoch)

    def step(self) -> None:
        """Set the rates of the next epoch."""
        self.last_epoch += 1
        self._set()

    def get_last_lr(self) -> list[float]:
        """Return the rates of the groups."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return what is to be saved: everything but the optimiser and functions."""
        return {
            name: value
            for name, value in vars(self).items()
            if name != "optimizer" and not callable(value)
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on where another schedule stopped, given its :meth:`state_dict`."""
        vars(self).update(saved)


class LambdaLR(LRScheduler):
    """The first rate times a function of the number of steps.

    Examples
    --------
    >>> from convx import nn, optim
    >>> optimizer = optim.SGD([nn.Parameter([1.0])], lr=0.5)
    >>> schedule = optim.lr_scheduler.LambdaLR(optimizer, lambda steps: 1 / (1 + steps))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def rate(self, base: float, steps: int) -> float:
        """Return the rate after some steps."""
        return base * self.lr_lambda(steps)


class StepLR(LRScheduler):
    """A factor ``gamma`` after every ``step_size`` steps.

    Examples
    --------
    >>> from convx import nn, optim
    >>> optimizer = optim.SGD([nn.Parameter([1.0])], lr=0.5)
    >>> schedule = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [0.5, 0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def rate(self, base: float, steps: int) -> float:
        """Return the rate after some steps."""
        return base * self.gamma ** (steps // self.step_size)


class MultiStepLR(LRScheduler):
    """A factor ``gamma`` at each of the ``milestones``."""

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer)

    def rate(self, base: float, steps: int) -> float:
        """Return the rate after some steps."""
        return base * self.gamma ** sum(steps >= one for one in self.milestones)


class ExponentialLR(LRScheduler):
    """A factor ``gamma`` after every step."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, base: float, steps: int) -> float:
        """Return the rate after some steps."""
        return base * self.gamma**steps


class ConstantLR(LRScheduler):
    """A factor for the first ``total_iters`` steps, and then none."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5) -> None:
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer)

    def rate(self, base: float, steps: int) -> float:
        """Return the rate after some steps."""
        return base * (self.factor if steps < self.total_iters else 1.0)


class LinearLR(LRScheduler):
    """A factor that goes from one number to another in ``total_iters`` equal steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer)

    def rate(self, base: float, steps: int) -> float:
        """Return the rate after some steps."""
        part = min(steps, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * part)


class CosineAnnealingLR(LRScheduler):
    """Half a wave of the cosine from the first rate down to ``eta_min`` in ``T_max`` steps.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rate(self, base: float, steps: int) -> float:
        """Return the rate after some steps."""
        wave = 1 + math.cos(math.pi * steps / self.T_max)
        return self.eta_min + (base - self.eta_min) * wave / 2


class ReduceLROnPlateau(LRScheduler):
    """A factor when a measure has not become better for more than ``patience`` steps.

    ``step(measure)`` takes the measure. It is better if it differs from the best one by more than
    a ``threshold``, relative to that or absolute by ``threshold_mode`` ("rel", "abs").
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                "mode must be 'min' or 'max', threshold_mode 'rel' or 'abs', got "
                f"{mode!r} and {threshold_mode!r}"
            )
        self.mode, self.factor, self.patience, self.cooldown = mode, factor, patience, cooldown
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.min_lr, self.eps = min_lr, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0
        super().__init__(optimizer)

    def _set(self) -> None:
        """Leave the rates as they are."""

    def is_better(self, measure: float) -> bool:
        """Tell whether a measure is better than the best one so far."""
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * measure < sign * self.best * (1 - sign * self.threshold)
        return sign * measure < sign * self.best - self.threshold

    def step(self, measure: float) -> None:  # type: ignore[override]
        """Take the measure of an epoch, and reduce the rates if it is time."""
        self.last_epoch += 1
        if self.is_better(float(measure)):
            self.best, self.num_bad_epochs = float(measure), 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            for group in self.optimizer.param_groups:
                reduced = max(group["lr"] * self.factor, self.min_lr)
                if group["lr"] - reduced > self.eps:
                    group["lr"] = reduced
