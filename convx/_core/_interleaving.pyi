from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from convx._core._driver import Pass, Program

class Rows:
    def __init__(
        self, items: int, item: int, places: NDArray[Any], length: int, step: int
    ) -> None: ...

class InterleavedProgram(Program):
    def __init__(
        self,
        plan: Any,
        inner: Any,
        isa: str,
        passes: list[Pass],
        batch: int,
        inputs: Rows,
        outputs: Rows,
        fallback: Callable[[], Program] | None,
    ) -> None: ...
    @property
    def items_together(self) -> int: ...
