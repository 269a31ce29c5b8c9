/* The one product that everything is made of:

       y[r][i] = start + sum over m of  weights[m][r] * x[offset[m] + i]

   for ROWS filters r and a few vectors of positions i, where m runs over channels and taps. The
   accumulators never leave the registers, and every output is one chain of multiply-adds in the
   order of m: that order, and with it the result to the last bit, depends neither on blocking, nor
   on the width of the vectors, nor on threads. */

#if !defined T || !defined LANES || !defined NAME
#error "define T, LANES and NAME before including product.h"
#endif

typedef void (*NAME(product))(int64_t steps, const int64_t *offset, const T *x, const T *weights,
                              T *y, int64_t y_stride, const T *bias, int start);

#define PRODUCT(ROWS, VECTORS) PRODUCT_OF(ROWS, VECTORS, vector, loose, LANES, x##VECTORS)
#define PRODUCT_OF(ROWS, VECTORS, VECTOR, LOOSE, WIDTH, SUFFIX)                                   \
    static void NAME(product_##ROWS##SUFFIX)(int64_t steps, const int64_t *restrict offset,       \
                                             const T *restrict x, const T *restrict weights,      \
                                             T *restrict y, int64_t y_stride, const T *bias,      \
                                             int start)                                           \
    {                                                                                             \
        NAME(VECTOR) sum[ROWS][VECTORS];                                                          \
        CX_UNROLL for (int r = 0; r < ROWS; r++)                                                  \
            CX_UNROLL for (int v = 0; v < VECTORS; v++)                                           \
                if (start == CX_CONTINUE)                                                         \
                    sum[r][v] = *(const NAME(LOOSE) *)(y + r * y_stride + v * WIDTH);             \
                else                                                                              \
                    sum[r][v] = (bias ? bias[r] : (T)0) - (NAME(VECTOR)){0};                      \
        for (int64_t m = 0; m < steps; m++, weights += ROWS) {                                    \
            NAME(VECTOR) pixels[VECTORS];                                                         \
            CX_UNROLL for (int v = 0; v < VECTORS; v++)                                           \
                pixels[v] = *(const NAME(LOOSE) *)(x + offset[m] + v * WIDTH);                    \
            CX_UNROLL for (int r = 0; r < ROWS; r++) {                                            \
                NAME(VECTOR) weight = weights[r] - (NAME(VECTOR)){0};                             \
                CX_UNROLL for (int v = 0; v < VECTORS; v++)                                       \
                    sum[r][v] += weight * pixels[v];                                              \
            }                                                                                     \
        }                                                                                         \
        CX_UNROLL for (int r = 0; r < ROWS; r++)                                                  \
            CX_UNROLL for (int v = 0; v < VECTORS; v++) {                                         \
                NAME(LOOSE) *to = (NAME(LOOSE) *)(y + r * y_stride + v * WIDTH);                  \
                if (start == CX_ADD)                                                              \
                    sum[r][v] += *to;                                                             \
                *to = sum[r][v];                                                                  \
            }                                                                                     \
    }

CX_EACH_PRODUCT(PRODUCT)
#if CX_HALF_VECTORS
#define HALF_PRODUCT(ROWS) PRODUCT_OF(ROWS, 1, half_vector, half_loose, LANES / 2, _half)
CX_EACH_ROW(HALF_PRODUCT)
#endif

/* Products by rows and by width in half vectors. */
static const NAME(product) NAME(products)[ROWS + 1][2 * CX_MOST_VECTORS + 1] = {
#define ENTRY(ROWS, VECTORS) [ROWS][2 * VECTORS] = NAME(product_##ROWS##x##VECTORS),
    CX_EACH_PRODUCT(ENTRY)
#if CX_HALF_VECTORS
#define HALF_ENTRY(ROWS) [ROWS][1] = NAME(product_##ROWS##_half),
    CX_EACH_ROW(HALF_ENTRY)
#endif
};

CX_INLINE NAME(product) NAME(product_of)(int64_t rows, int64_t width)
{
    return NAME(products)[rows][2 * width / LANES];
}

/* The widths that there are for register blocks of at most `rows` filters, falling, ending with 0.
   Panels are two vectors wide at the most: many filters make the most of each. */
static void NAME(find_widths)(int64_t rows, int64_t most_vectors, int64_t *widths)
{
    for (int64_t halves = 2 * most_vectors; halves > 0; halves--)
        if (NAME(products)[rows][halves])
            *widths++ = halves * LANES / 2;
    *widths = 0;
}

#undef PRODUCT
#undef PRODUCT_OF
#undef HALF_PRODUCT
#undef ENTRY
#undef HALF_ENTRY
