"""Activations of whole arrays."""

from libc.stdint cimport int64_t

from convx._core._driver cimport Activation, sweeps_of
from convx._core._memory cimport Buffer
from convx._core._parallel cimport share_out
from convx._core._sweeps cimport CX_STRETCH, cx_activation_job


def activate(str isa, Activation activation, x, y, int threads):
    """Compute ``y = activation(x)``, for contiguous arrays of one element type."""
    cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True)
    cdef cx_activation_job job
    job.activation, job.slope, job.length = activation.kind, activation.slope, x.size
    job.x, job.y = x_buffer.view.buf, y_buffer.view.buf
    cdef int64_t pieces = (job.length + CX_STRETCH - 1) // CX_STRETCH
    share_out(sweeps_of(isa, x.dtype.name).activation, &job, pieces, threads)
