"""Named arrays in files: what is written comes back, what is malformed is refused in one line."""

import io
import json
import pickle
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from support import assert_same, randomly, run_in_child, small_integers, values

from convx.nn.serialization import load, save

FORMATS = [".npz", ".safetensors"]
TYPES = ("bool", "int8", "uint8", "int16", "uint32", "int64", "float16", "float32", "float64")


@pytest.fixture(params=FORMATS)
def suffix(request):
    if request.param == ".safetensors":
        pytest.importorskip("safetensors")
    return request.param


def some_state(rng):
    state = {f"layer.{dtype}": small_integers(rng, (2, 3), dtype) for dtype in TYPES}
    state["0.num_batches_tracked"] = np.array(7)
    state["empty"] = np.zeros((0, 4), np.float32)
    return state


def test_round_trip(tmp_path, rng, suffix):
    state = some_state(rng)
    path = tmp_path / f"weights{suffix}"
    save(path, state)
    loaded = load(str(path))
    assert set(loaded) == set(state)
    for name, array in state.items():
        assert_same(loaded[name], array)
        assert loaded[name].flags.writeable


def test_layouts_and_orders(tmp_path, rng, suffix):
    array = rng.standard_normal((4, 6))
    swapped = array.astype(array.dtype.newbyteorder())
    given = {"f": np.asfortranarray(array), "step": array[::2, ::-1], "swapped": swapped}
    path = tmp_path / f"weights{suffix}"
    save(path, {**given, "list": [1.0, 2.0]})
    loaded = load(path)
    for name, expected in given.items():
        assert_same(loaded[name], np.ascontiguousarray(expected, np.float64))
    assert_same(loaded["list"], np.array([1.0, 2.0]))


def test_equal_arrays_make_equal_bytes(tmp_path, rng, suffix):
    state = some_state(rng)
    for name in ("a", "b"):
        save(tmp_path / f"{name}{suffix}", state)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_numpy_reads_and_writes_the_same(tmp_path, rng):
    state = {"w": rng.standard_normal(5), "c": values(rng, (3, 2), "complex128")}
    save(tmp_path / "ours.npz", state)
    with np.load(tmp_path / "ours.npz", allow_pickle=False) as theirs:
        for name, array in state.items():
            assert_same(theirs[name], array)
    np.savez_compressed(tmp_path / "theirs.npz", **state)
    for name, array in load(tmp_path / "theirs.npz").items():
        assert_same(array, state[name])


def test_safetensors_reads_and_writes_the_same(tmp_path, rng):
    package = pytest.importorskip("safetensors.numpy")
    state = {"w": rng.standard_normal(5), "c": values(rng, (3, 2), "complex64")}
    save(tmp_path / "ours.safetensors", state)
    for name, array in package.load_file(tmp_path / "ours.safetensors").items():
        assert_same(array, state[name])
    package.save_file(state, tmp_path / "theirs.safetensors", metadata={"format": "np"})
    for name, array in load(tmp_path / "theirs.safetensors").items():
        assert_same(array, state[name])


def test_bfloat16_becomes_float32(tmp_path):
    pytest.importorskip("safetensors")
    path = tmp_path / "half.safetensors"
    path.write_bytes(
        tensors({"w": ("BF16", [3], [0, 6])}, struct.pack("<3H", 0x3F80, 0xC000, 0x7F80))
    )
    assert_same(load(path)["w"], np.array([1, -2, np.inf], np.float32))


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "weights.npz"
    save(path, {"w": np.ones(3)})
    before = path.read_bytes()

    def fails(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(np.lib.format, "write_array", fails)
    with pytest.raises(KeyboardInterrupt):
        save(path, {"w": np.zeros(3)})
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["weights.npz"]


BAD_STATES = {
    "other ending": ("w.pt", {"w": np.ones(2)}, ValueError, "must end in .npz or .safetensors"),
    "no ending": ("w", {"w": np.ones(2)}, ValueError, "must end in"),
    "no folder": ("none/w.npz", {"w": np.ones(2)}, OSError, "no such folder"),
    "objects": ("w.npz", {"w": np.array([{}])}, TypeError, "w must hold numbers, got object"),
    "strings": ("w.npz", {"w": "text"}, TypeError, "w must hold numbers"),
    "no string": ("w.npz", {3: np.ones(2)}, TypeError, "must be strings, got 3"),
    "empty": ("w.npz", {"": np.ones(2)}, ValueError, "dotted names"),
    "path": ("w.npz", {"../w": np.ones(2)}, ValueError, "dotted names"),
    "dots": ("w.npz", {"a..b": np.ones(2)}, ValueError, "dotted names"),
    "line": ("w.npz", {"a\nb": np.ones(2)}, ValueError, "dotted names"),
}


@pytest.mark.parametrize("case", BAD_STATES)
def test_what_cannot_be_written(tmp_path, case):
    name, state, error, says = BAD_STATES[case]
    with pytest.raises(error, match=says):
        save(tmp_path / name, state)
    assert list(tmp_path.iterdir()) == []


def test_complex128_in_safetensors(tmp_path):
    pytest.importorskip("safetensors")
    with pytest.raises(TypeError, match="w is complex128"):
        save(tmp_path / "w.safetensors", {"w": np.ones(2, complex)})


@pytest.mark.parametrize("name", ["missing.npz", "missing.safetensors"])
def test_what_cannot_be_opened(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="no such file"):
        load(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match="not a file"):
        load(tmp_path / name)
    with pytest.raises(ValueError, match="must end in"):
        load(tmp_path / "weights.pkl")


# Malformed files: the rows 88 to 93 of the list of bad inputs, each in a child of its own


def npy(array=None, header=None, data=b""):
    """The bytes of a .npy file, of an array or with a header of one's own."""
    if header is None:
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=True)
        return stream.getvalue()
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def archive(members, compression=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name), data, compression)
    return stream.getvalue()


def tensors(header, data=b"", length=None):
    """The bytes of a safetensors file with a header of one's own."""
    if isinstance(header, dict):
        header = json.dumps(
            {
                name: {"dtype": dtype, "shape": shape, "data_offsets": place}
                for name, (dtype, shape, place) in header.items()
            }
        )
    text = header.encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def told(shape, dtype="<f8"):
    return f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}"


GOOD = archive([("w.npy", npy(np.arange(6.0)))])
DEFLATED = archive([("w.npy", npy(np.arange(6.0)))], zipfile.ZIP_DEFLATED)
LONG = archive([("w.npy", npy(np.arange(2000.0)))])
BOMB = archive([("w.npy", npy(np.zeros(50 << 20, np.uint8)))], zipfile.ZIP_DEFLATED)


def lying_about_size(data, size):
    """Change the unpacked size in the directory, the last thing of a small archive."""
    place = data.rindex(b"PK\x01\x02") + 24
    return data[:place] + struct.pack("<I", size) + data[place + 4 :]


def overlapping():
    """Two names for the same bytes: a bomb that no single part gives away."""
    entry = GOOD[GOOD.rindex(b"PK\x01\x02") : GOOD.rindex(b"PK\x05\x06")]
    end = bytearray(GOOD[GOOD.rindex(b"PK\x05\x06") :])
    copies = 20
    end[8:12] = struct.pack("<HH", copies, copies)
    end[12:16] = struct.pack("<I", copies * len(entry))
    names = [entry.replace(b"w.npy", b"%c.npy" % (97 + copy)) for copy in range(copies)]
    return GOOD[: GOOD.rindex(b"PK\x01\x02")] + b"".join(names) + bytes(end)


class Evil:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return (open, ("/proc/self/evil-was-here", "w"))


NPZ = {
    "88 pickle": (pickle.dumps({"w": Evil()}), "zip"),
    "88 pickle in a zip": (archive([("data.pkl", pickle.dumps(Evil()))]), "no .npy file"),
    "89 object array": (
        archive([("w.npy", npy(np.array([Evil(), None], object)))]),
        "holds object, not numbers",
    ),
    "89 strings": (archive([("w.npy", npy(np.array(["a"])))]), "not numbers"),
    "89 records": (archive([("w.npy", npy(np.zeros(2, "f4,i4")))]), "not"),
    "90 shape of 1e12": (
        archive([("w.npy", npy(header=told((10**12,)), data=bytes(8)))]),
        "promises 8000000000000 bytes, it holds 8",
    ),
    "90 shape beyond 64 bits": (archive([("w.npy", npy(header=told((2**70, 0))))]), "damaged"),
    "90 negative shape": (archive([("w.npy", npy(header=told((-1,))))]), "damaged"),
    "90 twice negative": (
        archive([("w.npy", npy(header=told((-1, -1)), data=bytes(8)))]),
        "damaged",
    ),
    "90 many axes": (
        archive([("w.npy", npy(header=told((1,) * 99), data=bytes(8)))]),
        "w.npy",
    ),
    "90 too few data": (
        archive([("w.npy", npy(header=told((3,)), data=bytes(16)))]),
        "promises 24 bytes, it holds 16",
    ),
    "90 too much data": (
        archive([("w.npy", npy(header=told((1,)), data=bytes(16)))]),
        "promises 8 bytes, it holds 16",
    ),
    "90 brackets": (archive([("w.npy", npy(header="(" * 5000))]), "not a .npy file"),
    "90 no header": (archive([("w.npy", b"\x93NUMPY")]), "not a .npy file"),
    "91 bomb": (BOMB, "unpacks to"),
    "91 bomb that lies": (lying_about_size(BOMB, 1000), "w.npy"),
    "91 overlapping parts": (overlapping(), "overlap"),
    "92 empty": (b"", "zip"),
    "92 cut off": (GOOD[:-30], "zip"),
    "92 cut at the front": (GOOD[30:], ""),
    "92 wrong checksum": (LONG.replace(np.float64(777).tobytes(), bytes(8)), "CRC"),
    "92 unpacked size too small": (lying_about_size(DEFLATED, 100), "w.npy"),
    "92 unpacked size too large": (lying_about_size(DEFLATED, 200), "w.npy"),
    "92 the same name twice": (
        archive([("a.npy", npy(np.ones(2))), ("w.npy", npy(np.ones(2)))]).replace(
            b"a.npy", b"w.npy"
        ),
        "'w' twice",
    ),
    "92 path upwards": (archive([("../w.npy", npy(np.ones(2)))]), "dotted names"),
    "92 absolute path": (archive([("/w.npy", npy(np.ones(2)))]), "dotted names"),
    "92 backslash": (archive([("..\\w.npy", npy(np.ones(2)))]), "dotted names"),
    "92 folder": (archive([("w/", b"")]), "no .npy file"),
    "92 no name": (archive([(".npy", npy(np.ones(2)))]), "dotted names"),
    "92 bzip2": (archive([("w.npy", npy(np.ones(2)))], zipfile.ZIP_BZIP2), "compressed in a way"),
    "92 garbage deflated": (
        DEFLATED.replace(zlib.compress(npy(np.arange(6.0)))[4:40], bytes(36))[:60] + DEFLATED[60:],
        "",
    ),
}

SAFETENSORS = {
    "empty": b"",
    "short": b"\0\0\0",
    "length beyond the file": tensors({}, length=1000),
    "length of 2**63": tensors({}, length=2**63),
    "no JSON": tensors("{not json"),
    "deep JSON": tensors("[" * 100000),
    "list": tensors("[]"),
    "data cut off": tensors({"w": ("F64", [4], [0, 32])}, bytes(31)),
    "too much data": tensors({"w": ("F64", [4], [0, 32])}, bytes(33)),
    "shape of 1e12": tensors({"w": ("F64", [10**12], [0, 32])}, bytes(32)),
    "shape overflows": tensors({"w": ("F64", [2**62, 2**62], [0, 32])}, bytes(32)),
    "negative shape": tensors({"w": ("F64", [-1], [0, 32])}, bytes(32)),
    "offsets turned": tensors({"w": ("F64", [4], [32, 0])}, bytes(32)),
    "offsets overlap": tensors({"v": ("F64", [4], [0, 32]), "w": ("F64", [4], [0, 32])}, bytes(32)),
    "unknown type": tensors({"w": ("X8", [4], [0, 4])}, bytes(4)),
    "float8": tensors({"w": ("F8_E5M2", [4], [0, 4])}, bytes(4)),
    "path": tensors({"../w": ("F64", [4], [0, 32])}, bytes(32)),
    "same name twice": tensors(
        '{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},'
        '"w":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}',
        bytes(8),
    ),
    "pickle": pickle.dumps(Evil()),
}


def refusal(path, data, **options):
    """What loading a file raises, in a forked child with a bound on memory and time."""
    path.write_bytes(data)
    outcome = run_in_child(lambda: sorted(load(path, **options)), seconds=20, memory=1 << 30)
    assert outcome.error is ValueError, outcome
    assert str(path) in outcome.message
    assert "\n" not in outcome.message
    return outcome.message


@pytest.mark.parametrize("case", NPZ)
def test_malformed_npz(tmp_path, case):
    data, says = NPZ[case]
    assert says in refusal(tmp_path / "bad.npz", data)


@pytest.mark.parametrize("case", SAFETENSORS)
def test_malformed_safetensors(tmp_path, case):
    pytest.importorskip("safetensors")
    refusal(tmp_path / "bad.safetensors", SAFETENSORS[case])


def test_limits(tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    save(path, {"w": np.zeros(1000)})
    assert "over the limit of 7999" in refusal(path, path.read_bytes(), max_bytes=7999)
    load(path, max_bytes=10000)
    bomb = tmp_path / "bomb.npz"
    bomb.write_bytes(BOMB)
    with pytest.raises(ValueError, match="give max_bytes if this is meant"):
        load(bomb, max_bytes=1 << 20)
    assert load(bomb, max_bytes=60 << 20)["w"].nbytes == 50 << 20
    with pytest.raises(ValueError, match="max_bytes must be non-negative"):
        load(path, max_bytes=-1)


@randomly(60, seed=st.integers(0, 2**32), which=st.sampled_from([GOOD, DEFLATED]))
def test_damaged_npz(seed, which):
    """Bytes changed, cut or put in: refused, or else nothing that matters was hit."""
    damage(".npz", seed, which, np.arange(6.0))


@randomly(60, seed=st.integers(0, 2**32))
def test_damaged_safetensors(seed):
    pytest.importorskip("safetensors")
    good = tensors({"w": ("F64", [6], [0, 48])}, np.arange(6.0).tobytes())
    damage(".safetensors", seed, good, None)


def damage(suffix, seed, good, expected):
    rng = np.random.default_rng(seed)
    data = bytearray(good)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(0, max(len(data), 1)))
        kind = rng.integers(3)
        if kind == 0:
            del data[place : place + int(rng.integers(1, 20))]
        elif kind == 1:
            data[place:place] = rng.bytes(int(rng.integers(1, 9)))
        elif data:
            data[place % len(data)] = rng.integers(256)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"damaged{suffix}")
        path.write_bytes(bytes(data))
        try:
            loaded = load(path)
        except ValueError:
            return
    # A name or a type may have been changed into another; a zip has sums of its contents.
    if expected is not None:
        for array in loaded.values():
            assert array.tobytes() == expected.tobytes()
