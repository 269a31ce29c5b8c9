"""Normalisation: means and variances of segments, their application, and the gradients."""

from libc.stdint cimport int64_t

from convx._core._driver cimport Activation, sweeps_of
from convx._core._parallel cimport cx_sweep
from convx._core._sweep cimport Sweep, new_sweep
from convx._core._sweeps cimport (
    CX_CHANNELS_TOGETHER, CX_COLUMNS_TOGETHER, CX_NORM_APART, CX_NORM_APPLY, CX_NORM_CHUNK,
    CX_NORM_FINISH, CX_NORM_START, CX_NORM_SUMS, CX_NORM_WHOLE, cx_channel_norm_job,
    cx_norm_job,
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

    ``mean`` and ``variance`` take those of each segment, if they are not None. Returns the sweep
    and None, or with ``dy`` the sums of dy and of dy * normalised x, for each run or each element:
    of shape (segments, runs, 2), or (groups of segments, 2, elements).
    """
    cdef cx_norm_job job
    cdef Sweep sweep = new_sweep(&job, sizeof(job))
    (job.segments, job.segment_stride, job.runs, job.run_stride, job.run_length,
     job.by_element, job.period, job.segment_step, job.run_step) = layout
    cdef int64_t parts = job.runs * ((job.run_length + CX_NORM_CHUNK - 1) // CX_NORM_CHUNK)
    cdef bint backward = dy is not None
    job.segments_together = 1
    if backward and job.by_element and job.segments > SEGMENTS_OF_GROUP:
        job.segments_together = max(
            SEGMENTS_OF_GROUP, (job.segments + MOST_GROUPS - 1) // MOST_GROUPS)
    cdef int64_t pieces = (job.segments + job.segments_together - 1) // job.segments_together
    job.eps, job.run_sums, job.slopes, job.element_sums = eps, NULL, NULL, NULL
    sweep.reads(&job.x, x)
    sweep.reads(&job.weight, weight)
    sweep.reads(&job.bias, bias)
    sweep.reads(&job.dy, dy)
    sweep.writes(&job.y, y)
    sweep.needs(&job.partial, job.segments * parts * (4 if backward else 2))
    if mean is None:
        sweep.needs(&job.mean, job.segments)
        sweep.needs(&job.variance, job.segments)
    else:
        sweep.writes(<void **>&job.mean, mean)
        sweep.writes(<void **>&job.variance, variance)
    sums = None
    if backward:
        sweep.needs(&job.slopes, job.segments * 2)
        if job.by_element:
            sums = zeros((pieces, 2, job.period * job.run_length))
            sweep.needs(&job.run_sums, job.segments * job.runs * 2)
            sweep.sums_up(&job.element_sums, sums)
        else:
            sums = empty((job.segments, job.runs, 2))
            sweep.writes(<void **>&job.run_sums, sums)
    cdef cx_sweep function = sweeps_of(isa, x.dtype.char).norm
    if pieces >= 4 * threads or parts == 1 or threads == 1 or job.segments_together > 1:
        job.phase = CX_NORM_WHOLE
        sweep.run(function, pieces, threads)
        return sweep, sums
    job.phase = CX_NORM_SUMS
    sweep.run(function, job.segments * parts, threads)
    job.phase = CX_NORM_FINISH
    sweep.run(function, job.segments, 1)
    job.phase = CX_NORM_APPLY
    sweep.run(function, job.segments * parts, threads)
    return sweep, sums


def normalize_channels(str isa, x, tuple parameters, Activation activation, residual, dy, y,
                       grad_residual, double eps, bint of_input, bint finds_moments, mean, variance,
                       tuple running, double momentum, int threads):
    """Normalise channels of ``x`` (items, channels, inner), add a residual, and activate.

    With ``dy`` the gradient of ``x`` comes into ``y`` and that of the residual, where there is an
    activation, into ``grad_residual`` if that is not None. ``mean`` and ``variance`` are those to
    normalise by, or with ``finds_moments`` take those of the input, which those of ``running``, of
    the type of ``x`` or None, follow then. Returns the sweep and None, or
    with ``dy`` the sums of the gradient before the activation and of it times the normalised x, of
    shape (2, channels).
    """
    cdef cx_channel_norm_job job
    cdef Sweep sweep = new_sweep(&job, sizeof(job))
    cdef int64_t together, groups
    job.items, job.channels, job.inner = x.shape
    job.chunks = (job.inner + CX_NORM_CHUNK - 1) // CX_NORM_CHUNK
    job.together = min(max(1, CX_NORM_CHUNK // job.inner), job.items)
    job.parts = (job.items + job.together - 1) // job.together * job.chunks
    cdef bint backward = dy is not None
    sums = empty((2, job.channels)) if backward else None
    weight, bias = parameters
    job.eps, job.of_input, job.finds_moments = eps, of_input, finds_moments
    job.activation, job.slope, job.partial = activation.kind, activation.slope, NULL
    job.momentum = momentum
    sweep.reads(&job.x, x)
    sweep.reads(&job.weight, weight)
    sweep.reads(&job.bias, bias)
    sweep.reads(&job.residual, residual)
    sweep.reads(&job.dy, dy)
    sweep.writes(&job.y, y)
    sweep.writes(&job.grad_residual, grad_residual)
    if finds_moments or backward:
        sweep.needs(&job.partial, job.channels * job.parts * 2)
    if finds_moments:
        sweep.writes(<void **>&job.mean, mean)
        sweep.writes(<void **>&job.variance, variance)
    else:
        sweep.reads_as_doubles(&job.mean, mean)
        sweep.reads_as_doubles(&job.variance, variance)
    sweep.updates(&job.running_mean, running[0])
    sweep.updates(&job.running_variance, running[1])
    sweep.writes(<void **>&job.channel_sums, sums)
    cdef const void *gradient = job.dy
    cdef cx_sweep function = sweeps_of(isa, x.dtype.char).channel_norm
    if job.inner == 1:
        job.channels_together = min(
            max(CX_CHANNELS_TOGETHER, job.channels // threads), CX_COLUMNS_TOGETHER)
    else:
        together = job.items if of_input else job.together
        job.channels_together = max(1, min(
            BYTES_TOGETHER // (together * job.inner * <int64_t>x.itemsize),
            job.channels // threads, CX_CHANNELS_TOGETHER))
    groups = (job.channels + job.channels_together - 1) // job.channels_together
    if not of_input:
        job.phase = CX_NORM_APART
        sweep.run(function, groups * job.parts, threads)
        if backward:
            job.phase = CX_NORM_FINISH
            sweep.run(function, job.channels, 1)
        return sweep, sums
    if job.channels >= 4 * threads or job.parts == 1 or threads == 1:
        job.phase = CX_NORM_WHOLE
        sweep.run(function, groups, threads)
        return sweep, sums
    if finds_moments:
        job.dy = NULL
        job.phase = CX_NORM_START
        sweep.run(function, job.channels, 1)
        job.phase = CX_NORM_SUMS
        sweep.run(function, job.channels * job.parts, threads)
        job.phase = CX_NORM_FINISH
        sweep.run(function, job.channels, 1)
        job.dy = gradient
    if backward:
        job.phase = CX_NORM_SUMS
        sweep.run(function, job.channels * job.parts, threads)
        job.phase = CX_NORM_FINISH
        sweep.run(function, job.channels, 1)
    job.phase = CX_NORM_APPLY
    sweep.run(function, job.channels * job.parts, threads)
    return sweep, sums
