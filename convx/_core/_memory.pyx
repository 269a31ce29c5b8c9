"""Memory: of arrays while a call runs, and what outlives it, so that its pages are mapped once.

Of scratch memory there is at most one block for each call that was ever under way at the same time.
Of results, the blocks of those are kept that nobody holds any longer.
"""

cimport cython
from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_STRIDED, PyBUF_STRIDED_RO, PyBUF_WRITABLE,
    PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport int64_t
from libc.stdlib cimport free

from numpy import empty, ndarray


cdef extern from "stdlib.h" nogil:
    int posix_memalign(void **memory, size_t alignment, size_t size)

cdef extern from *:
    """
    #if defined __linux__
    #include <sys/mman.h>
    /* Ask for pages of 2 MiB, as NumPy does: there are fewer to be mapped. */
    static void ask_for_huge_pages(void *memory, size_t size)
    {
        madvise(memory, size, MADV_HUGEPAGE);
    }
    #else
    #define ask_for_huge_pages(memory, size)
    #endif
    """
    void ask_for_huge_pages(void *memory, size_t size) nogil

cdef int64_t LINE = 64, PAGE = 4096, HUGE_PAGE = 2 ** 21, NEARLY_A_HUGE_PAGE = 3 * 2 ** 19
# Scratch memory that is larger than this is not kept.
cdef int64_t MOST_SCRATCH = 64 * 2 ** 20
# So many bytes and blocks are kept of results: as many as a step of training holds.
cdef int64_t MOST_RESULTS = 128 * 2 ** 20
cdef int MOST_BLOCKS = 256

cdef list idle_scratch = []
cdef list idle_results = []


cdef class Block:
    """Memory that begins with a page; of huge ones the last is whole if it is nearly filled."""

    def __cinit__(self, int64_t size):
        cdef int64_t alignment = HUGE_PAGE if size >= NEARLY_A_HUGE_PAGE else PAGE
        if size % HUGE_PAGE >= NEARLY_A_HUGE_PAGE:
            size += HUGE_PAGE - size % HUGE_PAGE
        if posix_memalign(<void **>&self.memory, alignment, size):
            self.memory = NULL
            raise MemoryError(f"no memory for {size} bytes of a result or of workspace")
        self.size = size
        if alignment == HUGE_PAGE:
            ask_for_huge_pages(self.memory, size)

    def __dealloc__(self):
        free(self.memory)


cdef Block borrow_scratch(int64_t size):
    """Scratch memory for a call, of at least so many bytes."""
    cdef Block scratch
    if idle_scratch:
        try:
            scratch = idle_scratch.pop()
        except IndexError:  # another thread was faster
            return Block(size)
        if scratch.size >= size:
            return scratch
    return Block(size)


cdef int return_scratch(Block scratch) except -1:
    """Keep scratch memory for the next call."""
    if scratch.size <= MOST_SCRATCH:
        idle_scratch.append(scratch)
    return 0


@cython.final
cdef class Buffer:
    """An array's memory, held for the duration of a call."""

    def __cinit__(self, array, bint writable=False):
        PyObject_GetBuffer(array, &self.view, PyBUF_STRIDED if writable else PyBUF_STRIDED_RO)
        self.held = True

    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.view)


cdef Buffer held(array, bint writable=False):
    """The memory of an array that may be None."""
    return None if array is None else Buffer(array, writable)


cdef void *memory_of(Buffer buffer) noexcept:
    """Where the memory is, NULL without any."""
    return NULL if buffer is None else buffer.view.buf


cdef bint hold_plain(array, bint writable, Py_buffer *view) except -1:
    """Hold an array's memory if it has floats or doubles as a kernel takes them; tell if so."""
    cdef int access = PyBUF_WRITABLE if writable else 0
    if type(array) is not ndarray:
        return False
    try:
        PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | access)
    except (BufferError, ValueError):  # not contiguous, read-only, or without a format
        return False
    if (view.format[0] == b"f" or view.format[0] == b"d") and view.format[1] == 0:
        if <size_t>view.buf % view.itemsize == 0:
            return True
    PyBuffer_Release(view)
    return False


@cython.final
cdef class Loan:
    """A block that an array has for its elements; the array's last view gives it back."""

    cdef Block block

    def __cinit__(self, Block block):
        self.block = block

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.block.memory, self.block.size, False, flags)

    def __del__(self):
        cdef int64_t kept = 0
        cdef Block block
        if self.block.size > MOST_RESULTS:
            return
        idle_results.append(self.block)
        for block in idle_results:
            kept += block.size
        while kept > MOST_RESULTS or len(idle_results) > MOST_BLOCKS:
            try:
                block = idle_results.pop(0)
            except IndexError:  # other threads were faster
                return
            kept -= block.size


cdef bint fits(Block block, int64_t size) noexcept:
    """Whether a result of so many bytes has a block without much waste."""
    return size <= block.size <= size + size // 3


cdef Block result_block(int64_t size):
    """A block for a result, the latest that is kept and fits, for that is in the caches still."""
    cdef Block block, last
    try:
        last = idle_results.pop()
    except IndexError:
        return Block(size)
    if fits(last, size):
        return last
    idle_results.append(last)
    for block in idle_results[::-1]:
        if fits(block, size):
            try:
                idle_results.remove(block)
            except ValueError:  # another thread was faster
                continue
            return block
    return Block(size)


cdef large_result(tuple shape, dtype, int64_t size, void **memory, const void *input=NULL):
    """An array for a result of so many bytes, at least LEAST_RESULT, and where its elements are.

    They begin half a page from where the input does: what is loaded from a place of its page where
    another page was just stored to waits for that.
    """
    cdef int64_t start = 0
    cdef Block block
    if input != NULL:
        start = (<int64_t>input + PAGE // 2) % PAGE // LINE * LINE
        size += PAGE  # whatever the start, so that all such results fit
    block = result_block(size)
    memory[0] = block.memory + start
    return ndarray(shape, dtype, Loan(block), start)


cpdef new_result(tuple shape, dtype):
    """An array for a result, with arbitrary elements."""
    cdef int64_t size = dtype.itemsize
    cdef void *memory
    for length in shape:
        size *= length
    if size < LEAST_RESULT:
        return empty(shape, dtype)
    return large_result(shape, dtype, size, &memory)


def kept_sizes():
    """Bytes of the blocks that are kept of results, the oldest first."""
    return [(<Block>block).size for block in idle_results]
