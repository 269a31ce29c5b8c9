/* Closes the instruction set that avx2.h or avx512.h opened. */

#if defined __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
