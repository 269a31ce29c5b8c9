"""How the libraries compute the sweeps, and whether they agree.

PyTorch's gradients are the functions that its autograd calls, with what autograd keeps for them
from the forward pass (indices of maxima, results, statistics) made beforehand. convx keeps nothing:
its gradients take the arguments of the function.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.layers import Array
from benchmarks.libraries import Call
from benchmarks.sweeps import DTYPE, SweepCase

# Elements of a result that are compared.
SAMPLES = 20_000
EPSILON = 1e-5

# The shape of each array of a result, and some of its elements.
Samples = list[tuple[tuple[int, ...], Array]]


def calls(library: str, case: SweepCase) -> dict[str, Call]:
    """Variants of computing a case, none if the library has no such function."""
    return CALLS[library](case) if library in CALLS else {}


def expected(case: SweepCase) -> Samples:
    """Return samples of PyTorch's result in float64."""
    call = next(iter(_pytorch(case, "float64").values()))
    return samples_of(call.read(call.run()))


def samples_of(result: Any) -> Samples:
    """Return samples of all arrays of a result, the same elements in every process."""
    found = []
    for array in arrays_of(result):
        places = np.random.default_rng(0).integers(0, array.size, min(array.size, SAMPLES))
        found.append((array.shape, array.reshape(-1)[places]))
    return found


def arrays_of(result: Any) -> list[Array]:
    """Return the arrays of a result in their order; of several gradients those that there are."""
    if isinstance(result, tuple | list):
        return [array for one in result for array in arrays_of(one)]
    return [] if result is None else [np.asarray(result)]


def error_of(case: SweepCase, result: Any, exact: Samples | None) -> float:
    """Return the largest error of the samples, relative to the root mean square of their array.

    It is infinite where arrays are missing or of another shape or type, or not finite. Where
    nothing is known of the result it is 0.
    """
    if exact is None:
        return 0.0
    found = samples_of(result)
    if [shape for shape, _ in found] != [shape for shape, _ in exact]:
        return np.inf
    error = 0.0
    for (_, values), (_, right) in zip(found, exact):
        if values.dtype != case.dtype or not np.isfinite(values).all():
            return np.inf
        scale = float(np.sqrt(np.mean(right**2)))
        error = max(error, float(np.abs(values - right).max()) / (scale or 1.0))
    return error


def _reads(case: SweepCase, *arrays: Any) -> int:
    """Bytes of input and further operands, each once, if the result depends on them."""
    x, *others = [one for one in arrays if isinstance(one, np.ndarray)]
    depends = case.operation == "forward" or case.sweep.gradient_reads_input
    return sum(one.nbytes for one in others) + (x.nbytes if depends else 0)


def _convx(case: SweepCase) -> dict[str, Call]:
    import convx

    sweep, name = case.sweep, case.sweep.function
    if not hasattr(convx.functional, name):
        return {}
    x, more = sweep.operands()
    forward = partial(getattr(convx.functional, name), x, *more, **sweep.options)
    y = forward()
    if case.operation == "forward":
        call = partial(Call, read=arrays_of, reads=_reads(case, x, *more))
        variants = {"": call(forward)}
        if "out" in inspect.signature(forward.func).parameters:
            variants["out="] = call(partial(forward, out=np.empty_like(y)))
        return variants
    if not hasattr(convx.grad, name):
        return {}
    dy = sweep.draw(y.shape, "gradient")
    backward = partial(getattr(convx.grad, name), dy, x, *more, **sweep.options)
    return {"": Call(backward, arrays_of, _reads(case, x, *more, dy))}


def _pytorch(case: SweepCase, dtype: str = DTYPE) -> dict[str, Call]:
    import torch

    sweep = case.sweep
    x, more = sweep.operands(dtype)
    tensors = [torch.from_numpy(one) if isinstance(one, np.ndarray) else one for one in (x, *more)]
    forward = partial(getattr(torch.nn.functional, sweep.function), *tensors, **sweep.options)
    if case.operation == "forward":
        return {"": Call(forward, arrays_of, _reads(case, x, *more))}
    y = forward()
    dy = sweep.draw(tuple(y.shape), "gradient").astype(dtype)
    gradient = PYTORCH_GRADIENTS[sweep.function]
    found = gradient(torch.ops.aten, torch.from_numpy(dy), y, *tensors, **sweep.options)
    variants = found if isinstance(found, dict) else {"": found}
    reads = _reads(case, x, *more, dy)
    return {variant: Call(run, arrays_of, reads) for variant, run in variants.items()}


def _max_pool(aten: Any, dy: Any, y: Any, x: Any, kernel: int, stride: int, padding: int) -> Any:
    window = [kernel] * 2, [stride] * 2, [padding] * 2, [1] * 2, False
    _, indices = aten.max_pool2d_with_indices(x, *window)
    return partial(aten.max_pool2d_with_indices_backward, dy, x, *window, indices)


def _avg_pool(aten: Any, dy: Any, y: Any, x: Any, kernel: int, stride: int, padding: int) -> Any:
    axes = x.ndim - 2
    window = [kernel] * axes, [stride] * axes, [padding] * axes, False, True, None
    return partial(getattr(aten, f"avg_pool{axes}d_backward"), dy, x, *window)


def _adaptive_avg_pool(aten: Any, dy: Any, y: Any, x: Any, size: int) -> Any:
    spread = x[0, 0].numel()
    return {
        "": partial(aten._adaptive_avg_pool2d_backward, dy, x),
        "of mean": lambda: dy.expand(x.shape).div(spread),
    }


def _cross_entropy(aten: Any, dy: Any, y: Any, x: Any, target: Any) -> Any:
    log = aten._log_softmax(x, 1, False)
    rest = log, target, None, 1, -100
    _, total = aten.nll_loss2d_forward(*rest)
    return lambda: aten._log_softmax_backward_data(
        aten.nll_loss2d_backward(dy, *rest, total), log, 1, x.dtype
    )


def _batch_norm(
    aten: Any,
    dy: Any,
    y: Any,
    x: Any,
    mean: Any,
    variance: Any,
    weight: Any,
    bias: Any,
    training: bool = False,
) -> Any:
    of_batch = aten.native_batch_norm(x, weight, bias, mean, variance, training, 0.1, EPSILON)[1:]
    kept = x, weight, mean, variance, *of_batch, training, EPSILON, [True] * 3
    return partial(aten.native_batch_norm_backward, dy, *kept)


# Called with what autograd has at hand: the gradient of the output, the output, the arguments.
PYTORCH_GRADIENTS: dict[str, Callable[..., Any]] = {
    "max_pool2d": _max_pool,
    "avg_pool2d": _avg_pool,
    "avg_pool3d": _avg_pool,
    "adaptive_avg_pool2d": _adaptive_avg_pool,
    "max_unpool2d": lambda aten, dy, y, x, indices, _: (
        lambda: dy.flatten(-2).gather(-1, indices.flatten(-2)).view(x.shape)
    ),
    "pad": lambda aten, dy, y, x, widths, mode: partial(
        aten.reflection_pad2d_backward, dy, x, list(widths)
    ),
    "softmax": lambda aten, dy, y, x, dim: partial(
        aten._softmax_backward_data, dy, y, dim, x.dtype
    ),
    "log_softmax": lambda aten, dy, y, x, dim: partial(
        aten._log_softmax_backward_data, dy, y, dim, x.dtype
    ),
    "cross_entropy": _cross_entropy,
    "batch_norm": _batch_norm,
    "relu": lambda aten, dy, y, x: partial(aten.threshold_backward, dy, y, 0),
    "gelu": lambda aten, dy, y, x: partial(aten.gelu_backward, dy, x),
    "silu": lambda aten, dy, y, x: partial(aten.silu_backward, dy, x),
    "sigmoid": lambda aten, dy, y, x: partial(aten.sigmoid_backward, dy, y),
    "tanh": lambda aten, dy, y, x: partial(aten.tanh_backward, dy, y),
    "hardswish": lambda aten, dy, y, x: partial(aten.hardswish_backward, dy, x),
}


def _onnx_runtime(case: SweepCase) -> dict[str, Call]:
    import onnx
    import onnxruntime

    sweep = case.sweep
    if case.operation != "forward" or sweep.onnx is None:
        return {}
    x, more = sweep.operands()
    operator, attributes, constants_of = sweep.onnx
    make, kind = onnx.helper, onnx.TensorProto.FLOAT
    constants = [
        onnx.numpy_helper.from_array(one, f"c{place}")
        for place, one in enumerate(constants_of(*more))
    ]
    names = ["x", *(one.name for one in constants)]
    graph = make.make_graph(
        [make.make_node(operator, names, ["y"], **attributes)],
        "sweep",
        [make.make_tensor_value_info("x", kind, x.shape)],
        [make.make_tensor_value_info("y", kind, None)],
        constants,
    )
    opset = make.make_opsetid("", 20)  # the first that has them all
    model = make.make_model(graph, opset_imports=[opset], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = case.threads, 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_output("y", "cpu")
    run = partial(session.run_with_iobinding, binding)
    return {"": Call(run, lambda _: binding.copy_outputs_to_cpu(), _reads(case, x, *more))}


CALLS: dict[str, Callable[[SweepCase], dict[str, Call]]] = {
    "convx": _convx,
    "PyTorch": _pytorch,
    "ONNX Runtime": _onnx_runtime,
}
