"""The commands, called as a shell calls them: arguments in, files and an exit code out."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import convx
from convx import reference
from convx.cli import arrays, demo, main

# How SciPy calls the boundaries.
SCIPY_MODES = {
    "zeros": "constant",
    "reflect": "mirror",
    "symmetric": "reflect",
    "replicate": "nearest",
    "circular": "wrap",
}
SHAPES = [(40,), (17, 23), (7, 9, 8), (5, 4, 6, 3)]


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture
def image_module():
    return pytest.importorskip("PIL.Image")


@pytest.fixture
def complaint(capsys):
    """Run a command that must fail with exit code 2 and one line; return that line."""

    def run(*arguments):
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("convx: error: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1
        return err

    return run


@pytest.fixture
def filter_array(tmp_path):
    """Pass an array through ``convx filter`` and return what comes out."""

    def run(array, kernel, *options):
        source, target = tmp_path / "in.npy", tmp_path / "out.npy"
        np.save(source, array)
        if isinstance(kernel, np.ndarray):
            np.save(tmp_path / "kernel.npy", kernel)
            kernel = tmp_path / "kernel.npy"
        assert main(["filter", str(source), str(target), "--kernel", str(kernel), *options]) == 0
        return np.load(target, allow_pickle=False)

    return run


@pytest.fixture
def filter_image(tmp_path, image_module):
    """Pass an image through ``convx filter`` and return what comes out."""

    def run(image, *options, source="in.png", target="out.png"):
        image.save(tmp_path / source)
        arguments = ["filter", str(tmp_path / source), str(tmp_path / target), *options]
        assert main(arguments) == 0
        with image_module.open(tmp_path / target) as result:
            result.load()
            return result

    return run


# ---------------------------------------------------------------------------------------------
# The named kernels
# ---------------------------------------------------------------------------------------------


def gradient_length(operator, array, mode):
    return np.sqrt(sum(operator(array, axis, mode=mode) ** 2 for axis in range(array.ndim)))


def peers(ndimage):
    return {
        "sobel": lambda x, mode: gradient_length(ndimage.sobel, x, mode),
        "prewitt": lambda x, mode: gradient_length(ndimage.prewitt, x, mode),
        "laplace": lambda x, mode: ndimage.laplace(x, mode=mode),
        "sharpen": lambda x, mode: x - ndimage.laplace(x, mode=mode),
        "gaussian:0.8": lambda x, mode: ndimage.gaussian_filter(x, 0.8, mode=mode),
        "gaussian:3": lambda x, mode: ndimage.gaussian_filter(x, 3, mode=mode),
        "box:3": lambda x, mode: ndimage.uniform_filter(x, 3, mode=mode),
        "box:4": lambda x, mode: ndimage.uniform_filter(x, 4, mode=mode),
    }


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{len(shape)}d")
@pytest.mark.parametrize("boundary", SCIPY_MODES)
def test_named_kernels_agree_with_scipy(filter_array, rng, shape, boundary):
    ndimage = pytest.importorskip("scipy.ndimage")
    array = rng.standard_normal(shape)
    for kernel, peer in peers(ndimage).items():
        result = filter_array(array, kernel, "--boundary", boundary)
        expected = peer(array, SCIPY_MODES[boundary])
        np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-12, err_msg=kernel)


@pytest.mark.parametrize("operator", ["sobel", "prewitt"])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_derivative_along_one_axis_keeps_its_sign(filter_array, rng, operator, axis):
    ndimage = pytest.importorskip("scipy.ndimage")
    array = rng.standard_normal((6, 7, 8))
    result = filter_array(array, operator, "--axis", str(axis), "--boundary", "symmetric")
    np.testing.assert_allclose(result, getattr(ndimage, operator)(array, axis), atol=1e-12)


def test_emboss_is_lit_from_the_top_left(filter_array):
    rising = np.add.outer(np.arange(9.0), np.arange(9.0))  # a slope that faces the light
    result = filter_array(rising, "emboss")
    assert (result[1:-1, 1:-1] > rising[1:-1, 1:-1]).all()
    np.testing.assert_array_equal(filter_array(np.full((5, 5), 3.0), "emboss"), 3.0)


@pytest.mark.parametrize("kernel", ["gaussian:2.5", "box:6", "box:1", "gaussian:1e-200"])
def test_blurs_keep_the_mean_level(filter_array, kernel):
    np.testing.assert_allclose(filter_array(np.full((4, 30), 7.0), kernel), 7.0, rtol=1e-13)


def test_kernel_wider_than_the_array(filter_array, rng):
    ndimage = pytest.importorskip("scipy.ndimage")
    array = rng.standard_normal((3, 5))
    for boundary, mode in SCIPY_MODES.items():
        result = filter_array(array, "gaussian:4", "--boundary", boundary)
        np.testing.assert_allclose(
            result, ndimage.gaussian_filter(array, 4, mode=mode), atol=1e-12, err_msg=boundary
        )


# ---------------------------------------------------------------------------------------------
# Kernels from files, modes, boundaries
# ---------------------------------------------------------------------------------------------


def test_it_is_true_convolution(filter_array):
    kernel = np.arange(1.0, 10.0).reshape(3, 3)
    impulse = np.zeros((5, 5))
    impulse[2, 2] = 1
    result = filter_array(impulse, kernel, "--boundary", "zeros")
    np.testing.assert_array_equal(result[1:4, 1:4], kernel)


@pytest.mark.parametrize("mode", ["same", "valid", "full"])
@pytest.mark.parametrize(
    ("shape", "size"),
    [((20,), (5,)), ((20,), (4,)), ((9, 8), (2, 3)), ((6, 7, 5), (3, 2, 4)), ((4,) * 4, (2,) * 4)],
)
def test_modes_agree_with_scipy(filter_array, rng, mode, shape, size):
    signal = pytest.importorskip("scipy.signal")
    array, kernel = rng.standard_normal(shape), rng.standard_normal(size)
    result = filter_array(array, kernel, "--mode", mode, "--boundary", "zeros")
    expected = signal.convolve(array, kernel, mode, "direct")
    np.testing.assert_allclose(result, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("boundary", SCIPY_MODES)
@pytest.mark.parametrize("kernel", ["laplace", "sobel", "box:4", "gaussian:0.7"])
def test_full_is_valid_on_the_extended_array(filter_array, rng, boundary, kernel):
    array = rng.standard_normal((12, 10))
    full = filter_array(array, kernel, "--mode", "full", "--boundary", boundary)
    size = full.shape[0] - array.shape[0]
    extended = reference.pad(array, [(size, size)] * 2, boundary)
    valid = filter_array(extended, kernel, "--mode", "valid")
    np.testing.assert_allclose(full, valid, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kernel", ["sobel", "laplace", "sharpen", "emboss", "gaussian:1", "box:3"])
def test_valid_is_the_inside_of_same(filter_array, rng, kernel):
    array = rng.standard_normal((14, 15))
    same = filter_array(array, kernel)
    valid = filter_array(array, kernel, "--mode", "valid")
    edge = (same.shape[0] - valid.shape[0]) // 2
    assert edge > 0
    np.testing.assert_allclose(valid, same[edge:-edge, edge:-edge], rtol=1e-12, atol=1e-12)


def test_scale_and_offset(filter_array, rng):
    array = rng.standard_normal((6, 6))
    result = filter_array(array, "laplace", "--scale", "-0.5", "--offset", "-3")
    np.testing.assert_allclose(result, -0.5 * filter_array(array, "laplace") - 3)


# ---------------------------------------------------------------------------------------------
# Types of arrays
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("f2", "f2"),
        ("f4", "f4"),
        ("f8", "f8"),
        (">f4", "f4"),
        ("c8", "c8"),
        ("c16", "c16"),
        ("?", "f8"),
        ("u1", "f8"),
        ("i4", "f8"),
        (">i8", "f8"),
    ],
)
def test_dtypes(filter_array, rng, given, written):
    array = (10 * rng.standard_normal((8, 9))).astype(given)
    result = filter_array(array, "sharpen")
    assert result.dtype == np.dtype(written)
    assert result.dtype.isnative
    wide = np.result_type(array, np.float64)
    expected = filter_array(array.astype(wide), "sharpen")
    tolerance = 1e-2 if given == "f2" else 1e-4 if given in ("f4", ">f4", "c8") else 1e-10
    np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


def test_float16_is_rounded_once(filter_array, rng):
    array = rng.standard_normal((30, 31)).astype(np.float16)
    expected = filter_array(array.astype(np.float32), "gaussian:1").astype(np.float16)
    np.testing.assert_array_equal(filter_array(array, "gaussian:1"), expected)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_complex_kernel_gives_a_complex_array(filter_array, rng, dtype):
    array = rng.standard_normal(20).astype(dtype)
    result = filter_array(array, np.array([1.0, 2j, -1.0]), "--boundary", "zeros")
    assert result.dtype == (np.complex128 if dtype == "f8" else np.complex64)
    np.testing.assert_allclose(result, np.convolve(array, [1, 2j, -1], "same"), rtol=1e-5)


def test_gradient_of_a_complex_array_is_real(filter_array, rng):
    array = rng.standard_normal((6, 7)) + 1j * rng.standard_normal((6, 7))
    result = filter_array(array, "sobel")
    assert result.dtype == np.float64
    parts = filter_array(array.real, "sobel"), filter_array(array.imag, "sobel")
    np.testing.assert_allclose(result, np.hypot(*parts))


def test_memory_order_does_not_matter(filter_array, rng):
    array = rng.standard_normal((6, 7, 8))
    expected = filter_array(array, "sobel")
    np.testing.assert_array_equal(filter_array(np.asfortranarray(array), "sobel"), expected)


def test_nan_stays_where_the_kernel_reaches(filter_array):
    array = np.zeros((9, 9))
    array[4, 4] = np.nan
    result = filter_array(array, "box:3")
    assert np.isnan(result[3:6, 3:6]).all()
    assert np.isnan(result).sum() == 9


# ---------------------------------------------------------------------------------------------
# Images
# ---------------------------------------------------------------------------------------------


def random_image(image_module, rng, mode, size=(23, 17)):
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    samples = rng.integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
    if mode == "CMYK":
        return image_module.frombytes(mode, size, samples.tobytes())
    return image_module.fromarray(samples[..., 0] if channels == 1 else samples)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_colours_are_filtered_and_alpha_is_kept(filter_image, image_module, rng, mode):
    ndimage = pytest.importorskip("scipy.ndimage")
    image = random_image(image_module, rng, mode)
    result = filter_image(image, "--kernel", "gaussian:1.5")
    assert result.mode == mode
    before, after = (np.atleast_3d(np.asarray(picture)) for picture in (image, result))
    colours = before.shape[-1] - mode.endswith("A")
    for channel in range(colours):
        expected = ndimage.gaussian_filter(before[..., channel].astype(float), 1.5, mode="mirror")
        assert abs(after[..., channel] - expected).max() <= 0.5 + 1e-4
    np.testing.assert_array_equal(after[..., colours:], before[..., colours:])


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_box_of_one_changes_nothing(filter_image, image_module, rng, mode):
    image = random_image(image_module, rng, mode)
    np.testing.assert_array_equal(filter_image(image, "--kernel", "box:1"), image)


@pytest.mark.parametrize(("mode", "size"), [("valid", (19, 13)), ("full", (27, 21))])
@pytest.mark.parametrize("boundary", ["reflect", "zeros"])
def test_alpha_has_the_size_of_the_result(filter_image, image_module, rng, mode, size, boundary):
    image = random_image(image_module, rng, "RGBA")
    options = ("--kernel", "box:5", "--mode", mode, "--boundary", boundary)
    result = filter_image(image, *options)
    assert result.size == size
    alpha = np.asarray(image)[..., 3]
    expected = (
        alpha[2:-2, 2:-2] if mode == "valid" else reference.pad(alpha, [(2, 2)] * 2, boundary)
    )
    np.testing.assert_array_equal(np.asarray(result)[..., 3], expected)


def test_palette_becomes_rgb(filter_image, image_module, rng):
    image = random_image(image_module, rng, "RGB").quantize(16)
    result = filter_image(image, "--kernel", "box:1")
    assert result.mode == "RGB"
    np.testing.assert_array_equal(result, image.convert("RGB"))


def test_transparent_palette_becomes_rgba(filter_image, image_module, rng, tmp_path):
    image = random_image(image_module, rng, "RGB").quantize(16)
    image.info["transparency"] = 3
    result = filter_image(image, "--kernel", "box:1")
    assert result.mode == "RGBA"
    transparent = np.asarray(image) == 3
    np.testing.assert_array_equal(np.asarray(result)[..., 3] == 0, transparent)


def test_black_and_white_becomes_grey(filter_image, image_module, rng):
    image = random_image(image_module, rng, "L").convert("1")
    result = filter_image(image, "--kernel", "box:3")
    assert result.mode == "L"
    assert len(np.unique(result)) > 2


def test_sixteen_bits_stay_sixteen_bits(filter_image, image_module, rng):
    ndimage = pytest.importorskip("scipy.ndimage")
    samples = rng.integers(0, 65536, (17, 23), dtype=np.uint16)
    result = np.asarray(filter_image(image_module.fromarray(samples), "--kernel", "gaussian:1"))
    expected = ndimage.gaussian_filter(samples.astype(float), 1, mode="mirror")
    assert result.max() > 255
    assert abs(result - expected).max() <= 0.5 + 1e-9


def test_results_are_rounded_and_clipped(filter_image, image_module):
    image = image_module.fromarray(np.array([[0, 255, 0, 10, 11]], dtype=np.uint8))
    result = filter_image(image, "--kernel", "sharpen", "--boundary", "replicate")
    assert np.asarray(result).tolist() == [[0, 255, 0, 19, 12]]
    result = filter_image(image, "--kernel", "box:2", "--boundary", "zeros")
    assert np.asarray(result).tolist() == [[0, 64, 64, 2, 5]]


def test_offset_shows_negative_results(filter_image, image_module):
    image = image_module.fromarray(np.array([[100, 110, 100]] * 3, dtype=np.uint8))
    result = filter_image(image, "--kernel", "laplace", "--offset", "128")
    assert np.asarray(result).tolist() == [[148, 108, 148]] * 3


def test_jpeg(filter_image, image_module, rng):
    image = image_module.new("RGB", (40, 30), (200, 100, 50))
    result = filter_image(image, "--kernel", "gaussian:2", source="in.JPG", target="out.jpeg")
    assert result.format == "JPEG"
    assert abs(np.asarray(result).astype(int) - (200, 100, 50)).max() <= 3


def test_cmyk_jpeg_becomes_rgb(filter_image, image_module, rng):
    image = random_image(image_module, rng, "CMYK")
    assert filter_image(image, "--kernel", "box:3", source="in.jpg").mode == "RGB"


def test_orientation_of_a_photograph_is_applied(filter_image, image_module, tmp_path):
    image = image_module.new("L", (40, 30))
    exif = image_module.Exif()
    exif[0x0112] = 6  # turn to the right
    image.save(tmp_path / "turned.jpg", exif=exif)
    with image_module.open(tmp_path / "turned.jpg") as turned:
        turned.load()
    turned.save(tmp_path / "in.jpg", exif=exif)
    arguments = ["filter", tmp_path / "in.jpg", tmp_path / "out.png", "--kernel", "box:3"]
    assert main(list(map(str, arguments))) == 0
    with image_module.open(tmp_path / "out.png") as result:
        assert result.size == (30, 40)


def test_colour_profile_is_kept(filter_image, image_module, rng):
    image = random_image(image_module, rng, "RGB")
    image.info["icc_profile"] = b"a profile"
    assert filter_image(image, "--kernel", "box:3").info["icc_profile"] == b"a profile"


@pytest.mark.parametrize(("mode", "shape"), [("L", (17, 23)), ("RGBA", (17, 23, 3))])
def test_image_to_unrounded_array(tmp_path, image_module, rng, mode, shape):
    random_image(image_module, rng, mode).save(tmp_path / "in.png")
    arguments = ["filter", tmp_path / "in.png", tmp_path / "out.npy", "--kernel", "laplace"]
    assert main(list(map(str, arguments))) == 0
    result = np.load(tmp_path / "out.npy")
    assert result.shape == shape
    assert result.dtype == np.float32
    assert result.min() < 0


# ---------------------------------------------------------------------------------------------
# Bad input: one line, exit code 2
# ---------------------------------------------------------------------------------------------


def npy(header, data=b""):
    """A ``.npy`` file with the header one likes."""
    text = header.encode("latin1")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


BAD_ARRAYS = {
    "empty file": (b"", "not a .npy file"),
    "text": (b"hello, world", "not a .npy file"),
    "zip": (b"PK\x03\x04" + bytes(60), "not a .npy file"),
    "only magic": (b"\x93NUMPY", "not a .npy file"),
    "future version": (b"\x93NUMPY\x09\x00" + bytes(60), "not a .npy file"),
    "header cut off": (saved(np.ones(9))[:40], "not a .npy file"),
    "header no dict": (npy("17"), "not a .npy file"),
    "header no Python": (npy("{'descr': '<f8', "), "not a .npy file"),
    "header of brackets": (npy("(" * 5000), "not a .npy file"),
    "unknown dtype": (
        npy("{'descr': '<x9', 'fortran_order': False, 'shape': (2,), }\n"),
        "not a .npy file",
    ),
    "data cut off": (saved(np.ones((4, 4)))[:-1], "promises 128 bytes, it holds 127"),
    "too much data": (saved(np.ones((4, 4))) + b"x", "promises 128 bytes, it holds 129"),
    "terabytes promised": (
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n", bytes(8)),
        "promises 8000000000000 bytes, it holds 8",
    ),
    "overflowing shape": (
        npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**62}, 16), }}\n"),
        "promises",
    ),
    "negative shape": (
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1), }\n", bytes(8)),
        "(shape (-1, -1), float64)",
    ),
    "too many axes": (
        npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {(1,) * 65}, }}\n", bytes(8)),
        "65",
    ),
    "no samples": (saved(np.ones((3, 0))), "empty array of shape (3, 0)"),
    "no axes": (saved(np.array(3.0)), "a single number"),
    "strings": (saved(np.array(["a", "b"])), "<U1"),
    "dates": (saved(np.array(["2020-01-01"], "M8[D]")), "datetime64"),
    "records": (saved(np.zeros(3, [("a", "f4")])), "not numbers"),
    "long doubles": (saved(np.zeros(3, np.longdouble)), "not numbers"),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
@pytest.mark.parametrize("role", ["input", "kernel"])
def test_bad_npy_files(complaint, tmp_path, case, role):
    data, message = BAD_ARRAYS[case]
    if case == "long doubles" and np.longdouble == np.float64:
        pytest.skip("long double is double here")
    good, bad, out = (tmp_path / name for name in ("good.npy", "bad.npy", "out.npy"))
    np.save(good, np.ones(5))
    bad.write_bytes(data)
    source, kernel = (bad, good) if role == "input" else (good, bad)
    line = complaint("filter", source, out, "--kernel", kernel)
    assert message in line
    assert "bad.npy" in line or case == "too many axes"
    assert not out.exists()


def test_npy_header_of_python_2(tmp_path):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3L,), }".ljust(117) + "\n"
    (tmp_path / "in.npy").write_bytes(npy(header, np.arange(3.0).tobytes()))
    arguments = ["filter", tmp_path / "in.npy", tmp_path / "out.npy", "--kernel", "box:1"]
    assert main(list(map(str, arguments))) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), np.arange(3.0))


def test_object_arrays_are_never_unpickled(complaint, tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    np.save(tmp_path / "in.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    line = complaint("filter", tmp_path / "in.npy", tmp_path / "out.npy", "--kernel", "box:3")
    assert "object" in line
    assert not (tmp_path / "sprung").exists()


def test_mutilated_npy_files_never_surprise(tmp_path, rng, capsys):
    data = saved(np.ones((3, 5), np.float32))
    source, target = tmp_path / "in.npy", tmp_path / "out.npy"
    for _ in range(300):
        mutilated = bytearray(data[: rng.integers(1, len(data) + 1)])
        for position in rng.integers(0, len(mutilated), rng.integers(1, 5)):
            mutilated[position] = rng.integers(0, 256)
        source.write_bytes(mutilated)
        code = main(["filter", str(source), str(target), "--kernel", "box:3"])
        assert capsys.readouterr().err.count("\n") == (code == 2)


def test_mutilated_images_never_surprise(tmp_path, rng, capsys, image_module):
    image = random_image(image_module, rng, "RGB")
    for name in ("in.png", "in.jpg"):
        source, target = tmp_path / name, tmp_path / "out.png"
        image.save(source)
        data = source.read_bytes()
        for _ in range(100):
            mutilated = bytearray(data[: rng.integers(1, len(data) + 1)])
            for position in rng.integers(0, len(mutilated), rng.integers(1, 5)):
                mutilated[position] = rng.integers(0, 256)
            source.write_bytes(mutilated)
            code = main(["filter", str(source), str(target), "--kernel", "box:3"])
            assert capsys.readouterr().err.count("\n") == (code == 2)


@pytest.mark.parametrize("name", ["in.npy", "in.png"])
def test_missing_files(complaint, tmp_path, name):
    if name.endswith("png"):
        pytest.importorskip("PIL")
    line = complaint("filter", tmp_path / name, tmp_path / f"out{name[2:]}", "--kernel", "sobel")
    assert "no such file" in line
    (tmp_path / name).mkdir()
    line = complaint("filter", tmp_path / name, tmp_path / f"out{name[2:]}", "--kernel", "sobel")
    assert "not a file" in line


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_are_refused_and_not_waited_for(complaint, tmp_path):
    os.mkfifo(tmp_path / "in.npy")
    line = complaint("filter", tmp_path / "in.npy", tmp_path / "out.npy", "--kernel", "sobel")
    assert "not a file" in line


def test_names_with_line_breaks_stay_on_one_line(complaint, tmp_path):
    complaint("filter", tmp_path / "in\n\udcff.npy", tmp_path / "out.npy", "--kernel", "sobel")
    complaint("filter", "in\0.npy", tmp_path / "out.npy", "--kernel", "sobel")


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ("gaussian:nan", "positive and finite"),
        ("gaussian:inf", "positive and finite"),
        ("gaussian:0", "positive and finite"),
        ("gaussian:-1", "positive and finite"),
        ("gaussian:1e12", "at most 4095"),
        ("gaussian:1e308", "at most 4095"),
        ("gaussian:wide", "needs a number"),
        ("gaussian:", "needs a number"),
        ("gaussian", "needs a number"),
        ("box:0", "from 1 to 32767"),
        ("box:-3", "from 1 to 32767"),
        ("box:32768", "from 1 to 32767"),
        ("box:2.5", "needs a whole number"),
        ("box:nan", "needs a whole number"),
        ("box", "needs a whole number"),
        ("sobel:3", "unknown kernel"),
        ("Sobel", "unknown kernel"),
        ("", "unknown kernel"),
        ("missing.npy", "no such file"),
        ("emboss", "2 axes"),
    ],
)
def test_bad_kernels(complaint, tmp_path, kernel, message):
    np.save(tmp_path / "in.npy", np.ones(9))
    line = complaint("filter", tmp_path / "in.npy", tmp_path / "out.npy", "--kernel", kernel)
    assert message in line
    assert not (tmp_path / "out.npy").exists()


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (np.ones((3, 3)), "has 2 axes, the input 1"),
        (np.array([1.0, np.nan]), "NaN or infinity"),
        (np.array([1.0, np.inf]), "NaN or infinity"),
        (np.array([1.0, 1e300]), "not finite in float32"),
    ],
)
def test_bad_kernel_files(complaint, tmp_path, kernel, message):
    np.save(tmp_path / "in.npy", np.ones(9, np.float32))
    np.save(tmp_path / "k.npy", kernel)
    arguments = ("filter", tmp_path / "in.npy", tmp_path / "out.npy", "--kernel")
    assert message in complaint(*arguments, tmp_path / "k.npy")


@pytest.mark.parametrize("kernel", ["laplace", "sobel", "box:6", "gaussian:1"])
def test_kernel_larger_than_the_input(complaint, tmp_path, kernel):
    np.save(tmp_path / "in.npy", np.ones((2, 5)))
    arguments = ("filter", tmp_path / "in.npy", tmp_path / "out.npy", "--kernel", kernel)
    assert "larger than the input (2, 5)" in complaint(*arguments, "--mode", "valid")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--kernel", "box:3", "--boundary", "wrap"], "invalid choice"),
        (["--kernel", "box:3", "--mode", "big"], "invalid choice"),
        (["--kernel", "box:3", "--axis", "0"], "--axis is for sobel and prewitt"),
        (["--kernel", "sobel", "--axis", "2"], "--axis must be from -2 to 1"),
        (["--kernel", "sobel", "--axis", "x"], "invalid int"),
        (["--kernel", "sobel", "--scale", "nan"], "must be finite"),
        (["--kernel", "sobel", "--offset", "inf"], "must be finite"),
        (["--kernel", "sobel", "--shear", "3"], "unrecognized"),
        ([], "required: --kernel"),
    ],
)
def test_bad_options(complaint, tmp_path, options, message):
    np.save(tmp_path / "in.npy", np.ones((4, 5)))
    assert message in complaint("filter", tmp_path / "in.npy", tmp_path / "out.npy", *options)


def test_too_many_axes_for_a_named_kernel(complaint, tmp_path):
    np.save(tmp_path / "in.npy", np.ones((1,) * 20))
    arguments = ("filter", tmp_path / "in.npy", tmp_path / "out.npy", "--kernel")
    for kernel in ("sobel", "laplace", "sharpen"):
        assert "up to 8 axes" in complaint(*arguments, kernel)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("in.gif", "out.png", "unknown ending"),
        ("in", "out.png", "unknown ending"),
        ("in.npy", "out.tiff", "unknown ending"),
        ("in.npy", "out.png", "only be written to a .npy"),
        ("in.npy", "nowhere/out.npy", "no such folder"),
        ("in.npy", "folder.npy", "not a file"),
    ],
)
def test_bad_names(complaint, tmp_path, source, target, message):
    (tmp_path / "folder.npy").mkdir()
    np.save(tmp_path / "in.npy", np.ones((4, 5)))
    line = complaint("filter", tmp_path / source, tmp_path / target, "--kernel", "sobel")
    assert message in line


def test_bad_images(complaint, tmp_path, image_module, rng):
    out = tmp_path / "out.png"
    image = random_image(image_module, rng, "RGB", (60, 50))
    image.save(tmp_path / "good.png")
    data = (tmp_path / "good.png").read_bytes()
    for name, content, message in (
        ("empty.png", b"", "neither a PNG nor a JPEG"),
        ("text.jpg", b"hello", "neither a PNG nor a JPEG"),
        ("gif.png", b"GIF89a" + bytes(60), "neither a PNG nor a JPEG"),
        ("half.png", data[: len(data) // 2], "cannot read"),
    ):
        (tmp_path / name).write_bytes(content)
        assert message in complaint("filter", tmp_path / name, out, "--kernel", "sobel")
    assert not out.exists()


@pytest.mark.parametrize("limit", [2000, 1000])  # Pillow warns up to twice the limit, then raises
def test_decompression_bombs(complaint, tmp_path, image_module, rng, monkeypatch, limit):
    random_image(image_module, rng, "RGB", (60, 50)).save(tmp_path / "in.png")
    monkeypatch.setattr(image_module, "MAX_IMAGE_PIXELS", limit)
    line = complaint("filter", tmp_path / "in.png", tmp_path / "out.png", "--kernel", "sobel")
    assert "decompression bomb" in line


def test_what_jpeg_cannot_hold(complaint, tmp_path, image_module, rng):
    random_image(image_module, rng, "RGBA").save(tmp_path / "in.png")
    arguments = ("filter", tmp_path / "in.png", tmp_path / "out.jpg", "--kernel", "box:3")
    assert "no transparency" in complaint(*arguments)
    image_module.fromarray(np.full((9, 9), 999, np.uint16)).save(tmp_path / "in.png")
    assert "no 16-bit samples" in complaint(*arguments)


def test_complex_kernel_on_an_image(complaint, tmp_path, image_module, rng):
    random_image(image_module, rng, "L").save(tmp_path / "in.png")
    np.save(tmp_path / "k.npy", np.ones((3, 3)) * 1j)
    arguments = ("filter", tmp_path / "in.png", tmp_path / "out.png", "--kernel")
    assert "complex" in complaint(*arguments, tmp_path / "k.npy")


def test_missing_pillow(complaint, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "PIL", None)
    (tmp_path / "in.png").write_bytes(b"")
    for arguments in (
        ("demo", "--out", tmp_path),
        ("filter", tmp_path / "in.png", tmp_path / "out.png", "--kernel", "sobel"),
    ):
        assert "pip install 'convx-cpu[images]'" in complaint(*arguments)
    assert main(["info"]) == 0


def test_errors_of_the_operations_become_one_line(complaint, tmp_path, monkeypatch):
    np.save(tmp_path / "in.npy", np.ones(9))
    for error in (ValueError("two\nlines"), TypeError("no"), MemoryError(), MemoryError("8 TiB")):

        def broken(*_, error=error, **__):
            raise error

        monkeypatch.setattr(convx, "conv_nd", broken)
        complaint("filter", tmp_path / "in.npy", tmp_path / "out.npy", "--kernel", "box:3")


# ---------------------------------------------------------------------------------------------
# The output file
# ---------------------------------------------------------------------------------------------


def test_input_may_be_the_output(tmp_path, rng):
    path = tmp_path / "data.npy"
    np.save(path, rng.standard_normal((6, 7)))
    assert main(["filter", str(path), str(path), "--kernel", "box:3", "--mode", "valid"]) == 0
    assert np.load(path).shape == (4, 5)
    assert os.listdir(tmp_path) == ["data.npy"]


def test_failed_write_leaves_the_old_file(complaint, tmp_path, monkeypatch):
    source, target = tmp_path / "in.npy", tmp_path / "out.npy"
    np.save(source, np.ones(9))
    target.write_bytes(b"precious")

    def full_disk(file, array, **_):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(arrays.np, "save", full_disk)
    assert "no space left" in complaint("filter", source, target, "--kernel", "box:3")
    assert target.read_bytes() == b"precious"
    assert sorted(os.listdir(tmp_path)) == ["in.npy", "out.npy"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_stay(tmp_path):
    path = tmp_path / "data.npy"
    np.save(path, np.ones(9))
    path.chmod(0o640)
    assert main(["filter", str(path), str(path), "--kernel", "box:3"]) == 0
    assert path.stat().st_mode & 0o777 == 0o640


def test_symbolic_link_stays(tmp_path):
    (tmp_path / "there").mkdir()
    source, link = tmp_path / "in.npy", tmp_path / "link.npy"
    np.save(source, np.ones(9))
    np.save(tmp_path / "there" / "real.npy", np.zeros(2))
    try:
        link.symlink_to(tmp_path / "there" / "real.npy")
    except OSError:
        pytest.skip("no symbolic links here")
    assert main(["filter", str(source), str(link), "--kernel", "box:3"]) == 0
    assert link.is_symlink()
    assert np.load(tmp_path / "there" / "real.npy").shape == (9,)


# ---------------------------------------------------------------------------------------------
# demo, info, and the program itself
# ---------------------------------------------------------------------------------------------


@pytest.fixture
def small_photograph(monkeypatch, image_module):
    whole = demo._photograph()
    monkeypatch.setattr(demo, "_photograph", lambda: whole[:, 60:100, 120:170])


def test_demo_on_the_whole_photograph(tmp_path, capsys, image_module):
    assert main(["demo", "--out", str(tmp_path / "new"), "--repeat", "1", "--epochs", "1"]) == 0
    printed = capsys.readouterr().out
    assert "451 x 300" in printed
    assert printed.count(" ok\n") == 12
    assert "WRONG" not in printed
    with image_module.open(tmp_path / "new" / "convx-demo.png") as sheet:
        assert sheet.format == "PNG"
        assert sheet.width == 1760
        assert len(np.unique(sheet)) > 200
    assert "held-out digits are right: ok" in printed
    assert (tmp_path / "new" / "convx-demo-training" / "weights.npz").exists()


def test_demo_writes_here_by_default(tmp_path, monkeypatch, small_photograph):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--repeat", "1", "--epochs", "0"]) == 0
    assert os.listdir(tmp_path) == ["convx-demo.png"]


def test_demo_without_scipy(tmp_path, monkeypatch, capsys, small_photograph):
    monkeypatch.setattr(demo, "_scipy_if_installed", lambda: None)
    assert main(["demo", "--out", str(tmp_path), "--repeat", "1", "--epochs", "0"]) == 0
    assert "no SciPy" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [1.0001, np.nan])
def test_demo_fails_when_a_check_fails(tmp_path, monkeypatch, capsys, small_photograph, wrong):
    exact = reference.conv_nd_weight
    monkeypatch.setattr(reference, "conv_nd_weight", lambda *a, **k: exact(*a, **k) * wrong)
    assert main(["demo", "--out", str(tmp_path), "--repeat", "1", "--epochs", "0"]) == 1
    printed = capsys.readouterr().out
    assert printed.count("WRONG") == 1


def test_bad_demo_options(complaint, tmp_path, image_module):
    for number in ("0", "often"):
        assert "whole number from 1" in complaint("demo", "--repeat", number)
    assert "whole number from 0" in complaint("demo", "--epochs", "-1")
    (tmp_path / "file").write_bytes(b"")
    assert "exists" in complaint("demo", "--out", tmp_path / "file")


def test_info(capsys):
    assert main(["info"]) == 0
    assert convx.__version__ in capsys.readouterr().out
    assert main(["info", "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_no_command(complaint):
    assert "COMMAND" in complaint()
    assert "invalid choice" in complaint("fly")


@pytest.mark.parametrize("command", ["", "demo", "filter", "info", "train", "predict", "summary"])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command.split(), "--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert "usage: convx" in printed
    assert max(map(len, printed.splitlines())) <= 100
    if command == "filter":
        assert "180 degrees" in printed


def test_module_runs_as_a_program(tmp_path):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "convx", *arguments], capture_output=True, text=True, timeout=60
        )

    assert run("--version").stdout == f"convx {convx.__version__}\n"
    failed = run("filter", "missing.npy", str(tmp_path / "out.npy"), "--kernel", "sobel")
    assert failed.returncode == 2
    assert failed.stderr.startswith("convx: error: ")
    assert failed.stderr.count("\n") == 1
