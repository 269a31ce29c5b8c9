"""How the libraries train and run the networks, all from the same weights.

PyTorch's networks have the nesting of convx's, so that their weights have the same names. ONNX
Runtime gets what PyTorch exports of them.
"""

import io
import itertools
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.layers import Array
from benchmarks.libraries import Call
from benchmarks.sweep_calls import Samples, samples_of
from benchmarks.training import CLASSES, TrainingCase, weights


def calls(library: str, case: TrainingCase) -> dict[str, Call]:
    """Variants of computing a case, none if the library does not do so."""
    return CALLS[library](case) if library in CALLS else {}


def expected(case: TrainingCase) -> Samples:
    """Return PyTorch's first result in float64: the loss of a step, or the logits."""
    return samples_of(_read(next(iter(_pytorch(case, "float64").values())).run()))


def _read(result: Any) -> Array:
    return np.asarray(result)


def _convx(case: TrainingCase) -> dict[str, Call]:
    import convx

    nn = getattr(convx, "nn", None)
    if nn is None:
        return {}
    model = getattr(nn.models, case.name)()
    shapes = {name: value.shape for name, value in model.state_dict().items()}
    model.load_state_dict(weights(shapes, case.dtype))
    batches = case.pictures()
    if case.operation != "step":
        ready = nn.prepare(model.eval()) if hasattr(nn, "prepare") else model.eval()
        return {"": Call(partial(ready, batches[0][0]), _read)}
    criterion, optimizer = nn.CrossEntropyLoss(), convx.optim.Adam(model.parameters())
    turn = itertools.cycle(batches)

    def step() -> Any:
        x, target = next(turn)
        optimizer.zero_grad()
        y, pullback = model.vjp(x, input_gradient=False, once=True)
        loss, loss_pullback = criterion.vjp(y, target)
        pullback(loss_pullback(1.0))
        optimizer.step()
        return loss

    return {"": Call(step, _read)}


def _pytorch(case: TrainingCase, dtype: str | None = None) -> dict[str, Call]:
    import torch

    if case.operation != "step":
        variants = {}
        for name, layout in _layouts(torch).items():
            model = (
                _pytorch_model(case, dtype).to(memory_format=layout).eval().requires_grad_(False)
            )
            x = torch.from_numpy(case.pictures(dtype)[0][0]).to(memory_format=layout)
            variants[name] = Call(partial(model, x), _read)
        return variants
    return {
        f"{name} {kind}".strip(): Call(_pytorch_step(torch, case, dtype, layout, options), _read)
        for name, layout in _layouts(torch).items()
        for kind, options in (("", {}), ("fused Adam", {"fused": True}))
    }


def _layouts(torch: Any) -> dict[str, Any]:
    return {"": torch.contiguous_format, "channels last": torch.channels_last}


def _pytorch_step(
    torch: Any, case: TrainingCase, dtype: str | None, layout: Any, options: dict[str, Any]
) -> Callable[[], Any]:
    with torch.inference_mode(False):
        model = _pytorch_model(case, dtype).to(memory_format=layout).train()
        batches = [
            (torch.from_numpy(x).to(memory_format=layout), torch.from_numpy(target))
            for x, target in case.pictures(dtype)
        ]
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), **options)
    turn = itertools.cycle(batches)

    def step() -> Any:
        with torch.inference_mode(False):
            x, target = next(turn)
            optimizer.zero_grad()
            loss = criterion(model(x), target)
            loss.backward()
            optimizer.step()
            return loss.detach()

    return step


def _pytorch_model(case: TrainingCase, dtype: str | None = None) -> Any:
    import torch

    with torch.inference_mode(False):
        model = {"lenet5": _lenet5, "small_resnet": _small_resnet, "mobilenet": _mobilenet}[
            case.name
        ](torch.nn).to(getattr(torch, dtype or case.dtype))
        shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
        values = weights(shapes, dtype or case.dtype)
        model.load_state_dict({name: torch.from_numpy(value) for name, value in values.items()})
    return model


def _lenet5(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(14),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(5),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, CLASSES),
    )


def _normalized(
    nn: Any, inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1
) -> list[Any]:
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


def _head(nn: Any, inputs: int) -> list[Any]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, CLASSES)]


def _small_resnet(nn: Any) -> Any:
    class Residual(nn.Module):  # type: ignore[misc]
        def __init__(self, main: Any, shortcut: Any) -> None:
            super().__init__()
            self.main, self.shortcut, self.activation = main, shortcut, nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.activation(self.main(x) + self.shortcut(x))

    def block(inputs: int, outputs: int) -> Any:
        stride = outputs // inputs
        main = nn.Sequential(
            *_normalized(nn, inputs, outputs, 3, stride),
            nn.ReLU(),
            *_normalized(nn, outputs, outputs, 3),
        )
        if stride == 1:
            return Residual(main, nn.Identity())
        return Residual(main, nn.Sequential(*_normalized(nn, inputs, outputs, 1, stride)))

    blocks = [block(inputs, outputs) for inputs, outputs in ((16, 16), (16, 32), (32, 64))]
    return nn.Sequential(*_normalized(nn, 1, 16, 3), nn.ReLU(), *blocks, *_head(nn, 64))


def _mobilenet(nn: Any) -> Any:
    layers, inputs = [*_normalized(nn, 1, 16, 3), nn.ReLU6()], 16
    for outputs, stride in ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1)):
        layers += _normalized(nn, inputs, inputs, 3, stride, groups=inputs)
        layers += [nn.ReLU6(), *_normalized(nn, inputs, outputs, 1), nn.ReLU6()]
        inputs = outputs
    return nn.Sequential(*layers, *_head(nn, inputs))


def _onnx_runtime(case: TrainingCase) -> dict[str, Call]:
    if case.operation == "step":
        return {}
    import onnxruntime
    import torch

    (x, _), *_ = case.pictures()
    model = io.BytesIO()
    with torch.inference_mode(False), warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            _pytorch_model(case).eval(),
            (torch.from_numpy(x),),
            model,
            dynamo=False,  # the other exporter needs one more package
            input_names=["x"],
            output_names=["y"],
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = case.threads, 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.getvalue(), options, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_output("y", "cpu")
    run = partial(session.run_with_iobinding, binding)
    return {"": Call(run, lambda _: binding.copy_outputs_to_cpu()[0])}


CALLS: dict[str, Callable[[TrainingCase], dict[str, Call]]] = {
    "convx": _convx,
    "PyTorch": _pytorch,
    "ONNX Runtime": _onnx_runtime,
}
