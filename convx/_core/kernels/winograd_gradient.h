/* Winograd's algorithm, gradient of the weights: with the matrices of points.h, and summed over the
   tiles of all boxes,

       dg = Gᵀ [ (A dy) · (Bᵀ d) ]

   in two axes from both sides. The product at each point sums over the tiles of a box. A task's sums
   stay where they are for all boxes; after the last one they become its part of the gradient. */

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

/* Adds the products of a step's boxes to the sums, or begins these with them. */
static void NAME(add_step)(const cx_pass *pass, const cx_call *call,
                           const cx_gradient_share *share, int64_t step,
                           NAME(gradient_space) *space, const NAME(sums) *sums, T *totals)
{
    int64_t panel = NAME(GRADIENT_PANEL), inner = NAME(inner_taps)(pass);
    int64_t boxes = NAME(take_step)(pass, call, share, step, space);
    int64_t tiles = space->first_tile[boxes];
    int64_t columns = sums->few ? sums->tap_columns * NAME(outer_taps)(pass) : share->channels;
    for (int64_t c = 0; c < columns; c += panel) {
        int64_t width = columns - c > LANES ? panel : LANES;
        for (int64_t p = 0; p < tiles; p++)
            space->offset[p] = p * width;
        for (int64_t b = 0; b < boxes; b++)
            NAME(place_inputs)(pass, space, sums, b, c, cx_min(columns - c, width), width);
        for (int64_t t = 0; t < (sums->few ? inner : pass->taps); t += inner) {
            NAME(transform_panel)(pass, space, sums, boxes, t, width);
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
