"""The benchmark of filters: its table of calls, on arrays that are small."""

import importlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("scipy", minversion="1.17")
filters = pytest.importorskip("benchmarks.filters")
calls = pytest.importorskip("benchmarks.filter_calls")
filters_page = pytest.importorskip("benchmarks.filters_page")
run = pytest.importorskip("benchmarks.run")
sweep_calls = pytest.importorskip("benchmarks.sweep_calls")

ROOT = Path(__file__).parent.parent
LIBRARIES = {"convx": "convx", "SciPy": "scipy", "NumPy": "numpy", "OpenCV": "cv2"}


@pytest.fixture
def small(monkeypatch):
    """Filters of arrays that are hardly larger than their windows."""
    for name, one in filters.FILTERS.items():
        shape = tuple(min(size, 150 if len(one.shape) == 2 else 20) for size in one.shape)
        kernel = tuple(min(size, 15) for size in one.kernel)
        monkeypatch.setitem(filters.FILTERS, name, replace(one, shape=shape, kernel=kernel))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", filters.FILTERS)
def test_libraries_agree(small, name, library):
    pytest.importorskip(LIBRARIES[library])
    for dtype, error in (("float32", 1e-5), ("float64", 1e-12)):
        case = filters.FilterCase(name, dtype, 1)
        exact = calls.expected(case)
        variants = calls.calls(library, case)
        for call in variants.values():
            assert sweep_calls.error_of(case, call.read(call.run()), exact) < error
        assert variants or library in ("NumPy", "OpenCV")


@pytest.mark.parametrize("library", ["SciPy", "NumPy"])
def test_who_has_one_thread_takes_part_on_one(small, library):
    assert not calls.calls(library, filters.FilterCase("samples_8", "float64", 2))


def test_page_on_scipy_quotes_what_was_measured():
    text = (ROOT / "docs" / "scipy.md").read_text()
    name = "".join(re.findall(r"`benchmarks/results/(.*?)`", text))
    if not name:
        pytest.skip("no run has written its times into the page yet")
    measured = json.loads((ROOT / "benchmarks" / "results" / name).read_text())
    assert filters_page.quoted_in(text, measured, name) == text


@pytest.mark.parametrize("dialect", ["signal", "ndimage"])
def test_page_on_scipy_tells_of_every_function(dialect):
    names = importlib.import_module(f"convx.{dialect}").__all__
    text = (ROOT / "docs" / "scipy.md").read_text()
    assert set(names) <= set(re.findall(rf"`{dialect}\.(\w+)`", text))


@pytest.mark.slow
def test_a_run_makes_a_page():
    measured = run.new("")
    choice = run.Choice(
        ["filters"], ["small_ndimage"], ["float64"], [1, 2], peers=["SciPy"], budget=0.01
    )
    for _ in run.measure(measured, choice):
        pass
    assert "| ndimage.correlate, 64×64, 3×3 |" in filters_page.render(measured)
    assert "| `ndimage.correlate` | 64×64, 3×3 |" in filters_page.for_users_of_scipy(measured)
