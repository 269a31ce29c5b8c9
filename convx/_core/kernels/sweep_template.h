/* The sweeps of one instruction set for one element type. */

#include "types.h"
#if IS_FLOAT
#include "activations.h"
#include "activation_sweep.h"
#undef EACH_ACTIVATION
#endif
#include "pool_lines.h"
#include "pool_sweep.h"
#include "pool_gradient_sweep.h"

static const cx_sweeps NAME(sweeps) = {
#if IS_FLOAT
    .activation = NAME(sweep_activation),
    .pool_sum_gradient = NAME(sweep_pool_sum_gradient),
    .pool_max_gradient = NAME(sweep_pool_max_gradient),
#endif
    .pool = NAME(sweep_pool),
    .scatter = NAME(sweep_scatter),
};

#include "end_types.h"
