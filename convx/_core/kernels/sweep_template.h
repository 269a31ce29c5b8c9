/* The sweeps of one instruction set for one element type. */

#include "types.h"
#if IS_FLOAT
#include "activations.h"
#include "activation_table.h"
#include "activation_sweep.h"
#include "softmax_sweep.h"
#undef EACH_ACTIVATION
#undef EACH_SWEPT_ACTIVATION
#endif

static const cx_sweeps NAME(sweeps) = {
#if IS_FLOAT
    .activation = NAME(sweep_activation),
    .activation_gradient = NAME(sweep_activation_gradient),
    .slopes = NAME(sweep_slopes),
    .dropout = NAME(sweep_dropout),
    .softmax = NAME(sweep_softmax),
#endif
};

#include "end_types.h"
