from typing import Any

from numpy.typing import NDArray

from convx._engine.copies import Layout

def copy(
    isa: str, layout: Layout, fill: NDArray[Any], x: NDArray[Any], y: NDArray[Any], threads: int
) -> None: ...
def fold(
    isa: str,
    layout: Layout,
    parts: int,
    starts: NDArray[Any],
    copies: NDArray[Any],
    y: NDArray[Any],
    x: NDArray[Any],
    threads: int,
) -> None: ...
