"""Dropout: what it drops, how much, and that its gradient drops the same."""

import numpy as np
import pytest
from support import assert_same, run_python

import convx
from convx import functional as F
from convx import grad

CHANNELS = {"dropout1d": 3, "dropout2d": 4, "dropout3d": 5}
NAMES = ("dropout", *CHANNELS)
each = pytest.mark.parametrize("name", NAMES)


def shape_for(name, size=3):
    return (20, 30, *(size for _ in range(CHANNELS.get(name, 3) - 2)))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_share_and_scale(p):
    x = np.ones(200_000, np.float32)
    y = F.dropout(x, p, rng=0)
    assert set(np.unique(y)) == {0, np.float32(1 / (1 - p))}
    dropped = np.mean(y == 0)
    assert abs(dropped - p) < 5 * np.sqrt(p * (1 - p) / x.size)


def test_elements_are_independent():
    """Neighbours, and elements as far apart as vectors and stretches are, agree by chance alone."""
    dropped = F.dropout(np.ones(1 << 18, np.float32), rng=1) == 0
    for distance in (1, 2, 8, 16, 32, 4096):
        agree = np.mean(dropped[distance:] == dropped[:-distance])
        assert abs(agree - 0.5) < 5 * 0.5 / 512
    other = F.dropout(np.ones(1 << 18, np.float32), rng=2) == 0
    assert abs(np.mean(dropped == other) - 0.5) < 5 * 0.5 / 512


def threefry(key, counter):
    """Threefry-2x32 in 20 rounds, by its definition."""
    mask = 2**32 - 1
    keys = [*key, key[0] ^ key[1] ^ 0x1BD11BDA]
    low, high = (counter & mask) + keys[0] & mask, (counter >> 32) + keys[1] & mask
    for turn in range(20):
        low = low + high & mask
        by = (13, 15, 26, 6, 17, 29, 16, 24)[turn % 8]
        high = (high << by | high >> 32 - by) & mask
        high ^= low
        if turn % 4 == 3:
            step = turn // 4 + 1
            low = low + keys[step % 3] & mask
            high = high + keys[(step + 1) % 3] + step & mask
    return low, high


def test_cipher_has_its_published_values():
    assert threefry((0, 0), 0) == (0x6B200159, 0x99BA4EFE)
    assert threefry((2**32 - 1, 2**32 - 1), 2**64 - 1) == (0x1CB996FC, 0xBB002BE7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_elements_are_dropped_by_the_cipher(dtype):
    key = np.random.default_rng(9).integers(2**32, size=2).tolist()
    expected = []
    for block in range(4):
        words = [threefry(key, 16 * block + i) for i in range(16)]
        expected += [low for low, _ in words] + [high for _, high in words]
    dropped = F.dropout(np.ones(100, dtype), 0.3, rng=9) == 0
    np.testing.assert_array_equal(dropped, np.array(expected[:100]) < 0.3 * 2**32)


@each
def test_gradient_drops_the_same(name):
    x = np.random.default_rng(0).standard_normal(shape_for(name))
    y = getattr(F, name)(x, 0.4, rng=3)
    np.testing.assert_allclose(y, x * getattr(grad, name)(np.ones_like(x), x, 0.4, rng=3))
    assert 0 < np.mean(y == 0) < 1
    assert_same(getattr(F, name)(x, 0.4, rng=3), y)
    assert not np.array_equal(getattr(F, name)(x, 0.4, rng=4), y)
    state = np.random.default_rng(3)
    assert_same(getattr(F, name)(x, 0.4, rng=state), y)
    assert not np.array_equal(getattr(F, name)(x, 0.4, rng=state), y)
    assert not np.array_equal(getattr(F, name)(x), getattr(F, name)(x))


@pytest.mark.parametrize("name", CHANNELS)
def test_channels_are_dropped_whole(name):
    x = np.ones(shape_for(name))
    y = getattr(F, name)(x, 0.25, rng=0)
    slices = y.reshape(600, -1)
    assert (slices == slices[:, :1]).all()
    assert set(np.unique(y)) == {0, 1 / 0.75}
    assert abs(np.mean(slices[:, 0] == 0) - 0.25) < 0.1
    alone = getattr(F, name)(x[0], 0.5, rng=0)
    lead = alone[..., 0] if name == "dropout2d" else alone.reshape(30, -1)[:, 0]
    assert set(np.unique(lead)) == {0, 2}
    if name == "dropout2d":  # a batch of rows
        assert (alone == alone[..., :1]).all()
        assert not (alone == alone[:, :1]).all()
    else:
        assert (alone.reshape(30, -1) == alone.reshape(30, -1)[:, :1]).all()


@each
def test_nothing_and_everything(name):
    x = np.random.default_rng(0).standard_normal(shape_for(name)).astype(np.float32)
    x[0, 0] = np.nan
    for given in ({"p": 0}, {"p": 0.0, "training": True}, {"p": 1, "training": False}):
        y = getattr(F, name)(x, **given)
        assert_same(y, x)
        assert not np.shares_memory(x, y)
    y = getattr(F, name)(x, 1.0)
    assert np.isnan(y[0, 0]).all()  # 0 times NaN, as in PyTorch
    assert (y[1:] == 0).all()
    assert_same(getattr(grad, name)(x, x, 0.9, False), x)


@each
def test_place_and_dtype(name):
    x = np.random.default_rng(0).standard_normal(shape_for(name))
    y = getattr(F, name)(x, rng=1)
    for change in (np.copy, np.asfortranarray, lambda a: np.repeat(a, 2, 0)[::2]):
        here = change(x)
        assert getattr(F, name)(here, inplace=True, rng=1) is here
        np.testing.assert_array_equal(here, y)
        out = change(x)
        assert getattr(grad, name)(change(x), x, out=out, rng=1) is out
        np.testing.assert_array_equal(out, y)
    here = x.copy()
    assert getattr(F, name)(here, training=False, inplace=True) is here
    assert_same(here, x)
    half = getattr(F, name)(x.astype(np.float16), 0.3, rng=1)
    assert half.dtype == np.float16
    assert getattr(grad, name)(x.astype(np.float32), x.astype(np.float16)).dtype == np.float32
    assert getattr(F, name)(x[:0]).shape == x[:0].shape


def test_bits_depend_on_neither_threads_nor_instruction_set():
    x = np.random.default_rng(0).standard_normal((40, 9001))
    y = F.dropout(x, rng=5)
    with convx.threads(1):
        assert_same(F.dropout(x, rng=5), y)
    code = (
        "import numpy as np; from convx import functional as F\n"
        "print(np.flatnonzero(F.dropout(np.ones(5000), 0.1, rng=5) == 0).sum())"
    )
    assert len({run_python(code, CONVX_ISA=isa) for isa in ("baseline", "")}) == 1
