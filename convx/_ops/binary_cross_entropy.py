"""Cross entropies of two classes, of probabilities and of logits, and their gradients."""

from typing import Any

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

PROBABILITIES = Pairwise("probability")
LOGITS = Pairwise("logit")
WEIGHTED_LOGITS = Pairwise("weighted_logit")  # with the weight of the positive class


def _probability_operands(
    input: object, target: object, weight: object, reduction: object
) -> Operands:
    of = operands(input, target, weight, reduction, strict=True)
    arguments.check_unit_interval(of.input, "input")
    arguments.check_unit_interval(of.target, "target")
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
    of = operands(input, target, weight, reduction, pos_weight, strict=True)
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
