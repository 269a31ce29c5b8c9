"""Norms of windows over any number of spatial axes, and their gradients.

They are sums of powers: the powers and roots are NumPy's.
"""

import math
from typing import Any

import numpy as np

from convx._engine import arguments, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops import pool, pool_tables

# kernel_size, stride, ceil_mode
Given = tuple[object, object, object]


def _windows(axes: int, input: object, power: object, given: Given) -> Any:
    p = arguments.norm_type(power)
    x, dtype, sizes = pool.pool_input(input, axes)
    windows = pool_tables.average_windows(sizes, given[0], given[1], 0, given[2])
    pool_tables.check_output(x.shape, windows, dtype.itemsize)
    return x, dtype, p, windows


def lp_pool(axes: int, input: object, power: object, given: Given, out: Any) -> AnyArray:
    """Return the p-norm of every window."""
    x, dtype, p, windows = _windows(axes, input, power, given)
    result = _norms(x, p, windows)
    sweeps.new_result(out, result.shape, dtype, x)
    return sweeps.deliver(result, dtype, out)


def _norms(x: AnyArray, p: float, windows: tuple[Any, ...]) -> AnyArray:
    if math.isinf(p):
        greatest: AnyArray = pool.maxima(np.abs(x), windows)
        return greatest
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        powers = np.abs(x) if p == 1 else np.square(x) if p == 2 else np.abs(x) ** x.dtype.type(p)
        sums = pool.sums(powers, windows)
        if p == 1:
            return sums
        return np.sqrt(sums) if p == 2 else sums ** x.dtype.type(1 / p)


def lp_pool_gradient(
    axes: int, grad_output: object, input: object, power: object, given: Given, out: Any
) -> AnyArray:
    """Return the gradient of the input: 0 where a norm has none."""
    x, dtype, p, windows = _windows(axes, input, power, given)
    shape = (*x.shape[:-axes], *pool_tables.outputs_of(windows))
    grad = pool.gradient_operand(grad_output, shape, dtype, "of the output")
    if math.isinf(p):
        result = pool.gradient_through(np.abs(x), grad, windows) * np.sign(x)
    else:
        norms = _norms(x, p, windows)
        with np.errstate(all="ignore"):
            there = norms > 0
            scaled = np.where(there | np.isnan(norms), grad * norms ** (1 - p), 0)
            spread = pool.spread_sums(scaled.astype(x.dtype, copy=False), x.shape, windows)
            slope = np.sign(x) * np.abs(x) ** x.dtype.type(p - 1)
            result = np.where(x == 0, 0, slope * spread) if p < 1 else slope * spread
    sweeps.new_result(out, x.shape, dtype, x)
    return sweeps.deliver(result.astype(x.dtype, copy=False), dtype, out)


def global_lp_pool(input: object, power: object, out: Any) -> AnyArray:
    """Return the norm of every plane."""
    sizes = pool.global_input(input)[2]
    return lp_pool(len(sizes), input, power, (sizes, None, False), out)


def global_lp_pool_gradient(
    grad_output: object, input: object, power: object, out: Any
) -> AnyArray:
    """Return the gradient of the input of :func:`global_lp_pool`."""
    sizes = pool.global_input(input)[2]
    given = (sizes, None, False)
    return lp_pool_gradient(len(sizes), grad_output, input, power, given, out)
