"""Pictures of convolutions and of what is learned, drawn with matplotlib.

Every function takes ``ax=``, the axes to draw on, and returns them; without, it makes a figure.
matplotlib is an extra: ``pip install 'convx-cpu[plots]'``.

``grids``
    `kernels`, `feature_maps`: many small pictures in one.
``receptive``
    `receptive_field`: what one output of a stack of layers sees.
``steps``
    `arithmetic`, `animate_arithmetic`: a convolution or a transposed one, step by step.
``training``
    `learning_curves`, `confusion_matrix`.
"""

from convx.plot.grids import feature_maps, kernels
from convx.plot.receptive import receptive_field
from convx.plot.steps import animate_arithmetic, arithmetic
from convx.plot.training import confusion_matrix, learning_curves

__all__ = [
    "animate_arithmetic",
    "arithmetic",
    "confusion_matrix",
    "feature_maps",
    "kernels",
    "learning_curves",
    "receptive_field",
]
