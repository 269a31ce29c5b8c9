/* Everything that one instruction set has for one element type. An includer defines T, SUFFIX,
   VECTOR_BYTES, LANES and, once for the instruction set, ROWS, CX_EACH_ROW, CX_EACH_PRODUCT and
   CX_HALF_VECTORS. */

#if !defined T || !defined SUFFIX || !defined VECTOR_BYTES || !defined LANES || !defined ROWS
#error "define T, SUFFIX, VECTOR_BYTES, LANES and ROWS before including template.h"
#endif

#define PASTE(name, suffix) name##_##suffix
#define EXPAND(name, suffix) PASTE(name, suffix)
#define NAME(name) EXPAND(name, SUFFIX)

/* `loose` vectors lie anywhere in memory. */
typedef T NAME(vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef T NAME(loose) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));
#if VECTOR_BYTES / LANES == 4
typedef int32_t NAME(mask) __attribute__((vector_size(VECTOR_BYTES)));
#else
typedef int64_t NAME(mask) __attribute__((vector_size(VECTOR_BYTES)));
#endif
#if CX_HALF_VECTORS
#if VECTOR_BYTES / LANES == 4
typedef int32_t NAME(half_mask) __attribute__((vector_size(VECTOR_BYTES / 2)));
#else
typedef int64_t NAME(half_mask) __attribute__((vector_size(VECTOR_BYTES / 2)));
#endif
typedef T NAME(half_vector) __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef T NAME(half_loose)
    __attribute__((vector_size(VECTOR_BYTES / 2), aligned(sizeof(T)), may_alias));
#endif

#include "product.h"
#include "transpose.h"
#include "steps.h"
#include "tile.h"
#include "finish.h"
#include "pack.h"
#include "slide.h"
#include "flat.h"
#include "forward.h"
#include "lanes.h"
#if IS_FLOAT
#include "filters.h"
#include "points.h"
#include "winograd.h"
#include "winograd_gradient.h"
#include "fft.h"
#include "spectra.h"
#include "spectra_gradient.h"
#undef EACH_TILING
#endif
#include "weight_gradient.h"
#include "tasks.h"

static const cx_kernels NAME(kernels) = {
    LANES,      CX_HALF_VECTORS ? LANES / 2 : LANES,
    ROWS,       NAME(scratch_bytes),
    NAME(pack_tasks), NAME(pack), NAME(forward),
    NAME(weight_gradient), NAME(sums_size), NAME(finish),
};

#undef PRODUCT_OF
#undef PANEL_PITCH
#undef PANELS_SIZE
#undef PANEL_SIZE
#undef FLAT_PITCH
#undef SLIDE_ROOM
#undef NAME
#undef EXPAND
#undef PASTE
#undef T
#undef SUFFIX
#undef LANES
#undef IS_FLOAT
