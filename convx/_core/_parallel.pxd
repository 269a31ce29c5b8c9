"""Threads, for the other compiled modules."""

from libc.stdint cimport int64_t

cpdef int current_threads()

cdef void note_region(int threads) noexcept

ctypedef void (*cx_sweep)(
    const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil

cdef int share_out(cx_sweep sweep, const void *job, int64_t pieces, int threads,
                   int64_t scratch_bytes=*) except -1
