"""How far apart processors are, measured as we go.

A line of the cache takes some 40 ns from one processor to another of its core complex, and several
times as long to one of another complex. The host of a virtual machine moves its processors, so
figures of several threads tell how it was when they were measured.
"""

import statistics

from convx._core import _distance


class Distance:
    """The samples of a race."""

    def __init__(self) -> None:
        self._samples: list[float] = []

    def measure(self) -> None:
        """Take one more sample, if the machine lets two threads meet."""
        if seconds := _distance.exchange_seconds():
            self._samples.append(seconds)

    def nanoseconds(self) -> int | None:
        """Return what a line takes, the median of the samples."""
        return round(1e9 * statistics.median(self._samples)) if self._samples else None
