"""The engine's parts by themselves: windows, borders, messages, plans."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import strategies as st
from support import MODES, Case, convolutions, randomly

from convx._core import _driver
from convx._engine import arguments, boundary, costs, fft, machine
from convx._engine.plan import ALGORITHMS
from convx._engine.window import Window
from convx._ops.correlation import of_conv, of_transpose, parse_options

windows = st.builds(
    Window,
    size=st.integers(1, 12),
    kernel=st.integers(1, 6),
    stride=st.integers(1, 5),
    dilation=st.integers(1, 4),
    pad_low=st.integers(0, 6),
    pad_high=st.integers(0, 6),
)


def touched(window):
    """All (output, tap, input) that belong together, by trying every position there may be."""
    return {
        (position // window.stride, tap, position + tap * window.dilation - window.pad_low)
        for position in range(0, window.size + window.pad_low + window.pad_high, window.stride)
        for tap in range(window.kernel)
        if position + (window.kernel - 1) * window.dilation
        < window.size + window.pad_low + window.pad_high
    }


@randomly(200, window=windows)
def test_window_sizes(window):
    outputs = {output for output, _, _ in touched(window)}
    assert max(0, window.output_size) == len(outputs)
    assert window.padded().output_size == window.output_size
    assert window.extent == 1 + (window.kernel - 1) * window.dilation


@randomly(200, window=windows)
def test_window_forward(window):
    outputs = max(0, window.output_size)
    (taps,) = window.forward(outputs)
    found = {
        (output, int(tap), output * taps.stride + int(coordinate))
        for output in range(taps.outputs)
        for tap, coordinate in zip(taps.kernel, taps.coordinates, strict=True)
    }
    assert found == touched(window)


@randomly(200, window=windows)
def test_window_adjoint_has_every_pair_once(window):
    """By phases: what a pass reads outside of the outputs is zero and does not count."""
    passes = window.adjoint()
    found = [
        (output, int(tap), one.out_start + place * one.out_step)
        for one in passes
        for place in range(one.outputs)
        for tap, coordinate in zip(one.kernel, one.coordinates, strict=True)
        for output in [place * one.stride + int(coordinate)]
        if 0 <= output < window.output_size
    ]
    expected = {one for one in touched(window) if 0 <= one[2] < window.size}
    assert len(found) == len(set(found))
    assert set(found) == expected


@randomly(200, window=windows, extra=st.integers(0, 4))
def test_window_of_transpose_leads_back(window, extra):
    back = Window.of_transpose(
        window.size,
        window.kernel,
        window.stride,
        window.dilation,
        window.pad_low,
        window.pad_high,
        extra,
    )
    if extra < window.stride:
        assert back.output_size == window.size
    assert back.padded_size == (window.size - 1) * window.stride + window.extent + extra


@pytest.mark.parametrize("mode", MODES)
def test_halo_is_that_of_numpy(mode):
    for size, low, high in itertools.product(range(1, 7), range(0, 20, 3), range(0, 20, 4)):
        found = boundary.halo_sources(mode, size, low, high)
        if mode == "zeros" or low == high == 0:
            assert found is None
        else:
            padded = np.pad(np.arange(size), (low, high), MODES[mode])
            np.testing.assert_array_equal(found, [*padded[:low], *padded[low + size :]])


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "zeros"])
@pytest.mark.parametrize("size", [(1,), (4,), (3, 1), (2, 3, 4)], ids=str)
def test_fold_is_the_adjoint_of_padding(size, mode, rng):
    pads = [(2 * axis + 3, 7 - axis) for axis in range(len(size))]
    pads[0] = (0, 0) if len(size) > 1 else pads[0]
    x = rng.integers(-9, 10, (2, *size))
    padded = np.pad(x, [(0, 0), *pads], MODES[mode])
    y = rng.integers(-9, 10, padded.shape)
    kept = y.copy()
    halos = [boundary.halo_sources(mode, n, low, high) for n, (low, high) in zip(size, pads)]
    folded = boundary.fold(y, halos, [low for low, _ in pads])
    assert folded.shape == x.shape
    assert (folded * x).sum() == (y * padded).sum()
    np.testing.assert_array_equal(y, kept)


# Messages tell the argument, what came, and what is allowed

MESSAGES = [
    (arguments.integer, (0, "stride", 1), "stride must be positive, got 0"),
    (arguments.integer, (-2, "padding", 0), "padding must be non-negative, got -2"),
    (arguments.integer, (1.5, "stride"), "stride must be an integer, got 1.5 of type float"),
    (arguments.integer, (True, "groups"), "groups must be an integer, got the bool True"),
    (arguments.per_axis, ((1, 2, 3), 2, "stride"), "stride .* 2 .*got \\(1, 2, 3\\)"),
    (arguments.pads, ("both", (3,), (1,)), "padding must be 'same', 'valid'.*got 'both'"),
    (arguments.pads, (((1, 2, 3),), (3,), (1,)), "padding must have \\(low, high\\)"),
    (arguments.padding_mode, ("wrap",), "padding_mode .*'circular', got 'wrap'"),
    (
        arguments.algorithm,
        ("fast",),
        "algorithm must be one of 'auto', .*'inner_product', got 'fast'",
    ),
    (arguments.thread_count, (5000, 1024), "n must be at most 1024 threads, got 5000"),
    (arguments.check_windows, ([Window(4, 9)],), "kernel.* 9 .*4 on spatial axis 0"),
    (arguments.check_transpose, ([Window(4, 1)], (3,)), "output_padding .*got 3 .*axis 0"),
    (
        arguments.check_shape,
        ((2,), (3,), "bias", "of filters"),
        "bias must .*\\(3,\\).*got \\(2,\\)",
    ),
]


@pytest.mark.parametrize(
    ("function", "given", "message"), MESSAGES, ids=[m for _, _, m in MESSAGES]
)
def test_messages(function, given, message):
    with pytest.raises((ValueError, TypeError), match=message):
        function(*given)


def test_memory_is_checked_in_exact_arithmetic():
    arguments.check_memory((1000, 1000), 8, "an output")
    for shape in ((2**40, 2**40), (2**63,), (machine.MEMORY_BYTES // 8,)):
        with pytest.raises(MemoryError, match=f"an output.*{shape[0]}.*{machine.MEMORY_BYTES}"):
            arguments.check_memory(shape, 8, "an output")
    arguments.check_memory((2**40, 0, 2**10), 8, "an empty output")
    with pytest.raises(MemoryError, match="strides"):  # nor can NumPy make such an empty array
        arguments.check_memory((2**40, 0, 2**40), 8, "an empty output")


def test_integers_of_other_types():
    class Two:
        def __index__(self):
            return 2

    assert [arguments.integer(one, "n") for one in (np.uint8(2), Two(), np.array(2))] == [2, 2, 2]
    assert type(arguments.integer(np.int16(3), "n")) is int
    assert arguments.per_axis(range(1, 3), 2, "n") == (1, 2)
    assert arguments.pads([[1, np.int8(2)]], (3,), (1,)) == ((1, 2),)


# Plans

DIRECTIONS = ("forward", "adjoint", "weight_gradient")
dtypes = st.sampled_from(["float32", "float64", "uint32", "uint64"])


def correlation(case):
    options = dict(case.all_options)
    kernel = case.kernel
    parsed = parse_options(
        kernel,
        options.get("stride", 1),
        options.get("padding", 0),
        options.get("dilation", 1),
        case.groups,
        options.get("padding_mode", "zeros"),
        options.get("algorithm", "auto"),
        options.get("output_padding", 0),
    )
    shape = case.input_shape if case.batch is not None else (1, *case.input_shape)
    return (of_transpose if case.transposed else of_conv)(shape, case.weight_shape, parsed)


def strides_of(shape):
    return tuple(int(np.prod(shape[axis + 1 :], dtype=int)) for axis in range(len(shape)))


def plan_of(case, direction, dtype="float32", threads=1):
    of = correlation(case)
    shape = of.output_shape if direction == "adjoint" else of.input_shape
    return of.plan(direction, strides_of(shape), dtype, threads)


def outputs_of(one):
    """Offsets of a pass's outputs, box by box."""
    found = []
    for box in itertools.product(*(range(axis.blocks) for axis in one.axes)):
        offsets = np.array([one.out_origin])
        for axis, at in zip(one.axes, box):
            phase, at = divmod(at, axis.blocks // axis.phases)
            first = at * axis.block
            outputs = len(range(phase, axis.outputs, axis.phases))
            end = min(first + axis.block, outputs)
            assert first < end or phase, "an empty box"
            steps = np.arange(first, end) * axis.out_stride
            steps += phase * (axis.out_stride // axis.phases)
            offsets = (offsets[:, None] + steps).ravel()
        found.append(offsets)
    return np.concatenate(found)


any_case = convolutions(ranks=(1, 2, 3)) | convolutions(ranks=(1, 2, 3), transposed=True)


@randomly(120, case=any_case, direction=st.sampled_from(DIRECTIONS[:2]), threads=st.integers(1, 8))
def test_boxes_cover_the_outputs_once(case, direction, threads):
    plan = plan_of(case, direction, threads=threads)
    written = np.sort(np.concatenate([[], *(outputs_of(one) for one in plan.passes)]))
    per_channel = int(np.prod(plan.out_shape[2:]))
    assert (np.diff(written) > 0).all(), "an output is written twice"
    assert (written >= 0).all()
    assert (written < per_channel).all()
    assert plan.writes_all == (len(written) == per_channel)


@randomly(120, case=any_case, direction=st.sampled_from(DIRECTIONS), dtype=dtypes)
def test_plan_invariants(case, direction, dtype):
    plan = plan_of(case, direction, dtype)
    for one in plan.passes:
        for axis in one.axes:
            assert axis.blocks == axis.phases * -(-axis.phase_outputs // axis.block)
            gap = axis.tile_length - sum(axis.strand_length)
            spread = one.slide_rows and axis is one.axes[-1]
            assert 0 <= gap < 128 // np.dtype(dtype).itemsize if spread else gap == 0
        assert one.boxes == np.prod([axis.blocks for axis in one.axes])
        assert one.positions == np.prod([axis.block for axis in one.axes])
        together = one.task_groups if one.tiling.algorithm == "fft" else 1
        assert 1 <= one.channel_block <= max(1, one.channels) * together
        assert 1 <= one.tap_block <= len(one.tap_offset)
        assert one.tap_block == len(one.tap_offset) or one.channel_block == 1
        assert 1 <= one.filter_parts <= one.filters
        places = one.tap_weight.tolist()
        present = [place for place in places if place != one.kernel_taps]
        assert len(set(present)) == len(present)
        assert set(present) <= set(range(one.kernel_taps))
        assert present == places or one.tiling.all_sections > 1, "only sections are filled up"
        if not one.in_place:  # the last position's last tap still lies in the tile
            last = sum((axis.block - 1) * axis.position_stride for axis in one.axes)
            assert one.tap_offset.min() >= 0
            assert one.tap_offset.max() + last < one.tile_size


def contents(thing):
    """A plan as nested tuples that can be compared."""
    if dataclasses.is_dataclass(thing):
        return tuple(contents(getattr(thing, one.name)) for one in dataclasses.fields(thing))
    if isinstance(thing, tuple):
        return tuple(map(contents, thing))
    return thing.tolist() if isinstance(thing, np.ndarray) else thing


@randomly(60, case=any_case, direction=st.sampled_from(DIRECTIONS), dtype=dtypes)
def test_a_plan_is_a_pure_function(case, direction, dtype):
    first = contents(plan_of(case, direction, dtype))
    plan_of(Case((30, 31), (3, 3), channels=5, filters=9), direction, dtype)
    assert contents(plan_of(case, direction, dtype)) == first


def test_a_pinned_algorithm_alone_is_estimated(monkeypatch):
    """What is planned for the first time should not wait for estimates that decide nothing."""

    def refuse(*_):
        raise AssertionError

    case = Case((30, 31), (3, 3), channels=16, filters=16)
    monkeypatch.setattr(fft, "estimate", refuse)
    of = correlation(case)
    for algorithm in ("direct", "winograd"):
        pinned = dataclasses.replace(of.options, algorithm=algorithm)
        same = dataclasses.replace(of, options=pinned)
        strides = strides_of(of.input_shape)
        assert same.plan("forward", strides, "float32", 1).algorithm == algorithm


@randomly(30, case=any_case, direction=st.sampled_from(DIRECTIONS), dtype=dtypes)
def test_estimates_are_linear_in_costs(case, direction, dtype):
    """So that they can be fitted: twice the costs and twice the products are twice the estimate."""
    planned = plan_of(case, direction, dtype)
    tables = {
        "direct": (costs.DIRECT, costs.POSITIONS),
        "winograd": (costs.WINOGRAD,),
        "fft": (costs.FOURIER,),
        "inner_product": (costs.INNER_PRODUCT,),
    }
    for name, module in ALGORITHMS.items() if planned.axes else ():
        for tiling in module.tilings(planned.axes):
            values = []
            for factor in (0, 1, 2):
                with pytest.MonkeyPatch.context() as patch:
                    for table in tables[name]:
                        for kind, one in list(table.items()):
                            scaled = type(one)(*(factor * cost for cost in one))
                            patch.setitem(table, kind, scaled)
                    values.append(module.estimate(planned.problem, planned.axes, tiling))
            none, once, twice = values
            assert 0 <= none <= once
            assert twice == once == np.inf or np.isclose(twice - once, once - none, rtol=1e-9)


ORDERS = {
    "any": any_case,
    "long": st.builds(
        Case,
        size=st.tuples(st.integers(200, 9000)),
        kernel=st.tuples(st.integers(1, 150)),
        channels=st.integers(1, 90),
        filters=st.integers(1, 600),
    ),
    "spectra": st.builds(
        lambda size, kernel, options, **sizes: Case(
            size, kernel, options={"algorithm": "fft", **options}, **sizes
        ),
        size=st.tuples(st.integers(40, 200), st.integers(40, 200)),
        kernel=st.tuples(st.integers(2, 31), st.integers(2, 31)),
        options=st.sampled_from([{}, {"padding": 7}, {"padding": 9, "dilation": 2}]),
        batch=st.integers(1, 40),
        groups=st.sampled_from([1, 3, 9, 20, 40]),
        channels=st.integers(1, 3),
        filters=st.integers(1, 3),
    ),
    "huge tiles": st.builds(
        lambda kernel, size, filters, channels: Case(
            (size, size),
            (kernel, kernel),
            channels=channels,
            filters=filters,
            options={"dilation": 300, "padding": 150 * (kernel - 1)},
        ),
        kernel=st.integers(11, 61),
        size=st.integers(20, 60),
        filters=st.integers(1, 600),
        channels=st.integers(1, 5),
    ),
}


@pytest.mark.parametrize("kind", ORDERS)
def test_order_of_sums_depends_on_shapes_alone(kind):
    """The boxes of a weight gradient are the same for all threads and instruction sets."""

    @randomly(40, case=ORDERS[kind], dtype=dtypes)
    def run(case, dtype):
        found = set()
        with pytest.MonkeyPatch.context() as patch:
            for isa in _driver.instruction_sets():
                patch.setattr(machine, "ISA", isa)
                for threads in (1, 2, 7, 64):
                    plan = plan_of(case, "weight_gradient", dtype, threads)
                    (one,) = plan.passes
                    blocks = ((axis.block, axis.blocks) for axis in one.axes)
                    by_groups = one.lanes and one.tiling.algorithm == "fft"
                    found.add((one.row_parts, one.boxes_together, by_groups, *blocks))
        assert len(found) == 1

    run(1)


@randomly(60, case=any_case, dtype=dtypes, threads=st.integers(1, 9))
def test_threads_change_no_box_of_the_forward_passes_beyond_need(case, dtype, threads):
    """Whatever the threads, every output is one chain in the same order of channels and taps."""
    for direction in DIRECTIONS[:2]:
        one, many = (plan_of(case, direction, dtype, n) for n in (1, threads))
        for this, that in zip(one.passes, many.passes, strict=True):
            assert this.tap_weight.tolist() == that.tap_weight.tolist()
            assert this.multiply_adds == that.multiply_adds
