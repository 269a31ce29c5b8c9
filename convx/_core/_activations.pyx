"""Activations of whole arrays and softmax, with their gradients: contiguous arrays of one type."""

from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._kernels cimport (
    CX_ELU, CX_GELU, CX_GELU_TANH, CX_HARDSIGMOID, CX_HARDSWISH, CX_HARDTANH, CX_LEAKY_RELU,
    CX_LOGSIGMOID, CX_MISH, CX_RELU, CX_RELU6, CX_SIGMOID, CX_SILU, CX_SOFTPLUS, CX_TANH,
)
from convx._core._memory cimport Buffer
from convx._core._parallel cimport cx_sweep, share_out
from convx._core._sweeps cimport (
    CX_SOFTMAX_BLOCK, CX_STRETCH, cx_activation_job, cx_dropout_job, cx_slopes_job, cx_softmax_job,
    cx_sweeps,
)

SOFTMAX_BLOCK = CX_SOFTMAX_BLOCK

cdef dict ACTIVATIONS = {
    "relu": CX_RELU, "relu6": CX_RELU6, "silu": CX_SILU, "hardswish": CX_HARDSWISH,
    "leaky_relu": CX_LEAKY_RELU, "sigmoid": CX_SIGMOID, "tanh": CX_TANH, "elu": CX_ELU,
    "gelu": CX_GELU, "gelu_tanh": CX_GELU_TANH, "hardsigmoid": CX_HARDSIGMOID,
    "hardtanh": CX_HARDTANH, "logsigmoid": CX_LOGSIGMOID, "mish": CX_MISH,
    "softplus": CX_SOFTPLUS,
}


cdef int64_t stretches(int64_t length):
    return (length + CX_STRETCH - 1) // CX_STRETCH


def activate(str isa, str name, tuple given, x, grad, y, int threads):
    """Compute ``y = activation(x)``, or the derivative at x times a gradient that is not None."""
    cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True), grad_buffer
    cdef const cx_sweeps *sweeps = sweeps_of(isa, x.dtype.char)
    cdef cx_sweep sweep = sweeps.activation
    cdef cx_activation_job job
    cdef int k
    job.activation, job.length = ACTIVATIONS[name], x.size
    for k in range(3):
        job.given[k] = given[k] if k < len(given) else 0
    job.x, job.grad, job.y = x_buffer.view.buf, NULL, y_buffer.view.buf
    if grad is not None:
        grad_buffer = Buffer(grad)
        job.grad, sweep = grad_buffer.view.buf, sweeps.activation_gradient
    share_out(sweep, &job, stretches(job.length), threads)


def scale_negative(str isa, x, v, slopes, int64_t row, y, int threads):
    """Compute ``y = v`` where ``x > 0``, else v times a slope.

    Every ``row`` elements have one slope; there are as many as elements if that is 1, else they
    take turns.
    """
    cdef Buffer x_buffer = Buffer(x), v_buffer = Buffer(v), slopes_buffer = Buffer(slopes)
    cdef Buffer y_buffer = Buffer(y, writable=True)
    cdef cx_slopes_job job
    job.length, job.row, job.slopes_count = x.size, row, slopes.size
    job.x, job.v, job.slopes = x_buffer.view.buf, v_buffer.view.buf, slopes_buffer.view.buf
    job.y = y_buffer.view.buf
    share_out(sweeps_of(isa, x.dtype.char).slopes, &job, stretches(job.length), threads)


def drop(str isa, x, double factor, int64_t dropped, tuple key, y, int threads):
    """Compute ``y = factor * x``, or 0 times x for ``dropped`` of 2**32 elements."""
    cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True)
    cdef cx_dropout_job job
    job.length, job.factor, job.dropped = x.size, factor, dropped
    job.key[0], job.key[1] = key
    job.x, job.y = x_buffer.view.buf, y_buffer.view.buf
    share_out(sweeps_of(isa, x.dtype.char).dropout, &job, stretches(job.length), threads)


def softmax(str isa, bint logarithm, tuple shape, int64_t block, x, grad, y, int threads):
    """Compute a softmax along the middle one of three axes, or the gradient if one is given."""
    cdef Buffer x_buffer = Buffer(x), y_buffer = Buffer(y, writable=True), grad_buffer
    cdef cx_softmax_job job
    cdef int64_t pieces
    job.logarithm, job.block = logarithm, block
    job.outer, job.length, job.inner = shape
    job.x, job.grad, job.y = x_buffer.view.buf, NULL, y_buffer.view.buf
    if grad is not None:
        grad_buffer = Buffer(grad)
        job.grad = grad_buffer.view.buf
    pieces = job.outer * ((job.inner + block - 1) // block)
    share_out(sweeps_of(isa, x.dtype.char).softmax, &job, pieces, threads)
