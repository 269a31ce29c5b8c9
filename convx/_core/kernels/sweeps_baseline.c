/* The sweeps on every machine. */

#include "baseline.h"
#include "every_sweep.h"
