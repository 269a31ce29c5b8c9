"""Copies along index maps, and sums of copies."""

from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Buffer
from convx._core._parallel cimport share_out
from convx._core._sweeps cimport cx_copy_job, cx_fold_job


def copy(str isa, layout, fill, x, y, int threads):
    """Fill y with what `layout` takes from x, for contiguous arrays of bytes."""
    cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True)
    cdef Buffer fill_buffer = Buffer(fill), rows = Buffer(layout.rows), ends = Buffer(layout.ends)
    cdef cx_copy_job job
    job.item, job.x_rows, job.y_rows = layout.item, layout.x_rows, len(layout.rows)
    job.x_row, job.low, job.inside, job.high, job.start = layout.row
    job.rows = <const int64_t *>rows.view.buf
    job.ends = NULL
    if not layout.fills:
        job.ends = <const int64_t *>ends.view.buf
    job.fill, job.x = <const char *>fill_buffer.view.buf, <const char *>x_buffer.view.buf
    job.y = <char *>y_buffer.view.buf
    share_out(sweeps_of(isa, "int64").copy, &job, layout.blocks * job.y_rows, threads)


def fold(str isa, layout, int64_t parts, starts, copies, y, x, int threads):
    """Fill x with the sums of the copies that `layout` makes in y, for contiguous arrays."""
    cdef Buffer y_buffer = Buffer(y), x_buffer = Buffer(x, writable=True)
    cdef Buffer starts_buffer = Buffer(starts), rows = Buffer(copies), ends = Buffer(layout.ends)
    cdef cx_fold_job job
    job.parts, job.x_rows, job.y_rows = parts, layout.x_rows, len(layout.rows)
    job.x_row, job.low, job.inside, job.high, job.start = layout.row
    job.starts = <const int64_t *>starts_buffer.view.buf
    job.rows = <const int64_t *>rows.view.buf
    job.ends = NULL
    if not layout.fills:
        job.ends = <const int64_t *>ends.view.buf
    job.y, job.x = y_buffer.view.buf, x_buffer.view.buf
    share_out(sweeps_of(isa, x.dtype.char).fold, &job, layout.blocks * job.x_rows, threads)
