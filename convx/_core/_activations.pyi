from typing import Any

from numpy.typing import NDArray

from convx._core._driver import Activation

def activate(
    isa: str, activation: Activation, x: NDArray[Any], y: NDArray[Any], threads: int
) -> None: ...
