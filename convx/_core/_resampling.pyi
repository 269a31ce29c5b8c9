from typing import Any

from numpy.typing import NDArray

def resample(
    isa: str,
    starts: NDArray[Any],
    sources: NDArray[Any],
    weights: NDArray[Any],
    x: NDArray[Any],
    y: NDArray[Any],
    threads: int,
) -> None: ...
