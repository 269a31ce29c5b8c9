"""A sweep with its job, for the drivers that fill jobs and the memo that does them again."""

cimport cython
from libc.stdint cimport int64_t

from convx._core._parallel cimport cx_sweep

cdef enum:
    MOST_JOB_BYTES = 320
    MOST_SLOTS = 12

# A pointer in a job: how far it lies from the job's beginning, the bytes that it points to, whether
# they are written, and whether they must be 0 before.
cdef struct Slot:
    int64_t offset, size
    bint written, cleared


cdef int sweep_over(cx_sweep function, const void *job, int64_t pieces, int threads,
                    int64_t size) except -1


@cython.final
cdef class Sweep:
    cdef char *job
    cdef char kept[MOST_JOB_BYTES]
    cdef int64_t job_size, size, pieces
    cdef cx_sweep function
    cdef int threads, runs, slots
    cdef Slot slot[MOST_SLOTS]
    cdef list buffers, arrays

    cdef int point(self, void **where, array, bint written, bint cleared) except -1
    cdef int reads(self, const void **where, array) except -1
    cdef int writes(self, void **where, array) except -1
    cdef int adds(self, void **where, array) except -1
    cdef int needs(self, void **where, int64_t doubles) except -1
    cdef const void *pointer(self, int slot) noexcept
    cdef int run(self, cx_sweep function, int64_t pieces, int threads) except -1


cdef Sweep new_sweep(void *job, int64_t job_size)
