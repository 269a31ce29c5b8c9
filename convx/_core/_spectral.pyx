"""Correlation with large kernels by Fourier transforms of great tiles."""

cimport cython
from libc.stdint cimport int64_t
from libc.string cimport memset

from convx._core._distance cimport MOST_ALONE, each_alone
from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Block, Buffer, borrow_scratch, held, memory_of, return_scratch
from convx._core._parallel cimport Turn, share_in_turn
from convx._core._sweeps cimport (
    CX_SPECTRAL_GAP, cx_kernel_job, cx_spectral_job, cx_sweeps,
)

# Elements of the widest vector: rows of a tile are that much longer than they need be.
cdef enum:
    WIDEST = 16


cdef const int64_t *table_of(Buffer buffer) noexcept:
    return <const int64_t *>buffer.view.buf if buffer.view.len else NULL


@cython.final
cdef class GreatTiles:
    """How arrays are cut into tiles, and the tables of their transforms."""

    cdef cx_spectral_job job
    cdef cx_kernel_job kernel
    cdef int64_t columns  # vectors of the kernel's
    cdef list kept
    cdef readonly int64_t item_size

    def __init__(self, plan):
        cdef Buffer rows, low, high, targets, down, places, turns, lanes, chain, taps
        memset(&self.job, 0, sizeof(self.job))
        memset(&self.kernel, 0, sizeof(self.kernel))
        self.item_size = plan.chain.itemsize
        rows, low, high = Buffer(plan.row_source), Buffer(plan.low_source), Buffer(plan.high_source)
        down, places, turns = Buffer(plan.row_roots), Buffer(plan.place_roots), Buffer(plan.turns)
        lanes, chain = Buffer(plan.lane_roots), Buffer(plan.chain)
        targets, taps = Buffer(plan.row_target), Buffer(plan.kernel_place)
        self.kept = [rows, low, high, targets, down, places, turns, lanes, chain, taps]
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
        self.kernel.taps, self.kernel.row_taps = plan.kernel
        self.kernel.rows, self.kernel.place = len(plan.kernel_place), table_of(taps)
        self.columns = plan.kernel_columns

    cdef int64_t scratch_bytes(self):
        """Bytes of scratch memory that one thread needs."""
        cdef int64_t part = self.job.rows * (self.job.columns + WIDEST)
        return (2 * part + CX_SPECTRAL_GAP * WIDEST) * self.item_size

    def workspace_bytes(self, int64_t threads):
        """Bytes of scratch memory that so many threads need at most."""
        cdef int64_t copies = threads if threads <= MOST_ALONE else 1
        return threads * self.scratch_bytes() + copies * self.kernel_bytes()

    cdef int64_t kernel_bytes(self):
        """Bytes of the spectrum of a kernel, and of what it is made from."""
        cdef int64_t width = self.job.columns if self.job.along else WIDEST
        cdef int64_t lines = 2 * self.kernel.rows * (width + WIDEST) * self.item_size
        return (self.spectrum_bytes() + lines + 63) // 64 * 64

    cdef int64_t spectrum_bytes(self):
        return 2 * self.job.rows * (self.job.columns if self.job.along else 1) * self.item_size

    def run(self, str isa, x, x_imaginary, kernel, kernel_imaginary, y, y_imaginary, int threads):
        """Correlate contiguous items of rows; tell whether all outputs are finite.

        The imaginary part of the kernel is that of its conjugate. Its spectrum is made by all
        threads together, or by each for itself where processors are apart.
        """
        cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True)
        cdef Buffer x_other = held(x_imaginary), y_other = held(y_imaginary, writable=True)
        cdef const cx_sweeps *sweeps = sweeps_of(isa, x.dtype.name)
        cdef Buffer real = Buffer(kernel), imaginary = held(kernel_imaginary)
        cdef bint alone = each_alone(threads)
        cdef int copy, copies = threads if alone else 1
        cdef Block spectra = borrow_scratch(copies * self.kernel_bytes())
        cdef cx_spectral_job jobs[MOST_ALONE]
        cdef cx_kernel_job kernels[3 * MOST_ALONE]
        cdef Turn turns[4]
        cdef int64_t overflow = 0, pieces = self.job.tiles_down * self.job.tiles_along
        cdef int64_t *counts = [self.kernel.rows, self.columns, self.job.rows]
        cdef int stage, stages = 3 if self.job.chained else 2
        cdef cx_spectral_job *job
        cdef cx_kernel_job *of_kernel
        for copy in range(copies):
            job = &jobs[copy]
            job[0] = self.job
            job.x_item, job.x_row = x.shape[1] * x.shape[2], x.shape[2]
            job.y_item = y.shape[1] * y.shape[2]
            job.x, job.x_imaginary = x_buffer.view.buf, memory_of(x_other)
            job.y, job.y_imaginary = y_buffer.view.buf, memory_of(y_other)
            job.spectrum = spectra.memory + copy * self.kernel_bytes()
            job.overflow = &overflow
            for stage in range(stages):  # as CX_KERNEL_ROWS and so on are numbered
                of_kernel = &kernels[stage * copies + copy]
                of_kernel[0] = self.kernel
                of_kernel.stage, of_kernel.tiles = stage, job[0]
                of_kernel.real, of_kernel.imaginary = real.view.buf, memory_of(imaginary)
                of_kernel.lines = <char *>job.spectrum + self.spectrum_bytes()
        for stage in range(stages):
            turns[stage] = Turn(sweeps.spectral_kernel, &kernels[stage * copies],
                                sizeof(cx_kernel_job) if alone else 0, counts[stage], alone)
        if y_imaginary is None:
            pieces = (pieces + 1) // 2
        turns[stages] = Turn(sweeps.spectral, &jobs[0], sizeof(cx_spectral_job) if alone else 0,
                             x.shape[0] * pieces, False)
        share_in_turn(turns, stages + 1, threads, self.scratch_bytes())
        return_scratch(spectra)
        return overflow == 0
