from typing import Any

from numpy.typing import NDArray

from convx._core._driver import Activation
from convx._core._sweep import Sweep

def normalize(
    isa: str,
    layout: tuple[int, ...],
    x: NDArray[Any],
    weight: NDArray[Any] | None,
    bias: NDArray[Any] | None,
    dy: NDArray[Any] | None,
    y: NDArray[Any],
    eps: float,
    mean: NDArray[Any] | None,
    variance: NDArray[Any] | None,
    threads: int,
) -> tuple[Sweep, NDArray[Any] | None]: ...
def normalize_channels(
    isa: str,
    x: NDArray[Any],
    parameters: tuple[NDArray[Any] | None, NDArray[Any] | None],
    activation: Activation,
    residual: NDArray[Any] | None,
    dy: NDArray[Any] | None,
    y: NDArray[Any],
    grad_residual: NDArray[Any] | None,
    eps: float,
    of_input: bool,
    finds_moments: bool,
    mean: NDArray[Any],
    variance: NDArray[Any],
    running: tuple[NDArray[Any] | None, NDArray[Any] | None],
    momentum: float,
    threads: int,
) -> tuple[Sweep, NDArray[Any] | None]: ...
