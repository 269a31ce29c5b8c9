"""A run: which cases race, with whom, and what is noted."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks import (
    filter_calls,
    layers,
    machine,
    memory,
    sweep_calls,
    sweeps,
    training,
    training_calls,
)
from benchmarks.filters import FILTERS, LARGE, FilterCase
from benchmarks.layers import DTYPES, OPERATIONS, Case, Layer
from benchmarks.libraries import LIBRARIES
from benchmarks.peak import Peak
from benchmarks.races import race
from benchmarks.sweeps import SWEEPS, SweepCase
from benchmarks.training import MODELS, TrainingCase
from benchmarks.workers import Failure, Worker

SECTIONS = ("direct", "layers", "small", "sweeps", "filters", "training", "memory")
OURS, *PEERS = LIBRARIES

BUDGET = 0.08
RANDOM_CALLS = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the benchmark to run, by default all of it.

    Parameters
    ----------
    sections : sequence of str
        Some of :data:`SECTIONS`.
    names : sequence of str or None
        Names of layers, sweeps, filters and networks.
    dtypes : sequence of str
        Element types.
    threads : sequence of int
        Numbers of threads.
    peers : sequence of str
        The libraries to compare with, where they are installed.
    budget : float
        Seconds for each library at each case.
    random_calls : int
        Calls over which the growth of memory is watched.

    Raises
    ------
    ValueError
        If there is no layer of some name.
    """

    sections: Sequence[str] = SECTIONS
    names: Sequence[str] | None = None
    dtypes: Sequence[str] = DTYPES
    threads: Sequence[int] = (1, machine.processors())
    peers: Sequence[str] = tuple(PEERS)
    budget: float = BUDGET
    random_calls: int = RANDOM_CALLS

    def __post_init__(self) -> None:
        known = {layer.name for chosen in _layers().values() for layer in chosen}
        known |= SWEEPS.keys() | FILTERS.keys() | set(MODELS)
        if unknown := set(self.names or ()) - known:
            raise ValueError(f"no layer {sorted(unknown)}; there are {sorted(known)}")

    def layers(self, section: str) -> list[Layer]:
        """Return the layers of a section; memory is measured on those of networks."""
        chosen = _layers()["layers" if section == "memory" else section]
        return [layer for layer in chosen if self.names is None or layer.name in self.names]

    def heats(self) -> list["Heat"]:
        """Return all races."""
        return [
            heat
            for section in self.sections
            if section in _layers()
            for layer in self.layers(section)
            for dtype in self.dtypes
            for operation in OPERATIONS
            for heat in self._heats(section, layer, dtype, operation)
        ]

    def sweeps(self) -> list[SweepCase]:
        """Return all sweeps on all numbers of threads; they are of one element type."""
        return [
            SweepCase(sweep.name, operation, threads)
            for sweep in SWEEPS.values()
            if "sweeps" in self.sections
            and sweeps.DTYPE in self.dtypes
            and (self.names is None or sweep.name in self.names)
            for operation in sweep.operations
            for threads in sorted(set(self.threads))
        ]

    def filters(self) -> list[tuple[FilterCase, ...]]:
        """Return all filters, each on all numbers of threads together."""
        return [
            tuple(FilterCase(name, dtype, count) for count in sorted(set(self.threads)))
            for name in FILTERS
            if "filters" in self.sections and (self.names is None or name in self.names)
            for dtype in self.dtypes
        ]

    def training(self) -> list[TrainingCase]:
        """Return all networks with what is done with them; they are of one element type."""
        return [
            TrainingCase(name, operation, threads)
            for name in MODELS
            if "training" in self.sections
            and "float32" in self.dtypes
            and (self.names is None or name in self.names)
            for operation in training.OPERATIONS
            for threads in sorted(set(self.threads))
        ]

    def _heats(self, section: str, layer: Layer, dtype: str, operation: str) -> Iterator["Heat"]:
        threads = sorted(set(self.threads))
        algorithm = "direct" if section == "direct" else "auto"
        cases = tuple(Case(layer, operation, dtype, count, algorithm) for count in threads)
        if section == "layers":
            yield from (Heat(section, (case,), with_peers=True) for case in cases)
        elif section == "small" and operation in ("forward", "prepared"):
            yield Heat(section, cases[:1], with_peers=True)
        elif section == "direct" and operation != "prepared":
            yield Heat(section, cases, with_peers=False)


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


def new(command: str) -> dict[str, Any]:
    """Return a run of which nothing is measured yet."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "seconds": 0,
        "complete": False,
        "machine": machine.describe(),
        "versions": {},
        "missing": {},
        "peak": [],
        "records": [],
        "memory": {},
        "memory of FFT": [],
    }


def measure(run: dict[str, Any], choice: Choice) -> Iterator[None]:
    """Fill in a run bit by bit; whenever this yields, what is there can be kept."""
    # Libraries read these when they are loaded; later each is told its number of threads.
    most = str(max(choice.threads))
    os.environ.update(OMP_NUM_THREADS=most, MKL_NUM_THREADS=most)
    steps = [
        _races(run, choice),
        _judged(run, choice, "sweeps", choice.sweeps(), sweep_calls.CALLS),
        _filters(run, choice),
        _judged(run, choice, "training", choice.training(), training_calls.CALLS),
    ]
    if "memory" in choice.sections:
        steps.append(_memory(run, choice))
    begin = datetime.now(UTC)
    for step in steps:
        for _ in step:
            run["seconds"] = (datetime.now(UTC) - begin).seconds
            yield
    run["complete"] = True
    yield


def _layers() -> dict[str, list[Layer]]:
    return {
        "direct": layers.direct_layers(),
        "layers": layers.network_layers(),
        "small": layers.small_layers(),
    }


def _races(run: dict[str, Any], choice: Choice) -> Iterator[None]:
    heats = choice.heats()
    if not heats:
        return
    peak = Peak(choice.threads, choice.dtypes)
    peers = choice.peers if any(heat.with_peers for heat in heats) else ()
    with ExitStack() as stack:
        workers = _start([OURS, *peers], stack, run)
        for before, heat in zip([None, *heats], progress(heats, "races")):
            if before is None or heat.layer != before.layer:
                peak.measure()
                run["peak"] = peak.as_records()
            taking_part = workers if heat.with_peers else workers[:1]
            run["records"] += race(heat.section, heat.cases, taking_part, choice.budget)
            yield


def _judged(
    run: dict[str, Any],
    choice: Choice,
    section: str,
    cases: Sequence[SweepCase | TrainingCase],
    libraries: Iterable[str],
) -> Iterator[None]:
    """Race cases one by one; the results must be PyTorch's."""
    if not cases:
        return
    with ExitStack() as stack:
        peers = [name for name in choice.peers if name in libraries]
        workers = _start([OURS, *peers], stack, run)
        judge = next((worker for worker in workers if worker.name == "PyTorch"), None)
        for case in progress(cases, section):
            exact = judge.expected(case) if judge else None
            run["records"] += race(section, [case], workers, choice.budget, exact)
            yield


def _filters(run: dict[str, Any], choice: Choice) -> Iterator[None]:
    heats = choice.filters()
    if not heats:
        return
    with ExitStack() as stack:
        peers = [name for name in choice.peers if name in filter_calls.CALLS]
        workers = _start([OURS, *peers], stack, run)
        judge = next((worker for worker in workers if worker.name == "SciPy"), None)
        for cases in progress(heats, "filters"):
            exact = judge.expected(cases[0]) if judge else None
            records = race("filters", cases, workers, choice.budget, exact)
            # Who has one thread is as fast wherever others have more.
            alone = {
                name: timing
                for name, timing in records[0]["timings"].items()
                if name in filter_calls.ONE_THREAD
            }
            run["records"] += [
                record | {"timings": record["timings"] | alone} for record in records
            ]
            yield
        if choice.names is None:
            for worker in workers:
                run["memory of FFT"] += _memory_of_fft(worker)
            yield


def _memory_of_fft(worker: Worker) -> list[dict[str, Any]]:
    """Growth of memory by the convolution of a large image with a large kernel."""
    case = FilterCase(LARGE.name, "float32", 1)
    variants = worker.variants(case)
    return [
        {
            "library": worker.name,
            "variant": variant,
            "sizes": str(LARGE),
            "dtype": case.dtype,
            "growth": worker.peak_memory(case, variant),
        }
        for variant in variants
    ]


def _memory(run: dict[str, Any], choice: Choice) -> Iterator[None]:
    network = choice.layers("memory")
    peaks: list[dict[str, Any]] = []
    over_calls: dict[str, list[int]] = {}
    run["memory"] = {
        "workspaces": memory.workspaces(network, choice.dtypes, max(choice.threads)),
        "peaks": peaks,
        "over calls": over_calls,
        "calls": choice.random_calls,
    }
    with ExitStack() as stack:
        # New processes: libraries keep memory for the threads and shapes that they have seen.
        names = [name for name in (OURS, "PyTorch") if name in (OURS, *choice.peers)]
        workers = _start(names, stack, run)
        for layer in progress(network, "layers' memory"):
            for operation in ("forward", "grad_input", "grad_weight"):
                case = Case(layer, operation, "float32", 1)
                peaks.append(
                    {
                        "layer": layer.name,
                        "sizes": str(layer),
                        "operation": operation,
                        "result": memory.result_bytes(case),
                        "growth": {worker.name: worker.peak_memory(case) for worker in workers},
                    }
                )
            yield
        for worker in workers:
            over_calls[worker.name] = worker.memory_over_calls(choice.random_calls)
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
    if OURS in run["missing"]:
        raise SystemExit(f"{OURS}: {run['missing'][OURS]}")
    return workers


def progress(things: Sequence[Any], title: str) -> Iterable[Any]:
    """Show on standard error how far we are."""
    try:
        from tqdm import tqdm
    except ImportError:
        return things
    shown: Iterable[Any] = tqdm(things, desc=title, file=sys.stderr, smoothing=0)
    return shown
