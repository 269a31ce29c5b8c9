"""Containers: layers one after the other, side by side, and around a shortcut."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from convx import functional
from convx.nn.activations import FUSED, ReLU
from convx.nn.conv import Conv
from convx.nn.module import Module, Pullback
from convx.nn.normalization import BatchNorm
from convx.nn.pooling import AdaptiveAvgPool2d, AveragePool


class Identity(Module):
    """A layer that returns its input; it takes any arguments and ignores them."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def vjp(self, x: Any, **_: Any) -> tuple[Any, Pullback]:
        """Return the input."""
        return x, lambda dy: dy


class Sequential(Module):
    """Layers one after the other.

    Parameters
    ----------
    *layers : Module, or a mapping of names to modules
        The layers in order. They are called "0", "1", … where they have no names.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> model = nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.ReLU(), nn.Flatten())
    >>> model
    Sequential(
      (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))
      (1): ReLU()
      (2): Flatten(start_dim=1, end_dim=-1)
    )
    >>> y, pullback = model.vjp(np.ones((1, 1, 4, 4), np.float32))
    >>> y.shape, pullback(np.ones_like(y)).shape, model[0].weight.grad.shape
    ((1, 8), (1, 1, 4, 4), (2, 1, 3, 3))
    >>> list(model.state_dict())
    ['0.weight', '0.bias']
    """

    def __init__(self, *layers: Module | Mapping[str, Module]) -> None:
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            named = dict(layers[0])
        else:
            named = {str(place): layer for place, layer in enumerate(layers)}  # type: ignore[misc]
        for name, layer in named.items():
            if not isinstance(layer, Module):
                raise TypeError(f"layers must be modules, got {type(layer).__name__} at {name}")
        vars(self).update(named)

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return type(self)(dict(list(self.named_children())[place]))
        return list(self)[place]

    def append(self, layer: Module) -> "Sequential":
        """Add a layer at the end, and return the container."""
        setattr(self, str(len(self)), layer)
        return self

    def __call__(self, x: Any) -> Any:
        """Return what the last layer makes of the others' results."""
        for layer in self:
            x = layer(x)
        return x

    def vjp(
        self, x: Any, input_gradient: bool = True, *, once: bool = False, **ending: Any
    ) -> tuple[Any, Pullback]:
        """Return the last layer's result, and a pullback through all layers.

        Without ``input_gradient`` it ends at the first layer that has parameters. With ``once`` it
        may be called once, and lets go of every layer's arrays as soon as it is through it: less
        memory is gone over then. Averages are computed together with a ReLU before them, and
        adaptive ones over two axes with the convolution before that; batch norm
        together with an activation that follows, or with what else is given, which is for the last
        layer: a residual, whose gradient the pullback then returns too.
        """
        pullbacks: list[Pullback] = []
        for layer, options in _steps(self, ending, once):
            if pullbacks or input_gradient:
                x, pullback = layer.vjp(x, **options)
                pullbacks.append(pullback)
            elif not options and next(layer.parameters(), None) is None:
                x = layer(x)
            else:
                x, pullback = layer.vjp(x, input_gradient=False, **options)
                pullbacks.append(pullback)
        return x, _chain(pullbacks, once, ending.get("residual") is not None)


def takes_ending(module: Module) -> bool:
    """Tell whether a module's vjp takes an activation and a residual: one that ends with a norm."""
    if type(module).vjp is Sequential.vjp:
        layers = list(module.children())
        return bool(layers) and takes_ending(layers[-1])
    return type(module).vjp is BatchNorm.vjp


def _steps(
    layers: Iterable[Module], ending: dict[str, Any], once: bool
) -> Iterator[tuple[Module, dict[str, Any]]]:
    """Yield layers, and the options of their vjp: a norm is given the activation after it.

    Averages are given the ReLU before them, and convolutions both of them.
    """
    waiting = deque(layers)
    while waiting:
        layer = waiting.popleft()
        options = {} if waiting else ending
        if takes_ending(layer) and waiting and type(waiting[0]) in FUSED:
            options = {"activation": waiting.popleft()}
        elif type(layer) is ReLU and waiting and type(waiting[0]).vjp is AveragePool.vjp:
            layer, options = waiting.popleft(), {"before": layer}
        elif _is_stage(layer, *islice(waiting, 2)):
            waiting.popleft()
            options = {"averages": waiting.popleft()}
        yield layer, options | _passed_on(layer, once)


def _is_stage(layer: Module, *others: Module) -> bool:
    """Tell whether layers are a convolution, a ReLU and averages, which are computed together."""
    return (
        isinstance(layer, Conv)
        and type(layer).vjp is Conv.vjp
        and layer.axes == 2
        and [type(one) for one in others] == [ReLU, AdaptiveAvgPool2d]
    )


def _chain(pullbacks: list[Pullback], once: bool, has_residual: bool) -> Pullback:
    """Return the pullback through all layers, and with a residual through that beside the last."""
    waiting = [pullbacks]

    def pullback(dy: Any) -> Any:
        if not waiting:
            raise ValueError("pullback must be called once, as vjp was asked for, got another call")
        some, beside = waiting.pop() if once else list(pullbacks), None
        if has_residual:
            dy, beside = some.pop()(dy)
        while some:
            dy = some.pop()(dy)
        return (dy, beside) if has_residual else dy

    return pullback


def _passed_on(layer: Module, once: bool) -> dict[str, Any]:
    """Return the option by which a container inside is told that its pullback is called once."""
    return {"once": True} if once and type(layer).vjp in (Sequential.vjp, Residual.vjp) else {}


class Parallel(Module):
    """Layers side by side, all of the same input, whose results are added.

    Parameters
    ----------
    *branches : Module
        The layers; they are called "0", "1", ….

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> nn.Parallel(nn.Identity(), nn.ReLU())(np.array([-1.0, 2.0]))
    array([-1.,  4.])
    """

    def __init__(self, *branches: Module) -> None:
        vars(self).update({str(place): branch for place, branch in enumerate(branches)})

    def merge(self, results: list[Any]) -> tuple[Any, Callable[[Any], list[Any]]]:
        """Return one result of all, and what gives each branch the gradient of its own."""
        return functional.add(*results), lambda dy: [dy] * len(results)

    def __call__(self, x: Any) -> Any:
        """Return the results of all branches as one."""
        return self.merge([branch(x) for branch in self.children()])[0]

    def vjp(self, x: Any, input_gradient: bool = True) -> tuple[Any, Pullback]:
        """Return the results of all branches as one, and a pullback through all of them."""
        results, pullbacks = zip(*(branch.vjp(x) for branch in self.children()))
        merged, shares = self.merge(list(results))

        def pullback(dy: Any) -> Any:
            return functional.add(*(one(share) for one, share in zip(pullbacks, shares(dy))))

        return merged, pullback


class Concat(Parallel):
    """Layers side by side, whose results are joined along an axis, that of the channels.

    Parameters
    ----------
    *branches : Module
        The layers; they are called "0", "1", ….
    dim : int, default 1
        The axis.

    Examples
    --------
    A connection that skips the layers between, as in a U-Net:

    >>> import numpy as np
    >>> from convx import nn
    >>> between = nn.Sequential(nn.MaxPool2d(2), nn.Upsample(scale_factor=2))
    >>> nn.Concat(nn.Identity(), between)(np.ones((1, 3, 4, 4))).shape
    (1, 6, 4, 4)
    """

    def __init__(self, *branches: Module, dim: int = 1) -> None:
        super().__init__(*branches)
        self.dim = dim

    def merge(self, results: list[Any]) -> tuple[Any, Callable[[Any], list[Any]]]:
        """Join the results, and return what parts a gradient again."""
        ends = np.cumsum([one.shape[self.dim] for one in results])[:-1]
        return np.concatenate(results, self.dim), lambda dy: np.split(dy, ends, self.dim)


class Residual(Module):
    """Layers around which the input is led, and added to their result.

    ``activation(main(x) + shortcut(x))``, He et al., "Deep residual learning for image
    recognition", 2016.

    Parameters
    ----------
    main : Module
        What is learned besides the identity.
    shortcut : Module, optional
        The way around, where the shapes differ; the identity without it.
    activation : Module, optional
        What the sum goes through.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> block = nn.Residual(nn.Hardtanh(), activation=nn.ReLU())
    >>> y, pullback = block.vjp(np.array([-3.0, 0.5, 2.0]))
    >>> y, pullback(np.ones(3))
    (array([0., 1., 3.]), array([0., 2., 1.]))
    """

    def __init__(
        self, main: Module, shortcut: Module | None = None, activation: Module | None = None
    ) -> None:
        self.main = main
        self.shortcut = Identity() if shortcut is None else shortcut
        self.activation = Identity() if activation is None else activation

    def __call__(self, x: Any) -> Any:
        """Return the sum of both ways, activated."""
        return self.activation(functional.add(self.main(x), self.shortcut(x)))

    def vjp(
        self, x: Any, input_gradient: bool = True, *, once: bool = False
    ) -> tuple[Any, Pullback]:
        """Return the sum of both ways, activated, and a pullback through both.

        A norm at the end of ``main`` is computed together with the sum and the activation. With
        ``once`` the pullbacks through ``main`` and ``shortcut`` let go of their arrays on the way.
        """
        options, beside = (_passed_on(one, once) for one in (self.main, self.shortcut))
        if takes_ending(self.main) and type(self.activation) in FUSED:
            around, back_shortcut = self.shortcut.vjp(x, **beside)
            options |= {"activation": self.activation, "residual": around}
            result, back = self.main.vjp(x, **options)
        else:
            y, back_main = self.main.vjp(x, **options)
            around, back_shortcut = self.shortcut.vjp(x, **beside)
            result, back_activation = self.activation.vjp(functional.add(y, around))

            def back(dy: Any) -> Any:
                dy = back_activation(dy)
                return back_main(dy), dy

        def pullback(dy: Any) -> Any:
            dx, dr = back(dy)
            return functional.add(dx, back_shortcut(dr))

        return result, pullback
