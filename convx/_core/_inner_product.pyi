from collections.abc import Callable
from typing import Any

from convx._core._driver import Program

def panel_rows(isa: str, dtype: str) -> int: ...

class InnerProductProgram(Program):
    def __init__(
        self, plan: Any, isa: str, matrices: Any, fallback: Callable[[], Program] | None
    ) -> None: ...
