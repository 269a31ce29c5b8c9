"""How many threads a call may use.

The count is the smallest of what applies: :func:`threads` or :func:`set_num_threads`, else
``CONVX_NUM_THREADS``, else the processors of the affinity mask and of the cgroup quota; and what
OpenMP itself would use, which follows ``OMP_NUM_THREADS`` and threadpoolctl.
"""

import math
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from convx._core import _parallel
from convx._engine.arguments import thread_count

MOST_THREADS = 1024

# Multiply-adds below which another thread costs more than it brings: waking one takes some 5 µs
# (AMD EPYC Genoa, 2 cores, November 2026; benchmarks/threads.py).
WORK_PER_THREAD = 400_000


def _quota() -> int:
    """Processors that the control group grants, or many where there is no quota."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return MOST_THREADS


def _default() -> int:
    try:
        wish = int(os.environ["CONVX_NUM_THREADS"])
    except (KeyError, ValueError):
        wish = 0
    if 1 <= wish <= MOST_THREADS:
        return wish
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(processors, _quota(), MOST_THREADS)


@contextmanager
def _without_nonsense(name: str) -> Iterator[None]:
    """Hide an environment variable that is no list of counts: LLVM's OpenMP aborts on "1.5"."""
    value = os.environ.get(name, "1")
    if all(count.strip().isdecimal() for count in value.split(",")):
        yield
        return
    del os.environ[name]
    try:
        yield
    finally:
        os.environ[name] = value


_parallel.set_default_threads(_default())
with _without_nonsense("OMP_NUM_THREADS"):
    _parallel.current_threads()  # OpenMP reads its environment when it is asked for the first time


def get_num_threads() -> int:
    """Return the number of threads that a large enough call uses.

    Examples
    --------
    >>> import convx
    >>> with convx.threads(1):
    ...     convx.get_num_threads()
    1
    """
    return _parallel.current_threads()


def set_num_threads(n: int) -> None:
    """Let the calls of this process use up to ``n`` threads.

    Parameters
    ----------
    n : int
        From 1 to 1024. What OpenMP was told, by ``OMP_NUM_THREADS`` say, remains a limit.

    Raises
    ------
    TypeError, ValueError
        If `n` is not an integer, or out of range.

    Examples
    --------
    >>> import convx
    >>> convx.set_num_threads(2)
    """
    _parallel.set_default_threads(thread_count(n, MOST_THREADS))


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Let the calls of this context, in this thread or task, use up to ``n`` threads.

    Parameters
    ----------
    n : int
        From 1 to 1024.

    Raises
    ------
    TypeError, ValueError
        If `n` is not an integer, or out of range.

    Examples
    --------
    >>> import convx
    >>> with convx.threads(1):
    ...     y = convx.functional.conv1d([[1.0, 2.0, 3.0]], [[[1.0, 1.0]]])
    """
    token = _parallel.scoped_threads.set(thread_count(n, MOST_THREADS))
    try:
        yield
    finally:
        _parallel.scoped_threads.reset(token)


_UNCHANGED = nullcontext()  # made once: small calls would notice


def workers_or_all(workers: object) -> AbstractContextManager[None]:
    """Return a context in which calls use up to so many threads; None changes nothing."""
    if workers is None:
        return _UNCHANGED
    return threads(thread_count(workers, MOST_THREADS, "workers"))


if hasattr(os, "register_at_fork"):
    # A forked child has none of its parent's worker threads, and the OpenMP runtime of GCC would
    # wait for them forever.
    os.register_at_fork(after_in_child=_parallel.stay_serial)
