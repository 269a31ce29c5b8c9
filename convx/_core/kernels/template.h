/* Everything that one instruction set has for one element type. An includer defines T, SUFFIX,
   VECTOR_BYTES, LANES and, once for the instruction set, ROWS, POSITIONS_ROWS, POSITIONS_COLUMNS,
   CX_HALF_VECTORS and the lists CX_EACH_ROW, CX_EACH_PRODUCT, CX_EACH_FILTER_PRODUCT and
   CX_EACH_POSITIONS_PRODUCT. */

#if !defined ROWS
#error "define ROWS before including template.h"
#endif

#include "types.h"
#include "product.h"
#include "transpose.h"
#include "steps.h"
#include "tile.h"
#include "activations.h"
#include "finish.h"
#include "pack.h"
#include "slide.h"
#include "flat.h"
#include "forward.h"
#include "lanes.h"
#if IS_FLOAT
#include "filters.h"
#include "points.h"
#include "winograd_pack.h"
#include "winograd.h"
#include "winograd_vectors.h"
#include "winograd_gradient.h"
#include "winograd_passing.h"
#include "winograd_passing_gradient.h"
#include "fft.h"
#include "spectra.h"
#include "spectra_gradient.h"
#undef EACH_TILING
#undef TILING_CASE
#endif
#include "weight_gradient.h"
#include "positions.h"
#if IS_FLOAT
#include "slide_gradient.h"
#include "slide_phases.h"
#endif
#include "tasks.h"

static const cx_kernels NAME(kernels) = {
    LANES,      CX_HALF_VECTORS ? LANES / 2 : LANES,
    ROWS,       NAME(scratch_bytes),
    NAME(pack_tasks), NAME(pack), NAME(forward),
    NAME(weight_gradient), NAME(add_parts), NAME(sums_size), NAME(finish),
};

#undef NEXT_ROW
#undef LAST_ROWS
#undef STORE
#undef STORE_FAR
#undef ADD
#undef PRODUCT_OF
#undef PANEL_PITCH
#undef PANELS_SIZE
#undef PANEL_SIZE
#undef FLAT_PITCH
#undef SLIDE_ROOM
#include "end_types.h"
