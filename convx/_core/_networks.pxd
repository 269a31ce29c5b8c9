"""Declarations of kernels/network.h."""

from libc.stdint cimport int8_t, int64_t

from convx._core._kernels cimport cx_call


cdef extern from "network.h" nogil:
    enum:
        CX_ROW_TAPS

    enum:
        CX_LAYER_INPUT
        CX_LAYER_PRODUCT
        CX_LAYER_POINTS
        CX_LAYER_SINGLE
        CX_LAYER_MAX
        CX_LAYER_MEAN
        CX_LAYER_OUTPUT

    ctypedef struct cx_map:
        int64_t start, channels, lanes, block, item, gaps
        const int64_t *gap

    ctypedef struct cx_line:
        pass

    ctypedef struct cx_map_tile:
        pass

    ctypedef struct cx_layer:
        int64_t kind
        cx_map in_ "in"
        cx_map out, residual
        int64_t has_residual, activation
        double slope
        int64_t steps
        const int64_t *offset
        int64_t row_taps
        const void *weights
        const void *bias
        int64_t vectors, lines, length
        const cx_line *line
        int64_t merged, in_step, out_step, residual_step
        const int64_t *first
        const double *factor
        int64_t tiles, tiles_together
        const cx_map_tile *tile
        int64_t in_row, out_row, residual_row
        int64_t array_item, array_channel, array_step, array_plane

    ctypedef struct cx_network:
        int64_t layers
        const cx_layer *layer
        int64_t batch, pieces, maps
        const void *input
        void *output
        int8_t *failed

    ctypedef struct cx_layer_part:
        int64_t first, items, part, parts

    int64_t cx_layer_units(const cx_layer *layer, int64_t items)

    ctypedef struct cx_filters_job:
        const void *weights
        void *packed
        int64_t filters, channels, taps, filter_step, channel_step
        const int64_t *place
        int64_t vectors

    ctypedef struct cx_map_gradient:
        const cx_layer *input
        const cx_layer *outputs
        int64_t maps, batch, parts, items, places
        const int64_t *in_ "in"
        const int64_t *out
        int64_t taps
        const int64_t *tap
        const cx_map_tile *tile
        int64_t in_row, out_row, asks
        const void *x
        const void *gradient
        void *sums
        void *result
        int8_t *failed

    ctypedef struct cx_sequence:
        int64_t items, item, lines, line, length, step

    int64_t cx_sequence_size(const cx_sequence *of)

    ctypedef struct cx_inner_product:
        const void *left
        const void *right
        void *out
        int64_t rows, left_row, out_row
        cx_sequence left_depth, right_depth, columns, out_columns
        int64_t depth, depth_block, row_block, column_block, columns_together, far
        void *packed
        const void *bias
        const cx_call *finish
        void (*finish_line)(const cx_call *call, int64_t outputs) noexcept nogil
        int8_t *failed

    ctypedef struct cx_networks:
        void (*run)(
            const void *network, int64_t first, int64_t end, char *scratch) noexcept nogil
        void (*run_layer)(
            const cx_network *network, int64_t layer, const cx_layer_part *part, char *maps,
            char *space) noexcept nogil
        int64_t (*space)(const cx_network *network) noexcept nogil
        void (*pack_filters)(
            const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil
        void (*pack_points)(
            const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil
        void (*sum_gradient)(
            const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil
        int64_t (*gradient_space)(const cx_map_gradient *job) noexcept nogil
        void (*add_gradients)(
            const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil
        void (*multiply_inner)(
            const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil
        int64_t (*inner_space_bytes)(const cx_inner_product *job) noexcept nogil
        void (*pack_inner)(
            const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil
        int64_t inner_rows, inner_pitch

    enum:
        CX_NETWORK_F32
        CX_NETWORK_F64

    const cx_networks *cx_networks_of(const char *isa, int dtype)
