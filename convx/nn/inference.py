"""Models that are used and no longer trained: norms folded, weights packed, activations fused."""

import copy
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from convx.functional.linear import linear
from convx.functional.network import Network, NotPlanned, PreparedConv
from convx.functional.prepared import prepare_conv
from convx.nn.activations import FUSED
from convx.nn.containers import Identity, Parallel, Residual, Sequential
from convx.nn.conv import Conv
from convx.nn.dropout import Dropout
from convx.nn.function import FunctionLayer
from convx.nn.linear import Flatten, Linear
from convx.nn.module import Module
from convx.nn.normalization import BatchNorm

Step = Callable[..., Any]


class PreparedModel:
    """A model as a function, made by :func:`prepare`; safe to call from several threads.

    Attributes
    ----------
    steps : list of callable
        What is done one after the other.
    """

    def __init__(self, model: Module) -> None:
        self.steps = _steps_of(model)
        self._in_turn = _InTurn(self.steps)

    def __call__(self, x: Any) -> Any:
        """Return the model's output."""
        return self._in_turn(x)

    def __repr__(self) -> str:
        return "PreparedModel(\n  " + "\n  ".join(map(repr, self.steps)) + "\n)"


def prepare(model: Module) -> PreparedModel:
    """Prepare a model for use: a callable that gives what the model gives in ``eval()``.

    Batch norm becomes part of the weights of the convolution before it, weights are packed once
    (:func:`convx.prepare_conv`), and an activation or the sum of a residual block that follows a
    convolution is done while its results are in the cache. Dropout goes. Where inputs are small, a
    few items go through a stretch of layers in one call.

    Parameters
    ----------
    model : Module
        A layer or container. Its parameters are copied: what it learns later changes nothing here.

    Returns
    -------
    PreparedModel
        A callable of one array. Results are those of the model but for rounding. Plans and packed
        weights are made when a shape of inputs comes for the first time.

    Raises
    ------
    TypeError
        If `model` is no module.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> model = nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten())
    >>> ready = nn.prepare(model)
    >>> len(ready.steps)  # the convolution with norm and activation, and Flatten
    2
    >>> x = np.ones((1, 1, 4, 4), np.float32)
    >>> bool(np.allclose(ready(x), model.eval()(x), atol=1e-6))
    True
    """
    if not isinstance(model, Module):
        raise TypeError(f"model must be a module, got {type(model).__name__}")
    return PreparedModel(copy.deepcopy(model).eval())


def _joins(step: Step) -> bool:
    """Tell whether a step can be part of a network."""
    try:
        _join(Network(), step, 0)
    except NotPlanned:
        return False
    return True


def _stretches(steps: list[Step]) -> list[Step]:
    """Return the steps, each stretch of those that can be part of a network as one."""
    found: list[Step] = []
    for joins, stretch in itertools.groupby(steps, _joins):
        if joins:
            found.append(_Together([*stretch]))
        else:
            found += stretch
    return found


def _join(network: Network, step: Step, source: int) -> int:
    """Add a step that reads a result of a network; return the number of its own."""
    if isinstance(step, PreparedConv):
        return network.convolve(source, step)
    if isinstance(step, _InTurn):
        for one in step.steps:
            source = _join(network, one, source)
        return source
    if isinstance(step, _PreparedResidual | _ActivatedLinear):
        return step.join(network, source)
    if isinstance(step, Flatten) and (step.start_dim, step.end_dim) == (1, -1):
        return network.flatten(source)
    if isinstance(step, FunctionLayer):
        return network.pool(source, step.function, step.options())
    raise NotPlanned


def _flat(module: Module) -> Iterator[Module]:
    """Yield the layers of nested sequences, without those that do nothing in use."""
    if isinstance(module, Sequential):
        for layer in module:
            yield from _flat(layer)
    elif not isinstance(module, Identity | Dropout):
        yield module


def _taken(layers: deque[Module], kind: Any) -> Any:
    """Take the next layer if it is of a kind."""
    return layers.popleft() if layers and isinstance(layers[0], kind) else None


def _steps_of(module: Module) -> list[Step]:
    layers, steps = deque(_flat(module)), []
    while layers:
        layer = layers.popleft()
        if isinstance(layer, Conv) and not layer.transposed:
            norm = _taken(layers, BatchNorm)
            steps.append(_prepared_conv(layer, norm, _taken(layers, FUSED)))
        elif isinstance(layer, Residual):
            steps.append(_PreparedResidual(layer))
        elif isinstance(layer, Parallel):
            steps.append(_PreparedBranches(layer))
        elif isinstance(layer, Linear):
            steps.append(_ActivatedLinear(layer, _taken(layers, FUSED)))
        else:
            steps.append(layer)
    return steps


def _prepared_conv(layer: Conv, norm: Any, activation: FunctionLayer | None) -> Step:
    """Return a convolution with batch norm in its weights, and what follows."""
    weight, bias = layer.arrays()
    if norm is not None and norm.running_mean is not None:
        weight, bias = _folded(weight, bias, norm)
        norm = None
    given = layer.options()
    if norm is None and activation is not None:
        given |= {"activation": activation.function, **activation.options()}
        activation = None
    conv = prepare_conv(weight, bias, **given)
    rest = [step for step in (norm, activation) if step is not None]
    return _InTurn([conv, *rest]) if rest else conv


def _folded(weight: Any, bias: Any, norm: Any) -> tuple[Any, Any]:
    """Return weights and bias of a convolution that gives what batch norm makes of its results."""
    gain, shift = (None if one is None else one.data for one in (norm.weight, norm.bias))
    scale = 1 / np.sqrt(norm.running_var.astype(np.float64) + norm.eps)
    if gain is not None:
        scale *= gain
    level = (0.0 if bias is None else bias) - norm.running_mean.astype(np.float64)
    level = level * scale + (0.0 if shift is None else shift)
    scaled = weight * scale.reshape(-1, *(1 for _ in weight.shape[1:]))
    return scaled.astype(weight.dtype), level.astype(weight.dtype)


class _InTurn:
    """Steps one after the other."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps, self.stretches = steps, _stretches(steps)

    def __call__(self, x: Any) -> Any:
        for stretch in self.stretches:
            x = stretch(x)
        return x

    def __repr__(self) -> str:
        return "\n  ".join(map(repr, self.steps))


class _Together:
    """Steps that are one network where inputs are small enough, else one after the other."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps, self.network = steps, Network()
        source = 0
        for step in steps:
            source = _join(self.network, step, source)

    def __call__(self, x: Any) -> Any:
        together = self.network.run(x)
        if together is None:
            return self._one_by_one(x)
        y, failed = together
        for place in () if failed is None else np.flatnonzero(failed):
            y[place] = self._one_by_one(x[place : place + 1])[0]
        return y

    def _one_by_one(self, x: Any) -> Any:
        for step in self.steps:
            x = step(x)
        return x


class _PreparedResidual:
    """A residual block whose last convolution adds the way around to its sums."""

    def __init__(self, block: Residual) -> None:
        self.shortcut = _InTurn(_steps_of(block.shortcut))
        layers = deque(_flat(block.main))
        tail = [layers.pop()] if layers else []
        if layers and isinstance(tail[0], BatchNorm):
            tail.insert(0, layers.pop())
        joins = bool(tail) and isinstance(tail[0], Conv) and not tail[0].transposed
        joins = joins and (len(tail) == 1 or tail[1].running_mean is not None)  # type: ignore[attr-defined]
        self.main = _InTurn(_steps_of(Sequential(*layers) if joins else block.main))
        fused = joins and isinstance(block.activation, FUSED)
        self.last: Step | None = None
        if joins:
            norm = tail[1] if len(tail) > 1 else None
            self.last = _prepared_conv(tail[0], norm, block.activation if fused else None)  # type: ignore[arg-type]
        self.activation = Identity() if fused else block.activation

    def __call__(self, x: Any) -> Any:
        around = self.shortcut(x)
        y = self.main(x)
        return self.activation(y + around if self.last is None else self.last(y, around))

    def join(self, network: Network, source: int) -> int:
        """Add the block to a network."""
        if not (isinstance(self.last, PreparedConv) and isinstance(self.activation, Identity)):
            raise NotPlanned
        around = _join(network, self.shortcut, source)
        return network.convolve(_join(network, self.main, source), self.last, around)

    def __repr__(self) -> str:
        return f"Residual of {self.main!r}\n  {self.last!r}"


class _PreparedBranches:
    """Branches side by side, each of them prepared."""

    def __init__(self, layer: Parallel) -> None:
        self.layer = layer
        self.branches = [_InTurn(_steps_of(branch)) for branch in layer.children()]

    def __call__(self, x: Any) -> Any:
        return self.layer.merge([branch(x) for branch in self.branches])[0]

    def __repr__(self) -> str:
        return f"{type(self.layer).__name__} of {self.branches!r}"


class _ActivatedLinear:
    """A linear layer and an activation.

    The matrix is kept transposed, as the product goes through it: with 32 rows of 400 inputs and
    120 outputs that takes two thirds of the time.
    """

    def __init__(self, layer: Linear, activation: FunctionLayer | None) -> None:
        self.layer, self.activation = layer, activation
        self.weight = np.ascontiguousarray(layer.weight.data.T).T
        self.bias = None if layer.bias is None else layer.bias.data

    def __call__(self, x: Any) -> Any:
        y = linear(x, self.weight, self.bias)
        return y if self.activation is None else self.activation(y)

    def join(self, network: Network, source: int) -> int:
        """Add the layer to a network."""
        activation, slope = None, None
        if self.activation is not None:
            activation = self.activation.function
            slope = self.activation.options().get("negative_slope")
        return network.multiply(source, self.layer.weight.data, self.bias, activation, slope)

    def __repr__(self) -> str:
        return f"{self.layer!r}{'' if self.activation is None else f', {self.activation!r}'}"
