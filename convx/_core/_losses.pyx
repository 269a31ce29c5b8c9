"""Softmax of logits, as losses need it."""

from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Buffer, held, memory_of
from convx._core._parallel cimport share_out
from convx._core._sweeps cimport CX_COLUMNS, cx_softmax_loss_job


def softmax_loss(str isa, x, target, peak, total, picked, y, factor, taken, int threads):
    """Of logits (outer, classes, inner) find maximum, sum of exponentials, and target's logit.

    With ``y``, also put there ``factor * softmax``, less ``taken`` at the target. All others are
    of one element of the type of ``x`` for each column, but the target, of int64.
    """
    cdef Buffer x_buffer = Buffer(x), target_buffer = held(target)
    cdef Buffer peak_buffer = Buffer(peak, writable=True)
    cdef Buffer total_buffer = Buffer(total, writable=True)
    cdef Buffer picked_buffer = held(picked, writable=True), y_buffer = held(y, writable=True)
    cdef Buffer factor_buffer = held(factor), taken_buffer = held(taken)
    cdef cx_softmax_loss_job job
    job.classes, job.inner = x.shape[1], x.shape[2]
    job.x, job.target = x_buffer.view.buf, <const int64_t *>memory_of(target_buffer)
    job.peak, job.total = peak_buffer.view.buf, total_buffer.view.buf
    job.picked, job.y = memory_of(picked_buffer), memory_of(y_buffer)
    job.factor, job.taken = memory_of(factor_buffer), memory_of(taken_buffer)
    cdef int64_t outer = x.shape[0]
    share_out(sweeps_of(isa, x.dtype.char).softmax_loss, &job,
              outer * ((job.inner + CX_COLUMNS - 1) // CX_COLUMNS), threads)
