/* Networks on one instruction set for one element type. */

#include "types.h"
#include "square.h"
#include "shuffles.h"
#include "activations.h"
#include "points.h"
#include "network_product.h"
#include "network_points.h"
#include "network_weights.h"
#include "network_run.h"
#include "map_gradient.h"
#include "partial.h"
#include "inner_product.h"

static const cx_networks NAME(networks) = {
    NAME(run_network), NAME(run_layer), NAME(network_space), NAME(pack_filters),
    NAME(pack_points), NAME(sum_gradient), NAME(gradient_space), NAME(add_gradients),
    NAME(multiply_inner), NAME(inner_space_bytes), NAME(pack_inner), INNER_ROWS,
    NAME(INNER_PITCH)};

#undef EACH_ACTIVATION
#undef EACH_TILING
#undef TILING_CASE
#undef INNER_ROWS
#include "end_square.h"
#include "end_types.h"
