/* Networks on NEON. */

#if defined __aarch64__ && (defined __GNUC__ || defined __clang__)

#include "neon.h"
#include "neon_rows.h"
#include "every_network.h"

#endif
