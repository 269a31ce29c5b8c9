"""Threads: how many there are, and how the pieces of a sweep are shared out among them."""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange
from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from libc.string cimport memset

from convx._core._memory cimport Block, borrow_scratch, return_scratch
from convx._core._openmp cimport omp_get_max_threads, omp_get_num_threads, omp_in_parallel

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
    #include <sched.h>
    static int64_t take(int64_t *next) { return __atomic_fetch_add(next, 1, __ATOMIC_RELAXED); }
    static void count_done(int64_t *done) { __atomic_fetch_add(done, 1, __ATOMIC_RELEASE); }
    /* Wait until so many are done. Others need some microseconds, and are looked for some 50; those
       that a busy machine has stopped get the processor. */
    enum { CONVX_LOOKS = 4096 };
    static void wait_for(const int64_t *done, int64_t count)
    {
        int looks = 0;
        while (__atomic_load_n(done, __ATOMIC_ACQUIRE) < count)
            if (looks == CONVX_LOOKS)
                sched_yield();
            else {
                looks++;
    #if defined __x86_64__ || defined __i386__
                __builtin_ia32_pause();
    #endif
            }
    }
    #ifdef CLOCK_MONOTONIC_COARSE /* a quarter as long, and to a few milliseconds */
    #define COARSE_CLOCK CLOCK_MONOTONIC_COARSE
    #else
    #define COARSE_CLOCK CLOCK_MONOTONIC
    #endif
    static double now(void)
    {
        struct timespec time;
        clock_gettime(COARSE_CLOCK, &time);
        return time.tv_sec + 1e-9 * time.tv_nsec;
    }
    """
    int64_t take(int64_t *next) noexcept nogil
    void count_done(int64_t *done) noexcept nogil
    void wait_for(const int64_t *done, int64_t count) noexcept nogil
    double now() noexcept nogil


# The most shares of each thread: many, for threads are not equally fast; and the seconds after
# which threads come together, so that Ctrl-C is noticed.
cdef enum:
    SHARES = 64
cdef double LONG = 0.1


# What is shared out: pieces in so many shares, as evenly as may be; and, if anybody waits for them,
# how many are done.
cdef struct Work:
    int64_t pieces, shares
    int threads
    double pause
    int64_t *done


cdef int64_t first_piece(const Work *work, int64_t share) noexcept nogil:
    """The first of the pieces that belong to a share."""
    return cut(work.pieces, work.shares, share)


cdef int64_t cut(int64_t count, int64_t parts, int64_t part) noexcept nogil:
    """Where a part begins if so many are cut into parts that differ by 1 at most."""
    return part * (count // parts) + min(part, count % parts)


cdef bint run_queue(cx_sweep sweep, const void *job, const Work *work, Queue *queue,
                    char *scratch) noexcept nogil:
    """Take shares from a queue until it is empty; tell if it is time for a pause."""
    cdef int64_t share = take(&queue.next)
    while share < queue.end:
        sweep(job, first_piece(work, share), first_piece(work, share + 1), scratch)
        if work.done != NULL:
            count_done(work.done)
        if now() > work.pause:
            return True
        share = take(&queue.next)
    return False


cdef bint run_queues(cx_sweep sweep, const void *job, const Work *work, Queue *queues, int own,
                     char *scratch) noexcept nogil:
    """Take shares from a thread's own queue, and then from those of others; likewise."""
    cdef int k
    for k in range(work.threads):
        if run_queue(sweep, job, work, queues + (own + k) % work.threads, scratch):
            return True
    return False


cdef bint is_left(const Work *work, const Queue *queues) noexcept nogil:
    """Whether there are shares in any queue."""
    cdef int index
    for index in range(work.threads):
        if queues[index].next < queues[index].end:
            return True
    return False


cdef Work deal(int64_t pieces, int threads, Queue *queues) noexcept nogil:
    """Deal pieces to the threads' queues."""
    cdef Work work
    cdef int index
    work.pieces, work.shares, work.threads = pieces, min(pieces, threads * SHARES), threads
    work.pause, work.done = INFINITY, NULL
    for index in range(threads):
        queues[index].next = cut(work.shares, threads, index)
        queues[index].end = cut(work.shares, threads, index + 1)
    return work


cdef void deal_all(const Work *work, Queue *queues) noexcept nogil:
    """Give all shares to every thread."""
    cdef int index
    for index in range(work.threads):
        queues[index].next, queues[index].end = 0, work.shares


cdef void take_queues(cx_sweep sweep, const void *job, const Work *work, Queue *queues,
                      char *scratch, int thread, int64_t *done) noexcept nogil:
    """Take shares as one thread of a region.

    The one that began it waits for the others here, where it gives way to those that have no
    processor: OpenMP's own wait at the end of a region does not. If the region has fewer threads
    than it was to have, that one may have more to do first.
    """
    run_queues(sweep, job, work, queues, thread, scratch)
    count_done(done)
    if thread == 0 and omp_get_num_threads() == work.threads:
        wait_for(done, work.threads)


cdef void run_region(cx_sweep sweep, const void *job, const Work *work, Queue *queues,
                     char *scratch, int64_t scratch_bytes) noexcept nogil:
    """Let every thread take shares until there are none, or it is time for a pause."""
    cdef int index, threads = work.threads
    cdef int64_t done = 0
    if threads == 1:
        run_queues(sweep, job, work, queues, 0, scratch)
        return
    for index in prange(threads, num_threads=threads, schedule="static", chunksize=1):
        take_queues(sweep, job, work, queues, scratch + index * scratch_bytes, index, &done)


cdef void share_at_once(cx_sweep sweep, const void *job, int64_t pieces, int threads,
                        Queue *queues, char *scratch, int64_t scratch_bytes) noexcept nogil:
    """Run a sweep over its pieces without a pause, in memory that the caller has."""
    cdef Work work = deal(pieces, threads, queues)
    run_region(sweep, job, &work, queues, scratch, scratch_bytes)


cdef int share_out(cx_sweep sweep, const void *job, int64_t pieces, int threads,
                   int64_t scratch_bytes=0) except -1:
    """Run a sweep over its pieces without the GIL; each thread has scratch memory of its own."""
    cdef Block block = borrow_scratch((<int64_t>sizeof(Queue) + scratch_bytes) * threads)
    cdef Queue *queues = <Queue *>block.memory
    cdef char *scratch = block.memory + threads * <int64_t>sizeof(Queue)
    cdef Work work = deal(pieces, threads, queues)
    note_region(threads)
    while is_left(&work, queues):
        work.pause = now() + LONG
        with nogil:
            run_region(sweep, job, &work, queues, scratch, scratch_bytes)
        PyErr_CheckSignals()
    return_scratch(block)
    return 0


cdef struct Cleared:
    char *memory
    int64_t size


# Bytes that a thread clears at a time.
cdef int64_t CLEARED = 256 * 1024


cdef void clear_some(const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil:
    """Fill some pieces of memory with zeros."""
    cdef const Cleared *cleared = <const Cleared *>job
    cdef int64_t start = first * CLEARED
    memset(cleared.memory + start, 0, min(end * CLEARED, cleared.size) - start)


cdef int clear(void *memory, int64_t size, int threads) except -1:
    """Fill memory with zeros."""
    cdef Cleared cleared
    cdef int64_t pieces = (size + CLEARED - 1) // CLEARED
    cleared.memory, cleared.size = <char *>memory, size
    return share_out(clear_some, &cleared, pieces, <int>max(1, min(threads, pieces)))


# A number that threads change, and the line of the cache that processors fetch along.
cdef struct Counter:
    int64_t value
    int64_t unused[15]


# Sweeps that take turns: how each is dealt.
cdef struct Turns:
    const Turn *turns
    Work *works
    Queue *queues
    int count


cdef Queue *queues_of(const Turns *all, int turn) noexcept nogil:
    return all.queues + turn * all.works[turn].threads


cdef void take_turns(const void *job, int64_t own, int64_t end, char *scratch) noexcept nogil:
    """Take part in all sweeps, as one thread of several.

    Who waits has found nothing left to be taken, and others do what they took before they pause.
    """
    cdef const Turns *all = <const Turns *>job
    cdef const Turn *one
    cdef const Work *work
    cdef const void *of_thread
    cdef int turn
    if not turns_are_left(all):
        return
    for turn in range(all.count):
        one, work = &all.turns[turn], &all.works[turn]
        of_thread = <const char *>one.job + own * one.job_bytes
        if one.alone:
            if run_queue(one.sweep, of_thread, work, queues_of(all, turn) + own, scratch):
                return
            continue
        if run_queues(one.sweep, of_thread, work, queues_of(all, turn), <int>own, scratch):
            return
        if work.done != NULL:
            wait_for(work.done, work.shares)


cdef bint turns_are_left(const Turns *all) noexcept nogil:
    """Whether there are shares of any sweep, but of those that threads do for themselves."""
    cdef int turn
    for turn in range(all.count):
        if not all.turns[turn].alone and is_left(&all.works[turn], queues_of(all, turn)):
            return True
    return False


cdef int share_in_turn(const Turn *turns, int count, int threads, int64_t scratch_bytes) except -1:
    """Run sweeps without the GIL, each when the one before is done, in one region.

    Nobody waits for a thread that the machine has not woken yet: others take its shares.
    """
    cdef int64_t of_turn = sizeof(Work) + sizeof(Counter) + threads * <int64_t>sizeof(Queue)
    cdef int64_t own_queues = threads * <int64_t>sizeof(Queue)
    cdef Block block = borrow_scratch(own_queues + threads * scratch_bytes + count * of_turn)
    cdef char *scratch = block.memory + own_queues
    cdef Queue *queues = <Queue *>block.memory
    cdef Turns all
    cdef int turn
    all.turns, all.count = turns, count
    all.queues = <Queue *>(scratch + threads * scratch_bytes)
    cdef Counter *done = <Counter *>(all.queues + count * threads)
    all.works = <Work *>(done + count)
    memset(done, 0, count * sizeof(Counter))
    for turn in range(count):
        all.works[turn] = deal(turns[turn].pieces, threads, all.queues + turn * threads)
        if turns[turn].alone:
            deal_all(&all.works[turn], queues_of(&all, turn))
        elif turn + 1 < count:  # at the end of the last one, that of the region is waited for
            all.works[turn].done = &done[turn].value
    note_region(threads)
    while turns_are_left(&all):
        for turn in range(count):
            all.works[turn].pause = now() + LONG
        with nogil:
            share_at_once(take_turns, &all, threads, threads, queues, scratch, scratch_bytes)
        PyErr_CheckSignals()
    return_scratch(block)
    return 0


cdef struct Stages:
    cx_stage run
    const void *job
    const int64_t *parts
    int64_t stages, threads
    Counter *done   # parts, of each stage
    Counter *taken  # of each part of each stage, how often


cdef void take_parts(const Stages *all, int64_t stage, int64_t own, char *scratch) noexcept nogil:
    """Run a thread's part of a stage, and those of others that have not begun theirs."""
    cdef int64_t parts = all.parts[stage], k, part
    for k in range(parts):
        part = (own + k) % parts
        if take(&all.taken[stage * all.threads + part].value) == 0:
            all.run(all.job, stage, part, scratch)
            count_done(&all.done[stage].value)


cdef void go_through(const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil:
    """Take part in all stages, as one thread of several or for those that are missing."""
    cdef const Stages *all = <const Stages *>job
    cdef int64_t stage
    for stage in range(all.stages):
        take_parts(all, stage, first, scratch)
        wait_for(&all.done[stage].value, all.parts[stage])


cdef int share_stages(cx_stage run, const void *job, const int64_t *parts, int64_t stages,
                      int threads, int64_t scratch_bytes) except -1:
    """Run stages without the GIL, each when the one before is done, in one region.

    A stage has as many parts as there are threads, or fewer. Each thread has its own, so that what
    it computed is in its cache; whoever comes first does what is not begun, so nobody waits for a
    thread that the machine has not woken yet.
    """
    cdef int64_t counters = stages * (threads + 1)
    cdef Block block = borrow_scratch(counters * <int64_t>sizeof(Counter))
    cdef Stages all
    memset(block.memory, 0, counters * sizeof(Counter))
    all.run, all.job, all.parts, all.stages, all.threads = run, job, parts, stages, threads
    all.done = <Counter *>block.memory
    all.taken = all.done + stages
    share_out(go_through, &all, threads, threads, scratch_bytes)
    return_scratch(block)
    return 0
