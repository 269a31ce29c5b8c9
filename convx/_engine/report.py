"""What convx tells of itself: how a call would be computed, and what it is built and runs on."""

import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, overload

import numpy as np

from convx._core import _driver
from convx._engine import execution, machine, plan
from convx._engine.threads import get_num_threads
from convx._version import __version__


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a call would be computed.

    Attributes
    ----------
    algorithm : str
        The algorithms that the call uses.
    estimates : dict of str to float
        What the call is estimated to cost with each algorithm, in multiply-adds of a product at
        full speed: of the direct algorithm, and of those that can compute it, or a part of it
        while the rest is computed directly. The choice is the same whatever the batch is, so that
        other items do not change the bits of a result: it may not be the cheapest for one.
    flops : int
        Additions and multiplications, without those for padding, bias and transformations.
    workspace_bytes : int
        Memory besides arguments and results: packed weights, and scratch memory of all threads.
    threads : int
        Threads that take part.
    output_shape : tuple of int or tuple of tuple of int
        Shape of the result, or of each of them.
    isa : str
        Instruction set of the kernels.
    """

    algorithm: str
    estimates: dict[str, float] = field(hash=False)
    flops: int
    workspace_bytes: int
    threads: int
    output_shape: tuple[Any, ...]
    isa: str

    def __str__(self) -> str:
        """Tell it in a line."""
        estimates = ", ".join(f"{name} {cost:.3g}" for name, cost in self.estimates.items())
        return (
            f"{self.algorithm}, {self.flops:.3g} FLOPs, {self.workspace_bytes / 1024:.0f} KiB of "
            f"workspace, {self.threads} thread(s), {self.isa}, result {self.output_shape}, "
            f"estimates: {estimates or 'none'}"
        )


def explain(operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Explanation:
    """Tell how a call would be computed, without computing it.

    Parameters
    ----------
    operation : callable
        A function of :mod:`convx.functional`, :mod:`convx.grad` or :mod:`convx.signal`, or a
        prepared convolution. What is no convolution has no algorithm to be chosen: it is run, for
        the shape of its result.
    *args, **kwargs
        The arguments of the call.

    Returns
    -------
    Explanation
        Algorithm, estimated cost of each, FLOPs, workspace in bytes, threads, shape of the result,
        instruction set.

    Raises
    ------
    TypeError, ValueError, MemoryError
        What the call would raise.

    Examples
    --------
    >>> import convx, numpy as np
    >>> x, w = np.ones((1, 8, 32, 32)), np.ones((16, 8, 3, 3))
    >>> told = convx.explain(convx.functional.conv2d, x, w, padding=1, algorithm="direct")
    >>> told.flops, told.output_shape
    (2359296, (1, 16, 32, 32))
    >>> list(told.estimates)
    ['direct', 'winograd', 'fft']
    """
    with execution.recording() as programs:
        result = operation(*args, **kwargs)
    results = result if isinstance(result, tuple) else (result,)
    shapes = tuple(one.shape for one in results if isinstance(one, np.ndarray))
    return Explanation(
        algorithm=" + ".join(dict.fromkeys(one.plan.algorithm for one in programs)) or "none",
        estimates=_sum([plan.estimates(one.plan) for one in programs]),
        flops=sum(2 * one.plan.work for one in programs),
        workspace_bytes=max((one.workspace_bytes for one in programs), default=0),
        threads=max((one.threads for one in programs), default=1),
        output_shape=shapes if isinstance(result, tuple) else shapes[0],
        isa=machine.ISA,
    )


def _sum(parts: list[dict[str, float]]) -> dict[str, float]:
    """Add what the parts of a call cost: directly where an algorithm cannot compute a part."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: sum(part.get(name, part.get("direct", 0)) for part in parts) for name in names}


def _config() -> dict[str, dict[str, Any]]:
    return {
        "versions": {
            "convx": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "cython": _driver.build["cython"],
        },
        "build": {
            "compiler": _driver.build["compiler"],
            "flags": _driver.build["flags"],
            "openmp": _driver.build["openmp"] or False,
        },
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "isa found": list(_driver.instruction_sets()),
            "isa used": machine.ISA,
            "L2 bytes": machine.L2_BYTES,
            "threads": get_num_threads(),
        },
    }


@overload
def show_config(mode: Literal["print"] = "print") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, dict[str, Any]]: ...
def show_config(mode: str = "print") -> dict[str, dict[str, Any]] | None:
    """Show versions, compiler, instruction sets, OpenMP and threads.

    Parameters
    ----------
    mode : {'print', 'dicts'}, optional
        Print them, or return them as dictionaries.

    Returns
    -------
    dict or None
        The sections, for ``mode='dicts'``.

    Raises
    ------
    ValueError
        If `mode` is neither.

    Examples
    --------
    >>> import convx
    >>> sorted(convx.show_config("dicts"))
    ['build', 'machine', 'versions']
    """
    if mode not in ("print", "dicts"):
        raise ValueError(f"mode must be 'print' or 'dicts', got {mode!r}")
    config = _config()
    if mode == "dicts":
        return config
    for section, entries in config.items():
        print(section)
        for name, value in entries.items():
            shown = ", ".join(value) if isinstance(value, list) else value
            print(f"  {name:<10} {shown}")
    return None
