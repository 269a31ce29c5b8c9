"""Helpers of the tests: random convolutions, tolerances, and runs in other processes."""

import ctypes
import mmap
import os
import pickle
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convx

# The padding modes, and what numpy.pad calls them.
MODES = {
    "zeros": "constant",
    "reflect": "reflect",
    "symmetric": "symmetric",
    "replicate": "edge",
    "circular": "wrap",
}
FLOATS = ("float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
DTYPES = (*FLOATS, "float16", "complex64", "complex128", *INTEGERS)


# Values and tolerances


def values(rng: np.random.Generator, shape: Sequence[int], dtype: str = "float64") -> Any:
    """Random values: normal ones, or integers of the whole range, whose sums wrap around."""
    kind = np.dtype(dtype).kind
    if kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    if kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def small_integers(rng: np.random.Generator, shape: Sequence[int], dtype: str = "float64") -> Any:
    """Whole numbers so small that sums of products of them are exact in every order."""
    return rng.integers(-8, 9, shape).astype(dtype)


def error_bound(dtype: str, expected: Any, magnitude: Any, algorithm: str = "direct") -> Any:
    """Largest error allowed of a sum whose terms have ``magnitude`` in all.

    Eight units of rounding of the type that is computed in, and for float16, which is computed in
    float32, one rounding more. Algorithms that transform tiles share their errors out among the
    outputs of a tile: 32 units of the greatest magnitude there is.
    """
    real = np.dtype(dtype).type(0).real.dtype
    computed_in = np.float32 if real == np.float16 else real
    bound = 8 * np.finfo(computed_in).eps * magnitude
    if "winograd" in algorithm or "fft" in algorithm:
        bound = np.full_like(magnitude, 32 * np.finfo(computed_in).eps * magnitude.max(initial=0))
    if real == np.float16:
        half = np.finfo(np.float16)
        bound = bound + half.eps / 2 * np.abs(expected) + float(half.smallest_subnormal) / 2
    return bound


def assert_same(result: Any, expected: Any) -> None:
    """Raise unless two arrays agree in dtype, shape, and every bit of every element."""
    assert type(result) is np.ndarray
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    if result.tobytes() != expected.tobytes():
        wrong = np.argwhere(result != expected)
        raise AssertionError(f"{len(wrong)} of {result.size} differ, at {wrong[:3].tolist()} …")


def layouts_of(x: Any) -> list[Any]:
    """Equal arrays of four axes that lie in memory otherwise, and one of the other byte order."""
    wide = np.zeros((*x.shape[:3], 2 * x.shape[3] + 1), x.dtype)
    wide[..., 1::2] = x
    return [
        np.asfortranarray(x),
        np.ascontiguousarray(np.moveaxis(x, 1, -1)).transpose(0, 3, 1, 2),
        x[:, :, ::-1, ::-1].copy()[:, :, ::-1, ::-1],
        x[::-1, :, ::-1].copy()[::-1, :, ::-1],
        wide[..., 1::2],
        x.astype(x.dtype.newbyteorder()),
    ]


def assert_close(
    result: Any, expected: Any, magnitude: Any, dtype: str, algorithm: str = "direct"
) -> None:
    """Raise unless a result is a plain array of ``dtype`` within the error bound."""
    assert type(result) is np.ndarray
    assert result.flags.c_contiguous
    assert (result.dtype, result.shape) == (np.dtype(dtype), expected.shape)
    if np.dtype(dtype).kind in "iu":
        np.testing.assert_array_equal(result, expected)
        return
    excess = np.abs(result.astype(expected.dtype) - expected)
    excess = excess - error_bound(dtype, expected, magnitude, algorithm)
    if not (excess <= 0).all():  # written so that NaN fails
        wrong = np.argwhere(~(excess <= 0))
        raise AssertionError(
            f"{len(wrong)} of {result.size} out of bounds, at {wrong[:3].tolist()} …, "
            f"worst by {np.max(excess):.3g}"
        )


def check(
    function: Callable[..., Any],
    oracle: Callable[..., Any],
    arrays: Sequence[Any],
    options: dict[str, Any],
    dtype: str,
) -> None:
    """Hold ``function(*arrays, **options)`` against an oracle, which computes in double precision.

    ``arrays`` may hold None for a bias that is not there and tuples for shapes.
    """
    result = function(*arrays, **options)
    algorithm = convx.explain(function, *arrays, **options).algorithm
    kind = np.dtype(dtype).kind
    wide = {"f": "float64", "c": "complex128"}.get(kind, dtype)
    exact = [a.astype(wide) if isinstance(a, np.ndarray) else a for a in arrays]
    absolute = [abs(a) if isinstance(a, np.ndarray) else a for a in exact]
    expected = oracle(*exact, **options)
    magnitude = expected if kind in "iu" else oracle(*absolute, **options)
    if kind == "c":  # each of a product's two parts is a sum of two
        magnitude = _each(lambda one: 2 * one, magnitude)
    if not isinstance(expected, tuple):
        result, expected, magnitude = (result,), (expected,), (magnitude,)
    assert len(result) == len(expected)
    for one, exactly, bound in zip(result, expected, magnitude, strict=True):
        if exactly is None:
            assert one is None
        else:
            assert_close(one, exactly, bound, dtype, algorithm)


def _each(function: Callable[[Any], Any], results: Any) -> Any:
    if isinstance(results, tuple):
        return tuple(None if one is None else function(one) for one in results)
    return function(results)


# Random convolutions


@dataclass(frozen=True)
class Case:
    """A convolution, or with ``transposed`` a transposed one: shapes and options.

    ``channels`` and ``filters`` are those of one group: the two axes that the weight begins with
    are (groups * filters, channels), and (groups * channels, filters) where it is transposed.
    """

    size: tuple[int, ...]
    kernel: tuple[int, ...]
    batch: int | None = 1
    groups: int = 1
    channels: int = 1
    filters: int = 1
    bias: bool = True
    seed: int = 0
    transposed: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def input_shape(self) -> tuple[int, ...]:
        batch = () if self.batch is None else (self.batch,)
        return (*batch, self.groups * self.channels, *self.size)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        pair = (self.groups * self.filters, self.channels)
        if self.transposed:
            pair = (self.groups * self.channels, self.filters)
        return (*pair, *self.kernel)

    @property
    def all_options(self) -> dict[str, Any]:
        return {"groups": self.groups, **self.options}

    def arrays(self, dtype: str, make: Callable[..., Any] = values) -> tuple[Any, Any, Any]:
        """Input, weight and bias."""
        rng = np.random.default_rng(self.seed)
        bias = make(rng, (self.groups * self.filters,), dtype)
        x, w = make(rng, self.input_shape, dtype), make(rng, self.weight_shape, dtype)
        return x, w, bias if self.bias else None

    def with_options(self, **options: Any) -> "Case":
        return replace(self, options={**self.options, **options})


# By rank: the largest kernel, and by how much an axis may exceed the smallest size there is.
KERNELS = {1: 12, 2: 5, 3: 4, 4: 3}
ROOM = {1: 120, 2: 26, 3: 9, 4: 4}

strides = st.sampled_from([1, 1, 1, 2, 3, 4, 7])
dilations = st.sampled_from([1, 1, 1, 2, 3, 6])
widths = st.integers(0, 3) | st.integers(0, 14)
counts = st.integers(1, 4) | st.integers(1, 40) | st.sampled_from([64, 67])
padding_modes = st.sampled_from(list(MODES))


@st.composite
def convolutions(
    draw: Any,
    ranks: Sequence[int] = (1, 2, 3, 4),
    paddings: Sequence[str] = ("pairs", "pairs", "integers", "same", "valid"),
    modes: st.SearchStrategy[str] = padding_modes,
    transposed: bool = False,
    counts: st.SearchStrategy[int] = counts,
) -> Case:
    """Convolutions with all options, as a caller may spell them."""
    rank = draw(st.sampled_from(list(ranks)))
    kernel = tuple(draw(st.integers(1, KERNELS[rank])) for _ in range(rank))
    stride = tuple(draw(strides) for _ in range(rank))
    dilation = tuple(draw(dilations) for _ in range(rank))
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    room = [draw(st.integers(0, ROOM[rank])) for _ in range(rank)]
    how = draw(st.sampled_from(list(paddings)))
    pads = [(draw(widths), draw(widths)) for _ in range(rank)]
    if how == "integers":
        pads = [(low, low) for low, _ in pads]
    elif how == "same":
        pads = [((extent - 1) // 2, extent // 2) for extent in extents]
    elif how == "valid":
        pads = [(0, 0)] * rank
    options: dict[str, Any] = {"stride": stride, "dilation": dilation}
    if transposed:
        more = [draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation)]
        size = tuple(
            # the smallest input that leaves some output after cropping
            max(1, -(-(1 + sum(pair) - extent - extra) // s) + 1) + some // s
            for pair, extent, extra, s, some in zip(pads, extents, more, stride, room)
        )
        options["output_padding"] = tuple(more)
    else:
        size = tuple(
            max(1, extent - sum(pair)) + some for pair, extent, some in zip(pads, extents, room)
        )
    options["padding"] = {"same": "same", "valid": "valid"}.get(how, tuple(pads))
    if how == "integers":
        options["padding"] = tuple(low for low, _ in pads)
    for name, value in options.items():  # one integer instead of equal ones
        if isinstance(value, tuple) and len(set(value)) == 1 and isinstance(value[0], int):
            options[name] = draw(st.sampled_from([value, value[0], list(value)]))
    options["padding_mode"] = draw(modes)
    groups = draw(st.sampled_from([1, 1, 1, 2, 3, 9]))
    most = max(1, 80 // groups)
    return Case(
        size=size,
        kernel=kernel,
        batch=draw(st.sampled_from([None, 1, 1, 2, 3])),
        groups=groups,
        channels=min(draw(counts), most),
        filters=min(draw(counts), most),
        bias=draw(st.booleans()),
        seed=draw(st.integers(0, 2**32 - 1)),
        transposed=transposed,
        options=options,
    )


def randomly(examples: int, **strategies: st.SearchStrategy[Any]) -> Callable[..., Any]:
    """Try a test with random arguments: the same ones always, and 10 times as many when slow."""

    def decorate(test: Callable[..., None]) -> Callable[[int], None]:
        def run(effort: int) -> None:
            more = settings(max_examples=effort * examples, derandomize=effort == 1, database=None)
            more(given(**strategies)(test))()

        run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
        slow = [pytest.mark.slow, pytest.mark.timeout(600)]
        efforts = [pytest.param(1, id="quick"), pytest.param(10, id="long", marks=slow)]
        return pytest.mark.parametrize("effort", efforts)(run)

    return decorate


# Other processes


@dataclass(frozen=True)
class Outcome:
    """What became of a call in a child process: its value, or its exception's type and message."""

    value: Any = None
    error: type[BaseException] | None = None
    message: str = ""


def run_in_child(
    function: Callable[[], Any],
    seconds: float = 30,
    memory: int = 4 << 30,
    meanwhile: Callable[[int], None] = lambda child: None,
) -> Outcome:
    """Call a function in a forked child, and fail if a signal or the time limit ends it.

    ``memory`` bytes more than now may be mapped there. ``meanwhile`` is called in the parent with
    the child's process id.
    """
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(readable)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                _limit_memory(memory)
                outcome = Outcome(value=function())
            except BaseException as error:
                outcome = Outcome(error=type(error), message=str(error))
            with os.fdopen(writable, "wb") as pipe:
                pickle.dump(outcome, pipe)
        finally:
            os._exit(0)
    os.close(writable)
    try:
        meanwhile(child)
        said = _read_until(readable, time.monotonic() + seconds)
    finally:
        os.close(readable)
        if os.waitpid(child, os.WNOHANG) == (0, 0) and not _ends_soon(child):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    if said is None:
        pytest.fail(f"no answer within {seconds} s")
    if not said:
        pytest.fail("killed by a signal, see the standard error")
    return pickle.loads(said)


def _limit_memory(memory: int) -> None:
    try:
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    except OSError:  # not Linux
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = mapped + memory if hard == resource.RLIM_INFINITY else min(hard, mapped + memory)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _read_until(pipe: int, deadline: float) -> bytes | None:
    said = b""
    while select.select([pipe], [], [], max(0, deadline - time.monotonic()))[0]:
        piece = os.read(pipe, 1 << 16)
        if not piece:
            return said
        said += piece
    return None


def _ends_soon(child: int) -> bool:
    for _ in range(100):
        time.sleep(0.001)
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return True
    return False


def run_python(code: str, *args: str, seconds: float = 60, **environment: str) -> str:
    """Run code in a Python of its own, which must end well, and return what it prints."""
    places = [str(Path(convx.__file__).parents[1]), str(Path(__file__).parent)]
    path = os.pathsep.join([*places, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_bits(everything: Callable[[], bytes], isas: Iterable[str]) -> None:
    """Check that a function of a test module gives equal bytes on any threads and these sets."""
    found = set()
    for threads in (1, 2, 5):
        with convx.threads(threads):
            found.add(everything())
    assert len(found) == 1
    code = f"""
import hashlib
from {everything.__module__} import {everything.__name__}
print(hashlib.sha256({everything.__name__}()).hexdigest())
"""
    assert len({run_python(code, CONVX_ISA=isa) for isa in isas}) <= 1


# Arrays that end, or begin, where memory that must not be touched begins


def guarded(array: Any, side: str = "after") -> Any:
    """Return a contiguous copy right before (or after) a page that must not be read or written."""
    page = mmap.PAGESIZE
    room = -(-max(array.nbytes, 1) // page) * page
    memory = mmap.mmap(-1, room + page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    forbidden = start + room if side == "after" else start
    if ctypes.CDLL(None).mprotect(ctypes.c_void_p(forbidden), page, 0):  # PROT_NONE
        pytest.skip("the system does not protect pages")
    first = room - array.nbytes if side == "after" else page
    copy = np.frombuffer(memory, array.dtype, array.size, first).reshape(array.shape)
    copy[...] = array
    return copy


# Public functions in all their variants


def functions(rank: int) -> dict[str, Callable[..., Any]]:
    """Every public function for a rank, called with small arrays that fit and the options given.

    The names are those of the functions; options that a function does not have are the caller's
    concern.
    """
    x, w = np.ones((1, 2, *(5,) * rank)), np.ones((4, 2, *(3,) * rank))
    y = np.ones((1, 4, *(3,) * rank))
    f, g = convx.functional, convx.grad
    names: dict[str, Callable[..., Any]] = {}
    for suffix in (f"{rank}d", "_nd"):
        conv, transpose = getattr(f, f"conv{suffix}"), getattr(f, f"conv_transpose{suffix}")
        conv_grad = getattr(g, f"conv{suffix}")
        transpose_grad = getattr(g, f"conv_transpose{suffix}")
        by_input, by_weight = getattr(g, f"conv{suffix}_input"), getattr(g, f"conv{suffix}_weight")
        names |= {
            f"functional.conv{suffix}": lambda f=conv, **o: f(x, w, **o),
            f"functional.conv_transpose{suffix}": lambda f=transpose, **o: f(y, w, **o),
            f"grad.conv{suffix}": lambda f=conv_grad, **o: f(y, x, w, **o),
            f"grad.conv_transpose{suffix}": lambda f=transpose_grad, **o: f(x, y, w, **o),
            f"grad.conv{suffix}_input": lambda f=by_input, **o: f(x.shape, w, y, **o),
            f"grad.conv{suffix}_weight": lambda f=by_weight, **o: f(x, w.shape, y, **o),
        }
    names["prepare_conv"] = lambda **o: convx.prepare_conv(w, **o)(x)
    return names


def without_algorithm(function):
    """The reference has no algorithm to choose."""

    def call(*arrays, algorithm=None, **options):
        return function(*arrays, **options)

    return call
