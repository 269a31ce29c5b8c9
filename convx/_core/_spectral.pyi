from convx._engine.dtypes import AnyArray
from convx._engine.great_tiles import GreatPlan

class GreatTiles:
    def __init__(self, plan: GreatPlan) -> None: ...
    @property
    def scratch_bytes(self) -> int: ...
    @property
    def kernel_bytes(self) -> int: ...
    def run(
        self,
        isa: str,
        x: AnyArray,
        x_imaginary: AnyArray | None,
        kernel: AnyArray,
        kernel_imaginary: AnyArray | None,
        y: AnyArray,
        y_imaginary: AnyArray | None,
        threads: int,
    ) -> bool: ...
