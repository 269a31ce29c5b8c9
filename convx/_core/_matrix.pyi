from typing import Any

from numpy.typing import NDArray

from convx._core._sweep import Sweep

Array = NDArray[Any]

def multiply_turned(
    isa: str, a: Array, b: Array, bias: Array | None, y: Array, threads: int
) -> Sweep: ...
def multiply(isa: str, a: Array, b: Array, y: Array, threads: int) -> Sweep: ...
def turn_and_multiply(isa: str, a: Array, b: Array, y: Array, threads: int) -> Sweep: ...
