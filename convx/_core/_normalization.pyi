from typing import Any

from numpy.typing import NDArray

def normalize(
    isa: str,
    layout: tuple[int, ...],
    x: NDArray[Any],
    weight: NDArray[Any] | None,
    bias: NDArray[Any] | None,
    dy: NDArray[Any] | None,
    y: NDArray[Any],
    eps: float,
    of_input: bool,
    mean: NDArray[Any],
    variance: NDArray[Any],
    threads: int,
) -> NDArray[Any] | None: ...
