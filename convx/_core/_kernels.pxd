"""Declarations of kernels/convx.h."""

from libc.stdint cimport int64_t


cdef extern from "convx.h" nogil:
    enum:
        CX_MAX_RANK
        CX_SLIDE_ROWS
        CX_ADDED
        CX_FORWARD
        CX_WEIGHT_GRADIENT
        CX_F32
        CX_F64
        CX_U32
        CX_U64
        CX_IDENTITY
        CX_RELU
        CX_RELU6
        CX_SILU
        CX_HARDSWISH
        CX_LEAKY_RELU
        CX_SIGMOID
        CX_TANH
        CX_ELU
        CX_GELU
        CX_GELU_TANH
        CX_HARDSIGMOID
        CX_HARDTANH
        CX_LOGSIGMOID
        CX_MISH
        CX_SOFTPLUS

    ctypedef struct cx_axis:
        int64_t outputs, phases, block, blocks, out_stride, in_size, in_stride, stride, step
        int64_t position_stride
        int64_t strands, tile_length
        const int64_t *strand_start
        const int64_t *strand_length
        const int64_t *halo
        int64_t halo_low, halo_length
        int64_t tile, points, pair_outputs
        const double *roots

    ctypedef struct cx_pass:
        int64_t rank
        const cx_axis *axes
        int64_t batch, groups, channels, filters
        int64_t in_batch, in_channel, out_batch, out_channel, out_origin
        int64_t weight_filter, weight_channel, weight_group, weight_size
        int64_t kernel_taps, taps
        const int64_t *tap_offset
        const int64_t *tap_weight
        int64_t taps_in_order, boxes, boxes_together, items, task_groups, filter_parts, row_parts
        int64_t channel_block, tap_block, tile_size, tile_rows, positions, narrowest
        int64_t far, in_place, strided, gathered, slide_rows, slide_columns, flat
        int64_t lanes, parts, interleaved, position_lanes, filter_vectors, fft_axes
        const int64_t *part
        int64_t winograd_tile, winograd_taps, winograd_axes, winograd_stride, in_passing
        int64_t sum_blocks, point_size

    ctypedef struct cx_call:
        const void *input
        const void *weight
        const void *packed
        const void *bias
        void *output
        void *sums
        int64_t *overflow
        int64_t first_step, steps
        const void *residual
        int64_t activation
        double slope

    ctypedef void (*cx_task)(
        const cx_pass *pass_, const cx_call *call, int64_t task, char *scratch) noexcept nogil

    ctypedef struct cx_kernels:
        int64_t lanes, narrowest, rows
        int64_t (*scratch_bytes)(const cx_pass *pass_, int kind) noexcept nogil
        cx_task pack, forward, weight_gradient, add_parts
        int64_t (*pack_tasks)(const cx_pass *pass_) noexcept nogil
        int64_t (*sums_size)(const cx_pass *pass_) noexcept nogil
        void (*finish)(const cx_call *call, int64_t outputs) noexcept nogil

    const char *cx_isa(int index)
    const cx_kernels *cx_kernels_of(const char *isa, int dtype)
    int cx_adds_beside()
    int cx_halves_pay()
    int64_t cx_l2_bytes()
