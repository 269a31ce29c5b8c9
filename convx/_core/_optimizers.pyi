from typing import Any

from numpy.typing import NDArray

def step(
    isa: str,
    rule: str,
    given: tuple[float, ...],
    parameter: NDArray[Any],
    grad: NDArray[Any],
    state: tuple[NDArray[Any] | None, ...],
    threads: int,
) -> None: ...
