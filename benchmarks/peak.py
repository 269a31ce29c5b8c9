"""The FMA peak: multiply-adds a second that the machine can do at all, measured as we go.

NumPy has no multiply-add, so a small C program is compiled for the machine (``peak.c``). It runs
chains of them in registers, 128, 256 and 512 bits wide; the fastest width counts.

A shared machine is not always equally fast. So the peak is taken many times over a run, between
the layers. Each sample is the best of several short bursts, which leaves out interruptions; the
peak is the median of the samples: like the medians that it is compared with, it belongs to the
whole run and not to its luckiest moment.
"""

import ctypes
import os
import platform
import shlex
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.layers import DTYPES

WIDTHS = (16, 32, 64)
BURSTS = 4
BURST_SECONDS = 0.004


class Peak:
    """The samples of the peak over a run.

    Parameters
    ----------
    threads : sequence of int
        The numbers of threads to measure it for.
    dtypes : sequence of str, optional
        The element types.
    """

    def __init__(self, threads: Sequence[int], dtypes: Sequence[str] = DTYPES) -> None:
        self._library = _compile()
        self._samples: dict[tuple[str, int], list[float]] = {
            (dtype, count): [] for dtype in dtypes for count in threads
        }
        self._widths = {
            dtype: max((self._best(dtype, width, 1), width) for width in WIDTHS)[1]
            for dtype in dtypes
        }

    def measure(self) -> None:
        """Take one more sample of each."""
        for (dtype, threads), samples in self._samples.items():
            samples.append(self._best(dtype, self._widths[dtype], threads))

    def flops(self, dtype: str, threads: int) -> float:
        """FLOPs per second at the peak, as known so far."""
        return statistics.median(self._samples[dtype, threads])

    def as_records(self) -> list[dict[str, Any]]:
        """Return what goes into the file of results."""
        return [
            {
                "dtype": dtype,
                "threads": threads,
                "bits": 8 * self._widths[dtype],
                "gflops": round(1e-9 * statistics.median(samples), 2),
                "least": round(1e-9 * min(samples), 2),
                "most": round(1e-9 * max(samples), 2),
                "samples": len(samples),
            }
            for (dtype, threads), samples in self._samples.items()
            if samples
        ]

    def _best(self, dtype: str, width: int, threads: int) -> float:
        burst = self._library[f"peak_{dtype}_{width}"]
        burst.argtypes, burst.restype = [ctypes.c_double], ctypes.c_double
        if threads == 1:
            return max(float(burst(BURST_SECONDS)) for _ in range(BURSTS))
        # Threads do not start at the same moment: longer bursts overlap for nearly all their time.
        together = threading.Barrier(threads)

        def work(_: int) -> float:
            together.wait()
            return float(burst(4 * BURST_SECONDS))

        with ThreadPoolExecutor(threads) as pool:
            return max(sum(pool.map(work, range(threads))) for _ in range(BURSTS))


def _compile() -> ctypes.CDLL:
    """Compile and load the C program."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    native = (
        "-mcpu=native" if platform.machine().lower() in ("arm64", "aarch64") else "-march=native"
    )
    source = Path(__file__).with_name("peak.c")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "peak.so")
        command = [*compiler, "-O3", native, "-ffp-contract=fast", "-w", "-shared", "-fPIC"]
        command += [str(source), "-o", str(library)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as problem:
            reason = getattr(problem, "stderr", None) or problem
            raise SystemExit(
                f"the FMA peak needs a C compiler, {compiler[0]} failed: {reason}"
            ) from problem
        return ctypes.CDLL(str(library))
