"""The sources as they stand: floors, homes of concerns, docstrings, sizes of files."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import convx
import convx.functional
import convx.grad
import convx.ndimage
import convx.signal
from convx import data, nn, optim, plot

PACKAGE = Path(convx.__file__).parent
KERNELS = PACKAGE / "_core" / "kernels"
MODULES = sorted(PACKAGE.rglob("*.py"))
# What is compiled is not part of an installed package.
COMPILED = sorted([*PACKAGE.rglob("*.pyx"), *PACKAGE.rglob("*.pxd"), *KERNELS.glob("*.[ch]")])

needs_sources = pytest.mark.skipif(not COMPILED, reason="installed without sources")

# The floors, from the ground; the package's own files stand above them all.
FLOORS = {
    "_core": 1,
    "_engine": 2,
    "_ops": 3,
    "functional": 4,
    "grad": 4,
    "ndimage": 4,
    "signal": 4,
    "data": 5,
    "nn": 5,
    "optim": 5,
    "plot": 6,
    "cli": 7,
}
APART = ("reference", "_version")
# What the adapters may import, inside of functions.
OPTIONAL = {"cli": ("PIL", "matplotlib", "scipy", "tqdm"), "plot": ("PIL", "matplotlib")}
# What the layers stand on, and no lower; steps of optimisers have no public function, and files
# and the arguments of what loads data are the engine's.
LAYERS_IMPORT = {
    "data": {"data", "_engine"},
    "nn": {"nn", "functional", "grad"},
    "optim": {"optim", "_ops"},
}

PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (
        *(convx, convx.functional, convx.grad, convx.ndimage, convx.signal),
        *(data, nn, optim, plot),
    )
    for name in module.__all__
    if callable(getattr(module, name))
}


def name_of(path):
    return str(path.relative_to(PACKAGE))


def part_of(module):
    """The part of the package that a module's dotted name lies in; '' for the package itself."""
    return module.split(".")[1] if "." in module else ""


def imports_of(path):
    """Dotted names of all that a module imports, wherever it does so."""
    package = ["convx", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for one in node.names:
                inner = f"{module}.{one.name}"
                yield inner if (PACKAGE.parent / Path(*inner.split("."))).exists() else module


files = pytest.mark.parametrize("path", MODULES, ids=name_of)


@files
def test_imports_go_down(path):
    here = path.relative_to(PACKAGE).parts[0]
    for module in imports_of(path):
        if module.split(".")[0] != "convx":
            continue
        there = part_of(module)
        if here == "reference":
            assert there == "reference", "the oracle shares no code with what it checks"
        elif here not in FLOORS:  # the package itself and its entry point
            assert there in FLOORS or there in APART
        elif here == "cli":
            assert there != "_core", "the command line talks to the public functions"
        else:
            assert there in FLOORS or there == "_version", f"{here} imports {module}"
            if here in LAYERS_IMPORT and path.name != "serialization.py":
                assert there in LAYERS_IMPORT[here]
            if there != "_version":
                assert there == here or FLOORS[there] < FLOORS[here], f"{here} imports {module}"


@files
def test_optional_dependencies_are_those_of_adapters(path):
    allowed = {"convx", "numpy", *OPTIONAL.get(path.relative_to(PACKAGE).parts[0], ())}
    if path.name == "serialization.py":
        allowed |= {"safetensors"}
    outside = {module.split(".")[0] for module in imports_of(path)} - set(sys.stdlib_module_names)
    assert outside <= allowed


def test_layers_are_short():
    """A layer is said in few statements, docstrings among them."""
    for path in (PACKAGE / "nn").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name not in ("Module", "Sequential"):
                statements = [one for one in ast.walk(node) if isinstance(one, ast.stmt)]
                assert len(statements) < 60, node.name


def test_every_floor_has_modules():
    """The test above looks at what it is meant to."""
    found = {path.relative_to(PACKAGE).parts[0] for path in MODULES}
    assert set(FLOORS) <= found
    assert "reference" in found


OPTIONS = (
    "stride|padding|dilation|groups|output_padding|padding_mode|algorithm|bias|out|weight|n|"
    "activation|negative_slope|residual"
)


@needs_sources
def test_options_are_checked_in_one_place():
    """The words of their messages stand where the checks do, and nowhere else."""
    engine = [PACKAGE / folder for folder in ("_core", "_engine", "_ops", "functional", "grad")]
    sources = [path for folder in engine for path in folder.rglob("*.py*") if path.is_file()]
    texts = {name_of(path): path.read_text() for path in sources if path.suffix != ".pyc"}
    literal = {name for name, text in texts.items() if re.search(f"[\"'](?:{OPTIONS}) must ", text)}
    by_name = {name for name, text in texts.items() if re.search("[\"']{name} must ", text)}
    home = {name for name in texts if name.startswith("_engine/arguments/")}
    assert literal
    assert literal <= home
    assert by_name <= {*home, "_engine/dtypes.py"}  # the latter of arrays


@needs_sources
def test_padding_modes_are_named_in_one_file():
    """A mode becomes an index map before any kernel runs."""
    for path in [*PACKAGE.glob("_*/**/*.py"), *COMPILED]:
        if path.name != "boundary.py":
            code = ast.unparse(ast.parse(path.read_text())) if path.suffix == ".py" else ""
            text = code or path.read_text()
            names = re.findall(r'["\'](?:reflect|symmetric|replicate|circular)["\']', text)
            assert names == [], name_of(path)


@needs_sources
@pytest.mark.parametrize("compiler", ["gcc", "clang", "aarch64-linux-gnu-gcc"])
def test_compilers_accept_the_kernels(compiler):
    """Each compiler that is there, also those that this build was not made with."""
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler}")
    command = [compiler, "-fsyntax-only", "-ffp-contract=fast", "-Wall", "-Werror"]
    for path in sorted(KERNELS.glob("*.c")):
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [*MODULES, *COMPILED], ids=name_of)
def test_no_file_is_long(path):
    assert len(path.read_text().splitlines()) <= 450


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.glob("*.py")), ids=lambda p: p.name)
def test_no_test_is_timed(path):
    """What depends on how busy the machine is belongs to the benchmarks."""
    clocks = {"perf_counter", "perf_counter_ns", "process_time", "process_time_ns"}
    nodes = ast.walk(ast.parse(path.read_text()))
    assert not clocks & {node.attr for node in nodes if isinstance(node, ast.Attribute)}


# Docstrings


def sections_of(function):
    return re.findall(r"^ *(\w[\w ]*)\n *-{3,}$", inspect.getdoc(function) or "", re.MULTILINE)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_docstrings(name):
    thing = PUBLIC[name]
    text, sections = inspect.getdoc(thing) or "", sections_of(thing)
    first = text.splitlines()[0]
    assert first.endswith(".")
    if inspect.isclass(thing):
        return
    assert "Examples" in sections
    assert ">>> " in text
    parameters = inspect.signature(thing).parameters
    if parameters and "Parameters" not in sections:  # told of a function that has them
        told = re.search(r"Parameters, results and errors are\s+those of\s+:func:`(\w+)`", text)
        assert told
        module = inspect.getmodule(thing)
        other = getattr(module, told[1])
        assert "Parameters" in sections_of(other)
        assert list(inspect.signature(other).parameters) == list(parameters)
    elif parameters:
        assert sections.index("Parameters") < sections.index("Examples")
        described = text.split("Parameters\n")[1].split("\n\n")[0]
        for parameter in parameters:
            assert re.search(rf"\b{parameter}\b", described), f"{parameter} is not described"
        assert {"Raises", "Returns"} & set(sections)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_functions_are_typed(name):
    if not inspect.isclass(PUBLIC[name]):
        signature = inspect.signature(PUBLIC[name])
        assert signature.return_annotation is not signature.empty
        for parameter in signature.parameters.values():
            assert parameter.annotation is not parameter.empty


RANKS = ("1d", "2d", "3d", "_nd")
# The functions by family: all of them have a gradient under the same name.
FAMILIES = {
    "convolution": {f"conv{way}{rank}" for way in ("", "_transpose") for rank in RANKS},
    "activation": {
        "celu",
        "dropout",
        "dropout1d",
        "dropout2d",
        "dropout3d",
        "elu",
        "gelu",
        "hardsigmoid",
        "hardswish",
        "hardtanh",
        "leaky_relu",
        "log_softmax",
        "logsigmoid",
        "mish",
        "prelu",
        "relu",
        "relu6",
        "rrelu",
        "selu",
        "sigmoid",
        "silu",
        "softmax",
        "softmin",
        "softplus",
        "tanh",
    },
    "kinds of convolution": {
        "depthwise_separable_conv",
        "spatially_separable_conv",
        "flattened_conv",
        "shuffled_group_conv",
    },
    "padding": {"pad"},
    "folding": {"fold", "unfold", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle"},
    "resizing": {"interpolate"},
    "linear": {"linear", "add"},
    "stage of training": {"conv2d_relu_avg_pool"},
    "normalisation": {"batch_norm", "layer_norm", "group_norm", "instance_norm"}
    | {"local_response_norm", "batch_norm_activation"},
    "loss": {"cross_entropy", "nll_loss", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"}
    | {"binary_cross_entropy", "binary_cross_entropy_with_logits"},
    "pooling": {
        f"{kind}{rank}d"
        for kind in (
            "max_pool",
            "avg_pool",
            "lp_pool",
            "adaptive_max_pool",
            "adaptive_avg_pool",
            "stochastic_pool",
            "max_unpool",
            "avg_unpool",
        )
        for rank in (1, 2, 3)
    }
    | {"fractional_max_pool2d", "fractional_max_pool3d"}
    | {f"global_{kind}_pool" for kind in ("max", "avg", "lp")},
}
# Functions of one module alone.
ONLY_FUNCTIONAL: set[str] = {
    "conv_output_size",
    "convolution_matrix",
    "count_flops",
    "count_parameters",
    "receptive_field",
    "separate_kernel",
}
ONLY_GRAD = {f"conv{rank}_{what}" for rank in RANKS for what in ("input", "weight")}


IMAGES = {
    *("convolve", "correlate", "convolve1d", "correlate1d", "prewitt", "sobel", "laplace"),
    *("gaussian_filter", "gaussian_filter1d", "gaussian_laplace", "gaussian_gradient_magnitude"),
    *("generic_laplace", "generic_gradient_magnitude", "uniform_filter", "uniform_filter1d"),
    *(f"{what}imum_filter{rank}" for what in ("max", "min") for rank in ("", "1d")),
}


def test_public_names():
    """What is promised to be there, and nothing that is not public."""
    names = set().union(*FAMILIES.values())
    assert set(convx.ndimage.__all__) == IMAGES
    assert set(convx.functional.__all__) == names | ONLY_FUNCTIONAL
    assert set(convx.grad.__all__) == names | ONLY_GRAD
    assert {
        "functional",
        "grad",
        "conv_nd",
        "conv_transpose_nd",
        "prepare_conv",
        "explain",
        "set_num_threads",
        "get_num_threads",
        "threads",
        "show_config",
        "__version__",
    } <= set(convx.__all__)
    assert (PACKAGE / "py.typed").exists()


# Reference and command line have doctests of their own, run elsewhere.
DOCUMENTED = sorted(
    one.name
    for one in pkgutil.walk_packages(convx.__path__, "convx.")
    if not re.search(r"reference|cli|__main__", one.name)
)


@pytest.mark.parametrize("module", ["convx", *DOCUMENTED])
def test_doctests(module):
    threads = convx.get_num_threads()
    failed, _ = doctest.testmod(importlib.import_module(module))
    convx.set_num_threads(threads)
    assert failed == 0


def test_doctests_are_found():
    examples = [
        example
        for module in DOCUMENTED
        for found in doctest.DocTestFinder().find(importlib.import_module(module))
        for example in found.examples
    ]
    assert len(examples) > 100


# Kernels


@needs_sources
def test_every_header_is_used():
    texts = "".join(path.read_text() for path in COMPILED)
    for header in KERNELS.glob("*.h"):
        assert f'"{header.name}"' in texts


@needs_sources
@pytest.mark.parametrize("source", sorted(KERNELS.glob("*.c")), ids=lambda path: path.name)
def test_every_kernel_file_compiles(source):
    """By itself, with the language's warnings on, on any architecture."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        pytest.skip("there is no compiler")
    done = subprocess.run(
        [compiler, "-std=gnu11", "-fsyntax-only", "-Wall", "-Werror", "-Wno-psabi", str(source)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@needs_sources
def test_kernels_know_neither_python_nor_openmp():
    for path in KERNELS.glob("*.[ch]"):
        included = set(re.findall(r"#include\s+[<\"](.+)[>\"]", path.read_text()))
        assert not included & {"Python.h", "omp.h", "numpy/arrayobject.h"}, path.name


@needs_sources
def test_drivers_have_one_parallel_loop():
    """It is told the number of threads: nobody sets it."""
    loops = []
    for path in PACKAGE.rglob("*.pyx"):
        for line in path.read_text().splitlines():
            if re.search(r"\bin prange\(", line):
                loops.append(path.name)
                assert "num_threads=" in line
            assert "omp_set_num_threads" not in line
            assert "cimport numpy" not in line
    assert loops == ["_parallel.pyx"]


@needs_sources
def test_c_functions_cannot_raise():
    """Without noexcept, Cython takes the GIL after every call of a nogil function."""
    found = 0
    for path in [*PACKAGE.rglob("*.pyx"), *PACKAGE.rglob("*.pxd")]:
        text = re.sub(r"\(\n\s*", "(", re.sub(r",\n\s*", ", ", path.read_text()))
        for signature in re.findall(r"^ *cdef [^\n]*\)[^\n]*nogil[^\n]*:$", text, re.MULTILINE):
            assert "noexcept" in signature, signature
            found += 1
    assert found
