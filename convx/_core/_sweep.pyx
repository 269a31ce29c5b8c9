"""A sweep with its job, for the drivers that fill jobs and the memo that does them again."""

cimport cython
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from convx._core._memory cimport Buffer
from convx._core._parallel cimport cx_sweep, share_out

from numpy import empty

# Bytes that one thread goes over without a pause, in one share: looking at the clock takes as long as
# a small piece.
cdef int64_t SHORT = 2 ** 18


cdef int sweep_over(cx_sweep function, const void *job, int64_t pieces, int threads,
                    int64_t size) except -1:
    """Run a sweep that goes over so many bytes."""
    if threads > 1 or size > SHORT:
        return share_out(function, job, pieces, threads)
    with nogil:
        function(job, 0, pieces, NULL)
    return 0


cdef Sweep new_sweep(void *job, int64_t job_size):
    """A sweep whose job is being filled, in memory of who calls."""
    cdef Sweep sweep = Sweep.__new__(Sweep)
    sweep.job, sweep.job_size = <char *>job, job_size
    sweep.buffers, sweep.arrays = [], []
    return sweep


@cython.final
cdef class Sweep:
    """A job, where in it the pointers to arrays are, and how it was run."""

    cdef int point(self, void **where, array, bint written, bint cleared) except -1:
        """Let a pointer of the job point to an array, or to nothing if that is None."""
        cdef Buffer buffer
        cdef Slot *slot
        where[0] = NULL
        if array is None:
            return 0
        if self.slots == MOST_SLOTS:
            raise IndexError(f"a sweep has {MOST_SLOTS} arrays at most")
        buffer = Buffer(array, written)
        where[0] = buffer.view.buf
        slot = &self.slot[self.slots]
        slot.offset, slot.size = <char *>where - self.job, buffer.view.len
        slot.written, slot.cleared = written, cleared
        self.slots += 1
        self.size += buffer.view.len
        self.buffers.append(buffer)
        self.arrays.append(array)
        return 0

    cdef int reads(self, const void **where, array) except -1:
        """Let a pointer point to what is read."""
        return self.point(<void **>where, array, False, False)

    cdef int writes(self, void **where, array) except -1:
        """Let a pointer point to what is written."""
        return self.point(where, array, True, False)

    cdef int adds(self, void **where, array) except -1:
        """Let a pointer point to sums that begin with 0."""
        return self.point(where, array, True, True)

    cdef int needs(self, void **where, int64_t doubles) except -1:
        """Let a pointer point to memory that nobody looks at afterwards."""
        self.point(where, empty(doubles), True, False)
        self.arrays[len(self.arrays) - 1] = None
        return 0

    cdef const void *pointer(self, int slot) noexcept:
        """What one of the pointers pointed to when the sweep ran."""
        return (<void **>(self.kept + self.slot[slot].offset))[0]

    cdef int run(self, cx_sweep function, int64_t pieces, int threads) except -1:
        """Do the job, or a phase of it."""
        self.function, self.pieces, self.threads = function, pieces, threads
        self.runs += 1
        if self.job_size <= MOST_JOB_BYTES:
            memcpy(self.kept, self.job, self.job_size)
        return sweep_over(function, self.job, pieces, threads, self.size)
