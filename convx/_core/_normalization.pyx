"""Normalisation: means and variances of segments, their application, and the gradients."""

from libc.stdint cimport int64_t

from convx._core._driver cimport Activation, sweeps_of
from convx._core._memory cimport held, memory_of
from convx._core._parallel cimport cx_sweep, share_out
from convx._core._sweeps cimport (
    CX_CHANNELS_TOGETHER, CX_NORM_APART, CX_NORM_APPLY, CX_NORM_CHUNK, CX_NORM_FINISH,
    CX_NORM_START, CX_NORM_SUMS, CX_NORM_WHOLE, cx_channel_norm_job, cx_norm_job,
)

from numpy import empty, zeros

# Groups of segments that sum up for the elements apart: at most so many, and of so many segments
# at least if there are more, for the sums take memory of four segments in float32. Fewer segments
# share out their chunks, so each has sums of its own.
cdef enum:
    MOST_GROUPS = 16
    SEGMENTS_OF_GROUP = 4

# Bytes of an array whose channels are normalised together: a few such arrays stay in the L2 cache.
cdef int64_t BYTES_TOGETHER = 2 ** 17


def normalize(str isa, tuple layout, x, weight, bias, dy, y, double eps, mean, variance,
              int threads):
    """Normalise, or with ``dy`` put the gradient of ``x`` into ``y``; see kernels/sweeps.h.

    ``mean`` and ``variance`` take those of each segment. Returns None, or with ``dy`` the sums of
    dy and of dy * normalised x, for each run or each element: of shape (segments, runs, 2), or
    (groups of segments, 2, elements).
    """
    cdef cx_norm_job job
    (job.segments, job.segment_stride, job.runs, job.run_stride, job.run_length,
     job.by_element, job.period, job.segment_step, job.run_step) = layout
    cdef int64_t parts = job.runs * ((job.run_length + CX_NORM_CHUNK - 1) // CX_NORM_CHUNK)
    cdef bint backward = dy is not None
    job.segments_together = 1
    sums = run_sums = element_sums = slopes = None
    if backward:
        run_sums = sums = empty((job.segments, job.runs, 2))
        slopes = empty((job.segments, 2))
        if job.by_element and job.segments > SEGMENTS_OF_GROUP:
            job.segments_together = max(
                SEGMENTS_OF_GROUP, (job.segments + MOST_GROUPS - 1) // MOST_GROUPS)
    cdef int64_t pieces = (job.segments + job.segments_together - 1) // job.segments_together
    if backward and job.by_element:
        element_sums = sums = zeros((pieces, 2, job.period * job.run_length))
    partial = empty((job.segments, parts, 4 if backward else 2))
    cdef list buffers = [
        held(x), held(weight), held(bias), held(dy), held(y, True), held(partial, True),
        held(mean, True), held(variance, True), held(run_sums, True), held(slopes, True),
        held(element_sums, True),
    ]
    job.eps = eps
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
    job.phase = CX_NORM_SUMS
    share_out(sweep, &job, job.segments * parts, threads)
    job.phase = CX_NORM_FINISH
    share_out(sweep, &job, job.segments, 1)
    job.phase = CX_NORM_APPLY
    share_out(sweep, &job, job.segments * parts, threads)
    return sums


def normalize_channels(str isa, x, tuple parameters, Activation activation, residual, dy, y,
                       grad_residual, double eps, bint of_input, bint finds_moments, mean, variance,
                       int threads):
    """Normalise channels of ``x`` (items, channels, inner), add a residual, and activate.

    With ``dy`` the gradient of ``x`` comes into ``y`` and that of the residual, where there is an
    activation, into ``grad_residual`` if that is not None. ``mean`` and ``variance`` are those to
    normalise by, or with ``finds_moments`` take those of the input. Returns None, or with ``dy``
    the sums of the gradient before the activation and of it times the normalised x, of shape
    (2, channels).
    """
    cdef cx_channel_norm_job job
    cdef int64_t together, groups
    job.items, job.channels, job.inner = x.shape
    job.chunks = (job.inner + CX_NORM_CHUNK - 1) // CX_NORM_CHUNK
    job.together = min(max(1, CX_NORM_CHUNK // job.inner), job.items)
    job.parts = (job.items + job.together - 1) // job.together * job.chunks
    cdef bint backward = dy is not None
    sums = empty((2, job.channels)) if backward else None
    partial = empty((job.channels, job.parts, 2)) if finds_moments or backward else None
    weight, bias = parameters
    cdef list buffers = [
        held(x), held(weight), held(bias), held(residual), held(dy), held(y, True),
        held(grad_residual, True), held(partial, True), held(mean, True), held(variance, True),
        held(sums, True),
    ]
    job.eps, job.of_input, job.finds_moments = eps, of_input, finds_moments
    job.activation, job.slope = activation.kind, activation.slope
    job.x, job.weight, job.bias, job.residual = (
        memory_of(buffers[0]), memory_of(buffers[1]), memory_of(buffers[2]), memory_of(buffers[3]))
    job.dy, job.y, job.grad_residual = (
        memory_of(buffers[4]), memory_of(buffers[5]), memory_of(buffers[6]))
    job.partial, job.mean, job.variance = (
        <double *>memory_of(buffers[7]), <double *>memory_of(buffers[8]),
        <double *>memory_of(buffers[9]))
    job.channel_sums = <double *>memory_of(buffers[10])
    cdef cx_sweep sweep = sweeps_of(isa, x.dtype.char).channel_norm
    together = job.items if of_input else job.together
    job.channels_together = max(1, min(
        BYTES_TOGETHER // (together * job.inner * <int64_t>x.itemsize),
        job.channels // threads, CX_CHANNELS_TOGETHER))
    groups = (job.channels + job.channels_together - 1) // job.channels_together
    if not of_input:
        run_phase(sweep, &job, CX_NORM_APART, groups * job.parts, threads)
        if backward:
            run_phase(sweep, &job, CX_NORM_FINISH, job.channels, 1)
        return sums
    if job.channels >= 4 * threads or job.parts == 1 or threads == 1:
        run_phase(sweep, &job, CX_NORM_WHOLE, groups, threads)
        return sums
    if finds_moments:
        job.dy = NULL
        run_phase(sweep, &job, CX_NORM_START, job.channels, 1)
        run_phase(sweep, &job, CX_NORM_SUMS, job.channels * job.parts, threads)
        run_phase(sweep, &job, CX_NORM_FINISH, job.channels, 1)
        job.dy = memory_of(buffers[4])
    if backward:
        run_phase(sweep, &job, CX_NORM_SUMS, job.channels * job.parts, threads)
        run_phase(sweep, &job, CX_NORM_FINISH, job.channels, 1)
    run_phase(sweep, &job, CX_NORM_APPLY, job.channels * job.parts, threads)
    return sums


cdef int run_phase(cx_sweep sweep, cx_channel_norm_job *job, int64_t phase, int64_t pieces,
                   int threads) except -1:
    job.phase = phase
    return share_out(sweep, job, pieces, threads)
