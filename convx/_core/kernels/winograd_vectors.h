/* Winograd's algorithm, gradient of the weights: what a task has in scratch memory, and how inputs and
   gradients of outputs get to the points. Here the vectors are channels or filters, not tiles: what is
   loaded is transposed before, as there are fewer inputs than points. */

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

/* Where the tiles of a box begin in its inputs and, unless `y_at` is NULL, in its outputs; returns how
   many there are. */
static int64_t NAME(find_tiles)(const cx_pass *pass, const cx_box *box, int64_t *x_at,
                                int64_t *y_at)
{
    int64_t first = pass->rank - pass->winograd_axes, count = 0;
    int64_t extent[CX_MAX_RANK], index[CX_MAX_RANK] = {0};
    for (int64_t a = 0; a < pass->rank; a++)
        extent[a] = NAME(tiles_along)(pass, a, box->extent[a]);
    do {
        int64_t x = 0, y = 0;
        for (int64_t a = 0; a < pass->rank; a++) {
            int64_t step = a < first ? 1 : pass->winograd_tile;
            x += index[a] * step * pass->axes[a].position_stride;
            y = y * extent[a] * step + index[a] * step;
        }
        x_at[count] = x;
        if (y_at)
            y_at[count] = y;
        count++;
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

/* Transforms every tile of vectors, inputs or, where they are fewer than points, outputs, which are
   multiplied by G's factors too: at each point the vectors of all tiles follow one another. `line` and
   `place`: of a tile's lines, and of what is in one. */
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
                CX_UNROLL for (int j = 0; j < along; j++) {
                    if (size < along && stride == 1)
                        points[j] *= NAME(factor)(along, j) * (axes == 2 ? NAME(factor)(along, i) : 1);
                    *(NAME(loose) *)(to + (i * along + j) * plane + p * width + v) = points[j];
                }
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

/* The inputs of a step's boxes, and its outputs at the points. Returns how many boxes there are. */
static int64_t NAME(take_step)(const cx_pass *pass, const cx_call *call,
                               const cx_gradient_share *share, int64_t step,
                               NAME(gradient_space) *space)
{
    int64_t boxes = 0, tiles = 0;
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
        tiles += NAME(find_tiles)(pass, &space->box, space->x_at + tiles, space->y_at + tiles);
    }
    space->first_tile[boxes] = tiles;
    for (int64_t b = share->block; b < share->end_block; b++)
        NAME(take_outputs)(pass, call, share, first_box, end_box, b, space);
    return boxes;
}

/* The inputs of a panel of channels from `first` on, at an outer tap, to the points. */
static void NAME(transform_panel)(const cx_pass *pass, const NAME(gradient_space) *space,
                                  const NAME(sums) *sums, int64_t boxes, int64_t tap,
                                  int64_t width)
{
    for (int64_t b = 0; b < boxes; b++)
        NAME(transform_inputs)(pass, space,
                               space->inputs + b * pass->tile_size * NAME(GRADIENT_PANEL) +
                                   (sums->few ? 0 : pass->tap_offset[tap] * width),
                               space->first_tile[b],
                               space->first_tile[b + 1] - space->first_tile[b], width);
}
