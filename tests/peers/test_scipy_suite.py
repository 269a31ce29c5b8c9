"""Whether the runner of SciPy's tests notices what it is there to notice."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("scipy", minversion="1.17")

import scipy_suite
from scipy import ndimage, signal

# A function for each of the modules that SciPy compiled, with arguments.
COMPILED = {
    "_sigtools": (signal, "convolve2d", np.eye(3), np.eye(2)),
    "_upfirdn_apply": (signal, "upfirdn", np.ones(3), np.ones(3)),
    "_spline": (signal, "sepfir2d", np.eye(5), np.ones(3), np.ones(3)),
    "pypocketfft": (signal, "fftconvolve", np.ones(3), np.ones(3)),
    "_nd_image": (ndimage, "gaussian_filter", np.eye(3), 1.0),
}


@pytest.mark.parametrize("module", COMPILED)
def test_scipy_under_our_name_is_caught(guarded, module):
    package, name, *arguments = COMPILED[module]
    function = getattr(package, name)
    expected = function(*arguments)  # by others it may be called
    ours = scipy_suite.counted(f"test.{name}", function)
    with pytest.raises(AssertionError, match=f"test.{name} called scipy.*{module}"):
        ours(*arguments)
    assert scipy_suite.calls.pop(f"test.{name}") == 1
    assert scipy_suite.trespasses.pop().startswith(f"test.{name}")
    np.testing.assert_array_equal(function(*arguments), expected)


def test_borrowed_tests_call_what_was_given(xp):
    def convolve(*arrays, **options):
        raise ArithmeticError

    before = scipy_suite.calls.copy()
    borrowed = scipy_suite.borrow(
        "scipy.signal", "test_signaltools", {"convolve": convolve}, "TestConvolve(2d)?"
    )
    for test in (
        borrowed["TestConvolve"]().test_basic,
        borrowed["TestConvolve2d"]().test_consistency_convolve_funcs,  # has it from the package
    ):
        with pytest.raises(ArithmeticError):
            test(xp)
    assert scipy_suite.calls - before == {"scipy.signal.convolve": 2}
    scipy_suite.calls.subtract({"scipy.signal.convolve": 2})
    assert signal.convolve([1], [2]) == [2]


def test_dialects_without_scipy():
    pytest.importorskip("convx.ndimage")
    pytest.importorskip("convx.signal")
    program = (
        "import sys; sys.modules['scipy'] = None; "
        "from convx import ndimage, signal; import numpy as np; x = np.eye(9); "
        "assert ndimage.gaussian_filter(x, 1.0).shape == signal.convolve(x, x, 'same').shape"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
