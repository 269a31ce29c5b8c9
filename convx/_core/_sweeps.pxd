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

    ctypedef struct cx_copy_job:
        int64_t item
        int64_t x_rows
        int64_t y_rows
        int64_t x_row
        int64_t low
        int64_t inside
        int64_t high
        int64_t start
        const int64_t *rows
        const int64_t *ends
        const char *fill
        const char *x
        char *y

    ctypedef struct cx_fold_job:
        int64_t parts
        int64_t x_rows
        int64_t y_rows
        int64_t x_row
        int64_t low
        int64_t inside
        int64_t high
        int64_t start
        const int64_t *starts
        const int64_t *rows
        const int64_t *ends
        const void *y
        void *x

    ctypedef struct cx_resample_job:
        int64_t inputs
        int64_t outputs
        int64_t inner
        const int64_t *starts
        const int64_t *sources
        const void *weights
        const void *x
        void *y

    ctypedef struct cx_sweeps:
        cx_sweep activation
        cx_sweep copy
        cx_sweep fold
        cx_sweep resample

    const cx_sweeps *cx_sweeps_of(const char *isa, int dtype)
