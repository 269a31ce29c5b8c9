"""Layers that have no parameters: a function, and the options that it is called with."""

from typing import Any, ClassVar

from convx import functional, grad
from convx.nn.module import Module, Pullback


class FunctionLayer(Module):
    """A layer that is one function of :mod:`convx.functional`, its gradient that of ``grad``.

    Attributes
    ----------
    function : str
        The function's name in both modules.
    hidden : tuple of str
        Options that are not shown.
    inplace : bool
        Whether a call writes into its input. :meth:`vjp` never does: the way back needs it.

    Examples
    --------
    >>> from convx import nn
    >>> class Square(nn.FunctionLayer):
    ...     function = "lp_pool1d"
    >>> Square(norm_type=2, kernel_size=2)([[3.0, 4.0]])
    array([[5.]])
    """

    function: ClassVar[str]
    hidden: ClassVar[tuple[str, ...]] = ()
    inplace: bool = False

    def __init__(self, **options: object) -> None:
        self._names = tuple(options)
        vars(self).update(options)

    def options(self) -> dict[str, Any]:
        """Return what the function is called with besides arrays."""
        own = vars(self)
        return {name: own[name] for name in self._names}

    def __call__(self, *inputs: Any) -> Any:
        """Return the function of the input."""
        options = self.options()
        if self.inplace:
            options["inplace"] = True
        return getattr(functional, self.function)(*inputs, **options)

    def vjp(self, *inputs: Any, **_: Any) -> tuple[Any, Pullback]:
        """Return the function of the input, and the pullback."""
        options = self.options()
        output = getattr(functional, self.function)(*inputs, **options)
        return output, lambda dy: getattr(grad, self.function)(dy, *inputs, **options)

    def extra_repr(self) -> str:
        """Return the options by name."""
        shown = [name for name in self._names if name not in self.hidden]
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
