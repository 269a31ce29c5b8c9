/* The sweeps of one instruction set for one element type. */

#include "types.h"
#if IS_FLOAT
#include "activations.h"
#include "activation_sweep.h"
#undef EACH_ACTIVATION
#include "resample_sweep.h"
#else
#include "copy_sweep.h"
#endif
#include "fold_sweep.h"

static const cx_sweeps NAME(sweeps) = {
#if IS_FLOAT
    .activation = NAME(sweep_activation),
    .resample = NAME(sweep_resample),
#else
    .copy = NAME(sweep_copy),
#endif
    .fold = NAME(sweep_fold),
};

#include "end_types.h"
