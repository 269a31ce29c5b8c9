from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

Step = tuple[tuple[float, ...], NDArray[Any], NDArray[Any], tuple[NDArray[Any] | None, ...]]

def take_steps(isa: str, rule: str, steps: Sequence[Step], threads: int) -> None: ...
