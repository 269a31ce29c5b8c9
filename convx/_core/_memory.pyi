from typing import Any

import numpy as np
from numpy.typing import NDArray

def new_result(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]: ...
def kept_sizes() -> list[int]: ...
