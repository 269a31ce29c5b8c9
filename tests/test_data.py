"""Batches, the digits that come with convx, and IDX files."""

import gzip
import hashlib
import os
import struct
import threading
import time

import numpy as np
import pytest
from support import assert_same, run_in_child

import convx.data
from convx.data import DataLoader, digits, mnist, read_idx

PREFETCH = [0, 1, 2, 7]


def threads_of_loaders():
    return [one for one in threading.enumerate() if one.name.startswith("convx-data")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert threads_of_loaders() == []


# Batches


@pytest.mark.parametrize("prefetch", PREFETCH)
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 5, 7, 8, 100])
def test_batches_in_order(batch_size, drop_last, prefetch):
    x, y = np.arange(70.0).reshape(7, 10), np.arange(7)
    loader = DataLoader((x, y), batch_size, drop_last=drop_last, prefetch=prefetch)
    batches = list(loader)
    whole, rest = divmod(7, batch_size)
    assert len(batches) == len(loader) == whole + (rest > 0 and not drop_last)
    kept = 7 - rest if drop_last else 7
    if batches:
        assert_same(np.concatenate([batch[0] for batch in batches]), x[:kept])
        assert_same(np.concatenate([batch[1] for batch in batches]), y[:kept])
        assert all(len(batch[0]) == batch_size for batch in batches[:whole])


@pytest.mark.parametrize("prefetch", PREFETCH)
def test_every_pass_has_an_order_of_its_own(prefetch):
    numbers = np.arange(50)
    loader = DataLoader(numbers, 8, shuffle=True, rng=3, prefetch=prefetch)
    passes = [np.concatenate(list(loader)) for _ in range(3)]
    for order in passes:
        np.testing.assert_array_equal(np.sort(order), numbers)
        assert not np.array_equal(order, numbers)
    assert not np.array_equal(passes[0], passes[1])
    # The seed alone decides, and not how far ahead the batches are made.
    again = DataLoader(numbers, 8, shuffle=True, rng=3)
    for order in passes:
        np.testing.assert_array_equal(np.concatenate(list(again)), order)


def test_two_passes_at_once():
    loader = DataLoader(np.arange(40), 4, shuffle=True, rng=np.random.default_rng(1))
    first, second = iter(loader), iter(loader)
    drawn = [np.concatenate(one) for one in zip(*zip(first, second, strict=True), strict=True)]
    again = DataLoader(np.arange(40), 4, shuffle=True, rng=1, prefetch=0)
    assert_same(drawn[0], np.concatenate(list(again)))
    assert_same(drawn[1], np.concatenate(list(again)))


def test_batches_are_copies():
    numbers = np.arange(6.0)
    numbers.flags.writeable = False
    for batch in DataLoader(numbers, 3):
        batch += 1
    np.testing.assert_array_equal(numbers, np.arange(6.0))


class Squares:
    """A data set by number."""

    def __init__(self, length, item=lambda index: (np.full(2, index), index**2)):
        self.length, self.item, self.asked = length, item, []

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        assert type(index) is int
        self.asked.append(index)
        return self.item(index)


@pytest.mark.parametrize("prefetch", PREFETCH)
def test_items_by_number(prefetch):
    batches = list(DataLoader(Squares(5), 2, prefetch=prefetch))
    assert [batch[0].tolist() for batch in batches] == [
        [[0, 0], [1, 1]],
        [[2, 2], [3, 3]],
        [[4, 4]],
    ]
    assert [batch[1].tolist() for batch in batches] == [[0, 1], [4, 9], [16]]
    assert [one.tolist() for one in DataLoader([1.5, 2.5], 2, prefetch=prefetch)] == [[1.5, 2.5]]


@pytest.mark.parametrize("length", [0, 1])
def test_few_items(length):
    assert len(list(DataLoader(np.zeros((length, 3)), 4, shuffle=True))) == length
    assert len(list(DataLoader(Squares(length), 4))) == length


class Broken(Exception):
    pass


@pytest.mark.parametrize("error", [Broken, KeyboardInterrupt, StopIteration, MemoryError])
@pytest.mark.parametrize("prefetch", PREFETCH)
@pytest.mark.parametrize("place", [0, 5, 11])
def test_errors_arrive_where_the_batch_is_asked_for(place, prefetch, error):
    def item(index):
        if index == place:
            raise error("item")
        return index

    loader = iter(DataLoader(Squares(12, item), 2, prefetch=prefetch))
    for _ in range(place // 2):
        next(loader)
    # A StopIteration would end the loop as if all were well.
    expected = RuntimeError if error is StopIteration else error
    with pytest.raises(expected):
        next(loader)
    with pytest.raises(StopIteration):
        next(loader)


@pytest.mark.parametrize("taken", [0, 1, 3])
@pytest.mark.parametrize("prefetch", [1, 2, 50])
def test_leaving_early_ends_the_thread(taken, prefetch):
    data = Squares(1000)
    loader = iter(DataLoader(data, 2, prefetch=prefetch))
    for _ in range(taken):
        next(loader)
    del loader
    assert threads_of_loaders() == []
    asked = len(data.asked)
    assert asked <= 2 * (taken + prefetch)
    time.sleep(0.01)
    assert len(data.asked) == asked


def test_when_there_is_a_thread(tmp_path):
    small, large = np.zeros((100, 10)), np.zeros((100, 5000))
    mapped = np.memmap(tmp_path / "file", float, "w+", shape=(100, 10))
    assert DataLoader(small, 32).prefetch == DataLoader((small, small), 32).prefetch == 0
    assert DataLoader(large, 2).prefetch == DataLoader(np.zeros((0, 4))).prefetch == 0
    assert DataLoader(large, 32).prefetch == DataLoader((small, large), 32).prefetch == 2
    assert DataLoader(Squares(4)).prefetch == DataLoader(mapped).prefetch == 2
    assert DataLoader(large, 32, prefetch=0).prefetch == 0


def test_batches_are_made_ahead():
    started = threading.Event()

    def item(index):
        if index == 2:
            started.set()
        return index

    loader = iter(DataLoader(Squares(4, item), 1, prefetch=2))
    next(loader)
    assert started.wait(10)
    loader.close()


def test_an_iteration_does_not_go_on_in_a_fork():
    loader = iter(DataLoader(Squares(100), 1))
    next(loader)
    outcome = run_in_child(lambda: [next(loader) for _ in range(5)], seconds=10)
    assert outcome.error is RuntimeError
    assert "forked" in outcome.message
    assert run_in_child(lambda: len(list(DataLoader(Squares(9), 2))), seconds=10).value == 5
    assert len(list(loader)) == 99


BAD_LOADERS = {
    "batch_size 0": ({"batch_size": 0}, ValueError, "batch_size must be positive"),
    "batch_size 1.5": ({"batch_size": 1.5}, TypeError, "batch_size must be an integer"),
    "shuffle 1": ({"shuffle": 1}, TypeError, "shuffle must be True or False"),
    "drop_last": ({"drop_last": "no"}, TypeError, "drop_last must be True or False"),
    "rng": ({"rng": "seed"}, TypeError, "rng must be None, a seed or a generator"),
    "prefetch": ({"prefetch": -1}, ValueError, "prefetch must be non-negative"),
    "lengths": ({"dataset": (np.ones(3), np.ones(4))}, ValueError, "of one length"),
    "no axis": ({"dataset": np.array(3)}, ValueError, "first axis"),
    "no arrays": ({"dataset": ()}, ValueError, "first axis"),
    "lists": ({"dataset": ([1], [2])}, TypeError, "NumPy arrays in its tuple, got list"),
    "generator": ({"dataset": iter([1])}, TypeError, "got list_iterator"),
    "dict": ({"dataset": {"x": np.ones(2)}}, TypeError, "got dict"),
}


@pytest.mark.parametrize("case", BAD_LOADERS)
def test_bad_arguments(case):
    options, error, says = BAD_LOADERS[case]
    with pytest.raises(error, match=says):
        DataLoader(**{"dataset": np.ones(3), **options})


def test_items_that_do_not_stack():
    with pytest.raises(ValueError, match="same shape"):
        next(iter(DataLoader(Squares(4, lambda index: np.ones(index)), 2)))


# The digits that come with convx


def test_embedded_digits():
    training, held_out = mnist()
    for part, count in ((training, 4000), (held_out, 1000)):
        images, labels = part
        assert (images.shape, images.dtype) == ((count, 1, 28, 28), np.float32)
        assert (labels.shape, labels.dtype) == ((count,), np.int64)
        assert (images.min(), images.max()) == (0, 1)
        assert set(labels) == set(range(10))
        assert images.flags.c_contiguous
    assert np.bincount(np.concatenate([training.labels, held_out.labels])).tolist() == [500] * 10
    # The split is fixed for ever: figures are quoted for it.
    digest = hashlib.sha256(held_out.images.tobytes() + held_out.labels.tobytes()).hexdigest()
    assert digest.startswith(DIGEST)
    seen = {image.tobytes() for image in training.images}
    assert not any(image.tobytes() in seen for image in held_out.images)


DIGEST = "5b328563dccbc7af"


def test_arrays_of_a_call_are_its_own():
    mnist()[0].images[:] = 5
    assert mnist()[0].images.max() == 1


# IDX files


def idx(array, code=0x08):
    big = array.astype(array.dtype.newbyteorder(">"))
    return (
        bytes([0, 0, code, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + big.tobytes()
    )


IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}


@pytest.mark.parametrize("code", IDX_TYPES)
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (0,), (2, 0, 3), (1,) * 9])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_files(tmp_path, rng, code, shape, pack):
    array = rng.integers(0, 100, shape).astype(IDX_TYPES[code])
    (tmp_path / "file").write_bytes(pack(idx(array, code)))
    assert_same(read_idx(tmp_path / "file"), array)


GOOD = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
BAD_IDX = {
    "empty": (b"", "not an IDX file"),
    "short magic": (b"\0\0\x08", "not an IDX file"),
    "wrong magic": (b"\x01" + GOOD[1:], "not an IDX file"),
    "wrong type": (b"\0\0\x0a" + GOOD[3:], "not an IDX file"),
    "no axes": (b"\0\0\x08\0", "not an IDX file"),
    "header cut off": (GOOD[:9], "within its header"),
    "data cut off": (GOOD[:-1], "it holds fewer"),
    "too much data": (GOOD + b"x", "it holds more"),
    "huge": (b"\0\0\x08\x03" + b"\xff" * 12 + bytes(9), "promises"),
    "255 axes": (b"\0\0\x08\xff" + b"\0\0\0\x01" * 255 + b"x", "cannot read"),
    "text": (b"hello, world", "not an IDX file"),
    "npy": (b"\x93NUMPY\x01\0", "not an IDX file"),
    "short gzip": (gzip.compress(GOOD)[:-9], "cannot read"),
    "gzip without a tail": (gzip.compress(GOOD)[:-8], "cannot read"),
    "gzip with a wrong sum": (gzip.compress(GOOD)[:-8] + bytes(8), "cannot read"),
    "only the magic of gzip": (b"\x1f\x8b", "cannot read"),
    "garbage in gzip": (gzip.compress(GOOD)[:12] + bytes(40), "cannot read"),
    "data cut off in gzip": (gzip.compress(GOOD[:-1]), "it holds fewer"),
    "too much data in gzip": (gzip.compress(GOOD + b"x"), "it holds more"),
    "huge in gzip": (gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12 + bytes(9)), "promises"),
    "bomb": (
        gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 2**31) + bytes(1 << 26), 1),
        "promises 2147483648 bytes",
    ),
    "endless bomb": (gzip.compress(GOOD + bytes(1 << 26), 1), "it holds more"),
}


@pytest.mark.parametrize("case", BAD_IDX)
def test_bad_idx_files(tmp_path, case):
    """Row 101 of the list of bad inputs, each in a child of its own."""
    data, says = BAD_IDX[case]
    path = tmp_path / "file"
    path.write_bytes(data)
    outcome = run_in_child(lambda: read_idx(path).shape, seconds=20, memory=1 << 28)
    assert outcome.error is ValueError, outcome
    assert str(path) in outcome.message
    assert says in outcome.message
    assert "\n" not in outcome.message


def test_idx_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_idx(tmp_path / "missing")
    with pytest.raises(ValueError, match="not a file"):
        read_idx(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="not a file"):
        read_idx(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(GOOD)
    with pytest.raises(ValueError, match="over 23"):
        read_idx(tmp_path / "file", max_bytes=23)


# MNIST from its files


@pytest.fixture
def small_mnist(monkeypatch):
    """Take small files for those of MNIST, and return what they hold."""
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.integers(0, 10, (shape[0] // 10000, *shape[1:]), np.uint8)
        for name, shape in digits.SHAPES.items()
    }
    sums = {name: hashlib.sha256(idx(array)).hexdigest() for name, array in arrays.items()}
    monkeypatch.setattr(digits, "SHAPES", {name: array.shape for name, array in arrays.items()})
    monkeypatch.setattr(digits, "CHECKSUMS", sums)
    return arrays


@pytest.mark.parametrize("dot", [False, True])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_mnist_from_files(tmp_path, small_mnist, pack, dot):
    for name, array in small_mnist.items():
        stem = name.replace("-idx", ".idx") if dot else name
        target = tmp_path / f"{stem}{'' if pack is bytes else '.gz'}"
        target.write_bytes(pack(idx(array)))
    training, held_out = mnist(str(tmp_path))
    expected = list(small_mnist.values())
    assert_same(training.images, expected[0][:, None].astype(np.float32) / 255)
    assert_same(training.labels, expected[1].astype(np.int64))
    assert_same(held_out.images, expected[2][:, None].astype(np.float32) / 255)
    assert_same(held_out.labels, expected[3].astype(np.int64))


def test_files_that_are_not_those_of_mnist(tmp_path, small_mnist):
    with pytest.raises(FileNotFoundError, match="no file train-images-idx3-ubyte or"):
        mnist(tmp_path)
    for name, array in small_mnist.items():
        (tmp_path / name).write_bytes(idx(array))
    name = "train-labels-idx1-ubyte"
    (tmp_path / name).write_bytes(idx(small_mnist[name] ^ 1))
    with pytest.raises(ValueError, match="is not MNIST's train-labels-idx1-ubyte"):
        mnist(tmp_path)
    (tmp_path / name).write_bytes(idx(small_mnist[name][:-1]))
    with pytest.raises(ValueError, match=r"is not MNIST's .* of shape \(5,\)"):
        mnist(tmp_path)
    (tmp_path / name).write_bytes(idx(np.zeros((6, 1), np.int16), 0x0B))
    with pytest.raises(ValueError, match="promises 12 bytes"):
        mnist(tmp_path)


def test_known_checksums():
    """Of the four files as they are distributed: all different, for shapes of MNIST."""
    assert set(digits.CHECKSUMS) == set(digits.SHAPES)
    assert {len(digits.CHECKSUMS[name]) for name in digits.SHAPES} == {64}
    assert len(set(digits.CHECKSUMS.values())) == 4


def test_random_shifts(rng):
    images = rng.integers(1, 9, (40, 2, 5, 6))
    shifted = convx.data.random_shift(images, 2, rng=0)
    assert_same(shifted, convx.data.random_shift(images, 2, rng=0))
    assert_same(convx.data.random_shift(images, 0), images)
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))
    seen = set()
    for whole, picture in zip(padded, shifted, strict=True):
        places = [
            (down, across)
            for down in range(5)
            for across in range(5)
            if np.array_equal(whole[:, down : down + 5, across : across + 6], picture)
        ]
        assert len(places) == 1
        seen.update(places)
    assert {0, 4} <= {down for down, _ in seen}
    assert {0, 4} <= {across for _, across in seen}
    with pytest.raises(ValueError, match="images must have axes"):
        convx.data.random_shift(images[0], 1)
    with pytest.raises(ValueError, match="pixels must be non-negative"):
        convx.data.random_shift(images, -1)


def test_public_names():
    names = {"DataLoader", "Digits", "mnist", "random_shift", "read_idx"}
    assert set(convx.data.__all__) == names
