"""Gradients of biases: sums over items and places."""

from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Block, Buffer, borrow_scratch, new_result, return_scratch
from convx._core._sweep cimport sweep_over
from convx._core._sweeps cimport cx_plane_sums_job, cx_row_sums_job, cx_sweeps


def bias_gradient(str isa, grad_output, int64_t items, int64_t channels, int64_t size, int threads):
    """Sum up a contiguous array [item][channel][place] for each channel."""
    cdef const cx_sweeps *sweeps = sweeps_of(isa, grad_output.dtype.char)
    cdef Buffer buffer = Buffer(grad_output), out_buffer
    cdef cx_plane_sums_job planes
    cdef cx_row_sums_job rows
    cdef Block sums = None
    rows.x = buffer.view.buf
    if size != 1:
        sums = borrow_scratch(items * channels * buffer.view.itemsize)
        planes.size, planes.items, planes.x, planes.sums = size, 1, buffer.view.buf, sums.memory
        sweep_over(sweeps.plane_sums, &planes, items * channels, threads, buffer.view.len)
        rows.x = sums.memory
    result = new_result((channels,), grad_output.dtype)
    out_buffer = Buffer(result, writable=True)
    rows.rows, rows.columns, rows.y = items, channels, out_buffer.view.buf
    sweep_over(sweeps.row_sums, &rows, channels, 1, items * channels * buffer.view.itemsize)
    if sums is not None:
        return_scratch(sums)
    return result
