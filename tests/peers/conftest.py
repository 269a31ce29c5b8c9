"""What SciPy's tests find in SciPy's own conftest, and the watch over convx while they run."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scipy_suite

HERE = Path(__file__).parent
MARKS = (
    "skip_xp_backends",
    "xfail_xp_backends",
    "array_api_backends",
    "fail_slow",
    "fail_asan",
    "xfail_on_32bit",
)
# How many of SciPy's tests a module of ours has, slow ones aside, and how many have run.
there, ran = Counter(), Counter()


def pytest_configure(config):
    for mark in MARKS:
        config.addinivalue_line("markers", f"{mark}: one of SciPy's own")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Leave out what tests other functions of SciPy's, and mark what cannot pass."""
    left_out = []
    for item in [item for item in items if _is_borrowed(item)]:
        name = item.nodeid.partition("::")[2]
        if item.module.OTHERS.search(name):
            left_out.append(item)
            continue
        # What SciPy itself does not pass, flaky for reading outside of its arrays, is asked of us.
        item.own_markers[:] = [mark for mark in item.own_markers if mark.name != "xfail"]
        there[item.module.__name__] += item.get_closest_marker("slow") is None
        for pattern, reason in item.module.CANNOT_PASS.items():
            if pattern in name:
                item.add_marker(pytest.mark.xfail(reason=reason))
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def pytest_terminal_summary(terminalreporter):
    """Tell how many calls of SciPy's tests came to convx."""
    if scipy_suite.calls:
        of_each = ", ".join(f"{name} {count}" for name, count in scipy_suite.calls.most_common())
        total = scipy_suite.calls.total()
        terminalreporter.write_line(f"SciPy's tests called convx {total} times: {of_each}")


@pytest.fixture(scope="session")
def guarded():
    """Traps in the place of what SciPy compiled."""
    with scipy_suite.guarded():
        yield


@pytest.fixture(autouse=True)
def watched(request):
    """Hold a borrowed test to calling convx, and convx to not calling SciPy."""
    if not _is_borrowed(request.node):
        yield
        return
    request.getfixturevalue("guarded")
    np.random.seed(2026)  # noqa: NPY002 (SciPy's tests draw from it)
    before = scipy_suite.calls.total()
    yield
    ran[request.module.__name__] += request.node.get_closest_marker("slow") is None
    assert not scipy_suite.trespasses
    assert scipy_suite.calls.total() > before, "the test did not call convx"


@pytest.fixture
def all_ran(request):
    """Skip a test that asks about all borrowed tests, unless they have run in this process."""
    name = request.module.__name__
    if ran[name] < there[name]:
        pytest.skip(f"{ran[name]} of {there[name]} tests have run")


@pytest.fixture
def xp():
    """Return NumPy as SciPy sees it, the only kind of arrays that convx takes."""
    from scipy._lib._array_api import array_namespace

    return array_namespace(np.empty(0))


@pytest.fixture
def num_parallel_threads():
    return 1


def _is_borrowed(item):
    outermost = re.split(r"::|\[", item.nodeid)[1]
    return item.path.parent == HERE and outermost in getattr(item.module, "BORROWED", ())
