"""Pictures: what they show is what is computed, and they are drawn where they should be."""

import io

import numpy as np
import pytest

import convx

mpl = pytest.importorskip("matplotlib")
mpl.use("agg")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from convx import plot  # noqa: E402


@pytest.fixture
def ax():
    return Figure(layout="constrained").add_subplot()


@pytest.fixture(autouse=True)
def close_figures():
    plt.close("all")  # those that examples in docstrings have made
    yield
    plt.close("all")


X = np.arange(12.0).reshape(3, 4)
W = np.array([[1.0, -2.0], [0.0, 3.0]])
DRAW = {
    "arithmetic": lambda **options: plot.arithmetic(X, W, **options),
    "transposed": lambda **options: plot.arithmetic(X, W, transposed=True, **options),
    "kernels": lambda **options: plot.kernels(np.ones((3, 2, 3, 3)), **options),
    "kernels of one axis": lambda **options: plot.kernels(np.ones((3, 1, 5)), **options),
    "feature_maps": lambda **options: plot.feature_maps(X[None], **options),
    "receptive_field": lambda **options: plot.receptive_field([3, (2, 2)], **options),
    "learning_curves": lambda **options: plot.learning_curves({"a": [1, 2], "b": [3]}, **options),
    "no curves": lambda **options: plot.learning_curves({}, **options),
    "confusion_matrix": lambda **options: plot.confusion_matrix(np.eye(3, dtype=int), **options),
}


@pytest.mark.parametrize("name", DRAW)
def test_axes_are_taken_and_returned(ax, name):
    assert DRAW[name](ax=ax) is ax
    assert plt.get_fignums() == []
    file = io.BytesIO()
    ax.figure.savefig(file, format="png", dpi=20)
    assert file.getvalue().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", DRAW)
def test_figures_are_made(name):
    made = DRAW[name]()
    assert plt.get_fignums() == [made.figure.number]


def test_every_function_is_drawn():
    assert {name for name in plot.__all__ if name in DRAW} | {"animate_arithmetic"} == set(
        plot.__all__
    )


def numbers(ax, size):
    """The numbers in cells, as the picture shows them, those of the right grid last."""
    texts = [one for one in ax.texts if one.get_fontsize() >= 8 and one.get_text()]
    return [float(one.get_text().replace("−", "-")) for one in texts][-size:]


OPTIONS = [
    {},
    {"padding": 1},
    {"stride": 2, "padding": ((0, 1), (2, 0))},
    {"dilation": (1, 3), "padding": "same"},
    {"padding": 1, "padding_mode": "reflect"},
    {"padding": (2, 3), "padding_mode": "circular", "stride": (1, 2)},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_the_last_step_shows_the_whole_convolution(ax, options):
    expected = convx.conv_nd(X[None], W[None, None], **options)[0]
    plot.arithmetic(X, W, step=expected.size - 1, ax=ax, **options)
    np.testing.assert_allclose(numbers(ax, expected.size), expected.ravel(), rtol=1e-3)
    told, result = ax.get_title().replace("−", "-").split(" = ")
    assert float(result) == expected[-1, -1]
    assert eval(told.replace("×", "*").replace("- ", "-")) == expected[-1, -1]
    with pytest.raises(ValueError, match=f"step must be less than the {expected.size}"):
        plot.arithmetic(X, W, step=expected.size, ax=ax, **options)


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2}, {"stride": (2, 1), "dilation": 2}, {"stride": 3, "output_padding": (1, 2)}],
)
def test_the_last_step_shows_the_whole_transposed_convolution(ax, options):
    expected = convx.conv_transpose_nd(X[None], W[None, None], **options)[0]
    plot.arithmetic(X, W, transposed=True, step=X.size - 1, ax=ax, **options)
    np.testing.assert_allclose(numbers(ax, expected.size), expected.ravel(), rtol=1e-3)


def test_padding_of_a_transposed_convolution_is_cut_away(ax):
    plot.arithmetic([1, 2], [1, 10, 100], transposed=True, padding=1, step=1, ax=ax)
    assert numbers(ax, 4) == [1, 12, 120, 200]
    kept = convx.conv_transpose_nd([[1, 2]], [[[1, 10, 100]]], padding=1)
    np.testing.assert_array_equal(kept, [[12, 120]])
    colours = [patch.get_facecolor() for patch in ax.patches if patch.get_width() == 1][2:]
    assert colours[0] not in colours[1:]  # cut away, and not met by the last input


def test_first_step(ax):
    plot.arithmetic([1, 2, 3], [4, 5], ax=ax)
    assert ax.get_title() == "4×1 + 5×2 = 14"
    assert numbers(ax, 1) == [14]


def test_animated_gif(tmp_path):
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "steps.gif"
    assert plot.animate_arithmetic(path, X, W, stride=2, seconds=0.5, dpi=30) == [path]
    with image.open(path) as picture:
        assert (picture.n_frames, picture.info["duration"], picture.info["loop"]) == (2, 500, 0)


def test_frames(tmp_path):
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path / "new" / "steps"
    written = plot.animate_arithmetic(folder, [1, 2], [1], transposed=True, stride=3, dpi=30)
    assert [path.name for path in written] == ["step-000.png", "step-001.png"]
    with image.open(written[0]) as first, image.open(written[1]) as second:
        assert first.size == second.size


def test_what_an_output_sees(ax):
    layers = [(3, 2), (3, 1, 1), (2, 2, 0, 3)]
    plot.receptive_field(layers, ax=ax)
    field = convx.functional.receptive_field(layers)
    bottom = ax.get_yticklabels()[0].get_text()
    assert bottom == f"input\n{field.size} seen"
    assert f"sees {field.size} samples" in ax.get_title()


def test_gaps_are_told_from_samples(ax):
    """With a stride wider than the kernel, an output does not see all that lies between."""
    plot.receptive_field([(1, 4), (3, 1)], ax=ax)
    assert ax.get_yticklabels()[0].get_text() == "input\n3 seen"
    assert "sees 9 samples" in ax.get_title()


BAD = {
    "three axes": (lambda: plot.arithmetic(np.ones((2, 2, 2)), np.ones((1, 1))), "x must have one"),
    "other axes": (lambda: plot.arithmetic([1, 2], [[1]]), "weight must have as many axes"),
    "empty": (lambda: plot.arithmetic([], [1]), "x must have one or two axes and a number"),
    "negative step": (lambda: plot.arithmetic([1], [1], step=-1), "step must be non-negative"),
    "stride 0": (lambda: plot.arithmetic([1], [1], stride=0), "stride must be positive"),
    "mode": (lambda: plot.arithmetic([1], [1], padding_mode="edge"), "padding_mode must be one of"),
    "output padding": (lambda: plot.arithmetic([1], [1], output_padding=1), "output_padding"),
    "transposed mode": (
        lambda: plot.arithmetic([1], [1], transposed=True, padding_mode="reflect"),
        "padding_mode must be 'zeros'",
    ),
    "too large": (lambda: plot.arithmetic([1], [1, 2]), "kernel"),
    "kernels": (lambda: plot.kernels(np.ones((3, 3))), "weight must have shape"),
    "no kernels": (lambda: plot.kernels(np.ones((0, 1, 3, 3))), "weight must have shape"),
    "columns": (lambda: plot.kernels(np.ones((2, 1, 3, 3)), columns=0), "columns must be positive"),
    "maps": (lambda: plot.feature_maps(np.ones((3, 3))), "maps must have shape"),
    "curves": (lambda: plot.learning_curves({"a": [[1]]}), "series must have numbers"),
    "matrix": (lambda: plot.confusion_matrix(np.ones((2, 3))), "counts must be square"),
    "labels": (lambda: plot.confusion_matrix(np.eye(2), labels=["a"]), "labels must be 2"),
    "layers": (lambda: plot.receptive_field([(0,)]), "kernel_size"),
    "seconds": (lambda: plot.animate_arithmetic("x.gif", [1], [1], seconds=0), "seconds must be"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case):
    call, says = BAD[case]
    with pytest.raises(ValueError, match=says):
        call()
    assert plt.get_fignums() == []
