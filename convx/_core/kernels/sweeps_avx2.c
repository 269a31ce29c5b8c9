/* The sweeps on AVX2. */

#if defined __x86_64__ && (defined __GNUC__ || defined __clang__)

#include "avx2.h"
#include "every_sweep.h"
#include "end_isa.h"

#endif
