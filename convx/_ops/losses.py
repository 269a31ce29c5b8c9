"""Losses of the difference between input and target, and their gradients."""

from typing import Any

from convx._engine import arguments
from convx._engine.dtypes import AnyArray
from convx._ops.pairwise_losses import (
    Gradient,
    Pairwise,
    loss_gradients,
    operands,
    plain_mean,
    reduced_loss,
)

# Below it a square can hardly be told from a corner, and single precision has no 1 / beta.
LEAST_BETA = 1e-30


SQUARED = Pairwise("squared")
ABSOLUTE = Pairwise("absolute")


def _huber(delta: float, scale: float = 1.0) -> Pairwise:
    """``d * d / 2`` up to delta, ``delta * (|d| - delta / 2)`` from there on, times a scale."""
    return Pairwise("huber", (delta, scale))


def _smooth(beta: float) -> Pairwise:
    """``d * d / (2 * beta)`` up to beta, ``|d| - beta / 2`` from there on."""
    return _huber(beta, 1 / beta) if beta >= LEAST_BETA else ABSOLUTE


def squared(input: object, target: object, weight: object, reduction: object, out: Any) -> AnyArray:
    """Return the squared difference."""
    mean = plain_mean(input, target, weight, reduction, SQUARED, out)
    if mean is not None:
        return mean
    return reduced_loss(operands(input, target, weight, reduction), SQUARED, True, out)


def squared_gradients(
    grad_output: object, input: object, target: object, weight: object, reduction: object
) -> tuple[Gradient, ...]:
    """Return the gradients of input, target and weight."""
    return loss_gradients(grad_output, operands(input, target, weight, reduction), SQUARED, True)


def absolute(
    input: object, target: object, weight: object, reduction: object, out: Any
) -> AnyArray:
    """Return the absolute difference."""
    mean = plain_mean(input, target, weight, reduction, ABSOLUTE, out)
    if mean is not None:
        return mean
    return reduced_loss(operands(input, target, weight, reduction), ABSOLUTE, True, out)


def absolute_gradients(
    grad_output: object, input: object, target: object, weight: object, reduction: object
) -> tuple[Gradient, ...]:
    """Return the gradients of input, target and weight."""
    return loss_gradients(grad_output, operands(input, target, weight, reduction), ABSOLUTE, True)


def smooth(input: object, target: object, reduction: object, beta: object, out: Any) -> AnyArray:
    """Return the absolute difference, rounded off below beta."""
    pairwise = _smooth(arguments.delta(beta, "beta", zero=True))
    mean = plain_mean(input, target, None, reduction, pairwise, out)
    if mean is not None:
        return mean
    return reduced_loss(operands(input, target, None, reduction), pairwise, False, out)


def smooth_gradients(
    grad_output: object, input: object, target: object, reduction: object, beta: object
) -> tuple[Gradient, ...]:
    """Return the gradients of input and target."""
    pairwise = _smooth(arguments.delta(beta, "beta", zero=True))
    of = operands(input, target, None, reduction)
    return loss_gradients(grad_output, of, pairwise, False)[:2]


def huber(
    input: object, target: object, reduction: object, delta: object, weight: object, out: Any
) -> AnyArray:
    """Return half the squared difference, straightened beyond delta."""
    pairwise = _huber(arguments.delta(delta, "delta", zero=False))
    mean = plain_mean(input, target, weight, reduction, pairwise, out)
    if mean is not None:
        return mean
    return reduced_loss(operands(input, target, weight, reduction), pairwise, False, out)


def huber_gradients(
    grad_output: object,
    input: object,
    target: object,
    reduction: object,
    delta: object,
    weight: object,
) -> tuple[Gradient, ...]:
    """Return the gradients of input, target and weight."""
    pairwise = _huber(arguments.delta(delta, "delta", zero=False))
    of = operands(input, target, weight, reduction)
    return loss_gradients(grad_output, of, pairwise, False)
