"""``python -m benchmarks.calibrate``: fit the constants of the cost model to measured times.

They stand in ``convx/_engine/costs.py``. Layers of networks, and others that tell the constants
apart, are computed by every algorithm that can, in its most promising tilings. They take turns, so
that drift hits them all, and the fastest sample of each counts: others may be at work on the
machine. The table shows, for every algorithm, milliseconds and the estimate in millions of
multiply-adds, what ``algorithm="auto"`` takes, and what it loses to the fastest of all.

    python -m benchmarks.calibrate              # measure all layers, show the constants that fit
    python -m benchmarks.calibrate --check      # layers of networks alone: exit 1 above 15 per cent

The fit needs SciPy.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import convx
from benchmarks import machine, timing
from benchmarks.blocking import replaced
from benchmarks.layers import DTYPES, OPERATIONS, Case, network_layers, telling_layers
from benchmarks.libraries import Convx
from benchmarks.run import progress
from convx._engine import costs, execution, plan
from convx._engine.problem import Plan, Tiling

MOST_LOSS = 0.15
ROUNDS = 2
MORE_ROUNDS = 6  # once more where "auto" seems to lose more than it may
SECONDS = 0.05  # for each tiling, case and round
TILINGS = 4  # of an algorithm, those with the lowest estimates
HOPELESS = 8  # an estimate of so many times the direct algorithm's is not tried
CLEAR = 0.85  # of a call's time what the same with prepared weights must take to tell their cost
TINY = 1e-9  # seconds; so that logarithms are finite

TABLES = {
    "direct": costs.DIRECT,
    "positions": costs.POSITIONS,
    "winograd": costs.WINOGRAD,
    "fft": costs.FOURIER,
    "inner_product": costs.INNER_PRODUCT,
}
# Of each constant: algorithm, kind of problem, name.
CONSTANTS = [
    (algorithm, kind, name)
    for algorithm, table in TABLES.items()
    for kind, constants in table.items()
    for name in constants._fields
]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contest:
    """A case, and the seconds of each tiling by which it was computed."""

    case: Case
    plan: Plan
    seconds: dict[Tiling, float]

    @property
    def fastest(self) -> Tiling:
        """The tiling that took the least time."""
        return min(self.seconds, key=self.seconds.__getitem__)

    def estimates(self, as_chosen: bool = False) -> dict[Tiling, float]:
        """Return the estimates of the call, or those by which the choice is made."""
        return {tiling: estimate(self.plan, tiling, as_chosen) for tiling in self.seconds}

    @property
    def taken(self) -> Tiling:
        """What "auto" takes."""
        estimates = self.estimates(as_chosen=True)
        return min(estimates, key=estimates.__getitem__)

    @property
    def loss(self) -> float:
        """By how much what "auto" takes is slower than the fastest."""
        return self.seconds[self.taken] / self.seconds[self.fastest] - 1


def estimate(of: Plan, tiling: Tiling, as_chosen: bool = False) -> float:
    """Return the estimate of a planned call, or of what the planner sees of it."""
    problem = plan.as_chosen(of.problem) if as_chosen else of.problem
    return problem.groups * plan.ALGORITHMS[tiling.algorithm].estimate(problem, of.axes, tiling)


def promising(of: Plan) -> list[Tiling]:
    """Return the tilings to try, the direct algorithm first."""
    limit = HOPELESS * estimate(of, plan.DIRECT, as_chosen=True)
    found: list[Tiling] = []
    for module in plan.ALGORITHMS.values():
        estimates = {one: estimate(of, one, as_chosen=True) for one in module.tilings(of.axes)}
        ordered = sorted(estimates, key=estimates.__getitem__)
        found += [one for one in ordered if estimates[one] < limit][:TILINGS]
    return found


def planned(run: Callable[[], Any]) -> Plan:
    """Return the plan of a call."""
    with execution.recording() as programs:
        run()
    return programs[0].plan


def compete(case: Case) -> Contest:
    """Measure a case, longer where "auto" is not among the fastest."""
    (function, args, options) = Convx().signatures(case)[""]
    run = partial(function, *args, **options)
    of = planned(run)
    samples: dict[Tiling, list[float]] = {tiling: [] for tiling in promising(of)}
    contest = Contest(case, of, {})
    for rounds in (ROUNDS, MORE_ROUNDS):
        for _ in range(rounds):
            for tiling, times in samples.items():
                with replaced(plan, "choose_tiling", lambda *_, tiling=tiling: tiling):
                    run()  # plans
                    times += timing.sample(run, SECONDS)
        contest = replace(contest, seconds={one: min(times) for one, times in samples.items()})
        if contest.loss <= MOST_LOSS:
            break
    return contest


@contextmanager
def constants(values: Sequence[float]) -> Iterator[None]:
    """Let estimates be made with other constants, in the order of CONSTANTS."""
    usual = {algorithm: dict(table) for algorithm, table in TABLES.items()}
    try:
        for (algorithm, kind, name), value in zip(CONSTANTS, values):
            table = TABLES[algorithm]
            table[kind] = table[kind]._replace(**{name: value})
        yield
    finally:
        for algorithm, table in usual.items():
            TABLES[algorithm].update(table)


def in_use() -> list[float]:
    """Return the constants of the source."""
    return [getattr(TABLES[algorithm][kind], name) for algorithm, kind, name in CONSTANTS]


@dataclass(frozen=True, slots=True)
class Samples:
    """What a fit needs of every tiling that was measured: its estimate is linear in constants."""

    estimate: Vector  # with all constants zero
    coefficients: NDArray[np.float64]
    seconds: Vector
    weight: Vector
    dtype: NDArray[np.intp]
    calls: Vector  # 1, or 0 for the difference of two

    @classmethod
    def of(cls, contests: Sequence[Contest]) -> "Samples":
        """Put together what was measured; what is far from the fastest weighs little."""

        def estimates(values: Sequence[float]) -> Vector:
            with constants(values):
                return np.array([cost for one in contests for cost in one.estimates().values()])

        base = estimates([0] * len(CONSTANTS))
        coefficients = [estimates(unit) - base for unit in np.eye(len(CONSTANTS))]
        rows = [(one, tiling) for one in contests for tiling in one.seconds]
        plain = cls(
            base,
            np.stack(coefficients, axis=1),
            np.array([one.seconds[tiling] for one, tiling in rows]),
            np.array([one.seconds[one.fastest] / one.seconds[tiling] for one, tiling in rows]),
            np.array([DTYPES.index(one.case.dtype) for one, _ in rows]),
            np.ones(len(rows)),
        )
        places = {(one.case, tiling): row for row, (one, tiling) in enumerate(rows)}
        return plain.with_differences(
            [
                (row, places[prepared])
                for (case, tiling), row in places.items()
                if case.operation == "forward"
                and (prepared := (replace(case, operation="prepared"), tiling)) in places
            ]
        )

    def with_differences(self, pairs: Sequence[tuple[int, int]]) -> "Samples":
        """Add what preparing the weights saves, where that is a good part of the time."""
        saved = [(a, b) for a, b in pairs if self.seconds[b] < CLEAR * self.seconds[a]]
        whole, part = (np.array([pair[n] for pair in saved], int) for n in (0, 1))
        difference: dict[str, Any] = {
            name: np.concatenate([every, every[whole] - every[part]])
            for name in ("estimate", "coefficients", "seconds", "calls")
            for every in [getattr(self, name)]
        }
        return Samples(
            **difference,
            weight=np.concatenate([self.weight, self.weight[whole]]),
            dtype=np.concatenate([self.dtype, self.dtype[whole]]),
        )


def fit(samples: Samples) -> tuple[list[float], list[float]]:
    """Return the constants that fit best, and seconds of a multiply-add for each element type.

    The logarithms of times are fitted, large errors counting less than their squares. A call takes
    some time besides, whatever computes it.
    """
    from scipy.optimize import least_squares

    types, start = len(DTYPES), np.maximum(in_use(), 1.0)
    fastest = [
        np.min(
            (samples.seconds / np.maximum(samples.estimate, 1))[samples.dtype == one],
            initial=np.inf,
        )
        for one in range(types)
    ]
    # seconds of a multiply-add for each type, seconds of a call, constants
    scale = np.array([*np.nan_to_num(fastest, posinf=1), 1e-5, *start])

    def residuals(scaled: Vector) -> Vector:
        each, call, values = np.split(scaled * scale, [types, types + 1])
        times = each[samples.dtype] * (samples.estimate + samples.coefficients @ values)
        times = times + samples.calls * call + TINY
        return samples.weight * np.log(times / samples.seconds)

    found = least_squares(
        residuals, np.ones(len(scale)), bounds=(1e-9, np.inf), loss="soft_l1", f_scale=0.15
    )
    values = found.x * scale
    return values[types + 1 :].tolist(), values[:types].tolist()


def rounded(values: Sequence[float]) -> list[float]:
    """Round to two digits, or to tenths of what is small."""
    return [round(value, 1) if value < 10 else float(f"{value:.2g}") for value in values]


def as_source(values: Sequence[float]) -> str:
    """Return the tables as they would stand in the source."""
    lines = []
    with constants(values):
        for name in ("DIRECT", "POSITIONS", "WINOGRAD", "FOURIER"):
            lines.append(f"{name} = {{")
            lines += [f'    "{kind}": {one},' for kind, one in getattr(costs, name).items()]
            lines.append("}")
    return "\n".join(lines)


def show(contests: Sequence[Contest]) -> None:
    """Print the table."""
    print(f"{'layer':<20} {'operation':<12} {'dtype':<8} {'taken':<9} {'fastest':<9} loss", end="")
    print("".join(f"{f'{name}: ms, estimate':>26}" for name in plan.ALGORITHMS))
    for one in contests:
        estimates, taken = one.estimates(), one.taken
        case, loss = one.case, 100 * one.loss
        cells = [f"{case.layer.name:<20} {case.operation:<12} {case.dtype:<8}"]
        cells.append(f"{taken.algorithm:<9} {one.fastest.algorithm:<9} {loss:3.0f}%")
        for name in plan.ALGORITHMS:
            tilings = [tiling for tiling in one.seconds if tiling.algorithm == name]
            cell = ""
            if tilings:  # the first is the one with the lowest estimate
                cell = f"{1000 * one.seconds[tilings[0]]:.3f} {estimates[tilings[0]] / 1e6:.1f}"
            cells.append(f"{cell:>25}")
        print(*cells)


def summarize(contests: Sequence[Contest]) -> str:
    """Tell the losses in a line."""
    losses = sorted((one.loss for one in contests), reverse=True)
    above = sum(loss > MOST_LOSS for loss in losses)
    return (
        f"mean loss {100 * np.mean(losses):.1f}%, largest {100 * losses[0]:.0f}%, "
        f"{above} of {len(losses)} above {100 * MOST_LOSS:.0f}%"
    )


def show_fit(contests: Sequence[Contest]) -> None:
    """Print the constants that fit, and what would be lost with them."""
    values, seconds = fit(Samples.of(contests))
    values = rounded(values)
    here = machine.describe()
    print(f"\n# {here['processor']}, {here['isa']}, {here['compiler']}, 1 thread")
    print(as_source(values))
    for dtype, one in zip(DTYPES, seconds):
        if any(contest.case.dtype == dtype for contest in contests):
            print(f"# {dtype}: a product at full speed has {2e-9 / one:.1f} GFLOP/s")
    print(f"now: {summarize(contests)}")
    with constants(values):
        print(f"with these: {summarize(contests)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibrate")
    parser.add_argument("--check", action="store_true", help="only whether auto loses too much")
    parser.add_argument("--layers", nargs="+", metavar="NAME", help="all by default")
    parser.add_argument("--dtype", nargs="+", choices=DTYPES, default=DTYPES)
    parser.add_argument("--operation", nargs="+", choices=OPERATIONS, default=OPERATIONS)
    options = parser.parse_args(arguments)
    layers = network_layers() + ([] if options.check else telling_layers())
    if unknown := set(options.layers or ()) - {layer.name for layer in layers}:
        print(f"no layer {sorted(unknown)}", file=sys.stderr)
        return 2
    cases = [
        Case(layer, operation, dtype, 1)
        for layer in layers
        if options.layers is None or layer.name in options.layers
        for dtype in options.dtype
        for operation in options.operation
    ]
    with convx.threads(1):
        contests = [compete(case) for case in progress(cases, "contests")]
    show(contests)
    print(summarize(contests))
    if options.check:
        return int(any(one.loss > MOST_LOSS for one in contests))
    show_fit(contests)
    return 0


if __name__ == "__main__":
    sys.exit(main())
