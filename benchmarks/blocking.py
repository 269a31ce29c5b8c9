"""``python -m benchmarks.blocking``: choose the constants by which algorithms cut their work.

They stand in ``convx/_engine/direct.py``, ``direct_filters.py``, ``direct_gradient.py`` and
``winograd.py``. Each constant is tried at several values while the others stay as they are, on
dense layers that its algorithm can compute. The values take turns at every layer, so that drift
hits them all. The table shows the mean per cent of the FMA peak, one thread, for each value and
operation.

    python -m benchmarks.blocking                           # all constants, around their values
    python -m benchmarks.blocking direct.STEP=256,320,384   # one of them, these values
    python -m benchmarks.blocking winograd.AT_ONCE --batch 1 --each
"""

import argparse
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

import convx
from benchmarks import timing
from benchmarks.layers import DTYPES, Case, direct_layers
from benchmarks.libraries import Convx
from benchmarks.peak import Peak
from convx._core import _memo
from convx._engine import direct, direct_filters, direct_gradient, execution, problem, winograd

OPERATIONS = ("forward", "grad_input", "grad_weight")
FACTORS = (0.5, 0.75, 1, 1.5, 2)
ROUNDS = 3
SECONDS = 0.03  # for each value, case and round


ALGORITHMS = {
    "direct": direct,
    "direct_filters": direct_filters,
    "direct_gradient": direct_gradient,
    "winograd": winograd,
}


def constants() -> dict[str, float]:
    """Return the constants, by algorithm and name."""
    return {
        f"{algorithm}.{name}": value
        for algorithm, module in ALGORITHMS.items()
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int | float) and not hasattr(problem, name)
    }


@contextmanager
def replaced(module: ModuleType, name: str, value: object) -> Iterator[None]:
    """Let plans be made with something else, from now on and until the end of the context."""
    usual = getattr(module, name)
    setattr(module, name, value)
    # Programs made otherwise are forgotten, and the shortcut that would remember them.
    execution._programs.clear()
    _memo.suspend_memos(1)
    try:
        yield
    finally:
        setattr(module, name, usual)
        execution._programs.clear()
        _memo.suspend_memos(-1)


def compare(
    name: str, values: Sequence[float], cases: Sequence[Case], peak: Peak
) -> dict[tuple[float, Case], float]:
    """Return the fraction of the peak for each value and case."""
    fractions = {}
    algorithm, _, constant = name.partition(".")
    for case in cases:
        run = Convx().calls(case)[""].run
        samples: dict[float, list[float]] = defaultdict(list)
        peak.measure()
        for _ in range(ROUNDS):
            for value in values:
                with replaced(ALGORITHMS[algorithm], constant, value):
                    run()  # plans
                    samples[value] += timing.sample(run, SECONDS)
        for value, times in samples.items():
            rate = case.layer.flops / statistics.median(times)
            fractions[value, case] = rate / peak.flops(case.dtype, case.threads)
    return fractions


def report(
    name: str, values: Sequence[float], fractions: dict[tuple[float, Case], float], each: bool
) -> None:
    """Print the tables of a constant."""
    groups: dict[str, list[Case]] = defaultdict(list)
    for _, case in fractions:
        groups[f"{case.dtype[0]}{case.dtype[-2:]} {case.operation}"].append(case)
        if each:
            groups[f"{case.layer} {case.dtype} {case.operation}"].append(case)
    print(f"\n{name} = {constants()[name]}")
    wide = max(map(len, groups))
    print(" " * wide, *(f"{value:>7}" for value in values))
    for title, cases in sorted(groups.items(), key=lambda item: len(item[0])):
        means = [
            100 * statistics.mean(fractions[value, case] for case in cases) for value in values
        ]
        best = max(means)
        cells = (f"{mean:6.1f}{'*' if mean == best else ' '}" for mean in means)
        print(f"{title:<{wide}}", *cells, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.blocking")
    parser.add_argument("constants", nargs="*", metavar="NAME[=VALUE,…]", help="all by default")
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8], help="batch sizes")
    parser.add_argument("--dtype", nargs="+", choices=DTYPES, default=DTYPES)
    parser.add_argument("--operation", nargs="+", choices=OPERATIONS, default=OPERATIONS)
    parser.add_argument("--each", action="store_true", help="show every layer too")
    options = parser.parse_args(arguments)
    wishes = [one.partition("=") for one in options.constants or constants()]
    if unknown := {name for name, _, _ in wishes} - constants().keys():
        print(f"no such constant: {sorted(unknown)}; there are {constants()}", file=sys.stderr)
        return 2
    peak = Peak((1,), options.dtype)
    with convx.threads(1):
        for name, _, text in wishes:
            algorithm, usual = name.partition(".")[0], constants()[name]
            cases = [
                Case(layer, operation, dtype, 1, algorithm)
                for layer in direct_layers(options.batch)
                if algorithm != "winograd" or layer.kernel == (3, 3)
                for dtype in options.dtype
                for operation in options.operation
            ]
            if text:
                values = [type(usual)(one) for one in text.split(",")]
            elif isinstance(usual, int):
                values = list(dict.fromkeys(max(1, round(factor * usual)) for factor in FACTORS))
            else:
                values = [factor * usual for factor in FACTORS]
            report(name, values, compare(name, values, cases, peak), options.each)
    return 0


if __name__ == "__main__":
    sys.exit(main())
