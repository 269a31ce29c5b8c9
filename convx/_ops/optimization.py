"""Steps of optimisers, in place, and what their arguments may be."""

from typing import Any

import numpy as np

from convx._core import _optimizers
from convx._engine import arguments, machine, sweeps
from convx._engine.dtypes import AnyArray

State = tuple[AnyArray | None, AnyArray | None, AnyArray | None]

# What a step of a parameter takes: a rule's numbers; parameter, gradient, and three arrays of state
# or None.
Step = tuple[tuple[float, ...], tuple[Any, ...]]


def take_steps(rule: str, steps: list[Step]) -> None:
    """Let parameters and their states, made by :func:`new_state`, follow the gradients."""
    if not _take_plain_steps(rule, steps):
        _take_any_steps(rule, steps)


def _take_plain_steps(rule: str, steps: list[Step]) -> bool:
    return _optimizers.take_steps(machine.ISA, rule, steps, sweeps.threads_for)


def _take_any_steps(rule: str, steps: list[Step]) -> None:
    """Take steps of arrays of several types, of any layout, and of gradients of other types."""
    by_type: dict[str, list[Step]] = {}
    copies = []
    for given, (parameter, gradient, *state) in steps:
        grad = _gradient(gradient, arguments.learned_array(parameter))
        arguments.check_learned_state(state, parameter)
        flags = parameter.flags
        if type(parameter) is np.ndarray and flags.c_contiguous and flags.aligned:
            values = parameter
        else:
            values = np.array(parameter, order="C")
            copies.append((parameter, values))
        by_type.setdefault(values.dtype.char, []).append((given, (values, grad, *state)))
    for some in by_type.values():
        taken = _take_plain_steps(rule, some)
        assert taken
    for parameter, values in copies:
        parameter[...] = values


def _gradient(gradient: Any, parameter: AnyArray) -> AnyArray:
    """Return a gradient in its parameter's type and shape."""
    grad = np.asarray(gradient, parameter.dtype, order="C")
    if grad.shape != parameter.shape:
        arguments.check_shape(np.shape(gradient), parameter.shape, "grad", "of its parameter")
    return grad if grad.flags.aligned else grad.copy()


def new_state(parameter: Any) -> AnyArray:
    """Return zeros that a step can work on, of a parameter's shape and type."""
    return np.zeros(parameter.shape, parameter.dtype)


def checked_sgd(
    lr: object, momentum: object, dampening: object, weight_decay: object, nesterov: object
) -> dict[str, Any]:
    """Check the options of stochastic gradient descent."""
    options = {
        "lr": arguments.not_negative(lr, "lr"),
        "momentum": arguments.not_negative(momentum, "momentum"),
        "dampening": arguments.number(dampening, "dampening"),
        "weight_decay": arguments.not_negative(weight_decay, "weight_decay"),
        "nesterov": arguments.flag(nesterov, "nesterov"),
    }
    if options["nesterov"]:
        arguments.check_nesterov(options["momentum"], options["dampening"])
    return options


def checked_adam(
    lr: object, betas: object, eps: object, weight_decay: object, amsgrad: object
) -> dict[str, Any]:
    """Check the options of Adam and AdamW."""
    return {
        "lr": arguments.not_negative(lr, "lr"),
        "betas": arguments.shares(betas, "betas", 2),
        "eps": arguments.not_negative(eps, "eps"),
        "weight_decay": arguments.not_negative(weight_decay, "weight_decay"),
        "amsgrad": arguments.flag(amsgrad, "amsgrad"),
    }


def checked_rmsprop(
    lr: object,
    alpha: object,
    eps: object,
    weight_decay: object,
    momentum: object,
    centered: object,
) -> dict[str, Any]:
    """Check the options of RMSprop."""
    return {
        "lr": arguments.not_negative(lr, "lr"),
        "momentum": arguments.not_negative(momentum, "momentum"),
        "alpha": arguments.not_negative(alpha, "alpha"),
        "eps": arguments.not_negative(eps, "eps"),
        "centered": arguments.flag(centered, "centered"),
        "weight_decay": arguments.not_negative(weight_decay, "weight_decay"),
    }
