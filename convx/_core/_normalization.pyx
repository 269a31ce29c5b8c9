"""Normalisation: means and variances of segments, their application, and the gradients."""

from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport held, memory_of
from convx._core._parallel cimport cx_sweep, share_out
from convx._core._sweeps cimport (
    CX_NORM_APPLY, CX_NORM_CHUNK, CX_NORM_FINISH, CX_NORM_SUMS, CX_NORM_WHOLE, cx_norm_job,
)

from numpy import empty, zeros

# Groups of segments, at most, that sum up for the elements apart.
cdef enum:
    MOST_GROUPS = 16


def normalize(str isa, tuple layout, x, weight, bias, dy, y, double eps, bint of_input,
              mean, variance, int threads):
    """Normalise, or with ``dy`` put the gradient of ``x`` into ``y``; see kernels/sweeps.h.

    ``mean`` and ``variance`` are those to normalise by, or take those of the input. Returns None,
    or with ``dy`` the sums of dy and of dy * normalised x, for each run or each element: of shape
    (segments, runs, 2), or (groups of segments, 2, elements).
    """
    cdef cx_norm_job job
    (job.segments, job.segment_stride, job.runs, job.run_stride, job.run_length,
     job.by_element, job.period, job.segment_step, job.run_step) = layout
    cdef int64_t parts = job.runs * ((job.run_length + CX_NORM_CHUNK - 1) // CX_NORM_CHUNK)
    cdef bint backward = dy is not None
    job.segments_together = 1
    sums = run_sums = element_sums = slopes = partial = None
    if backward:
        run_sums = sums = empty((job.segments, job.runs, 2))
        slopes = empty((job.segments, 2))
        if job.by_element:
            job.segments_together = (job.segments + MOST_GROUPS - 1) // MOST_GROUPS
    cdef int64_t pieces = (job.segments + job.segments_together - 1) // job.segments_together
    if backward and job.by_element:
        element_sums = sums = zeros((pieces, 2, job.period * job.run_length))
    if of_input or backward:
        partial = empty((job.segments, parts, 4 if backward else 2))
    cdef list buffers = [
        held(x), held(weight), held(bias), held(dy), held(y, True), held(partial, True),
        held(mean, True), held(variance, True), held(run_sums, True), held(slopes, True),
        held(element_sums, True),
    ]
    job.eps, job.of_input = eps, of_input
    job.x, job.weight, job.bias = (
        memory_of(buffers[0]), memory_of(buffers[1]), memory_of(buffers[2]))
    job.dy, job.y, job.partial = (
        memory_of(buffers[3]), memory_of(buffers[4]), <double *>memory_of(buffers[5]))
    job.mean, job.variance = <double *>memory_of(buffers[6]), <double *>memory_of(buffers[7])
    job.run_sums, job.slopes = <double *>memory_of(buffers[8]), <double *>memory_of(buffers[9])
    job.element_sums = <double *>memory_of(buffers[10])
    cdef cx_sweep sweep = sweeps_of(isa, x.dtype.char).norm
    if pieces >= 4 * threads or parts == 1 or threads == 1 or job.segments_together > 1:
        job.phase = CX_NORM_WHOLE
        share_out(sweep, &job, pieces, threads)
        return sums
    if of_input or backward:
        job.phase = CX_NORM_SUMS
        share_out(sweep, &job, job.segments * parts, threads)
        job.phase = CX_NORM_FINISH
        share_out(sweep, &job, job.segments, 1)
    job.phase = CX_NORM_APPLY
    share_out(sweep, &job, job.segments * parts, threads)
    return sums
