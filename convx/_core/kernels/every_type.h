/* The template for each element type. Integers are unsigned so that they wrap around. */

#define T float
#define IS_FLOAT 1
#define SUFFIX ISA_EXPAND(f32, ISA)
#define LANES (VECTOR_BYTES / 4)
#include "template.h"

#define T double
#define IS_FLOAT 1
#define SUFFIX ISA_EXPAND(f64, ISA)
#define LANES (VECTOR_BYTES / 8)
#include "template.h"

#define T uint32_t
#define IS_FLOAT 0
#define SUFFIX ISA_EXPAND(u32, ISA)
#define LANES (VECTOR_BYTES / 4)
#include "template.h"

#define T uint64_t
#define IS_FLOAT 0
#define SUFFIX ISA_EXPAND(u64, ISA)
#define LANES (VECTOR_BYTES / 8)
#include "template.h"

const cx_kernels *const ISA_EXPAND(cx_kernels, ISA)[CX_DTYPES] = {
    &ISA_EXPAND(kernels_f32, ISA),
    &ISA_EXPAND(kernels_f64, ISA),
    &ISA_EXPAND(kernels_u32, ISA),
    &ISA_EXPAND(kernels_u64, ISA),
};
