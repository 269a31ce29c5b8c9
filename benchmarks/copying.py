"""The copy bandwidth: how fast the machine moves bytes at all, measured as we go.

A sweep is measured against NumPy copying an array to another one, both warm, that together are as
large as all that the sweep reads and writes. Several threads copy a part each. Like the libraries,
the copy takes its turns in every round of a race.
"""

import statistics
import threading
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np

from benchmarks.layers import Array

BURST_SECONDS = 0.02


class Copy:
    """A copy that reads and writes so many bytes in all, on so many threads."""

    def __init__(self, moved: int, threads: int) -> None:
        size = max(1, moved // (2 * threads))
        self._pairs = [(np.ones(size, np.uint8), np.ones(size, np.uint8)) for _ in range(threads)]
        self._rates: list[float] = []

    def measure(self) -> None:
        """Take one more sample."""
        together = threading.Barrier(len(self._pairs))

        def rate(pair: tuple[Array, Array]) -> float:
            """Copies per second of one thread while the others copy too."""
            source, target = pair
            np.copyto(target, source)
            together.wait()
            copies, begin = 0, perf_counter()
            while (passed := perf_counter() - begin) < BURST_SECONDS:
                np.copyto(target, source)
                copies += 1
            return copies / passed

        with ThreadPoolExecutor(len(self._pairs)) as pool:
            self._rates.append(statistics.mean(pool.map(rate, self._pairs)))

    def seconds(self) -> float:
        """Return the seconds that it takes, the median of the samples, to four digits."""
        return float(f"{1 / statistics.median(self._rates):.4g}")
