/* The sweeps of one instruction set for one element type. */

#include "types.h"
#if IS_FLOAT
#include "activations.h"
#include "activation_table.h"
#include "partial.h"
#include "past_caches.h"
#include "activation_sweep.h"
#include "softmax_sweep.h"
#include "log_sum_exp.h"
#include "norm_sums.h"
#include "channel_norm_sums.h"
#include "channel_columns.h"
#include "channel_norm_sweep.h"
#include "optimizer_sweep.h"
#include "pair_loss_sweep.h"
#include "norm_sweep.h"
#include "resample_sweep.h"
#include "filter_elements.h"
#include "fft.h"
#include "square.h"
#include "shuffles.h"
#include "fft_line.h"
#include "end_square.h"
#include "interleave_sweep.h"
#include "line_pool.h"
#include "plane_sums.h"
#include "matrix_sweep.h"
#include "filter_tile.h"
#include "filter_down.h"
#include "filter_along.h"
#include "filter_sweep.h"
#include "footprint_sweep.h"
#include "median_sweep.h"
#include "spectral_sweep.h"
#include "spectral_kernel.h"
#undef EACH_ACTIVATION
#undef EACH_SWEPT_ACTIVATION
#else
#include "copy_sweep.h"
#endif
#include "fold_sweep.h"
#if IS_FLOAT
#include "quotient.h"
#include "pool_halves.h"
#include "pool_relu.h"
#endif
#include "pool_lines.h"
#include "pool_stretch.h"
#include "pool_room.h"
#include "pool_block.h"
#if IS_FLOAT && defined CX_PICK
#include "pool_around.h"
#include "pool_vectors.h"
#endif
#include "pool_sweep.h"
#if IS_FLOAT
#include "pool_spread.h"
#include "pool_pairs.h"
#include "pool_thirds.h"
#include "pool_cells.h"
#include "pool_gradient_sweep.h"
#endif
#include "pool_scatter.h"

static const cx_sweeps NAME(sweeps) = {
#if IS_FLOAT
    .activation = NAME(sweep_activation),
    .activation_gradient = NAME(sweep_activation_gradient),
    .slopes = NAME(sweep_slopes),
    .dropout = NAME(sweep_dropout),
    .pair_loss = NAME(sweep_pair_loss),
    .pair_slopes = NAME(sweep_pair_slopes),
    .softmax = NAME(sweep_softmax),
    .norm = NAME(sweep_norm),
    .channel_norm = NAME(sweep_channel_norm),
    .steps = NAME(sweep_steps),
    .softmax_loss = NAME(sweep_softmax_loss),
    .resample = NAME(sweep_resample),
    .matrix = NAME(sweep_matrix),
    .interleave = NAME(sweep_interleave),
    .separate = NAME(sweep_separate),
    .line_pool = NAME(sweep_line_pool),
    .line_spread = NAME(sweep_line_spread),
    .plane_sums = NAME(sweep_plane_sums),
    .row_sums = NAME(sweep_row_sums),
    .filter = NAME(sweep_filter),
    .footprint = NAME(sweep_footprint),
    .median = NAME(sweep_median),
    .spectral = NAME(sweep_spectral),
    .spectral_kernel = NAME(sweep_kernel),
    .pool_sum_gradient = NAME(sweep_pool_sum_gradient),
    .pool_max_gradient = NAME(sweep_pool_max_gradient),
    .pool_relu = NAME(sweep_pool_relu),
#else
    .copy = NAME(sweep_copy),
#endif
    .fold = NAME(sweep_fold),
    .pool = NAME(sweep_pool),
    .scatter = NAME(sweep_scatter),
};

#include "end_types.h"
