"""Sweeps with their jobs, and the memo of repeated calls, which does a job with other arrays."""

cimport cython
from cpython.buffer cimport PyBUF_CONTIG, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from convx._core._memo cimport (
    KEY_WORDS, MOST_MEMORIES, NOTHING, NUMBER, add_array, add_option, add_words, are_apart,
    memos_suspended,
)
from convx._core._memory cimport (
    LEAST_RESULT, Block, Buffer, borrow_scratch, large_result, return_scratch,
)
from convx._core._parallel cimport current_threads, cx_sweep, share_out

from numpy import empty

cdef enum:
    MOST_ARRAYS = 9


cdef int sweep_over(cx_sweep function, const void *job, int64_t pieces, int threads,
                    int64_t size, int64_t scratch_bytes=0) except -1:
    """Run a sweep that goes over so many bytes; each thread has scratch memory of its own."""
    cdef Block block
    cdef char *scratch
    if threads > 1 or size > SHORT:
        return share_out(function, job, pieces, threads, scratch_bytes)
    block = borrow_scratch(scratch_bytes) if scratch_bytes else None
    scratch = NULL if block is None else block.memory
    with nogil:
        function(job, 0, pieces, scratch)
    if block is not None:
        return_scratch(block)
    return 0


cdef double *as_doubles(const void *elements, const Slot *slot, double *room) noexcept:
    """Copy an array of float or double."""
    cdef int64_t index
    for index in range(slot.size // slot.item_size):
        if slot.item_size == sizeof(float):
            room[index] = (<const float *>elements)[index]
        else:
            room[index] = (<const double *>elements)[index]
    return room


cdef Sweep new_sweep(void *job, int64_t job_size, owner=None):
    """A sweep whose job is being filled, in memory of who calls.

    What the job points to besides arrays lives as long as its owner.
    """
    cdef Sweep sweep = Sweep.__new__(Sweep)
    sweep.job, sweep.job_size, sweep.owner = <char *>job, job_size, owner
    sweep.buffers, sweep.arrays = [], []
    return sweep


@cython.final
cdef class Sweep:
    """A job, where in it the pointers to arrays are, and how it was run."""

    cdef int point(self, void **where, array, Use use) except -1:
        """Let a pointer of the job point to an array, or to nothing if that is None."""
        cdef Buffer buffer
        cdef Slot *slot
        where[0] = NULL
        if array is None:
            return 0
        if self.slots == MOST_SLOTS:
            raise IndexError(f"a sweep has {MOST_SLOTS} arrays at most")
        buffer = Buffer(array, use != READ and use != READ_AS_DOUBLES)
        where[0] = buffer.view.buf
        slot = &self.slot[self.slots]
        slot.offset, slot.use = <char *>where - self.job, use
        slot.size, slot.item_size = buffer.view.len, buffer.view.itemsize
        self.places[self.slots] = buffer.view.buf
        self.slots += 1
        self.size += buffer.view.len
        self.buffers.append(buffer)
        self.arrays.append(array)
        return 0

    cdef int reads(self, const void **where, array) except -1:
        """Let a pointer point to what is read."""
        return self.point(<void **>where, array, READ)

    cdef int reads_as_doubles(self, double **where, array) except -1:
        """Let a pointer point to a copy in double precision."""
        cdef Buffer room = Buffer(empty(array.size), True)
        self.point(<void **>where, array, READ_AS_DOUBLES)
        self.buffers.append(room)
        where[0] = as_doubles(where[0], &self.slot[self.slots - 1], <double *>room.view.buf)
        return 0

    cdef int writes(self, void **where, array) except -1:
        """Let a pointer point to what is written."""
        return self.point(where, array, WRITTEN)

    cdef int sums_up(self, double **where, array) except -1:
        """Let a pointer point to sums, which are 0 now."""
        return self.point(<void **>where, array, SUMMED)

    cdef int updates(self, void **where, array) except -1:
        """Let a pointer point to an operand that changes."""
        return self.point(where, array, UPDATED)

    cdef int needs(self, double **where, int64_t count) except -1:
        """Let a pointer point to memory that nobody looks at afterwards."""
        return self.point(<void **>where, empty(count), SCRATCH)

    cdef result(self):
        """The first array that is written."""
        cdef int k
        for k in range(self.slots):
            if self.slot[k].use == WRITTEN:
                return self.arrays[k]
        return None

    cdef int run(self, cx_sweep function, int64_t pieces, int threads,
                 int64_t scratch_bytes=0) except -1:
        """Do the job, or a phase of it; each thread has so much scratch memory."""
        self.function, self.pieces, self.threads = function, pieces, threads
        self.scratch_bytes = scratch_bytes
        self.runs += 1
        if self.job_size <= MOST_JOB_BYTES:
            memcpy(self.kept, self.job, self.job_size)
        return sweep_over(function, self.job, pieces, threads, self.size, scratch_bytes)


@cython.final
cdef class SweepMemory:
    """A sweep that ran, and where the pointers of its job come from in the next call like it."""

    cdef char job[MOST_JOB_BYTES]
    cdef int64_t job_size, size, pieces, scratch_bytes, thread_bytes
    cdef cx_sweep function
    cdef int threads, slots, results
    cdef object owner
    cdef Slot slot[MOST_SLOTS]
    cdef int source[MOST_SLOTS]  # the number of an operand, or of a result
    cdef list shapes, dtypes

    def __cinit__(self, Sweep sweep):
        self.job_size, self.size, self.pieces = sweep.job_size, sweep.size, sweep.pieces
        memcpy(self.job, sweep.kept, sweep.job_size)
        self.function, self.threads, self.slots = sweep.function, sweep.threads, sweep.slots
        self.thread_bytes, self.owner = sweep.scratch_bytes, sweep.owner
        memcpy(self.slot, sweep.slot, sizeof(self.slot))
        self.shapes, self.dtypes = [], []

    cdef bint find_sources(self, Sweep sweep, Py_buffer *views, int held) except -1:
        """Tell whether what is read or changed are operands, and what is written are others."""
        cdef int k, index
        cdef Slot slot
        for k in range(self.slots):
            slot = self.slot[k]
            index = operand_at(sweep.places[k], slot.size, views, held)
            if (index >= 0) != is_operand(&slot):
                return False
            if index >= 0:
                self.source[k] = index
            elif slot.use != SCRATCH:
                self.source[k] = len(self.shapes)
                self.shapes.append(sweep.arrays[k].shape)
                self.dtypes.append(sweep.arrays[k].dtype)
            if slot.use == READ_AS_DOUBLES:
                self.scratch_bytes += slot.size // slot.item_size * <int64_t>sizeof(double)
            elif slot.use == SCRATCH:
                self.scratch_bytes += slot.size
        return True

    cdef run(self, Py_buffer *views, int held):
        """Do the job with other arrays; returns the result, or a list of several, or None."""
        cdef char job[MOST_JOB_BYTES]
        cdef list results = []
        cdef Block block
        if not self.may_update(views, held):
            return None
        block = borrow_scratch(self.scratch_bytes) if self.scratch_bytes else None
        memcpy(job, self.job, self.job_size)
        self.point_all(job, views, NULL if block is None else block.memory, results)
        sweep_over(self.function, job, self.pieces, self.threads, self.size, self.thread_bytes)
        if block is not None:
            return_scratch(block)
        return results[0] if len(results) == 1 else results

    cdef bint may_update(self, Py_buffer *views, int held) noexcept:
        """Tell whether operands that change are writable, and have no memory in common with any."""
        cdef int k, source, other
        for k in range(self.slots):
            if self.slot[k].use != UPDATED:
                continue
            source = self.source[k]
            if views[source].readonly:
                return False
            for other in range(held):
                if other != source and not are_apart(&views[source], &views[other]):
                    return False
        return True

    cdef int point_all(self, char *job, Py_buffer *views, char *scratch, list results) except -1:
        """Let every pointer of a job point to operands, new results and scratch memory."""
        cdef int k
        cdef Slot *slot
        cdef void *memory
        for k in range(self.slots):
            slot = &self.slot[k]
            if slot.use == READ_AS_DOUBLES:
                memory = as_doubles(views[self.source[k]].buf, slot, <double *>scratch)
                scratch += slot.size // slot.item_size * sizeof(double)
            elif slot.use == SCRATCH:
                memory, scratch = scratch, scratch + slot.size
            elif is_operand(slot):
                memory = views[self.source[k]].buf
            else:
                memory = self.add_result(self.source[k], slot.size, views[0].buf, results)
            if slot.use == SUMMED:
                memset(memory, 0, slot.size)
            (<void **>(job + slot.offset))[0] = memory
        return 0

    cdef void *add_result(
        self, int index, int64_t size, const void *input, list results,
    ) except NULL:
        cdef Py_buffer view
        cdef void *memory
        cdef tuple shape = self.shapes[index]
        if size >= LEAST_RESULT:
            results.append(large_result(shape, self.dtypes[index], size, &memory, input))
            return memory
        result = empty(shape, self.dtypes[index])
        results.append(result)
        PyObject_GetBuffer(result, &view, PyBUF_CONTIG)
        PyBuffer_Release(&view)
        return view.buf


cdef bint is_operand(const Slot *slot) noexcept:
    return slot.use == READ or slot.use == READ_AS_DOUBLES or slot.use == UPDATED


cdef int operand_at(const void *memory, int64_t size, const Py_buffer *views, int held) noexcept:
    """The number of the operand that has this memory, -1 if none has."""
    cdef int index
    for index in range(held):
        if views[index].buf == memory and views[index].len == size:
            return index
    return -1


cdef bint are_told_apart(const Py_buffer *views, int held) noexcept:
    """Whether operands have elements, and begin at different places: places tell them then."""
    cdef int one, other
    for one in range(held):
        if views[one].len == 0:
            return False
        for other in range(one):
            if views[one].buf == views[other].buf:
                return False
    return True


@cython.final
cdef class SweepMemo:
    """The shortcut of repeated calls of sweeps, from the arrays and options as given to the kernel.

    Like `CallMemo` it answers only calls like one that went the long way before, in which the
    kernel read the arrays as they are and wrote what is returned. Whatever the values of the
    elements decide is none of its business: who asks it has checked them.
    """

    cdef dict memories, names

    def __init__(self):
        self.memories, self.names = {}, {}

    def call(self, tuple arrays, tuple options):
        """Return the result, a list if the sweep has several, or None if it is not remembered."""
        cdef Py_buffer views[MOST_ARRAYS]
        cdef int held = 0
        cdef SweepMemory memory
        if memos_suspended:
            return None
        try:
            key = self.key_of(arrays, options, views, &held)
            memory = None if key is None else self.memories.get(key)
            return None if memory is None else memory.run(views, held)
        finally:
            while held:
                held -= 1
                PyBuffer_Release(&views[held])

    def remember(self, tuple arrays, tuple options, Sweep sweep, result):
        """Keep a sweep, whose first result is what the call returns.

        Not if it is of several phases, or if the kernel did not take the arrays as they are.
        """
        cdef Py_buffer views[MOST_ARRAYS]
        cdef int held = 0
        cdef SweepMemory memory
        if sweep is None or sweep.runs != 1 or sweep.job_size > MOST_JOB_BYTES:
            return
        try:
            for option in options:
                if type(option) is str:
                    self.names.setdefault(option, len(self.names))
            key = self.key_of(arrays, options, views, &held)
            if key is None or not are_told_apart(views, held):
                return
            memory = SweepMemory(sweep)
            if not memory.find_sources(sweep, views, held) or sweep.result() is not result:
                return
            while len(self.memories) >= MOST_MEMORIES:
                self.memories.pop(next(iter(self.memories)), None)
            self.memories[key] = memory
        finally:
            while held:
                held -= 1
                PyBuffer_Release(&views[held])

    cdef bytes key_of(self, tuple arrays, tuple options, Py_buffer *views, int *held):
        """The call in words, or None for one that is not plain; the arrays' buffers stay held."""
        cdef int64_t words[KEY_WORDS]
        cdef int64_t *at = words
        cdef int64_t *end = words + KEY_WORDS
        if len(arrays) > MOST_ARRAYS:
            return None
        for array in arrays:
            if array is None:
                at = add_words(NOTHING, 0, at, end)
            else:
                at = add_array(array, at, end, views, held)
        for option in options:
            at = add_option(option, self.names, 0, at, end)
        at = add_words(NUMBER, current_threads(), at, end)
        if at == NULL:
            return None
        return PyBytes_FromStringAndSize(<const char *>words, (at - words) * sizeof(int64_t))
