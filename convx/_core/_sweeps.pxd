"""Declarations of kernels/sweeps.h."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from convx._core._parallel cimport cx_sweep


cdef extern from "sweeps.h" nogil:
    enum:
        CX_SWEEP_F32
        CX_SWEEP_F64
        CX_SWEEP_I64
        CX_SWEEP_U8
        CX_STRETCH
        CX_SOFTMAX_BLOCK
        CX_POOL_SUM
        CX_POOL_MAX
        CX_SCATTER_SET
        CX_SCATTER_ADD
        CX_SCATTER_BACK

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

    enum:
        CX_NORM_CHUNK
        CX_NORM_WHOLE
        CX_NORM_SUMS
        CX_NORM_FINISH
        CX_NORM_APPLY
        CX_NORM_START
        CX_NORM_APART
        CX_CHANNELS_TOGETHER
        CX_COLUMNS_TOGETHER
        CX_COLUMNS

    ctypedef struct cx_spectral_job:
        int64_t rows, columns, along, chained, tile_rows, tile_columns
        int64_t tiles_down, tiles_along, padded_rows
        const int64_t *row_source
        int64_t low, inside, high
        const int64_t *low_source
        const int64_t *high_source
        int64_t x_item, x_row, y_item, out_rows, out_columns
        const int64_t *row_target
        const void *row_roots
        const void *place_roots
        const void *turns
        const void *lane_roots
        const void *chain
        const void *x
        const void *x_imaginary
        void *spectrum
        void *y
        void *y_imaginary
        int64_t *overflow

    ctypedef struct cx_kernel_job:
        cx_spectral_job tiles
        int64_t stage, taps, rows, row_taps
        const int64_t *place
        const void *real
        const void *imaginary
        void *lines

    ctypedef struct cx_norm_job:
        int64_t phase
        int64_t segments, segment_stride, segments_together
        int64_t runs, run_stride, run_length
        int64_t by_element, period, segment_step, run_step
        double eps
        const void *x
        const void *weight
        const void *bias
        const void *dy
        void *y
        double *partial
        double *mean
        double *variance
        double *run_sums
        double *slopes
        double *element_sums

    ctypedef struct cx_channel_norm_job:
        int64_t phase
        int64_t items, channels, inner
        int64_t channels_together, together, chunks, parts
        int64_t of_input, finds_moments, activation
        double slope, eps, momentum
        const void *x
        const void *weight
        const void *bias
        const void *residual
        const void *dy
        void *y
        void *grad_residual
        double *partial
        double *mean
        double *variance
        void *running_mean
        void *running_variance
        double *channel_sums

    ctypedef struct cx_softmax_loss_job:
        int64_t classes, inner
        const void *x
        const int64_t *target
        const void *factor
        const void *taken
        void *peak
        void *total
        void *loss
        void *y

    enum:
        CX_SQUARED_LOSS
        CX_ABSOLUTE_LOSS
        CX_HUBER_LOSS
        CX_PROBABILITY_LOSS
        CX_LOGIT_LOSS
        CX_WEIGHTED_LOGIT_LOSS
        CX_PAIR_OPERANDS

    ctypedef struct cx_pair_operand:
        const void *elements
        int64_t step

    ctypedef struct cx_pair_job:
        int64_t loss, length
        double given[2]
        double less, factor
        cx_pair_operand operand[5]
        void *y[2]
        double *sums

    enum:
        CX_BLOCK_ALIGNMENT
        CX_BLOCK_ROWS

    ctypedef struct cx_pool_axis:
        int64_t size, outputs
        const int64_t *start
        const int64_t *count
        const double *divisor
        int64_t divisor_step
        int64_t tables_stride, step, taps, stride, low, longest

    ctypedef struct cx_pool_job:
        int64_t axes
        const cx_pool_axis *axis
        int64_t reducer, plane_size, plane_outputs, planes, rows, piece_rows, pieces, window_rows
        int64_t segment, queue_rows, block_rows, block_pitch, asks_ahead, spread_rows
        int64_t spread_pitch, line
        double halves
        const void *x
        void *y
        int64_t *indices
        const void *grad
        const cx_pool_job *adjoint

    ctypedef struct cx_scatter_job:
        int64_t how, planes, plane_size, plane_outputs, least, asks_ahead
        const cx_pool_job *cells
        const int64_t *indices
        void *x
        void *y
        int64_t *wrong

    enum:
        CX_SGD
        CX_ADAM
        CX_RMSPROP

    ctypedef struct cx_step:
        int64_t rule, length, first_piece, pieces
        double given[9]
        const void *grad
        void *parameter
        void *state[3]

    ctypedef struct cx_steps_job:
        int64_t count
        const cx_step *steps

    enum:
        CX_FILTER_KEEP
        CX_FILTER_WEIGHTS
        CX_FILTER_MEAN
        CX_FILTER_MAX
        CX_FILTER_MIN
        CX_FILTER_LEVELS
        CX_IS_F32
        CX_IS_F64
        CX_IS_BOOL
        CX_IS_I8
        CX_IS_U8
        CX_IS_I16
        CX_IS_U16
        CX_IS_I32
        CX_IS_U32
        CX_IS_I64
        CX_IS_U64

    ctypedef struct cx_filter_axis:
        int64_t what, size, taps, dilation, low, symmetry
        const void *weights
        const int64_t *sources

    ctypedef struct cx_filter_job:
        cx_filter_axis plane, row, line
        int64_t inner, out_length, band, bands, step, copies, segment, segments, adds, exact
        int64_t x_type, y_type, x_item, y_item, pitch, tile, fills
        double fill
        const void *x
        void *y

    ctypedef struct cx_footprint_job:
        int64_t what, taps, length, exact, rows
        const int64_t *offsets
        const int64_t *starts
        const void *weights
        int64_t y_type, y_item
        const void *x
        void *y

    enum:
        CX_MEDIAN_BYTES
        CX_TILE_PLACES
        CX_SPECTRAL_GAP

    enum:
        CX_INTERLEAVED

    ctypedef struct cx_interleave_job:
        int64_t items, item, present, rows, length, step
        const int64_t *row
        const void *source "from"
        void *to

    ctypedef struct cx_line_pool_job:
        int64_t items, blocks
        double factor
        void *x
        void *y
        uint8_t *passes

    ctypedef struct cx_plane_sums_job:
        int64_t size, items
        const void *x
        void *sums

    ctypedef struct cx_row_sums_job:
        int64_t rows, columns
        const void *x
        void *y

    enum: CX_MATRIX_COLUMNS

    ctypedef struct cx_matrix_job:
        int64_t rows, columns, depth
        int64_t a_row, a_step, b_step
        int64_t parts, room
        const void *a
        const void *b
        const void *bias
        void *turned
        void *y

    ctypedef struct cx_sweeps:
        cx_sweep activation, activation_gradient, slopes, dropout, softmax
        cx_sweep steps
        cx_sweep pair_loss, pair_slopes
        cx_sweep norm, channel_norm, softmax_loss
        cx_sweep copy, fold, resample
        cx_sweep interleave, separate, line_pool, line_spread
        cx_sweep plane_sums, row_sums
        cx_sweep spectral, spectral_kernel
        cx_sweep pool, pool_sum_gradient, pool_max_gradient, scatter
        cx_sweep pool_relu
        cx_sweep matrix
        cx_sweep filter, footprint, median

    const cx_sweeps *cx_sweeps_of(const char *isa, int dtype)
