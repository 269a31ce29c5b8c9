/* The sweeps on NEON. */

#if defined __aarch64__ && (defined __GNUC__ || defined __clang__)

#include "neon.h"
#include "every_sweep.h"

#endif
