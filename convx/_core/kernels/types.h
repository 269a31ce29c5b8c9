/* Names and vectors of one element type on one instruction set. An includer defines T, SUFFIX,
   VECTOR_BYTES, LANES, IS_FLOAT and CX_HALF_VECTORS, and includes end_types.h at last. */

#if !defined T || !defined SUFFIX || !defined VECTOR_BYTES || !defined LANES || !defined IS_FLOAT
#error "define T, SUFFIX, VECTOR_BYTES, LANES and IS_FLOAT before including types.h"
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
