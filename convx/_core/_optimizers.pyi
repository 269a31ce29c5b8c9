from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

State = NDArray[Any] | None
Step = tuple[tuple[float, ...], tuple[Any, Any, State, State, State]]

def take_steps(
    isa: str, rule: str, steps: list[Step], threads_for: Callable[[int], int]
) -> bool: ...
