"""Steps of optimisers: contiguous arrays of one type, the parameter and its state in place."""

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Buffer, held, memory_of
from convx._core._parallel cimport share_out
from convx._core._sweeps cimport CX_ADAM, CX_RMSPROP, CX_SGD, CX_STRETCH, cx_step_job

cdef dict RULES = {"sgd": CX_SGD, "adam": CX_ADAM, "rmsprop": CX_RMSPROP}


def step(str isa, str rule, tuple given, parameter, grad, tuple state, int threads):
    """Take one step: ``given`` are a rule's numbers, ``state`` three arrays or None for each."""
    cdef Buffer parameter_buffer = Buffer(parameter, writable=True), grad_buffer = Buffer(grad)
    cdef Buffer first = held(state[0], writable=True), second = held(state[1], writable=True)
    cdef Buffer third = held(state[2], writable=True)
    cdef cx_step_job job
    cdef int k
    job.rule, job.length = RULES[rule], parameter.size
    for k in range(9):
        job.given[k] = given[k] if k < len(given) else 0
    job.parameter, job.grad = parameter_buffer.view.buf, grad_buffer.view.buf
    job.state[0], job.state[1] = memory_of(first), memory_of(second)
    job.state[2] = memory_of(third)
    share_out(sweeps_of(isa, parameter.dtype.char).step, &job,
              (job.length + CX_STRETCH - 1) // CX_STRETCH, threads)
