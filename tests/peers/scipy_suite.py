"""SciPy's own tests with functions of convx in the place of SciPy's.

:func:`borrow` executes a fresh copy of one of SciPy's test modules. While it imports, the package
that it tests is a copy in which functions of the same name are ours, so whatever name the tests
use leads to convx; and every call is counted. What SciPy compiled cannot be called from within
those calls: :func:`guarded` replaces it by traps.
"""

import functools
import importlib
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

# Where SciPy computes convolutions, filters and transforms.
COMPILED = ("scipy.signal", "scipy.ndimage", "scipy.fft")
# Calls that reached convx, by the name of the function as SciPy has it.
calls: Counter[str] = Counter()
# What convx called of SciPy's; must stay empty.
trespasses: list[str] = []

_inside = threading.local()
_counting = threading.Lock()


def borrow(
    package: str, tests: str, functions: Mapping[str, Callable[..., Any]], wanted: str
) -> dict[str, Any]:
    """Return the tests of a module of SciPy's, to be put into a module of ours.

    Parameters
    ----------
    package : str
        What is tested, such as ``scipy.signal``.
    tests : str
        The module of ``package.tests``.
    functions : mapping
        What takes the place of which name in the package.
    wanted : str
        A pattern of the classes and functions to borrow.
    """
    theirs = importlib.import_module(package)
    if (spec := find_spec(f"{package}.tests.{tests}")) is None:
        pytest.skip(f"this SciPy came without {package}.tests", allow_module_level=True)
    ours = ModuleType(package)
    vars(ours).update(vars(theirs))
    for name, function in functions.items():
        setattr(ours, name, counted(f"{package}.{name}", function, getattr(theirs, name)))
    parent, _, child = package.rpartition(".")
    module = module_from_spec(spec)
    with (
        patch.dict(sys.modules, {package: ours}),
        patch.object(sys.modules[parent], child, ours),
    ):
        spec.loader.exec_module(module)
    return {
        name: value
        for name, value in vars(module).items()
        if re.match("test_|Test", name) and re.fullmatch(wanted, name)
    }


def functions_of(dialect: ModuleType) -> dict[str, Callable[..., Any]]:
    """Return the public functions of a dialect by name."""
    return {name: getattr(dialect, name) for name in dialect.__all__}


def counted(
    name: str, function: Callable[..., Any], theirs: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """Return a function that counts its calls and lets the traps know that it runs."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        with _counting:
            calls[name] += 1
        _inside.name, outer = name, getattr(_inside, "name", None)
        try:
            return function(*args, **options)
        finally:
            _inside.name = outer

    _declare(call, theirs)
    return call


def _declare(function: Callable[..., Any], like: Callable[..., Any] | None) -> None:
    """Have SciPy's decorators of tests take a function for one of SciPy's."""
    from scipy._lib._array_api import xp_capabilities_table

    if like in xp_capabilities_table:
        xp_capabilities_table[function] = xp_capabilities_table[like]


@contextmanager
def guarded() -> Iterator[None]:
    """Have whatever SciPy compiled raise when it is called by convx."""
    traps = {
        id(value): _trap(f"{module.__name__}.{name}", value)
        for module in _modules()
        if isinstance(module.__spec__.loader, ExtensionFileLoader)
        for name, value in vars(module).items()
        if callable(value) and not isinstance(value, type)
    }
    # Python modules hold compiled functions under names of their own.
    found = [
        (module, name, traps[id(value)])
        for module in _modules()
        for name, value in vars(module).items()
        if id(value) in traps
    ]
    with pytest.MonkeyPatch.context() as monkeypatch:
        for module, name, trap in found:
            monkeypatch.setattr(module, name, trap)
        yield


def _modules() -> list[ModuleType]:
    return [module for name, module in sys.modules.items() if name.startswith(COMPILED)]


def _trap(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def trap(*args: Any, **options: Any) -> Any:
        if (caller := getattr(_inside, "name", None)) is not None:
            trespasses.append(f"{caller} called {name}")
            raise AssertionError(trespasses[-1])
        return function(*args, **options)

    return trap
