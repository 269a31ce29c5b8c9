"""Convolution for NumPy arrays on the CPU, forward and backward, in any number of dimensions.

The floors, from the top; imports go down only:

- ``convx.cli``: the command line;
- ``convx.plot``: pictures of convolutions and of what is learned, with matplotlib;
- ``convx.nn``, ``convx.optim``, ``convx.data``: layers, losses, models; optimisers; batches;
- ``convx.functional``, ``convx.grad``: public functions under the names of PyTorch;
- ``convx.signal``, ``convx.ndimage``: public functions under the names of SciPy;
- ``convx._ops``: the operations, forward and backward together;
- ``convx._engine``: sizes, arguments, boundaries, dtypes, plans, threads;
- ``convx._core``: compiled drivers and kernels.

``convx.reference`` stands beside them: the same in plain NumPy, slow and obviously right.
"""

from importlib import import_module
from types import ModuleType

from convx import functional, grad
from convx._engine.report import Explanation, explain, show_config
from convx._engine.threads import get_num_threads, set_num_threads, threads
from convx._ops.conv import PreparedConv
from convx._version import __version__
from convx.functional.conv import conv_nd, conv_transpose_nd
from convx.functional.prepared import prepare_conv

__all__ = [
    "Explanation",
    "PreparedConv",
    "__version__",
    "conv_nd",
    "conv_transpose_nd",
    "explain",
    "functional",
    "get_num_threads",
    "grad",
    "prepare_conv",
    "set_num_threads",
    "show_config",
    "threads",
]

# Imported when they are first asked for.
SUBMODULES = ("data", "ndimage", "nn", "optim", "plot", "signal")


def __getattr__(name: str) -> ModuleType:
    if name in SUBMODULES:
        return import_module(f"convx.{name}")
    raise AttributeError(f"module 'convx' has no attribute {name!r}")
