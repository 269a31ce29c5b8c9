"""Layers: what they share, from parameters to the dictionaries that weights are saved in."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

AnyArray = NDArray[Any]

# What gives the gradient of a layer's input for that of its output.
Pullback = Callable[[Any], Any]


class Parameter:
    """An array that is learned, and the sum of the gradients that came to it.

    Parameters
    ----------
    data : array_like
        The values to begin with, of a floating dtype. An array is taken as it is, not copied.

    Attributes
    ----------
    data : ndarray
        The values. Optimisers change them in place.
    grad : ndarray or None
        The sum of the gradients since :meth:`Module.zero_grad`, None if there was none.

    Examples
    --------
    >>> from convx import nn
    >>> weight = nn.Parameter([1.0, 2.0])
    >>> weight.add_grad([0.5, 0.5])
    >>> weight.add_grad([1.0, 0.0])
    >>> weight.grad
    array([1.5, 0.5])
    """

    __slots__ = ("data", "grad")

    def __init__(self, data: object) -> None:
        self.data: AnyArray = np.asarray(data)
        if self.data.dtype.kind != "f":
            raise TypeError(f"data must have a floating dtype, got {self.data.dtype}")
        self.grad: AnyArray | None = None

    def add_grad(self, gradient: object) -> None:
        """Add a gradient, of the shape of the values, to those that came before."""
        array = np.asarray(gradient, self.data.dtype)
        if array.shape != self.data.shape:
            raise ValueError(
                f"gradient must have the shape of the parameter {self.data.shape}, got "
                f"{array.shape}"
            )
        # A new array: the gradient may be of someone else, who goes on using it.
        self.grad = array if self.grad is None else np.asarray(self.grad + array)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> AnyArray:
        return np.array(self.data, dtype, copy=copy)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Element type of the values."""
        return self.data.dtype

    def __repr__(self) -> str:
        return f"Parameter({self.data!r})"


class Differences(NamedTuple):
    """How a dictionary of arrays differs from what a module has."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """What layers, containers and losses have in common.

    A layer assigns its parameters, and the layers that it is made of, to attributes, and has one
    method, :meth:`vjp`. It keeps nothing of a call: what the backward pass needs is in the
    pullback. So a module may be called by several threads, or twice before the first pullback;
    only the sums of gradients must be of one thread at a time.

    Attributes
    ----------
    training : bool
        Whether layers that differ between training and use, such as dropout, do as in training.
    buffers_of : tuple of str
        Names of the attributes that are arrays to be saved but not learned.

    Examples
    --------
    A layer that scales:

    >>> import numpy as np
    >>> from convx import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         self.factor = nn.Parameter([2.0])
    ...
    ...     def vjp(self, x, input_gradient=True):
    ...         factor = self.factor.data
    ...
    ...         def pullback(dy):
    ...             self.factor.add_grad([np.sum(dy * x)])
    ...             return dy * factor
    ...
    ...         return x * factor, pullback
    >>> layer = Scale()
    >>> y, pullback = layer.vjp(np.array([3.0, 4.0]))
    >>> y, pullback(np.array([1.0, 10.0])), layer.factor.grad
    (array([6., 8.]), array([ 2., 20.]), array([43.]))
    >>> layer.state_dict()
    {'factor': array([2.])}
    """

    training: bool = True
    buffers_of: ClassVar[tuple[str, ...]] = ()

    def vjp(self, *inputs: Any, **options: Any) -> tuple[Any, Pullback]:
        """Return the output, and the pullback: from the output's gradient to the input's.

        The pullback adds to ``grad`` of the module's parameters. Modules that have parameters take
        an option ``input_gradient``: if it is False, the pullback need not return a gradient.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method vjp")

    def __call__(self, *inputs: Any) -> Any:
        """Return the output alone."""
        return self.vjp(*inputs)[0]

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """Yield the modules among the attributes, and in lists of them, with their names."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, list | tuple):
                for index, one in enumerate(value):
                    if isinstance(one, Module):
                        yield f"{name}.{index}", one

    def children(self) -> Iterator["Module"]:
        """Yield the modules among the attributes."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
        """Yield the module itself and all below it, with their names from here on."""
        yield prefix, self
        for name, child in self.named_children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator["Module"]:
        """Yield the module itself and all below it."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield all parameters with their names, one that is shared only once."""
        seen = set()
        for name, value in self._named_state():
            if isinstance(value, Parameter) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def parameters(self) -> Iterator[Parameter]:
        """Yield all parameters, as an optimiser takes them."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, AnyArray]]:
        """Yield what is saved but not learned, such as running means."""
        for name, value in self._named_state():
            if not isinstance(value, Parameter):
                yield name, value

    def buffers(self) -> Iterator[AnyArray]:
        """Yield what is saved but not learned."""
        return (buffer for _, buffer in self.named_buffers())

    def _named_state(self) -> Iterator[tuple[str, Any]]:
        """Parameters, then buffers, of every module in turn."""
        for prefix, module in self.named_modules():
            start = f"{prefix}." if prefix else ""
            for name, value in vars(module).items():
                if isinstance(value, Parameter):
                    yield start + name, value
            for name in module.buffers_of:
                value = getattr(module, name)
                if value is not None:
                    yield start + name, value

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode: bool = True) -> Self:
        """Set all modules to training, and return this one."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set all modules to use, and return this one."""
        return self.train(False)

    def to(self, dtype: DTypeLike) -> Self:
        """Convert parameters and floating buffers to a dtype, forget gradients, return the module.

        Optimisers keep the parameters that they were made with, which are the same objects.
        """
        for parameter in self.parameters():
            parameter.data, parameter.grad = parameter.data.astype(dtype), None
        for module in self.modules():
            for name in module.buffers_of:
                value = getattr(module, name)
                if value is not None and value.dtype.kind == "f":
                    setattr(module, name, value.astype(dtype))
        return self

    def state_dict(self) -> dict[str, AnyArray]:
        """Return copies of all parameters and buffers, under PyTorch's names."""
        return {
            name: np.array(value.data if isinstance(value, Parameter) else value)
            for name, value in self._named_state()
        }

    def load_state_dict(self, state: Mapping[str, object], strict: bool = True) -> Differences:
        """Take parameters and buffers from a dictionary of arrays; all of them, or none.

        Parameters
        ----------
        state : mapping of str to array_like
            As :meth:`state_dict` gives it. Floating arrays are converted to the dtypes of the
            parameters.
        strict : bool, default True
            Whether missing and unexpected names are errors.

        Returns
        -------
        Differences
            The names ``missing_keys`` and ``unexpected_keys``.

        Raises
        ------
        TypeError
            If `state` is no mapping.
        ValueError
            If names are missing or unexpected and `strict` is true, or shapes or dtypes are wrong.
            All that is wrong is listed, and nothing was loaded.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"state must be a mapping of names to arrays, got {type(state)}")
        own = {
            name: value.data if isinstance(value, Parameter) else value
            for name, value in self._named_state()
        }
        given = {name: np.asarray(value) for name, value in state.items()}
        differences = Differences(
            [name for name in own if name not in given],
            [name for name in given if name not in own],
        )
        wrong = _misfits(own, given)
        if strict:
            wrong = [
                *(f"missing: {name}" for name in differences.missing_keys),
                *(f"unexpected: {name}" for name in differences.unexpected_keys),
                *wrong,
            ]
        if wrong:
            raise ValueError(
                f"state does not fit {type(self).__name__}; nothing was loaded:\n  "
                + "\n  ".join(wrong)
            )
        for name, array in own.items():
            if name in given:
                array[...] = given[name]
        return differences

    def extra_repr(self) -> str:
        """Return what stands between the brackets when the module is shown."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}" for name, child in self.named_children()]
        if not lines:
            return f"{type(self).__name__}({self.extra_repr()})"
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__}({self.extra_repr()}\n  {body}\n)"


def _misfits(own: Mapping[str, AnyArray], given: Mapping[str, AnyArray]) -> list[str]:
    """Tell of the arrays that cannot be taken, one line for each."""
    told = []
    for name in own.keys() & given.keys():
        array, target = given[name], own[name]
        if array.shape != target.shape:
            told.append(f"{name}: shape {array.shape} instead of {target.shape}")
        elif not np.can_cast(array.dtype, target.dtype, "same_kind"):
            told.append(f"{name}: dtype {array.dtype} instead of {target.dtype}")
    return sorted(told)
