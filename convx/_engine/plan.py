"""Plans: which algorithm computes a convolution, in which passes.

A plan is a pure function of shapes, strides, element type, thread count and machine. Only speed
depends on the last two.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

from convx._engine import direct, fft, inner_product, machine, map_convolution, winograd
from convx._engine.problem import DIRECT, Axis, NotedPlan, PassPlan, Plan, Problem, Tiling
from convx._engine.threads import WORK_PER_THREAD

# Each has `tilings` of a problem's axes, `plan_passes`, and an `estimate` of what one costs: for
# one group, in multiply-adds of a product at full speed.
ALGORITHMS: dict[str, ModuleType] = {
    "direct": direct,
    "winograd": winograd,
    "fft": fft,
    "inner_product": inner_product,
}


def plan(
    problem: Problem, axes: Sequence[Sequence[Axis]], out_shape: tuple[int, ...], algorithm: str
) -> Plan:
    """Plan a problem in passes, one for each choice among what ``axes`` has for every axis."""
    outputs = math.prod(out_shape)
    work = problem.channels * math.prod(problem.kernel) * outputs
    problem = replace(problem, threads=max(1, min(problem.threads, work // WORK_PER_THREAD)))
    tiling = choose_tiling(problem, axes, algorithm) if work else DIRECT
    passes = ALGORITHMS[tiling.algorithm].plan_passes(problem, axes, tiling) if work else []
    written = sum(one.outputs for one in passes)
    per_channel = math.prod(out_shape[2:])
    gradient = problem.kind == "weight_gradient"
    return Plan(
        kind=problem.kind,
        dtype=problem.dtype,
        algorithm=tiling.algorithm,
        out_shape=(problem.weights,) if gradient else out_shape,
        passes=tuple(passes),
        packs=not gradient and _pack_once(passes, problem),
        writes_all=gradient or written == per_channel,
        threads=problem.threads,
        packing=tuple(one.packing for one in passes),
        falls_back=tiling.algorithm != "direct",
        problem=problem,
        axes=tuple(map(tuple, axes)) if work else (),
    )


# Items of the batch that an algorithm is chosen for, whatever the batch is.
ITEMS = 2


def choose_tiling(problem: Problem, axes: Sequence[Sequence[Axis]], algorithm: str) -> Tiling:
    """Choose how a problem is computed: by the given algorithm, or the one estimated to be fastest.

    The choice depends on the shapes of the weights and of an item, and on whether the weights are
    prepared; for the weights' gradient on the number of items instead. So neither the other items
    of a batch nor threads change the bits of a result.
    """
    if algorithm == "direct" or not _is_floating(problem):
        return DIRECT
    problem = as_chosen(problem)
    names = [*ALGORITHMS] if algorithm == "auto" else [algorithm]
    if algorithm == "auto" and map_convolution.is_strided(problem, axes):
        names.remove("winograd")  # it gathers phases, which takes longer than maps do
    if algorithm == "auto" and not machine.ADDS_BESIDE:
        names.remove("inner_product")
    found = {
        tiling: ALGORITHMS[name].estimate(problem, axes, tiling)
        for name in names
        for tiling in ALGORITHMS[name].tilings(axes)
    }
    best = min(found, key=found.__getitem__, default=DIRECT)
    return best if found.get(best, math.inf) < math.inf else DIRECT


def as_chosen(problem: Problem) -> Problem:
    """Return what a choice looks at: the same whatever the batch is, but all that is summed."""
    return problem if problem.kind == "weight_gradient" else replace(problem, batch=ITEMS)


def estimates(plan: Plan | NotedPlan) -> dict[str, float]:
    """What a planned call would cost with each algorithm that can compute it."""
    costs_of: dict[str, float] = {}
    if not isinstance(plan, Plan):
        return {plan.algorithm: plan.work}
    problem, axes = plan.problem, plan.axes
    for name, module in ALGORITHMS.items() if axes else ():
        tiling = choose_tiling(problem, axes, name)
        if tiling.algorithm == name:
            costs_of[name] = problem.groups * module.estimate(problem, axes, tiling)
    return costs_of


def _is_floating(problem: Problem) -> bool:
    return problem.dtype in ("float32", "float64")


def _pack_once(passes: Sequence[PassPlan], problem: Problem) -> bool:
    """Whether to pack the weights once for a call rather than for every task.

    Always if they are transformed, unless that is done in passing. Else not if no thread has
    several tasks for them: what others pack has to come from their caches.
    """
    if any(one.tiling.axes for one in passes):
        return not any(one.in_passing for one in passes)
    shared = any(
        -(-one.batch // one.items) * one.boxes > problem.threads
        and not (one.strided or one.lanes or one.parts is not None)
        for one in passes
    )
    most = max((one.packed_size for one in passes), default=0)
    return shared and most * problem.item_size <= machine.L2_BYTES
