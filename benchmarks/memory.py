"""Memory: what a call takes besides its arrays, and whether it grows from call to call."""

import ctypes
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import AnyCase, calls_of
from benchmarks.filters import FilterCase
from benchmarks.layers import OPERATIONS, Case, Layer, operands
from benchmarks.libraries import Convx, Library
from benchmarks.machine import processors

# Over the random calls resident memory is read so many times.
READINGS = 20


def workspaces(
    layers: Sequence[Layer], dtypes: Sequence[str], threads: int
) -> list[dict[str, Any]]:
    """Workspace of every layer and operation, as :func:`convx.explain` tells it.

    Returns
    -------
    list of dict
        For each case the bytes on one thread, and on ``threads``.
    """
    import convx

    records = []
    for layer in layers:
        for dtype in dtypes:
            for operation in OPERATIONS:
                case = Case(layer, operation, dtype, 1)
                function, args, options = Convx().signatures(case)[""]
                told = []
                for count in (1, threads):
                    with convx.threads(count):
                        told.append(convx.explain(function, *args, **options))
                records.append(
                    {
                        "layer": layer.name,
                        "sizes": str(layer),
                        "operation": operation,
                        "dtype": dtype,
                        "algorithm": told[0].algorithm,
                        "one": told[0].workspace_bytes,
                        "threads": told[1].threads,
                        "all": told[1].workspace_bytes,
                    }
                )
    return records


def peak_of(library: Library, case: AnyCase, variant: str | None = None) -> int | None:
    """Growth of resident memory at the height of one call, its result included.

    The call is made in a forked child, so that each case begins with the same memory; a small
    one goes first, for what a library sets up only once. Without a variant it is the first.

    Returns
    -------
    int or None
        Bytes; None where the system does not tell.
    """
    if isinstance(case, Case):
        operands(case.layer, case.dtype)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write_end, str(_growth_by_call(library, case, variant)).encode())
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return int(text) if text else None


def _growth_by_call(library: Library, case: AnyCase, variant: str | None) -> int:
    library.use_threads(case.threads)
    calls, small = calls_of(library, case), calls_of(library, _small(case))
    variant = next(iter(calls)) if variant is None else variant
    # The cache keeps the operands of one layer only.
    kept = operands(case.layer, case.dtype) if isinstance(case, Case) else None
    run = calls[variant].run
    small.get(variant, next(iter(small.values()))).run()
    _give_back()
    Path("/proc/self/clear_refs").write_text("5")  # begin a new high-water mark
    before = _status("VmRSS")
    run()
    del kept
    return max(0, _status("VmHWM") - before)


def _small(case: AnyCase) -> AnyCase:
    """Return a case of the same kind that takes hardly any memory."""
    if isinstance(case, Case):
        rank = case.layer.rank
        layer = Layer("warm-up", 1, 2, (9,) * rank, 2, (3,) * rank)
        return Case(layer, case.operation, case.dtype, 1)
    return FilterCase("small_signal", case.dtype, 1)


def _give_back() -> None:
    """Return free memory to the system, where glibc can, so that using it again is seen."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def result_bytes(case: Case) -> int:
    """Size of the result of a case."""
    return math.prod(case.result_shape) * np.dtype(case.dtype).itemsize


def over_calls(library: Library, calls: int) -> list[int]:
    """Resident memory, in bytes, as calls of ever new random shapes go by.

    Returns
    -------
    list of int
        Readings at even distances, the last one after the last call.
    """
    generator = np.random.default_rng(20)
    library.use_threads(processors())
    readings = []
    for index in range(calls):
        layer = _random_layer(generator, index)
        operation = ("forward", "grad_input", "grad_weight")[index % 3]
        library.calls(Case(layer, operation, "float32", 1))[""].run()
        if (index + 1) * READINGS % calls < READINGS:
            readings.append(_status("VmRSS"))
    return readings


def _random_layer(generator: np.random.Generator, index: int) -> Layer:
    """Draw a layer of one to three axes whose arrays have at most some 100,000 elements."""
    rank = 1 + index // 3 % 3
    longest = {1: 1024, 2: 40, 3: 12}[rank]
    groups = int(generator.choice((1, 1, 2, 4)))
    kernel = tuple(map(int, generator.integers(1, 6, rank)))
    return Layer(
        name=f"random_{index}",
        batch=int(generator.integers(1, 3)),
        channels=groups * int(generator.integers(1, 9)),
        size=tuple(int(generator.integers(k + 1, longest)) for k in kernel),
        filters=groups * int(generator.integers(1, 9)),
        kernel=kernel,
        stride=int(generator.integers(1, 3)),
        padding=int(generator.integers(0, 3)),
        groups=groups,
    )


def _status(entry: str) -> int:
    """Bytes that the kernel notes for this process."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{entry}:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise OSError(f"the system does not tell {entry}")
    return 1024 * int(found[1])
