"""How far apart processors are: what it takes to bring a line of the cache from one to another.

Processors of a core complex share a cache, and a line goes from one to another in some 40 ns; to
another complex in 160 to 360. The system moves threads, and that of a virtual machine's host moves
its processors: so it is measured again after some time.
"""

from libc.stdint cimport int64_t

from convx._core._parallel cimport current_threads, share_out


cdef extern from *:
    """
    #include <stdint.h>
    #include <time.h>
    enum { CONVX_ROUNDS = 6, CONVX_CHANGES = 16, CONVX_MEETING_LOOKS = 1 << 15 };
    static double convx_seconds(void)
    {
        struct timespec time;
        clock_gettime(CLOCK_MONOTONIC, &time);
        return time.tv_sec + 1e-9 * time.tv_nsec;
    }
    /* Two threads change a number in turns. Returns the seconds of a change, of the fastest round:
       on a busy machine one of the two is stopped now and then. 0 if one does not come at all, who
       is looked for some 50 microseconds. */
    static double convx_change_in_turns(int64_t *number, int64_t thread)
    {
        double begin = 0, least = 0;
        for (int64_t change = thread; change < CONVX_ROUNDS * CONVX_CHANGES; change += 2) {
            for (int looks = 0; __atomic_load_n(number, __ATOMIC_ACQUIRE) != change; looks++)
                if (looks == CONVX_MEETING_LOOKS)
                    return 0;
            if (change % CONVX_CHANGES == thread) {
                double end = convx_seconds(), took = end - begin;
                if (change / CONVX_CHANGES > 1 && (least == 0 || took < least)) /* both had come */
                    least = took;
                begin = end;
            }
            __atomic_store_n(number, change + 1, __ATOMIC_RELEASE);
        }
        return least / CONVX_CHANGES;
    }
    """
    double convx_seconds() noexcept nogil
    double convx_change_in_turns(int64_t *number, int64_t thread) noexcept nogil


cdef struct Meeting:
    int64_t number
    int64_t unused[15]  # of its line, and of that which processors fetch with it
    double seconds


# Seconds that a figure is believed, and for which the machine is left alone besides if two threads
# did not meet: it is busy. And above what processors count as apart.
cdef double BELIEVED = 0.05, BUSY = 1, APART = 8e-8

cdef double measured = -BELIEVED
cdef bint apart = False
cdef object assumed = None


cdef void meet(const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil:
    """Change the number as one of two threads, or as both, one after the other, in vain."""
    cdef Meeting *meeting = <Meeting *>job
    cdef int64_t thread
    cdef double seconds
    for thread in range(first, end):
        seconds = convx_change_in_turns(&meeting.number, thread)
        if thread == 0:
            meeting.seconds = seconds


def exchange_seconds():
    """Return what a line takes from one thread's processor to another's; 0 if unknown."""
    cdef Meeting meeting
    meeting.seconds = 0
    for _ in range(2):  # the first may only wake the other thread
        if meeting.seconds == 0 and current_threads() > 1:
            meeting.number = 0
            share_out(meet, &meeting, 2, 2)
    return meeting.seconds


def assume_apart(answer):
    """Set whether processors count as apart, or None: as measured."""
    global assumed
    assumed = answer


cdef bint each_alone(int threads) except -1:
    """Whether each of so many threads is to make for itself what all read."""
    global measured, apart
    cdef double now, seconds
    if not 1 < threads <= MOST_ALONE:
        return False
    if assumed is not None:
        return assumed
    now = convx_seconds()
    if now - measured > BELIEVED:
        seconds = exchange_seconds()
        measured = now if seconds else now + BUSY
        if seconds:
            apart = seconds > APART
    return apart
