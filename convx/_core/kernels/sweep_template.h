/* The sweeps of one instruction set for one element type. */

#include "types.h"
#if IS_FLOAT
#include "activations.h"
#include "activation_sweep.h"
#undef EACH_ACTIVATION
#endif

static const cx_sweeps NAME(sweeps) = {
#if IS_FLOAT
    .activation = NAME(sweep_activation),
#endif
};

#include "end_types.h"
