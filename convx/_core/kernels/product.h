/* The one product that everything is made of:

       y[r][i] = start + sum over m of  weight[m][r] * x[offset[m] + i]

   for ROWS filters r and a few vectors of positions i, where m runs over channels and taps. The
   accumulators never leave the registers, and every output is one chain of multiply-adds in the
   order of m: that order, and with it the result to the last bit, depends neither on blocking, nor
   on the width of the vectors, nor on threads. */

#if !defined T || !defined LANES || !defined NAME
#error "define T, LANES and NAME before including product.h"
#endif

/* The weights of a register block, and a bias for each of its rows, or NULL. Packed weights follow
   one another, ROWS for each m. Strided ones are read where they are: weight r of m lies at
   weight_offset[m] + r * weight_stride. */
typedef struct {
    const T *weights;
    const int64_t *weight_offset; /* NULL: packed */
    int64_t weight_stride;
    const T *bias;
    /* What a product to come reads from far away: products that fetch ask for next_offset[m] at m. */
    const T *next;
    const int64_t *next_offset;
    /* Packed weights of which some taps are left out: the steps are those of a channel, and as many
       come for each of more_channels, whose tile and weights begin so much further on. */
    int64_t more_channels, channel_pitch, left_out;
} NAME(rows);

/* Outputs are mostly far from the caches, and a store waits for its line there: so those of the
   next panel are asked for before this one's sum, by many rows a row at a step. Or they go past the
   caches, in whole vectors: then they are never read, and leave room for what is. */
typedef void (*NAME(product))(int64_t steps, const int64_t *offset, const T *x,
                              const NAME(rows) *block, T *y, int64_t y_stride, int start);

#define PACKED(from, r) (from)[r]
#define STRIDED(from, r) (from)[rows.weight_offset[m] + (r) * stride]

/* Strided weights jump from channel to channel, which no hardware foresees: two rows' weights of a
   later m are asked for at each m, other rows each time. */
#define NO_PREFETCH

/* Packed weights are one stream, but the hardware follows it to the end of a page only. Products of
   few rows are short of loads, and their weights near. */
#define PREFETCH_PACKED(ROWS)                                                                     \
    if ((ROWS) >= CX_FETCHING_ROWS)                                                               \
        __builtin_prefetch(weights + CX_PACKED_AHEAD * (ROWS));
#define PREFETCH_NEXT __builtin_prefetch(rows.next + rows.next_offset[m], 0, 2);
#define PREFETCH                                                                                  \
    __builtin_prefetch(&weights[rows.weight_offset[m + CX_AHEAD] + ahead * stride]);              \
    __builtin_prefetch(&weights[rows.weight_offset[m + CX_AHEAD] + (ahead + 1) * stride]);        \
    ahead = ahead + 2 < last_row ? ahead + 2 : 0;

/* Each row's address is that of the one before and a stride: compilers would compute all of them at
   the beginning, for which there are not enough registers. */
#define NEXT_ROW                                                                                  \
    row += y_stride;                                                                              \
    CX_FORGET(row);

/* The last steps are made row by row: in the time of each the row before is stored, past the caches
   or not, or added. */
#define STORE(at, sum) *(at) = (sum)
#define STORE_FAR(at, sum) CX_STORE_FAR(at, sum)
#define ADD(at, sum) *(at) += (sum)
#define LAST_ROWS(ROWS, VECTORS, VECTOR, LOOSE, WIDTH, WEIGHT, NEXT, END)                         \
    CX_UNROLL for (int r = 0; r < ROWS; r++) {                                                    \
        CX_UNROLL for (int i = 0; i < CX_LAST_STEPS(ROWS, VECTORS); i++) {                        \
            const int64_t m = last + i;                                                           \
            (void)m;                                                                              \
            NAME(VECTOR) weight = WEIGHT(weights + i * NEXT, r) - (NAME(VECTOR)){0};              \
            CX_UNROLL for (int v = 0; v < VECTORS; v++)                                           \
                sum[r][v] += weight * pixels[i][v];                                               \
        }                                                                                         \
        CX_UNROLL for (int v = 0; v < VECTORS; v++)                                               \
            END((NAME(LOOSE) *)(row + v * WIDTH), sum[r][v]);                                     \
        NEXT_ROW                                                                                  \
    }

#define PRODUCT(ROWS, VECTORS)                                                                    \
    PRODUCT_OF(ROWS, VECTORS, vector, loose, LANES, x##VECTORS, PACKED, ROWS, PREFETCH_PACKED(ROWS))
#define FETCHING_PRODUCT(ROWS)                                                                    \
    PRODUCT_OF(ROWS, 2, vector, loose, LANES, x2_fetching, PACKED, ROWS, PREFETCH_NEXT)
#define STRIDED_PRODUCT(ROWS, VECTORS)                                                            \
    PRODUCT_OF(ROWS, VECTORS, vector, loose, LANES, x##VECTORS##_strided, STRIDED, 0, PREFETCH)
#define PRODUCT_OF(ROWS, VECTORS, VECTOR, LOOSE, WIDTH, SUFFIX, WEIGHT, NEXT, FETCH)              \
    static void NAME(product_##ROWS##SUFFIX)(int64_t steps, const int64_t *restrict offset,       \
                                             const T *restrict x, const NAME(rows) *block,        \
                                             T *restrict y, int64_t y_stride, int start)          \
    {                                                                                             \
        const NAME(rows) rows = *block;                                                           \
        const T *restrict weights = rows.weights, *bias = rows.bias;                              \
        const int64_t stride = rows.weight_stride;                                                \
        const int64_t last_row = (ROWS) - 1;                                                      \
        int64_t ahead = 0;                                                                        \
        (void)stride, (void)last_row, (void)ahead;                                                \
        NAME(VECTOR) sum[ROWS][VECTORS];                                                          \
        T *row = y;                                                                               \
        if (start == CX_CONTINUE)                                                                 \
            CX_UNROLL for (int r = 0; r < ROWS; r++) {                                            \
                CX_UNROLL for (int v = 0; v < VECTORS; v++)                                       \
                    sum[r][v] = *(const NAME(LOOSE) *)(row + v * WIDTH);                          \
                NEXT_ROW                                                                          \
            }                                                                                     \
        else                                                                                      \
            CX_UNROLL for (int r = 0; r < ROWS; r++) {                                            \
                CX_UNROLL for (int v = 0; v < VECTORS; v++) {                                     \
                    sum[r][v] = (bias ? bias[r] : (T)0) - (NAME(VECTOR)){0};                      \
                    if (start != CX_FAR && (ROWS) < CX_FETCHING_ROWS)                             \
                        __builtin_prefetch(row + (v + VECTORS) * WIDTH, 1);                       \
                }                                                                                 \
                NEXT_ROW                                                                          \
            }                                                                                     \
        const int64_t last = steps - CX_LAST_STEPS(ROWS, VECTORS);                                \
        const int asks = start != CX_FAR && start != CX_CONTINUE;                                 \
        const T *coming = asks ? y + VECTORS * WIDTH : x;                                         \
        const int64_t coming_step = asks ? y_stride : 0;                                          \
        for (int64_t more = rows.more_channels;; more--) {                                        \
            const int64_t end = more || last < 0 ? steps : last;                                  \
            for (int64_t m = 0; m < end; m++, weights += NEXT) {                                  \
                FETCH                                                                             \
                if ((ROWS) >= CX_FETCHING_ROWS && m < (ROWS)) {                                   \
                    CX_UNROLL for (int v = 0; v < VECTORS; v++)                                   \
                        __builtin_prefetch(coming + v * WIDTH, 1);                                \
                    coming += coming_step;                                                        \
                }                                                                                 \
                NAME(VECTOR) pixels[VECTORS];                                                     \
                CX_UNROLL for (int v = 0; v < VECTORS; v++)                                       \
                    pixels[v] = *(const NAME(LOOSE) *)(x + offset[m] + v * WIDTH);                \
                CX_UNROLL for (int r = 0; r < ROWS; r++) {                                        \
                    NAME(VECTOR) weight = WEIGHT(weights, r) - (NAME(VECTOR)){0};                 \
                    CX_UNROLL for (int v = 0; v < VECTORS; v++)                                   \
                        sum[r][v] += weight * pixels[v];                                          \
                }                                                                                 \
            }                                                                                     \
            if (more == 0)                                                                        \
                break;                                                                            \
            x += rows.channel_pitch;                                                              \
            weights += rows.left_out;                                                             \
        }                                                                                         \
        row = y;                                                                                  \
        if (last < 0) {                                                                           \
            CX_UNROLL for (int r = 0; r < ROWS; r++) {                                            \
                CX_UNROLL for (int v = 0; v < VECTORS; v++) {                                     \
                    if (start == CX_ADD)                                                          \
                        sum[r][v] += *(const NAME(LOOSE) *)(row + v * WIDTH);                     \
                    STORE((NAME(LOOSE) *)(row + v * WIDTH), sum[r][v]);                           \
                }                                                                                 \
                NEXT_ROW                                                                          \
            }                                                                                     \
            return;                                                                               \
        }                                                                                         \
        NAME(VECTOR) pixels[CX_MOST_LAST_STEPS + 1][VECTORS];                                     \
        CX_UNROLL for (int i = 0; i < CX_LAST_STEPS(ROWS, VECTORS); i++)                          \
            CX_UNROLL for (int v = 0; v < VECTORS; v++)                                           \
                pixels[i][v] = *(const NAME(LOOSE) *)(x + offset[last + i] + v * WIDTH);          \
        if (start == CX_ADD)                                                                      \
            LAST_ROWS(ROWS, VECTORS, VECTOR, LOOSE, WIDTH, WEIGHT, NEXT, ADD)                     \
        else if ((VECTORS) == CX_FAR_VECTORS && start == CX_FAR)                                  \
            LAST_ROWS(ROWS, VECTORS, VECTOR, LOOSE, WIDTH, WEIGHT, NEXT, STORE_FAR)               \
        else                                                                                      \
            LAST_ROWS(ROWS, VECTORS, VECTOR, LOOSE, WIDTH, WEIGHT, NEXT, STORE)                   \
    }

CX_EACH_PRODUCT(PRODUCT)
#define STRIDED_PRODUCTS(ROWS) STRIDED_PRODUCT(ROWS, 1) STRIDED_PRODUCT(ROWS, 2)
CX_EACH_ROW(STRIDED_PRODUCTS)
CX_EACH_ROW(FETCHING_PRODUCT)
#if CX_HALF_VECTORS
#define HALF_PRODUCTS(ROWS)                                                                       \
    PRODUCT_OF(ROWS, 1, half_vector, half_loose, LANES / 2, _half, PACKED, ROWS, NO_PREFETCH)     \
    PRODUCT_OF(ROWS, 1, half_vector, half_loose, LANES / 2, _half_strided, STRIDED, 0, PREFETCH)
CX_EACH_ROW(HALF_PRODUCTS)
#endif

/* Products for packed weights, for strided ones, and for packed ones while fetching; by rows and by
   width in half vectors. */
static const NAME(product) NAME(products)[3][ROWS + 1][2 * CX_MOST_VECTORS + 1] = {
#define ENTRY(ROWS, VECTORS) [CX_PACKED][ROWS][2 * VECTORS] = NAME(product_##ROWS##x##VECTORS),
#define STRIDED_ENTRIES(ROWS)                                                                     \
    [CX_STRIDED][ROWS][2] = NAME(product_##ROWS##x1_strided),                                     \
    [CX_STRIDED][ROWS][4] = NAME(product_##ROWS##x2_strided),
    CX_EACH_PRODUCT(ENTRY)
    CX_EACH_ROW(STRIDED_ENTRIES)
#define FETCHING_ENTRY(ROWS) [CX_FETCHING][ROWS][4] = NAME(product_##ROWS##x2_fetching),
    CX_EACH_ROW(FETCHING_ENTRY)
#if CX_HALF_VECTORS
#define HALF_ENTRIES(ROWS)                                                                        \
    [CX_PACKED][ROWS][1] = NAME(product_##ROWS##_half),                                           \
    [CX_STRIDED][ROWS][1] = NAME(product_##ROWS##_half_strided),
    CX_EACH_ROW(HALF_ENTRIES)
#endif
};

/* How a product starts whose sums are complete, and its outputs larger than the caches: only whole
   lines can go past them. */
CX_INLINE int NAME(start_far)(const T *y, int64_t y_stride, int64_t width)
{
    int lines = cx_are_lines(y, y_stride * (int64_t)sizeof(T));
    return width == CX_FAR_VECTORS * LANES && lines ? CX_FAR : CX_START;
}

CX_INLINE NAME(product) NAME(product_of)(int64_t rows, int64_t width, int kind)
{
    return NAME(products)[kind][rows][2 * width / LANES];
}

/* The widths that there are for register blocks of at most `rows` filters, falling, ending with 0.
   Panels are two vectors wide at the most: many filters make the most of each. */
static void NAME(find_widths)(int64_t rows, int64_t most_vectors, int64_t narrowest,
                              int64_t *widths)
{
    for (int64_t halves = 2 * most_vectors; halves * LANES / 2 >= narrowest; halves--)
        if (NAME(products)[CX_PACKED][rows][halves])
            *widths++ = halves * LANES / 2;
    *widths = 0;
}

#undef NO_PREFETCH
#undef PREFETCH_PACKED
#undef PREFETCH_NEXT
#undef PREFETCH
#undef PACKED
#undef STRIDED
#undef PRODUCT
#undef FETCHING_PRODUCT
#undef STRIDED_PRODUCT
#undef STRIDED_PRODUCTS
#undef HALF_PRODUCTS
#undef ENTRY
#undef STRIDED_ENTRIES
#undef FETCHING_ENTRY
#undef HALF_ENTRIES
