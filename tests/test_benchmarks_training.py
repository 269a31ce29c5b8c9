"""The benchmark of training and prediction: all libraries compute the same."""

import pytest

pytest.importorskip("torch")
calls = pytest.importorskip("benchmarks.training_calls")
training = pytest.importorskip("benchmarks.training")
training_page = pytest.importorskip("benchmarks.training_page")
sweep_calls = pytest.importorskip("benchmarks.sweep_calls")

LIBRARIES = {"convx": "convx", "PyTorch": "torch", "ONNX Runtime": "onnxruntime"}


@pytest.mark.parametrize("operation", ["step", "predict one"])
@pytest.mark.parametrize("name", training.MODELS)
def test_libraries_agree(name, operation):
    case = training.TrainingCase(name, operation, 1)
    exact = calls.expected(case)
    for library, package in LIBRARIES.items():
        if library == "ONNX Runtime" and operation == "step":
            assert not calls.calls(library, case)
            continue
        pytest.importorskip(package)
        pytest.importorskip("onnx")
        variants = calls.calls(library, case)
        assert variants
        for call in variants.values():
            assert sweep_calls.error_of(case, call.read(call.run()), exact) < 1e-4


def test_page():
    record = {
        "section": "training",
        **training.TrainingCase("lenet5", "step", 1).entries(),
        "timings": {"convx": {"": {"median": 2e-3}}, "PyTorch": {"": {"median": 4e-3}}},
    }
    text = training_page.render({"records": [record], "versions": {"PyTorch": "2"}})
    row = "| lenet5 | training step | 32×1×28×28 | 2 | **2.00** ↓ PyTorch | 0.25 | 4 |"
    assert row in text
