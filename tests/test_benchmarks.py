"""The benchmark of sweeps: its table of calls, on arrays that are small."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
sweeps = pytest.importorskip("benchmarks.sweeps")
calls = pytest.importorskip("benchmarks.sweep_calls")
copying = pytest.importorskip("benchmarks.copying")
distance = pytest.importorskip("benchmarks.distance")
page = pytest.importorskip("benchmarks.page")
run = pytest.importorskip("benchmarks.run")

LIBRARIES = {"convx": "convx", "PyTorch": "torch", "ONNX Runtime": "onnxruntime"}
CASES = [
    pytest.param(name, operation, id=f"{name}-{operation}")
    for name, sweep in sweeps.SWEEPS.items()
    for operation in sweep.operations
]


@pytest.fixture
def small(monkeypatch):
    """Sweeps over a few channels of small planes."""
    for name, sweep in sweeps.SWEEPS.items():
        shape = (2, 3, *(min(size, 36) for size in sweep.shape[2:]))
        monkeypatch.setitem(sweeps.SWEEPS, name, replace(sweep, shape=shape))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(("name", "operation"), CASES)
def test_libraries_agree(small, name, operation, library):
    import torch

    pytest.importorskip(LIBRARIES[library])
    pytest.importorskip("onnx")
    case = sweeps.SweepCase(name, operation, 1)
    with torch.inference_mode():
        exact = calls.expected(case)
        variants = calls.calls(library, case)
        for call in variants.values():
            result = call.read(call.run())
            assert calls.error_of(case, result, exact) < 1e-4
            assert call.reads > 0
    if library == "PyTorch":
        assert variants


def test_a_wrong_result_is_noticed(small):
    case = sweeps.SweepCase("relu", "forward", 1)
    exact = calls.expected(case)
    right = calls.calls("PyTorch", case)[""].run().numpy()
    assert calls.error_of(case, right, exact) == 0
    assert calls.error_of(case, right + 1, exact) > 0.5
    assert calls.error_of(case, right[1:], exact) == float("inf")
    assert calls.error_of(case, right.astype("float64"), exact) == float("inf")
    assert calls.error_of(case, None, exact) == float("inf")
    assert calls.error_of(case, np.full_like(right, np.nan), exact) == float("inf")


def test_bandwidth_is_measured():
    copy = copying.Copy(1 << 16, 2)
    copy.measure()
    assert 0 < copy.seconds() < 1


def test_the_distance_of_processors_is_the_median(monkeypatch):
    between = distance.Distance()
    assert between.nanoseconds() is None
    found = [4e-8, 0.0, 2e-7, 5e-8]  # 0: two threads did not meet
    monkeypatch.setattr(distance._distance, "exchange_seconds", found.pop)
    for _ in range(4):
        between.measure()
    assert between.nanoseconds() == 50


@pytest.mark.slow
def test_a_run_makes_a_page():
    measured = run.new("")
    choice = run.Choice(["sweeps"], ["sigmoid"], threads=[1], peers=["PyTorch"], budget=0.01)
    for _ in run.measure(measured, choice):
        pass
    text = page.render(measured)
    assert "| sigmoid, forward |" in text
    assert "| sigmoid, gradient |" in text
    assert page.wrong_results(measured, "convx") == []
