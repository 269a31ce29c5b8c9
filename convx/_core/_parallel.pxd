"""Threads, for the other compiled modules."""

from libc.stdint cimport int64_t

cpdef int current_threads()

cdef void note_region(int threads) noexcept

ctypedef void (*cx_sweep)(
    const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil

# The shares that a thread takes before those of others, neighbours: in the next call with the same
# arrays it gets the same ones, which its caches may hold. A line of the cache for each, and the
# line that processors fetch along.
cdef struct Queue:
    int64_t next, end
    int64_t unused[14]

cdef void share_at_once(cx_sweep sweep, const void *job, int64_t pieces, int threads,
                        Queue *queues, char *scratch, int64_t scratch_bytes) noexcept nogil

cdef int share_out(cx_sweep sweep, const void *job, int64_t pieces, int threads,
                   int64_t scratch_bytes=*) except -1

cdef int clear(void *memory, int64_t size, int threads) except -1

# Sweeps one after the other in one region, each when the one before is done: pieces are shared out,
# or each thread does all of them for itself. Jobs of threads are that far apart, 0 if all have one.
cdef struct Turn:
    cx_sweep sweep
    const void *job
    int64_t job_bytes, pieces
    bint alone

cdef int share_in_turn(const Turn *turns, int count, int threads, int64_t scratch_bytes) except -1

# Stages one after the other, each of which is divided into parts.
ctypedef void (*cx_stage)(
    const void *job, int64_t stage, int64_t part, char *scratch) noexcept nogil

cdef int share_stages(cx_stage run, const void *job, const int64_t *parts, int64_t stages,
                      int threads, int64_t scratch_bytes) except -1
