"""Activations of whole arrays, and their gradients."""

from typing import Any

from convx._core import _activations
from convx._core._driver import Activation
from convx._engine import dtypes, machine, sweeps
from convx._engine.dtypes import AnyArray


def activation(name: str, input: object, slope: float = 0.0, out: Any = None) -> AnyArray:
    """Apply an activation to every element."""
    x, dtype = dtypes.sweep_operand(input, "input")
    y = sweeps.new_result(out, x.shape, dtype, x)
    threads = sweeps.threads_for(x.nbytes)
    _activations.activate(machine.ISA, Activation(name, slope), x, y, threads)
    return sweeps.deliver(y, dtype, out)
