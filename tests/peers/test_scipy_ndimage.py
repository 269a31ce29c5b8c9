"""SciPy's tests of its filters, run with those of convx.ndimage in their place."""

import re

import pytest

pytest.importorskip("scipy", minversion="1.17")

import scipy_suite

from convx import ndimage

WANTED = "Test(NdimageFilters|Threading)|test_.*"
# Ranks, medians, percentiles, and filters whose function is Python's alone.
OTHERS = re.compile(
    "rank|median|percentile|gh_22250|gh_22333|gh_22586|gh_23075|generic_filter_axes|ticket_701"
    "|gaussian_kernel1d|size_footprint_both_set|valid_origins1|lim2"
)
# Parts of names, and why the tests cannot pass.
CANNOT_PASS: dict[str, str] = {}

FUNCTIONS = scipy_suite.functions_of(ndimage)
BORROWED = scipy_suite.borrow("scipy.ndimage", "test_filters", FUNCTIONS, WANTED)
globals().update(BORROWED)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_was_called(all_ran, name):
    assert scipy_suite.calls[f"scipy.ndimage.{name}"] > 0
