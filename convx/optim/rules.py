"""The rules: stochastic gradient descent, Adam, AdamW, RMSprop."""

import functools
import math
from collections.abc import Iterable
from typing import Any

from convx._ops import optimization
from convx.optim.optimizer import Group, Learned, Optimizer

Step = tuple[tuple[float, ...], optimization.State]


def _kept(state: dict[str, Any], name: str, parameter: Learned, wanted: bool = True) -> Any:
    """Return an array of the state, of zeros at first; None if it is not wanted."""
    if not wanted:
        return None
    if name not in state:
        state[name] = optimization.new_state(parameter.data)
    return state[name]


def _sign(group: Group) -> float:
    return -1.0 if group["maximize"] else 1.0


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and Nesterov's look ahead.

    Parameters
    ----------
    params : iterable of Parameter, or of dict
        What is to be learned, perhaps in groups with options of their own.
    lr : float, default 1e-3
        Learning rate: how much of the gradient a step is.
    momentum : float, default 0
        How much of the last step there is in the next one.
    dampening : float, default 0
        How much of the gradient does not get into the momentum.
    weight_decay : float, default 0
        Factor of the parameters' squares in the loss, twice.
    nesterov : bool, default False
        Whether the gradient is added to the momentum that it is in already.
    maximize : bool, default False
        Whether to go uphill.

    Notes
    -----
    The rule is that of ``torch.optim.SGD``, after Sutskever et al., "On the importance of
    initialization and momentum in deep learning", 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn, optim
    >>> weight = nn.Parameter(np.array([1.0, 2.0]))
    >>> optimizer = optim.SGD([weight], lr=0.1)
    >>> weight.add_grad([1.0, -1.0])
    >>> optimizer.step()
    >>> weight.data
    array([0.9, 2.1])
    """

    rule = "sgd"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "dampening": dampening}
        options |= {"weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize}
        super().__init__(params, options)

    def checked(self, **options: Any) -> dict[str, Any]:
        """Return the options of a group, or raise."""
        names = ("lr", "momentum", "dampening", "weight_decay", "nesterov")
        optimization.checked_sgd(*(options[name] for name in names))
        return super().checked(**options)

    def prepare(self, group: Group, state: dict[str, Any], parameter: Learned) -> Step:
        """Return numbers and velocity; the first gradient is the velocity, undamped."""
        momentum, nesterov = group["momentum"], group["nesterov"]
        first = "momentum_buffer" not in state
        velocity = _kept(state, "momentum_buffer", parameter, momentum != 0)
        return (
            _sign(group),
            group["weight_decay"],
            group["lr"],
            0.0 if first else momentum,
            1.0 if first else 1 - group["dampening"],
            1.0 if nesterov else 0.0,
            momentum if nesterov else 1.0,
        ), (velocity, None, None)


@functools.lru_cache(maxsize=64)
def _adam_numbers(
    sign: float,
    lr: float,
    of_mean: float,
    of_square: float,
    eps: float,
    decay: float,
    decoupled: bool,
    steps: int,
) -> tuple[float, ...]:
    """Return the numbers of a step, which most parameters have in common."""
    return (
        sign,
        0.0 if decoupled else decay,
        lr / (1 - of_mean**steps),
        1 - lr * decay if decoupled else 1.0,
        1 - of_mean,
        of_square,
        1 - of_square,
        1 / math.sqrt(1 - of_square**steps),
        eps,
    )


class Adam(Optimizer):
    """Steps by the running mean of gradients over the root of that of their squares.

    Parameters
    ----------
    params : iterable of Parameter, or of dict
        What is to be learned, perhaps in groups with options of their own.
    lr : float, default 1e-3
        Learning rate: about the size of a step.
    betas : tuple of two floats, default (0.9, 0.999)
        How much of the two means is kept at each step.
    eps : float, default 1e-8
        What is added to the root.
    weight_decay : float, default 0
        Factor of the parameters' squares in the loss, twice.
    amsgrad : bool, default False
        Whether the mean of squares is replaced by the largest one so far.
    maximize : bool, default False
        Whether to go uphill.

    Notes
    -----
    The rule is that of ``torch.optim.Adam``: Kingma and Ba, "Adam: a method for stochastic
    optimization", 2015; Reddi et al., "On the convergence of Adam and beyond", 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn, optim
    >>> weight = nn.Parameter(np.array([1.0, 2.0]))
    >>> optimizer = optim.Adam([weight], lr=0.1)
    >>> weight.add_grad([100.0, -0.01])
    >>> optimizer.step()
    >>> weight.data.round(6)
    array([0.9, 2.1])
    """

    rule = "adam"
    decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**options, "amsgrad": amsgrad, "maximize": maximize})

    def checked(self, **options: Any) -> dict[str, Any]:
        """Return the options of a group, or raise."""
        names = ("lr", "betas", "eps", "weight_decay", "amsgrad")
        optimization.checked_adam(*(options[name] for name in names))
        return super().checked(**options)

    def prepare(self, group: Group, state: dict[str, Any], parameter: Learned) -> Step:
        """Return numbers and means; what the means lack at first is made good for."""
        steps = state["step"] = state.get("step", 0) + 1
        arrays = (
            _kept(state, "exp_avg", parameter),
            _kept(state, "exp_avg_sq", parameter),
            _kept(state, "max_exp_avg_sq", parameter, group["amsgrad"]),
        )
        options = (group["lr"], *group["betas"], group["eps"], group["weight_decay"])
        return _adam_numbers(_sign(group), *options, self.decoupled, steps), arrays


class AdamW(Adam):
    """Adam whose decay shrinks the parameters themselves, and does not get into the means.

    Parameters are those of :class:`Adam`, with a ``weight_decay`` of 0.01 by default. Loshchilov
    and Hutter, "Decoupled weight decay regularization", 2019.
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)


class RMSprop(Optimizer):
    """Gradients over the root of the running mean of their squares.

    Parameters
    ----------
    params : iterable of Parameter, or of dict
        What is to be learned, perhaps in groups with options of their own.
    lr : float, default 1e-2
        Learning rate.
    alpha : float, default 0.99
        How much of the mean is kept at each step.
    eps : float, default 1e-8
        What is added to the root.
    weight_decay : float, default 0
        Factor of the parameters' squares in the loss, twice.
    momentum : float, default 0
        How much of the last step there is in the next one.
    centered : bool, default False
        Whether it is the root of the variance instead.
    maximize : bool, default False
        Whether to go uphill.

    Notes
    -----
    The rule is that of ``torch.optim.RMSprop``, after Tieleman and Hinton's lectures of 2012 and,
    if centered, Graves, "Generating sequences with recurrent neural networks", 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn, optim
    >>> weight = nn.Parameter(np.array([1.0, 2.0]))
    >>> optimizer = optim.RMSprop([weight], lr=0.1, alpha=0.75)
    >>> weight.add_grad([100.0, -0.01])
    >>> optimizer.step()
    >>> weight.data.round(5)
    array([0.8, 2.2])
    """

    rule = "rmsprop"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps}
        options |= {"centered": centered, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options)

    def checked(self, **options: Any) -> dict[str, Any]:
        """Return the options of a group, or raise."""
        names = ("lr", "alpha", "eps", "weight_decay", "momentum", "centered")
        optimization.checked_rmsprop(*(options[name] for name in names))
        return super().checked(**options)

    def prepare(self, group: Group, state: dict[str, Any], parameter: Learned) -> Step:
        """Return numbers, mean of squares, mean and velocity."""
        state["step"] = state.get("step", 0) + 1
        arrays = (
            _kept(state, "square_avg", parameter),
            _kept(state, "grad_avg", parameter, group["centered"]),
            _kept(state, "momentum_buffer", parameter, group["momentum"] > 0),
        )
        return (
            _sign(group),
            group["weight_decay"],
            group["lr"],
            group["alpha"],
            1 - group["alpha"],
            group["eps"],
            group["momentum"],
        ), arrays
