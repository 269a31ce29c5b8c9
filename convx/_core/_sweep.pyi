from typing import Any

from numpy.typing import NDArray

class Sweep: ...

class SweepMemo:
    def __init__(self) -> None: ...
    def call(self, arrays: tuple[object, ...], options: tuple[object, ...]) -> Any: ...
    def remember(
        self,
        arrays: tuple[object, ...],
        options: tuple[object, ...],
        sweep: Sweep | None,
        result: NDArray[Any] | None,
    ) -> None: ...
