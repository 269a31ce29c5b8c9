/* The sweeps of one instruction set for one element type. */

#include "types.h"
#if IS_FLOAT
#include "activations.h"
#include "activation_sweep.h"
#include "norm_sweep.h"
#include "log_sum_exp.h"
#undef EACH_ACTIVATION
#endif

static const cx_sweeps NAME(sweeps) = {
#if IS_FLOAT
    .activation = NAME(sweep_activation),
    .norm = NAME(sweep_norm),
    .softmax_loss = NAME(sweep_softmax_loss),
#endif
};

#include "end_types.h"
