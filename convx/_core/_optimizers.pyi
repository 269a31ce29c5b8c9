from collections.abc import Callable
from typing import Any

Step = tuple[tuple[float, ...], tuple[Any, ...]]

def take_steps(
    isa: str, rule: str, steps: list[Step], threads_for: Callable[[int], int]
) -> bool: ...
