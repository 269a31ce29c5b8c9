"""Layers with inputs, by PyTorch's names and arguments, and their twins there."""

import numpy as np

from convx import nn

# Name, positional arguments, keywords, shape of the input.
LAYERS = [
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1, "groups": 2}, (2, 4, 9)),
    ("Conv2d", (3, 4, 3), {}, (2, 3, 6, 5)),
    ("Conv2d", (3, 4, (3, 2), 2, (1, 0)), {"bias": False}, (2, 3, 6, 5)),
    ("Conv2d", (3, 4, 3), {"padding": "same", "padding_mode": "circular"}, (2, 3, 6, 5)),
    ("Conv2d", (3, 4, 3), {"padding": 1, "padding_mode": "reflect", "dilation": 2}, (3, 6, 7)),
    ("Conv3d", (2, 3, 2), {"dilation": 2}, (2, 2, 4, 5, 4)),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 2, "output_padding": 1, "groups": 2}, (2, 4, 5)),
    ("ConvTranspose2d", (3, 4, 3, 2, 1, 1), {}, (2, 3, 4, 5)),
    ("ConvTranspose3d", (2, 3, 2), {"bias": False, "dilation": 2}, (2, 2, 3, 4, 3)),
    ("Linear", (5, 3), {}, (4, 5)),
    ("Linear", (5, 3), {"bias": False}, (2, 4, 5)),
    ("Flatten", (), {}, (2, 3, 4)),
    ("Flatten", (0, 1), {}, (2, 3, 4)),
    ("Unflatten", (1, (2, 3)), {}, (2, 6, 4)),
    ("Identity", (), {}, (2, 3)),
    ("MaxPool1d", (3,), {"stride": 2, "padding": 1}, (2, 3, 9)),
    ("MaxPool2d", (2,), {}, (2, 3, 6, 5)),
    ("MaxPool2d", (3, 2, 1), {"ceil_mode": True}, (2, 3, 6, 5)),
    ("MaxPool3d", (2,), {"dilation": 2, "stride": 1}, (2, 3, 4, 5, 4)),
    ("AvgPool1d", (3,), {"stride": 2}, (2, 3, 9)),
    ("AvgPool2d", (2,), {}, (2, 3, 6, 8)),
    ("AvgPool2d", (3, 2, 1), {"count_include_pad": False}, (2, 3, 6, 5)),
    ("AvgPool3d", (2,), {"divisor_override": 3}, (2, 3, 4, 5, 4)),
    ("LPPool1d", (2, 3), {}, (2, 3, 9)),
    ("LPPool2d", (2.0, 2), {"stride": 2}, (2, 3, 6, 5)),
    ("LPPool3d", (2, 2), {}, (2, 3, 4, 5, 4)),
    ("AdaptiveAvgPool1d", (3,), {}, (2, 3, 7)),
    ("AdaptiveAvgPool2d", (3,), {}, (2, 3, 6, 6)),
    ("AdaptiveAvgPool2d", ((2, None),), {}, (2, 3, 5, 6)),
    ("AdaptiveAvgPool3d", (2,), {}, (2, 3, 4, 5, 4)),
    ("AdaptiveMaxPool1d", (3,), {}, (2, 3, 7)),
    ("AdaptiveMaxPool2d", ((2, 3),), {}, (2, 3, 5, 6)),
    ("AdaptiveMaxPool3d", (2,), {}, (2, 3, 4, 5, 4)),
    ("Upsample", (), {"scale_factor": 2}, (2, 3, 4, 5)),
    ("Upsample", ((6, 7),), {"mode": "bilinear"}, (2, 3, 4, 5)),
    ("ChannelShuffle", (2,), {}, (2, 4, 3, 3)),
    ("PixelShuffle", (2,), {}, (2, 8, 3, 3)),
    ("PixelUnshuffle", (2,), {}, (2, 2, 4, 6)),
    ("Unfold", (2,), {"padding": 1}, (2, 3, 4, 5)),
    ("Fold", ((4, 5), 2), {}, (2, 12, 12)),
    ("BatchNorm1d", (3,), {}, (6, 3)),
    ("BatchNorm1d", (3,), {"momentum": None}, (4, 3, 5)),
    ("BatchNorm2d", (3,), {}, (4, 3, 5, 4)),
    ("BatchNorm2d", (3, 1e-3, 0.3), {"affine": False}, (4, 3, 5, 4)),
    ("BatchNorm3d", (3,), {"track_running_stats": False}, (2, 3, 3, 4, 3)),
    ("InstanceNorm1d", (3,), {"affine": True}, (2, 3, 7)),
    ("InstanceNorm2d", (3,), {"track_running_stats": True}, (2, 3, 5, 4)),
    ("InstanceNorm2d", (3,), {}, (3, 5, 4)),
    ("InstanceNorm3d", (3,), {"affine": True}, (2, 3, 3, 4, 3)),
    ("LayerNorm", (5,), {}, (4, 5)),
    ("LayerNorm", ((3, 5),), {"bias": False}, (2, 3, 5)),
    ("GroupNorm", (2, 4), {}, (2, 4, 3, 3)),
    ("GroupNorm", (2, 4), {"affine": False}, (2, 4, 3, 3)),
    ("LocalResponseNorm", (3,), {}, (2, 5, 3, 3)),
    ("PReLU", (), {}, (2, 3, 4)),
    ("PReLU", (3, 0.1), {}, (2, 3, 4)),
    ("Softmax", (1,), {}, (3, 4)),
    ("Softmax2d", (), {}, (2, 3, 4, 2)),
    ("Softmin", (1,), {}, (3, 4)),
    ("LogSoftmax", (1,), {}, (3, 4)),
    ("LeakyReLU", (0.2,), {}, (3, 4)),
    ("ELU", (0.5,), {}, (3, 4)),
    ("CELU", (0.5,), {}, (3, 4)),
    ("Hardtanh", (-0.5, 1.5), {}, (3, 4)),
    ("GELU", ("tanh",), {}, (3, 4)),
    ("Softplus", (2.0, 10.0), {}, (3, 4)),
    ("ReLU", (True,), {}, (3, 4)),
    *(
        (name, (), {}, (3, 4))
        for name in (
            "CELU",
            "ELU",
            "GELU",
            "Hardsigmoid",
            "Hardswish",
            "Hardtanh",
            "LeakyReLU",
            "LogSigmoid",
            "Mish",
            "ReLU",
            "ReLU6",
            "SELU",
            "SiLU",
            "Sigmoid",
            "Softplus",
            "Tanh",
        )
    ),
]

# What PyTorch has not, or draws otherwise; with inputs that no maximum of is near another one.
ONLY_HERE = [
    ("DepthwiseSeparableConv2d", (3, 4, 3), {"padding": 1, "depth_multiplier": 2}, (2, 3, 5, 4)),
    ("SpatiallySeparableConv2d", (3, 4, (3, 2)), {"stride": 2}, (2, 3, 5, 4)),
    ("FlattenedConv2d", (3, 4, 3), {"padding_mode": "circular", "padding": 1}, (2, 3, 5, 4)),
    ("ShuffledGroupConv2d", (4, 6, 3), {"groups": 2, "bias": False}, (2, 4, 5, 4)),
    ("ConvTranspose2d", (3, 4, 3), {"padding_mode": "circular", "padding": 1}, (2, 3, 5, 4)),
    ("FractionalMaxPool2d", (2, 3), {"rng": 0}, (2, 3, 6, 6)),
    ("FractionalMaxPool3d", (2, 2), {"rng": 0}, (2, 3, 5, 5, 5)),
    ("StochasticPool1d", (2,), {"rng": 0}, (2, 3, 6)),
    ("StochasticPool2d", (2,), {"rng": 0}, (2, 3, 6, 4)),
    ("StochasticPool3d", (2,), {"rng": 0}, (2, 3, 4, 4, 4)),
    ("Dropout", (0.3,), {"rng": 0}, (4, 5)),
    ("Dropout1d", (0.3,), {"rng": 0}, (4, 5, 3)),
    ("Dropout2d", (0.3,), {"rng": 0}, (4, 5, 3, 3)),
    ("Dropout3d", (0.3,), {"rng": 0}, (4, 5, 3, 3, 2)),
    ("RReLU", (), {"rng": 0}, (4, 5)),
]


def name_of_case(case):
    name, given, options, _ = case
    return f"{name}{given}{options or ''}"


def made(case, dtype=np.float64):
    """The layer of a case, with parameters of a dtype."""
    name, given, options, _ = case
    return getattr(nn, name)(*given, **options).to(dtype)


def twin(torch, model):
    """PyTorch's model of the same layers and parameters."""
    kind = type(model).__name__
    if kind == "Sequential":
        return torch.nn.Sequential(*(twin(torch, layer) for layer in model))
    if kind == "Residual":
        return _residual(torch, *(twin(torch, part) for part in model.children()))
    if kind == "Conv2d":
        return torch.nn.Conv2d(
            model.in_channels,
            model.out_channels,
            model.kernel_size,
            model.stride,
            model.padding,
            model.dilation,
            model.groups,
            model.bias is not None,
        )
    arguments = {
        "BatchNorm2d": ("num_features",),
        "Linear": ("in_features", "out_features"),
        "AdaptiveAvgPool2d": ("output_size",),
    }
    return getattr(torch.nn, kind)(*(getattr(model, one) for one in arguments.get(kind, ())))


def _residual(torch, main, shortcut, activation):
    class Residual(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.main, self.shortcut, self.activation = main, shortcut, activation

        def forward(self, x):
            return self.activation(self.main(x) + self.shortcut(x))

    return Residual()


def copied(torch, model, other):
    """PyTorch's model with the parameters of ours, in their dtype."""
    dtype = next(model.parameters()).dtype.name
    other = other.to(getattr(torch, dtype))
    other.load_state_dict({k: torch.from_numpy(v) for k, v in model.state_dict().items()})
    return other
