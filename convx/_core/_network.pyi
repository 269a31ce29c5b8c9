from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._core._driver import Program

ROW_TAPS: int

class Network:
    shape: tuple[int, ...]
    work: int
    scratch_bytes: int
    transforms: bool
    def __init__(
        self,
        isa: str,
        dtype: np.dtype[Any],
        steps: Sequence[Any],
        shape: tuple[int, ...],
        maps_size: int,
        most_items: int,
        work: int,
    ) -> None: ...
    def threads_for(self, batch: int, work_per_thread: int) -> int: ...
    def run(
        self, x: NDArray[Any], work_per_thread: int
    ) -> tuple[NDArray[Any], NDArray[np.int8] | None]: ...

class MapProgram(Program):
    def __init__(
        self,
        plan: Any,
        isa: str,
        network: Network,
        weights: list[Any],
        fallback: Callable[[], Program] | None,
    ) -> None: ...
