"""Cross entropies of two classes, of probabilities and of logits, and their gradients."""

from typing import Any

import numpy as np

from convx._engine import arguments
from convx._engine.dtypes import AnyArray
from convx._ops.pairwise_losses import (
    Gradient,
    Operands,
    Pairwise,
    loss_gradients,
    operands,
    reduced_loss,
)

LEAST_LOG = -100  # as in PyTorch, so that a wrong certainty costs a finite loss
LEAST_SPREAD = 1e-12


def _of_probabilities(x: AnyArray, t: AnyArray) -> AnyArray:
    log, log_other = np.log(x), np.log1p(-x)
    value: AnyArray = (t - 1) * np.maximum(log_other, LEAST_LOG) - t * np.maximum(log, LEAST_LOG)
    return value


PROBABILITIES = Pairwise(
    _of_probabilities,
    lambda x, t: (x - t) / np.maximum(x * (1 - x), LEAST_SPREAD),
    lambda x, t: np.log1p(-x) - np.log(x),
)


def _log_sigmoid(x: AnyArray) -> AnyArray:
    value: AnyArray = np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))
    return value


def _sigmoid(x: AnyArray) -> AnyArray:
    small = np.exp(-np.abs(x))
    value: AnyArray = np.where(x < 0, small, 1) / (1 + small)
    return value


LOGITS = Pairwise(
    lambda x, t: (1 - t) * x - _log_sigmoid(x),
    lambda x, t: _sigmoid(x) - t,
    lambda x, t: -x,
)
# With p, the weight of the positive class.
WEIGHTED_LOGITS = Pairwise(
    lambda x, t, p: (1 - t) * x - ((p - 1) * t + 1) * _log_sigmoid(x),
    lambda x, t, p: (1 - t) - ((p - 1) * t + 1) * _sigmoid(-x),
    lambda x, t, p: -x - (p - 1) * _log_sigmoid(x),
)


def _probability_operands(
    input: object, target: object, weight: object, reduction: object
) -> Operands:
    of = operands(input, target, weight, reduction, strict=True)
    for array, name in zip(of.arrays, ("input", "target"), strict=True):
        arguments.check_unit_interval(array, name)
    return of


def of_probabilities(
    input: object, target: object, weight: object, reduction: object, out: Any
) -> AnyArray:
    """Return the cross entropy of probabilities."""
    of = _probability_operands(input, target, weight, reduction)
    return reduced_loss(of, PROBABILITIES, False, out)


def of_probabilities_gradients(
    grad_output: object, input: object, target: object, weight: object, reduction: object
) -> tuple[Gradient, ...]:
    """Return the gradients of input and target."""
    of = _probability_operands(input, target, weight, reduction)
    return loss_gradients(grad_output, of, PROBABILITIES, False, to_weight=False)[:2]


def _logit_operands(
    input: object, target: object, weight: object, reduction: object, pos_weight: object
) -> tuple[Operands, Pairwise]:
    of = operands(input, target, weight, reduction, others={"pos_weight": pos_weight}, strict=True)
    return of, LOGITS if pos_weight is None else WEIGHTED_LOGITS


def of_logits(
    input: object,
    target: object,
    weight: object,
    reduction: object,
    pos_weight: object,
    out: Any,
) -> AnyArray:
    """Return the cross entropy of the probabilities whose logits are given."""
    of, pairwise = _logit_operands(input, target, weight, reduction, pos_weight)
    return reduced_loss(of, pairwise, False, out)


def of_logits_gradients(
    grad_output: object,
    input: object,
    target: object,
    weight: object,
    reduction: object,
    pos_weight: object,
) -> tuple[Gradient, ...]:
    """Return the gradients of input and target."""
    of, pairwise = _logit_operands(input, target, weight, reduction, pos_weight)
    return loss_gradients(grad_output, of, pairwise, False, to_weight=False)[:2]
