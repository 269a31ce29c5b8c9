"""Memory for the other compiled modules."""

cimport cython
from libc.stdint cimport int64_t


cdef class Block:
    cdef char *memory
    cdef int64_t size


@cython.final
cdef class Buffer:
    cdef Py_buffer view
    cdef bint held


cdef Buffer held(array, bint writable=*)
cdef void *memory_of(Buffer buffer) noexcept
cdef bint hold_plain(array, bint writable, Py_buffer *view) except -1
cdef Block borrow_scratch(int64_t size)
cdef int return_scratch(Block scratch) except -1

# Results of fewer bytes come from NumPy.
cdef enum:
    LEAST_RESULT = 1 << 17

cdef large_result(tuple shape, dtype, int64_t size, void **memory, const void *input=*)
cpdef new_result(tuple shape, dtype)
