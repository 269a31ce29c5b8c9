from collections.abc import Callable
from typing import Any, Generic, TypeVar

from numpy.typing import DTypeLike, NDArray

from convx._core._driver import Activation, Program

Result = TypeVar("Result")

def suspend_memos(change: int) -> None: ...

class CallMemo:
    def __init__(self, activation: Activation, turns: bool = False) -> None: ...
    def call(
        self,
        axes: object,
        input: object,
        weight: object,
        bias: object,
        residual: object,
        given: tuple[object, ...],
        out: object,
    ) -> NDArray[Any] | None: ...
    def remember(
        self,
        call: tuple[object, object, object, object, object, tuple[object, ...]],
        program: Program,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        packed: NDArray[Any] | None = None,
    ) -> None: ...

class Kept(Generic[Result]):
    def __init__(
        self, function: Callable[..., Result], is_small: Callable[[Result], bool]
    ) -> None: ...
    def __call__(self, *options: object) -> Result: ...
