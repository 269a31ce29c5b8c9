"""A sweep with its job, for the drivers that fill jobs and the memo that does them again."""

cimport cython
from libc.stdint cimport int64_t

from convx._core._parallel cimport cx_sweep

cdef enum:
    MOST_JOB_BYTES = 320
    MOST_SLOTS = 12

# Bytes that one thread goes over without a pause, in one share: looking at the clock takes as long
# as a small piece.
cdef enum:
    SHORT = 1 << 18

# What is done with an array: it is read; read as doubles; written; summed up in, from 0; written
# for nobody to look at; or it is an operand and changed.
cdef enum Use:
    READ
    READ_AS_DOUBLES
    WRITTEN
    SUMMED
    SCRATCH
    UPDATED

# A pointer in a job: how far it lies from the job's beginning, and the bytes of the array.
cdef struct Slot:
    int64_t offset, size, item_size
    Use use


cdef int sweep_over(cx_sweep function, const void *job, int64_t pieces, int threads,
                    int64_t size, int64_t scratch_bytes=*) except -1


@cython.final
cdef class Sweep:
    cdef char *job
    cdef char kept[MOST_JOB_BYTES]
    cdef int64_t job_size, size, pieces, scratch_bytes
    cdef cx_sweep function
    cdef int threads, runs, slots
    cdef object owner  # of what else the job points to
    cdef Slot slot[MOST_SLOTS]
    cdef const void *places[MOST_SLOTS]
    cdef list buffers, arrays

    cdef int point(self, void **where, array, Use use) except -1
    cdef int reads(self, const void **where, array) except -1
    cdef int reads_as_doubles(self, double **where, array) except -1
    cdef int writes(self, void **where, array) except -1
    cdef int sums_up(self, double **where, array) except -1
    cdef int updates(self, void **where, array) except -1
    cdef int needs(self, double **where, int64_t count) except -1
    cdef result(self)
    cdef int run(self, cx_sweep function, int64_t pieces, int threads,
                 int64_t scratch_bytes=*) except -1


cdef Sweep new_sweep(void *job, int64_t job_size, owner=*)
cdef double *as_doubles(const void *elements, const Slot *slot, double *room) noexcept
