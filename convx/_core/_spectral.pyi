from convx._engine.dtypes import AnyArray
from convx._engine.great_tiles import GreatPlan

class GreatTiles:
    def __init__(self, plan: GreatPlan) -> None: ...
    def workspace_bytes(self, threads: int) -> int: ...
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
