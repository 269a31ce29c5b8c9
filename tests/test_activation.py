"""Activations against PyTorch, on its own samples."""

import pytest
from torch_samples import check_samples

from convx import functional as F


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples(dtype):
    check_samples("nn.functional.relu", F.relu, dtype)
