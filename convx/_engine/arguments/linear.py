"""Arguments of the linear layer and of matrices of convolutions."""

from collections.abc import Sequence

from convx._engine.arguments.convolution import MOST_AXES
from convx._engine.arguments.general import shape


def linear_shape(
    input_shape: Sequence[int], weight_shape: Sequence[int], bias_shape: Sequence[int] | None
) -> tuple[int, ...]:
    """Return the output's shape."""
    if len(weight_shape) not in (1, 2):
        raise ValueError(
            "weight must have 2 axes (output features, input features) or 1 (input features), "
            f"got {len(weight_shape)}"
        )
    if not input_shape or input_shape[-1] != weight_shape[-1]:
        raise ValueError(
            f"input must have {weight_shape[-1]} features on its last axis for weight of shape "
            f"{tuple(weight_shape)}, got shape {tuple(input_shape)}"
        )
    features = tuple(weight_shape[:-1])
    if bias_shape is not None and tuple(bias_shape) != features:
        raise ValueError(
            f"bias must have shape {features}, one number for each output feature, got "
            f"{tuple(bias_shape)}"
        )
    return (*input_shape[:-1], *features)


def matrix_sizes(input_size: object, weight_ndim: int) -> tuple[int, ...]:
    """Return the spatial sizes of the input whose convolution is to be a matrix."""
    sizes = shape(input_size, "input_size")
    if not 1 <= len(sizes) <= MOST_AXES:
        raise ValueError(
            f"input_size must have from 1 to {MOST_AXES} spatial sizes, got {len(sizes)}"
        )
    if weight_ndim not in (len(sizes), len(sizes) + 2):
        raise ValueError(
            f"weight must have {len(sizes) + 2} axes (output channels, channels, {len(sizes)} "
            f"spatial) or {len(sizes)} for the spatial sizes {sizes} of input_size, got "
            f"{weight_ndim}"
        )
    return sizes
