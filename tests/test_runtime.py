"""What surrounds a call: threads, explain, show_config, prepared convolutions, imports, memory."""

import asyncio
import dataclasses
import inspect
import math
import sys
import threading

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from support import convolutions, functions, randomly, run_python, values

import convx
from convx import functional as F
from convx import grad
from convx._core import _activations, _distance

CONFIG = convx.show_config("dicts")
MOST = convx.get_num_threads()


# Threads


def test_threads_in_a_context():
    before = convx.get_num_threads()
    with convx.threads(1):
        assert convx.get_num_threads() == 1
        with convx.threads(1024):
            assert 1 <= convx.get_num_threads() <= 1024
        assert convx.get_num_threads() == 1
    assert convx.get_num_threads() == before


def test_threads_are_given_back_after_an_error():
    before = convx.get_num_threads()
    with pytest.raises(ValueError, match="stride"), convx.threads(1):
        F.conv1d(np.ones((1, 1, 3)), np.ones((1, 1, 1)), stride=0)
    assert convx.get_num_threads() == before


def test_threads_of_the_process():
    before = convx.get_num_threads()
    try:
        convx.set_num_threads(1)
        assert convx.get_num_threads() == 1
        with convx.threads(before):
            assert convx.get_num_threads() == before
        for wrong in (0, -3, 1025, 2**40):
            with pytest.raises(ValueError, match=f"n must .*got {wrong}"):
                convx.set_num_threads(wrong)
        assert convx.get_num_threads() == 1
    finally:
        convx.set_num_threads(before)


def test_a_context_is_of_one_python_thread():
    found = []
    with convx.threads(1):
        thread = threading.Thread(target=lambda: found.append(convx.get_num_threads()))
        thread.start()
        thread.join()
    assert found == [MOST]


def test_a_context_is_of_one_task():
    async def task(count, steps):
        with convx.threads(count):
            for _ in range(steps):
                await asyncio.sleep(0)
                assert convx.get_num_threads() == min(count, MOST)

    async def main():
        await asyncio.gather(task(1, 4), task(2, 3), task(1, 2))

    asyncio.run(main())


def test_the_distance_of_processors():
    with convx.threads(1):
        assert _distance.exchange_seconds() == 0
    with convx.threads(2):  # 0 where there are not two that meet
        assert 0 <= _distance.exchange_seconds() < 1e-3


def test_threadpoolctl_is_followed():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    if not CONFIG["build"]["openmp"]:
        pytest.skip("built without OpenMP")
    with threadpoolctl.threadpool_limits(1, "openmp"):
        assert convx.get_num_threads() == 1


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("pieces", [1, 2, 3, 63, 64, 65, 129, 200])
def test_every_piece_of_a_sweep_is_computed(pieces, threads):
    x = np.linspace(-1, 1, 4096 * pieces - 5)
    y = np.full_like(x, np.nan)
    _activations.activate(CONFIG["machine"]["isa used"], "relu", (), x, None, y, threads)
    np.testing.assert_array_equal(y, np.maximum(x, 0))


# explain


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_explain_tells_the_shapes_of_all_functions(rank):
    for name, call in functions(rank).items():
        told, result = convx.explain(call), call()
        results = result if isinstance(result, tuple) else (result,)
        shapes = tuple(one.shape for one in results if one is not None)
        assert told.output_shape == (shapes if isinstance(result, tuple) else shapes[0]), name
        assert told.algorithm == "direct", name
        assert told.flops > 0
        assert told.threads >= 1
        assert told.workspace_bytes > 0
        assert told.isa == CONFIG["machine"]["isa used"]


def test_explain_counts_the_work():
    x, w = np.ones((3, 8, 20, 30), "f4"), np.ones((12, 4, 3, 5), "f4")
    told = convx.explain(F.conv2d, x, w, groups=2)
    assert told.flops == 2 * 3 * 12 * 4 * 15 * 18 * 26
    assert convx.explain(convx.prepare_conv(w, groups=2), x).flops == told.flops
    y = np.ones((3, 12, 18, 26), "f4")
    assert convx.explain(grad.conv2d_weight, x, w.shape, y, groups=2).flops == told.flops
    assert convx.explain(F.conv2d, x[:0], w, groups=2).flops == 0


def test_explanation_is_frozen_and_readable():
    told = convx.explain(F.conv1d, np.ones((1, 2, 9)), np.ones((2, 2, 3)))
    assert isinstance(told, convx.Explanation)
    with pytest.raises(dataclasses.FrozenInstanceError):
        told.flops = 0
    assert hash(told) == hash(convx.explain(F.conv1d, np.ones((1, 2, 9)), np.ones((2, 2, 3))))
    for part in (told.algorithm, told.isa, str(told.output_shape), "thread", "FLOPs"):
        assert part in str(told)
    assert "\n" not in str(told)


def test_explain_tells_what_each_algorithm_would_cost():
    x, w = np.ones((3, 16, 40, 40), "f4"), np.ones((16, 16, 3, 3), "f4")
    told = convx.explain(F.conv2d, x, w)
    assert list(told.estimates) == ["direct", "winograd", "fft"]
    assert min(told.estimates, key=told.estimates.get) == told.algorithm == "winograd"
    for name in told.estimates:
        pinned = convx.explain(F.conv2d, x, w, algorithm=name)
        assert pinned.algorithm == name
        assert pinned.estimates == told.estimates
        assert f"{name} {told.estimates[name]:.3g}" in str(pinned)
    alone = convx.explain(F.conv2d, x[:1], w)
    assert told.estimates["direct"] < 3 * alone.estimates["direct"]  # weights count once


def test_explain_tells_of_algorithms_that_apply():
    x, w = np.ones((1, 4, 20, 20), "f4"), np.ones((4, 4, 3, 3), "f4")
    assert list(convx.explain(F.conv2d, x, w, stride=3).estimates) == ["direct"]
    assert list(convx.explain(F.conv2d, x.astype(int), w.astype(int)).estimates) == ["direct"]
    assert convx.explain(F.conv2d, x[:0], w).estimates == {}


def test_explain_adds_the_parts_of_a_call():
    """Where an algorithm cannot compute a part, that is computed directly."""
    x, w = np.ones((1, 1, 60, 60), "f4"), np.ones((1, 1, 9, 9), "f4")
    dy = np.ones((1, 1, 18, 18), "f4")
    of_input = convx.explain(grad.conv2d_input, x.shape, w, dy, stride=3).estimates
    of_weight = convx.explain(grad.conv2d_weight, x, w.shape, dy, stride=3).estimates
    assert list(of_input) == ["direct", "winograd", "fft"]
    assert list(of_weight) == ["direct", "winograd"]
    both = convx.explain(grad.conv2d, dy, x, w, stride=3).estimates
    assert both == {
        name: cost + of_weight.get(name, of_weight["direct"]) for name, cost in of_input.items()
    }


def test_explain_raises_what_the_call_would():
    with pytest.raises(ValueError, match="stride must be positive, got 0"):
        convx.explain(F.conv1d, np.ones((1, 2, 9)), np.ones((2, 2, 3)), stride=0)
    with pytest.raises(MemoryError, match="output"):
        convx.explain(F.conv1d, np.ones((1, 2, 9)), np.ones((2, 2, 3)), padding=2**45)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int8", "complex64"])
@pytest.mark.parametrize("mode", ["zeros", "reflect"])
def test_explain_runs_nothing(mode, dtype, rng):
    """Neither on the first call nor when the call is known."""
    x, w = values(rng, (2, 7, 7), dtype), values(rng, (2, 2, 3, 3), dtype)
    for function in (F.conv2d, F.conv_transpose2d):
        out = function(x, w, padding=1, padding_mode=mode)
        out[...] = 7
        for _ in range(2):
            convx.explain(function, x, w, padding=1, padding_mode=mode, out=out)
            assert (out == 7).all()


def test_explain_of_what_would_take_for_ever():
    x, w = np.broadcast_to(1.0, (1, 4096, 2**10, 2**10)), np.broadcast_to(1.0, (64, 4096, 9, 9))
    assert convx.explain(F.conv2d, x, w).flops > 10**13


def test_explain_within_explain(rng):
    x, w = values(rng, (1, 2, 9)), values(rng, (2, 2, 3))
    F.conv1d(x, w)  # known from now on
    expected = convx.explain(F.conv1d, x, w)

    def both():
        convx.explain(F.conv1d, x, w)
        return F.conv1d(x, w)

    assert convx.explain(both) == expected
    with pytest.raises(ValueError, match="stride"):
        convx.explain(F.conv1d, x, w, stride=0)
    assert np.isfinite(F.conv1d(x, w)).all()
    assert F.conv1d(x, w).flags.writeable


def scratch_is_bounded(told, weight):
    """As documented: twice the L2 cache for each thread, and half of it for packed weights.

    Transformed weights are more. Winograd's algorithm: four times the weights with channels in
    whole panels, and a quarter of that for filters in whole register blocks. Fourier transforms:
    two numbers for each of at most 8192 points, groups in whole vectors.
    """
    l2 = CONFIG["machine"]["L2 bytes"]
    shared = l2 // 2
    if "winograd" in told.algorithm:
        whole = weight.nbytes // weight.shape[1] * (-(-weight.shape[1] // 32) * 32)
        shared = min(160 * 2**20, 5 * whole + 36 * 256 * told.threads)
    if "fft" in told.algorithm:
        pairs = weight.shape[0] * weight.shape[1] * 16
        shared = min(128 * 2**20, pairs * 2 * 8192 * weight.itemsize)
    assert told.workspace_bytes < told.threads * 2 * l2 + shared, str(told)


@randomly(
    60,
    case=convolutions(ranks=(1, 2, 3)),
    dtype=st.sampled_from(["float32", "float64"]),
    enlarge=st.sampled_from([1, 1, 4, 40]),
)
def test_workspace_is_bounded(case, dtype, enlarge):
    shape = tuple(n * enlarge for n in case.size)
    most = case.groups * max(case.channels, case.filters)
    assume(most * math.prod(shape) < 2**28)  # no array is larger than the machine's memory
    x = np.broadcast_to(np.ones((), dtype), (1, case.groups * case.channels, *shape))
    w = np.broadcast_to(np.ones((), dtype), case.weight_shape)
    scratch_is_bounded(convx.explain(F.conv_nd, x, w, **case.all_options), w)
    out_shape = convx.explain(F.conv_nd, x, w, **case.all_options).output_shape
    dy = np.broadcast_to(np.ones((), dtype), out_shape)
    scratch_is_bounded(convx.explain(grad.conv_nd_weight, x, w.shape, dy, **case.all_options), w)
    if case.options["padding_mode"] == "zeros":
        scratch_is_bounded(convx.explain(grad.conv_nd_input, x.shape, w, dy, **case.all_options), w)


LARGE = {
    "ordinary layer": ((8, 256, 56, 56), (256, 256, 3, 3), {"padding": 1}),
    "many channels": ((1, 8192, 7, 7), (8192, 8192, 3, 3), {"padding": 1}),
    "wide rows": ((1, 64, 8, 2**20), (64, 64, 3, 3), {"padding": 1}),
    "large kernel": ((1, 16, 300, 300), (16, 16, 101, 101), {}),
    "very large kernel": ((1, 1, 600, 600), (1, 1, 300, 300), {}),
    "long kernel": ((1, 1, 2**20), (1, 1, 10_000), {}),
    "longer kernel": ((1, 1, 2**20), (1, 1, 60_000), {}),
    "long kernel of many": ((1, 64, 2**17), (256, 64, 5000), {}),
    "huge dilation": ((1, 16, 3000, 3000), (16, 16, 3, 3), {"dilation": 1000}),
    "huge dilation and kernel": ((1, 4, 2000, 2000), (8, 4, 31, 31), {"dilation": 60}),
    "huge stride": ((1, 16, 4000, 4000), (16, 16, 5, 5), {"stride": 997}),
    "strided and dilated": ((1, 64, 500, 500), (64, 64, 7, 7), {"stride": 3, "dilation": 2}),
    "huge padding": ((1, 3, 4, 4), (8, 3, 5, 5), {"padding": 500}),
    "volume": ((1, 32, 64, 64, 64), (32, 32, 7, 7, 7), {"padding": 3}),
    "four axes": ((1, 8, 20, 20, 20, 20), (8, 8, 5, 5, 5, 5), {}),
    "depthwise": ((1, 2048, 112, 112), (2048, 1, 7, 7), {"groups": 2048}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LARGE)
def test_workspace_of_large_calls(name, dtype):
    shape, kernel, options = LARGE[name]
    x, w = (np.broadcast_to(np.ones((), dtype), one) for one in (shape, kernel))
    with convx.threads(1):
        told = convx.explain(F.conv_nd, x, w, **options)
        scratch_is_bounded(told, w)
        dy = np.broadcast_to(np.ones((), dtype), told.output_shape)
        scratch_is_bounded(convx.explain(grad.conv_nd_weight, x, kernel, dy, **options), w)
        scratch_is_bounded(convx.explain(grad.conv_nd_input, shape, w, dy, **options), w)


# show_config


def test_config_as_dictionaries():
    assert set(CONFIG) == {"versions", "build", "machine"}
    assert CONFIG["versions"]["convx"] == convx.__version__
    assert CONFIG["versions"]["numpy"] == np.__version__
    assert CONFIG["machine"]["isa used"] in CONFIG["machine"]["isa found"]
    assert CONFIG["machine"]["isa found"][-1] == "baseline"
    assert CONFIG["machine"]["threads"] == convx.get_num_threads()
    assert CONFIG["build"]["compiler"].split()[0] in ("gcc", "clang")
    assert "-O3" in CONFIG["build"]["flags"]
    assert "fast-math" not in CONFIG["build"]["flags"]


def test_config_in_print(capsys):
    assert convx.show_config() is None
    said = capsys.readouterr().out
    for section, entries in CONFIG.items():
        assert section in said
        for name, value in entries.items():
            assert name in said
            assert isinstance(value, list) or str(value) in said
    with pytest.raises(ValueError, match="mode must be 'print' or 'dicts', got 'json'"):
        convx.show_config("json")


# Prepared convolutions


def test_prepared_convolution_checks_what_it_can_at_once():
    w = np.ones((4, 2, 3, 3))
    for wrong in ({"stride": 0}, {"padding": -1}, {"dilation": (1, 2, 3)}, {"groups": 3}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            convx.prepare_conv(w, **wrong)
    with pytest.raises(TypeError, match="weight"):
        convx.prepare_conv(w.astype(bool))
    with pytest.raises(TypeError):
        convx.prepare_conv(w, None, 2)  # options are keywords


def test_prepared_convolution_checks_its_input():
    conv = convx.prepare_conv(np.ones((4, 2, 3, 3)))
    conv(np.ones((2, 5, 5)))
    for wrong in ((3, 5, 5), (1, 2, 5), (2, 2, 5), (1, 1, 2, 5, 5)):
        with pytest.raises(ValueError, match=r"input|weight|kernel"):
            conv(np.ones(wrong))
    with pytest.raises(TypeError, match="input"):
        conv(np.ones((2, 5, 5), bool))


def test_prepared_convolution_tells_what_it_is():
    shown = repr(convx.prepare_conv(np.ones((4, 2, 3, 3), "float32"), stride=2, padding=(0, 1)))
    for part in ("PreparedConv", "(4, 2, 3, 3)", "float32", "stride (2, 2)", "(0, 0), (1, 1)"):
        assert part in shown


def test_prepared_convolution_of_other_types(rng):
    w, b = values(rng, (4, 2, 3), "float32"), values(rng, (4,), "float32")
    conv = convx.prepare_conv(w, b)
    for dtype in ("float32", "float64", "int8", "float16", "complex64", "float32"):
        x = values(rng, (2, 9), dtype)
        for _ in range(2):
            expected = F.conv1d(x, w, b)
            assert conv(x).dtype == expected.dtype
            np.testing.assert_array_equal(conv(x), expected)


@pytest.mark.parametrize("algorithm", ["direct", "auto"])
def test_prepared_convolution_in_many_threads(algorithm, rng):
    """Of different shapes, so that they pack the weights in different ways."""
    w = values(rng, (70, 60, 3, 3), "float32")
    conv = convx.prepare_conv(w, padding=1, algorithm=algorithm)
    inputs = [values(rng, (60, n, 2 * n + 1), "float32") for n in (3, 5, 9, 17, 20)]
    expected = [F.conv2d(x, w, padding=1, algorithm="direct").tobytes() for x in inputs]
    if algorithm == "auto":  # it may be another one than conv2d takes
        expected = [convx.prepare_conv(w, padding=1)(x).tobytes() for x in inputs]
    wrong = []

    def work(seed):
        chosen = np.random.default_rng(seed).integers(0, len(inputs), 25)
        wrong.extend(one for one in chosen if conv(inputs[one]).tobytes() != expected[one])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Imports

HEAVY = (
    "scipy",
    "PIL",
    "torch",
    "matplotlib",
    "importlib.metadata",
    "argparse",
    "asyncio",
    "multiprocessing",
    "convx.cli",
    "convx.reference",
    "hypothesis",
)


def test_import_loads_nothing_heavy():
    """Beyond what NumPy itself loads."""
    said = run_python(
        "import sys, numpy; before = set(sys.modules)\n"
        "import convx; print(*sorted(set(sys.modules) - before), sep='\\n')"
    )
    loaded = said.split()
    assert "convx.functional" in loaded
    assert [one for one in loaded if one in HEAVY or one.split(".")[0] in HEAVY[:4]] == []
    others = {one.split(".")[0] for one in loaded} - {"convx", *sys.stdlib_module_names}
    assert {one for one in others if not one.startswith("_")} <= {"numpy", "cython_runtime"}


def test_import_leaves_the_process_alone():
    """No thread is started, no environment variable set, no warning filter added."""
    said = run_python(
        "import numpy, os, threading, warnings\n"
        "before = dict(os.environ), list(warnings.filters), threading.active_count()\n"
        "import convx\n"
        "print((dict(os.environ), list(warnings.filters), threading.active_count()) == before)"
    )
    assert said.split() == ["True"]


# Memory

RESIDENT = """
import mmap, sys
import numpy as np, convx
from convx import functional as F, grad

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * mmap.PAGESIZE

rng = np.random.default_rng(1)
for calls in map(int, sys.argv[2:]):
    for _ in range(calls):
        exec(sys.argv[1])
    print(resident())
"""

SMALL = """
size, kernel = rng.integers(8, 60, 2), rng.integers(1, 6, 2)
channels, filters = rng.integers(1, 20, 2)
x, w = np.ones((1, channels, *size), "f4"), np.ones((filters, channels, *kernel), "f4")
match rng.integers(5):
    case 0: F.conv2d(x, w, padding=2, stride=2, padding_mode="reflect")
    case 1: F.conv_transpose2d(x.repeat(filters, 1)[:, :filters], w)
    case 2: grad.conv2d_input(x.shape, w, np.ones((1, filters, *(1 + size - kernel)), "f4"))
    case 3: grad.conv2d_weight(x, w.shape, np.ones((1, filters, *(1 + size - kernel)), "f4"))
    case 4: convx.prepare_conv(w)(x)
"""

LONG = """
x, w = np.ones((1, 1, int(rng.integers(60_000, 80_000)))), np.ones((1, 1, 5))
F.conv1d(x, w, padding=7, padding_mode="reflect")
"""

LONG_KERNEL = """
x, w = np.ones((1, 1, int(rng.integers(30_000, 40_000)))), np.ones((1, 1, 20_000))
convx.explain(F.conv1d, x, w)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("call", "before", "calls"),
    [
        pytest.param(SMALL, 300, 1000, id="random shapes"),
        pytest.param(LONG, 20, 150, id="long lines with borders"),
        pytest.param(LONG_KERNEL, 20, 200, id="long kernels"),
        pytest.param(SMALL, 300, 20_000, id="more shapes", marks=pytest.mark.slow),
    ],
)
def test_memory_is_flat(call, before, calls):
    """Calls of ever new shapes take no ever new memory."""
    told = run_python(RESIDENT, call, str(before), str(calls), seconds=110)
    first, last = map(int, told.split())
    assert last - first < 32 * 2**20


def test_signatures_are_those_of_torch():
    """Names, order and defaults of what PyTorch has; the rest by keyword only."""
    options = ["stride", "padding", "dilation", "groups"]
    transposed = ["stride", "padding", "output_padding", "groups", "dilation"]
    arrays = ["input", "weight", "bias"]
    expected = {
        "functional.conv{}": arrays + options,
        "functional.conv_transpose{}": arrays + transposed,
        "grad.conv{}": ["grad_output", *arrays, *options],
        "grad.conv_transpose{}": ["grad_output", *arrays, *transposed],
        "grad.conv{}_input": ["input_size", "weight", "grad_output", *options],
        "grad.conv{}_weight": ["input", "weight_size", "grad_output", *options],
    }
    for pattern, names in expected.items():
        module, name = pattern.split(".")
        for suffix in ("1d", "2d", "3d", "_nd"):
            function = getattr(getattr(convx, module), name.format(suffix))
            parameters = inspect.signature(function).parameters
            positional = [
                one.name for one in parameters.values() if one.kind is one.POSITIONAL_OR_KEYWORD
            ]
            keywords = [one.name for one in parameters.values() if one.kind is one.KEYWORD_ONLY]
            assert positional == names
            more = ["out"] if module == "functional" else []
            if pattern in ("grad.conv{}", "grad.conv_transpose{}"):
                more = ["input_gradient"]
            assert keywords == ["padding_mode", "algorithm", *more]
            defaults = {
                one.name: one.default for one in parameters.values() if one.default is not one.empty
            }
            assert defaults.pop("bias", None) is None
            assert defaults.pop("out", None) is None
            assert defaults.pop("input_gradient", True) is True
            assert defaults == {
                **{
                    one: 0 if "padding" in one else 1
                    for one in names
                    if one in transposed + options
                },
                "padding_mode": "zeros",
                "algorithm": "auto",
            }
