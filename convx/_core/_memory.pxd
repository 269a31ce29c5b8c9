"""Aligned memory for the other compiled modules."""

from libc.stdint cimport int64_t


cdef class Block:
    cdef char *memory
    cdef int64_t size


cdef Block borrow_scratch(int64_t size)
cdef int return_scratch(Block scratch) except -1
cpdef new_result(tuple shape, dtype)
