"""``python -m benchmarks.great_tiles``: fit the costs of great tiles and of whole transforms.

They stand in ``GREAT`` and ``WHOLE`` of ``convx/_engine/costs.py``. Filters with large kernels are
computed in every way that can be the fastest: as the plan of convolutions has it, by the most
promising tilings, and by transforms of the whole arrays. They take turns, and the fastest sample of
each counts. The table shows milliseconds and what ``algorithm="auto"`` loses to the fastest way.

    python -m benchmarks.great_tiles            # measure, show the constants that fit
    python -m benchmarks.great_tiles --check    # measure: exit 1 above 15 per cent
"""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import convx
from benchmarks import machine, timing
from benchmarks.blocking import replaced
from benchmarks.calibrate import MOST_LOSS, rounded
from benchmarks.filters import FILTERS, Filter
from benchmarks.layers import DTYPES
from benchmarks.run import progress
from convx import signal
from convx._engine import costs, execution, great_tiles
from convx._ops import large_kernels
from convx._ops.large_kernels import Great, How, Whole

ROUNDS = 3
SECONDS = 0.05  # for each way and round
TILINGS = 8  # of great tiles, those with the lowest estimates
HOPELESS = 8  # what is estimated to take so many times as long as another is not tried

PASSES = 4
FACTORS = (1, 0.9, 1.1, 0.8, 1.25, 0.65, 1.5, 0.5, 2)  # that a constant is tried with at a time

SAME = {"mode": "same"}
# Beside the filters of the benchmark, two arrays of the same size.
PAIRS = [
    Filter(f"pair_{'x'.join(map(str, shape))}", "signal.correlate", shape, shape, SAME)
    for shape in ((256, 256), (512, 512), (2**16,), (2**18,), (48, 48, 48))
]
CASES = [
    one
    for one in (*FILTERS.values(), *PAIRS)
    if one.function.startswith("signal.") and math.prod(one.kernel) >= large_kernels.LEAST_TAPS
]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contest:
    """A filter, what is asked when it is planned, and the seconds of each way to compute it."""

    filter: Filter
    dtype: str
    asked: tuple[Any, ...]
    seconds: dict[How, float]

    @property
    def loss(self) -> float:
        """By how much what is taken, if it was tried, is slower than the fastest."""
        estimates = self.estimates()
        taken = min(estimates, key=estimates.__getitem__)
        return self.seconds[taken] / min(self.seconds.values()) - 1

    def estimates(self) -> dict[How, float]:
        """Return what the ways are estimated to cost."""
        return {how: estimate(self.asked, how) for how in self.seconds}


def estimate(asked: tuple[Any, ...], how: How) -> float:
    """Return what a way costs with the constants of the moment."""
    if isinstance(how, Whole):
        return costs.WHOLE * how.points * math.log2(how.points)
    if isinstance(how, Great):
        made = how.tiling.points, how.tiling.chained
        return next(
            one.cost for one in great_tiles.tilings(how.plane) if (one.points, one.chained) == made
        )
    return large_kernels.ways(*asked)[None]


def promising(asked: tuple[Any, ...]) -> list[How]:
    """Return the ways to try."""
    known = large_kernels.ways(*asked)
    for how in list(known):
        if isinstance(how, Great):
            tilings = sorted(great_tiles.tilings(how.plane), key=lambda one: one.cost)
            known |= {Great(how.plane, one): one.cost for one in tilings[:TILINGS]}
    least = min(known.values())
    return [how for how, cost in known.items() if cost < HOPELESS * least]


def compete(one: Filter, dtype: str) -> Contest:
    """Measure the ways to compute a filter."""
    function = getattr(signal, one.function.partition(".")[2])
    run = partial(function, *one.operands(dtype), **one.options)
    asked: list[tuple[Any, ...]] = []
    spy = replaced(large_kernels, "planned", lambda *given: asked.append(given))
    with spy, execution.recording():
        run()
    samples: dict[How, list[float]] = {how: [] for how in promising(asked[0])}
    for _ in range(ROUNDS):
        for how, times in samples.items():
            with replaced(large_kernels, "planned", lambda *_, how=how: how):
                run()
                times += timing.sample(run, SECONDS)
    return Contest(one, dtype, asked[0], {how: min(times) for how, times in samples.items()})


@contextmanager
def constants(values: Sequence[float]) -> Iterator[None]:
    """Let estimates be made with other constants: those of great tiles, and of whole transforms."""
    usual = costs.GREAT, costs.WHOLE
    try:
        costs.GREAT, costs.WHOLE = costs.Great(*values[:-1]), values[-1]
        great_tiles.choose.cache_clear()
        yield
    finally:
        costs.GREAT, costs.WHOLE = usual
        great_tiles.choose.cache_clear()


def fit(contests: Sequence[Contest]) -> list[float]:
    """Return the constants, of those around what is in use, with which the least is lost.

    One after the other takes the best of some values, until none changes: how far estimates are
    from times does not matter, but only what is taken.
    """
    hows = [(contest, how) for contest in contests for how in contest.seconds]
    ends = np.cumsum([len(contest.seconds) for contest in contests])[:-1]
    seconds = [np.array([*contest.seconds.values()]) for contest in contests]

    def estimates(values: Sequence[float]) -> Vector:
        with constants(values):
            return np.array([estimate(contest.asked, how) for contest, how in hows])

    now = np.array([*costs.GREAT, costs.WHOLE], float)
    base = estimates(0 * now)
    coefficients = np.stack([estimates(unit) - base for unit in np.eye(len(now))], axis=1)

    def lost(values: Vector) -> float:
        parts = np.split(base + coefficients @ values, ends)
        taken = [times[np.argmin(part)] / times.min() for part, times in zip(parts, seconds)]
        return float(np.mean(np.square(taken)))

    for _ in range(PASSES):
        for place in range(len(now)):
            tried = [now * np.where(np.arange(len(now)) == place, f, 1) for f in FACTORS]
            now = min(tried, key=lost)
    return rounded(now.tolist())


def told(how: How) -> str:
    """Name a way."""
    if isinstance(how, Great):
        return "×".join(map(str, how.tiling.points)) + (" chained" if how.tiling.chained else "")
    return "plan" if how is None else "whole"


def show(contests: Sequence[Contest]) -> None:
    """Print the table, of each filter the way that is taken first."""
    for contest in contests:
        estimates = contest.estimates()
        ordered = sorted(estimates, key=estimates.__getitem__)
        cells = [f"{told(how)} {1000 * contest.seconds[how]:.2f}" for how in ordered]
        print(
            f"{contest.filter.name:<18} {contest.dtype} {100 * contest.loss:3.0f}%",
            *cells,
            sep="  ",
        )


def summarize(contests: Sequence[Contest]) -> str:
    """Tell the losses in a line."""
    losses = [contest.loss for contest in contests]
    above = sum(loss > MOST_LOSS for loss in losses)
    return (
        f"mean loss {100 * np.mean(losses):.1f}%, largest {100 * max(losses):.0f}%, "
        f"{above} of {len(losses)} above {100 * MOST_LOSS:.0f}%"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.great_tiles")
    parser.add_argument("--check", action="store_true", help="only whether auto loses too much")
    options = parser.parse_args(arguments)
    cases = [(one, dtype) for dtype in DTYPES for one in CASES]
    with convx.threads(1):
        contests = [compete(*case) for case in progress(cases, "contests")]
    show(contests)
    print(f"now: {summarize(contests)}")
    if options.check:
        return int(any(contest.loss > MOST_LOSS for contest in contests))
    values, here = fit(contests), machine.describe()
    print(f"\n# {here['processor']}, {here['isa']}, {here['compiler']}, 1 thread")
    print(f"GREAT = {costs.Great(*values[:-1])}\nWHOLE = {values[-1]}")
    with constants(values):
        print(f"with these: {summarize(contests)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
