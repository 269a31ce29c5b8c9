"""Dropout of elements and of channels as layers."""

from typing import Any

from convx.nn.function import FunctionLayer
from convx.nn.initialization import generator


class Dropout(FunctionLayer):
    """In training every element becomes 0 with probability p, the others grow by 1 / (1 - p).

    Parameters
    ----------
    p : float, default 0.5
        The probability.
    inplace : bool, default False
        Whether a call writes into its input. ``vjp`` never does.
    rng : None, int, or Generator, optional
        What :func:`numpy.random.default_rng` makes the layer's source of chance of.

    Examples
    --------
    >>> import numpy as np
    >>> from convx import nn
    >>> layer = nn.Dropout(0.25, rng=0)
    >>> y, pullback = layer.vjp(np.ones(1000))
    >>> bool(np.array_equal(y, pullback(np.ones(1000)))), bool(0.9 < y.mean() < 1.1)
    (True, True)
    >>> bool(np.all(layer.eval()(np.ones(1000)) == 1))
    True
    """

    function = "dropout"

    def __init__(self, p: float = 0.5, inplace: bool = False, *, rng: object = None) -> None:
        super().__init__(p=p)
        self.inplace = inplace
        self.rng = generator(rng)

    def options(self) -> dict[str, Any]:
        """Return the options, with a seed that forward and backward pass both draw from."""
        seed = int(self.rng.integers(2**63)) if self.training else None
        return {**super().options(), "training": self.training, "rng": seed}

    def extra_repr(self) -> str:
        """Return the probability, and whether the input is overwritten."""
        return f"p={self.p}, inplace={self.inplace}"  # type: ignore[attr-defined]


class Dropout1d(Dropout):
    """Dropout of whole channels of arrays (N, C, L), :func:`convx.functional.dropout1d`."""

    function = "dropout1d"


class Dropout2d(Dropout):
    """Dropout of whole channels of arrays (N, C, H, W), :func:`convx.functional.dropout2d`."""

    function = "dropout2d"


class Dropout3d(Dropout):
    """Dropout of whole channels of arrays (N, C, D, H, W), :func:`convx.functional.dropout3d`."""

    function = "dropout3d"
