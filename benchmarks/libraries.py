"""Who is measured: convx and its peers, each behind the same few methods.

A library says how it computes a case in the way that its manual recommends, in one or several
variants; where there are several, the fastest of a peer's counts. Inputs and results are plain
arrays in (batch, channels, *spatial) order, and conversions of layout are part of the time.
Every library waits for its threads as it does by default.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from benchmarks.layers import Array, Case, Layer, operands


@dataclass(frozen=True, slots=True)
class Call:
    """A call to time, how to read its result, and the bytes of its operands if they count."""

    run: Callable[[], Any]
    read: Callable[[Any], Any] = np.asarray
    reads: int = 0


class Library(Protocol):
    """What a library must tell; making one raises ImportError where it is not installed."""

    name: str
    version: str

    def use_threads(self, count: int) -> None:
        """Let the calls to come use so many threads."""

    def calls(self, case: Case) -> dict[str, Call]:
        """Variants of computing a case, none if it cannot be computed; ``""`` is the plain one."""


class Convx:
    """This project."""

    name = "convx"

    def __init__(self) -> None:
        import convx

        self._convx = convx
        self.version = convx.__version__

    def use_threads(self, count: int) -> None:
        self._convx.set_num_threads(count)

    def calls(self, case: Case) -> dict[str, Call]:
        return {
            variant: Call(partial(function, *args, **options))
            for variant, (function, args, options) in self.signatures(case).items()
        }

    def signatures(
        self, case: Case
    ) -> dict[str, tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]:
        """Functions with their arguments, as :func:`convx.explain` wants them."""
        layer, arrays = case.layer, operands(case.layer, case.dtype)
        x, w, dy = arrays.input, arrays.weight, arrays.grad_output
        given = (layer.stride, layer.padding, layer.dilation, layer.groups)
        chosen = {"algorithm": case.algorithm}
        if case.operation == "grad_input":
            function = getattr(self._convx.grad, f"conv{layer.rank}d_input")
            return {"": (function, (layer.input_shape, w, dy, *given), chosen)}
        if case.operation == "grad_weight":
            function = getattr(self._convx.grad, f"conv{layer.rank}d_weight")
            return {"": (function, (x, layer.weight_shape, dy, *given), chosen)}
        if case.operation == "prepared":
            names = ("stride", "padding", "dilation", "groups")
            prepared = self._convx.prepare_conv(w, **dict(zip(names, given)), **chosen)
            return {"": (prepared, (x,), {})}
        function = getattr(self._convx.functional, f"conv{layer.rank}d")
        args = (x, w, None, *given)
        out = np.empty(layer.output_shape, case.dtype)
        return {"": (function, args, chosen), "out=": (function, args, {**chosen, "out": out})}


class PyTorch:
    """PyTorch, in inference mode; gradients by the function that its autograd calls."""

    name = "PyTorch"

    def __init__(self) -> None:
        import torch

        self._torch = torch
        self.version = str(torch.__version__)
        # Left on for the whole process, so that entering it is not timed.
        self._inference = torch.inference_mode()
        self._inference.__enter__()

    def use_threads(self, count: int) -> None:
        self._torch.set_num_threads(count)

    def calls(self, case: Case) -> dict[str, Call]:
        torch, layer, arrays = self._torch, case.layer, operands(case.layer, case.dtype)
        x, w, dy = map(torch.from_numpy, (arrays.input, arrays.weight, arrays.grad_output))
        stride, padding, dilation = (
            [value] * layer.rank for value in (layer.stride, layer.padding, layer.dilation)
        )
        if case.operation in ("grad_input", "grad_weight"):
            index = ("grad_input", "grad_weight").index(case.operation)
            backward = partial(
                torch.ops.aten.convolution_backward,
                *(dy, x, w, None, stride, padding, dilation, False, [0] * layer.rank),
                *(layer.groups, [index == 0, index == 1, False]),
            )
            return {"": Call(backward, lambda result: result[index].numpy())}
        function = getattr(torch.nn.functional, f"conv{layer.rank}d")
        plain = partial(function, x, w, None, stride, padding, dilation, layer.groups)
        calls = {"": Call(plain)}
        if case.operation == "prepared" and case.dtype == "float32" and layer.rank in (2, 3):
            reorder = getattr(torch._C._nn, f"mkldnn_reorder_conv{layer.rank}d_weight")
            packed = reorder(
                w.to_mkldnn(), padding, stride, dilation, layer.groups, list(layer.input_shape)
            )
            convolve = partial(
                torch.ops.mkldnn._convolution_pointwise,
                *(x, packed, None, padding, stride, dilation, layer.groups, "none", [], ""),
            )
            # Its result may be channels-last: the order that was given is part of the bargain.
            calls["packed weights"] = Call(lambda: convolve().contiguous())
        return calls


class OnnxRuntime:
    """ONNX Runtime on a model of one node, with bound inputs and outputs."""

    name = "ONNX Runtime"

    def __init__(self) -> None:
        import onnx
        import onnxruntime

        self._onnx, self._runtime = onnx, onnxruntime
        self.version = onnxruntime.__version__
        self._threads = 1

    def use_threads(self, count: int) -> None:
        self._threads = count

    def calls(self, case: Case) -> dict[str, Call]:
        if case.operation not in ("forward", "prepared") or case.dtype != "float32":
            return {}
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self._threads, 1
        options.log_severity_level = 3
        session = self._runtime.InferenceSession(
            _onnx_model(self._onnx, case), options, providers=["CPUExecutionProvider"]
        )
        binding = session.io_binding()
        for name, array in _onnx_inputs(case).items():
            binding.bind_cpu_input(name, array)
        binding.bind_output("y", "cpu")
        run = partial(session.run_with_iobinding, binding)
        return {"": Call(run, lambda _: binding.copy_outputs_to_cpu()[0])}


class OpenVino:
    """OpenVINO on the same model as ONNX Runtime, tuned for latency, in full precision."""

    name = "OpenVINO"

    def __init__(self) -> None:
        import onnx
        import openvino

        self._onnx, self._openvino = onnx, openvino
        self.version = openvino.__version__.split("-")[0]
        self._core = openvino.Core()
        self._threads = 1

    def use_threads(self, count: int) -> None:
        self._threads = count

    def calls(self, case: Case) -> dict[str, Call]:
        if case.operation not in ("forward", "prepared") or case.dtype != "float32":
            return {}
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": self._threads,
            "INFERENCE_PRECISION_HINT": "f32",  # it would take bfloat16 where the processor has it
        }
        model = self._core.read_model(_onnx_model(self._onnx, case))
        request = self._core.compile_model(model, "CPU", settings).create_infer_request()
        for name, array in _onnx_inputs(case).items():
            request.set_tensor(name, self._openvino.Tensor(array, shared_memory=True))
        return {"": Call(partial(request.infer, share_outputs=True), lambda result: result[0])}


class SciPy:
    """SciPy, for filters of one image: it has no channels."""

    name = "SciPy"

    def __init__(self) -> None:
        import scipy
        import scipy.ndimage
        import scipy.signal

        self._scipy = scipy
        self.version = scipy.__version__

    def use_threads(self, count: int) -> None:
        """Do nothing: these functions have one thread."""

    def calls(self, case: Case) -> dict[str, Call]:
        if not _filters_an_image(case) or case.threads > 1:
            return {}
        image, kernel = _image_and_kernel(case.layer, case.dtype)
        flipped = np.ascontiguousarray(kernel[::-1, ::-1])
        signal, ndimage = self._scipy.signal, self._scipy.ndimage
        return {
            "signal.convolve2d": Call(partial(signal.convolve2d, image, flipped, mode="same")),
            "signal.oaconvolve": Call(partial(signal.oaconvolve, image, flipped, mode="same")),
            "ndimage.correlate": Call(partial(ndimage.correlate, image, kernel, mode="constant")),
        }


class NumPy:
    """NumPy's convolution of samples, which is among the filters."""

    name = "NumPy"

    def __init__(self) -> None:
        self.version = np.__version__

    def use_threads(self, count: int) -> None:
        """Do nothing: it has one thread."""

    def calls(self, case: Case) -> dict[str, Call]:
        return {}


class OpenCV:
    """OpenCV's filter2D, for filters of one image."""

    name = "OpenCV"

    def __init__(self) -> None:
        import cv2

        self._cv2 = cv2
        self.version = cv2.__version__

    def use_threads(self, count: int) -> None:
        self._cv2.setNumThreads(count)

    def calls(self, case: Case) -> dict[str, Call]:
        if not _filters_an_image(case):
            return {}
        image, kernel = _image_and_kernel(case.layer, case.dtype)
        border = self._cv2.BORDER_CONSTANT
        return {"": Call(partial(self._cv2.filter2D, image, -1, kernel, borderType=border))}


LIBRARIES: dict[str, Callable[[], Library]] = {
    Convx.name: Convx,
    PyTorch.name: PyTorch,
    OnnxRuntime.name: OnnxRuntime,
    OpenVino.name: OpenVino,
    SciPy.name: SciPy,
    OpenCV.name: OpenCV,
    NumPy.name: NumPy,
}


def _filters_an_image(case: Case) -> bool:
    return case.layer.is_image and case.operation in ("forward", "prepared")


def _image_and_kernel(layer: Layer, dtype: str) -> tuple[Array, Array]:
    arrays = operands(layer, dtype)
    return arrays.input[0, 0], arrays.weight[0, 0]


def _onnx_inputs(case: Case) -> dict[str, Array]:
    arrays = operands(case.layer, case.dtype)
    if case.operation == "prepared":
        return {"x": arrays.input}
    return {"x": arrays.input, "w": arrays.weight}


def _onnx_model(onnx: Any, case: Case) -> bytes:
    """Build a model of one convolution; prepared weights are its constants, others an input."""
    layer, make = case.layer, onnx.helper
    node = make.make_node(
        "Conv",
        ["x", "w"],
        ["y"],
        kernel_shape=layer.kernel,
        strides=[layer.stride] * layer.rank,
        pads=[layer.padding] * (2 * layer.rank),
        dilations=[layer.dilation] * layer.rank,
        group=layer.groups,
    )
    inputs = [
        make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, array.shape)
        for name, array in _onnx_inputs(case).items()
    ]
    output = make.make_tensor_value_info("y", onnx.TensorProto.FLOAT, layer.output_shape)
    constants = []
    if case.operation == "prepared":
        weight = operands(layer, case.dtype).weight
        constants = [onnx.numpy_helper.from_array(weight, "w")]
    graph = make.make_graph([node], "layer", inputs, [output], constants)
    # An old format, which every runtime of recent years reads.
    opset = make.make_opsetid("", 13)
    return bytes(make.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString())
