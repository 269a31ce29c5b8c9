"""Arguments and their errors: every check of what a caller gives stands here, and only here.

Messages say which argument, what came, and what is allowed. Sizes are Python integers, so that no
check can overflow; what reaches a kernel fits into 64 bits and into memory.

``general`` has what every function needs; each family of functions has a module of its own.
"""

from convx._engine.arguments.convolution import (
    ACTIVATIONS,
    ALGORITHMS,
    MOST_AXES,
    NEGATIVE_SLOPE,
    Pads,
    activation,
    algorithm,
    check_activation,
    check_channels,
    check_groups,
    check_output_channels,
    check_transpose,
    check_windows,
    padding_mode,
    pads,
    spatial_axes,
)
from convx._engine.arguments.folding import (
    check_divides,
    fold_windows,
    shuffle_factors,
    shuffle_groups,
    unfold_windows,
)
from convx._engine.arguments.general import (
    boolean,
    check_batched,
    check_memory,
    check_out,
    check_positive_sizes,
    check_shape,
    integer,
    one_of,
    per_axis,
    shape,
    shown,
    thread_count,
)
from convx._engine.arguments.linear import linear_shape, matrix_sizes
from convx._engine.arguments.padding import pad_mode, pad_value, pad_widths
from convx._engine.arguments.resizing import resize_mode, resized

__all__ = [
    "ACTIVATIONS",
    "ALGORITHMS",
    "MOST_AXES",
    "NEGATIVE_SLOPE",
    "Pads",
    "activation",
    "algorithm",
    "boolean",
    "check_activation",
    "check_batched",
    "check_channels",
    "check_divides",
    "check_groups",
    "check_memory",
    "check_out",
    "check_output_channels",
    "check_positive_sizes",
    "check_shape",
    "check_transpose",
    "check_windows",
    "fold_windows",
    "integer",
    "linear_shape",
    "matrix_sizes",
    "one_of",
    "pad_mode",
    "pad_value",
    "pad_widths",
    "padding_mode",
    "pads",
    "per_axis",
    "resize_mode",
    "resized",
    "shape",
    "shown",
    "shuffle_factors",
    "shuffle_groups",
    "spatial_axes",
    "thread_count",
    "unfold_windows",
]
