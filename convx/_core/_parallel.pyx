"""Threads: how many there are, and how the pieces of a sweep are shared out among them."""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange
from libc.stdint cimport int64_t

from convx._core._memory cimport Block, borrow_scratch, return_scratch
from convx._core._openmp cimport omp_get_max_threads, omp_in_parallel

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


cdef extern from *:
    """
    #include <time.h>
    static int64_t take(int64_t *next) { return __atomic_fetch_add(next, 1, __ATOMIC_RELAXED); }
    static double now(void)
    {
        struct timespec time;
        clock_gettime(CLOCK_MONOTONIC, &time);
        return time.tv_sec + 1e-9 * time.tv_nsec;
    }
    """
    int64_t take(int64_t *next) noexcept nogil
    double now() noexcept nogil


# The most shares of each thread: many, for threads are not equally fast; and the seconds after
# which threads come together, so that Ctrl-C is noticed.
cdef enum:
    SHARES = 64
cdef double LONG = 0.1


cdef struct Queue:
    int64_t pieces, shares, next
    double pause


cdef int64_t first_piece(const Queue *queue, int64_t share) noexcept nogil:
    """The first of the pieces that belong to a share."""
    cdef int64_t pieces = queue.pieces, shares = queue.shares
    return share * (pieces // shares) + min(share, pieces % shares)


cdef void work(cx_sweep sweep, const void *job, Queue *queue, char *scratch) noexcept nogil:
    """Take shares from the queue until it is empty, or it is time for a pause."""
    cdef int64_t share = take(&queue.next)
    while share < queue.shares:
        sweep(job, first_piece(queue, share), first_piece(queue, share + 1), scratch)
        if now() > queue.pause:
            return
        share = take(&queue.next)


cdef int share_out(cx_sweep sweep, const void *job, int64_t pieces, int threads,
                   int64_t scratch_bytes=0) except -1:
    """Run a sweep over its pieces without the GIL; each thread has scratch memory of its own."""
    cdef Block scratch = borrow_scratch(max(scratch_bytes, 64) * threads)
    cdef Queue queue
    cdef int index
    queue.pieces, queue.shares, queue.next = pieces, min(pieces, threads * SHARES), 0
    note_region(threads)
    while queue.next < queue.shares:
        queue.pause = now() + LONG
        with nogil:
            if threads == 1:
                work(sweep, job, &queue, scratch.memory)
            else:
                for index in prange(threads, num_threads=threads, schedule="static", chunksize=1):
                    work(sweep, job, &queue, scratch.memory + index * scratch_bytes)
        PyErr_CheckSignals()
    return_scratch(scratch)
    return 0
