/* Networks on AVX-512. */

#if defined __x86_64__ && (defined __GNUC__ || defined __clang__)

#include "avx512.h"
#include "avx512_rows.h"
#include "every_network.h"
#include "end_isa.h"

#endif
