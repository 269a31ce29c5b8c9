/* AVX2 with FMA: 16 registers of 32 bytes. Opens the instruction set for what follows, until
   end_isa.h. */

#include "isa.h"

#if defined __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#define ISA avx2
#define VECTOR_BYTES 32
#define CX_STORE_FAR(to, v) __asm__ volatile("vmovntps %1, %0" : "=m"(*(to)) : "x"(v))
#define CX_PICK(which, picked, a, b) \
    __asm__(which " %2, %1, %0" : "=x"(picked) : "x"(a), "x"(b))
#define CX_MOST_LAST_STEPS 0
#define CX_HALF_VECTORS 0
