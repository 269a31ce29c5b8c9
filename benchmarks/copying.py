"""The copy bandwidth: how fast the machine moves bytes at all, measured as we go.

A sweep is measured against NumPy copying an array to another one, both warm, that are together as
large as all that the sweep reads and writes. Several threads copy a part each.
"""

import statistics
import threading
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np

BURSTS = 5
BURST_SECONDS = 0.02


def seconds(moved: int, threads: int) -> float:
    """Return the seconds for reading and writing so many bytes in all, the median of bursts."""
    size = max(1, moved // (2 * threads))
    together = threading.Barrier(threads)
    pairs = [(np.ones(size, np.uint8), np.ones(size, np.uint8)) for _ in range(threads)]

    def rate(pair: tuple[np.ndarray, np.ndarray]) -> float:
        """Copies per second."""
        source, target = pair
        together.wait()
        copies, begin = 0, perf_counter()
        while (passed := perf_counter() - begin) < BURST_SECONDS:
            np.copyto(target, source)
            copies += 1
        return copies / passed

    with ThreadPoolExecutor(threads) as pool:
        rates = [sum(pool.map(rate, pairs)) / threads for _ in range(BURSTS + 1)]
    return float(f"{1 / statistics.median(rates[1:]):.4g}")  # the first warms up
