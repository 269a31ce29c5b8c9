/* Gradients of a convolution's weights in maps (network.h), where vectors are filters:

       dW[c][t][f] = sum over items n, outputs p of  x[n][place of p, moved by tap t][c] * dy[n][p][f]

   Channels of a place are neighbours, and those of a register block are its rows: an element of x
   multiplies some vectors of filters as it is loaded. With strides nothing is gathered. By Winograd's
   algorithm (points.h),

       dg = Gᵀ [ (A dy) · (Bᵀ d) ]

   in two axes from both sides, the sums are those of each point over tiles of some items, and become
   the gradient after the last ones. A sum is one chain over the places of a part of the batch,
   however many items go together. */

#if LANES == 16
#define GRADIENT_ROWS_1 16
#define GRADIENT_ROWS_2 8
#elif LANES == 8 && ROWS < 8 /* sixteen registers */
#define GRADIENT_ROWS_1 8
#define GRADIENT_ROWS_2 4
#else
#define GRADIENT_ROWS_1 LANES
#define GRADIENT_ROWS_2 LANES
#endif

/* What products go over: places of some items, one item's behind the other's. */
typedef struct {
    int64_t items, in_item, out_item;
    int64_t places;
    const int64_t *in, *out;
    int64_t out_block;  /* from one vector of filters to the next */
    int64_t row, block; /* of sums: from one channel, and from one vector of filters, to the next */
    int start;          /* whether sums begin, rather than go on */
} NAME(gradient_places);

#define GRADIENT_PRODUCT(ROWS, VECTORS)                                                           \
    static CX_NOINLINE void NAME(gradient_product_##VECTORS)(const NAME(gradient_places) *of,     \
                                                 const T *restrict x, const T *restrict dy,       \
                                                 T *restrict sums)                                \
    {                                                                                             \
        const NAME(gradient_places) p = *of;                                                      \
        NAME(vector) sum[ROWS][VECTORS];                                                          \
        CX_UNROLL for (int r = 0; r < ROWS; r++)                                                  \
            CX_UNROLL for (int v = 0; v < VECTORS; v++)                                           \
                sum[r][v] = (NAME(vector)){0};                                                    \
        if (!p.start)                                                                             \
            CX_UNROLL for (int r = 0; r < ROWS; r++)                                              \
                CX_UNROLL for (int v = 0; v < VECTORS; v++)                                       \
                    sum[r][v] = *(const NAME(loose) *)(sums + r * p.row + v * p.block);           \
        for (int64_t n = 0; n < p.items; n++, x += p.in_item, dy += p.out_item)                   \
            for (int64_t i = 0; i < p.places; i++) {                                              \
                const T *from = x + p.in[i], *with = dy + p.out[i];                               \
                NAME(vector) factor[VECTORS];                                                     \
                CX_UNROLL for (int v = 0; v < VECTORS; v++)                                       \
                    factor[v] = *(const NAME(loose) *)(with + v * p.out_block);                   \
                CX_UNROLL for (int r = 0; r < ROWS; r++) {                                        \
                    NAME(vector) channel = from[r] - (NAME(vector)){0};                           \
                    CX_UNROLL for (int v = 0; v < VECTORS; v++)                                   \
                        sum[r][v] += channel * factor[v];                                         \
                }                                                                                 \
            }                                                                                     \
        CX_UNROLL for (int r = 0; r < ROWS; r++)                                                  \
            CX_UNROLL for (int v = 0; v < VECTORS; v++)                                           \
                *(NAME(loose) *)(sums + r * p.row + v * p.block) = sum[r][v];                     \
    }

GRADIENT_PRODUCT(GRADIENT_ROWS_1, 1)
GRADIENT_PRODUCT(GRADIENT_ROWS_2, 2)

#undef GRADIENT_PRODUCT

/* The channels of a block, for one vector of filters or two. */
CX_INLINE void NAME(multiply_block)(const NAME(gradient_places) *of, NAME(asked) *asked,
                                    int64_t vectors, const T *x, const T *dy, T *sums)
{
    int64_t rows = vectors == 1 ? GRADIENT_ROWS_1 : GRADIENT_ROWS_2;
    for (int64_t c = 0; c < LANES; c += rows) {
        if (vectors == 1)
            NAME(gradient_product_1)(of, x + c, dy, sums + c * of->row);
        else
            NAME(gradient_product_2)(of, x + c, dy, sums + c * of->row);
        NAME(ask_for)(0, &asked->input);
        NAME(ask_for)(0, &asked->output);
    }
}

#undef GRADIENT_ROWS_1
#undef GRADIENT_ROWS_2

/* How the sums of a part lie, and its points where Winograd's algorithm is used. */
typedef struct {
    int64_t blocks, vectors;   /* of channels, of filters */
    int64_t channels;          /* of whole blocks */
    int64_t size;              /* of the sums */
    int64_t row;               /* points: from one block of tiles to the next */
    int64_t in_pitch, out_pitch, pitch; /* from one point to the next: of x, of dy, of sums */
} NAME(gradient_sizes);

enum { NAME(ALL_POINTS) = NAME(MAP_POINTS) * NAME(MAP_POINTS) };

CX_INLINE NAME(gradient_sizes) NAME(gradient_sizes_of)(const cx_map_gradient *job)
{
    NAME(gradient_sizes) sizes = {NAME(map_vectors)(&job->input->out),
                                  NAME(map_vectors)(&job->outputs->out), 0, 0, 0, 0, 0, 0};
    sizes.channels = sizes.blocks * LANES;
    sizes.size = sizes.vectors * sizes.channels * job->taps * LANES;
    sizes.row = job->items * job->places * LANES;
    sizes.in_pitch = NAME(spread)(sizes.blocks * sizes.row);
    sizes.out_pitch = NAME(spread)(sizes.vectors * sizes.row);
    sizes.pitch = NAME(spread)(sizes.vectors * sizes.channels * LANES);
    return sizes;
}

/* Elements of scratch memory besides the maps. */
static int64_t NAME(gradient_space)(const cx_map_gradient *job)
{
    NAME(gradient_sizes) sizes = NAME(gradient_sizes_of)(job);
    int64_t planes = cx_max(job->input->array_plane, job->outputs->array_plane) * LANES;
    if (!job->tile)
        return planes;
    return cx_max(planes, NAME(ALL_POINTS) * (sizes.in_pitch + sizes.out_pitch + sizes.pitch));
}

/* Sums of all taps over the places of some items. */
static void NAME(sum_taps)(const cx_map_gradient *job, const NAME(gradient_sizes) *sizes,
                           const T *maps, int64_t items, int start, NAME(asked) asked, T *sums)
{
    const cx_map *in = &job->input->out, *out = &job->outputs->out;
    NAME(gradient_places) places = {
        items, in->item, out->item, job->places, job->in, job->out, out->block,
        job->taps * LANES, sizes->channels * job->taps * LANES, start,
    };
    for (int64_t v = 0, vectors; v < sizes->vectors; v += vectors) {
        vectors = cx_min(2, sizes->vectors - v);
        for (int64_t b = 0; b < sizes->blocks; b++)
            for (int64_t t = 0; t < job->taps; t++)
                NAME(multiply_block)(
                    &places, &asked, vectors, maps + in->start + b * in->block + job->tap[t],
                    maps + out->start + v * out->block,
                    sums + v * places.block + (b * LANES * job->taps + t) * LANES);
    }
}

/* A dy Aᵀ, times the factors of G. */
static CX_NOINLINE void NAME(outputs_to_points)(const T *dy, int64_t row, T *points, int64_t pitch)
{
    NAME(vector) y[NAME(MAP_TILE)], v[NAME(MAP_POINTS)];
    NAME(vector) down[NAME(MAP_POINTS)][NAME(MAP_TILE)];
    CX_UNROLL for (int j = 0; j < NAME(MAP_TILE); j++) {
        CX_UNROLL for (int i = 0; i < NAME(MAP_TILE); i++)
            y[i] = *(const NAME(loose) *)(dy + i * row + j * LANES);
        NAME(evaluate)(NAME(MAP_POINTS), NAME(MAP_TILE), y, v);
        CX_UNROLL for (int i = 0; i < NAME(MAP_POINTS); i++)
            down[i][j] = v[i];
    }
    for (int i = 0; i < NAME(MAP_POINTS); i++) {
        NAME(evaluate)(NAME(MAP_POINTS), NAME(MAP_TILE), down[i], v);
        T of_line = NAME(factor)(NAME(MAP_POINTS), i);
        CX_UNROLL for (int j = 0; j < NAME(MAP_POINTS); j++)
            *(NAME(loose) *)(points + (i * NAME(MAP_POINTS) + j) * pitch) =
                v[j] * (of_line * NAME(factor)(NAME(MAP_POINTS), j));
    }
}

/* Sums of all points over the tiles of some items. */
static void NAME(sum_points)(const cx_map_gradient *job, const NAME(gradient_sizes) *sizes,
                             const T *maps, int64_t items, int start, NAME(asked) asked,
                             T *points, T *sums)
{
    const cx_map *in = &job->input->out, *out = &job->outputs->out;
    T *x = points, *dy = points + NAME(ALL_POINTS) * sizes->in_pitch;
    for (int64_t n = 0, at = 0; n < items; n++)
        for (int64_t t = 0; t < job->places; t++, at += LANES) {
            const T *from = maps + in->start + n * in->item + job->tile[t].at.in;
            const T *with = maps + out->start + n * out->item + job->tile[t].at.out;
            for (int64_t b = 0; b < sizes->blocks; b++)
                NAME(tile_to_points)(from + b * in->block, job->in_row,
                                     x + b * sizes->row + at, sizes->in_pitch);
            for (int64_t v = 0; v < sizes->vectors; v++)
                NAME(outputs_to_points)(with + v * out->block, job->out_row,
                                        dy + v * sizes->row + at, sizes->out_pitch);
        }
    NAME(gradient_places) places = {
        1, 0, 0, items * job->places, job->in, job->out, sizes->row,
        LANES, sizes->channels * LANES, start,
    };
    for (int64_t p = 0; p < NAME(ALL_POINTS); p++)
        for (int64_t v = 0, vectors; v < sizes->vectors; v += vectors) {
            vectors = cx_min(2, sizes->vectors - v);
            for (int64_t b = 0; b < sizes->blocks; b++)
                NAME(multiply_block)(
                    &places, &asked, vectors, x + p * sizes->in_pitch + b * sizes->row,
                    dy + p * sizes->out_pitch + v * sizes->row,
                    sums + p * sizes->pitch + v * places.block + b * LANES * LANES);
        }
}

/* Returns a vector that is 0 if all taps are finite. */
CX_INLINE NAME(vector) NAME(taps_from_points)(const T *sums, int64_t pitch, T *taps)
{
    NAME(vector) u[NAME(MAP_POINTS)], g[CX_ROW_TAPS], zero = {0};
    NAME(vector) down[CX_ROW_TAPS][NAME(MAP_POINTS)];
    CX_UNROLL for (int j = 0; j < NAME(MAP_POINTS); j++) {
        CX_UNROLL for (int i = 0; i < NAME(MAP_POINTS); i++)
            u[i] = *(const NAME(loose) *)(sums + (i * NAME(MAP_POINTS) + j) * pitch);
        NAME(weights_from_points)(NAME(MAP_POINTS), CX_ROW_TAPS, 1, u, g);
        CX_UNROLL for (int i = 0; i < CX_ROW_TAPS; i++)
            down[i][j] = g[i];
    }
    CX_UNROLL for (int i = 0; i < CX_ROW_TAPS; i++) {
        NAME(weights_from_points)(NAME(MAP_POINTS), CX_ROW_TAPS, 1, down[i], g);
        CX_UNROLL for (int j = 0; j < CX_ROW_TAPS; j++) {
            zero += 0 * g[j];
            *(NAME(loose) *)(taps + (i * CX_ROW_TAPS + j) * LANES) = g[j];
        }
    }
    return zero;
}

/* As many items of both arrays as there were, from `item` on; none where they are not asked for. */
CX_INLINE NAME(asked) NAME(coming_items)(const cx_map_gradient *job,
                                         const NAME(gradient_sizes) *sizes, int64_t item,
                                         int64_t items)
{
    int64_t x_item = job->input->array_item, dy_item = job->outputs->array_item;
    int64_t sums = job->tile ? NAME(ALL_POINTS) : job->taps;
    NAME(asked) asked = {0};
    items = cx_min(items, job->batch - item);
    if (job->asks && items > 0) {
        asked.input = NAME(ahead_of)((const T *)job->x + item * x_item, items * x_item);
        asked.output =
            NAME(ahead_of)((const T *)job->gradient + item * dy_item, items * dy_item);
        NAME(deal_asked)(&asked, sums * sizes->blocks * sizes->vectors);
    }
    return asked;
}

/* The parts from `first` on. */
static void NAME(sum_gradient)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_map_gradient *job = of;
    NAME(gradient_sizes) sizes = NAME(gradient_sizes_of)(job);
    T *maps = (T *)scratch, *space = maps + job->maps;
    T *points = space, *at_points = space + NAME(ALL_POINTS) * (sizes.in_pitch + sizes.out_pitch);
    const T *x = job->x, *gradient = job->gradient;
    for (int64_t part = first; part < end; part++) {
        int64_t start = cx_part(job->batch, job->parts, part);
        int64_t stop = cx_part(job->batch, job->parts, part + 1);
        T *sums = (T *)job->sums + part * sizes.size;
        for (int64_t item = start, items; item < stop; item += items) {
            items = cx_min(job->items, stop - item);
            cx_layer_part some = {item, items, 0, 1};
            NAME(take_input)(job->input, maps, &some, x + item * job->input->array_item, space);
            NAME(clear_border)(&job->input->out, maps, &some);
            NAME(take_input)(job->outputs, maps, &some,
                             gradient + item * job->outputs->array_item, space);
            NAME(clear_border)(&job->outputs->out, maps, &some);
            NAME(asked) asked = NAME(coming_items)(job, &sizes, item + items, items);
            if (job->tile)
                NAME(sum_points)(job, &sizes, maps, items, item == start, asked, points,
                                 at_points);
            else
                NAME(sum_taps)(job, &sizes, maps, items, item == start, asked, sums);
        }
        if (!job->tile)
            continue;
        NAME(vector) zero = {0};
        for (int64_t c = 0; c < sizes.vectors * sizes.channels; c++)
            zero += NAME(taps_from_points)(at_points + c * LANES, sizes.pitch,
                                           sums + c * job->taps * LANES);
        for (int lane = 0; lane < LANES; lane++)
            if (zero[lane] != 0)
                job->failed[part] = 1;
    }
}

/* Some channels' taps of a vector of filters, added up in order of the parts. */
CX_INLINE void NAME(add_square)(const T *sums, int64_t parts, int64_t size, int64_t count, T *to)
{
    for (int64_t i = 0; i < count; i++) {
        NAME(vector) sum = *(const NAME(loose) *)(sums + i * LANES);
        for (int64_t part = 1; part < parts; part++)
            sum += *(const NAME(loose) *)(sums + part * size + i * LANES);
        *(NAME(loose) *)(to + i * LANES) = sum;
    }
}

/* The gradient of the vectors of filters from `first` on, [filter][channel][tap]. */
static void NAME(add_gradients)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_map_gradient *job = of;
    NAME(gradient_sizes) sizes = NAME(gradient_sizes_of)(job);
    int64_t kernel = job->input->out.channels * job->taps;
    (void)scratch;
    for (int64_t v = first; v < end; v++) {
        const T *sums = (const T *)job->sums + v * sizes.channels * job->taps * LANES;
        T *to = (T *)job->result + v * LANES * kernel, square[LANES * LANES];
        int64_t filters = cx_min(LANES, job->outputs->out.channels - v * LANES);
        for (int64_t k = 0; k < kernel; k += LANES) {
            int64_t count = cx_min(LANES, kernel - k);
            NAME(add_square)(sums + k * LANES, job->parts, sizes.size, count, square);
            if (count == LANES && filters == LANES)
                NAME(turn_square)(to + k, kernel, square, LANES);
            else
                for (int64_t f = 0; f < filters; f++)
                    for (int64_t i = 0; i < count; i++)
                        to[f * kernel + k + i] = square[i * LANES + f];
        }
    }
}
