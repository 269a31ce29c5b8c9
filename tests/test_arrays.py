"""Arrays of every kind, as operands and as out."""

import numpy as np
import pytest
from support import DTYPES, INTEGERS, assert_same, values

import convx
from convx import functional as F
from convx import grad, reference


def as_list(array):
    return array.tolist()


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def reversed_in_memory(array):
    every = (slice(None, None, -1),) * array.ndim
    return np.ascontiguousarray(array[every])[every]


def reversed_rows(array):
    return np.ascontiguousarray(array[..., ::-1])[..., ::-1]


def every_other(array):
    wide = np.full(tuple(2 * n + 1 for n in array.shape), 77, array.dtype)
    view = wide[tuple(slice(1, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def byte_swapped(array):
    return array.astype(array.dtype.newbyteorder())


def unaligned(array):
    memory = np.zeros(array.nbytes + 1, "u1")
    view = memory[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    assert view.flags.aligned == (array.itemsize == 1)
    return view


def in_a_record(array):
    """A field of a packed structure: strides that are no whole numbers of elements."""
    records = np.zeros(array.shape, [("before", "u1"), ("value", array.dtype)])
    records["value"] = array
    return records["value"]


def subclass(array):
    class Subclass(np.ndarray):
        def __array_finalize__(self, parent):
            pass

    return array.view(Subclass)


def masked_nowhere(array):
    return np.ma.masked_array(array, mask=False)


def with_array_method(array):
    class Wrapper:
        def __array__(self, dtype=None, copy=None):
            return array

    return Wrapper()


def with_dlpack(array):
    class Wrapper:
        def __dlpack__(self, **how):
            return array.__dlpack__(**how)

        def __dlpack_device__(self):
            return array.__dlpack_device__()

    return Wrapper()


def odd_strides_of_single_axes(array):
    strides = [2**40 + 1 if n == 1 else step for n, step in zip(array.shape, array.strides)]
    return np.lib.stride_tricks.as_strided(array, array.shape, strides)


KINDS = [
    as_list,
    read_only,
    np.asfortranarray,
    reversed_in_memory,
    reversed_rows,
    every_other,
    byte_swapped,
    unaligned,
    in_a_record,
    subclass,
    masked_nowhere,
    with_array_method,
    with_dlpack,
    odd_strides_of_single_axes,
]


def calls(x, w, b, dy):
    """All kinds of functions on these arrays, with modes that read a border too."""
    yield lambda x, w, b, dy: F.conv2d(x, w, b)
    yield lambda x, w, b, dy: F.conv2d(x, w, b, stride=2, padding=1)
    yield lambda x, w, b, dy: F.conv2d(x, w, b, padding=3, padding_mode="symmetric")
    yield lambda x, w, b, dy: F.conv2d(x, w, b, padding=((0, 2), (9, 1)), padding_mode="circular")
    yield lambda x, w, b, dy: F.conv_transpose2d(dy, w, None, 2, padding=1)
    yield lambda x, w, b, dy: F.conv_transpose2d(dy, w, padding=2, padding_mode="reflect")
    yield lambda x, w, b, dy: grad.conv2d(dy, x, w, b)
    yield lambda x, w, b, dy: grad.conv_transpose2d(x, dy, w, None)
    yield lambda x, w, b, dy: grad.conv2d_weight(x, (4, 3, 2, 3), dy)
    yield lambda x, w, b, dy: grad.conv2d_input((1, 3, 9, 20), w, dy)
    yield lambda x, w, b, dy: convx.prepare_conv(w, b, padding=1)(x)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int8", "complex64"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_array(kind, dtype, rng):
    shapes = [(1, 3, 9, 20), (4, 3, 2, 3), (4,), (1, 4, 8, 18)]
    plain = [values(rng, shape, dtype) for shape in shapes]
    strange = [kind(array) for array in plain]
    if kind is as_list:  # what lists become: their dtype is not known any more
        plain = [np.array(one) for one in strange]
    before = [np.array(one) for one in strange]
    for call in calls(*plain):
        expected, result = call(*plain), call(*strange)
        if not isinstance(expected, tuple):
            expected, result = (expected,), (result,)
        for place, (one, exactly) in enumerate(zip(result, expected, strict=True)):
            if exactly is None:
                assert one is None
            elif place == 2:  # NumPy sums the gradient of the bias in the order of memory
                error = 0 if one.dtype.kind in "iu" else 50 * np.finfo(one.dtype).eps
                np.testing.assert_allclose(one, exactly, rtol=0, atol=error * 20)
            else:
                assert_same(one, exactly)
                assert one.flags.c_contiguous
    for one, was in zip(strange, before, strict=True):
        np.testing.assert_array_equal(np.array(one), was)


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_memory_mapped(dtype, tmp_path, rng):
    x, w = values(rng, (2, 3, 30, 20), dtype), values(rng, (4, 3, 3, 3), dtype)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert_same(F.conv2d(mapped, w), F.conv2d(x, w))
    out = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", dtype, (2, 4, 28, 18))
    assert F.conv2d(mapped, w, out=out) is out
    out.flush()
    assert_same(np.load(tmp_path / "y.npy"), F.conv2d(x, w))


@pytest.mark.parametrize("shape", [(5, 3, 8, 9), (5, 3, 1, 9), (5, 1, 8, 9), (1, 3, 1, 1)])
def test_broadcast_arrays(shape, rng):
    """Strides of zero: the same memory for many elements."""
    axes = [n if keep else 1 for n, keep in zip((5, 3, 8, 9), (shape[0] == 1, *shape[1:]))]
    x = np.broadcast_to(values(rng, tuple(axes)), (5, 3, 8, 9))
    w = np.broadcast_to(values(rng, (1, 3, 1, 3)), (4, 3, 3, 3))
    dy = np.broadcast_to(np.float64(2.5), (5, 4, 6, 7))
    for mode in ("zeros", "reflect"):
        options = {"padding": 2, "padding_mode": mode}
        assert_same(F.conv2d(x, w, **options), F.conv2d(x.copy(), w.copy(), **options))
    for one, exactly in zip(grad.conv2d(dy, x, w), grad.conv2d(dy.copy(), x.copy(), w.copy())):
        assert (one is None) == (exactly is None)
        if one is not None:
            assert_same(one, exactly)


def test_huge_broadcast_input_is_not_copied():
    """A batch of 2**40 items in 64 bytes: refused for its result, or summed for its gradient."""
    x = np.broadcast_to(np.ones(8), (2**40, 1, 8))
    with pytest.raises(MemoryError, match="output"):
        F.conv1d(x, np.ones((1, 1, 3)))


def test_torch_tensors(rng):
    torch = pytest.importorskip("torch")
    x, w = values(rng, (2, 3, 9, 8), "float32"), values(rng, (4, 3, 3, 3), "float32")
    tensor = torch.from_numpy(x)
    assert_same(F.conv2d(tensor, torch.from_numpy(w)), F.conv2d(x, w))
    assert_same(F.conv2d(tensor.transpose(2, 3), w), F.conv2d(x.transpose(0, 1, 3, 2), w))
    with pytest.raises(TypeError, match="input"):
        F.conv2d(tensor.clone().requires_grad_(), w)
    with pytest.raises(TypeError, match="input"):
        F.conv2d(tensor.to("meta"), w)
    with pytest.raises(TypeError, match="weight"):
        F.conv2d(x, torch.from_numpy(w).to(torch.bfloat16))


def test_arrays_of_another_device():
    class Elsewhere:
        def __dlpack__(self, **how):
            raise BufferError("this memory is on the Moon")

        def __dlpack_device__(self):
            return (2, 0)

    with pytest.raises(TypeError, match=r"bias.*CPU"):
        F.conv1d(np.ones((1, 1, 3)), np.ones((1, 1, 2)), Elsewhere())


def test_masked_arrays_are_refused():
    hidden = np.ma.masked_array(np.ones((1, 1, 4)), mask=[[[0, 1, 0, 0]]])
    with pytest.raises(TypeError, match=r"input.*mask"):
        F.conv1d(hidden, np.ones((1, 1, 2)))
    with pytest.raises(TypeError, match=r"weight.*mask"):
        F.conv1d(np.ones((1, 1, 9)), hidden)


# Types


@pytest.mark.parametrize("of_weight", DTYPES)
@pytest.mark.parametrize("of_input", DTYPES)
def test_promotion(of_input, of_weight, rng):
    x, w, dy = (
        rng.integers(0, 5, shape).astype(dtype)
        for shape, dtype in [((2, 7), of_input), ((3, 2, 2), of_weight), ((3, 6), of_input)]
    )
    dtype = np.result_type(x, w)
    expected = F.conv1d(x.astype(dtype), w.astype(dtype))
    assert expected.dtype == dtype
    assert_same(F.conv1d(x, w), expected)
    dx, dw, _ = grad.conv1d(dy, x, w)
    assert dx.dtype == dw.dtype == dtype


def test_promotion_with_bias_and_gradient(rng):
    x, w = values(rng, (2, 7), "float32"), values(rng, (3, 2, 2), "float32")
    assert F.conv1d(x, w, np.ones(3)).dtype == np.float64
    assert F.conv_transpose1d(F.conv1d(x, w), w, np.ones(2, "complex64")).dtype == np.complex64
    assert convx.prepare_conv(w, np.ones(3))(x).dtype == np.float64
    assert convx.prepare_conv(w)(x.astype("float64")).dtype == np.float64
    assert {one.dtype for one in grad.conv1d(np.ones((3, 6)), x, w)[:2]} == {np.dtype("float64")}


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_gradients_wrap_around(dtype, rng):
    x, w = values(rng, (2, 2, 9), dtype), values(rng, (3, 2, 3), dtype)
    dy = values(rng, (2, 3, 7), dtype)
    b = values(rng, (3,), dtype)
    for one, exactly in zip(grad.conv1d(dy, x, w, b), reference.conv_nd_grad(dy, x, w, b)):
        assert_same(one, exactly)


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "i4", "u8", "c8"])
def test_byte_orders_mix(dtype, endian, rng):
    x, w = values(rng, (2, 9), dtype), values(rng, (3, 2, 2), dtype)
    result = F.conv1d(x.astype(endian + dtype), w)
    assert_same(result, F.conv1d(x, w))
    assert result.dtype.isnative


# out=


def overlapping_views(memory):
    """Views that begin before, with, and after the memory's first half."""
    half = memory.size // 2
    return [memory[start : start + half] for start in (0, 1, 7, half // 2, half - 1, half)]


@pytest.mark.parametrize("function", [F.conv1d, F.conv_transpose1d])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int16", "complex64"])
def test_out_that_overlaps(function, dtype, rng):
    """The result is as if there were no overlap, wherever out lies."""
    kept = values(rng, (200,), dtype)
    w, b = values(rng, (2, 2, 3), dtype), values(rng, (2,), dtype)
    for mode in ("zeros", "reflect"):
        options = {"padding": 1, "padding_mode": mode}
        for place in range(6):
            memory = kept.copy()
            out = overlapping_views(memory)[place].reshape(2, 50)
            x = memory[:100].reshape(2, 50)
            expected = function(x.copy(), w, b, **options)
            assert function(x, w, b, out=out, **options) is out
            np.testing.assert_array_equal(out, expected)
    weights = values(rng, (2, 2, 50), dtype)
    x = values(rng, (2, 99), dtype)
    expected = F.conv1d(x, weights)
    F.conv1d(x, weights, out=weights[0])
    np.testing.assert_array_equal(weights[0], expected)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("shift", [-1600, -3, 0, 3, 1600])
def test_out_that_overlaps_and_is_written_box_by_box(shift, dtype, rng):
    """Boxes that are done must not change what the next ones read."""
    cases = {
        "pointwise": ((40, 64, 48), (40, 40, 1, 1), {}),
        "rows": ((8, 50, 64), (8, 8, 1, 1), {}),
        "layer": ((8, 60, 64), (8, 8, 3, 3), {"padding": 1}),
        "line": ((2, 1, 20_000), (2, 2, 1, 5), {"padding": (0, 2)}),
    }
    for name, (shape, kernel, options) in cases.items():
        w = values(rng, kernel, dtype)
        size = int(np.prod(shape))
        for function in (F.conv2d, F.conv_transpose2d):
            memory = values(rng, (size + 4000,), dtype)
            x = memory[2000 : 2000 + size].reshape(shape)
            out = memory[2000 + shift : 2000 + shift + size].reshape(shape)
            expected = function(x.copy(), w, **options)
            kept = memory.copy()
            for _ in range(2):  # known and unknown
                memory[...] = kept
                assert function(x, w, out=out, **options) is out
                np.testing.assert_array_equal(out, expected, err_msg=name)
            memory[...] = kept
            convx.prepare_conv(w, **options)(x, out=out)
            assert function is F.conv_transpose2d or (out == expected).all()


@pytest.mark.parametrize("dtype", ["float64", "float16", "uint8", "complex128"])
@pytest.mark.parametrize("kind", [every_other, reversed_in_memory, np.asfortranarray, unaligned])
def test_out_of_any_layout(kind, dtype, rng):
    x, w = values(rng, (2, 3, 6, 7), dtype), values(rng, (4, 3, 2, 3), dtype)
    for mode in ("zeros", "circular"):
        for function, operand in ((F.conv2d, x), (F.conv_transpose2d, values(rng, (2, 4, 6, 7)))):
            operand = operand.astype(dtype)
            expected = function(operand, w, padding=1, padding_mode=mode)
            out = kind(np.zeros_like(expected))
            surroundings = out.base.copy() if kind is every_other else None
            result = function(operand, w, padding=1, padding_mode=mode, out=out)
            assert result is out
            np.testing.assert_array_equal(out, expected)
            if surroundings is not None:  # nothing else is written to
                out[...] = 0
                np.testing.assert_array_equal(out.base, surroundings)


def test_out_of_an_unbatched_call_and_a_prepared_one(rng):
    x, w, b = values(rng, (3, 6, 7)), values(rng, (4, 3, 2, 3)), values(rng, (4,))
    expected = F.conv2d(x, w, b)
    out = np.empty_like(expected)
    assert F.conv2d(x, w, b, out=out) is out
    np.testing.assert_array_equal(out, expected)
    out = np.empty_like(expected)
    assert convx.prepare_conv(w, b)(x, out=out) is out
    np.testing.assert_array_equal(out, expected)
    empty = np.empty((0, 4, 5, 5))
    assert F.conv2d(np.empty((0, 3, 6, 7)), w, out=empty) is empty


def stretched(shape):
    return np.lib.stride_tricks.as_strided(np.zeros(shape[-1]), shape, (0,) * len(shape))


BAD_OUT = {
    "other shape": (np.empty((1, 4, 5, 6)), ValueError),
    "without batch": (np.empty((4, 5, 5)), ValueError),
    "other dtype": (np.empty((1, 4, 5, 5), "float32"), TypeError),
    "complex": (np.empty((1, 4, 5, 5), "complex128"), TypeError),
    "integer": (np.empty((1, 4, 5, 5), "int64"), TypeError),
    "object": (np.empty((1, 4, 5, 5), object), TypeError),
    "byte-swapped": (np.empty((1, 4, 5, 5), np.dtype("float64").newbyteorder()), TypeError),
    "read-only": (read_only(np.empty((1, 4, 5, 5))), ValueError),
    "zero strides": (stretched((1, 4, 5, 5)), ValueError),
    "list": ([[[[0.0]]]], TypeError),
    "dtype": (np.float64, TypeError),
    "string": ("out", TypeError),
}


@pytest.mark.parametrize("case", BAD_OUT)
def test_bad_out(case, rng):
    out, error = BAD_OUT[case]
    x, w = values(rng, (1, 3, 6, 7)), values(rng, (4, 3, 2, 3))
    for mode in ("zeros", "reflect"):
        with pytest.raises(error, match="out"):
            F.conv2d(x, w, padding_mode=mode, out=out)
    with pytest.raises(error, match="out"):
        F.conv_transpose2d(values(rng, (1, 3, 4, 3)), values(rng, (3, 4, 2, 3)), out=out)
    with pytest.raises(error, match="out"):
        convx.prepare_conv(w)(x, out=out)


def test_out_is_not_touched_by_a_call_that_fails(rng):
    out = np.full((1, 4, 5, 5), 7.0)
    with pytest.raises(ValueError, match="stride"):
        F.conv2d(values(rng, (1, 3, 6, 7)), values(rng, (4, 3, 2, 3)), stride=0, out=out)
    assert (out == 7).all()
