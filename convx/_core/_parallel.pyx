"""Threads: how many there are, and how the pieces of a sweep are shared out among them."""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange
from libc.stdint cimport int64_t

from convx._core._memory cimport Block, borrow_scratch, return_scratch
from convx._core._openmp cimport omp_get_max_threads, omp_get_thread_num, omp_in_parallel

from contextvars import ContextVar

# Whether a region with several threads has run, and whether none may.
cdef bint has_run_threads = False
cdef bint serial = False


# What threads.py decided: for the process, and for a context.
cdef int default_threads = 1
scoped_threads = ContextVar("convx_threads", default=0)


def set_default_threads(int count):
    """Set the number of threads for contexts that set none."""
    global default_threads
    default_threads = count


cpdef int current_threads():
    """Threads that a call may use now, at most those of OpenMP."""
    cdef int count = scoped_threads.get()
    if serial or omp_in_parallel():
        return 1
    # a strange OMP_NUM_THREADS makes OpenMP answer with strange numbers
    return max(1, min(count or default_threads, omp_get_max_threads()))


def stay_serial():
    """Use one thread from now on if several have run: for a forked child, which lacks them."""
    global serial
    serial = has_run_threads


cdef void note_region(int threads) noexcept:
    """Remember that a region with so many threads runs."""
    global has_run_threads
    if threads > 1:
        has_run_threads = True


# Shares of each thread: more than one, for threads are not equally fast; and slices of a sweep,
# between which Ctrl-C is noticed.
cdef enum:
    SHARES = 4
    SLICES = 4


cdef int64_t part(int64_t total, int64_t parts, int64_t index) noexcept nogil:
    """The first of the pieces that belong to a part."""
    return index * (total // parts) + min(index, total % parts)


cdef int share_out(cx_sweep sweep, const void *job, int64_t pieces, int threads,
                   int64_t scratch_bytes=0) except -1:
    """Run a sweep over its pieces without the GIL; each thread has scratch memory of its own."""
    cdef Block scratch = borrow_scratch(max(scratch_bytes, 64) * threads)
    cdef int64_t shares = min(pieces, threads * SHARES * SLICES), first, end, index
    note_region(threads)
    if threads == 1:
        shares = min(pieces, SLICES)
        for index in range(shares):
            first, end = part(pieces, shares, index), part(pieces, shares, index + 1)
            with nogil:
                sweep(job, first, end, scratch.memory)
            PyErr_CheckSignals()
    else:
        for first in range(0, shares, threads * SHARES):
            end = min(first + threads * SHARES, shares)
            with nogil:
                for index in prange(first, end, num_threads=threads, schedule="dynamic"):
                    sweep(job, part(pieces, shares, index), part(pieces, shares, index + 1),
                          scratch.memory + omp_get_thread_num() * scratch_bytes)
            PyErr_CheckSignals()
    return_scratch(scratch)
    return 0
