"""Filters of arrays: along axes one after the other, and by windows of any shape."""

from libc.stdint cimport int64_t
from libc.string cimport memset

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Buffer, held, memory_of
from convx._core._parallel cimport cx_sweep, share_out
from convx._core._sweeps cimport (
    CX_FILTER_KEEP, CX_FILTER_LEVELS, CX_FILTER_MAX, CX_FILTER_MEAN, CX_FILTER_MIN,
    CX_FILTER_WEIGHTS, CX_IS_BOOL, CX_IS_F32, CX_IS_F64, CX_IS_I8, CX_IS_I16, CX_IS_I32,
    CX_IS_I64, CX_IS_U8, CX_IS_U16, CX_IS_U32, CX_IS_U64, CX_MEDIAN_BYTES, CX_TILE_PLACES,
    cx_filter_axis, cx_filter_job, cx_footprint_job,
)

KINDS = {
    "keep": CX_FILTER_KEEP, "weights": CX_FILTER_WEIGHTS, "mean": CX_FILTER_MEAN,
    "max": CX_FILTER_MAX, "min": CX_FILTER_MIN,
}
# Element types by kind and size.
TYPES = {
    "f4": CX_IS_F32, "f8": CX_IS_F64, "b1": CX_IS_BOOL, "i1": CX_IS_I8, "u1": CX_IS_U8,
    "i2": CX_IS_I16, "u2": CX_IS_U16, "i4": CX_IS_I32, "u4": CX_IS_U32, "i8": CX_IS_I64,
    "u8": CX_IS_U64,
}
# What rows of scratch memory have at their end, for vectors are read beyond.
cdef int64_t SLACK = 128
# Elements of the widest vector.
cdef int64_t WIDEST = 16


cdef class Filter:
    """Filters along up to three axes, planned: see ``Cut`` in _engine/passes.py."""

    cdef cx_filter_job job
    cdef cx_sweep sweep
    cdef int64_t pieces
    cdef readonly int64_t scratch_bytes, table_bytes
    cdef list kept

    def __init__(self, str isa, cut):
        cdef cx_filter_job *job = &self.job
        cdef int64_t item = cut.dtype.itemsize, kept, rows, tables
        self.kept = []
        self.sweep = sweeps_of(isa, cut.dtype.name).filter
        self.fill_axis(&job.plane, cut.plane)
        self.fill_axis(&job.row, cut.row)
        self.fill_axis(&job.line, cut.line)
        job.inner, job.exact, job.fill = cut.inner, cut.exact, cut.fill
        job.band, job.step, job.segment = cut.band, cut.step, cut.segment
        job.adds, job.copies = cut.adds, cut.copies
        job.bands = (job.row.size + job.band - 1) // job.band
        job.out_length = cut.out_length
        job.segments = (job.out_length + job.segment - 1) // job.segment
        job.x_type, job.x_item = TYPES[cut.x_dtype.str[1:]], cut.x_dtype.itemsize
        job.y_type, job.y_item = TYPES[cut.y_dtype.str[1:]], cut.y_dtype.itemsize
        job.pitch = job.segment + SLACK + (job.line.taps - 1) * job.line.dilation * job.inner
        # an odd number of cache lines
        job.pitch = (job.pitch + SLACK - 1) // SLACK * SLACK + 64 // item
        self.pieces = cut.outer * job.plane.size * job.bands * job.segments
        rows = 2 * job.step + 2 + (job.row.taps - 1) * job.row.dilation
        kept = max(job.row.taps, CX_FILTER_LEVELS, 2 * job.plane.taps) + 1
        tables = 2 * job.band + job.row.taps * job.row.dilation
        tables += job.plane.taps * job.plane.dilation + 2
        if item > 1:
            job.tile = WIDEST * (CX_TILE_PLACES + job.line.taps + WIDEST)
        self.scratch_bytes = (rows + kept) * job.pitch * item + (8 * tables + 63) // 64 * 64
        self.scratch_bytes += job.tile * item

    cdef int fill_axis(self, cx_filter_axis *axis, given) except -1:
        cdef Buffer sources = Buffer(given.sources), weights = held(given.weights)
        axis.what, axis.size, axis.taps = KINDS[given.what], given.size, given.taps
        axis.dilation, axis.low, axis.symmetry = given.dilation, given.low, given.symmetry
        axis.weights, axis.sources = memory_of(weights), <const int64_t *>sources.view.buf
        if given.sources.min(initial=0) < 0:
            self.job.fills = True
        self.kept += [sources, weights]
        self.table_bytes += sources.view.len + (0 if weights is None else weights.view.len)
        return 0

    def run(self, x, y, int threads):
        """Filter contiguous x into y, which it does not overlap."""
        cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True)
        cdef cx_filter_job job = self.job
        job.x, job.y = x_buffer.view.buf, y_buffer.view.buf
        share_out(self.sweep, &job, self.pieces, threads, self.scratch_bytes)


def footprint(str isa, str what, bint exact, offsets, starts, weights, x, y, int threads):
    """Combine, for each element of y's rows, those of x that the offsets reach."""
    cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True)
    cdef Buffer offsets_buffer = Buffer(offsets), starts_buffer = Buffer(starts)
    cdef Buffer weights_buffer = held(weights)
    cdef cx_footprint_job job
    job.what, job.exact, job.taps = KINDS[what], exact, len(offsets)
    job.length = y.shape[y.ndim - 1]
    job.offsets = <const int64_t *>offsets_buffer.view.buf
    job.starts = <const int64_t *>starts_buffer.view.buf
    job.weights, job.x, job.y = memory_of(weights_buffer), x_buffer.view.buf, y_buffer.view.buf
    job.y_type, job.y_item = TYPES[y.dtype.str[1:]], y.dtype.itemsize
    share_out(sweeps_of(isa, x.dtype.name).footprint, &job, len(starts), threads,
              (job.length + SLACK) * x.dtype.itemsize)


def median(str isa, offsets, starts, x, y, int threads):
    """The median, for each element of y's rows, of those of x that the offsets reach."""
    cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True)
    cdef Buffer offsets_buffer = Buffer(offsets), starts_buffer = Buffer(starts)
    cdef cx_footprint_job job
    memset(&job, 0, sizeof(job))
    job.taps, job.length = len(offsets), y.shape[y.ndim - 1]
    job.offsets = <const int64_t *>offsets_buffer.view.buf
    job.starts = <const int64_t *>starts_buffer.view.buf
    job.x, job.y = x_buffer.view.buf, y_buffer.view.buf
    share_out(sweeps_of(isa, x.dtype.name).median, &job, len(starts), threads,
              (job.taps // 2 + 2) * CX_MEDIAN_BYTES)


def median_of_3_by_3(str isa, x, y, int threads):
    """The median of 3 by 3 elements around each of x, with zeros beyond it."""
    cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True)
    cdef cx_footprint_job job
    memset(&job, 0, sizeof(job))
    job.rows, job.length = y.shape
    job.x, job.y = x_buffer.view.buf, y_buffer.view.buf
    share_out(sweeps_of(isa, x.dtype.name).median, &job, job.rows, threads,
              4 * (job.length + SLACK) * x.dtype.itemsize)
