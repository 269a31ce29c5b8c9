"""PyTorch's own inputs: the samples, and the bad ones, that its tests give to each function.

They stand in a table of PyTorch's, by the name of the function; where it has several variants, the
variant's name may follow after a space: "nn.functional.pad reflect". A test holds a function of
convx and its gradient against PyTorch's on all of them.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

ERRORS = (TypeError, ValueError, MemoryError)


@functools.cache
def _table() -> dict[str, Any]:
    """PyTorch's table, by name, and by name and variant; by the name alone the first variant."""
    pytest.importorskip("torch")
    pytest.importorskip("expecttest")
    infos = pytest.importorskip("torch.testing._internal.common_methods_invocations")
    table: dict[str, Any] = {}
    for info in infos.op_db:
        table.setdefault(info.name, info)
        table[f"{info.name} {info.variant_test_name}"] = info
    return table


def as_numpy(value: Any) -> Any:
    """A tensor as an array with the same strides, other things as they are, in containers too."""
    torch = pytest.importorskip("torch")

    if isinstance(value, torch.Tensor):
        return value.detach().numpy()
    if isinstance(value, torch.dtype):
        return torch.zeros((), dtype=value).numpy().dtype
    if isinstance(value, tuple | list):
        return type(value)(as_numpy(one) for one in value)
    return value


def samples(name: str, dtype: str, gradients: bool = False) -> Iterator[tuple[list[Any], dict]]:
    """Arguments and options of all of PyTorch's samples of a function, as tensors."""
    torch = pytest.importorskip("torch")

    info = _table()[name]
    torch.manual_seed(0)
    for sample in info.sample_inputs("cpu", getattr(torch, dtype), requires_grad=gradients):
        yield [sample.input, *sample.args], dict(sample.kwargs)


def assert_alike(result: Any, expected: Any, rtol: float, atol: float) -> None:
    """Raise unless dtype and shape are those of PyTorch's result, and its values nearly."""
    if isinstance(expected, tuple | list):
        assert isinstance(result, tuple)
        assert len(result) == len(expected)
        for one, other in zip(result, expected, strict=True):
            assert_alike(one, other, rtol, atol)
        return
    expected = as_numpy(expected)
    assert isinstance(result, np.ndarray | np.generic)
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(result, expected, rtol=rtol, atol=atol)


def check_samples(
    name: str,
    function: Callable[..., Any],
    dtype: str,
    wanted: Callable[[list[Any], dict[str, Any]], bool] = lambda arguments, options: True,
) -> None:
    """Hold a function against PyTorch's on all of its samples, or on those that are wanted."""
    op, seen = _table()[name].op, 0
    single, double = (2e-5, 2e-5), (1e-12, 1e-12)
    tolerances = {"float32": single, "complex64": single, "float64": double, "complex128": double}
    rtol, atol = tolerances.get(dtype, (0, 0))
    for arguments, options in samples(name, dtype):
        if not wanted(arguments, options):
            continue
        expected = op(*arguments, **options)
        given = {key: as_numpy(value) for key, value in options.items()}
        assert_alike(function(*as_numpy(arguments), **given), expected, rtol, atol)
        seen += 1
    assert seen


def check_gradients(
    name: str,
    gradient: Callable[..., Any],
    wanted: Callable[[list[Any], dict[str, Any]], bool] = lambda arguments, options: True,
) -> None:
    """Hold a gradient against PyTorch's automatic one, in float64, on all samples that are wanted.

    What is compared is the gradient of every tensor that PyTorch has one for, in their order.
    """
    torch = pytest.importorskip("torch")

    op, seen = _table()[name].op, 0
    for arguments, options in samples(name, "float64", gradients=True):
        if not wanted(arguments, options):
            continue
        leaves = [
            one
            for one in [*arguments, *options.values()]
            if isinstance(one, torch.Tensor) and one.requires_grad
        ]
        output = op(*arguments, **options)
        output = output[0] if isinstance(output, tuple) else output
        if not (leaves and output.requires_grad):
            continue
        grad_output = torch.randn_like(output)
        expected = torch.autograd.grad(output, leaves, grad_output, allow_unused=True)
        given = {key: as_numpy(value) for key, value in options.items()}
        result = gradient(as_numpy(grad_output), *as_numpy(arguments), **given)
        results = result if isinstance(result, tuple) else (result,)
        found = [one for one in results if one is not None]
        assert len(found) == len(leaves)
        for one, other in zip(found, expected, strict=True):
            exactly = 0 if other is None else other.numpy()
            np.testing.assert_allclose(one, exactly, rtol=1e-10, atol=1e-10)
        seen += 1
    assert seen


def check_errors(
    name: str,
    function: Callable[..., Any],
    wanted: Callable[[list[Any], dict[str, Any]], bool] = lambda arguments, options: True,
) -> None:
    """Expect an error that names what is wrong for all of PyTorch's bad inputs that are wanted."""
    info, seen = _table()[name], 0
    for bad in info.error_inputs("cpu"):
        sample = bad.sample_input
        arguments, options = [sample.input, *sample.args], dict(sample.kwargs)
        if not wanted(arguments, options):
            continue
        given = {key: as_numpy(value) for key, value in options.items()}
        with pytest.raises(ERRORS):
            function(*as_numpy(arguments), **given)
        seen += 1
    assert seen
