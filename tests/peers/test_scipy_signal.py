"""SciPy's tests of its convolutions, run with those of convx.signal in their place."""

import re

import pytest

pytest.importorskip("scipy", minversion="1.17")

import scipy_suite

from convx import signal

# The functions of each of SciPy's modules of tests that are about functions of ours.
MODULES = {
    "test_signaltools": "Test(Convolve|FFTConvolve|OAConvolve|AllFreqConvolves|Correlate|MedFilt).*"
    "|test_(convolve|correlation|choose_conv).*",
    "test_upfirdn": "TestUpfirdn",
    "test_bsplines": "TestSepfir2d",
}
# They try a function that pads, and `medfilt` by itself, which are SciPy's alone; or skip.
OTHERS = re.compile(
    r"TestUpfirdn::test_extensions|TestMedFilt::test_(none|odd_strides|.*\[float96\])"
)
# Parts of names, and why the tests cannot pass.
CANNOT_PASS = {
    "test_sepfir2d_strided_2": "holds the filter of a random image against that of another one",
    # SciPy says so itself: "flaky, pointers out of bounds on some platforms".
    "test_sepfir2d_strided_3": "a filter longer than the image, beyond which SciPy reads",
}

FUNCTIONS = scipy_suite.functions_of(signal)
BORROWED = {
    name: test
    for tests, wanted in MODULES.items()
    for name, test in scipy_suite.borrow("scipy.signal", tests, FUNCTIONS, wanted).items()
}
globals().update(BORROWED)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_was_called(all_ran, name):
    assert scipy_suite.calls[f"scipy.signal.{name}"] > 0
