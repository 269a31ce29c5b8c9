/* What every machine of the architecture has, in vectors of 16 bytes: SSE2 on x86-64. The
   compiler lowers the vectors to what there is, so this file builds everywhere. */

#include "isa.h"

#define VECTOR_BYTES 16
#define ISA baseline
#include "sixteen_registers.h"
#include "every_type.h"
