"""SciPy's tests of its convolutions, run with those of convx.signal in their place."""

import re

import pytest

pytest.importorskip("scipy", minversion="1.17")

import scipy_suite

signal = pytest.importorskip("convx.signal")

# The functions of each of SciPy's modules of tests that are about functions of ours.
MODULES = {
    "test_signaltools": "Test(Convolve|FFTConvolve|OAConvolve|AllFreqConvolves|Correlate).*"
    "|TestMedFilt|test_(convolve|correlation|choose_conv).*",
    "test_upfirdn": "TestUpfirdn",
    "test_bsplines": "TestSepfir2d",
}
# They try only functions that convx does not have, or skip where a type is missing.
OTHERS = re.compile(
    r"TestMedFilt::test_(none|odd_strides|invalid_dtypes\[float96\])|TestUpfirdn::test_extensions"
)
# Parts of names, and why the tests cannot pass.
CANNOT_PASS = {
    "test_sepfir2d_strided_2": "holds the filter of a random image against that of another one",
    **{
        f"test_sepfir2d_strided_3[{dtype}]": "asks for float64 and for another type at once"
        for dtype in ("uint8", "float32", "complex64", "complex")
    },
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
