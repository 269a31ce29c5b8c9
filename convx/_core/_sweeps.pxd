"""Declarations of kernels/sweeps.h."""

from libc.stdint cimport int64_t

from convx._core._parallel cimport cx_sweep


cdef extern from "sweeps.h" nogil:
    enum:
        CX_SWEEP_F32
        CX_SWEEP_F64
        CX_SWEEP_I64
        CX_STRETCH

    ctypedef struct cx_activation_job:
        int64_t activation
        double slope
        int64_t length
        const void *x
        void *y

    ctypedef struct cx_sweeps:
        cx_sweep activation

    const cx_sweeps *cx_sweeps_of(const char *isa, int dtype)
