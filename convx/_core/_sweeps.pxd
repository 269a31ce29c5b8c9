"""Declarations of kernels/sweeps.h."""

from libc.stdint cimport int64_t, uint32_t

from convx._core._parallel cimport cx_sweep


cdef extern from "sweeps.h" nogil:
    enum:
        CX_SWEEP_F32
        CX_SWEEP_F64
        CX_SWEEP_I64
        CX_STRETCH
        CX_SOFTMAX_BLOCK

    ctypedef struct cx_activation_job:
        int64_t activation
        double given[3]
        int64_t length
        const void *x
        const void *grad
        void *y

    ctypedef struct cx_slopes_job:
        int64_t length, row, slopes_count
        const void *x
        const void *v
        const void *slopes
        void *y

    ctypedef struct cx_dropout_job:
        int64_t length
        double factor
        int64_t dropped
        uint32_t key[2]
        const void *x
        void *y

    ctypedef struct cx_softmax_job:
        int64_t logarithm
        int64_t outer, length, inner, block
        const void *x
        const void *grad
        void *y

    ctypedef struct cx_sweeps:
        cx_sweep activation, activation_gradient, slopes, dropout, softmax

    const cx_sweeps *cx_sweeps_of(const char *isa, int dtype)
