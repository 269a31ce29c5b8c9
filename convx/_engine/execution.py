"""Running planned maps on arrays: conversion, allocation, and the cache of programs."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from convx._core import _driver, _memo, _memory
from convx._engine import inner_product, interleaving, machine, map_convolution, map_gradient
from convx._engine.dtypes import KERNEL_DTYPES, AnyArray, as_kernel_operand, is_kernel_layout
from convx._engine.problem import NotedPlan, Plan
from convx._engine.threads import get_num_threads

# Enough for the layers of a large network; the oldest are forgotten, and programs with large tables
# are not kept, so memory stays bounded over calls of ever new shapes.
MOST_PROGRAMS = 256
MOST_TABLE_BYTES = 256 * 1024


class Map(Hashable, Protocol):
    """A linear map between arrays of known shapes; equal maps have equal plans."""

    def direct(self) -> "Map":
        """Return the same map, computed directly."""
        ...

    def plan(self, direction: str, strides: tuple[int, ...], dtype: str, threads: int) -> Plan:
        """Plan one direction of the map, from an array with these strides in elements."""
        ...


# The weights of one convolution, by how they are packed.
PackedWeights = dict[tuple[object, ...], AnyArray]

# What a memo remembers: spatial axes, input, weight, bias, residual, options.
Call = tuple[object, object, object, object, object, tuple[object, ...]]


class Finish(NamedTuple):
    """What becomes of the sums of a convolution: ``activation(sums + residual)``."""

    residual: AnyArray | None = None
    activation: _driver.Activation = _driver.Activation()


class Noted(NamedTuple):
    """What is told of a call that no program runs."""

    plan: NotedPlan
    workspace_bytes: int
    threads: int


SUMS_ALONE = Finish()

_programs: dict[Hashable, _driver.Program] = {}
_recording: ContextVar[list[_driver.Program | Noted] | None] = ContextVar(
    "convx_recording", default=None
)


def program(of: Map, direction: str, strides: tuple[int, ...], dtype: str) -> _driver.Program:
    """Return the program of a map, from the cache where it is there."""
    key = (of, direction, strides, dtype, get_num_threads())
    found = _programs.get(key)
    if found is None:
        plan = of.plan(*key[1:])
        fallback = partial(program, of.direct(), *key[1:4]) if plan.falls_back else None
        found = (
            inner_product.program(plan, fallback)
            or map_convolution.program(plan, fallback)
            or map_gradient.program(plan, fallback)
            or interleaving.program(plan)
        )
        if found is None:
            passes = [_driver.Pass(one) for one in plan.passes]
            found = _driver.Program(plan, machine.ISA, passes, fallback)
        if plan.table_bytes <= MOST_TABLE_BYTES:
            while len(_programs) >= MOST_PROGRAMS:
                _programs.pop(next(iter(_programs)), None)
            _programs[key] = found
    return found


@contextmanager
def recording() -> Iterator[list[_driver.Program | Noted]]:
    """Collect the programs of the calls in this context instead of running them."""
    programs: list[_driver.Program | Noted] = []
    token = _recording.set(programs)
    _memo.suspend_memos(1)
    try:
        yield programs
    finally:
        _memo.suspend_memos(-1)
        _recording.reset(token)


def is_recording() -> bool:
    """Tell whether the calls of this context are collected instead of run."""
    return _recording.get() is not None


def note(algorithm: str, work: int, workspace_bytes: int, threads: int) -> None:
    """Let `recording` collect a call that no program runs."""
    recorder = _recording.get()
    if recorder is not None:
        recorder.append(Noted(NotedPlan(algorithm, work), workspace_bytes, threads))


def run(
    of: Map,
    direction: str,
    x: AnyArray,
    weight: AnyArray,
    bias: AnyArray | None,
    out: AnyArray | None = None,
    packed: PackedWeights | None = None,
    finish: Finish = SUMS_ALONE,
) -> AnyArray:
    """Apply a map to operands of one real type, and return the result in the same type.

    For a weight gradient, ``weight`` is the gradient of the output, and the result has one axis of
    all weights. Packed weights are taken from ``packed``, and put there when they are
    not yet. Only a forward map has a ``finish``: there all the outputs are sums, or none is.
    """
    kernel = KERNEL_DTYPES[x.dtype]
    x_operand = as_kernel_operand(x, kernel)
    strides = tuple(stride // kernel.itemsize for stride in x_operand.strides)
    chosen = program(of, direction, strides, kernel.name)
    shape = chosen.out_shape
    recorder = _recording.get()
    if recorder is not None:
        recorder.append(chosen)
        return np.broadcast_to(np.zeros((), x.dtype), shape)
    residual, activation = finish
    result = target(out, shape, kernel, x, weight, bias, residual)
    bias_operand, residual_operand = (
        None if one is None else as_kernel_operand(one, kernel, contiguous=True)
        for one in (bias, residual)
    )
    if not chosen.plan.work:
        result[...] = 0
    if bias_operand is not None and not (chosen.plan.writes_all and chosen.plan.work):
        result[...] = bias_operand.reshape(-1, *(1,) * (len(shape) - 2))
    if chosen.plan.work:
        weight_operand = as_kernel_operand(weight, kernel, contiguous=True)
        weights_packed = None
        if packed is not None:
            weights_packed = packed.get(chosen.plan.packing)
            if weights_packed is None:
                packed.clear()
                weights_packed = packed[chosen.plan.packing] = chosen.pack(weight_operand)
        result = chosen.run(
            x_operand,
            weight_operand,
            bias_operand,
            residual_operand,
            activation,
            weights_packed,
            result,
        )
    elif finish is not SUMS_ALONE:
        chosen.finish(residual_operand, activation, result)
    if kernel.itemsize == x.dtype.itemsize:
        return deliver(result.view(x.dtype), out)
    return deliver(result.astype(x.dtype), out)


def target(
    out: AnyArray | None,
    shape: tuple[int, ...],
    kernel: np.dtype[np.generic],
    *operands: AnyArray | None,
) -> AnyArray:
    """Memory for the result: that of ``out`` if a kernel can write there."""
    if (
        out is not None
        and out.flags.c_contiguous
        and out.flags.aligned
        and out.dtype.itemsize == kernel.itemsize
        and out.dtype.isnative
        and not any(one is not None and np.may_share_memory(out, one) for one in operands)
    ):
        return out.view(kernel).reshape(shape)
    return _memory.new_result(shape, kernel)


def deliver(result: AnyArray, out: AnyArray | None) -> AnyArray:
    """Return the result, or ``out`` with the result in it."""
    if out is None or _recording.get() is not None:
        return result
    if not np.may_share_memory(result, out):
        out[...] = result.reshape(out.shape)
    return out


def remember(
    memo: _memo.CallMemo,
    call: Call,
    of: Map,
    direction: str,
    operands: tuple[AnyArray | None, ...],
    result: AnyArray,
    packed: PackedWeights | None = None,
) -> None:
    """Let a memo answer calls like this one, if a kernel can take the arrays as they came."""
    x, *others = (one for one in operands if one is not None)
    kernel = KERNEL_DTYPES[x.dtype]
    if (
        x.dtype.kind == "c"
        or kernel.itemsize != x.dtype.itemsize
        or not is_kernel_layout(x, kernel)
        or not all(is_kernel_layout(one, kernel, contiguous=True) for one in others)
        or _recording.get() is not None
    ):
        return
    strides = tuple(stride // kernel.itemsize for stride in x.strides)
    chosen = _programs.get((of, direction, strides, kernel.name, get_num_threads()))
    bias = call[3]  # what is not written is zero without it
    if chosen is not None and (chosen.plan.writes_all or bias is None) and chosen.plan.work:
        weights = None if packed is None else packed.get(chosen.plan.packing)
        memo.remember(call, chosen, result.shape, result.dtype, weights)
