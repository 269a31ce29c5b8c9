"""Plans: which algorithm computes a convolution, in which passes.

A plan is a pure function of shapes, strides, element type, thread count and machine. Only speed
depends on the last two.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

from convx._engine import direct, fft, machine, winograd
from convx._engine.problem import DIRECT, Axis, PassPlan, Plan, Problem, Tiling
from convx._engine.threads import WORK_PER_THREAD

# Each has `tilings` of a problem's axes, `plan_passes`, and an `estimate` of what one costs: for a
# group of an item, or all items of a weight gradient, in multiply-adds of a product at full speed.
ALGORITHMS: dict[str, ModuleType] = {"direct": direct, "winograd": winograd, "fft": fft}


def plan(
    problem: Problem, axes: Sequence[Sequence[Axis]], out_shape: tuple[int, ...], algorithm: str
) -> Plan:
    """Plan a problem in passes, one for each choice among what ``axes`` has for every axis."""
    outputs = math.prod(out_shape)
    work = problem.channels * math.prod(problem.kernel) * outputs
    problem = replace(problem, threads=max(1, min(problem.threads, work // WORK_PER_THREAD)))
    tiling = choose_tiling(problem, axes, algorithm) if work else DIRECT
    transforms = tiling.axes > 0
    passes = ALGORITHMS[tiling.algorithm].plan_passes(problem, axes, tiling) if work else []
    written = sum(one.outputs for one in passes)
    per_channel = math.prod(out_shape[2:])
    gradient = problem.kind == "weight_gradient"
    row_parts = max((one.row_parts for one in passes), default=1)
    return Plan(
        kind=problem.kind,
        dtype=problem.dtype,
        algorithm=tiling.algorithm,
        out_shape=(row_parts, problem.weights) if gradient else out_shape,
        passes=tuple(passes),
        packs=not gradient and (transforms or _pack_once(passes, problem)),
        writes_all=gradient or written == per_channel,
        threads=problem.threads,
        packing=tuple(one.packing for one in passes),
        falls_back=transforms,
    )


# Of the direct algorithm's cost, what another may be estimated at to be chosen.
WORTHWHILE = 0.9


def choose_tiling(problem: Problem, axes: Sequence[Sequence[Axis]], algorithm: str) -> Tiling:
    """Choose how a problem is computed: by the given algorithm, or the one estimated to be fastest.

    The choice depends on the shapes of the weights and of an item, and on whether the weights are
    prepared; for the weights' gradient on the number of items instead. So neither the other items
    of a batch nor threads change the bits of a result.
    """
    if algorithm == "direct" or problem.dtype not in ("float32", "float64"):
        return DIRECT
    limit = math.inf
    if algorithm == "auto":
        limit = WORTHWHILE * direct.estimate(problem, axes, DIRECT)
    estimates = {
        tiling: module.estimate(problem, axes, tiling)
        for name, module in ALGORITHMS.items()
        if algorithm in ("auto", name)
        for tiling in module.tilings(axes)
    }
    best = min(estimates, key=estimates.__getitem__, default=DIRECT)
    return best if estimates.get(best, math.inf) < limit else DIRECT


def _pack_once(passes: Sequence[PassPlan], problem: Problem) -> bool:
    """Whether to pack the weights once for a call rather than for every box."""
    shared = any(
        one.batch * one.boxes > one.items and not (one.strided or one.lanes) for one in passes
    )
    return shared and problem.weights * problem.item_size <= machine.L2_BYTES // 2
