"""The short way of repeated calls, from the arguments as given to the program that runs them."""

cimport cython
from cpython.buffer cimport (
    PyBUF_CONTIG, PyBUF_FORMAT, PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.long cimport PyLong_AsLongLongAndOverflow
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from convx._core._driver cimport Activation, Program
from convx._core._memory cimport Block, borrow_scratch, new_result, return_scratch
from convx._core._parallel cimport current_threads, cx_sweep
from convx._core._sweep cimport MOST_JOB_BYTES, MOST_SLOTS, Slot, Sweep, sweep_over

from numpy import ndarray

# A key is made of words of 64 bits; calls of stranger forms are not remembered. One word tells of
# so many options whether they are flags.
cdef enum:
    KEY_WORDS = 128
    MOST_MEMORIES = 256
    MOST_OPTIONS = 62
    MOST_ARRAYS = 6
    SCRATCH = -1

# How many want every call to be seen by the planner.
cdef int memos_suspended = 0


def suspend_memos(int change):
    """Suspend the shortcut (1), or take one's suspension back (-1)."""
    global memos_suspended
    memos_suspended += change


@cython.final
cdef class Memory:
    """What a remembered call needs."""

    cdef Program program
    cdef object shape, dtype, packed

    def __cinit__(self, Program program, shape, dtype, packed):
        self.program, self.shape, self.dtype, self.packed = program, shape, dtype, packed


# Marks of what follows in a key, so that no two calls have the same words.
cdef enum:
    NUMBER
    NUMBERS
    NAME
    FLAG
    REAL
    NOTHING


cdef int64_t *add_words(int64_t mark, int64_t value, int64_t *at, int64_t *end):
    """Append two words to a key; a key that is NULL stays so."""
    if at == NULL or at + 2 > end:
        return NULL
    at[0], at[1] = mark, value
    return at + 2


cdef int64_t *add_option(option, dict names, int depth, int64_t *at, int64_t *end) except? NULL:
    """Append a plain number, flag, known name or None, or a tuple of such, or of pairs of them."""
    cdef int overflow = 0
    cdef int64_t value
    cdef double real
    if at == NULL or depth > 2:
        return NULL
    if type(option) is int:
        value = PyLong_AsLongLongAndOverflow(option, &overflow)
        return NULL if overflow else add_words(NUMBER, value, at, end)
    if type(option) is str:
        name = names.get(option)
        return NULL if name is None else add_words(NAME, name, at, end)
    if type(option) is float:
        real = option
        memcpy(&value, &real, sizeof(value))
        return add_words(REAL, value, at, end)
    if type(option) is bool:
        return add_words(FLAG, option is True, at, end)
    if option is None:
        return add_words(NOTHING, 0, at, end)
    if type(option) is not tuple:
        return NULL
    at = add_words(NUMBERS, len(<tuple>option), at, end)
    for one in <tuple>option:
        at = add_option(one, names, depth + 1, at, end)
        if at == NULL:
            return NULL
    return at


cdef int64_t *add_array(array, int64_t *at, int64_t *end, Py_buffer *views, int *held) except? NULL:
    """Append an array's element type, shape and strides, and hold its buffer."""
    cdef Py_buffer *view = &views[held[0]]
    cdef int axis
    if at == NULL or type(array) is not ndarray:
        return NULL
    try:
        PyObject_GetBuffer(array, view, PyBUF_STRIDED_RO | PyBUF_FORMAT)
    except (BufferError, ValueError):  # an element type without a format
        return NULL
    held[0] += 1
    if at + 3 + 2 * view.ndim > end or view.format[1] != 0 or <size_t>view.buf % view.itemsize:
        return NULL
    at[0], at[1], at[2] = view.format[0], view.itemsize, view.ndim
    at += 3
    for axis in range(view.ndim):
        at[0], at[1] = view.shape[axis], view.strides[axis]
        at += 2
    return at


cdef bint can_take_result(out, Memory memory, Py_buffer *views, int held) except -1:
    """Whether a kernel can write to ``out`` as it is: if in doubt, not."""
    cdef Py_buffer view
    cdef int index
    cdef bint clear = True
    if type(out) is not ndarray or out.shape != memory.shape or out.dtype is not memory.dtype:
        return False
    try:
        PyObject_GetBuffer(out, &view, PyBUF_CONTIG)
    except (BufferError, ValueError):  # read-only, or not contiguous
        return False
    for index in range(held):
        clear = clear and are_apart(&view, &views[index])
    clear = clear and <size_t>view.buf % view.itemsize == 0
    PyBuffer_Release(&view)
    return clear


cdef bint are_apart(Py_buffer *one, Py_buffer *other) noexcept:
    """Whether two buffers certainly have no byte in common, the first one being contiguous."""
    cdef const char *low = <const char *>other.buf
    cdef const char *high = low + other.itemsize
    cdef int axis
    for axis in range(other.ndim):
        if other.strides[axis] < 0:
            low += other.strides[axis] * (other.shape[axis] - 1)
        else:
            high += other.strides[axis] * (other.shape[axis] - 1)
    return high <= <const char *>one.buf or <const char *>one.buf + one.len <= low


@cython.final
cdef class CallMemo:
    """The shortcut of repeated calls: from the arguments as given to the program that runs them.

    It answers only calls like one that went the long way before: plain arrays of the same element
    types, shapes and strides, and the same options as plain integers, tuples and names. So nothing
    is checked here, and nothing decided.
    """

    cdef dict memories, names
    cdef Activation activation

    def __init__(self, Activation activation):
        self.memories, self.names, self.activation = {}, {}, activation

    def call(self, axes, input, weight, bias, residual, given, out):
        """Return the result, or None for a call that is not remembered."""
        cdef Py_buffer views[4]
        cdef int held = 0
        cdef Memory memory
        if memos_suspended:
            return None
        try:
            key = self.key_of(axes, input, weight, bias, residual, given, views, &held)
            if key is None:
                return None
            memory = self.memories.get(key)
            if memory is None:
                return None
            if out is None:
                out = new_result(memory.shape, memory.dtype)
            elif not can_take_result(out, memory, views, held):
                return None
            return memory.program.execute(
                views[0].buf, views[1].buf, NULL if bias is None else views[2].buf,
                NULL if residual is None else views[held - 1].buf, self.activation, memory.packed,
                out)
        finally:
            while held:
                held -= 1
                PyBuffer_Release(&views[held])

    def remember(self, call, Program program, shape, dtype, packed=None):
        """Keep the program of a call that it took as it was, without converting an array."""
        cdef Py_buffer views[4]
        cdef int held = 0
        axes, input, weight, bias, residual, given = call
        try:
            for option in given:
                if type(option) is str:
                    self.names.setdefault(option, len(self.names))
            key = self.key_of(axes, input, weight, bias, residual, given, views, &held)
            if key is None:
                return
            while len(self.memories) >= MOST_MEMORIES:
                self.memories.pop(next(iter(self.memories)), None)
            self.memories[key] = Memory(program, shape, dtype, packed)
        finally:
            while held:
                held -= 1
                PyBuffer_Release(&views[held])

    cdef bytes key_of(
        self, axes, input, weight, bias, residual, tuple given, Py_buffer *views, int *held,
    ):
        """The call in words, or None for one that is not plain; the arrays' buffers stay held."""
        cdef int64_t words[KEY_WORDS]
        cdef int64_t *at = words
        cdef int64_t *end = words + KEY_WORDS
        at = add_words(NUMBER, -1 if axes is None else axes, at, end)
        at = add_array(input, at, end, views, held)
        at = add_array(weight, at, end, views, held)
        at = add_words(bias is not None, residual is not None, at, end)
        if bias is not None:
            at = add_array(bias, at, end, views, held)
        if residual is not None:
            at = add_array(residual, at, end, views, held)
        for option in given:
            at = add_option(option, self.names, 0, at, end)
        at = add_words(NUMBER, current_threads(), at, end)
        if at == NULL:
            return None
        return PyBytes_FromStringAndSize(<const char *>words, (at - words) * sizeof(int64_t))


@cython.final
cdef class SweepMemory:
    """A sweep that ran, and where the pointers of its job come from in the next call like it."""

    cdef char job[MOST_JOB_BYTES]
    cdef int64_t job_size, size, pieces, scratch_bytes
    cdef cx_sweep function
    cdef int threads, slots, results
    cdef Slot slot[MOST_SLOTS]
    cdef int source[MOST_SLOTS]  # the number of an operand, of a result behind them, or SCRATCH
    cdef list shapes, dtypes

    def __cinit__(self, Sweep sweep):
        self.job_size, self.size, self.pieces = sweep.job_size, sweep.size, sweep.pieces
        memcpy(self.job, sweep.kept, sweep.job_size)
        self.function, self.threads, self.slots = sweep.function, sweep.threads, sweep.slots
        memcpy(self.slot, sweep.slot, sizeof(self.slot))
        self.shapes, self.dtypes = [], []

    cdef bint find_sources(self, Sweep sweep, Py_buffer *views, int held) except -1:
        """Tell whether every pointer is that of an operand that is read, or of another result."""
        cdef int k, index
        for k in range(self.slots):
            index = operand_at(sweep.pointer(k), self.slot[k].size, views, held)
            if (index < 0) != self.slot[k].written:
                return False
            if index >= 0:
                self.source[k] = index
            elif sweep.arrays[k] is None:
                self.source[k] = SCRATCH
                self.scratch_bytes += self.slot[k].size
            else:
                self.source[k] = MOST_ARRAYS + len(self.shapes)
                self.shapes.append(sweep.arrays[k].shape)
                self.dtypes.append(sweep.arrays[k].dtype)
        return True

    cdef run(self, Py_buffer *views):
        """Do the job with other arrays; returns the result, or a list of several."""
        cdef char job[MOST_JOB_BYTES]
        cdef int k, source
        cdef Block block = borrow_scratch(self.scratch_bytes) if self.scratch_bytes else None
        cdef char *scratch = NULL if block is None else block.memory
        cdef void *memory
        cdef Py_buffer view
        cdef list results = []
        memcpy(job, self.job, self.job_size)
        for k in range(self.slots):
            source = self.source[k]
            if source == SCRATCH:
                memory, scratch = scratch, scratch + self.slot[k].size
            elif source < MOST_ARRAYS:
                memory = views[source].buf
            else:
                source -= MOST_ARRAYS
                result = new_result(self.shapes[source], self.dtypes[source])
                results.append(result)
                PyObject_GetBuffer(result, &view, PyBUF_CONTIG)
                memory = view.buf
                PyBuffer_Release(&view)
                if self.slot[k].cleared:
                    memset(memory, 0, self.slot[k].size)
            (<void **>(job + self.slot[k].offset))[0] = memory
        sweep_over(self.function, job, self.pieces, self.threads, self.size)
        if block is not None:
            return_scratch(block)
        return results[0] if len(results) == 1 else results


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

    Like `CallMemo` it answers only calls like one that went the long way before, in which the kernel
    read the arrays as they are and wrote what is returned. Whatever the values of the elements
    decide is none of its business: who asks it has checked them.
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
            return None if memory is None else memory.run(views)
        finally:
            while held:
                held -= 1
                PyBuffer_Release(&views[held])

    def remember(self, tuple arrays, tuple options, Sweep sweep):
        """Keep a sweep, unless it is of several phases or did not take the arrays as they are."""
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
            if not memory.find_sources(sweep, views, held):
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


cdef int64_t flags_of(tuple options, int *count) except? -1:
    """Tell which options are flags, a bit for each; -1 if one of them is not plain."""
    cdef int64_t flags = 0, below
    for option in options:
        if type(option) is tuple:
            below = flags_of(option, count)
            if below < 0:
                return -1
            flags |= below
        elif type(option) is bool:
            flags |= <int64_t>1 << count[0]
        elif type(option) is not int and type(option) is not str and option is not None:
            return -1
        count[0] += 1
        if count[0] > MOST_OPTIONS:
            return -1
    return flags


@cython.final
cdef class Kept:
    """A function whose results are kept where its options are plain and ``is_small(result)``.

    Plain are integers, flags, names, None, and tuples of them: they have no state, and none equals
    another one of another type but for flags, which are told from numbers.
    """

    cdef dict results
    cdef object function, is_small

    def __init__(self, function, is_small):
        self.results, self.function, self.is_small = {}, function, is_small

    def __call__(self, *options):
        cdef int count = 0
        cdef int64_t flags = flags_of(options, &count)
        if flags < 0:
            return self.function(*options)
        key = (options, flags)
        result = self.results.get(key)
        if result is None:
            result = self.function(*options)
            if self.is_small(result):
                while len(self.results) >= MOST_MEMORIES:
                    self.results.pop(next(iter(self.results)), None)
                self.results[key] = result
        return result
