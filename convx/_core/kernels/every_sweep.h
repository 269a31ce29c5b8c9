/* All sweeps of one instruction set, for each element type. */

#include <math.h>

#include "sweeps.h"

#define T float
#define IS_FLOAT 1
#define SUFFIX ISA_EXPAND(f32, ISA)
#define LANES (VECTOR_BYTES / 4)
#include "sweep_template.h"

#define T double
#define IS_FLOAT 1
#define SUFFIX ISA_EXPAND(f64, ISA)
#define LANES (VECTOR_BYTES / 8)
#include "sweep_template.h"

#define T int64_t
#define IS_FLOAT 0
#define SUFFIX ISA_EXPAND(i64, ISA)
#define LANES (VECTOR_BYTES / 8)
#include "sweep_template.h"

#define T uint8_t
#define IS_FLOAT 0
#define SUFFIX ISA_EXPAND(u8, ISA)
#define LANES VECTOR_BYTES
#include "byte_template.h"

const cx_sweeps *const ISA_EXPAND(cx_sweeps, ISA)[CX_SWEEP_DTYPES] = {
    &ISA_EXPAND(sweeps_f32, ISA),
    &ISA_EXPAND(sweeps_f64, ISA),
    &ISA_EXPAND(sweeps_i64, ISA),
    &ISA_EXPAND(sweeps_u8, ISA),
};
