"""``python -m benchmarks.threads``: choose WORK_PER_THREAD of ``convx/_engine/threads.py``.

Layers of growing work are computed on one thread and on several, however small they are. Two
kinds of use differ: calls that follow one another, between which the waiting threads still spin,
and calls after a pause, for which they must be woken. The table shows the times of both, and the
work from which on several threads are faster; WORK_PER_THREAD is that divided by their number.
"""

import argparse
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from time import perf_counter, sleep

import convx
from benchmarks import timing
from benchmarks.blocking import replaced
from benchmarks.layers import Case, Layer
from benchmarks.libraries import Convx
from benchmarks.machine import processors
from convx._engine import plan

CHANNELS = 16
PLANES = (2, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91)
ROUNDS = 5
SECONDS = 0.02  # for each case and round
PAUSED_CALLS = 6  # in each round
PAUSE = 0.02  # long enough for threads to fall asleep
# Several threads must gain that much before they are worth occupying.
WORTH = 1.05


def after_pauses(run: Callable[[], object]) -> list[float]:
    """Return the seconds of calls that each come after a pause."""
    times = []
    for _ in range(PAUSED_CALLS):
        sleep(PAUSE)
        begin = perf_counter()
        run()
        times.append(perf_counter() - begin)
    return times


def compare(layer: Layer, operation: str, counts: Sequence[int]) -> dict[tuple[str, int], float]:
    """Return the median seconds for each use and number of threads."""
    run = Convx().calls(Case(layer, operation, "float32", 1))[""].run
    samples: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for count in counts:
            with convx.threads(count):
                run()
                samples["in a row", count] += timing.sample(run, SECONDS)
                samples["after a pause", count] += after_pauses(run)
    return {key: statistics.median(times) for key, times in samples.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.threads")
    parser.add_argument("--threads", type=int, default=processors(), help="how many are compared")
    parser.add_argument(
        "--operation", choices=("forward", "grad_input", "grad_weight"), default="forward"
    )
    options = parser.parse_args(arguments)
    many = options.threads
    if many < 2:
        print("there is nothing to compare with one thread", file=sys.stderr)
        return 2
    uses = ("in a row", "after a pause")
    pays: dict[str, int | None] = dict.fromkeys(uses)
    print(
        f"{'multiply-adds':>14}", *(f"{use + ', µs: 1':>20} {many:>8} {'ratio':>6}" for use in uses)
    )
    with replaced(plan, "WORK_PER_THREAD", 1):
        for plane in PLANES:
            layer = Layer(
                f"plane_{plane}", 1, CHANNELS, (plane, plane), CHANNELS, (3, 3), padding=1
            )
            medians = compare(layer, options.operation, (1, many))
            work = layer.flops // 2
            cells = []
            for use in uses:
                alone, together = medians[use, 1], medians[use, many]
                cells.append(f"{1e6 * alone:20.1f} {1e6 * together:8.1f} {alone / together:6.2f}")
                if alone / together < WORTH:
                    pays[use] = None
                elif pays[use] is None:
                    pays[use] = work
            print(f"{work:>14,}", *cells, flush=True)
    for use, least in pays.items():
        if least is None:
            print(f"calls {use}: {many} threads never pay here")
        else:
            print(f"calls {use}: {many} threads pay from {least:,}: {least // many:,} for each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
