"""Cross entropy of many classes, negative log-likelihood, and their gradients.

Both take scores of shape (N, C, *positions), or (C,) for a single item. A *column* is the scores of
all classes at one position of one item.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from convx._core import _losses
from convx._engine import arguments, dtypes, machine, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops.pairwise_losses import Gradient, grad_output_of, number, ratio

# Positions fewer than this are brought together for vectors, with the classes as neighbours.
SHORT = 16


class Scores(NamedTuple):
    """The scores as (outer, classes, inner), one item after the other, or class by class."""

    x: AnyArray
    dtype: np.dtype[Any]
    shape: tuple[int, ...]  # of the input
    loss_shape: tuple[int, ...]
    weight: AnyArray | None
    weight_dtype: np.dtype[Any] | None
    reduction: str

    @property
    def classes(self) -> int:
        return int(self.x.shape[1])

    @property
    def columns(self) -> int:
        return int(self.x.shape[0] * self.x.shape[2])


class Labels(NamedTuple):
    """The class of each column, and the weight that it has; 0 where it is ignored.

    None where nothing is ignored, and where all weights are 1.
    """

    target: AnyArray
    ignored: AnyArray | None
    weight: AnyArray | None

    def weighted(self, values: AnyArray) -> AnyArray:
        """Return values of the columns times the weights; what is ignored is 0, whatever it was."""
        if self.weight is not None:
            values = values * self.weight
        if self.ignored is not None:
            values[self.ignored] = 0
        return values

    @property
    def total(self) -> float:
        """What a mean is divided by: the sum of the weights."""
        return float(len(self.target)) if self.weight is None else _sum(self.weight)


def _scores(input: object, weight: object, reduction: object) -> Scores:
    chosen = arguments.reduction(reduction)
    x, dtype = dtypes.sweep_operand(input, "input")
    shape = x.shape
    arguments.check_class_count(shape)
    classes = shape[min(x.ndim - 1, 1)]
    loss_shape = shape[:1] + shape[2:] if x.ndim > 1 else ()
    w = w_dtype = None
    if weight is not None:
        w, w_dtype = dtypes.sweep_operand(weight, "weight")
        arguments.check_shape(w.shape, (classes,), "weight", "for the input's classes")
        w = w.astype(x.dtype, copy=False)
    items = shape[0] if x.ndim > 1 else 1
    inner = math.prod(shape[2:])
    return Scores(x.reshape(items, classes, inner), dtype, shape, loss_shape, w, w_dtype, chosen)


def _labels(target: AnyArray, of: Scores, ignore_index: object) -> Labels:
    index = arguments.integer(ignore_index, "ignore_index")
    classes = arguments.class_targets(target, of.shape)
    ignored = arguments.ignored_targets(classes, of.classes, index)
    if ignored is not None:
        classes = np.where(ignored, 0, classes)
    weight = None if of.weight is None else of.weight[classes]
    if ignored is not None:
        weight = np.ones(of.columns, of.x.dtype) if weight is None else weight
        weight[ignored] = 0
    return Labels(classes, ignored, weight)


def _sum(values: AnyArray) -> float:
    return float(np.add.reduce(values, None, np.float64))


def _reduced(losses: AnyArray, of: Scores, count: float, out: Any) -> AnyArray:
    """Return the losses, flat ones, as the reduction asks."""
    if of.reduction == "none":
        if out is not None:
            arguments.check_out(out, of.loss_shape, of.dtype)
        return sweeps.deliver(losses.reshape(of.loss_shape), of.dtype, out)
    total = _sum(losses)
    return number(ratio(total, count) if of.reduction == "mean" else total, of.dtype, out)


def _grad_columns(grad_output: object, of: Scores, count: float) -> AnyArray:
    """Return the gradient of each column's loss."""
    g = grad_output_of(grad_output, of.loss_shape, of.reduction)
    if of.reduction == "none":
        return g.reshape(-1).astype(of.x.dtype, copy=False)
    one = ratio(float(g), count) if of.reduction == "mean" else float(g)
    return np.full(of.columns, one, of.x.dtype)


# The usual case on a short way: calls of small batches cost more than their work. What has no label
# smoothing is told 0.


def _is_mean(weight: object, options: tuple[object, ...]) -> bool:
    """Tell whether options ask for a plain mean over all classes' targets."""
    index, reduction, smoothing = options
    return (
        weight is None
        and (type(index) is int and index == -100)
        and (type(reduction) is str and reduction == "mean")
        and (type(smoothing) is float and smoothing == 0)
    )


def _is_plain(input: Any, target: Any, weight: object, options: tuple[object, ...]) -> bool:
    """Tell whether this is a mean over classes of logits (N, C), all as a sweep reads them."""
    return (
        _is_mean(weight, options)
        and _losses.are_classes(input, target)
        and (input.dtype is dtypes.SINGLE or input.dtype is dtypes.DOUBLE)
        and input.size > 0
        and input.flags.carray
    )


def _plain_likelihood(x: Any, target: Any) -> AnyArray:
    return np.asarray(-_losses.total_score(x, target) / len(x), x.dtype)


def _plain_likelihood_gradient(grad_output: float, x: Any, target: Any) -> AnyArray:
    y = np.zeros(x.shape, x.dtype)
    y[np.arange(len(x)), target] = -grad_output / len(x)
    return y


# Softmax by columns


class _Softmax(NamedTuple):
    """What a sweep found: of each column maximum, sum of exponentials, target's loss."""

    peak: AnyArray
    total: AnyArray
    loss: AnyArray | None
    gradient: AnyArray | None


def _softmax(
    of: Scores,
    target: AnyArray | None = None,
    factor: AnyArray | None = None,
    taken: AnyArray | None = None,
) -> _Softmax:
    """Sweep over the columns; with a factor for each, find ``factor * softmax - taken``."""
    x = of.x
    items, classes, inner = x.shape
    is_short = 1 < inner < SHORT
    if is_short:
        x = np.ascontiguousarray(x.swapaxes(1, 2)).reshape(items * inner, classes, 1)
    peak, total = (np.empty(of.columns, x.dtype) for _ in range(2))
    loss = None if target is None or factor is not None else np.empty(of.columns, x.dtype)
    y = None if factor is None else sweeps.new_result(None, x.shape, x.dtype)
    _losses.softmax_loss(
        machine.ISA, x, target, peak, total, loss, y, factor, taken, sweeps.threads_for(x.nbytes)
    )
    if y is not None and is_short:
        y = np.ascontiguousarray(y.reshape(items, inner, classes).swapaxes(1, 2))
    return _Softmax(peak, total, loss, y)


def _log_probabilities(of: Scores, softmax: _Softmax) -> AnyArray:
    items, _, inner = of.x.shape
    with np.errstate(all="ignore"):
        result: AnyArray = of.x - softmax.peak.reshape(items, 1, inner)
        result -= np.log(softmax.total).reshape(items, 1, inner)
    return result


# Cross entropy


def _smooth_losses(of: Scores, softmax: _Softmax) -> AnyArray:
    """Return the sum over all classes of weight * loss, for each column."""
    logs = _log_probabilities(of, softmax)
    if of.weight is not None:
        logs *= of.weight[:, None]
    losses: AnyArray = -logs.sum(1).reshape(-1)
    return losses


def _label_losses(of: Scores, labels: Labels, smoothing: float) -> AnyArray:
    softmax = _softmax(of, labels.target)
    assert softmax.loss is not None
    with np.errstate(all="ignore"):
        losses = labels.weighted(softmax.loss)
        if smoothing:
            losses *= 1 - smoothing
            losses += smoothing / of.classes * _smooth_losses(of, softmax)
            if labels.ignored is not None:
                losses[labels.ignored] = 0
    return losses


def _mixture(of: Scores, target: AnyArray, smoothing: float) -> AnyArray:
    """Return smoothed probabilities times the weights of the classes, shaped as the scores."""
    mixture = target.reshape(of.x.shape).astype(of.x.dtype)
    if smoothing:
        mixture *= 1 - smoothing
        mixture += smoothing / of.classes
    if of.weight is not None:
        mixture *= of.weight[:, None]
    return mixture


def cross_entropy(
    input: object,
    target: object,
    weight: object,
    ignore_index: object,
    reduction: object,
    label_smoothing: object,
    out: Any,
) -> AnyArray:
    """Return the cross entropy of the softmax, with class indices or probabilities."""
    if out is None and _is_mean(weight, (ignore_index, reduction, label_smoothing)):
        losses = _losses.plain_losses(machine.ISA, input, target)
        if losses is not None:
            return np.asarray(_sum(losses) / len(losses), losses.dtype)
    of = _scores(input, weight, reduction)
    smoothing = arguments.label_smoothing(label_smoothing)
    targets = dtypes.as_array(target, "target")
    index = arguments.integer(ignore_index, "ignore_index")
    if not arguments.targets_are_probabilities(targets, of.shape, index):
        labels = _labels(targets, of, index)
        return _reduced(_label_losses(of, labels, smoothing), of, labels.total, out)
    mixture = _mixture(of, targets, smoothing)
    with np.errstate(all="ignore"):
        mixture *= _log_probabilities(of, _softmax(of))
        return _reduced(-mixture.sum(1).reshape(-1), of, of.columns, out)


def cross_entropy_gradients(
    grad_output: object,
    input: object,
    target: object,
    weight: object,
    ignore_index: object,
    reduction: object,
    label_smoothing: object,
) -> tuple[Gradient, Gradient, Gradient]:
    """Return the gradients of input, target and weight."""
    options = (ignore_index, reduction, label_smoothing)
    if type(grad_output) is float and _is_mean(weight, options):
        slopes = _losses.plain_slopes(machine.ISA, input, target, grad_output)
        if slopes is not None:
            return slopes, None, None
    of = _scores(input, weight, reduction)
    smoothing = arguments.label_smoothing(label_smoothing)
    targets = dtypes.as_array(target, "target")
    index = arguments.integer(ignore_index, "ignore_index")
    if arguments.targets_are_probabilities(targets, of.shape, index):
        return _mixture_gradients(grad_output, of, targets, smoothing)
    labels = _labels(targets, of, index)
    g = _grad_columns(grad_output, of, labels.total)
    with np.errstate(all="ignore"):
        dx = _label_gradient(g, of, labels, smoothing)
    return sweeps.rounded(dx.reshape(of.shape), of.dtype), None, None


def _label_gradient(g: AnyArray, of: Scores, labels: Labels, smoothing: float) -> AnyArray:
    taken = labels.weighted(g)
    if not smoothing:
        dx = _softmax(of, labels.target, taken, taken).gradient
        assert dx is not None
        return dx
    weights = np.ones(of.classes, of.x.dtype) if of.weight is None else of.weight
    spread = g * of.x.dtype.type(smoothing / of.classes)
    if labels.ignored is not None:
        spread[labels.ignored] = 0
    taken = taken * (1 - smoothing)
    factor = taken + spread * weights.sum()
    dx = _softmax(of, labels.target, factor, taken).gradient
    assert dx is not None
    dx = dx.reshape(of.x.shape)
    dx -= spread.reshape(of.x.shape[0], 1, -1) * weights[:, None]
    return dx


def _mixture_gradients(
    grad_output: object, of: Scores, target: AnyArray, smoothing: float
) -> tuple[Gradient, Gradient, Gradient]:
    g = _grad_columns(grad_output, of, of.columns)
    mixture = _mixture(of, target, smoothing)
    spread = g.reshape(of.x.shape[0], 1, of.x.shape[2])
    with np.errstate(all="ignore"):
        softmax = _softmax(of, None, g * mixture.sum(1).reshape(-1))
        assert softmax.gradient is not None
        mixture *= spread
        dx = softmax.gradient.reshape(of.x.shape) - mixture
        logs = _log_probabilities(of, softmax)
        logs *= -spread
        by_weight = None
        if of.weight is not None:
            shares = _mixture(of._replace(weight=None), target, smoothing)
            by_weight = (shares * logs).sum((0, 2), dtype=np.float64).astype(of.weight_dtype)
            logs *= of.weight[:, None]
        logs *= 1 - smoothing
    return (
        sweeps.rounded(dx.reshape(of.shape), of.dtype),
        sweeps.rounded(logs.reshape(of.shape), target.dtype.newbyteorder("=")),
        by_weight,
    )


# Negative log-likelihood


def _places(of: Scores, labels: Labels) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Return where in (outer, classes, inner) the targets' scores are."""
    items, _, inner = of.x.shape
    item = np.repeat(np.arange(items), inner)
    position = np.tile(np.arange(inner), items)
    return item, labels.target, position


def nll_loss(
    input: object,
    target: object,
    weight: object,
    ignore_index: object,
    reduction: object,
    out: Any,
) -> AnyArray:
    """Return the negative score of the target."""
    if out is None and _is_plain(input, target, weight, (ignore_index, reduction, 0.0)):
        return _plain_likelihood(input, target)
    of = _scores(input, weight, reduction)
    labels = _labels(dtypes.as_array(target, "target"), of, ignore_index)
    with np.errstate(all="ignore"):
        losses = labels.weighted(-of.x[_places(of, labels)])
    return _reduced(losses, of, labels.total, out)


def nll_loss_gradient(
    grad_output: object,
    input: object,
    target: object,
    weight: object,
    ignore_index: object,
    reduction: object,
) -> tuple[Gradient, None, None]:
    """Return the gradients of input, target and weight, of which the first is one."""
    if type(grad_output) is float and _is_plain(
        input, target, weight, (ignore_index, reduction, 0.0)
    ):
        return _plain_likelihood_gradient(grad_output, input, target), None, None
    of = _scores(input, weight, reduction)
    labels = _labels(dtypes.as_array(target, "target"), of, ignore_index)
    g = _grad_columns(grad_output, of, labels.total)
    dx = np.zeros(of.x.shape, of.dtype)
    with np.errstate(all="ignore"):
        dx[_places(of, labels)] = labels.weighted(-g)
    return dx.reshape(of.shape), None, None
