"""Keys of calls, for all memos."""

from libc.stdint cimport int64_t

# A key is made of words of 64 bits; calls of stranger forms are not remembered.
cdef enum:
    KEY_WORDS = 128
    MOST_MEMORIES = 256

# Marks of what follows in a key, so that no two calls have the same words.
cdef enum:
    NUMBER
    NUMBERS
    NAME
    FLAG
    REAL
    NOTHING

# How many want every call to be seen by the planner.
cdef int memos_suspended

cdef int64_t *add_words(int64_t mark, int64_t value, int64_t *at, int64_t *end)
cdef int64_t *add_option(option, dict names, int depth, int64_t *at, int64_t *end) except? NULL
cdef int64_t *add_array(array, int64_t *at, int64_t *end, Py_buffer *views, int *held) except? NULL
cdef bint are_apart(Py_buffer *one, Py_buffer *other) noexcept
