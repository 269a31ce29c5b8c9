"""Losses: softmax of logits, as some need it, and losses of pairs of elements."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Buffer, held, memory_of
from convx._core._parallel cimport share_out
from convx._core._sweep cimport Sweep, new_sweep
from convx._core._sweeps cimport (
    CX_ABSOLUTE_LOSS, CX_COLUMNS, CX_HUBER_LOSS, CX_LOGIT_LOSS, CX_PAIR_OPERANDS,
    CX_PROBABILITY_LOSS, CX_SQUARED_LOSS, CX_STRETCH, CX_WEIGHTED_LOGIT_LOSS, cx_pair_job,
    cx_softmax_loss_job,
)

from numpy import dtype, ndarray

STRETCH = CX_STRETCH

cdef object CLASSES = dtype("int64")

cdef dict PAIR_LOSSES = {
    "squared": CX_SQUARED_LOSS, "absolute": CX_ABSOLUTE_LOSS, "huber": CX_HUBER_LOSS,
    "probability": CX_PROBABILITY_LOSS, "logit": CX_LOGIT_LOSS,
    "weighted_logit": CX_WEIGHTED_LOGIT_LOSS,
}


def are_classes(scores, target):
    """Tell whether a plain array has a class, as an int64, for each row of scores (N, C)."""
    cdef Py_buffer view
    cdef const int64_t *element
    cdef int64_t index, classes
    cdef bint are_plain
    if type(target) is not ndarray or type(scores) is not ndarray or scores.ndim != 2:
        return False
    if target.dtype is not CLASSES:
        return False
    try:
        PyObject_GetBuffer(target, &view, PyBUF_C_CONTIGUOUS)
    except (BufferError, ValueError):
        return False
    length, classes = scores.shape
    are_plain = view.ndim == 1 and view.shape[0] == length
    are_plain = are_plain and <size_t>view.buf % sizeof(int64_t) == 0
    element = <const int64_t *>view.buf
    if are_plain:
        for index in range(view.shape[0]):
            are_plain = are_plain and 0 <= element[index] < classes
    PyBuffer_Release(&view)
    return are_plain


def softmax_loss(str isa, x, target, peak, total, loss, y, factor, taken, int threads):
    """Of logits (outer, classes, inner) find maximum, sum of exponentials, and target's loss.

    With ``y``, also put there ``factor * softmax``, less ``taken`` at the target. All others are
    of one element of the type of ``x`` for each column, but the target, of int64. What is None is
    not found; maximum and sum are both or neither.
    """
    cdef cx_softmax_loss_job job
    cdef Sweep sweep = new_sweep(&job, sizeof(job))
    job.classes, job.inner = x.shape[1], x.shape[2]
    sweep.reads(&job.x, x)
    sweep.reads(<const void **>&job.target, target)
    sweep.reads(&job.factor, factor)
    sweep.reads(&job.taken, taken)
    sweep.writes(&job.peak, peak)
    sweep.writes(&job.total, total)
    sweep.writes(&job.loss, loss)
    sweep.writes(&job.y, y)
    cdef int64_t outer = x.shape[0]
    sweep.run(sweeps_of(isa, x.dtype.char).softmax_loss,
              outer * ((job.inner + CX_COLUMNS - 1) // CX_COLUMNS), threads)
    return sweep


cdef list describe_pairs(cx_pair_job *job, str loss, tuple given, tuple lines, double less,
                         double factor, int64_t length):
    """Fill a job but for its results; returns what holds the memory of its lines."""
    cdef list buffers = []
    cdef Buffer buffer
    cdef int k
    job.loss, job.length, job.less, job.factor = PAIR_LOSSES[loss], length, less, factor
    job.given[0], job.given[1] = given if given else (0, 0)
    for k in range(CX_PAIR_OPERANDS):
        buffer = held(lines[k])
        job.operand[k].elements = memory_of(buffer)
        job.operand[k].step = 0 if buffer is None else lines[k].size == length
        buffers.append(buffer)
    return buffers


def pair_loss(str isa, str loss, tuple given, tuple lines, double less, double factor,
              int64_t length, y, int threads):
    """Compute the losses, less a number, times weight, gradient and factor, into ``y``.

    Lines are those of input, target, weight of the positive class, weight, and gradient; the last
    three may be None. A line that does not have ``length`` elements has a stretch of one value.
    Without ``y`` the sum is returned, of double precision.
    """
    cdef cx_pair_job job
    cdef list buffers = describe_pairs(&job, loss, given, lines, less, factor, length)
    cdef Buffer y_buffer = held(y, writable=True)
    cdef int64_t stretches = (length + CX_STRETCH - 1) // CX_STRETCH, k
    cdef double total = 0
    job.y[0], job.y[1], job.sums = memory_of(y_buffer), NULL, NULL
    if y is None:
        job.sums = <double *>calloc(max(stretches, 1), sizeof(double))
        if not job.sums:
            raise MemoryError(f"no memory for the sums of {stretches} stretches")
    try:
        share_out(sweeps_of(isa, lines[0].dtype.name).pair_loss, &job, stretches, threads)
        if y is None:
            for k in range(stretches):
                total += job.sums[k]
    finally:
        free(job.sums)
    del buffers[:]
    return total


def pair_slopes(str isa, str loss, tuple given, tuple lines, double factor, int64_t length,
                by_input, by_target, int threads):
    """Put the derivatives times weight, gradient and factor into those that are not None."""
    cdef cx_pair_job job
    cdef list buffers = describe_pairs(&job, loss, given, lines, 0, factor, length)
    cdef Buffer input_buffer = held(by_input, writable=True)
    cdef Buffer target_buffer = held(by_target, writable=True)
    job.y[0], job.y[1], job.sums = memory_of(input_buffer), memory_of(target_buffer), NULL
    share_out(sweeps_of(isa, lines[0].dtype.name).pair_slopes, &job,
              (length + CX_STRETCH - 1) // CX_STRETCH, threads)
    del buffers[:]
