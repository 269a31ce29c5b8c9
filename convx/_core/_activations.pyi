from typing import Any

from numpy.typing import NDArray

from convx._core._sweep import Sweep

Array = NDArray[Any]

SOFTMAX_BLOCK: int

def activate(
    isa: str,
    name: str,
    given: tuple[float, ...],
    x: Array,
    grad: Array | None,
    y: Array,
    threads: int,
) -> Sweep: ...
def scale_negative(
    isa: str, x: Array, v: Array, slopes: Array, row: int, y: Array, threads: int
) -> Sweep: ...
def drop(
    isa: str,
    x: Array,
    factor: float,
    dropped: int,
    key: tuple[int, int],
    y: Array,
    threads: int,
) -> None: ...
def softmax(
    isa: str,
    logarithm: bool,
    shape: tuple[int, int, int],
    block: int,
    x: Array,
    grad: Array | None,
    y: Array,
    threads: int,
) -> Sweep: ...
