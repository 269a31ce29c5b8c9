from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from convx._core._sweep import Sweep

class Pooling:
    def __init__(
        self, reducer: str, axes: Sequence[Any], adjoint: Pooling | None = None
    ) -> None: ...
    def pool(
        self,
        isa: str,
        x: NDArray[Any],
        y: NDArray[Any] | None,
        indices: NDArray[Any] | None,
        planes: int,
        threads: int,
    ) -> Sweep: ...
    def sum_gradient(
        self, isa: str, grad: NDArray[Any], y: NDArray[Any], planes: int, threads: int
    ) -> Sweep: ...
    def takes_relu(self) -> bool: ...
    def pool_relu(
        self,
        isa: str,
        x: NDArray[Any],
        grad: NDArray[Any] | None,
        y: NDArray[Any],
        planes: int,
        threads: int,
    ) -> Sweep: ...
    def max_gradient(
        self,
        isa: str,
        x: NDArray[Any],
        grad: NDArray[Any],
        y: NDArray[Any],
        planes: int,
        threads: int,
    ) -> Sweep: ...

def scatter(
    isa: str,
    how: str,
    least: int,
    indices: NDArray[Any],
    x: NDArray[Any],
    y: NDArray[Any],
    planes: int,
    threads: int,
    cells: Pooling | None = None,
) -> bool: ...
