/* Winograd's algorithm, forward: what a task has in scratch memory, and the tasks that pack
   weights, transformed to the points. */

/* A stretch of a row of tiles within LANES columns, and the outputs that it covers. */
typedef struct {
    int64_t column;
    int64_t out, rows, length;
} NAME(patch);

/* What a thread's scratch memory holds. Columns are the tiles of a task, of all its items. */
typedef struct {
    cx_box box;
    int64_t box_columns, columns; /* of an item in the box, of all so far */
    int64_t pitch;                /* elements from one row of columns to the next */
    int64_t plane, sums_plane;    /* elements from one point to the next */
    int64_t row_size;             /* of a row of tiles, transformed along one axis */
    int64_t addends;              /* points of a sum, at most */
    int64_t runs, patches;
    cx_run *run; /* rows of tiles of an item */
    NAME(patch) *patch;
    int64_t *offset;  /* of each row of the reduction in a plane */
    T *tile, *rows;   /* of the input; of one row of tiles, transformed along one axis */
    T *points, *sums; /* [point][row of the reduction][column], [sum][filter][column]; the points of
                         a sum share planes, [row of the reduction][point][column] */
    T *staged, *weights, *kernels;
} NAME(winograd_space);

/* Elements of a transformed row of inputs: whole vectors of tiles, and one tile ahead. */
CX_INLINE int64_t NAME(row_elements)(int64_t tile, int64_t tiles)
{
    return ((tiles + LANES - 1) / LANES * tile + 2) * LANES;
}

CX_INLINE NAME(winograd_space) NAME(carve_winograd)(const cx_pass *pass, char **scratch)
{
    NAME(winograd_space) space;
    int64_t last = pass->rank - 1, rows = 1;
    int64_t points = NAME(winograd_points)(pass);
    for (int64_t a = 0; a < last; a++)
        rows *= NAME(tiles_along)(pass, a, pass->axes[a].block);
    int64_t row_tiles = NAME(tiles_along)(pass, last, pass->axes[last].block);
    int64_t rows_together = pass->boxes_together * pass->items * rows;
    int64_t columns = rows_together * row_tiles;
    int64_t reduction = pass->channel_block * NAME(outer_taps)(pass);
    int64_t part_filters = cx_min(pass->sum_blocks * ROWS, pass->filters);
    if (pass->channel_block < pass->channels)
        part_filters = cx_min(pass->filters, pass->filters / pass->filter_parts + 2 * ROWS);
    space.pitch = (columns + LANES - 1) / LANES * LANES;
    space.addends = pass->winograd_stride * pass->winograd_stride;
    space.plane = NAME(spread)(reduction * space.pitch);
    space.sums_plane = NAME(spread)(part_filters * space.pitch);
    cx_carve_box(pass, &space.box, scratch);
    space.run = cx_carve(scratch, rows * (int64_t)sizeof(cx_run));
    space.patch = cx_carve(
        scratch, (rows_together + columns / LANES + 2) * (int64_t)sizeof(*space.patch));
    space.offset = cx_carve(scratch, space.addends * reduction * (int64_t)sizeof(int64_t));
    space.tile = NAME(carve_elements)(scratch, pass->channel_block * pass->tile_size);
    space.row_size = NAME(points_along)(pass) * pass->winograd_stride *
                     NAME(row_elements)(pass->winograd_tile, row_tiles);
    space.rows = NAME(carve_elements)(scratch, space.row_size);
    space.points = NAME(carve_elements)(scratch, points * space.plane);
    space.sums = NAME(carve_elements)(scratch, NAME(winograd_sums)(pass) * space.sums_plane);
    space.staged = NAME(carve_elements)(scratch, 16 * LANES);
    int64_t together = NAME(channels_packed)(pass), places = together * pass->kernel_taps + 1;
    space.weights = NAME(carve_elements)(scratch, together * pass->taps * ROWS);
    space.kernels = NAME(carve_elements)(
        scratch, pass->kernel_taps <= CX_MOST_KERNEL_TAPS ? places * ROWS : 0);
    return space;
}

/* The weights of a pass at their points, [point][row of the reduction][filter] for each step of
   the reduction and each register block; of a sum's points, [row of the reduction][point][filter].
 */

CX_INLINE int64_t NAME(transformed_at)(const cx_pass *pass, int64_t group, const NAME(step) *s,
                                       int64_t point, int64_t first_filter)
{
    int64_t outer = NAME(outer_taps)(pass);
    int64_t steps = (pass->channels + pass->channel_block - 1) / pass->channel_block;
    int64_t step = group * steps + s->channel / pass->channel_block;
    return (step * NAME(winograd_points)(pass) + point) * pass->point_size +
           first_filter * s->channels * outer;
}

/* The last step of G g Gᵀ, for column j of the points, and row m of the reduction's `steps`. Whole
   vectors are stored as far as there is room: what is too much is overwritten by the next row, unless
   the sum has several points, whose rows are there from the second vector on. The lines of a later
   row are asked for: there are more streams of stores than the hardware follows. */
CX_INLINE void NAME(store_weights)(const int along, const int taps, const int axes,
                                   const int stride, const int j, const NAME(vector) *part,
                                   int64_t first_filter, int64_t rows, int64_t first, T *to,
                                   int64_t plane, int64_t m, int64_t steps)
{
    const int points = axes == 2 ? along : 1;
    NAME(vector) u[6];
    if (axes == 2)
        NAME(weights_to_points)(along, taps, stride, part, u);
    else
        u[0] = part[0];
    CX_UNROLL for (int i = 0; i < points; i++) {
        NAME(place) place = NAME(place_of)(stride, along, i, j);
        int64_t row = m * place.count + place.which, room = (steps * place.count - row) * rows;
        if (place.count > 1 && first > 0)
            room = rows;
        T *at = to + place.first * plane + first_filter * steps * place.count + row * rows + first;
        __builtin_prefetch(at + 256 / sizeof(T), 1);
        if (first + LANES <= room)
            *(NAME(loose) *)at = u[i];
        else
            NAME(copy)(at, (const T *)&u[i], cx_min(LANES, rows - first));
    }
}

/* G g Gᵀ of the kernels of a register block. `to`: the first point of the first block's. */
CX_INLINE void NAME(transform_weights)(const int tile, const int taps, const int axes,
                                       const int stride, const T *weights, int64_t first_filter,
                                       int64_t rows, T *to, int64_t plane, int64_t m,
                                       int64_t steps)
{
    const int along = stride * (tile - 1) + taps, lines = axes == 2 ? taps : 1;
    for (int64_t first = 0; first < rows; first += LANES) {
        NAME(vector) part[6][5], g[5], u[6];
        for (int i = 0; i < lines; i++) {
            CX_UNROLL for (int j = 0; j < taps; j++)
                g[j] = *(const NAME(loose) *)(weights + (i * taps + j) * rows + first);
            NAME(weights_to_points)(along, taps, stride, g, u);
            CX_UNROLL for (int j = 0; j < along; j++)
                part[j][i] = u[j];
        }
#define STORE_WEIGHTS                                                                             \
    NAME(store_weights)(along, taps, axes, stride, j, part[j], first_filter, rows, first, to,     \
                        plane, m, steps)
        if (stride == 1)
            for (int j = 0; j < along; j++)
                STORE_WEIGHTS;
        else /* places are known in advance */
            CX_UNROLL for (int j = 0; j < along; j++)
                STORE_WEIGHTS;
#undef STORE_WEIGHTS
    }
}

static void NAME(pack_winograd)(const cx_pass *pass, const cx_call *call, int64_t group,
                                int64_t block, char *scratch)
{
    NAME(winograd_space) space = NAME(carve_winograd)(pass, &scratch);
    int64_t first = NAME(first_filter)(pass, block), inner = NAME(inner_taps)(pass);
    int64_t rows = NAME(first_filter)(pass, block + 1) - first, outer = NAME(outer_taps)(pass);
    NAME(step) s = NAME(first_step)(pass);
    do {
        T *to = (T *)call->output + NAME(transformed_at)(pass, group, &s, 0, 0);
        for (int64_t c = 0, channels; c < s.channels; c += channels) {
            channels = cx_min(NAME(channels_packed)(pass), s.channels - c);
            int64_t start = group * pass->weight_group + first * pass->weight_filter +
                            (s.channel + c) * pass->weight_channel;
            /* no hardware foresees the jumps from channel to channel */
            for (int64_t r = 0; r < rows && channels == 1; r++)
                __builtin_prefetch((const T *)call->weight + start + 2 * pass->weight_channel +
                                   r * pass->weight_filter);
            int64_t readable = pass->weight_size - start - (rows - 1) * pass->weight_filter;
            NAME(pack_channels)(pass, (const T *)call->weight + start, readable, rows, channels,
                                &s, space.weights, space.kernels);
            for (int64_t t = 0; t < channels * outer; t++) {
#define TRANSFORM_WEIGHTS(TILE, TAPS, AXES, STRIDE)                                               \
    NAME(transform_weights)(TILE, TAPS, AXES, STRIDE, space.weights + t * inner * rows, first,    \
                            rows, to, pass->point_size, c * outer + t, s.channels * outer)
                EACH_TILING(TRANSFORM_WEIGHTS)
#undef TRANSFORM_WEIGHTS
            }
        }
    } while (NAME(next_step)(pass, &s));
}
