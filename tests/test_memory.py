"""Memory of results: whose it is, and how much of it is kept."""

import gc
import threading

import numpy as np
import pytest
from support import values

from convx import functional as F
from convx._core._memory import kept_sizes, new_result

FLOAT32 = np.dtype(np.float32)
MEGABYTE = 2**20 // 4  # of float32


def address(array):
    return array.ctypes.data


def test_next_result_takes_the_memory_of_one_that_is_gone():
    first = new_result((3, MEGABYTE), FLOAT32)
    place = address(first)
    del first
    gc.collect()
    assert address(new_result((MEGABYTE, 3), FLOAT32)) == place


def test_results_that_are_held_share_nothing():
    held = [new_result((MEGABYTE,), FLOAT32) for _ in range(40)]
    for n, one in enumerate(held):
        one[...] = n
    for n, one in enumerate(held):
        assert (one == n).all()


def test_a_view_keeps_the_memory():
    result = new_result((2, MEGABYTE), FLOAT32)
    result[...] = 7
    view = result[1, ::3]
    del result
    other = new_result((2, MEGABYTE), FLOAT32)
    other[...] = 8
    assert (view == 7).all()


def test_a_result_is_an_ordinary_array(rng):
    x, w = values(rng, (1, 8, 128, 128), "float32"), values(rng, (8, 8, 3, 3), "float32")
    y = F.conv2d(x, w)
    assert y.nbytes >= 2**18
    assert type(y) is np.ndarray
    assert y.flags.writeable
    assert y.flags.carray
    y += 1
    memoryview(y).release()


def test_memory_that_is_much_too_large_is_left_for_others():
    large = new_result((8, MEGABYTE), FLOAT32)
    place = address(large)
    del large
    small = new_result((2, MEGABYTE), FLOAT32)
    assert address(small) != place


def test_the_latest_memory_that_fits_is_taken():
    held = [new_result((n, MEGABYTE), FLOAT32) for n in (3, 3, 8)]
    places = [address(one) for one in held]
    while held:
        del held[0]
    again = [new_result((3, MEGABYTE), FLOAT32) for _ in range(2)]
    assert [address(one) for one in again] == places[1::-1]  # what came back last is too large
    assert address(new_result((8, MEGABYTE), FLOAT32)) == places[2]


@pytest.mark.parametrize("planes", [1, 3, 40])
def test_results_of_remembered_calls_have_memory_of_their_own(rng, planes):
    """Of a few bytes that NumPy has, or of blocks."""
    x = values(rng, (1, planes, 112, 112), "float32")
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
    expected = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3)).mean((-2, -1))
    held = [F.avg_pool2d(x, 3, 1, 1) for _ in range(4)]
    assert len({address(one) for one in held}) == 4
    for one in held:
        assert one.shape == expected.shape
        np.testing.assert_allclose(one, expected, rtol=1e-5, atol=1e-6)


def test_kept_memory_is_bounded():
    """What is given back beyond the bounds goes, the oldest first."""
    new_result((128, MEGABYTE), FLOAT32)  # in whose place nothing else is kept
    held = [new_result((n + 1, MEGABYTE), FLOAT32) for n in range(20)]
    while held:
        del held[0]
    assert kept_sizes() == [n * 2**20 for n in range(14, 21)]
    held = [new_result((MEGABYTE // 4,), FLOAT32) for _ in range(300)]
    del held
    new_result((129, MEGABYTE), FLOAT32)
    assert kept_sizes() == [2**18] * 256


@pytest.mark.parametrize(
    ("size", "taken"), [(1605632, 2**21), (2**21 + 100, 2**21 + 100), (3702784, 2**22)]
)
def test_a_huge_page_that_is_nearly_filled_is_taken_whole(size, taken):
    held = []
    while any(size <= kept <= size + size // 3 for kept in kept_sizes()):
        held.append(new_result((size // 4,), FLOAT32))  # in a block that another test has left
    result = new_result((size // 4,), FLOAT32)
    place = address(result)
    assert place % 2**21 == 0
    del result
    assert kept_sizes()[-1] == taken
    assert address(new_result((size // 4,), FLOAT32)) == place


def test_what_a_step_of_training_holds_is_kept():
    held = [new_result((MEGABYTE,), FLOAT32) for _ in range(60)]
    places = {address(one) for one in held}
    del held
    assert {address(one) for one in [new_result((MEGABYTE,), FLOAT32) for _ in range(60)]} == places


@pytest.mark.parametrize("shape", [(), (0,), (0, 2**40), (5,), (2**16,)])
def test_any_shape(shape):
    result = new_result(shape, FLOAT32)
    assert result.shape == shape
    assert result.dtype == FLOAT32


def test_several_threads_at_a_time():
    """Each finds what it wrote."""
    wrong = []

    def work(number):
        for n in range(200):
            one = new_result((n % 3 + 1, MEGABYTE // 4), FLOAT32)
            one[...] = number
            if not (one == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
