"""Steps of optimisers, in place, and what their arguments may be."""

from typing import Any

import numpy as np

from convx._core import _optimizers
from convx._engine import arguments, machine, sweeps
from convx._engine.dtypes import AnyArray

State = tuple[AnyArray | None, AnyArray | None, AnyArray | None]


def take_step(
    rule: str, given: tuple[float, ...], parameter: Any, gradient: Any, state: State
) -> None:
    """Let a parameter and its state, made by :func:`new_state`, follow a gradient."""
    array = arguments.learned_array(parameter)
    grad = np.ascontiguousarray(gradient, array.dtype)
    if grad.shape != array.shape:
        arguments.check_shape(np.shape(gradient), array.shape, "grad", "of its parameter")
    flags = array.flags
    values = array if flags.c_contiguous and flags.aligned else array.copy("C")
    threads = sweeps.threads_for(4 * array.nbytes)
    _optimizers.step(machine.ISA, rule, given, values, grad, state, threads)
    if values is not array:
        array[...] = values


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
