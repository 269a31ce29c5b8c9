/* Layers of networks in maps (network.h), whose vectors are filters, or channels:

       y[r][f] = bias[f] + sum over m of  weight[m][f] * x[offset[m] + r * step]

   for ROWS neighbouring outputs r of a line and a few vectors of filters f; in convolutions of each
   channel by itself x is a vector too. There are no borders, for maps have theirs around them. Each
   output is one chain in the order of (channel, tap), as everywhere. */

#if !defined T || !defined LANES || !defined NAME
#error "define T, LANES and NAME before including network_product.h"
#endif

enum { NAME(SUMS_PITCH) = 14 * LANES }; /* of the vectors of a product's sums, for the most rows */

typedef void (*NAME(map_product))(int64_t steps, const int64_t *offset, const T *x, int64_t step,
                                  const T *weights, const T *bias, T *sums, int64_t pitch);

/* Three pointers and multiples of one step reach all rows without more registers. */
#define AT(r) ((r) < 5 ? x0 : (r) < 10 ? x5 : x10)[(r) % 5 * step]
#define PIXEL(r) (AT(r) - (NAME(vector)){0})
#define CHANNELS(r) (*(const NAME(loose) *)&AT(r))

#define MAP_PRODUCT_OF(ROWS, VECTORS, SUFFIX, INPUT)                                              \
    static void NAME(map_product_##ROWS##x##VECTORS##SUFFIX)(                                     \
        int64_t steps, const int64_t *restrict offset, const T *restrict x, int64_t step,         \
        const T *restrict weights, const T *restrict bias, T *restrict sums, int64_t pitch)       \
    {                                                                                             \
        NAME(vector) sum[ROWS][VECTORS];                                                          \
        CX_UNROLL for (int v = 0; v < VECTORS; v++)                                               \
            CX_UNROLL for (int r = 0; r < ROWS; r++)                                              \
                sum[r][v] = *(const NAME(loose) *)(bias + v * LANES);                             \
        for (int64_t m = 0; m < steps; m++, weights += VECTORS * LANES) {                         \
            const T *x0 = x + offset[m], *x5 = x0 + 5 * step, *x10 = x5 + 5 * step;               \
            NAME(vector) w[VECTORS];                                                              \
            (void)x5, (void)x10;                                                                  \
            CX_UNROLL for (int v = 0; v < VECTORS; v++)                                           \
                w[v] = *(const NAME(loose) *)(weights + v * LANES);                               \
            CX_UNROLL for (int r = 0; r < ROWS; r++) {                                            \
                NAME(vector) input = INPUT(r);                                                    \
                CX_UNROLL for (int v = 0; v < VECTORS; v++)                                       \
                    sum[r][v] += input * w[v];                                                    \
            }                                                                                     \
        }                                                                                         \
        CX_UNROLL for (int v = 0; v < VECTORS; v++)                                               \
            CX_UNROLL for (int r = 0; r < ROWS; r++)                                              \
                *(NAME(loose) *)(sums + v * pitch + r * LANES) = sum[r][v];                       \
    }

#define MAP_PRODUCT(ROWS, VECTORS) MAP_PRODUCT_OF(ROWS, VECTORS, , PIXEL)
#define SINGLE_PRODUCT(ROWS) MAP_PRODUCT_OF(ROWS, 1, _single, CHANNELS)
CX_EACH_FILTER_PRODUCT(MAP_PRODUCT)
CX_EACH_ROW(SINGLE_PRODUCT)

/* By vectors of filters and by outputs. */
static const NAME(map_product) NAME(map_products)[CX_MOST_FILTER_VECTORS + 1][ROWS + 1] = {
#define MAP_ENTRY(ROWS, VECTORS) [VECTORS][ROWS] = NAME(map_product_##ROWS##x##VECTORS),
    CX_EACH_FILTER_PRODUCT(MAP_ENTRY)
};

static const NAME(map_product) NAME(single_products)[ROWS + 1] = {
#define SINGLE_ENTRY(ROWS) [ROWS] = NAME(map_product_##ROWS##x1_single),
    CX_EACH_ROW(SINGLE_ENTRY)
};

#undef AT
#undef PIXEL
#undef CHANNELS
#undef MAP_PRODUCT_OF
#undef MAP_PRODUCT
#undef SINGLE_PRODUCT
#undef MAP_ENTRY
#undef SINGLE_ENTRY

/* The most outputs that products of so many vectors have. */
CX_INLINE int64_t NAME(most_rows)(int64_t vectors)
{
    return vectors > 2 ? ROWS / 2 : ROWS;
}

/* Brings sums of `rows` outputs by `vectors` to their map, with residual and activation. */
CX_INLINE void NAME(finish_rows)(const int activation, const cx_layer *layer, const T *sums,
                                 int64_t pitch, int64_t rows, int64_t vectors, T *y,
                                 const T *residual)
{
    T slope = (T)layer->slope;
    for (int64_t v = 0; v < vectors; v++, sums += pitch, y += layer->out.block) {
        for (int64_t r = 0; r < rows; r++) {
            NAME(vector) sum = *(const NAME(loose) *)(sums + r * LANES);
            if (residual)
                sum += *(const NAME(loose) *)(residual + r * layer->residual_step);
            *(NAME(loose) *)(y + r * layer->out_step) = NAME(activate)(activation, sum, slope);
        }
        if (residual)
            residual += layer->residual.block;
    }
}

static void NAME(finish_map)(const cx_layer *layer, const T *sums, int64_t pitch, int64_t rows,
                             int64_t vectors, T *y, const T *residual)
{
    switch (layer->activation) {
#define FINISH_ROWS(ACTIVATION, name)                                                             \
    case ACTIVATION:                                                                              \
        NAME(finish_rows)(ACTIVATION, layer, sums, pitch, rows, vectors, y, residual);            \
        break;
        FINISH_ROWS(CX_IDENTITY, identity)
        EACH_ACTIVATION(FINISH_ROWS)
#undef FINISH_ROWS
    }
}

/* Where some outputs lie: of an item, of a line, from its output `first` on. */
typedef struct {
    const T *in, *residual;
    T *out;
} NAME(map_place);

CX_INLINE NAME(map_place) NAME(place_of)(const cx_layer *layer, T *maps, int64_t item,
                                         const cx_line *line)
{
    NAME(map_place) place = {0};
    place.in = maps + layer->in.start + item * layer->in.item + line->in;
    place.out = maps + layer->out.start + item * layer->out.item + line->out;
    if (layer->has_residual)
        place.residual =
            maps + layer->residual.start + item * layer->residual.item + line->residual;
    return place;
}

/* One line for some vectors of filters, in products of about as many outputs each. */
static void NAME(multiply_line)(const cx_layer *layer, const NAME(map_product) *products,
                                NAME(map_place) place, int64_t length, int64_t vectors,
                                const T *weights, const T *bias, T *sums)
{
    int64_t most = NAME(most_rows)(vectors), parts = (length + most - 1) / most;
    for (int64_t p = 0; p < parts; p++) {
        int64_t rows = cx_part(length, parts, p + 1) - cx_part(length, parts, p);
        products[rows](layer->steps, layer->offset, place.in, layer->in_step, weights, bias, sums,
                       NAME(SUMS_PITCH));
        NAME(finish_map)(layer, sums, NAME(SUMS_PITCH), rows, vectors, place.out, place.residual);
        place.in += rows * layer->in_step;
        place.out += rows * layer->out_step;
        if (place.residual)
            place.residual += rows * layer->residual_step;
    }
}

/* All lines of all items for some vectors. */
static void NAME(multiply_lines)(const cx_layer *layer, const NAME(map_product) *products, T *maps,
                                 int64_t items, int64_t in, int64_t vector, int64_t vectors,
                                 const T *weights, T *sums)
{
    const T *bias = (const T *)layer->bias + vector * LANES;
    int64_t together = layer->merged ? items : 1;
    for (int64_t n = 0; n < items; n += together)
        for (int64_t i = 0; i < layer->lines; i++) {
            NAME(map_place) place = NAME(place_of)(layer, maps, n, &layer->line[i]);
            place.in += in;
            place.out += vector * layer->out.block;
            if (place.residual)
                place.residual += vector * layer->residual.block;
            NAME(multiply_line)(layer, products, place, layer->length * together, vectors, weights,
                                bias, sums);
        }
}

CX_INLINE int64_t NAME(map_vectors)(const cx_map *map)
{
    return (map->channels + LANES - 1) / LANES;
}

static void NAME(run_product)(const cx_layer *layer, T *maps, int64_t items, T *sums)
{
    int64_t all = NAME(map_vectors)(&layer->out);
    const T *weights = layer->weights;
    for (int64_t v = 0; v < all; v += layer->vectors) {
        int64_t vectors = cx_min(layer->vectors, all - v);
        NAME(multiply_lines)(layer, NAME(map_products)[vectors], maps, items, 0, v, vectors,
                             weights, sums);
        weights += layer->steps * vectors * LANES;
    }
}

static void NAME(run_single)(const cx_layer *layer, T *maps, int64_t items, T *sums)
{
    int64_t all = NAME(map_vectors)(&layer->out);
    for (int64_t v = 0; v < all; v++)
        NAME(multiply_lines)(layer, NAME(single_products), maps, items, v * layer->in.block, v, 1,
                             (const T *)layer->weights + v * layer->steps * LANES, sums);
}
