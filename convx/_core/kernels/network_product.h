/* Layers of networks in maps (network.h), whose vectors are filters, or channels:

       y[r][f] = bias[f] + sum over m of  weight[m][f] * x[offset[m] + r * step]

   for ROWS neighbouring outputs r of a line and a few vectors of filters f; in convolutions of each
   channel by itself x is a vector too. There are no borders, for maps have theirs around them. Each
   output is one chain in the order of (channel, tap), as everywhere. */

#if !defined T || !defined LANES || !defined NAME
#error "define T, LANES and NAME before including network_product.h"
#endif

enum { NAME(SUMS_PITCH) = 14 * LANES }; /* of the vectors of a product's sums, for the most rows */

/* Where outputs go, and where their sums end if activations are bounds alone. */
typedef struct {
    T *y;
    int64_t step, block; /* from one output to the next, from one vector of filters to the next */
    int bounds; /* 1: below, 2: above too */
    T least, most;
} NAME(map_target);

typedef void (*NAME(map_product))(int64_t steps, const int64_t *offset, const T *x, int64_t step,
                                  const T *weights, const T *bias, const NAME(map_target) *target);

/* Three pointers and multiples of one step reach all rows without more registers. */
#define AT(r) ((r) < 5 ? x0 : (r) < 10 ? x5 : x10)[(r) % 5 * step]
#define PIXEL(r) (AT(r) - (NAME(vector)){0})
#define CHANNELS(r) (*(const NAME(loose) *)&AT(r))

#define STORE_SUMS(ROWS, VECTORS)                                                                 \
    const NAME(map_target) to = *target;                                                          \
    if (to.bounds)                                                                                \
        CX_UNROLL for (int v = 0; v < VECTORS; v++)                                               \
            CX_UNROLL for (int r = 0; r < ROWS; r++)                                              \
                sum[r][v] = NAME(at_least)(sum[r][v], to.least);                                  \
    if (to.bounds > 1)                                                                            \
        CX_UNROLL for (int v = 0; v < VECTORS; v++)                                               \
            CX_UNROLL for (int r = 0; r < ROWS; r++)                                              \
                sum[r][v] = NAME(at_most)(sum[r][v], to.most);                                    \
    CX_UNROLL for (int v = 0; v < VECTORS; v++)                                                   \
        CX_UNROLL for (int r = 0; r < ROWS; r++)                                                  \
            *(NAME(loose) *)(to.y + v * to.block + r * to.step) = sum[r][v];

#define MAP_PRODUCT_OF(ROWS, VECTORS, SUFFIX, INPUT)                                              \
    static void NAME(map_product_##ROWS##x##VECTORS##SUFFIX)(                                     \
        int64_t steps, const int64_t *restrict offset, const T *restrict x, int64_t step,         \
        const T *restrict weights, const T *restrict bias,                                        \
        const NAME(map_target) *restrict target)                                                  \
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
        STORE_SUMS(ROWS, VECTORS)                                                                 \
    }

/* Kernels of three neighbouring taps along rows: an input is loaded once for the three outputs that
   take it, each of which meets its taps in their order. */
#define ROW_PRODUCT(ROWS)                                                                         \
    static void NAME(map_product_##ROWS##_row)(                                                   \
        int64_t steps, const int64_t *restrict offset, const T *restrict x, int64_t step,         \
        const T *restrict weights, const T *restrict bias,                                        \
        const NAME(map_target) *restrict target)                                                  \
    {                                                                                             \
        NAME(vector) sum[ROWS][1];                                                                \
        (void)step;                                                                               \
        CX_UNROLL for (int r = 0; r < ROWS; r++)                                                  \
            sum[r][0] = *(const NAME(loose) *)bias;                                               \
        for (int64_t m = 0; m < steps; m++, weights += CX_ROW_TAPS * LANES) {                     \
            NAME(vector) w[CX_ROW_TAPS];                                                          \
            CX_UNROLL for (int k = 0; k < CX_ROW_TAPS; k++)                                       \
                w[k] = *(const NAME(loose) *)(weights + k * LANES);                               \
            CX_UNROLL for (int j = 0; j < ROWS + CX_ROW_TAPS - 1; j++) {                          \
                NAME(vector) input = *(const NAME(loose) *)(x + offset[m] + j * LANES);           \
                CX_HOLD(input);                                                                   \
                CX_UNROLL for (int k = 0; k < CX_ROW_TAPS; k++)                                   \
                    if (j >= k && j - k < ROWS)                                                   \
                        sum[j - k][0] += input * w[k];                                            \
            }                                                                                     \
        }                                                                                         \
        STORE_SUMS(ROWS, 1)                                                                       \
    }

#define MAP_PRODUCT(ROWS, VECTORS) MAP_PRODUCT_OF(ROWS, VECTORS, , PIXEL)
#define SINGLE_PRODUCT(ROWS) MAP_PRODUCT_OF(ROWS, 1, _single, CHANNELS)
CX_EACH_FILTER_PRODUCT(MAP_PRODUCT)
CX_EACH_ROW(SINGLE_PRODUCT)
CX_EACH_ROW(ROW_PRODUCT)

/* By vectors of filters and by outputs. */
static const NAME(map_product) NAME(map_products)[CX_MOST_FILTER_VECTORS + 1][ROWS + 1] = {
#define MAP_ENTRY(ROWS, VECTORS) [VECTORS][ROWS] = NAME(map_product_##ROWS##x##VECTORS),
    CX_EACH_FILTER_PRODUCT(MAP_ENTRY)
};

static const NAME(map_product) NAME(single_products)[ROWS + 1] = {
#define SINGLE_ENTRY(ROWS) [ROWS] = NAME(map_product_##ROWS##x1_single),
    CX_EACH_ROW(SINGLE_ENTRY)
};

static const NAME(map_product) NAME(row_products)[ROWS + 1] = {
#define ROW_ENTRY(ROWS) [ROWS] = NAME(map_product_##ROWS##_row),
    CX_EACH_ROW(ROW_ENTRY)
};

#undef AT
#undef PIXEL
#undef CHANNELS
#undef MAP_PRODUCT_OF
#undef MAP_PRODUCT
#undef SINGLE_PRODUCT
#undef ROW_PRODUCT
#undef STORE_SUMS
#undef MAP_ENTRY
#undef SINGLE_ENTRY
#undef ROW_ENTRY

/* Outputs beside one another in products of about as many each: the first ones, `longer` of them,
   have one more than `rows`. */
typedef struct {
    int64_t count, rows, longer;
} NAME(map_parts);

CX_INLINE NAME(map_parts) NAME(cut_outputs)(int64_t outputs, int64_t vectors)
{
    int64_t most = vectors > 2 ? ROWS / 2 : ROWS;
    NAME(map_parts) parts = {(outputs + most - 1) / most, 0, 0};
    parts.rows = outputs / parts.count;
    parts.longer = outputs % parts.count;
    return parts;
}

/* Whether an activation is bounds and nothing else. */
CX_INLINE int NAME(find_bounds)(int64_t activation, NAME(map_target) *target)
{
    target->bounds = activation == CX_RELU6 ? 2 : activation == CX_RELU;
    target->least = 0;
    target->most = 6;
    return target->bounds || activation == CX_IDENTITY;
}

/* A block of sums, and where they belong: rows of neighbouring outputs, or the outputs of vectors of
   filters. */
typedef struct {
    int64_t rows, columns;
    const T *sums, *residual;
    T *y;
    int64_t sums_row, residual_row, y_row;
} NAME(map_block);

CX_INLINE void NAME(finish_rows)(const int activation, const cx_layer *layer, NAME(map_block) b)
{
    T slope = (T)layer->slope;
    for (int64_t i = 0; i < b.rows; i++, b.sums += b.sums_row, b.y += b.y_row) {
        for (int64_t k = 0; k < b.columns; k++) {
            NAME(vector) sum = *(const NAME(loose) *)(b.sums + k * LANES);
            if (b.residual)
                sum += *(const NAME(loose) *)(b.residual + k * layer->residual_step);
            *(NAME(loose) *)(b.y + k * layer->out_step) = NAME(activate)(activation, sum, slope);
        }
        if (b.residual)
            b.residual += b.residual_row;
    }
}

/* Brings sums to their map, with residual and activation. */
static void NAME(finish_map)(const cx_layer *layer, const NAME(map_block) *block)
{
    switch (layer->activation) {
#define FINISH_ROWS(ACTIVATION, name)                                                             \
    case ACTIVATION:                                                                              \
        NAME(finish_rows)(ACTIVATION, layer, *block);                                             \
        break;
        FINISH_ROWS(CX_IDENTITY, identity)
        EACH_ACTIVATION(FINISH_ROWS)
#undef FINISH_ROWS
    }
}

/* Where outputs of an item begin. */
typedef struct {
    const T *in, *residual;
    T *out;
} NAME(map_place);

CX_INLINE NAME(map_place) NAME(map_place_at)(const cx_layer *layer, T *maps, int64_t item,
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

/* Of a line of all items. */
CX_INLINE NAME(map_place) NAME(map_place_of)(const cx_layer *layer, T *maps, int64_t line)
{
    return NAME(map_place_at)(layer, maps, line / layer->lines,
                              &layer->line[line % layer->lines]);
}

/* One line for some vectors of filters. Sums that only need bounds go to their map at once. */
static void NAME(multiply_line)(const cx_layer *layer, const NAME(map_product) *products,
                                NAME(map_place) place, const NAME(map_parts) *parts,
                                int64_t vectors, const T *weights, const T *bias, T *sums)
{
    NAME(map_target) target = {place.out, layer->out_step, layer->out.block, 0, 0, 0};
    int direct = NAME(find_bounds)(layer->activation, &target) && !place.residual;
    if (!direct)
        target = (NAME(map_target)){sums, LANES, NAME(SUMS_PITCH), 0, 0, 0};
    for (int64_t p = 0; p < parts->count; p++) {
        int64_t rows = parts->rows + (p < parts->longer);
        if (direct)
            target.y = place.out;
        products[rows](layer->steps, layer->offset, place.in, layer->in_step, weights, bias,
                       &target);
        if (!direct) {
            NAME(map_block) block = {
                vectors, rows, sums, place.residual, place.out,
                NAME(SUMS_PITCH), layer->residual.block, layer->out.block,
            };
            NAME(finish_map)(layer, &block);
        }
        place.in += rows * layer->in_step;
        place.out += rows * layer->out_step;
        if (place.residual)
            place.residual += rows * layer->residual_step;
    }
}

/* Lines of an array that are asked for while products are computed, `each` after every one. */
typedef struct {
    const T *at;
    int64_t lines, each;
} NAME(asked_lines);

CX_INLINE NAME(asked_lines) NAME(ahead_of)(const T *at, int64_t elements)
{
    return (NAME(asked_lines)){at, elements * (int64_t)sizeof(T) / 64, 0};
}

CX_INLINE void NAME(ask_for)(const int writes, NAME(asked_lines) *ahead)
{
    int64_t count = cx_min(ahead->each, ahead->lines);
    ahead->lines -= count;
    for (; count > 0; count--, ahead->at += 64 / (int64_t)sizeof(T)) {
        if (writes) /* a constant where compilers look, which Clang does before inlining */
            __builtin_prefetch(ahead->at, 1, 2);
        else
            __builtin_prefetch(ahead->at, 0, 2);
    }
}

/* What is read next, and what will be written or, of gradients, is read too. */
typedef struct {
    NAME(asked_lines) input, output;
} NAME(asked);

CX_INLINE void NAME(deal_asked)(NAME(asked) *asked, int64_t products)
{
    asked->input.each = (asked->input.lines + products - 1) / products;
    asked->output.each = (asked->output.lines + products - 1) / products;
}

/* Some lines of all items, one item's behind the other's, and of each line some outputs. A merged
   layer has one line. */
typedef struct {
    int64_t first, end, start, outputs;
} NAME(map_lines);

CX_INLINE NAME(map_lines) NAME(lines_of)(const cx_layer *layer, const cx_layer_part *of)
{
    int64_t units = cx_layer_units(layer, of->items);
    int64_t first = cx_part(units, of->parts, of->part);
    int64_t end = cx_part(units, of->parts, of->part + 1);
    if (layer->merged)
        return (NAME(map_lines)){0, 1, first, end - first};
    return (NAME(map_lines)){first, end, 0, layer->length};
}

/* Lines for some vectors. */
static void NAME(multiply_lines)(const cx_layer *layer, const NAME(map_product) *products, T *maps,
                                 const NAME(map_lines) *lines, int64_t in, int64_t vector,
                                 int64_t vectors, const T *weights, T *sums,
                                 NAME(asked) *asked)
{
    const T *bias = (const T *)layer->bias + vector * LANES;
    NAME(map_parts) parts = NAME(cut_outputs)(lines->outputs, vectors);
    for (int64_t i = lines->first; i < lines->end; i++) {
        NAME(map_place) place = NAME(map_place_of)(layer, maps, i);
        place.in += in + lines->start * layer->in_step;
        place.out += vector * layer->out.block + lines->start * layer->out_step;
        if (place.residual)
            place.residual +=
                vector * layer->residual.block + lines->start * layer->residual_step;
        NAME(multiply_line)(layer, products, place, &parts, vectors, weights, bias, sums);
        NAME(ask_for)(0, &asked->input);
        NAME(ask_for)(1, &asked->output);
    }
}

CX_INLINE int64_t NAME(map_vectors)(const cx_map *map)
{
    return (map->channels + LANES - 1) / LANES;
}

static void NAME(run_product)(const cx_layer *layer, T *maps, const cx_layer_part *part, T *sums,
                              NAME(asked) asked)
{
    NAME(map_lines) lines = NAME(lines_of)(layer, part);
    int64_t all = NAME(map_vectors)(&layer->out);
    int64_t blocks = (all + layer->vectors - 1) / layer->vectors;
    const T *weights = layer->weights;
    NAME(deal_asked)(&asked, cx_max(1, blocks * (lines.end - lines.first)));
    for (int64_t v = 0; v < all; v += layer->vectors) {
        int64_t vectors = cx_min(layer->vectors, all - v);
        NAME(multiply_lines)(layer, NAME(map_products)[vectors], maps, &lines, 0, v, vectors,
                             weights, sums, &asked);
        weights += layer->steps * vectors * LANES;
    }
}

static void NAME(run_single)(const cx_layer *layer, T *maps, const cx_layer_part *part, T *sums,
                             NAME(asked) asked)
{
    const NAME(map_product) *products =
        layer->row_taps == 1 ? NAME(single_products) : NAME(row_products);
    NAME(map_lines) lines = NAME(lines_of)(layer, part);
    int64_t all = NAME(map_vectors)(&layer->out), size = layer->steps * layer->row_taps * LANES;
    NAME(deal_asked)(&asked, cx_max(1, all * (lines.end - lines.first)));
    for (int64_t v = 0; v < all; v++)
        NAME(multiply_lines)(layer, products, maps, &lines, v * layer->in.block, v, 1,
                             (const T *)layer->weights + v * size, sums, &asked);
}
