"""Settings and fixtures of all tests."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings

pytest.register_assert_rewrite("support")

# Pictures go to files: a window would wait for somebody to close it.
os.environ.setdefault("MPLBACKEND", "agg")

# The same examples in every run: what is random is tried by the slow variants.
settings.register_profile(
    "convx",
    deadline=None,
    derandomize=True,
    phases=[phase for phase in Phase if phase is not Phase.explain],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("convx")


@pytest.fixture
def rng():
    return np.random.default_rng(2026)
