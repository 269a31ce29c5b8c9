from typing import Any

from numpy.typing import NDArray

def softmax_loss(
    isa: str,
    x: NDArray[Any],
    target: NDArray[Any] | None,
    peak: NDArray[Any],
    total: NDArray[Any],
    picked: NDArray[Any] | None,
    y: NDArray[Any] | None,
    factor: NDArray[Any] | None,
    taken: NDArray[Any] | None,
    threads: int,
) -> None: ...
