from typing import Any

import numpy as np

from convx._core._interleaving import InterleavedProgram, Rows
from convx._engine.dtypes import AnyArray

class Stage:
    def __init__(
        self,
        forward: InterleavedProgram,
        gradient: InterleavedProgram,
        adjoint: InterleavedProgram | None,
        blocks: Rows,
        dtype: np.dtype[Any],
        in_shape: tuple[int, ...],
        out_shape: tuple[int, ...],
        weight_shape: tuple[int, ...],
        divisor: float,
    ) -> None: ...
    def run(self, x: object, weight: object, bias: object) -> tuple[AnyArray, AnyArray] | None: ...
    def gradients(
        self, grad_output: object, x: object, weight: object, bias: object, passes: AnyArray
    ) -> tuple[AnyArray | None, AnyArray, AnyArray | None] | None: ...
    def takes_kept(self, grad_output: AnyArray, passes: AnyArray) -> bool: ...
