"""``python -m benchmarks``: measure, and write figures, page and plots."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import layers, machine, memory, page, plots
from benchmarks.layers import DTYPES, OPERATIONS, Case, Layer
from benchmarks.libraries import LIBRARIES
from benchmarks.peak import Peak
from benchmarks.races import race
from benchmarks.workers import Failure, Worker

SECTIONS = ("direct", "layers", "small", "memory")
PROJECT = Path(__file__).resolve().parent.parent
# For runs that are not the whole benchmark; git ignores it.
TRIALS = PROJECT / "build" / "benchmarks"

BUDGET = 0.35
QUICK_BUDGET = 0.08
RANDOM_CALLS = 1000


@dataclass(frozen=True, slots=True)
class Heat:
    """Cases that race together, and whether peers take part."""

    section: str
    cases: tuple[Case, ...]
    with_peers: bool

    @property
    def layer(self) -> Layer:
        """The layer of all its cases."""
        return self.cases[0].layer


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--what", nargs="+", choices=SECTIONS, default=SECTIONS, help="parts to run (all)"
    )
    parser.add_argument(
        "--layers", nargs="+", metavar="NAME", help="run only these layers, by their names"
    )
    parser.add_argument(
        "--dtype", nargs="+", choices=DTYPES, help=f"element types ({' and '.join(DTYPES)})"
    )
    parser.add_argument(
        "--threads", nargs="+", type=_positive, help="numbers of threads (1 and all processors)"
    )
    parser.add_argument(
        "--libraries",
        nargs="+",
        choices=[name for name in LIBRARIES if name != "convx"],
        help="peers to compare with (all that are installed)",
    )
    parser.add_argument(
        "--budget",
        type=float,
        metavar="SECONDS",
        help=f"time for each library at each case ({BUDGET})",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a glance: float32 on one thread unless told otherwise, and little time for each case",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where benchmarks/results, docs/benchmarks.md and docs/images go: by default the "
        "project for a whole run, build/benchmarks for one that was narrowed down",
    )
    parser.add_argument(
        "--render", type=Path, metavar="FILE", help="measure nothing, write page and plots of this"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    options = parser().parse_args(arguments)
    if options.render:
        run = json.loads(options.render.read_text())
        _write_page(run, options.output or PROJECT)
        return 0
    try:
        heats = list(_heats(options))
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 2
    narrowed = any((options.quick, options.layers, options.dtype, options.threads))
    narrowed |= options.libraries is not None or set(options.what) != set(SECTIONS)
    folder = options.output or (TRIALS if narrowed else PROJECT)
    run = _new_run(arguments if arguments is not None else sys.argv[1:])
    date = run["date"].partition("T")[0]
    file = folder / "benchmarks" / "results" / f"{date}-{machine.slug(run['machine'])}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        for _ in _measure(run, heats, options):
            file.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n")
    except KeyboardInterrupt:
        print("interrupted: what was measured so far is kept", file=sys.stderr)
    _write_page(run, folder)
    return 0 if not page.wrong_results(run, "convx") else 1


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be positive")
    return value


def _threads(options: argparse.Namespace) -> list[int]:
    wish = options.threads or ([1] if options.quick else [1, machine.processors()])
    return sorted(set(wish))


def _dtypes(options: argparse.Namespace) -> list[str]:
    return list(options.dtype or (["float32"] if options.quick else DTYPES))


def _chosen(options: argparse.Namespace) -> dict[str, list[Layer]]:
    """Layers of each section that races."""
    sections = {
        "direct": layers.direct_layers(),
        "layers": layers.network_layers(),
        "small": layers.small_layers(),
    }
    if options.layers:
        known = {layer.name for chosen in sections.values() for layer in chosen}
        if unknown := set(options.layers) - known:
            raise ValueError(f"no such layer: {sorted(unknown)}; there are {sorted(known)}")
        sections = {
            section: [layer for layer in chosen if layer.name in options.layers]
            for section, chosen in sections.items()
        }
    return {section: chosen for section, chosen in sections.items() if section in options.what}


def _heats(options: argparse.Namespace) -> Iterator[Heat]:
    threads, dtypes = _threads(options), _dtypes(options)
    for section, chosen in _chosen(options).items():
        for layer in chosen:
            for dtype in dtypes:
                for operation in OPERATIONS:
                    cases = tuple(Case(layer, operation, dtype, count) for count in threads)
                    if section == "direct" and operation != "prepared":
                        yield Heat(section, cases, with_peers=False)
                    elif section == "layers":
                        yield from (Heat(section, (case,), with_peers=True) for case in cases)
                    elif section == "small" and operation in ("forward", "prepared"):
                        yield Heat(section, cases[:1], with_peers=True)


def _new_run(arguments: Iterable[str]) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python -m benchmarks", *arguments]),
        "machine": machine.describe(),
        "versions": {},
        "missing": {},
        "peak": [],
        "records": [],
        "memory": {},
        "seconds": 0,
    }


def _measure(
    run: dict[str, Any], heats: Sequence[Heat], options: argparse.Namespace
) -> Iterator[None]:
    """Fill in a run; it may be kept whenever this yields."""
    begin = datetime.now(UTC)
    budget = options.budget or (QUICK_BUDGET if options.quick else BUDGET)
    # The libraries read these once, when they are loaded. Below this each is told its number.
    most = max(_threads(options))
    os.environ.update({name: str(most) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")})
    names = ["convx"]
    if any(heat.with_peers for heat in heats) or "memory" in options.what:
        names += options.libraries or [name for name in LIBRARIES if name != "convx"]
    if heats:
        peak = Peak(_threads(options), _dtypes(options))
        with ExitStack() as stack:
            workers = _start(names, stack, run)
            for before, heat in zip([None, *heats], _progress(heats)):
                if before is None or heat.layer != before.layer:
                    peak.measure()
                    run["peak"] = peak.as_records()
                taking_part = workers if heat.with_peers else workers[:1]
                run["records"] += race(heat.section, heat.cases, taking_part, budget)
                run["seconds"] = (datetime.now(UTC) - begin).seconds
                yield
    if "memory" in options.what:
        print("memory …", file=sys.stderr)
        run["memory"] = _measure_memory(run, options, names)
        run["seconds"] = (datetime.now(UTC) - begin).seconds
        yield


def _start(names: Iterable[str], stack: ExitStack, run: dict[str, Any]) -> list[Worker]:
    """Start the libraries that are there, and note versions and what is missing."""
    workers = []
    for name in names:
        try:
            worker = stack.enter_context(Worker(name))
        except Failure as failure:
            run["missing"][name] = str(failure)
            continue
        run["versions"][name] = worker.version
        workers.append(worker)
    if "convx" in run["missing"]:
        raise SystemExit(f"convx: {run['missing']['convx']}")
    return workers


def _measure_memory(
    run: dict[str, Any], options: argparse.Namespace, names: Sequence[str]
) -> dict[str, Any]:
    chosen = _chosen(options) if options.layers else {"layers": layers.network_layers()}
    network = chosen.get("layers", []) or layers.network_layers()
    result: dict[str, Any] = {
        "workspaces": memory.workspaces(network, _dtypes(options), max(_threads(options))),
        "peaks": [],
        "over calls": {},
    }
    calls = RANDOM_CALLS // 5 if options.quick else RANDOM_CALLS
    with ExitStack() as stack:
        # New processes: libraries keep memory for threads and shapes that they have seen.
        workers = _start([name for name in ("convx", "PyTorch") if name in names], stack, run)
        for layer in _progress(network):
            for operation in ("forward", "grad_input", "grad_weight"):
                case = Case(layer, operation, "float32", 1)
                growth = {worker.name: worker.peak_memory(case) for worker in workers}
                result["peaks"].append(
                    {
                        "layer": layer.name,
                        "sizes": str(layer),
                        "operation": operation,
                        "result": memory.result_bytes(case),
                        "growth": growth,
                    }
                )
        for worker in workers:
            result["over calls"][worker.name] = worker.memory_over_calls(calls)
    result["calls"] = calls
    return result


def _progress(things: Sequence[Any]) -> Iterable[Any]:
    """Show how far we are, on standard error."""
    try:
        from tqdm import tqdm
    except ImportError:
        return things
    return tqdm(things, file=sys.stderr, unit="race", smoothing=0)


def _write_page(run: dict[str, Any], folder: Path) -> None:
    images = folder / "docs" / "images"
    images.mkdir(parents=True, exist_ok=True)
    drawn = plots.draw(run, images)
    target = folder / "docs" / "benchmarks.md"
    target.write_text(page.render(run, [path.relative_to(target.parent) for path in drawn]))
    shown = target.relative_to(Path.cwd()) if target.is_relative_to(Path.cwd()) else target
    print(f"wrote {shown}")


if __name__ == "__main__":
    sys.exit(main())
