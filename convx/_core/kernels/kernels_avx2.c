/* AVX2 with FMA: 16 registers of 32 bytes. */

#if defined __x86_64__ && (defined __GNUC__ || defined __clang__)

#include "isa.h"

#if defined __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

#define VECTOR_BYTES 32
#define ISA avx2
#include "sixteen_registers.h"
#include "every_type.h"

#if defined __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
