"""Losses: softmax of logits, as some need it, and losses of pairs of elements."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Buffer
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
