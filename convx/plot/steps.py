"""The arithmetic of a convolution or a transposed convolution, drawn step by step."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convx import functional as F
from convx._engine import arguments
from convx._engine.files import replacing
from convx._ops.correlation import Options, parse_options
from convx.plot.axes import INK, blank, cell, new_axes, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["animate_arithmetic", "arithmetic"]

Array: TypeAlias = NDArray[Any]
Place: TypeAlias = tuple[int, ...]

BORDER, SEEN, CURRENT, DONE = "#e4e4e4", "#fbc58a", "#7cc08a", "#e3f3e6"
INCHES_PER_CELL = 0.5


@dataclass(frozen=True)
class Cells:
    """A grid of numbers, with places that stand out."""

    values: Array
    colours: dict[Place, str]
    notes: dict[Place, str]
    hidden: frozenset[Place] = frozenset()


@dataclass(frozen=True)
class Scene:
    """One step: what is read, what is written, and the sum in words."""

    left: Cells
    right: Cells
    title: str


def arithmetic(
    x: ArrayLike,
    weight: ArrayLike,
    *,
    step: int = 0,
    transposed: bool = False,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    output_padding: Any = 0,
    padding_mode: str = "zeros",
    ax: Axes | None = None,
) -> Axes:
    """Draw one step of a convolution, with its numbers.

    A convolution (the cross-correlation of neural networks) computes one output in a step: on the
    left the padded input with the kernel laid over it, on the right the outputs so far. A
    transposed convolution spends one input in a step: it is multiplied by every tap of the kernel
    and added to the outputs, of which those that ``padding`` cuts away are grey.

    Parameters
    ----------
    x : array_like
        Numbers of one or two axes.
    weight : array_like
        The kernel, of as many axes.
    step : int
        Which output, or which input if transposed, counted along the rows.
    transposed : bool
        Whether it is the transposed convolution.
    stride, padding, dilation, output_padding, padding_mode : optional
        As in `convx.conv_nd` and `convx.conv_transpose_nd`; the transposed one is drawn with
        ``padding_mode='zeros'`` alone, and output padding is of the transposed one alone.
    ax : matplotlib.axes.Axes, optional
        What to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError, TypeError
        An argument is out of range or of a wrong type.
    ImportError
        matplotlib is not installed.

    Notes
    -----
    After V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Examples
    --------
    >>> from convx import plot
    >>> ax = plot.arithmetic([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 0], [0, -1]], step=3)
    >>> ax.get_title()
    '1×5 + 0×6 + 0×8 − 1×9 = −4'
    """
    scenes = _Scenes(x, weight, transposed, stride, padding, dilation, output_padding, padding_mode)
    step = arguments.integer(step, "step", 0)
    if step >= len(scenes):
        raise ValueError(f"step must be less than the {len(scenes)} steps there are, got {step}")
    ax = new_axes(ax)
    _draw(ax, scenes[step])
    return ax


def animate_arithmetic(
    path: str | os.PathLike[str],
    x: ArrayLike,
    weight: ArrayLike,
    *,
    seconds: float = 0.8,
    dpi: int = 90,
    **options: Any,
) -> list[Path]:
    """Draw all steps of a convolution, into an animated GIF or into PNG files.

    Parameters
    ----------
    path : str or path
        A file that ends in ``.gif``, or else a folder for ``step-000.png`` and so on, which is
        made if it is missing.
    x, weight : array_like
        As in :func:`arithmetic`.
    seconds : float
        How long a step is shown.
    dpi : int
        Dots per inch; a cell is half an inch.
    **options
        What else :func:`arithmetic` takes, but for ``step`` and ``ax``.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ValueError, TypeError
        An argument is out of range or of a wrong type.
    OSError
        A file cannot be written.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> import os, tempfile
    >>> from convx import plot
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = plot.animate_arithmetic(folder, [1, 2, 3, 4], [1, -1], stride=2)
    ...     [path.name for path in written]
    ['step-000.png', 'step-001.png']
    """
    path = Path(path)
    seconds = arguments.number(seconds, "seconds")
    if seconds <= 0:
        raise ValueError(f"seconds must be positive, got {seconds}")
    dpi = arguments.integer(dpi, "dpi", 1)
    scenes = _Scenes(x, weight, **options)
    pictures = [_picture(scenes[step], dpi) for step in range(len(scenes))]
    if path.suffix.lower() == ".gif":
        _write_gif(path, pictures, seconds)
        return [path]
    path.mkdir(parents=True, exist_ok=True)
    targets = [path / f"step-{step:03d}.png" for step in range(len(pictures))]
    for target, picture in zip(targets, pictures, strict=True):
        with replacing(target) as file:
            file.write(picture)
    return targets


# What happens in a step


class _Scenes:
    """The steps of one convolution."""

    def __init__(
        self,
        x: ArrayLike,
        weight: ArrayLike,
        transposed: bool = False,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        output_padding: Any = 0,
        padding_mode: str = "zeros",
    ) -> None:
        self.x, self.weight = _planes(x, "x"), _planes(weight, "weight")
        if self.x.ndim != self.weight.ndim:
            raise ValueError(
                f"weight must have as many axes as x, got {self.weight.ndim} and {self.x.ndim}"
            )
        self.transposed = arguments.flag(transposed, "transposed")
        self.options = parse_options(
            self.weight.shape, stride, padding, dilation, 1, padding_mode, "auto", output_padding
        )
        if self.transposed:
            self._check_transposed()
            self.starts = list(np.ndindex(*self.x.shape))
        else:
            if any(self.options.output_padding):
                raise ValueError("output_padding is of the transposed convolution alone")
            self.padded = _padded(self.x, self.options)
            self.output = _call(F.conv_nd, self.x, self.weight, self.options)
            self.starts = list(np.ndindex(*self.output.shape))

    def _check_transposed(self) -> None:
        if self.options.padding_mode != "zeros":
            raise ValueError("padding_mode must be 'zeros' for a drawn transposed convolution")
        extra = {"output_padding": self.options.output_padding}
        self.output = _call(F.conv_transpose_nd, self.x, self.weight, self.options, **extra)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, step: int) -> Scene:
        return self._spend(step) if self.transposed else self._compute(step)

    def _taps(self, start: Place) -> dict[Place, Place]:
        """For every tap, the sample that it meets: the kernel is laid down in steps of `stride`."""
        stride, dilation = self.options.stride, self.options.dilation
        return {
            tap: tuple(
                p * s + t * d for p, s, t, d in zip(start, stride, tap, dilation, strict=True)
            )
            for tap in np.ndindex(*self.weight.shape)
        }

    def _compute(self, step: int) -> Scene:
        """The output of one place: a product for each tap, and their sum."""
        start, taps = self.starts[step], self._taps(self.starts[step])
        inside = _inside(self.x.shape, self.options)
        colours = {place: BORDER for place in np.ndindex(*self.padded.shape) if not inside(place)}
        colours.update(dict.fromkeys(taps.values(), SEEN))
        notes = {place: f"×{_text(self.weight[tap])}" for tap, place in taps.items()}
        products = [(self.weight[tap], self.padded[place]) for tap, place in taps.items()]
        done = dict.fromkeys(self.starts[:step], DONE)
        return Scene(
            Cells(self.padded, colours, notes),
            Cells(self.output, {**done, start: CURRENT}, {}, frozenset(self.starts[step + 1 :])),
            f"{_sum(products)} = {_text(self.output[start])}",
        )

    def _spend(self, step: int) -> Scene:
        """One input times every tap, added to the outputs."""
        sizes = zip(self.x.shape, self.weight.shape, *self._spread(), strict=True)
        whole = tuple((n - 1) * s + d * (k - 1) + 1 + extra for n, k, s, d, extra in sizes)
        sums = np.zeros(whole)
        for start in self.starts[: step + 1]:
            for tap, place in self._taps(start).items():
                sums[place] += self.x[start] * self.weight[tap]
        start, value = self.starts[step], self.x[self.starts[step]]
        kept = _inside(self.output.shape, self.options)
        colours = {place: BORDER for place in np.ndindex(*whole) if not kept(place)}
        met = self._taps(start)
        colours.update(dict.fromkeys(met.values(), SEEN))
        notes = {place: f"+{_text(value)}×{_text(self.weight[tap])}" for tap, place in met.items()}
        done = dict.fromkeys(self.starts[:step], DONE)
        return Scene(
            Cells(self.x, {**done, start: CURRENT}, {}),
            Cells(sums, colours, notes),
            f"{_text(value)} times the kernel is added",
        )

    def _spread(self) -> tuple[Place, Place, Place]:
        return self.options.stride, self.options.dilation, self.options.output_padding


def _planes(value: ArrayLike, name: str) -> Array:
    array = np.asarray(value, float)
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(f"{name} must have one or two axes and a number, got {array.shape}")
    return array


def _call(function: Any, x: Array, weight: Array, options: Options, **more: Any) -> Array:
    """The result of one channel, by the function that the picture explains."""
    result: Array = function(
        x[np.newaxis],
        weight[np.newaxis, np.newaxis],
        stride=options.stride,
        padding=options.pads,
        dilation=options.dilation,
        padding_mode=options.padding_mode,
        algorithm="direct",
        **more,
    )
    plane: Array = result[0]
    return plane


def _padded(x: Array, options: Options) -> Array:
    pads = [one for pair in reversed(options.pads) for one in pair]
    mode = "constant" if options.padding_mode == "zeros" else options.padding_mode
    padded: Array = F.pad(x, pads, mode)
    return padded


def _inside(shape: Place, options: Options) -> Any:
    """Whether a place of the padded array is one of the array itself."""
    lows = [low for low, _ in options.pads]

    def inside(place: Place) -> bool:
        return all(low <= p < low + n for p, low, n in zip(place, lows, shape, strict=True))

    return inside


# Drawing


def _text(value: Any) -> str:
    return f"{float(value):.4g}".replace("-", "−")


def _sum(products: list[tuple[Any, Any]]) -> str:
    """The sum in words, where it fits into a line."""
    if len(products) > 9:
        return f"sum of {len(products)} products"
    terms = [
        f"{'− ' if weight < 0 else '+ '}{_text(abs(weight))}×{_text(sample)}"
        for weight, sample in products
    ]
    return " ".join(terms).removeprefix("+ ")


def _draw(ax: Axes, scene: Scene) -> None:
    left, right = scene.left.values, scene.right.values
    heights = [_extent(one)[0] for one in (left, right)]
    gap, tall = 1.5, max(heights)
    place = _extent(left)[1] + gap
    _draw_cells(ax, scene.left, 0, (tall - heights[0]) / 2)
    _draw_cells(ax, scene.right, place, (tall - heights[1]) / 2)
    ax.annotate(
        "",
        (place - 0.25, tall / 2),
        (place - gap + 0.25, tall / 2),
        arrowprops={"arrowstyle": "->", "color": INK},
    )
    ax.set_xlim(-0.1, place + _extent(right)[1] + 0.1)
    ax.set_ylim(tall + 0.1, -0.1)
    ax.set_aspect("equal")
    ax.set_title(scene.title, fontsize=10)
    blank(ax)


def _extent(values: Array) -> Place:
    """Rows and columns; what has one axis is a row."""
    return (1,) * (2 - values.ndim) + values.shape


def _draw_cells(ax: Axes, cells: Cells, left: float, top: float) -> None:
    for place in np.ndindex(*cells.values.shape):
        row, column = (0, *place)[-2:]
        text = "" if place in cells.hidden else _text(cells.values[place])
        cell(ax, left + column, top + row, text, facecolor=cells.colours.get(place, "white"))
        if place in cells.notes:
            corner = (left + column + 0.94, top + row + 0.94)
            ax.text(
                *corner, cells.notes[place], ha="right", va="bottom", fontsize=6, color="#8a4b08"
            )


def _picture(scene: Scene, dpi: int) -> bytes:
    """A PNG file of one step; all steps of a convolution have one size."""
    rows, columns = zip(_extent(scene.left.values), _extent(scene.right.values), strict=True)
    width = (sum(columns) + 1.7) * INCHES_PER_CELL
    figure, ax = new_figure(max(width, 4.5), (max(rows) + 1.2) * INCHES_PER_CELL + 0.2)
    _draw(ax, scene)
    file = io.BytesIO()
    figure.savefig(file, dpi=dpi, format="png")
    return file.getvalue()


def _write_gif(path: Path, pictures: list[bytes], seconds: float) -> None:
    from PIL import Image

    frames = np.stack([np.asarray(Image.open(io.BytesIO(one)).convert("RGB")) for one in pictures])
    places, palette = _indexed(frames)
    shown = [Image.fromarray(one) for one in places]
    for one in shown:
        one.putpalette(palette.tobytes())
    with replacing(path) as file:
        shown[0].save(
            file,
            format="GIF",
            save_all=True,
            append_images=shown[1:],
            duration=round(1000 * seconds),
            loop=0,
        )


def _indexed(frames: Array) -> tuple[Array, Array]:
    """The 256 most frequent colours, and for every pixel the place of the nearest one of them."""
    codes = frames @ np.array([1 << 16, 1 << 8, 1])
    found, which, counts = np.unique(codes, return_inverse=True, return_counts=True)
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], 1)
    palette = colours[np.argsort(-counts)[:256]]
    distances = np.square(colours[:, np.newaxis] - palette).sum(2)
    nearest = distances.argmin(1).astype(np.uint8)
    return nearest[which].reshape(codes.shape), palette.astype(np.uint8)
