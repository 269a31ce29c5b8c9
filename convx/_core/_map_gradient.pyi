from collections.abc import Callable
from typing import Any

from convx._core._driver import Program
from convx._core._network import Network

class MapGradientProgram(Program):
    def __init__(
        self,
        plan: Any,
        isa: str,
        network: Network,
        sums: Any,
        fallback: Callable[[], Program] | None,
    ) -> None: ...
