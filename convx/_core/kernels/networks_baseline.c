/* Networks on what every machine of the architecture has. */

#include "baseline.h"
#include "sixteen_registers.h"
#include "every_network.h"
