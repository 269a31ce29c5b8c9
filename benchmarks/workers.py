"""A process for each library.

Libraries keep threads, and threads that wait for work often spin: in one process, or while another
process is timed, they would take a processor from whoever is measured. So every library has a
process of its own, which is stopped by a signal whenever it is not its turn.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from benchmarks import cases, memory, timing
from benchmarks.cases import AnyCase
from benchmarks.libraries import LIBRARIES, Call, Library
from benchmarks.sweep_calls import Samples
from benchmarks.sweeps import SweepCase

# No answer for this long means that the library hangs.
PATIENCE = 300.0


class Failure(Exception):
    """A library raised, crashed, or did not answer."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a library said to a case.

    Attributes
    ----------
    errors : dict of str to float
        The error of each variant's result, relative.
    moved : int
        Bytes that a sweep reads and writes.
    """

    errors: dict[str, float]
    moved: int = 0


class Worker:
    """A library in a process of its own; a context manager that ends the process.

    Parameters
    ----------
    name : str
        A key of :data:`benchmarks.libraries.LIBRARIES`.

    Raises
    ------
    Failure
        If the library is not installed, or cannot be imported.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._start()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def prepare(self, case: AnyCase, expected: Samples | None = None) -> Prepared:
        """Make a case ready, run all its variants once, and check the results.

        Those of layers are known; those of others are held against what is expected of them.
        """
        return Prepared(*self._ask("prepare", case, expected))

    def expected(self, case: AnyCase) -> Samples:
        """Ask PyTorch for what is expected of a sweep, or SciPy of a filter."""
        samples: Samples = self._ask("expected", case)
        return samples

    def sample(self, case: AnyCase, variant: str, seconds: float) -> list[float]:
        """Time a variant of a case that was prepared."""
        times: list[float] = self._ask("sample", case, variant, seconds)
        return times

    def forget(self) -> None:
        """Let go of the prepared cases."""
        self._ask("forget")

    def variants(self, case: AnyCase) -> list[str]:
        """Names of the ways in which the library computes a case."""
        names: list[str] = self._ask("variants", case)
        return names

    def peak_memory(self, case: AnyCase, variant: str | None = None) -> int | None:
        """Growth of resident memory by one call; see :func:`benchmarks.memory.peak_of`."""
        growth: int | None = self._ask("peak_memory", case, variant)
        return growth

    def memory_over_calls(self, calls: int) -> list[int]:
        """Resident memory as calls go by; see :func:`benchmarks.memory.over_calls`."""
        series: list[int] = self._ask("memory_over_calls", calls)
        return series

    def close(self) -> None:
        """End the process; it has nothing to save, and may be stopped or hang."""
        self._connection.close()
        self._process.kill()
        self._process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, there = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(there, self.name), name=self.name, daemon=True
        )
        self._process.start()
        there.close()
        try:
            self.version = self._answer()
        except Failure:
            self.close()
            raise
        self._signal(signal.SIGSTOP)

    def _ask(self, method: str, *args: object) -> Any:
        self._signal(signal.SIGCONT)
        try:
            self._connection.send((method, args))
            return self._answer()
        finally:
            self._signal(signal.SIGSTOP)

    def _answer(self) -> Any:
        if not self._connection.poll(PATIENCE):
            raise self._restarted(f"no answer in {PATIENCE:.0f} s")
        try:
            succeeded, value = self._connection.recv()
        except (EOFError, ConnectionError):
            raise self._restarted("the process died") from None
        if not succeeded:
            raise Failure(value)
        return value

    def _restarted(self, reason: str) -> Failure:
        """Begin anew after a crash, unless it was at the start."""
        self.close()
        if hasattr(self, "version"):
            self._start()
        return Failure(reason)

    def _signal(self, which: signal.Signals) -> None:
        if self._process.pid is not None and self._process.is_alive():
            os.kill(self._process.pid, which)


class _Server:
    """The other end: answers for one library, in its process."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._calls: dict[AnyCase, dict[str, Call]] = {}

    def prepare(self, case: AnyCase, expected: Samples | None) -> tuple[dict[str, float], int]:
        self._library.use_threads(case.threads)
        calls = cases.calls_of(self._library, case)
        self._calls[case] = calls
        errors, moved = {}, 0
        for variant, call in calls.items():
            result = call.read(call.run())
            errors[variant] = cases.error_of(case, result, expected)
            if isinstance(case, SweepCase):
                moved = call.reads + sum(one.nbytes for one in result)
        return errors, moved

    def expected(self, case: AnyCase) -> Samples:
        return cases.expected(case)

    def sample(self, case: AnyCase, variant: str, seconds: float) -> list[float]:
        self._library.use_threads(case.threads)
        return timing.sample(self._calls[case][variant].run, seconds)

    def forget(self) -> None:
        self._calls.clear()

    def variants(self, case: AnyCase) -> list[str]:
        return list(cases.calls_of(self._library, case))

    def peak_memory(self, case: AnyCase, variant: str | None) -> int | None:
        return memory.peak_of(self._library, case, variant)

    def memory_over_calls(self, calls: int) -> list[int]:
        return memory.over_calls(self._library, calls)


def _serve(connection: Connection, name: str) -> None:
    """Answer requests until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it is told, and ends it
    _die_with_parent()
    try:
        library = LIBRARIES[name]()
    except ImportError as problem:
        connection.send((False, f"not installed: {problem}"))
        return
    connection.send((True, library.version))
    server = _Server(library)
    with suppress(EOFError, BrokenPipeError):
        while True:
            method, args = connection.recv()
            try:
                connection.send((True, getattr(server, method)(*args)))
            except Exception as problem:  # whatever a peer raises is its result
                connection.send((False, f"{type(problem).__name__}: {problem}"))


def _die_with_parent() -> None:
    """Have Linux end this process, stopped or not, with the one that started it."""
    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
