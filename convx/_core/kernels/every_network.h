/* Networks on one instruction set, for each floating type. */

#include "network.h"

#define T float
#define IS_FLOAT 1
#define SUFFIX ISA_EXPAND(f32, ISA)
#define LANES (VECTOR_BYTES / 4)
#include "network_template.h"

#define T double
#define IS_FLOAT 1
#define SUFFIX ISA_EXPAND(f64, ISA)
#define LANES (VECTOR_BYTES / 8)
#include "network_template.h"

const cx_networks *const ISA_EXPAND(cx_networks, ISA)[CX_NETWORK_DTYPES] = {
    &ISA_EXPAND(networks_f32, ISA),
    &ISA_EXPAND(networks_f64, ISA),
};
