/* NEON on 64-bit Arm: 32 registers of 16 bytes, with fused multiply-add. */

#include "isa.h"

#define ISA neon
#define VECTOR_BYTES 16
#define CX_STORE_FAR(to, v) (*(to) = (v))
#define CX_MOST_LAST_STEPS 0
#define CX_HALF_VECTORS 0
