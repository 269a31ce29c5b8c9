"""Discrete Fourier transforms of tiles: where they apply, and how their passes are cut.

Tiles of inputs overlap by what the kernel spans. Two neighbouring tiles, a *pair*, are transformed
as one, and pairs or groups are the lanes of vectors.

The constants were chosen on an AMD EPYC (Turin, Zen 5) with 1 MiB of L2 cache, GCC 12, November
2026.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from convx._core import _driver
from convx._engine import costs, machine
from convx._engine.cut import (
    MOST_WEIGHTS,
    are_neighbours,
    axis_plans,
    choices_of,
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
NEAR_POINTS = 256  # of a line that stays in the L1 cache
VECTOR = 64  # bytes of the vectors that bounds are for
MOST_SPECTRA = 2**20  # bytes of the spectra of a task
# Of a gradient of weights. The order of its sum follows from these, so no machine changes them.
SMALL_SUMS = 2**20  # bytes of the sums of a task up to which they are few
MOST_SUMS = 2**22  # and which they must not exceed
MOST_TILES = 2**19  # bytes of the tiles of a step, for which steps are made smaller
ROW_PARTS = 8  # parts that it is summed in where there are few groups
LEAST_STEPS = 4  # of a part: transforming its sums back costs about as much as a step


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
    outer = outer_taps(axes[: len(axes) - tiling.axes])
    reduction, filters = problem.channels * outer, problem.filters
    gradient = problem.kind == "weight_gradient"
    if not (_sums_fit if gradient else _spectra_fit)(problem, tiling, outer):
        return math.inf
    lanes = vector_size(problem)
    unit = lanes if problem.groups < lanes else 1  # the lanes are pairs, or groups
    each = costs.FOURIER["weight_gradient" if gradient else "forward"]
    tile = _TileCosts.of(tiling, each)
    products = filters * reduction * tiling.points
    per_pair = reduction * tile.whole + filters * tile.outputs + each.product * products
    if gradient:
        if products * 2 * VECTOR > SMALL_SUMS:
            per_pair += each.far_product * products
        pairs = _pairs_of_gradient(axes, tiling, unit, problem.batch)
        one = pairs * per_pair + unit * filters * reduction * tile.taps
        return one * whole(problem.groups, lanes) / problem.groups if unit == 1 else one
    # filters are lanes while kernels are made
    weights = 0 if problem.weights_prepared else whole(filters, unit) * reduction * tile.taps
    return problem.batch * _pairs(axes, tiling, unit) * per_pair + weights


def _spectra_fit(problem: Problem, tiling: Tiling, outer: int) -> bool:
    """Whether the spectra of weights, and those of a task, are few enough."""
    reduction, filters = problem.channels * outer, problem.filters
    groups = 1 if problem.groups == 1 else whole(problem.groups, vector_size(problem))
    weights = groups * filters * reduction * 2 * tiling.points * problem.item_size
    spectra = reduction + (reduction * filters > 1)
    return weights <= MOST_WEIGHTS and spectra * tiling.points * 2 * VECTOR <= MOST_SPECTRA


def _sums_fit(problem: Problem, tiling: Tiling, outer: int) -> bool:
    """Whether the sums of a gradient of weights, and the spectra of a task, are few enough."""
    kernels = problem.channels * outer * problem.filters
    lanes = vector_size(problem)
    tasks = -(-problem.groups // lanes) if problem.groups >= lanes else problem.groups
    spectrum = tiling.points * 2 * VECTOR
    # those of inputs that only one filter takes are used one by one; a pair's tile is no larger
    spectra = max(outer, 1 + (problem.channels * outer if problem.filters > 1 else 1))
    sums = kernels * spectrum
    return sums <= MOST_SUMS and tasks * sums <= MOST_WEIGHTS and spectra * spectrum <= MOST_SPECTRA


@dataclass(frozen=True, slots=True)
class _TileCosts:
    """Costs of a tile's transformations: of all rows; of those with outputs; of those with taps."""

    whole: float
    outputs: float
    taps: float

    @classmethod
    def of(cls, tiling: Tiling, each: costs.Fourier) -> "_TileCosts":
        columns = tiling.points_along[-1]
        rows = tiling.points // columns
        used = tiling.tiles[0], tiling.taps[0]
        outputs, taps = used if tiling.axes == 2 else (1, 1)
        along = columns * math.log2(columns)
        moved = each.move * tiling.points + each.transform * columns * rows * math.log2(rows)
        if columns > NEAR_POINTS:
            moved += each.far * rows * along
        row = each.transform * along
        return cls(rows * row + moved, outputs * row + moved, taps * row + moved)


def _pairs(axes: Sequence[Sequence[Axis]], tiling: Tiling, unit: int) -> int:
    """Pairs of tiles of an item in all passes and phases, in whole vectors of so many."""
    first = len(axes) - tiling.axes
    phased = [[with_phases(axis) for axis in choices] for choices in axes[first:]]
    return sum(
        math.prod(axis.phases for axis in chosen) * _lanes(_pair_counts(chosen, tiling), unit)
        for chosen in itertools.product(*axes[:first], *phased)
    )


def _pairs_of_gradient(
    axes: Sequence[Sequence[Axis]], tiling: Tiling, unit: int, items: int
) -> int:
    """The same of all items, where those of several may share a vector."""
    first = len(axes) - tiling.axes
    places = math.prod(sum(axis.taps.outputs for axis in choices) for choices in axes[:first])
    phased = [[with_phases(axis) for axis in choices] for choices in axes[first:]]
    vectors = 0
    for chosen in itertools.product(*phased):
        pairs = places * math.prod(_pair_counts(chosen, tiling))
        boxes = items * math.prod(axis.phases for axis in chosen) * -(-pairs // unit)
        vectors += -(-boxes // max(1, min(items, unit // max(1, pairs))))
    return vectors * unit


def plan_passes(problem: Problem, axes: Sequence[Sequence[Axis]], tiling: Tiling) -> list[PassPlan]:
    """Plan a pass for each choice among what there is for every axis."""
    return [_plan_pass(one, tiling) for one in choices_of(problem, axes)]


def _plan_pass(problem: Problem, tiling: Tiling) -> PassPlan:
    """Cut a pass so that its scratch memory stays below twice the L2 cache."""
    problem = transformed(problem, tiling)
    if problem.kind == "weight_gradient":
        return _plan_gradient(problem, tiling)
    lanes = _driver.register_block(machine.ISA, problem.dtype)[0]
    pairs = math.prod(_pair_counts(problem.axes, tiling))
    as_lanes = -(-problem.groups // lanes) * pairs < problem.groups * -(-pairs // lanes)
    together = pairs if as_lanes else lanes
    cut = _cut(problem, tiling, as_lanes, together)
    while together > 1 and not fits(cut, problem):
        together //= 2
        cut = _cut(problem, tiling, as_lanes, together)
    return cut


def _plan_gradient(problem: Problem, tiling: Tiling) -> PassPlan:
    """Cut a gradient of weights so that the tiles of a step are few enough.

    What is lanes and which pairs are a step set the order of the sum: it must not depend on the
    machine.
    """
    sums = vector_size(problem)
    phases = math.prod(axis.phases for axis in problem.axes)
    pairs = math.prod(_pair_counts(problem.axes, tiling))
    each = problem.batch * phases * pairs
    as_lanes = problem.groups >= sums or each < problem.groups * -(-each // sums)
    together = sums
    if as_lanes:  # the tile of another channel takes the place of the last one's
        together = pairs if problem.channels == 1 else 1
    cut = _cut(problem, tiling, as_lanes, together)
    while together > 1 and _tile_bytes(cut, problem) > MOST_TILES:
        together //= 2
        cut = _cut(problem, tiling, as_lanes, together)
    return cut


def _tile_bytes(cut: PassPlan, problem: Problem) -> int:
    """Bytes of the tiles of a step of a gradient of weights."""
    tiles = vector_size(problem) if cut.lanes else cut.boxes_together
    return tiles * cut.tile_size * problem.item_size


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


def _cut(problem: Problem, tiling: Tiling, as_lanes: bool, together: int) -> PassPlan:
    """Cut into boxes of at most so many pairs, with groups or pairs as lanes."""
    lanes, narrowest, _ = _driver.register_block(machine.ISA, problem.dtype)
    axes, sizes = problem.axes, _pair_sizes(problem.axes, tiling)
    block = _block(_pair_counts(axes, tiling), together, as_lanes)
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
    taps = math.prod(len(axis.taps.coordinates) for axis in axes)
    boxes = math.prod(axis.blocks for axis in plans)
    if problem.kind == "weight_gradient":
        boxes_together = 1 if as_lanes else together // math.prod(block)
        shares = _gradient_shares(problem, as_lanes, problem.batch * boxes, boxes_together)
    else:
        shares = _forward_shares(problem, lanes if as_lanes else 1, boxes)
    return pass_plan(
        problem,
        axes,
        plans,
        outer_sum(tap_tables),
        task_groups=lanes if as_lanes else 1,
        tap_block=taps,
        narrowest=narrowest,
        lanes=as_lanes,
        tiling=tiling,
        **shares,
    )


def _forward_shares(problem: Problem, task_groups: int, boxes: int) -> dict[str, int]:
    alike = -(-problem.groups // task_groups) * boxes
    items = even(problem.batch, problem.batch * alike // (4 * problem.threads))
    return {"items": items, "channel_block": task_groups * problem.channels}


def _gradient_shares(problem: Problem, as_lanes: bool, boxes: int, most: int) -> dict[str, int]:
    """Tasks of a gradient of weights, a step of which has at most so many of all items' boxes."""
    together = even(boxes, most)
    alike = -(-problem.groups // (vector_size(problem))) if as_lanes else problem.groups
    row_parts = 1
    while 2 * row_parts * alike <= ROW_PARTS and 2 * row_parts * LEAST_STEPS * together <= boxes:
        row_parts *= 2
    return {
        "items": 1,
        "channel_block": problem.channels,
        "boxes_together": together,
        "row_parts": row_parts,
    }


def _roots(n: int) -> NDArray[np.float64]:
    """Return cos and -sin of 2 pi k / n for k < n, alternating."""
    angles = [2 * math.pi * k / n for k in range(n)]
    pairs = ((math.cos(angle), -math.sin(angle)) for angle in angles)
    return np.array([*itertools.chain(*pairs)])
