"""Discrete Fourier transforms of tiles: where they apply, and how their passes are cut.

Tiles of inputs overlap by what the kernel spans. Two neighbouring tiles, a *pair*, are transformed
as one, and pairs or groups are the lanes of vectors.

The constants were chosen on an AMD EPYC (Turin, Zen 5) with 1 MiB of L2 cache, GCC 12, November
2026.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from convx._core import _driver
from convx._engine import costs, machine
from convx._engine.cut import (
    MOST_WEIGHTS,
    are_neighbours,
    axis_plans,
    even,
    fits,
    outer_sum,
    outer_taps,
    pass_plan,
    split,
    tile_sizes,
    transformed,
    vector_size,
    whole,
    with_phases,
)
from convx._engine.problem import Axis, PassPlan, Problem, Tiling

POINTS = {1: (16, 32, 64, 128, 256, 512, 1024), 2: (16, 32, 64, 128)}  # along each of so many axes
MOST_TAPS = 0.75  # of the points along an axis
MOST_SPECTRA = 2**20  # bytes of the spectra of a task, for vectors of 64 bytes
NEAR_POINTS = 256  # of a line that stays in the L1 cache


def tilings(axes: Sequence[Sequence[Axis]]) -> list[Tiling]:
    """All the ways of transforming the last axes that there are."""
    found: list[Tiling] = []
    for count in range(1, min(len(axes), 2) + 1):
        last = axes[-count:]
        taps = [max((len(axis.taps.coordinates) for axis in one), default=0) for one in last]
        alike = all(
            len(axis.taps.coordinates) == most and are_neighbours(axis.taps)
            for choices, most in zip(last, taps)
            for axis in choices
        )
        if not alike or taps[0] < 2 or taps[-1] < 1:
            continue
        sizes = [
            _sizes(most, max(axis.taps.outputs for axis in choices), POINTS[count])
            for most, choices in zip(taps, last)
        ]
        for points in itertools.product(*sizes):
            tiles = tuple(n - most + 1 for n, most in zip(points, taps))
            found.append(Tiling("fft", tiles, tuple(taps)))
    return found


def _sizes(taps: int, outputs: int, points: Sequence[int]) -> list[int]:
    """Numbers of points along an axis, up to the first that takes all outputs in one tile."""
    sizes: list[int] = []
    for n in points:
        if taps <= MOST_TAPS * n:
            sizes.append(n)
            if n - taps + 1 >= outputs:
                break
    return sizes


def estimate(problem: Problem, axes: Sequence[Sequence[Axis]], tiling: Tiling) -> float:
    """Multiply-adds that take as long as a group."""
    each = costs.FOURIER["forward"]
    first = len(axes) - tiling.axes
    reduction, filters = problem.channels * outer_taps(axes[:first]), problem.filters
    spectra = reduction + (reduction * filters > 1)
    lanes = vector_size(problem)
    groups = 1 if problem.groups == 1 else whole(problem.groups, lanes)
    kernels = groups * filters * reduction * 2 * tiling.points * problem.item_size
    if problem.kind == "weight_gradient" or kernels > MOST_WEIGHTS:
        return math.inf
    if spectra * tiling.points * 128 > MOST_SPECTRA:
        return math.inf
    unit = lanes if problem.groups < lanes else 1  # the lanes are pairs, or groups
    phased = [[with_phases(axis) for axis in choices] for choices in axes[first:]]
    pairs = sum(
        math.prod(axis.phases for axis in chosen) * _lanes(_pair_counts(chosen, tiling), unit)
        for chosen in itertools.product(*axes[:first], *phased)
    )
    columns, rows = tiling.points_along[-1], tiling.points // tiling.points_along[-1]
    along = rows * columns * math.log2(columns)
    down = columns * rows * math.log2(rows)
    right = along * (tiling.tiles[0] / rows if tiling.axes == 2 else 1)
    tap_rows = along * (tiling.taps[0] / rows if tiling.axes == 2 else 1)
    moved = each.move * tiling.points
    if columns > NEAR_POINTS:
        moved += each.far * along
    per_pair = reduction * (each.transform * (along + down) + moved)
    per_pair += filters * (each.transform * (down + right) + moved)
    per_pair += each.product * filters * reduction * tiling.points
    prepared = problem.weights_prepared
    weights = 0 if prepared else filters * reduction * (each.transform * (tap_rows + down) + moved)
    weights *= whole(filters, unit) / filters  # filters are lanes while kernels are made
    return problem.batch * pairs * per_pair + weights


def plan_pass(problem: Problem, tiling: Tiling) -> PassPlan:
    """Cut a pass so that its scratch memory stays below twice the L2 cache."""
    problem = transformed(problem, tiling)
    lanes = _driver.register_block(machine.ISA, problem.dtype)[0]
    counts = _pair_counts(problem.axes, tiling)
    pairs = math.prod(counts)
    as_lanes = -(-problem.groups // lanes) * pairs < problem.groups * -(-pairs // lanes)
    together = pairs if as_lanes else lanes
    cut = _cut(problem, tiling, as_lanes, _block(counts, together, as_lanes))
    while together > 1 and not fits(cut, problem):
        together //= 2
        cut = _cut(problem, tiling, as_lanes, _block(counts, together, as_lanes))
    return cut


def _pair_sizes(axes: Sequence[Axis], tiling: Tiling) -> list[int]:
    """Outputs of a pair of tiles along each axis: neighbours along the last one that has two."""
    sizes = tile_sizes(axes, tiling)
    for a in reversed(range(len(axes) - tiling.axes, len(axes))):
        if axes[a].phase_outputs > sizes[a]:
            sizes[a] *= 2
            break
    else:
        sizes[-1] *= 2
    return sizes


def _pair_counts(axes: Sequence[Axis], tiling: Tiling) -> list[int]:
    """Pairs along each axis, of a phase."""
    sizes = _pair_sizes(axes, tiling)
    return [-(-axis.phase_outputs // size) for axis, size in zip(axes, sizes)]


def _lanes(counts: Sequence[int], unit: int) -> int:
    """Lanes of the vectors that take so many pairs along each axis, a block of them in each."""
    rows, last = math.prod(counts[:-1]), counts[-1]
    blocks = ((columns, unit // columns) for columns in range(1, min(unit, last) + 1))
    return unit * min((-(-last // wide) * -(-rows // high) for wide, high in blocks), default=0)


def _block(counts: Sequence[int], together: int, as_lanes: bool) -> list[int]:
    """Pairs of a box along each axis: as lanes of a vector with the fewest vectors in all."""
    if as_lanes:
        return split(counts, together, 1)
    blocks = [
        [*split(counts[:-1], together // columns, 1), columns]
        for columns in range(1, min(together, counts[-1]) + 1)
    ]
    return min(blocks, key=lambda block: _boxes(counts, block))


def _boxes(counts: Sequence[int], block: Sequence[int]) -> int:
    return math.prod(-(-count // size) for count, size in zip(counts, block))


def _cut(problem: Problem, tiling: Tiling, as_lanes: bool, block: Sequence[int]) -> PassPlan:
    lanes, narrowest, _ = _driver.register_block(machine.ISA, problem.dtype)
    axes, sizes = problem.axes, _pair_sizes(problem.axes, tiling)
    blocks = [count * size for count, size in zip(block, sizes)]
    plans, tap_tables = axis_plans(axes, blocks, tiles=sizes)
    tiles, first = tile_sizes(axes, tiling), len(axes) - tiling.axes
    points = [*(1,) * first, *tiling.points_along]
    plans = tuple(
        replace(
            axis, tile=tile, points=n, pair_outputs=size, roots=_roots(n) if a >= first else None
        )
        for a, (axis, tile, n, size) in enumerate(zip(plans, tiles, points, sizes))
    )
    boxes = math.prod(axis.blocks for axis in plans)
    task_groups = lanes if as_lanes else 1
    alike = -(-problem.groups // task_groups) * boxes
    taps = math.prod(len(axis.taps.coordinates) for axis in axes)
    return pass_plan(
        problem,
        axes,
        plans,
        outer_sum(tap_tables),
        items=even(problem.batch, problem.batch * alike // (4 * problem.threads)),
        task_groups=task_groups,
        channel_block=task_groups * problem.channels,
        tap_block=taps,
        narrowest=narrowest,
        lanes=as_lanes,
        tiling=tiling,
    )


def _roots(n: int) -> NDArray[np.float64]:
    """Return cos and -sin of 2 pi k / n for k < n, alternating."""
    angles = [2 * math.pi * k / n for k in range(n)]
    pairs = ((math.cos(angle), -math.sin(angle)) for angle in angles)
    return np.array([*itertools.chain(*pairs)])
