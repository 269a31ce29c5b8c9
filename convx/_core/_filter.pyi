from typing import Any

from numpy.typing import NDArray

from convx._engine.passes import Cut

TYPES: dict[str, int]

class Filter:
    scratch_bytes: int
    table_bytes: int
    def __init__(self, isa: str, cut: Cut) -> None: ...
    def run(self, x: NDArray[Any], y: NDArray[Any], threads: int) -> None: ...

def footprint(
    isa: str,
    what: str,
    exact: bool,
    offsets: NDArray[Any],
    starts: NDArray[Any],
    weights: NDArray[Any] | None,
    x: NDArray[Any],
    y: NDArray[Any],
    threads: int,
) -> None: ...
def median(
    isa: str,
    offsets: NDArray[Any],
    starts: NDArray[Any],
    x: NDArray[Any],
    y: NDArray[Any],
    threads: int,
) -> None: ...
def median_of_3_by_3(isa: str, x: NDArray[Any], y: NDArray[Any], threads: int) -> None: ...
