"""All kinds of cases alike: how a library computes them, and whether it does so rightly."""

from typing import Any, TypeAlias

from benchmarks import check, filter_calls, sweep_calls, training_calls
from benchmarks.filters import FilterCase
from benchmarks.layers import Case
from benchmarks.libraries import Call, Library
from benchmarks.sweep_calls import Samples
from benchmarks.sweeps import SweepCase
from benchmarks.training import TrainingCase

AnyCase: TypeAlias = Case | SweepCase | FilterCase | TrainingCase
_CALLS = {SweepCase: sweep_calls, FilterCase: filter_calls, TrainingCase: training_calls}


def calls_of(library: Library, case: AnyCase) -> dict[str, Call]:
    """Variants of computing a case, none if the library cannot compute it."""
    if isinstance(case, Case):
        return library.calls(case)
    return _of(case).calls(library.name, case)


def expected(case: AnyCase) -> Samples:
    """Return samples of the result that the judge among the libraries computes in float64."""
    return _of(case).expected(case)


def error_of(case: AnyCase, result: Any, exact: Samples | None) -> float:
    """Return the error of a result: of layers against sums of our own, of others as expected."""
    if isinstance(case, Case):
        return check.error_of(case, result)
    return sweep_calls.error_of(case, result, exact)


def _of(case: AnyCase) -> Any:
    return _CALLS[type(case)]
