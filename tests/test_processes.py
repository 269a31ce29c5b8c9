"""Forks, signals, threads and environments: rows 82 and 85 to 87 of the bad input.

Whatever may hang or crash does so in a child process with a time limit.
"""

import os
import signal
import threading
import time

import numpy as np
import pytest
from support import run_in_child, run_python

import convx
from convx import functional as F
from convx import grad
from convx import signal as filters
from convx._engine import costs, great_tiles
from convx._ops import large_kernels

# 1 tap: no algorithm that transforms tiles, whose sums of whole numbers are not exact, takes it
X, W = np.ones((4, 256, 40, 40), "float32"), np.ones((96, 256, 1, 1), "float32")
Y = np.full((4, 96, 40, 40), 256, "float32")


def run_with_threads():
    with convx.threads(2):
        np.testing.assert_array_equal(F.conv2d(X, W), Y)


# Row 85: fork after threads were used


def right_results():
    np.testing.assert_array_equal(F.conv2d(X, W), Y)
    np.testing.assert_array_equal(grad.conv2d_weight(X, W.shape, Y)[0], Y[:, 0].sum())
    convx.set_num_threads(2)
    np.testing.assert_array_equal(F.conv2d(X, W), Y)
    with convx.threads(2):
        return F.conv2d(X, W).sum(), convx.get_num_threads()


def test_fork_after_threads_were_used():
    run_with_threads()
    assert run_in_child(right_results).value[0] == Y.sum()


def test_fork_of_a_forked_child():
    def child():
        assert right_results()[0] == Y.sum()
        return run_in_child(right_results, seconds=20).value

    run_with_threads()
    assert run_in_child(child).value[0] == Y.sum()


def test_fork_before_and_after():
    """The parent keeps its threads, and a child of another child its own."""
    run_with_threads()
    before = convx.get_num_threads()
    for _ in range(3):
        assert run_in_child(right_results).error is None
        run_with_threads()
    assert convx.get_num_threads() == before


def test_fork_while_another_thread_computes():
    stop = threading.Event()

    def work():
        while not stop.is_set():
            run_with_threads()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(5):
            assert run_in_child(right_results).value[0] == Y.sum()
    finally:
        stop.set()
        thread.join()


def test_child_of_a_process_without_threads_may_use_them():
    """A fork before any threads were used costs the child nothing."""
    said = run_python(
        """
import numpy as np, convx
from support import run_in_child
from test_processes import right_results, Y
outcome = run_in_child(right_results)
print(outcome.value[0] == Y.sum(), outcome.value[1], convx.get_num_threads())
""",
        OMP_NUM_THREADS="2",
        CONVX_NUM_THREADS="2",
    )
    right, threads_of_child, threads = said.split()
    assert right == "True"
    assert threads_of_child == threads


# Row 86: Ctrl-C in a long call


def long_forward():
    F.conv2d(np.ones((1, 64, 520, 520)), np.ones((64, 64, 31, 31)))


def long_transpose():
    F.conv_transpose2d(np.ones((1, 64, 490, 490)), np.ones((64, 64, 31, 31)))


def long_weight_gradient():
    grad.conv2d_weight(np.ones((1, 64, 520, 520)), (64, 64, 31, 31), np.ones((1, 64, 490, 490)))


def long_weight_gradient_of_one_channel():
    grad.conv2d_weight(np.ones((1, 1, 4100, 4100)), (1, 1, 100, 100), np.ones((1, 1, 4001, 4001)))


def long_integers():
    F.conv2d(np.ones((1, 64, 520, 520), int), np.ones((64, 64, 31, 31), int))


def long_great_tiles():
    """Of each tile nine outputs are right, so that there are many."""
    large_kernels._planned_cost = lambda *given: 1e300
    costs.WHOLE = 1e300
    great_tiles.POINTS = great_tiles.ROW_POINTS = (64,)
    filters.fftconvolve(np.ones((6001, 6001)), np.ones((62, 62)))


def many_short_calls():
    for _ in range(10**9):
        F.conv1d(X[0, 0, :1], W[:1, :1, 0])


@pytest.mark.parametrize(
    "call",
    [
        long_forward,
        long_transpose,
        long_weight_gradient,
        long_weight_gradient_of_one_channel,
        long_integers,
        long_great_tiles,
        many_short_calls,
    ],
    ids=lambda call: call.__name__,
)
def test_interrupt(call):
    """These calls would take half a minute and more; the signal ends them long before.

    The child waits for a byte before it calls, so that the signal comes in the middle.
    """
    begun, begin = os.pipe()

    def child():
        convx.set_num_threads(1)
        try:
            os.write(begin, b"!")
            call()
        except KeyboardInterrupt:
            np.testing.assert_array_equal(F.conv2d(X, W), Y)  # goes on as if nothing had been
            return "interrupted"

    def interrupt(process):
        os.read(begun, 1)
        time.sleep(0.3)
        os.kill(process, signal.SIGINT)

    try:
        assert run_in_child(child, seconds=10, meanwhile=interrupt).value == "interrupted"
    finally:
        os.close(begun)
        os.close(begin)


@pytest.mark.parametrize("call", [long_forward, long_great_tiles], ids=["forward", "great_tiles"])
def test_interrupt_of_threads(call):
    def child():
        convx.set_num_threads(2)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            call()
        run_with_threads()
        return "interrupted"

    def outer():
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        return child()

    assert run_in_child(outer, seconds=15).value == "interrupted"


# Row 82: input that another thread changes during a call


def meddle(change, call, seconds=0.7):
    """Call again and again while another thread changes things."""
    end = time.monotonic() + seconds

    def work():
        while time.monotonic() < end:
            change()

    thread = threading.Thread(target=work)
    thread.start()
    while time.monotonic() < end:
        try:
            call()
        except (ValueError, TypeError):
            continue
    thread.join()
    return "done"


def test_values_changed_by_another_thread():
    x, w = X.copy(), W.copy()

    def change():
        x[...] = np.nan
        w[...] = -w

    def call():
        F.conv2d(x, w)
        grad.conv2d_weight(x, w.shape, Y)

    assert run_in_child(lambda: meddle(change, call)).value == "done"


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
@pytest.mark.parametrize("batched", [True, False])
def test_shape_changed_by_another_thread(batched):
    """Sizes are not read twice: a shape that changes in between would lead out of the array."""
    shape, other = ((1, 1, 2**22), (1, 2**21, 2)) if batched else ((1, 2**22), (2**21, 2))
    x = np.ones(shape)
    w = [np.ones((1, 1, 2)), np.broadcast_to(1.0, (1, 2**21, 2))]

    def change():
        x.shape = other
        x.shape = shape

    def call():
        F.conv_nd(x, w[0], stride=2**20)
        F.conv_nd(x, w[1], stride=2**20)

    assert run_in_child(lambda: meddle(change, call)).value == "done"


def test_options_changed_by_another_thread():
    stride = [1]

    def change():
        stride.append(1)
        stride.clear()
        stride.append(2)

    def call():
        assert F.conv1d(X[0, 0, :1], W[:1, :1, 0], stride=stride).shape in ((1, 40), (1, 20))

    assert run_in_child(lambda: meddle(change, call)).value == "done"


# Row 87: environments

REPORT = """
import numpy as np, convx
from test_processes import X, W, Y
assert np.array_equal(convx.functional.conv2d(X, W), Y)
print(convx.get_num_threads(), convx.show_config("dicts")["machine"]["isa used"])
"""

GARBAGE = (
    "0",
    "-1",
    "-999999999999",
    "99999999999999999999999",
    "2147483648",
    "1.5",
    "abc",
    "",
    " ",
    "1,2",
)


@pytest.mark.parametrize("value", GARBAGE)
@pytest.mark.parametrize("name", ["CONVX_NUM_THREADS", "OMP_NUM_THREADS"])
def test_garbage_in_thread_counts(name, value):
    count = int(run_python(REPORT, **{name: value}).split()[0])
    assert 1 <= count <= (os.cpu_count() or 1)


def test_thread_counts_of_the_environment():
    for wish, limit in (("1", "2"), ("2", "1"), ("1", "1")):
        said = run_python(REPORT, CONVX_NUM_THREADS=wish, OMP_NUM_THREADS=limit)
        assert said.split()[0] == "1"
    if convx.show_config("dicts")["build"]["openmp"]:
        said = run_python(REPORT, CONVX_NUM_THREADS="3", OMP_NUM_THREADS="4")
        assert said.split()[0] == "3"


@pytest.mark.parametrize("value", ["", "avx1024", "AVX2", "../../etc/passwd", "baseline "])
def test_garbage_in_the_instruction_set(value):
    best = convx.show_config("dicts")["machine"]["isa found"][0]
    assert run_python(REPORT, CONVX_ISA=value).split()[1] == best


def test_wrong_instruction_sets_are_warned_of():
    said = run_python(
        "import warnings\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    import convx\n"
        "print(*(f'{one.category.__name__}: {one.message}' for one in caught))\n",
        CONVX_ISA="avx1024",
    )
    assert "RuntimeWarning" in said
    assert "CONVX_ISA" in said
    assert "avx1024" in said


@pytest.mark.parametrize("isa", convx.show_config("dicts")["machine"]["isa found"])
def test_every_instruction_set_can_be_chosen(isa):
    assert run_python(REPORT, CONVX_ISA=isa).split()[1] == isa
