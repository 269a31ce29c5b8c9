"""Losses: softmax of logits, as some need it, and losses of pairs of elements."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t
from libc.string cimport memset

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport (
    Block, Buffer, borrow_scratch, hold_plain, new_result, return_scratch,
)
from convx._core._sweep cimport SHORT, Sweep, new_sweep
from convx._core._sweeps cimport (
    CX_ABSOLUTE_LOSS, CX_COLUMNS, CX_HUBER_LOSS, CX_LOGIT_LOSS, CX_PAIR_OPERANDS,
    CX_PROBABILITY_LOSS, CX_SQUARED_LOSS, CX_STRETCH, CX_WEIGHTED_LOGIT_LOSS, cx_pair_job,
    cx_softmax_loss_job, cx_sweeps,
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


# Scores that are added up one after the other: the sums of so many are added up then.
cdef enum:
    SCORES_TOGETHER = 128


cdef double sum_of_scores(Buffer scores, const int64_t *target, int64_t first,
                          int64_t end) noexcept:
    """Add up the scores of the classes of some rows."""
    cdef int64_t index, classes = scores.view.shape[1]
    cdef double total = 0
    if scores.view.itemsize == sizeof(float):
        for index in range(first, end):
            total += (<const float *>scores.view.buf)[index * classes + target[index]]
    else:
        for index in range(first, end):
            total += (<const double *>scores.view.buf)[index * classes + target[index]]
    return total


def total_score(x, target):
    """Add up the scores of the classes: arrays of float or double and of what `are_classes`."""
    cdef Buffer scores = Buffer(x), classes = Buffer(target)
    cdef int64_t first, length = scores.view.shape[0]
    cdef double total = 0
    for first in range(0, length, SCORES_TOGETHER):
        total += sum_of_scores(scores, <const int64_t *>classes.view.buf, first,
                               min(first + SCORES_TOGETHER, length))
    return total


cdef bint hold_logits(x, target, Py_buffer *logits, Py_buffer *classes) except -1:
    """Hold plain logits (N, C), few enough for one thread, and their classes; tell if so."""
    if not are_classes(x, target) or not hold_plain(x, False, logits):
        return False
    if 0 < logits.len < SHORT:
        PyObject_GetBuffer(target, classes, PyBUF_C_CONTIGUOUS)
        return True
    PyBuffer_Release(logits)
    return False


cdef cx_softmax_loss_job plain_job(const Py_buffer *logits, const Py_buffer *classes) noexcept:
    """A job without results."""
    cdef cx_softmax_loss_job job
    memset(&job, 0, sizeof(job))
    job.classes, job.inner = logits.shape[1], 1
    job.x, job.target = logits.buf, <const int64_t *>classes.buf
    return job


cdef int compute(const cx_sweeps *sweeps, const cx_softmax_loss_job *job, int64_t rows) except -1:
    """Run a job in one go."""
    with nogil:
        sweeps.softmax_loss(job, 0, rows, NULL)
    return 0


def plain_losses(str isa, x, target):
    """Return the cross entropy of each row of plain, not too many logits (N, C), None of others."""
    cdef Py_buffer logits, classes
    cdef cx_softmax_loss_job job
    cdef Buffer result
    if not hold_logits(x, target, &logits, &classes):
        return None
    try:
        losses = new_result((logits.shape[0],), x.dtype)
        result = Buffer(losses, writable=True)
        job = plain_job(&logits, &classes)
        job.loss = result.view.buf
        compute(sweeps_of(isa, chr(logits.format[0])), &job, logits.shape[0])
    finally:
        PyBuffer_Release(&logits)
        PyBuffer_Release(&classes)
    return losses


def plain_slopes(str isa, x, target, double grad_output):
    """Return the gradient of the mean of `plain_losses`, None where there are none."""
    cdef Py_buffer logits, classes
    cdef cx_softmax_loss_job job
    cdef Block each
    cdef Buffer result
    cdef int64_t row
    if not hold_logits(x, target, &logits, &classes):
        return None
    try:
        y = new_result(x.shape, x.dtype)
        each = borrow_scratch(logits.shape[0] * logits.itemsize)
        for row in range(logits.shape[0]):
            if logits.itemsize == sizeof(float):
                (<float *>each.memory)[row] = <float>(grad_output / logits.shape[0])
            else:
                (<double *>each.memory)[row] = grad_output / logits.shape[0]
        job = plain_job(&logits, &classes)
        job.factor = job.taken = each.memory
        result = Buffer(y, writable=True)
        job.y = result.view.buf
        compute(sweeps_of(isa, chr(logits.format[0])), &job, logits.shape[0])
        return_scratch(each)
    finally:
        PyBuffer_Release(&logits)
        PyBuffer_Release(&classes)
    return y


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


cdef Sweep describe_pairs(cx_pair_job *job, str loss, tuple given, tuple lines, double less,
                          double factor, int64_t length):
    """Fill a job but for its results."""
    cdef Sweep sweep = new_sweep(job, sizeof(cx_pair_job))
    cdef int k
    job.loss, job.length, job.less, job.factor = PAIR_LOSSES[loss], length, less, factor
    job.given[0], job.given[1] = given if given else (0, 0)
    for k in range(CX_PAIR_OPERANDS):
        sweep.reads(&job.operand[k].elements, lines[k])
        job.operand[k].step = 0 if lines[k] is None else lines[k].size == length
    return sweep


def pair_loss(str isa, str loss, tuple given, tuple lines, double less, double factor,
              int64_t length, y, sums, int threads):
    """Compute the losses, less a number, times weight, gradient and factor.

    Lines are those of input, target, weight of the positive class, weight, and gradient; the last
    three may be None. A line that does not have ``length`` elements has a stretch of one value.
    Losses go to ``y``, or if that is None the sum of each stretch to ``sums``.
    """
    cdef cx_pair_job job
    cdef Sweep sweep = describe_pairs(&job, loss, given, lines, less, factor, length)
    sweep.writes(&job.y[0], y)
    job.y[1] = NULL
    sweep.writes(<void **>&job.sums, sums)
    sweep.run(sweeps_of(isa, lines[0].dtype.char).pair_loss,
              (length + CX_STRETCH - 1) // CX_STRETCH, threads)
    return sweep


def pair_slopes(str isa, str loss, tuple given, tuple lines, double factor, int64_t length,
                by_input, by_target, int threads):
    """Put the derivatives times weight, gradient and factor into those that are not None."""
    cdef cx_pair_job job
    cdef Sweep sweep = describe_pairs(&job, loss, given, lines, 0, factor, length)
    sweep.writes(&job.y[0], by_input)
    sweep.writes(&job.y[1], by_target)
    job.sums = NULL
    sweep.run(sweeps_of(isa, lines[0].dtype.char).pair_slopes,
              (length + CX_STRETCH - 1) // CX_STRETCH, threads)
    return sweep
