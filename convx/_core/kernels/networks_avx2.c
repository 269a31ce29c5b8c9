/* Networks on AVX2. */

#if defined __x86_64__ && (defined __GNUC__ || defined __clang__)

#include "avx2.h"
#include "sixteen_registers.h"
#include "every_network.h"
#include "end_isa.h"

#endif
