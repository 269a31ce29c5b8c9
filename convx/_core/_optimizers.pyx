"""Steps of optimisers: contiguous arrays of one type, the parameters and their state in place."""

from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Block, Buffer, borrow_scratch, held, memory_of, return_scratch
from convx._core._parallel cimport share_out
from convx._core._sweeps cimport (
    CX_ADAM, CX_RMSPROP, CX_SGD, CX_STRETCH, cx_step, cx_steps_job,
)

cdef dict RULES = {"sgd": CX_SGD, "adam": CX_ADAM, "rmsprop": CX_RMSPROP}


cdef int describe(cx_step *step, tuple given, parameter, grad, tuple state, list buffers) except -1:
    """Fill in what is of one parameter, and append what holds its memory."""
    cdef Buffer parameter_buffer = Buffer(parameter, writable=True), grad_buffer = Buffer(grad)
    cdef Buffer kept
    cdef int k
    step.length = parameter_buffer.view.len // parameter_buffer.view.itemsize
    step.pieces = (step.length + CX_STRETCH - 1) // CX_STRETCH
    for k in range(9):
        step.given[k] = given[k] if k < len(given) else 0
    step.parameter, step.grad = parameter_buffer.view.buf, grad_buffer.view.buf
    for k in range(3):
        kept = held(state[k], writable=True)
        step.state[k] = memory_of(kept)
        buffers.append(kept)
    buffers.append((parameter_buffer, grad_buffer))
    return 0


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


def take_steps(str isa, str rule, steps, int threads):
    """Take one step of each of some parameters.

    Of each: a rule's numbers, the parameter, its gradient, and a state of three arrays or None.
    """
    cdef int64_t count = len(steps), pieces = 0, k
    cdef list buffers = []
    cdef Block block = borrow_scratch(count * <int64_t>sizeof(cx_step))
    cdef cx_step *described = <cx_step *>block.memory
    cdef cx_steps_job job
    for k in range(count):
        given, parameter, grad, state = steps[k]
        described[k].rule = RULES[rule]
        describe(&described[k], given, parameter, grad, state, buffers)
        described[k].first_piece = pieces
        pieces += described[k].pieces
    if threads > 1 and not are_apart(described, count, parameter.itemsize):
        threads = 1  # memory that is changed twice is changed in the order of the parameters
    job.count, job.steps = count, described
    share_out(sweeps_of(isa, parameter.dtype.char).steps, &job, pieces, threads)
    return_scratch(block)
