"""What stages share of convolutions of items side by side."""

cimport cython
from libc.stdint cimport int64_t

from convx._core._driver cimport Program
from convx._core._kernels cimport cx_call, cx_pass, cx_task
from convx._core._memory cimport Buffer
from convx._core._sweeps cimport cx_interleave_job, cx_sweeps


@cython.final
cdef class Rows:
    cdef cx_interleave_job job
    cdef Buffer places


# The most passes: one, and two at either end of the rows.
cdef enum:
    MOST_PASSES = 5


# What all parts of the batch share. Each has lines in its thread's memory: of the input first, then
# of the output, or of its gradient; and a gradient's sums, to which other threads' would lie too
# close.
cdef struct Parts:
    const cx_sweeps *sweeps
    cx_task task
    int64_t passes
    const cx_pass *table[MOST_PASSES]
    int64_t tasks[MOST_PASSES]
    const char *packed[MOST_PASSES]
    cx_call call
    cx_interleave_job inputs, outputs
    int64_t batch, item_size, weights
    bint gradient


cdef int64_t rounded_up(int64_t size, int64_t unit) noexcept nogil
cdef int64_t lines_bytes(cx_interleave_job job, int64_t item_size) noexcept nogil
cdef void turn(const Parts *parts, cx_interleave_job job, const char *array, int64_t first,
               char *lines, bint separates) noexcept nogil
cdef void compute_part(const Parts *parts, const char *input, const char *weight, char *output,
                       char *scratch) noexcept nogil
cdef bint all_finite(const void *numbers, int64_t count, int64_t item_size) noexcept nogil


@cython.final
cdef class InterleavedProgram(Program):
    cdef Rows inputs, outputs
    cdef const cx_sweeps *sweeps
    cdef int64_t batch, parts, weights
    cdef bint gradient

    cdef int describe(self, Parts *parts, const char *packed) except -1
    cdef int pack_all(self, const void *weight, char *packed) except -1
    cdef int add_parts(self, const void *parts, void *out) except -1
