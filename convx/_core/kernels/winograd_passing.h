/* Winograd's algorithm for few tiles and many weights: F(4, 3) along two axes, where weights are
   transformed in passing. A small plane has few tiles, so weights at their points are four times as
   much memory as the weights are, each for a few products. Here the kernels of a vector of filters
   are taken to six points at a time, in registers, and multiplied there with the inputs of all tiles,
   which are scalars:

       sums[j][i][tile] += (G g Gᵀ)[i][j] * (Bᵀ d B)[i][j][tile]     vectors of filters

   Every sum is the same chain as that of winograd.h, to the same bits, so a plan may take either. */

enum {
    NAME(PASSING_ALONG) = 6,                    /* points along an axis, */
    NAME(PASSING_TILE) = 4,                     /* outputs of a tile */
    NAME(PASSING_TAPS) = 9,                     /* and taps of a kernel */
    NAME(PASSING_TILES) = ROWS > 6 ? 4 : 2,     /* tiles whose sums are in registers */
    NAME(PASSING_CHANNELS) = 16,                /* channels whose weights stay in L1 */
};

typedef struct {
    cx_box box;
    int64_t tiles, columns, plane; /* of an item, and of all; elements between points */
    int64_t *x_at;                 /* the place of each tile in its item's inputs */
    T *tile, *inputs;              /* [channel][place], [place][channel] of a vector of channels */
    T *points;                     /* [point][tile][channel] of the same */
    T *x;                          /* [point along][channel][point down][tile], some tiles at a time */
    T *weights, *kernels;          /* [channel][tap][filter] of some channels, of one */
    T *sums;                       /* [point along][point down][tile][filter], likewise */
    T *outputs;                    /* [place][filter] */
} NAME(passing_space);

/* Elements of some tiles at the points; rows of tiles are stored as whole vectors. */
CX_INLINE int64_t NAME(passing_plane)(const cx_pass *pass, int64_t tiles)
{
    int64_t channels = (pass->channels + LANES - 1) / LANES * LANES;
    return channels * NAME(PASSING_ALONG) * tiles + 2 * LANES;
}

CX_INLINE NAME(passing_space) NAME(carve_passing)(const cx_pass *pass, char **scratch)
{
    NAME(passing_space) space;
    const int64_t along = NAME(PASSING_ALONG), taps = NAME(PASSING_TAPS);
    space.tiles = 1;
    for (int64_t a = 0; a < pass->rank; a++)
        space.tiles *= NAME(tiles_along)(pass, a, pass->axes[a].block);
    space.columns = space.tiles * pass->items;
    space.plane = NAME(spread)(space.columns * LANES);
    cx_carve_box(pass, &space.box, scratch);
    space.x_at = cx_carve(scratch, space.tiles * (int64_t)sizeof(int64_t));
    space.tile = NAME(carve_elements)(scratch, pass->channel_block * pass->tile_size);
    space.inputs = NAME(carve_elements)(scratch, pass->tile_size * LANES);
    space.points = NAME(carve_elements)(scratch, along * along * space.plane);
    space.x = NAME(carve_elements)(scratch, along * space.columns * NAME(passing_plane)(pass, 1));
    space.weights = NAME(carve_elements)(scratch, NAME(PASSING_CHANNELS) * taps * LANES);
    space.kernels = NAME(carve_elements)(scratch, (taps + LANES) * LANES);
    space.sums = NAME(carve_elements)(scratch, along * along * space.columns * LANES);
    space.outputs = NAME(carve_elements)(scratch, pass->positions * LANES);
    return space;
}

/* The kernels of some channels for a vector of filters, [channel][tap][filter]. */
static void NAME(pack_kernels)(const cx_pass *pass, const T *weight, int64_t group, int64_t block,
                               int64_t channel, int64_t channels, T *to, T *kernels)
{
    const int64_t taps = NAME(PASSING_TAPS);
    int64_t first = NAME(first_filter)(pass, block), place[NAME(PASSING_TAPS)];
    int64_t filters = NAME(first_filter)(pass, block + 1) - first;
    int64_t start = group * pass->weight_group + first * pass->weight_filter +
                    channel * pass->weight_channel;
    int64_t readable = pass->weight_size - start - (filters - 1) * pass->weight_filter;
    const T *from = weight + start;
    if (pass->taps_in_order) {
        NAME(deal_groups)(to, from, pass->weight_filter, filters, channels * taps, 0, readable);
        return;
    }
    for (int64_t t = 0; t < taps; t++)
        place[pass->tap_weight[t]] = t * LANES;
    for (int64_t c = 0; c < channels; c++, from += pass->weight_channel, to += taps * LANES) {
        if (filters == LANES && pass->weight_filter == taps) {
            NAME(vector) kernel[NAME(PASSING_TAPS)];
            for (int64_t i = 0; i < taps * LANES; i += 64 / (int64_t)sizeof(T))
                __builtin_prefetch(from + NAME(PASSING_CHANNELS) * pass->weight_channel + i);
            NAME(deal_ninths)(from, kernel);
            CX_UNROLL for (int t = 0; t < taps; t++)
                *(NAME(loose) *)(to + place[t]) = kernel[t];
            continue;
        }
        NAME(deal_groups)(kernels, from, pass->weight_filter, filters, taps, 0,
                          readable - c * pass->weight_channel);
        for (int64_t t = 0; t < taps; t++)
            NAME(copy)(to + place[t], kernels + t * LANES, LANES);
    }
}

/* The inputs of a box for some items, at the points. */
static void NAME(transform_passing)(const cx_pass *pass, const cx_share *share, const T *input,
                                    const NAME(passing_space) *space)
{
    const int along = NAME(PASSING_ALONG);
    int64_t line[NAME(PASSING_ALONG)], place[NAME(PASSING_ALONG)];
    int64_t columns = (share->end_item - share->item) * space->tiles;
    for (int64_t i = 0; i < along; i++) {
        line[i] = i * pass->axes[pass->rank - 2].position_stride;
        place[i] = i;
    }
    for (int64_t c = 0; c < pass->channels; c += LANES) {
        int64_t some = cx_min(LANES, pass->channels - c);
        for (int64_t n = share->item; n < share->end_item; n++) {
            NAME(fill_tile)(pass, &space->box, input + n * pass->in_batch, c, some, space->tile);
            NAME(interleave)(space->inputs, LANES, space->tile, pass->tile_size, some,
                             pass->tile_size, pass->tile_size);
            NAME(transform_vectors)(along, along, 2, 1, space->inputs, space->x_at, space->tiles,
                                    line, place, LANES,
                                    space->points + (n - share->item) * space->tiles * LANES,
                                    space->plane);
        }
        T *to = space->x;
        for (int64_t t = 0, tiles; t < columns; t += tiles) {
            tiles = cx_min(NAME(PASSING_TILES), columns - t);
            for (int j = 0; j < along; j++, to += NAME(passing_plane)(pass, tiles)) {
                int64_t row[NAME(PASSING_ALONG) * NAME(PASSING_TILES)], rows = along * tiles;
                for (int64_t r = 0; r < rows; r++)
                    row[r] = (r / tiles * along + j) * space->plane + (t + r % tiles) * LANES;
                /* the last rows first: what is stored beside them is overwritten */
                for (int64_t r = (rows - 1) / LANES * LANES; r >= 0; r -= LANES)
                    NAME(fill_stretch)(1, space->points, row + r, cx_min(LANES, rows - r) - 1,
                                       LANES, to + c * rows + r, rows);
            }
        }
    }
}

/* Adds the products at six points of a vector of filters with some tiles, over some channels. */
CX_INLINE void NAME(multiply_passing)(const int tiles, const int j, int64_t channels,
                                      const T *weights, const T *x, T *sums, int start)
{
    const int along = NAME(PASSING_ALONG);
    NAME(vector) sum[NAME(PASSING_ALONG)][NAME(PASSING_TILES)];
    CX_UNROLL for (int i = 0; i < along; i++)
        CX_UNROLL for (int t = 0; t < tiles; t++)
            if (start)
                sum[i][t] = (NAME(vector)){0};
            else
                sum[i][t] = *(const NAME(loose) *)(sums + (i * tiles + t) * LANES);
    for (int64_t c = 0; c < channels; c++) {
        NAME(vector) part[3], u[NAME(PASSING_ALONG)];
        CX_UNROLL for (int i = 0; i < 3; i++) {
            NAME(vector) g[3];
            CX_UNROLL for (int t = 0; t < 3; t++)
                g[t] = *(const NAME(loose) *)(weights + (i * 3 + t) * LANES);
            NAME(weights_to_points)(along, 3, 1, g, u);
            part[i] = u[j];
        }
        NAME(weights_to_points)(along, 3, 1, part, u);
        CX_UNROLL for (int i = 0; i < along; i++)
            CX_UNROLL for (int t = 0; t < tiles; t++)
                sum[i][t] += u[i] * x[i * tiles + t];
        weights += NAME(PASSING_TAPS) * LANES;
        x += along * tiles;
    }
    CX_UNROLL for (int i = 0; i < along; i++)
        CX_UNROLL for (int t = 0; t < tiles; t++)
            *(NAME(loose) *)(sums + (i * tiles + t) * LANES) = sum[i][t];
}

#define AT_POINT(TILES, POINT)                                                                    \
    NAME(multiply_passing)(TILES, POINT, channels, weights, x + POINT * plane,                    \
                           sums + POINT * NAME(PASSING_ALONG) * TILES * LANES, start);
#define SOME_TILES(TILES)                                                                         \
    static CX_NOINLINE void NAME(multiply_##TILES##_passing)(                                     \
        int64_t channels, const T *weights, const T *x, int64_t plane, T *sums, int start)        \
    {                                                                                             \
        AT_POINT(TILES, 0) AT_POINT(TILES, 1) AT_POINT(TILES, 2)                                  \
        AT_POINT(TILES, 3) AT_POINT(TILES, 4) AT_POINT(TILES, 5)                                  \
    }

SOME_TILES(1)
SOME_TILES(2)
#if ROWS > 6
SOME_TILES(3)
SOME_TILES(4)
#endif

#undef SOME_TILES
#undef AT_POINT

/* The sums of a vector of filters, over some channels. */
static void NAME(sum_passing)(const cx_pass *pass, const NAME(passing_space) *space,
                              int64_t columns, int64_t channel, int64_t channels)
{
    static void (*const multiply[])(int64_t, const T *, const T *, int64_t, T *, int) = {
        NAME(multiply_1_passing), NAME(multiply_2_passing),
#if ROWS > 6
        NAME(multiply_3_passing), NAME(multiply_4_passing),
#endif
    };
    const int64_t along = NAME(PASSING_ALONG);
    const T *x = space->x;
    for (int64_t t = 0, tiles; t < columns; t += tiles) {
        tiles = cx_min(NAME(PASSING_TILES), columns - t);
        int64_t plane = NAME(passing_plane)(pass, tiles);
        multiply[tiles - 1](channels, space->weights, x + channel * along * tiles, plane,
                            space->sums + t * along * along * LANES, channel == 0);
        x += along * plane;
    }
}

/* Aᵀ m A of a vector of filters in a tile; `sums`: its first, of some tiles. The outputs that there
   are, `height` by `width`, are stored a `line` apart. Returns 0 for each that is finite. */
CX_INLINE NAME(vector) NAME(restore_passing)(const T *sums, int64_t tiles, NAME(vector) bias,
                                             T *to, int64_t line, int64_t height, int64_t width)
{
    const int along = NAME(PASSING_ALONG), tile = NAME(PASSING_TILE);
    NAME(vector) part[NAME(PASSING_TILE)][NAME(PASSING_ALONG)], m[NAME(PASSING_ALONG)];
    NAME(vector) y[NAME(PASSING_TILE)], zeros = {0};
    for (int j = 0; j < along; j++) {
        CX_UNROLL for (int i = 0; i < along; i++)
            m[i] = *(const NAME(loose) *)(sums + (j * along + i) * tiles * LANES);
        NAME(from_points)(along, tile, m, y);
        CX_UNROLL for (int r = 0; r < tile; r++)
            part[r][j] = y[r];
    }
    for (int r = 0; r < height; r++) {
        NAME(from_points)(along, tile, part[r], y);
        for (int p = 0; p < width; p++) {
            y[p] += bias;
            zeros += y[p] * 0;
            *(NAME(loose) *)(to + (r * line + p) * LANES) = y[p];
        }
    }
    return zeros;
}

/* The outputs of a vector of filters, from their sums. Returns whether all of them are finite. */
static int NAME(restore_filters)(const cx_pass *pass, const NAME(passing_space) *space,
                                 const cx_share *share, int64_t filters, const T *bias, T *output)
{
    int64_t last = pass->rank - 1, step = pass->axes[last].out_stride;
    const int64_t *extent = space->box.extent;
    int64_t length = extent[last], height = extent[last - 1];
    int64_t columns = (share->end_item - share->item) * space->tiles, column = 0;
    int64_t row_tiles = NAME(tiles_along)(pass, last, length);
    int64_t plane_tiles = NAME(tiles_along)(pass, last - 1, height) * row_tiles;
    NAME(vector) biases = {0}, check = {0};
    if (bias)
        for (int64_t f = 0; f < filters; f++)
            biases[f] = bias[f];
    for (int64_t n = share->item; n < share->end_item; n++) {
        for (int64_t p = 0; p < space->tiles; p++, column++) {
            int64_t first = column / NAME(PASSING_TILES) * NAME(PASSING_TILES);
            const T *sums = space->sums + (first * NAME(PASSING_ALONG) * NAME(PASSING_ALONG) +
                                           column - first) * LANES;
            int64_t row = p % plane_tiles / row_tiles * NAME(PASSING_TILE);
            int64_t at = p % row_tiles * NAME(PASSING_TILE);
            check += NAME(restore_passing)(
                sums, cx_min(NAME(PASSING_TILES), columns - first), biases,
                space->outputs + ((p / plane_tiles * height + row) * length + at) * LANES, length,
                cx_min(NAME(PASSING_TILE), height - row),
                cx_min(NAME(PASSING_TILE), length - at));
        }
        int64_t index[CX_MAX_RANK] = {0}, axis = last;
        int64_t line = length; /* rows that follow one another are one */
        for (; axis > 0 && pass->axes[axis - 1].out_stride == line * step; axis--)
            line *= extent[axis - 1];
        const T *from = space->outputs;
        do {
            T *to = output + n * pass->out_batch;
            for (int64_t a = 0; a < axis; a++)
                to += index[a] * pass->axes[a].out_stride;
            NAME(collect_lanes)(to, pass->out_channel, step, from, LANES, filters, line, line);
            from += line * LANES;
        } while (cx_next(index, extent, axis));
    }
    T sum = 0;
    for (int64_t lane = 0; lane < filters; lane++)
        sum += check[lane];
    return sum == 0;
}

/* The outputs of some items, whose planes are a box each. */
static void NAME(forward_passing)(const cx_pass *pass, const cx_call *call, int64_t group,
                                  const cx_share *share, char *scratch)
{
    NAME(passing_space) space = NAME(carve_passing)(pass, &scratch);
    const T *input = (const T *)call->input + group * pass->channels * pass->in_channel;
    int64_t columns = (share->end_item - share->item) * space.tiles;
    cx_place_box(pass, share->box, &space.box);
    cx_find_rows(pass, &space.box);
    cx_find_stretches(pass, &space.box);
    NAME(find_tiles)(pass, &space.box, space.x_at, NULL);
    NAME(clear_gaps)(pass, space.tile);
    NAME(transform_passing)(pass, share, input, &space);
    for (int64_t b = share->block; b < share->end_block; b++) {
        int64_t filter = NAME(first_filter)(pass, b) + group * pass->filters;
        int64_t filters = NAME(first_filter)(pass, b + 1) + group * pass->filters - filter;
        for (int64_t c = 0, some; c < pass->channels; c += some) {
            some = cx_min(NAME(PASSING_CHANNELS), pass->channels - c);
            NAME(pack_kernels)(pass, call->weight, group, b, c, some, space.weights,
                               space.kernels);
            NAME(sum_passing)(pass, &space, columns, c, some);
        }
        T *output = (T *)call->output + filter * pass->out_channel + space.box.out;
        if (!NAME(restore_filters)(pass, &space, share, filters,
                                   call->bias ? (const T *)call->bias + filter : 0, output))
            __atomic_store_n(call->overflow, 1, __ATOMIC_RELAXED);
        NAME(finish_box)(pass, call, &space.box, share->item, share->end_item, filter,
                         filter + filters);
    }
}
