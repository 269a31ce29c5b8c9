"""Losses as modules: a number of an output and a target, whose pullback is that of the output.

``loss, pullback = criterion.vjp(y, target)``, then ``dy = pullback(1.0)``. Arguments are those of
:mod:`torch.nn`, for keywords only behind the weights, and without the two that are deprecated.
"""

from typing import Any, ClassVar

from convx import functional, grad
from convx.nn.module import Module, Pullback


class _Loss(Module):
    """A function of an output and a target, with the options that it is called with."""

    function: ClassVar[str]

    def __init__(self, **options: object) -> None:
        self.options = options

    def __call__(self, input: Any, target: Any) -> Any:
        """Return the loss."""
        return getattr(functional, self.function)(input, target, **self.options)

    def vjp(self, input: Any, target: Any, **_: Any) -> tuple[Any, Pullback]:
        """Return the loss, and a pullback that gives the gradient of the first argument."""
        options = self.options
        loss = getattr(functional, self.function)(input, target, **options)
        return loss, lambda dy: getattr(grad, self.function)(dy, input, target, **options)[0]


class CrossEntropyLoss(_Loss):
    """Cross entropy of logits and classes, :func:`convx.functional.cross_entropy`.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> criterion = nn.CrossEntropyLoss()
    >>> loss, pullback = criterion.vjp(np.zeros((1, 4)), np.array([2]))
    >>> bool(np.isclose(loss, np.log(4))), pullback(1.0)
    (True, array([[ 0.25,  0.25, -0.75,  0.25]]))
    """

    function = "cross_entropy"

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(
            weight=weight,
            ignore_index=ignore_index,
            reduction=reduction,
            label_smoothing=label_smoothing,
        )


class NLLLoss(_Loss):
    """Negative log likelihood of log probabilities, :func:`convx.functional.nll_loss`."""

    function = "nll_loss"

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction)


class MSELoss(_Loss):
    """Mean of squared differences, :func:`convx.functional.mse_loss`."""

    function = "mse_loss"

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class L1Loss(_Loss):
    """Mean of absolute differences, :func:`convx.functional.l1_loss`."""

    function = "l1_loss"

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class SmoothL1Loss(_Loss):
    """Squares near 0, absolute differences elsewhere, :func:`convx.functional.smooth_l1_loss`."""

    function = "smooth_l1_loss"

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction, beta=beta)


class HuberLoss(_Loss):
    """Squares near 0, lines elsewhere, :func:`convx.functional.huber_loss`."""

    function = "huber_loss"

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction, delta=delta)


class BCELoss(_Loss):
    """Cross entropy of probabilities, :func:`convx.functional.binary_cross_entropy`."""

    function = "binary_cross_entropy"

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)


class BCEWithLogitsLoss(_Loss):
    """Cross entropy of sigmoids, :func:`convx.functional.binary_cross_entropy_with_logits`."""

    function = "binary_cross_entropy_with_logits"

    def __init__(
        self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
    ) -> None:
        super().__init__(weight=weight, reduction=reduction, pos_weight=pos_weight)
