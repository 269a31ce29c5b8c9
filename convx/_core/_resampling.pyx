"""Weighted sums along one axis."""

from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Buffer
from convx._core._parallel cimport share_out
from convx._core._sweeps cimport cx_resample_job


def resample(str isa, starts, sources, weights, x, y, int threads):
    """Compute the outputs of a table, for contiguous arrays of shape (lines, size, inner)."""
    cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True)
    cdef Buffer starts_buffer = Buffer(starts), sources_buffer = Buffer(sources)
    cdef Buffer weights_buffer = Buffer(weights)
    cdef int64_t lines
    cdef cx_resample_job job
    lines, job.inputs, job.inner = x.shape
    job.outputs = y.shape[1]
    job.starts = <const int64_t *>starts_buffer.view.buf
    job.sources = <const int64_t *>sources_buffer.view.buf
    job.weights, job.x, job.y = weights_buffer.view.buf, x_buffer.view.buf, y_buffer.view.buf
    share_out(sweeps_of(isa, x.dtype.char).resample, &job,
              lines if job.inner == 1 else lines * job.outputs, threads)
