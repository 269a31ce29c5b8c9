"""Races: libraries that take turns at the same case, so that drift of the machine hits them all."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cases import AnyCase
from benchmarks.check import TOLERANCE
from benchmarks.copying import Copy
from benchmarks.distance import Distance
from benchmarks.sweep_calls import Samples
from benchmarks.timing import Timing
from benchmarks.workers import Failure, Worker

ROUNDS = 5
# A slow entrant is let off after so many rounds once it has had this many times its time.
LEAST_ROUNDS = 3
EXCESS = 2
# Who is at most so many times as slow as the fastest decides a race. While the median of one of
# them is so far above its lower quartile, the machine was disturbed: they go on, for some rounds.
DECISIVE = 2
UNSETTLED = 1.1
MORE_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Entrant:
    """A variant of a library at a case."""

    worker: Worker
    case: AnyCase
    variant: str


def race(
    section: str,
    cases: Sequence[AnyCase],
    workers: Sequence[Worker],
    budget: float,
    expected: Samples | None = None,
) -> list[dict[str, Any]]:
    """Time all libraries at some cases that are to be compared.

    Parameters
    ----------
    section : str
        The part of the benchmark that this belongs to.
    cases : sequence of Case
        Usually one; several where, say, one thread and two are compared.
    workers : sequence of Worker
        The libraries. Those that cannot do a case are left out.
    budget : float
        Seconds for each variant of each library at each case. They are spent in turns, and the
        first in a round is another one each time. Where the machine disturbs those that come
        first, they get more.
    expected : list, optional
        Samples of what the result must be, of what is not a layer.

    Returns
    -------
    list of dict
        A record for each case: what it is, the error and the timing of each library's variants,
        and who failed; of a sweep also the bytes that it moves, and the seconds of copying them.
    """
    entrants: list[Entrant] = []
    errors: dict[AnyCase, dict[str, dict[str, float]]] = defaultdict(dict)
    failures: dict[AnyCase, dict[str, str]] = defaultdict(dict)
    moved: dict[AnyCase, int] = defaultdict(int)
    for case in cases:
        for worker in workers:
            try:
                prepared = worker.prepare(case, expected)
            except Failure as failure:
                failures[case][worker.name] = str(failure)
                continue
            moved[case] = max(moved[case], prepared.moved)
            if prepared.errors:
                errors[case][worker.name] = prepared.errors
                entrants += [Entrant(worker, case, variant) for variant in prepared.errors]
    copies = {case: Copy(most, case.threads) for case, most in moved.items() if most}
    distances = {case: Distance() for case in cases if case.threads > 1}
    samples = _take_turns(entrants, budget, failures, [*copies.values(), *distances.values()])
    for worker in workers:
        worker.forget()
    return [
        _record(section, case, samples, errors[case], failures[case])
        | ({"moved": moved[case], "copy": copies[case].seconds()} if case in copies else {})
        | ({"distance": distances[case].nanoseconds()} if case in distances else {})
        for case in cases
    ]


def _take_turns(
    entrants: list[Entrant],
    budget: float,
    failures: Mapping[AnyCase, dict[str, str]],
    probes: Sequence[Copy | Distance],
) -> dict[Entrant, list[float]]:
    samples: dict[Entrant, list[float]] = {entrant: [] for entrant in entrants}
    for turn in range(ROUNDS + MORE_ROUNDS):
        racing = entrants if turn < ROUNDS else _unsettled(samples)
        if not racing:
            break
        for probe in probes:
            probe.measure()
        first = turn % len(racing)
        for entrant in racing[first:] + racing[:first]:
            worker, case = entrant.worker, entrant.case
            times = samples[entrant]
            enough = LEAST_ROUNDS <= turn < ROUNDS and sum(times) > EXCESS * budget
            if enough or worker.name in failures[case]:
                continue
            try:
                times += worker.sample(case, entrant.variant, budget / ROUNDS)
            except Failure as failure:
                failures[case][worker.name] = str(failure)
    return samples


def _unsettled(samples: Mapping[Entrant, list[float]]) -> list[Entrant]:
    """Return those that decide a race, of the cases where the machine disturbed one of them."""
    timings: dict[AnyCase, dict[Entrant, Timing]] = defaultdict(dict)
    for entrant, times in samples.items():
        if times:
            timings[entrant.case][entrant] = Timing.of(times)
    unsettled: list[Entrant] = []
    for of_case in timings.values():
        fastest = min(timing.low for timing in of_case.values())
        decisive = {
            entrant: timing
            for entrant, timing in of_case.items()
            if timing.low <= DECISIVE * fastest
        }
        if any(timing.median > UNSETTLED * timing.low for timing in decisive.values()):
            unsettled += decisive
    return unsettled


def _record(
    section: str,
    case: AnyCase,
    samples: Mapping[Entrant, list[float]],
    errors: Mapping[str, Mapping[str, float]],
    failures: Mapping[str, str],
) -> dict[str, Any]:
    timings: dict[str, dict[str, Any]] = defaultdict(dict)
    for entrant, times in samples.items():
        name, variant = entrant.worker.name, entrant.variant
        right = errors.get(name, {}).get(variant, 0.0) <= TOLERANCE[case.dtype]
        if entrant.case == case and times and name not in failures and right:
            timings[name][variant] = Timing.of(times).as_dict()
    return {
        "section": section,
        **case.entries(),
        "timings": dict(timings),
        "errors": {
            name: {variant: _rounded(error) for variant, error in of_library.items()}
            for name, of_library in errors.items()
        },
        "failures": dict(failures),
    }


def _rounded(error: float) -> float | None:
    """Two digits, or None for a result that is wrong beyond numbers, which JSON could not hold."""
    return float(f"{error:.2g}") if math.isfinite(error) else None
