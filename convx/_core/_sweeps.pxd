"""Declarations of kernels/sweeps.h."""

from libc.stdint cimport int64_t

from convx._core._parallel cimport cx_sweep


cdef extern from "sweeps.h" nogil:
    enum:
        CX_SWEEP_F32
        CX_SWEEP_F64
        CX_SWEEP_I64
        CX_STRETCH
        CX_POOL_SUM
        CX_POOL_MAX
        CX_SCATTER_SET
        CX_SCATTER_ADD
        CX_SCATTER_BACK

    ctypedef struct cx_activation_job:
        int64_t activation
        double slope
        int64_t length
        const void *x
        void *y

    ctypedef struct cx_pool_axis:
        int64_t size, outputs
        const int64_t *start
        const int64_t *count
        const double *divisor
        int64_t tables_stride, step, taps, stride, low, longest

    ctypedef struct cx_pool_job:
        int64_t axes
        const cx_pool_axis *axis
        int64_t reducer, plane_size, plane_outputs, rows, piece_rows, pieces, window_rows
        int64_t segment, queue_rows, line
        const void *x
        void *y
        int64_t *indices
        const void *grad
        const cx_pool_job *adjoint

    ctypedef struct cx_scatter_job:
        int64_t how, plane_size, plane_outputs
        const int64_t *indices
        void *x
        void *y

    ctypedef struct cx_sweeps:
        cx_sweep activation
        cx_sweep pool
        cx_sweep pool_sum_gradient
        cx_sweep pool_max_gradient
        cx_sweep scatter

    const cx_sweeps *cx_sweeps_of(const char *isa, int dtype)
