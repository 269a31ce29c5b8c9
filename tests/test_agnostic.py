"""What must not change a result: threads, the batch, preparation, repetition, vectors."""

import threading

import numpy as np
import pytest
from agnostic_cases import CASES, DTYPES, operations
from support import convolutions, randomly, run_python, values

import convx
from convx import functional as F
from convx import grad

FUSED = ("avx2", "avx512", "neon")  # instruction sets with a fused multiply-add

WORKER = """
import sys, numpy as np, convx
from agnostic_cases import CASES, DTYPES, filters, operations
results = {}
for dtype in DTYPES:
    for name, run in filters(dtype).items():
        results[f"{name} {dtype}"] = run()
for name in CASES:
    for dtype in DTYPES:
        for operation, run in operations(CASES[name], dtype).items():
            results[f"{name} {operation} {dtype}"] = run()
print(convx.show_config("dicts")["machine"]["isa used"], convx.get_num_threads())
np.savez(sys.argv[1], **results)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results of all cases in a process of its own, by instruction set and threads."""
    folder, found = tmp_path_factory.mktemp("results"), {}

    def of(isa, threads):
        if (isa, threads) not in found:
            path = folder / f"{isa}-{threads}.npz"
            count = str(threads)
            said = run_python(
                WORKER,
                str(path),
                CONVX_ISA=isa,
                CONVX_NUM_THREADS=count,
                OMP_NUM_THREADS=count,
                OMP_DYNAMIC="false",
            )
            used, used_threads = said.split()
            assert used == isa
            if not convx.show_config("dicts")["build"]["openmp"]:
                pytest.skip("built without OpenMP")
            assert int(used_threads) == threads
            with np.load(path) as file:
                found[isa, threads] = dict(file)
        return found[isa, threads]

    return of


def isas():
    return convx.show_config("dicts")["machine"]["isa found"]


def differing(these, those):
    assert list(these) == list(those)
    assert len(these) >= len(CASES) * len(DTYPES)
    return [
        f"{name}: {(these[name] != those[name]).sum()} of {these[name].size}"
        for name in these
        if these[name].tobytes() != those[name].tobytes() or these[name].shape != those[name].shape
    ]


@pytest.mark.parametrize("threads", [2, 3])
def test_threads(results, threads):
    assert differing(results(isas()[0], threads), results(isas()[0], 1)) == []


@pytest.mark.parametrize("isa", FUSED)
def test_instruction_sets(results, isa):
    best = isas()[0]
    if isa not in isas() or isa == best:
        pytest.skip(f"there is no other than {best} to compare with {isa}")
    assert differing(results(isa, 1), results(best, 1)) == []


def test_baseline_is_close(results):
    """It rounds products before it adds them, so it may differ by rounding, and only by that."""
    best, plain = results(isas()[0], 1), results("baseline", 1)
    assert list(best) == list(plain)
    for name in best:
        if best[name].dtype.kind in "iu":
            np.testing.assert_array_equal(plain[name], best[name], err_msg=name)
        else:
            eps = 100 * np.finfo(best[name].dtype).eps
            scale = np.abs(best[name]).max()
            np.testing.assert_allclose(plain[name], best[name], 0, eps * scale, err_msg=name)


def test_threads_within_a_process():
    """As the context manager sets them; what it claims is asked of explain."""
    case = CASES["layer"]
    x, w, b = case.arrays("float32")
    with convx.threads(1):
        assert convx.explain(F.conv2d, x, w, b, padding=1).threads == 1
        one = F.conv2d(x, w, b, padding=1)
    with convx.threads(2):
        if convx.explain(F.conv2d, x, w, b, padding=1).threads < 2:
            pytest.skip("there is only one thread")
        assert F.conv2d(x, w, b, padding=1).tobytes() == one.tobytes()


def by_item(case, dtype):
    """Forward and input gradients of a batch, and the same of its items one by one."""
    x, w, b = case.arrays(dtype)
    options = case.all_options
    forward = F.conv_transpose_nd if case.transposed else F.conv_nd
    y = forward(x, w, b, **options)
    yield y, [forward(item, w, b, **options) for item in x]
    if not case.transposed:
        dy = values(np.random.default_rng(1), y.shape, dtype)
        dx = grad.conv_nd_input(x.shape, w, dy, **options)
        yield dx, [grad.conv_nd_input(x.shape[1:], w, item, **options) for item in dy]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in CASES if (CASES[name].batch or 1) > 1])
def test_batch(name, dtype):
    for batch, items in by_item(CASES[name], dtype):
        assert batch.tobytes() == np.stack(items).tobytes()


@randomly(60, case=convolutions(ranks=(1, 2, 3)))
def test_batch_of_any_convolution(case):
    if case.batch is not None:
        for batch, items in by_item(case, "float32"):
            assert batch.tobytes() == np.stack(items).tobytes()


# Prepared weights need no transformation in every call: 'auto' may take another algorithm for them.


@randomly(80, case=convolutions())
def test_prepared(case):
    x, w, b = case.arrays("float32")
    options = {**case.all_options, "algorithm": "direct"}
    conv = convx.prepare_conv(w, b, **options)
    expected = F.conv_nd(x, w, b, **options)
    shorter = x[..., : max(1, x.shape[-1] - 3)]
    for _ in range(2):
        assert conv(x).tobytes() == expected.tobytes()
        try:  # another shape in between, with weights that may be packed otherwise
            other = F.conv_nd(shorter, w, b, **options)
        except ValueError:
            continue
        assert conv(shorter).tobytes() == other.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_prepared_with_big_weights(dtype):
    for name in ("layer", "many channels", "pointwise", "many filters"):
        x, w, b = CASES[name].arrays(dtype)
        options = {**CASES[name].all_options, "algorithm": "direct"}
        conv = convx.prepare_conv(w, b, **options)
        expected = F.conv_nd(x, w, b, **options)
        for item, exactly in zip(x, expected):
            assert conv(item).tobytes() == exactly.tobytes()
        assert conv(x).tobytes() == expected.tobytes()


@randomly(60, case=convolutions(ranks=(1, 2)))
def test_repeated_calls(case):
    """The shortcut of repeated calls gives what the first call gave."""
    x, w, b = case.arrays("float64")
    first = F.conv_nd(x, w, b, **case.all_options)
    function = getattr(F, f"conv{len(case.size)}d")
    for _ in range(3):
        assert function(x, w, b, **case.all_options).tobytes() == first.tobytes()
    x += 1  # the arrays' values are not remembered
    changed = F.conv_nd(x.copy(), w, b, **case.all_options)
    assert function(x, w, b, **case.all_options).tobytes() == changed.tobytes()


def test_memory_layout(rng):
    """Where the input lies, and in what order, changes nothing."""
    x, w = values(rng, (2, 3, 40, 50), "float32"), values(rng, (20, 3, 3, 3), "float32")
    expected = F.conv2d(x, w)
    for axes in ((0, 1, 3, 2), (3, 2, 1, 0), (1, 0, 2, 3)):
        turned = np.ascontiguousarray(x.transpose(axes)).transpose(np.argsort(axes))
        assert not turned.flags.c_contiguous
        assert F.conv2d(turned, w).tobytes() == expected.tobytes()


def test_many_python_threads():
    """Calls from several Python threads at a time do not get into one another's way."""
    jobs = [
        (run, run())
        for name in ("strided", "long line", "layer", "upsampling", "reflected")
        for dtype in ("float32", "float64")
        for run in operations(CASES[name], dtype).values()
    ]
    wrong = []

    def work(seed):
        for index in np.random.default_rng(seed).integers(0, len(jobs), 60):
            run, expected = jobs[index]
            if run().tobytes() != expected.tobytes():
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
