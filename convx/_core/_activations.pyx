"""Activations of whole arrays and softmax, with their gradients: contiguous arrays of one type."""

from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._kernels cimport (
    CX_ELU, CX_GELU, CX_GELU_TANH, CX_HARDSIGMOID, CX_HARDSWISH, CX_HARDTANH, CX_LEAKY_RELU,
    CX_LOGSIGMOID, CX_MISH, CX_RELU, CX_RELU6, CX_SIGMOID, CX_SILU, CX_SOFTPLUS, CX_TANH,
)
from convx._core._sweep cimport Sweep, new_sweep
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
    cdef const cx_sweeps *sweeps = sweeps_of(isa, x.dtype.char)
    cdef cx_activation_job job
    cdef Sweep sweep = new_sweep(&job, sizeof(job))
    cdef int k
    job.activation, job.length = ACTIVATIONS[name], x.size
    for k in range(3):
        job.given[k] = given[k] if k < len(given) else 0
    sweep.reads(&job.x, x)
    sweep.reads(&job.grad, grad)
    sweep.writes(&job.y, y)
    sweep.run(sweeps.activation if grad is None else sweeps.activation_gradient,
              stretches(job.length), threads)
    return sweep


def scale_negative(str isa, x, v, slopes, int64_t row, y, int threads):
    """Compute ``y = v`` where ``x > 0``, else v times a slope.

    Every ``row`` elements have one slope; there are as many as elements if that is 1, else they
    take turns.
    """
    cdef cx_slopes_job job
    cdef Sweep sweep = new_sweep(&job, sizeof(job))
    job.length, job.row, job.slopes_count = x.size, row, slopes.size
    sweep.reads(&job.x, x)
    sweep.reads(&job.v, v)
    sweep.reads(&job.slopes, slopes)
    sweep.writes(&job.y, y)
    sweep.run(sweeps_of(isa, x.dtype.char).slopes, stretches(job.length), threads)
    return sweep


def drop(str isa, x, double factor, int64_t dropped, tuple key, y, int threads):
    """Compute ``y = factor * x``, or 0 times x for ``dropped`` of 2**32 elements."""
    cdef cx_dropout_job job
    cdef Sweep sweep = new_sweep(&job, sizeof(job))
    job.length, job.factor, job.dropped = x.size, factor, dropped
    job.key[0], job.key[1] = key
    sweep.reads(&job.x, x)
    sweep.writes(&job.y, y)
    sweep.run(sweeps_of(isa, x.dtype.char).dropout, stretches(job.length), threads)


def softmax(str isa, bint logarithm, tuple shape, int64_t block, x, grad, y, int threads):
    """Compute a softmax along the middle one of three axes, or the gradient if one is given."""
    cdef cx_softmax_job job
    cdef Sweep sweep = new_sweep(&job, sizeof(job))
    job.logarithm, job.block = logarithm, block
    job.outer, job.length, job.inner = shape
    sweep.reads(&job.x, x)
    sweep.reads(&job.grad, grad)
    sweep.writes(&job.y, y)
    sweep.run(sweeps_of(isa, x.dtype.char).softmax,
              job.outer * ((job.inner + block - 1) // block), threads)
    return sweep
