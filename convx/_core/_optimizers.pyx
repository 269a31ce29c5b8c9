"""Steps of optimisers: contiguous arrays of one type, the parameters and their state in place."""

from cpython.buffer cimport PyBuffer_Release
from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Block, borrow_scratch, hold_plain, return_scratch
from convx._core._parallel cimport share_out
from convx._core._sweeps cimport (
    CX_ADAM, CX_RMSPROP, CX_SGD, CX_STRETCH, cx_step, cx_steps_job,
)

# Arrays that a step goes over: parameter, gradient, and mostly two of state.
cdef enum:
    ARRAYS_OF_A_STEP = 4

cdef dict RULES = {"sgd": CX_SGD, "adam": CX_ADAM, "rmsprop": CX_RMSPROP}


# What a step works on: parameter, gradient, and three arrays of state.
cdef enum:
    ARRAYS = 5


cdef bint are_alike(const Py_buffer *one, const Py_buffer *other) noexcept:
    """Whether both have the same shape and element type."""
    cdef int axis
    if one.format[0] != other.format[0] or one.ndim != other.ndim:
        return False
    for axis in range(one.ndim):
        if one.shape[axis] != other.shape[axis]:
            return False
    return True


cdef bint describe(cx_step *step, given, arrays, Py_buffer *views, const Py_buffer *first,
                   int *held) except -1:
    """Fill in what is of one parameter, if its arrays can be taken as they are.

    Their memory is held from the views' number ``held`` on. The elements are of the type of those
    of ``first``.
    """
    cdef Py_buffer *own = views + held[0]
    cdef void *memory[ARRAYS]
    cdef int k
    for k in range(ARRAYS):
        memory[k] = NULL
        if arrays[k] is None and k > 1:
            continue
        if not hold_plain(arrays[k], k != 1, views + held[0]):
            return False
        held[0] += 1
        memory[k] = views[held[0] - 1].buf
        if not are_alike(own, views + held[0] - 1):
            return False
    if own.format[0] != first.format[0]:
        return False
    step.length = own.len // own.itemsize
    step.pieces = (step.length + CX_STRETCH - 1) // CX_STRETCH
    for k in range(9):
        step.given[k] = given[k] if k < len(given) else 0
    step.parameter, step.grad = memory[0], memory[1]
    for k in range(3):
        step.state[k] = memory[2 + k]
    return True


cdef bint are_apart(const cx_step *steps, int64_t count, int64_t size) noexcept:
    """Whether no two parameters, of elements of a size, have memory in common."""
    cdef const char *start
    cdef const char *other
    cdef int64_t k, j
    for k in range(count):
        start = <const char *>steps[k].parameter
        for j in range(k):
            other = <const char *>steps[j].parameter
            if start < other + steps[j].length * size and other < start + steps[k].length * size:
                return False
    return True


def take_steps(str isa, str rule, list steps, threads_for):
    """Take one step of each of some parameters; tell whether that was possible.

    Of each: a rule's numbers, and parameter, gradient, and three arrays of state or None. Nothing
    was done if one of the arrays is not as the kernel takes it, contiguous and of the others' type.
    ``threads_for`` tells how many threads go over so many bytes.
    """
    cdef int64_t count = len(steps), pieces = 0, size = 0, k
    cdef int held = 0, threads
    cdef bint taken = True
    cdef Block block = borrow_scratch(
        count * <int64_t>(sizeof(cx_step) + ARRAYS * sizeof(Py_buffer)))
    cdef cx_step *described = <cx_step *>block.memory
    cdef Py_buffer *views = <Py_buffer *>(described + count)
    cdef Py_buffer *view
    cdef cx_steps_job job
    try:
        for k in range(count):
            given, arrays = steps[k]
            described[k].rule = RULES[rule]
            view = views + held
            taken = describe(&described[k], given, arrays, views, views, &held)
            if not taken:
                return False
            described[k].first_piece = pieces
            pieces += described[k].pieces
            size += view.len
        if not count:
            return True
        threads = threads_for(ARRAYS_OF_A_STEP * size)
        if threads > 1 and not are_apart(described, count, views.itemsize):
            threads = 1  # memory that is changed twice is changed in the order of the parameters
        job.count, job.steps = count, described
        share_out(sweeps_of(isa, chr(views.format[0])).steps, &job, pieces, threads)
    finally:
        while held:
            held -= 1
            PyBuffer_Release(views + held)
        return_scratch(block)
    return True
