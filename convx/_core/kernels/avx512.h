/* AVX-512: 32 registers of 64 bytes. Opens the instruction set for what follows, until end_isa.h. */

#include "isa.h"

#if defined __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prefer-vector-width=512")
#endif

#define ISA avx512
#define VECTOR_BYTES 64
#define CX_MOST_LAST_STEPS 2
#define CX_HALF_VECTORS 1
#define CX_STORE_FAR(to, v) __asm__ volatile("vmovntps %1, %0" : "=m"(*(to)) : "v"(v))
#define CX_PICK(which, picked, a, b) \
    __asm__(which " %2, %1, %0" : "=v"(picked) : "v"(a), "v"(b))
