"""How a call is timed, inside the process of its library."""

import gc
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

# Calls shorter than this are timed several at a time, so that the clock costs nothing.
SAMPLE_SECONDS = 0.001
# Share of the time that is spent on warming up: caches, frequency, threads.
WARM_UP = 0.2


def sample(run: Callable[[], object], seconds: float) -> list[float]:
    """Call repeatedly for about some seconds.

    Parameters
    ----------
    run : callable
        What to time. It has run before: what only a first call does is not to be measured.
    seconds : float
        The time for warming up and measuring. A call that takes longer than that is made once.

    Returns
    -------
    list of float
        Seconds per call, one number for each sample.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        begin = perf_counter()
        run()
        once = perf_counter() - begin
        if once > seconds:
            return [once]
        while perf_counter() - begin < WARM_UP * seconds:
            before = perf_counter()
            run()
            once = min(once, perf_counter() - before)
        calls = range(max(1, round(SAMPLE_SECONDS / once)))
        times: list[float] = []
        while not times or perf_counter() - begin < seconds:
            before = perf_counter()
            for _ in calls:
                run()
            times.append((perf_counter() - before) / len(calls))
        return times
    finally:
        if collecting:
            gc.enable()


@dataclass(frozen=True, slots=True)
class Timing:
    """Samples in short: seconds per call.

    Attributes
    ----------
    median, low, high : float
        The median and the quartiles.
    fastest : float
        The smallest sample.
    samples : int
        How many there were.
    """

    median: float
    low: float
    high: float
    fastest: float
    samples: int

    @classmethod
    def of(cls, times: Sequence[float]) -> "Timing":
        """Sum up samples."""
        several = times if len(times) > 1 else [*times, *times]
        low, _, high = statistics.quantiles(several, n=4)
        return cls(statistics.median(times), low, high, min(times), len(times))

    def as_dict(self) -> dict[str, Any]:
        """Return what goes into the file of results, to four digits."""
        return {
            name: float(f"{value:.4g}") if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }
