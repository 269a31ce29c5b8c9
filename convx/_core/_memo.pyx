"""The short way of repeated calls, from the arguments as given to the program that runs them."""

cimport cython
from cpython.buffer cimport (
    PyBUF_CONTIG, PyBUF_FORMAT, PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.long cimport PyLong_AsLongLongAndOverflow
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from convx._core._driver cimport Activation, Program
from convx._core._memory cimport new_result
from convx._core._parallel cimport current_threads

from numpy import ndarray

# One word of a key tells of so many options whether they are flags.
cdef enum:
    MOST_OPTIONS = 62

memos_suspended = 0


def suspend_memos(int change):
    """Suspend the shortcut (1), or take one's suspension back (-1)."""
    global memos_suspended
    memos_suspended += change


@cython.final
cdef class Memory:
    """What a remembered call needs; whether the program reads other weights than are given."""

    cdef Program program
    cdef object shape, dtype, packed
    cdef bint gathers

    def __cinit__(self, Program program, shape, dtype, packed, bint gathers):
        self.program, self.shape, self.dtype, self.packed = program, shape, dtype, packed
        self.gathers = gathers


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
    if type(option) is tuple:
        at = add_words(NUMBERS, len(<tuple>option), at, end)
        for one in <tuple>option:
            at = add_option(one, names, depth + 1, at, end)
            if at == NULL:
                return NULL
        return at
    if type(option) is str:
        name = names.get(option)
        return NULL if name is None else add_words(NAME, name, at, end)
    if type(option) is float:
        real = option
        memcpy(&value, &real, sizeof(value))
        return add_words(REAL, value, at, end)
    if type(option) is bool:
        return add_words(FLAG, option is True, at, end)
    return add_words(NOTHING, 0, at, end) if option is None else NULL


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


cdef bint is_contiguous(const Py_buffer *view) noexcept:
    """Whether an array's elements follow one another in C's order."""
    cdef int64_t size = view.itemsize
    cdef int axis
    for axis in range(view.ndim - 1, -1, -1):
        if view.strides[axis] != size and view.shape[axis] > 1:
            return False
        size *= view.shape[axis]
    return True


cdef char *gather(const Py_buffer *given, int axis, const char *place, char *to,
                  int64_t step, int64_t item_size) noexcept:
    """Copy what follows a place along the axes from one on, by so many bytes; returns its end."""
    cdef int64_t index
    cdef float single
    cdef double real
    if axis < given.ndim:
        for index in range(given.shape[axis]):
            to = gather(given, axis + 1, place + index * given.strides[axis], to, step, item_size)
        return to
    if given.itemsize == item_size:
        memcpy(to, place, item_size)
    elif item_size == sizeof(float):
        memcpy(&real, place, sizeof(double))
        single = <float>real
        memcpy(to, &single, sizeof(float))
    else:
        memcpy(&single, place, sizeof(float))
        real = single
        memcpy(to, &real, sizeof(double))
    return to + step


cdef bytes gathered(const Py_buffer *weights, int64_t item_size, bint turns):
    """Weights in C's order or, if they are turned, from the last to the first.

    Of another size than the one asked for, they are float or double, and become the other one.
    """
    cdef int64_t count = weights.len // weights.itemsize
    cdef bytes room = PyBytes_FromStringAndSize(NULL, count * item_size)
    cdef char *first = PyBytes_AS_STRING(room)
    if turns:
        gather(weights, 0, <const char *>weights.buf, first + (count - 1) * item_size, -item_size,
               item_size)
    else:
        gather(weights, 0, <const char *>weights.buf, first, item_size, item_size)
    return room


@cython.final
cdef class CallMemo:
    """The shortcut of repeated calls: from the arguments as given to the program that runs them.

    It answers only calls like one that went the long way before: plain arrays of the same element
    types, shapes and strides, and the same options as plain integers, tuples and names. So nothing
    is checked here, and nothing decided. Weights need not be contiguous, and may be floats of
    another size than the program's; if the memo ``turns`` them, the program reads them by 180°.
    """

    cdef dict memories, names
    cdef Activation activation
    cdef bint turns

    def __init__(self, Activation activation, bint turns=False):
        self.memories, self.names, self.activation = {}, {}, activation
        self.turns = turns

    def call(self, axes, input, weight, bias, residual, given, out):
        """Return the result, or None for a call that is not remembered."""
        cdef Py_buffer views[4]
        cdef int held = 0
        cdef Memory memory
        cdef const char *weights
        cdef bytes room
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
            weights = <const char *>views[1].buf
            if memory.gathers:
                room = gathered(&views[1], memory.program.item_size, self.turns)
                weights = PyBytes_AS_STRING(room)
            return memory.program.execute(
                views[0].buf, weights, NULL if bias is None else views[2].buf,
                NULL if residual is None else views[held - 1].buf, self.activation, memory.packed,
                out)
        finally:
            while held:
                held -= 1
                PyBuffer_Release(&views[held])

    def remember(self, call, Program program, shape, dtype, packed=None):
        """Keep the program of a call that it took as it was, without converting another array."""
        cdef Py_buffer views[4]
        cdef int held = 0
        cdef bint gathers
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
            gathers = self.turns or views[1].itemsize != program.item_size
            gathers = gathers or not is_contiguous(&views[1])
            self.memories[key] = Memory(program, shape, dtype, packed, gathers)
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
