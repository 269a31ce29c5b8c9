from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

build: dict[str, Any]
SLIDE_ROWS: int
activations: dict[str, int]

def instruction_sets() -> list[str]: ...
def processor() -> tuple[int, bool]: ...
def register_block(isa: str, dtype: str) -> tuple[int, int, int]: ...

class Pass:
    def __init__(self, plan: Any) -> None: ...
    def scratch_bytes(self, isa: str, dtype: str, weight_gradient: bool = False) -> int: ...

class Activation:
    name: str | None
    def __init__(self, name: str | None = None, slope: float = 0) -> None: ...

class Program:
    plan: Any
    isa: str
    threads: int
    passes: tuple[Pass, ...]
    out_shape: tuple[int, ...]
    scratch_bytes: int
    packed_size: int
    workspace_bytes: int
    def __init__(
        self,
        plan: Any,
        isa: str,
        passes: Sequence[Pass],
        fallback: Callable[[], Program] | None = None,
    ) -> None: ...
    def pack(self, weight: NDArray[Any]) -> NDArray[Any]: ...
    def run(
        self,
        input: NDArray[Any],
        weight: NDArray[Any],
        bias: NDArray[Any] | None,
        residual: NDArray[Any] | None,
        activation: Activation,
        packed: NDArray[Any] | None,
        out: NDArray[Any],
    ) -> NDArray[Any]: ...
    def finish(
        self, residual: NDArray[Any] | None, activation: Activation, out: NDArray[Any]
    ) -> None: ...
