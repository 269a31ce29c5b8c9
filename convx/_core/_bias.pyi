from convx._engine.dtypes import AnyArray

def bias_gradient(
    isa: str, grad_output: AnyArray, items: int, channels: int, size: int, threads: int
) -> AnyArray: ...
