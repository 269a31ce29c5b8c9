/* The convolution on every machine. */

#include "baseline.h"
#include "sixteen_registers.h"
#include "every_type.h"
