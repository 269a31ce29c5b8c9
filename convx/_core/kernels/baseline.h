/* What every machine of the architecture has, in vectors of 16 bytes: SSE2 on x86-64. The compiler
   lowers the vectors to what there is, so this builds everywhere. */

#include "isa.h"

#define ISA baseline
#define VECTOR_BYTES 16
#define CX_STORE_FAR(to, v) (*(to) = (v))
#define CX_MOST_LAST_STEPS 0
#define CX_HALF_VECTORS 0
