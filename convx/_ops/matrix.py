"""A convolution written out as a matrix."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convx._engine import arguments, boundary, dtypes
from convx._engine.dtypes import AnyArray
from convx._ops import correlation

# data, indices, indptr; shape: what scipy.sparse.csr_array takes
Sparse = tuple[tuple[AnyArray, NDArray[np.int64], NDArray[np.int64]], tuple[int, int]]
# stride, padding, dilation, groups, padding_mode
Options = tuple[object, object, object, object, object]


def _geometry(
    shape: tuple[int, ...], sizes: tuple[int, ...], options: Options
) -> correlation.Correlation:
    stride, padding, dilation, groups, padding_mode = options
    parsed = correlation.parse_options(
        shape[2:], stride, padding, dilation, groups, padding_mode, "direct"
    )
    return correlation.of_conv((1, shape[1] * parsed.groups, *sizes), shape, parsed)


def _sources(of: correlation.Correlation) -> NDArray[np.int64]:
    """For each output position and tap the input position, or -1; shape (positions, taps)."""
    table = np.zeros((1, 1), np.int64)
    for window in of.windows:
        arguments.check_memory((window.output_size, window.kernel), 64, "tables of the matrix")
        starts = np.arange(window.output_size)[:, np.newaxis] * window.stride - window.pad_low
        coordinates = starts + np.arange(window.kernel) * window.dilation
        along = boundary.sources_of(of.options.padding_mode, coordinates, window.size)
        both = table[:, np.newaxis, :, np.newaxis], along[:, np.newaxis, :]
        joined = np.where((both[0] < 0) | (both[1] < 0), -1, both[0] * window.size + both[1])
        table = joined.reshape(len(table) * len(along), -1)
    return table


def _entries(
    weight: AnyArray, of: correlation.Correlation
) -> tuple[NDArray[np.int64], NDArray[np.int64], AnyArray]:
    """Rows, columns and values, in the order of rows; a place may come several times."""
    filters, within, *kernel = weight.shape
    groups, taps = of.options.groups, math.prod(kernel)
    positions, samples = math.prod(of.outputs), math.prod(window.size for window in of.windows)
    entries = (filters, positions, within, taps)
    arguments.check_memory(entries, 64, "tables of the matrix")
    sources = _sources(of)
    group = np.arange(filters) // (filters // groups)
    channels = group[:, np.newaxis] * within + np.arange(within)
    columns = channels[:, np.newaxis, :, np.newaxis] * samples + sources[:, np.newaxis, :]
    known = np.broadcast_to((sources >= 0)[:, np.newaxis, :], entries)
    rows = np.arange(filters * positions).reshape(filters, positions, 1, 1)
    values = weight.reshape(filters, 1, within, taps)
    return (
        np.broadcast_to(rows, entries)[known],
        columns[known],
        np.broadcast_to(values, entries)[known],
    )


def convolution_matrix(
    weight: object, input_size: object, options: Options, sparse: object
) -> AnyArray | Sparse:
    """The matrix of a convolution, dense or as rows of what is not zero."""
    kernels = dtypes.as_array(weight, "weight")
    kernels = kernels.astype(kernels.dtype.newbyteorder("="), copy=False)
    sizes = arguments.matrix_sizes(input_size, kernels.ndim)
    if kernels.ndim == len(sizes):
        kernels = kernels[np.newaxis, np.newaxis]
    wants_sparse = arguments.flag(sparse, "sparse")
    of = _geometry(kernels.shape, sizes, options)
    shape = math.prod(of.output_shape), math.prod(of.input_shape)
    if not wants_sparse:
        arguments.check_memory(shape, kernels.itemsize, "the matrix")
    rows, columns, values = _entries(kernels, of)
    if not wants_sparse:
        matrix = np.zeros(shape, kernels.dtype)
        np.add.at(matrix, (rows, columns), values)
        return matrix
    return _compressed(rows, columns, values, shape)


def _compressed(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    values: AnyArray,
    shape: tuple[int, int],
) -> Sparse:
    """Compressed rows, their columns ascending, and each place once."""
    order = np.lexsort((columns, rows))
    rows, columns, values = rows[order], columns[order], values[order]
    is_new = np.ones(len(rows), bool)
    is_new[1:] = (np.diff(rows) != 0) | (np.diff(columns) != 0)
    first = np.flatnonzero(is_new)
    data: Any = np.add.reduceat(values, first) if len(first) else values
    indptr = np.searchsorted(rows[first], np.arange(shape[0] + 1))
    return (data.astype(values.dtype, copy=False), columns[first], indptr), shape
