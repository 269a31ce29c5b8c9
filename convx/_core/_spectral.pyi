from convx._engine.dtypes import AnyArray
from convx._engine.great_tiles import GreatPlan, Table

class GreatTiles:
    def __init__(self, plan: GreatPlan) -> None: ...
    @property
    def kernel_rows(self) -> Table: ...
    @property
    def scratch_bytes(self) -> int: ...
    @property
    def spectrum_bytes(self) -> int: ...
    def pack(
        self, isa: str, kernel: AnyArray, imaginary: AnyArray | None, table: Table
    ) -> AnyArray: ...
    def run(
        self,
        isa: str,
        x: AnyArray,
        x_imaginary: AnyArray | None,
        spectrum: AnyArray,
        y: AnyArray,
        y_imaginary: AnyArray | None,
        threads: int,
    ) -> bool: ...
