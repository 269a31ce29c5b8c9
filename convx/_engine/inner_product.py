"""Kernels of one tap as products of matrices, by Winograd's inner products.

Two multiply-adds become one, with two additions beside it (``kernels/inner_product.h``). That pays
on processors whose units for additions are idle otherwise: only there it is chosen by itself.

The constants were chosen on an AMD EPYC (Genoa, Zen 4), November 2026.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from convx._core import _inner_product
from convx._engine import costs, direct, machine
from convx._engine.cut import FAR_BYTES, MOST_WEIGHTS, even, merge_pointwise, whole
from convx._engine.problem import DIRECT, Axis, PassPlan, Plan, Problem, Tiling

INNER_PRODUCT = Tiling("inner_product")

# The same on all machines, for bits depend on it: steps of a block of the depth, of which 14 rows
# take three quarters of an L1 cache, and steps that go together.
MOST_STEPS = {"float32": 384, "float64": 192}
STEPS = 3
HEADER = 2  # steps that a panel has besides
PLACE = 8  # bytes of an output's place

COLUMNS = 0.25  # of the L2 cache, for packed columns that panels of rows pass by
ROWS = 0.75  # of the L2 cache, that a piece packs at most
APART = 20  # what an output costs that is no neighbour of another, for estimates
PIECE_WORK = 4 * 10**9  # multiply-adds of a piece: between two of them Ctrl-C is noticed
PIECE = 0.5  # what a piece costs besides, in panels of columns


class Places(NamedTuple):
    """Where elements that are counted through lie; see cx_sequence in network.h."""

    items: int
    item: int
    lines: int
    line: int
    length: int
    step: int

    @property
    def size(self) -> int:
        """How many there are."""
        return self.items * self.lines * self.length


@dataclass(frozen=True, slots=True)
class Matrices:
    """A product of matrices, and how it is cut; see cx_inner_product in network.h."""

    rows: int
    left_row: int
    out_row: int
    left_depth: Places
    right_depth: Places
    columns: Places
    out_columns: Places
    depth_block: int
    row_block: int = 1
    column_block: int = 1
    columns_together: int = 1
    packs: bool = False
    far: bool = False


def tilings(axes: Sequence[Sequence[Axis]]) -> list[Tiling]:
    """The one way of computing a kernel of one tap."""
    return [INNER_PRODUCT] if _place_axes(axes) is not None else []


def estimate(problem: Problem, axes: Sequence[Sequence[Axis]], tiling: Tiling) -> float:
    """Multiply-adds that take as long as the whole product."""
    if problem.groups > 1 or math.prod(problem.kernel) > 1:
        return math.inf
    each = costs.INNER_PRODUCT[problem.kind]
    channels, filters = problem.channels, problem.filters
    outputs = problem.batch * math.prod(choices[0].taps.outputs for choices in axes)
    cost = outputs * filters * whole(channels, STEPS) * each.product
    apart = APART * any(choices[0].taps.out_step > 1 for choices in axes)
    cost += outputs * (channels * each.input + filters * (each.output + apart))
    return cost + (0 if problem.weights_prepared else channels * filters * each.weight)


def plan_passes(problem: Problem, axes: Sequence[Sequence[Axis]], tiling: Tiling) -> list[PassPlan]:
    """Plan what computes the same directly."""
    return direct.plan_passes(problem, axes, DIRECT)


def program(
    plan: Plan, fallback: Callable[[], Any] | None
) -> _inner_product.InnerProductProgram | None:
    """Return what computes a plan by inner products, or None if that is not for it."""
    if plan.algorithm != INNER_PRODUCT.algorithm:
        return None
    matrices = _cut(_matrices(plan.problem, plan.axes), plan.problem)
    planned = replace(plan, packing=("inner_product", plan.problem.weights_transposed))
    return _inner_product.InnerProductProgram(planned, machine.ISA, matrices, fallback)


def _place_axes(axes: Sequence[Sequence[Axis]]) -> list[Axis] | None:
    """Return up to two axes of the places that outputs take, or None if there are others."""
    if not axes or any(len(choices) != 1 for choices in axes):
        return None
    for (axis,) in axes:
        taps = axis.taps
        reaches = (taps.outputs - 1) * taps.stride < axis.in_size
        plain = (taps.out_start, axis.phases) == (0, 1) and axis.halo is None
        if taps.coordinates.tolist() != [0] or taps.outputs < 1 or not (reaches and plain):
            return None
    merged = merge_pointwise([axis for (axis,) in axes])
    return merged if len(merged) <= 2 else None


def _matrices(problem: Problem, axes: Sequence[Sequence[Axis]]) -> Matrices:
    places = _place_axes(axes)
    assert places is not None
    batch, channels, filters = problem.batch, problem.channels, problem.filters
    counts = [axis.taps.outputs for axis in places]
    steps = [axis.in_stride * axis.taps.stride for axis in places]
    inputs = _of_items(batch, problem.in_batch, counts, steps)
    steps = [axis.out_stride * axis.taps.out_step for axis in places]
    outputs = _of_items(batch, problem.out_batch, counts, steps)
    depth_of = Places(1, 0, 1, 0, channels, problem.in_channel)
    if problem.kind == "weight_gradient":
        along = Places(1, 0, 1, 0, channels, 1)
        block = _depth_block(problem, inputs.size)
        return Matrices(
            filters, problem.out_channel, channels, outputs, inputs, depth_of, along, block
        )
    filter_step, channel_step = (1, filters) if problem.weights_transposed else (channels, 1)
    weights = Places(1, 0, 1, 0, channels, channel_step)
    block = _depth_block(problem, channels)
    return Matrices(
        filters, filter_step, problem.out_channel, weights, depth_of, inputs, outputs, block
    )


def _of_items(batch: int, item: int, counts: Sequence[int], steps: Sequence[int]) -> Places:
    """Return the places of all items, along one axis or two."""
    lines, line = (counts[0], steps[0]) if len(counts) > 1 else (1, 0)
    return Places(batch, item, lines, line, counts[-1], steps[-1])


def _depth_block(problem: Problem, depth: int) -> int:
    return whole(even(depth, MOST_STEPS[problem.dtype]), STEPS)


def _cut(matrices: Matrices, problem: Problem) -> Matrices:
    """Choose pieces: blocks of columns that all rows go over, which are packed for the whole call.

    Or each piece packs rows by itself, which then stay in its cache: where they have to be packed
    for a call of fewer columns, or are very many, and in gradients. Threads share the longer side.
    """
    lanes, threads = 64 // problem.item_size, problem.threads
    panel_rows = _inner_product.panel_rows(machine.ISA, problem.dtype)
    panels = -(-matrices.rows // panel_rows)
    columns = -(-matrices.columns.size // lanes)
    panel_bytes = (matrices.depth_block + HEADER) * lanes * problem.item_size + PLACE * lanes
    most = max(1, int(COLUMNS * machine.L2_BYTES) // panel_bytes)
    by_rows = matrices.rows >= matrices.columns.size
    packed_bytes = problem.weights * problem.item_size
    packs = problem.weights_prepared or not (by_rows or packed_bytes > MOST_WEIGHTS)
    packs &= problem.kind != "weight_gradient"
    if packs:
        column_block = together = _even_block(columns, most, threads)
        row_block = -(-panels // max(1, threads // -(-columns // column_block)))
    else:
        row_bytes = matrices.depth_block * panel_rows * problem.item_size
        most_panels = max(1, int(ROWS * machine.L2_BYTES) // row_bytes)
        work = matrices.rows * matrices.columns.size * matrices.right_depth.size
        shares = threads * (1 + work // (threads * PIECE_WORK))
        row_block = even(-(-panels // shares) if by_rows else panels, most_panels)
        column_block = columns if by_rows else -(-columns // shares)
        together = even(column_block, most)
    in_one = matrices.right_depth.size <= matrices.depth_block
    size = matrices.rows * matrices.columns.size * problem.item_size
    return replace(
        matrices,
        row_block=row_block,
        column_block=column_block * lanes,
        columns_together=together * lanes,
        packs=packs,
        far=in_one and size >= FAR_BYTES and problem.dtype == "float32",
    )


def _even_block(columns: int, most: int, threads: int) -> int:
    """Return panels of columns for a piece, so that threads end at about the same time."""

    def slowest(block: int) -> float:
        pieces, rest = divmod(columns, block)
        rounds = -(-pieces // threads)
        alone = rest if pieces % threads == 0 else 0
        return rounds * (block + PIECE) + alone

    return min(range(1, min(most, columns) + 1), key=slowest)
