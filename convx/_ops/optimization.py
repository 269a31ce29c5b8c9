"""Steps of optimisers, in place, and what their arguments may be."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from convx._core import _optimizers
from convx._engine import arguments, machine, sweeps
from convx._engine.dtypes import AnyArray

State = tuple[AnyArray | None, AnyArray | None, AnyArray | None]


# What a step of a parameter takes: a rule's numbers, parameter, gradient, state.
Step = tuple[tuple[float, ...], Any, Any, State]


def take_steps(rule: str, steps: Iterable[Step]) -> None:
    """Let parameters and their states, made by :func:`new_state`, follow the gradients."""
    by_type: dict[str, list[Step]] = {}
    copies = []
    for given, parameter, gradient, state in steps:
        grad = _gradient(gradient, arguments.learned_array(parameter))
        flags = parameter.flags
        values = parameter if flags.c_contiguous and flags.aligned else parameter.copy("C")
        by_type.setdefault(values.dtype.char, []).append((given, values, grad, state))
        if values is not parameter:
            copies.append((parameter, values))
    for some in by_type.values():
        threads = sweeps.threads_for(4 * sum(values.nbytes for _, values, *_ in some))
        _optimizers.take_steps(machine.ISA, rule, some, threads)
    for parameter, values in copies:
        parameter[...] = values


def _gradient(gradient: Any, parameter: AnyArray) -> AnyArray:
    """Return a gradient in its parameter's type and shape."""
    grad = np.ascontiguousarray(gradient, parameter.dtype)
    if grad.shape != parameter.shape:
        arguments.check_shape(np.shape(gradient), parameter.shape, "grad", "of its parameter")
    return grad


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
