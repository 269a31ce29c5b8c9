/* Winograd's algorithm, gradient of the weights: with the matrices of points.h, and summed over the
   tiles of all boxes,

       dg = Gᵀ [ (A dy) · (Bᵀ d) ]

   in two axes from both sides. Here the vectors are channels or filters, not tiles: what is loaded
   is transposed before, as there are fewer inputs than points. The product at each point sums over
   the tiles of a box. A task's sums stay where they are for all boxes; after the last one they
   become its part of the gradient. */

enum { NAME(GRADIENT_PANEL) = 2 * LANES };

typedef struct {
    cx_box box;
    int64_t tiles;              /* of a step, at most */
    int64_t row_size;           /* of outputs */
    int64_t x_plane, y_plane;   /* elements from one point to the next */
    int64_t *x_at, *y_at;       /* places of each tile in its box's inputs and outputs */
    int64_t *first_tile;        /* of each box, and the end */
    int64_t *offset;            /* of each tile at a point */
    T *tile, *inputs;           /* [box][channel][place], [box][place][channel] */
    T *row, *outputs;           /* of outputs, [filter][place]; of a box, [place][filter] */
    T *x, *y;                   /* [point][tile][column], [block][sum][tile][filter] */
    int64_t reach;              /* places from a tile's tap to the last place that it meets */
    int64_t *column;            /* where the columns of a panel begin in a box's tile */
} NAME(gradient_space);

/* How the sums of a task lie: [point][filter][column], with a column for each outer tap and
   channel. A whole number of panels for each tap; but few channels share panels. */
typedef struct {
    int64_t few, tap_columns, columns, plane, size;
} NAME(sums);

/* Register blocks of a task, at most. */
CX_INLINE int64_t NAME(part_blocks)(const cx_pass *pass)
{
    return (NAME(filter_blocks)(pass) + pass->filter_parts - 1) / pass->filter_parts;
}

/* Whether outer taps and channels are columns side by side: the channels alone are few. */
CX_INLINE int NAME(few_channels)(const cx_pass *pass)
{
    return pass->winograd_stride == 1 && pass->channels < 64 / (int64_t)sizeof(T) &&
           NAME(outer_taps)(pass) > 1;
}

CX_INLINE NAME(sums) NAME(sums_of)(const cx_pass *pass)
{
    int64_t panel = NAME(GRADIENT_PANEL);
    int64_t filters = cx_min(pass->filters, NAME(part_blocks)(pass) * ROWS);
    NAME(sums) sums;
    sums.few = NAME(few_channels)(pass);
    int64_t unit = sums.few ? 1 : panel;
    sums.tap_columns = (pass->channel_block + unit - 1) / unit * unit;
    sums.columns = (NAME(outer_taps)(pass) * sums.tap_columns + panel - 1) / panel * panel;
    sums.plane = NAME(spread)(filters * sums.columns);
    sums.size = NAME(weight_points)(pass) * sums.plane + LANES; /* whole vectors are read */
    return sums;
}

CX_INLINE NAME(gradient_space) NAME(carve_gradient)(const cx_pass *pass, char **scratch)
{
    NAME(gradient_space) space;
    int64_t places = 1;
    int64_t points = NAME(winograd_points)(pass), first = pass->rank - pass->winograd_axes;
    space.tiles = pass->boxes_together;
    space.reach = 1;
    for (int64_t a = 0; a < pass->rank; a++) {
        int64_t tiles = NAME(tiles_along)(pass, a, pass->axes[a].block);
        int64_t outputs = tiles * (a < first ? 1 : pass->winograd_tile);
        space.tiles *= tiles;
        places *= outputs;
        space.reach += (outputs - 1 + (a < first ? 0 : pass->winograd_taps - 1)) *
                       pass->axes[a].position_stride;
    }
    cx_carve_box(pass, &space.box, scratch);
    space.x_plane = NAME(spread)(space.tiles * NAME(GRADIENT_PANEL));
    space.y_plane = NAME(spread)(space.tiles * ROWS + LANES);
    space.x_at = cx_carve(scratch, space.tiles * (int64_t)sizeof(int64_t));
    space.y_at = cx_carve(scratch, space.tiles * (int64_t)sizeof(int64_t));
    space.first_tile = cx_carve(scratch, (pass->boxes_together + 1) * (int64_t)sizeof(int64_t));
    space.offset = cx_carve(scratch, space.tiles * (int64_t)sizeof(int64_t));
    space.column = cx_carve(scratch, NAME(GRADIENT_PANEL) * (int64_t)sizeof(int64_t));
    space.tile = NAME(carve_elements)(
        scratch, pass->boxes_together * pass->channel_block * pass->tile_size);
    space.inputs = NAME(carve_elements)(
        scratch, pass->boxes_together * pass->tile_size * NAME(GRADIENT_PANEL));
    int64_t last = pass->rank - 1;
    space.row_size = NAME(tiles_along)(pass, last, pass->axes[last].block) * pass->winograd_tile;
    space.row = NAME(carve_elements)(scratch, ROWS * (space.row_size + LANES));
    space.outputs = NAME(carve_elements)(scratch, places * ROWS);
    space.x = NAME(carve_elements)(scratch, points * space.x_plane);
    space.y = NAME(carve_elements)(
        scratch, NAME(part_blocks)(pass) * NAME(winograd_sums)(pass) * space.y_plane);
    return space;
}

/* Where the tiles of a box begin, whose first one is `first_tile`; returns how many there are. */
static int64_t NAME(find_tiles)(const cx_pass *pass, const NAME(gradient_space) *space,
                                int64_t first_tile)
{
    int64_t first = pass->rank - pass->winograd_axes, count = 0;
    int64_t extent[CX_MAX_RANK], index[CX_MAX_RANK] = {0};
    for (int64_t a = 0; a < pass->rank; a++)
        extent[a] = NAME(tiles_along)(pass, a, space->box.extent[a]);
    do {
        int64_t x = 0, y = 0;
        for (int64_t a = 0; a < pass->rank; a++) {
            int64_t step = a < first ? 1 : pass->winograd_tile;
            x += index[a] * step * pass->axes[a].position_stride;
            y = y * extent[a] * step + index[a] * step;
        }
        space->x_at[first_tile + count] = x;
        space->y_at[first_tile + count++] = y;
    } while (cx_next(index, extent, pass->rank));
    return count;
}

/* The gradient of a box's outputs for some filters, [place][filter], with zeros where tiles reach
   over the outputs. Whole vectors are stored in rising order: what is too much is overwritten. Each
   row asks for the next one. */
static void NAME(transpose_outputs)(const cx_pass *pass, const NAME(gradient_space) *space,
                                    const T *gradient, int64_t rows)
{
    int64_t last = pass->rank - 1, first = pass->rank - pass->winograd_axes;
    int64_t extent[CX_MAX_RANK], index[CX_MAX_RANK] = {0}, step = pass->axes[last].out_stride;
    for (int64_t a = 0; a <= last; a++)
        extent[a] = NAME(tiles_along)(pass, a, space->box.extent[a]) *
                    (a < first ? 1 : pass->winograd_tile);
    T *to = space->outputs;
    do {
        int64_t from = 0, length = space->box.extent[last];
        for (int64_t a = 0; a < last; a++) {
            from += index[a] * pass->axes[a].out_stride;
            if (index[a] >= space->box.extent[a])
                length = 0;
        }
        for (int64_t r = 0; r < rows; r++)
            for (int64_t i = 0; i < length * step && last > 0; i += 64 / (int64_t)sizeof(T))
                __builtin_prefetch(gradient + from + r * pass->out_channel +
                                   pass->axes[last - 1].out_stride + i);
        if (length > 0 && step == 1)
            NAME(interleave)(to, rows, gradient + from, pass->out_channel, rows, length, length);
        else if (length > 0) {
            int64_t pitch = space->row_size + LANES;
            for (int64_t r = 0; r < rows; r++)
                NAME(copy_apart)(space->row + r * pitch, gradient + from + r * pass->out_channel,
                                 step, length);
            NAME(interleave)(to, rows, space->row, pitch, rows, length, pitch);
        }
        NAME(clear)(to + length * rows, (extent[last] - length) * rows);
        to += extent[last] * rows;
    } while (cx_next(index, extent, last));
}

/* Transforms every tile of vectors, inputs or, where they are fewer than points, outputs: at each
   point the vectors of all tiles follow one another. `line` and `place`: of a tile's lines, and of
   what is in one. */
CX_INLINE void NAME(transform_vectors)(const int size, const int along, const int axes,
                                       const int stride, const T *from, const int64_t *at,
                                       int64_t tiles, const int64_t *line, const int64_t *place,
                                       int64_t width, T *to, int64_t plane)
{
    const int down = axes == 2 ? along : 1, lines = axes == 2 ? size : 1;
    for (int64_t p = 0; p < tiles; p++)
        for (int64_t v = 0; v < width; v += LANES) {
            const T *x = from + at[p] * width + v;
            NAME(vector) part[6][6], d[6], points[6];
            for (int j = 0; j < size; j++) {
                CX_UNROLL for (int i = 0; i < lines; i++)
                    d[i] = *(const NAME(loose) *)(x + (line[i] + place[j]) * width);
                if (axes == 1)
                    points[0] = d[0];
                else if (size < along)
                    NAME(evaluate)(along, size, d, points);
                else
                    NAME(to_points)(along, stride, d, points);
                CX_UNROLL for (int i = 0; i < down; i++)
                    part[i][j] = points[i];
            }
            for (int i = 0; i < down; i++) {
                if (size < along)
                    NAME(evaluate)(along, size, part[i], points);
                else
                    NAME(to_points)(along, stride, part[i], points);
                CX_UNROLL for (int j = 0; j < along; j++)
                    *(NAME(loose) *)(to + (i * along + j) * plane + p * width + v) = points[j];
            }
        }
}

/* Gᵀ s G of the sums of a filter and an outer tap; adds 0 to `check` for each that is finite. The
   kernels of LANES channels are transposed and copied one by one: what lies beside them may be
   another task's. `to`: the kernel of the first channel; `place`: of each tap there, in which places
   from the end of the kernel on are none, or NULL, if taps follow one another. */
CX_INLINE void NAME(restore_weights)(const int tile, const int taps, const int axes,
                                     const int stride, const T *sums, int64_t plane,
                                     int64_t channels, T *to, int64_t step, const int64_t *place,
                                     NAME(vector) *check)
{
    const int points = stride * (tile - 1) + taps, along = stride == 1 ? points : points - 1;
    const int lines = axes == 2 ? taps : 1, down = axes == 2 ? along : 1;
    const int size = lines * taps, pitch = (size + LANES - 1) / LANES * LANES;
    T staged[(25 + LANES) * LANES], kernels[(25 + LANES) * LANES];
    for (int r = size; r < pitch; r++)
        NAME(clear)(staged + r * LANES, LANES);
    for (int64_t c = 0; c < channels; c += LANES, to += LANES * step) {
        NAME(vector) part[5][6], u[6], g[5], zeros = {0};
        for (int j = 0; j < along; j++) {
            CX_UNROLL for (int i = 0; i < down; i++)
                u[i] = *(const NAME(loose) *)(sums + (i * along + j) * plane + c);
            if (axes == 2)
                NAME(weights_from_points)(points, taps, stride, u, g);
            else
                g[0] = u[0];
            CX_UNROLL for (int i = 0; i < lines; i++)
                part[i][j] = g[i];
        }
        for (int i = 0; i < lines; i++) {
            NAME(weights_from_points)(points, taps, stride, part[i], g);
            CX_UNROLL for (int j = 0; j < taps; j++) {
                zeros += g[j] * 0;
                *(NAME(loose) *)(staged + (i * taps + j) * LANES) = g[j];
            }
        }
        for (int64_t lane = channels - c; lane < LANES; lane++)
            zeros[lane] = 0; /* no channel */
        *check += zeros;
        for (int r = 0; r < pitch; r += LANES)
            NAME(transpose_square)(kernels + r, pitch, staged + r * LANES, LANES);
        for (int64_t lane = 0; lane < cx_min(LANES, channels - c); lane++)
            if (!place)
                NAME(copy)(to + lane * step, kernels + lane * pitch, size);
            else
                for (int i = 0; i < size; i++)
                    if (place[i] < step)
                        to[lane * step + place[i]] = kernels[lane * pitch + i];
    }
}

/* A task's part of the gradient, from its sums. Returns whether all of it is finite. */
static int NAME(restore_gradient)(const cx_pass *pass, const NAME(sums) *sums, const T *from,
                                  int64_t filters, int64_t channels, T *to)
{
    int64_t inner = NAME(inner_taps)(pass), kernel = pass->channels * pass->kernel_taps;
    NAME(vector) check = {0};
    for (int64_t f = 0; f < filters; f++, to += kernel)
        for (int64_t t = 0; t < pass->taps; t += inner) {
            const T *at = from + f * sums->columns + t / inner * sums->tap_columns;
            const int64_t *place = pass->taps_in_order ? 0 : pass->tap_weight + t;
#define RESTORE_WEIGHTS(TILE, TAPS, AXES, STRIDE)                                                 \
    NAME(restore_weights)(TILE, TAPS, AXES, STRIDE, at, sums->plane, channels,                    \
                          to + (place ? 0 : t), pass->kernel_taps, place, &check)
            EACH_TILING(RESTORE_WEIGHTS)
#undef RESTORE_WEIGHTS
        }
    T sum = 0;
    for (int64_t lane = 0; lane < LANES; lane++)
        sum += check[lane];
    return sum == 0;
}

/* Of a point: its sum, whether weights of its own, and which. */
typedef struct {
    int64_t sum, weights;
    int first;
} NAME(partners);

CX_INLINE NAME(partners) NAME(partners_of)(const cx_pass *pass, int64_t point)
{
    if (pass->winograd_stride == 1)
        return (NAME(partners)){point, point, 1};
    int64_t down = point / 5, along = point % 5;
    return (NAME(partners)){3 * NAME(sum_along)(down) + NAME(sum_along)(along),
                            4 * NAME(weights_along)(down) + NAME(weights_along)(along),
                            down < 4 && along < 4};
}

/* Adds the products of a box's tiles, for some channels at one outer tap. */
static void NAME(add_products)(const cx_pass *pass, const NAME(gradient_space) *space,
                               const NAME(sums) *sums, int64_t tiles, int64_t first_block,
                               int64_t end_block, int64_t width, T *to, int start)
{
    int64_t points = NAME(winograd_points)(pass), first = NAME(first_filter)(pass, first_block);
    int64_t y_points = NAME(winograd_sums)(pass);
    for (int64_t point = 0; point < points; point++) {
        NAME(partners) of = NAME(partners_of)(pass, point);
        for (int64_t b = first_block; b < end_block; b++) {
            int64_t filter = NAME(first_filter)(pass, b);
            int64_t rows = NAME(first_filter)(pass, b + 1) - filter;
            const T *y = space->y + ((b - first_block) * y_points + of.sum) * space->y_plane;
            NAME(rows) block = {y, 0, rows, 0};
            NAME(product_of)(rows, width, 0)(
                tiles, space->offset, space->x + point * space->x_plane, &block,
                to + of.weights * sums->plane + (filter - first) * sums->columns, sums->columns,
                of.first ? start : CX_ADD);
        }
    }
}

/* The outputs of a step's boxes for a register block of filters, to the points. Boxes that are phases
   of the same rows follow one another: these are still in the cache. */
static void NAME(take_outputs)(const cx_pass *pass, const cx_call *call,
                               const cx_gradient_share *share, int64_t first_box, int64_t end_box,
                               int64_t block, NAME(gradient_space) *space)
{
    int64_t line[NAME(MOST_POINTS)], place[NAME(MOST_POINTS)], boxes = 0;
    int64_t first = NAME(first_filter)(pass, block);
    int64_t rows = NAME(first_filter)(pass, block + 1) - first;
    T *to = space->y + (block - share->block) * NAME(winograd_sums)(pass) * space->y_plane;
    for (int64_t box = first_box; box < end_box; box++) {
        if (!cx_place_box(pass, box % pass->boxes, &space->box))
            continue;
        int64_t row_tiles =
            NAME(tiles_along)(pass, pass->rank - 1, space->box.extent[pass->rank - 1]);
        for (int64_t i = 0; i < NAME(MOST_POINTS); i++) {
            line[i] = i * row_tiles * pass->winograd_tile;
            place[i] = i;
        }
        const T *gradient = (const T *)call->weight + box / pass->boxes * pass->out_batch +
                            space->box.out +
                            (share->group * pass->filters + first) * pass->out_channel;
        int64_t tile = space->first_tile[boxes], tiles = space->first_tile[boxes + 1] - tile;
        NAME(transpose_outputs)(pass, space, gradient, rows);
#define TRANSFORM_OUTPUTS(TILE, TAPS, AXES, STRIDE)                                               \
    NAME(transform_vectors)(TILE, TILE + (TAPS + STRIDE - 1) / STRIDE - 1, AXES, STRIDE,          \
                            space->outputs, space->y_at + tile, tiles, line, place, rows,         \
                            to + tile * rows, space->y_plane)
        EACH_TILING(TRANSFORM_OUTPUTS)
#undef TRANSFORM_OUTPUTS
        boxes++;
    }
}

/* The inputs of a box's tiles for some channels at an outer tap, to the points. */
static void NAME(transform_inputs)(const cx_pass *pass, const NAME(gradient_space) *space,
                                   const T *inputs, int64_t first_tile, int64_t tiles,
                                   int64_t width)
{
    int64_t x_pitch = pass->winograd_axes == 2 ? pass->axes[pass->rank - 2].position_stride : 0;
    int64_t stride = pass->winograd_stride, line[NAME(MOST_POINTS)], place[NAME(MOST_POINTS)];
    const int64_t *tap = pass->tap_offset;
    for (int64_t i = 0; i < NAME(MOST_POINTS); i++) { /* with a stride, odd ones lie apart */
        line[i] = i / stride * x_pitch + (i % stride ? tap[3] - tap[0] : 0);
        place[i] = i / stride + (i % stride ? tap[1] - tap[0] : 0);
    }
    T *to = space->x + first_tile * width;
#define TRANSFORM_INPUTS(TILE, TAPS, AXES, STRIDE)                                                \
    NAME(transform_vectors)(STRIDE * (TILE - 1) + TAPS, STRIDE * (TILE - 1) + TAPS, AXES, STRIDE, \
                            inputs, space->x_at + first_tile, tiles, line, place, width, to,      \
                            space->x_plane)
    EACH_TILING(TRANSFORM_INPUTS)
#undef TRANSFORM_INPUTS
}

/* The columns of a panel from `first` on, [place][column]: channels, or, where these are few, outer
   taps of channels, for which places begin at the tap. */
static void NAME(place_inputs)(const cx_pass *pass, const NAME(gradient_space) *space,
                               const NAME(sums) *sums, int64_t box, int64_t first,
                               int64_t columns, int64_t width)
{
    T *to = space->inputs + box * pass->tile_size * NAME(GRADIENT_PANEL);
    const T *tile = space->tile + box * pass->channel_block * pass->tile_size;
    for (int64_t v = 0; v < columns; v += LANES) {
        int64_t some = cx_min(LANES, columns - v);
        if (!sums->few) {
            NAME(interleave)(to + v, width, tile + (first + v) * pass->tile_size, pass->tile_size,
                             some, pass->tile_size, pass->tile_size);
            continue;
        }
        for (int64_t i = 0; i < some; i++) {
            int64_t tap = (first + v + i) / sums->tap_columns * NAME(inner_taps)(pass);
            space->column[i] =
                (first + v + i) % sums->tap_columns * pass->tile_size + pass->tap_offset[tap];
        }
        NAME(fill_stretch)(1, tile, space->column, some - 1, space->reach, to + v, width);
    }
}

/* Adds the products of a step's boxes to the sums, or begins these with them. */
static void NAME(add_step)(const cx_pass *pass, const cx_call *call,
                           const cx_gradient_share *share, int64_t step,
                           NAME(gradient_space) *space, const NAME(sums) *sums, T *totals)
{
    int64_t panel = NAME(GRADIENT_PANEL), inner = NAME(inner_taps)(pass), boxes = 0, tiles = 0;
    const T *input = (const T *)call->input + share->group * pass->channels * pass->in_channel;
    int64_t first_box = step * pass->boxes_together;
    int64_t end_box = cx_min(first_box + pass->boxes_together, pass->batch * pass->boxes);
    for (int64_t box = first_box; box < end_box; box++) {
        if (!cx_place_box(pass, box % pass->boxes, &space->box))
            continue;
        cx_find_rows(pass, &space->box);
        cx_find_stretches(pass, &space->box);
        NAME(fill_tile)(pass, &space->box, input + box / pass->boxes * pass->in_batch,
                        share->channel, share->channels,
                        space->tile + boxes * pass->channel_block * pass->tile_size);
        space->first_tile[boxes++] = tiles;
        tiles += NAME(find_tiles)(pass, space, tiles);
    }
    space->first_tile[boxes] = tiles;
    for (int64_t b = share->block; b < share->end_block; b++)
        NAME(take_outputs)(pass, call, share, first_box, end_box, b, space);
    int64_t columns = sums->few ? sums->tap_columns * NAME(outer_taps)(pass) : share->channels;
    for (int64_t c = 0; c < columns; c += panel) {
        int64_t width = columns - c > LANES ? panel : LANES;
        for (int64_t p = 0; p < tiles; p++)
            space->offset[p] = p * width;
        for (int64_t b = 0; b < boxes; b++)
            NAME(place_inputs)(pass, space, sums, b, c, cx_min(columns - c, width), width);
        for (int64_t t = 0; t < (sums->few ? inner : pass->taps); t += inner) {
            for (int64_t b = 0; b < boxes; b++)
                NAME(transform_inputs)(
                    pass, space,
                    space->inputs + b * pass->tile_size * panel +
                        (sums->few ? 0 : pass->tap_offset[t] * width),
                    space->first_tile[b], space->first_tile[b + 1] - space->first_tile[b], width);
            NAME(add_products)(pass, space, sums, tiles, share->block, share->end_block, width,
                               totals + t / inner * sums->tap_columns + c,
                               step == share->part_step ? CX_START : CX_ADD);
        }
    }
}

static void NAME(gradient_winograd)(const cx_pass *pass, const cx_call *call,
                                    const cx_gradient_share *share, int64_t task, char *scratch)
{
    NAME(gradient_space) space = NAME(carve_gradient)(pass, &scratch);
    NAME(sums) sums = NAME(sums_of)(pass);
    T *totals = (T *)call->sums + task * sums.size;
    for (int64_t b = 0; b < pass->boxes_together; b++)
        NAME(clear_gaps)(pass, space.tile + b * pass->channel_block * pass->tile_size);
    for (int64_t step = share->step; step < share->end_step; step++)
        NAME(add_step)(pass, call, share, step, &space, &sums, totals);
    if (share->end_step < share->part_end)
        return;
    int64_t first_filter = NAME(first_filter)(pass, share->block);
    int64_t end_filter = NAME(first_filter)(pass, share->end_block);
    int64_t group = share->row_part * pass->groups + share->group;
    int64_t kernel = pass->channels * pass->kernel_taps;
    T *to = (T *)call->output + (group * pass->filters + first_filter) * kernel +
            share->channel * pass->kernel_taps;
    if (!NAME(restore_gradient)(pass, &sums, totals, end_filter - first_filter, share->channels,
                                to))
        __atomic_store_n(call->overflow, 1, __ATOMIC_RELAXED);
}
