"""Correlation with large kernels by Fourier transforms of great tiles."""

cimport cython
from libc.stdint cimport int64_t
from libc.string cimport memset

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Buffer, held, memory_of
from convx._core._parallel cimport share_out
from convx._core._sweeps cimport CX_SPECTRAL_GAP, cx_spectral_job

from numpy import empty

# Elements of the widest vector: rows of a tile are that much longer than they need be.
cdef enum:
    WIDEST = 16


cdef const int64_t *table_of(Buffer buffer) noexcept:
    return <const int64_t *>buffer.view.buf if buffer.view.len else NULL


@cython.final
cdef class GreatTiles:
    """How arrays are cut into tiles, and the tables of their transforms."""

    cdef cx_spectral_job job
    cdef list kept
    cdef readonly int64_t item_size
    cdef readonly object kernel_rows

    def __init__(self, plan):
        cdef Buffer rows, low, high, targets, down, places, turns, lanes, chain
        memset(&self.job, 0, sizeof(self.job))
        self.item_size, self.kernel_rows = plan.chain.itemsize, plan.kernel_rows
        rows, low, high = Buffer(plan.row_source), Buffer(plan.low_source), Buffer(plan.high_source)
        down, places, turns = Buffer(plan.row_roots), Buffer(plan.place_roots), Buffer(plan.turns)
        lanes, chain = Buffer(plan.lane_roots), Buffer(plan.chain)
        targets = Buffer(plan.row_target)
        self.kept = [rows, low, high, targets, down, places, turns, lanes, chain]
        self.job.rows, self.job.columns = plan.points
        self.job.along, self.job.chained = plan.along, plan.chained
        self.job.tile_rows, self.job.tile_columns = plan.tile
        self.job.tiles_down, self.job.tiles_along = plan.tiles
        self.job.padded_rows, self.job.row_source = len(plan.row_source), table_of(rows)
        self.job.low, self.job.inside, self.job.high = plan.row
        self.job.low_source, self.job.high_source = table_of(low), table_of(high)
        self.job.out_rows, self.job.out_columns = plan.outputs
        self.job.row_target = table_of(targets)
        self.job.row_roots, self.job.place_roots = down.view.buf, places.view.buf
        self.job.turns, self.job.lane_roots = turns.view.buf, lanes.view.buf
        self.job.chain = chain.view.buf

    @property
    def scratch_bytes(self):
        """Bytes of scratch memory that one thread needs."""
        cdef int64_t part = self.job.rows * (self.job.columns + WIDEST)
        return (2 * part + CX_SPECTRAL_GAP * WIDEST) * self.item_size

    @property
    def spectrum_bytes(self):
        """Bytes of the spectrum of a kernel."""
        return 2 * self.job.rows * (self.job.columns if self.job.along else 1) * self.item_size

    def pack(self, str isa, kernel, imaginary, table):
        """Return the spectrum of a contiguous kernel of rows, whose places are in ``table``.

        The imaginary part, or None, is that of its conjugate.
        """
        cdef Buffer buffer = Buffer(kernel), rows = Buffer(table), other = held(imaginary)
        cdef cx_spectral_job job = self.job
        spectrum = empty(self.spectrum_bytes, "u1")
        cdef Buffer to = Buffer(spectrum, writable=True)
        job.packing, job.tiles_down, job.tiles_along = 1, 1, 1
        job.padded_rows, job.row_source = len(table), table_of(rows)
        job.low, job.inside, job.high = 0, kernel.shape[1], 0
        job.x_row, job.x, job.x_imaginary = kernel.shape[1], buffer.view.buf, memory_of(other)
        job.spectrum = to.view.buf
        share_out(sweeps_of(isa, kernel.dtype.name).spectral, &job, 1, 1, self.scratch_bytes)
        return spectrum

    def run(self, str isa, x, x_imaginary, spectrum, y, y_imaginary, int threads):
        """Correlate contiguous items of rows; tell whether all outputs are finite."""
        cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True)
        cdef Buffer x_other = held(x_imaginary), y_other = held(y_imaginary, writable=True)
        cdef Buffer factor = Buffer(spectrum)
        cdef cx_spectral_job job = self.job
        cdef int64_t overflow = 0
        job.x_item, job.x_row = x.shape[1] * x.shape[2], x.shape[2]
        job.y_item = y.shape[1] * y.shape[2]
        job.x, job.y, job.spectrum = x_buffer.view.buf, y_buffer.view.buf, factor.view.buf
        job.x_imaginary, job.y_imaginary = memory_of(x_other), memory_of(y_other)
        job.overflow = &overflow
        cdef int64_t pieces = job.tiles_down * job.tiles_along
        if y_imaginary is None:
            pieces = (pieces + 1) // 2
        share_out(sweeps_of(isa, x.dtype.name).spectral, &job, x.shape[0] * pieces, threads,
                  self.scratch_bytes)
        return overflow == 0
