from typing import Any

from numpy.typing import NDArray

from convx._core._sweep import Sweep

STRETCH: int

def are_classes(scores: object, target: object) -> bool: ...
def total_score(x: NDArray[Any], target: NDArray[Any]) -> float: ...
def plain_losses(isa: str, x: object, target: object) -> NDArray[Any] | None: ...
def plain_slopes(
    isa: str, x: object, target: object, grad_output: float
) -> NDArray[Any] | None: ...
def softmax_loss(
    isa: str,
    x: NDArray[Any],
    target: NDArray[Any] | None,
    peak: NDArray[Any] | None,
    total: NDArray[Any] | None,
    loss: NDArray[Any] | None,
    y: NDArray[Any] | None,
    factor: NDArray[Any] | None,
    taken: NDArray[Any] | None,
    threads: int,
) -> Sweep: ...
def pair_loss(
    isa: str,
    loss: str,
    given: tuple[float, ...],
    lines: tuple[NDArray[Any] | None, ...],
    less: float,
    factor: float,
    length: int,
    y: NDArray[Any] | None,
    sums: NDArray[Any] | None,
    threads: int,
) -> Sweep: ...
def pair_slopes(
    isa: str,
    loss: str,
    given: tuple[float, ...],
    lines: tuple[NDArray[Any] | None, ...],
    factor: float,
    length: int,
    by_input: NDArray[Any] | None,
    by_target: NDArray[Any] | None,
    threads: int,
) -> Sweep: ...
