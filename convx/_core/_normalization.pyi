from typing import Any

from numpy.typing import NDArray

from convx._core._driver import Activation

def normalize(
    isa: str,
    layout: tuple[int, ...],
    x: NDArray[Any],
    weight: NDArray[Any] | None,
    bias: NDArray[Any] | None,
    dy: NDArray[Any] | None,
    y: NDArray[Any],
    eps: float,
    mean: NDArray[Any],
    variance: NDArray[Any],
    threads: int,
) -> NDArray[Any] | None: ...
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
    threads: int,
) -> NDArray[Any] | None: ...
