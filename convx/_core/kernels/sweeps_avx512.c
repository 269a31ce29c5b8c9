/* The sweeps on AVX-512. */

#if defined __x86_64__ && (defined __GNUC__ || defined __clang__)

#include "avx512.h"
#include "every_sweep.h"
#include "end_isa.h"

#endif
