/* Winograd's algorithm for few tiles and many weights, the gradient of the weight: where all tiles make
   up one product, its sums need not be kept. Those of a few filters and a vector of channels are taken
   from six points at a time to the kernel's taps, and stored. */

/* Adds the products of some filters and vectors of channels in a tile, at a point. */
CX_INLINE void NAME(add_tile)(const int count, const int vectors, const T *x, const T *y,
                              NAME(vector) sum[2][2])
{
    CX_UNROLL for (int v = 0; v < vectors; v++) {
        NAME(vector) inputs = *(const NAME(loose) *)(x + v * LANES);
        CX_HOLD(inputs);
        CX_UNROLL for (int r = 0; r < count; r++)
            sum[r][v] += inputs * y[r];
    }
}

/* The gradient of the kernels of `count` filters for some vectors of channels, from the products of all
   tiles, of which there are `few` if that is not 0: `y` are the outputs at the points, of a register
   block of `rows`, and `to` is the first one's kernel of the first channel. Adds 0 to `check` for each
   that is finite. */
CX_INLINE void NAME(restore_kernels)(const int count, const int vectors, const int few,
                                     const cx_pass *pass, const NAME(gradient_space) *space,
                                     int64_t tiles, const T *y, int64_t rows, int64_t channels,
                                     T *to, NAME(vector) *check)
{
    int64_t pitch = pass->channels * NAME(PASSING_TAPS);
    const int along = NAME(PASSING_ALONG), taps = NAME(PASSING_TAPS);
    NAME(vector) part[2][2][3][NAME(PASSING_ALONG)];
    for (int j = 0; j < along; j++) {
        const T *from = space->x + j * space->x_plane, *of = y + j * space->y_plane;
        NAME(vector) sum[NAME(PASSING_ALONG)][2][2] = {0};
        CX_UNROLL for (int i = 0; i < along; i++) {
            if (few)
                CX_UNROLL for (int t = 0; t < few; t++)
                    NAME(add_tile)(count, vectors, from + t * vectors * LANES, of + t * rows,
                                   sum[i]);
            else
                for (int64_t t = 0; t < tiles; t++)
                    NAME(add_tile)(count, vectors, from + t * vectors * LANES, of + t * rows,
                                   sum[i]);
            from += along * space->x_plane, of += along * space->y_plane;
            CX_FORGET(from); /* or all of the places would be found first, and take all registers */
            CX_FORGET(of);
        }
        CX_UNROLL for (int v = 0; v < vectors; v++)
            CX_UNROLL for (int r = 0; r < count; r++) {
                NAME(vector) m[NAME(PASSING_ALONG)], g[3];
                CX_UNROLL for (int i = 0; i < along; i++)
                    m[i] = sum[i][r][v];
                NAME(weights_from_points)(along, 3, 1, m, g);
                CX_UNROLL for (int i = 0; i < 3; i++)
                    part[r][v][i][j] = g[i];
            }
    }
    for (int v = 0; v < vectors; v++)
        for (int r = 0; r < count; r++) {
            NAME(vector) kernel[NAME(PASSING_TAPS)], in_order[NAME(PASSING_TAPS)], zeros = {0};
            int64_t some = cx_min(LANES, channels - v * LANES);
            CX_UNROLL for (int i = 0; i < 3; i++) {
                NAME(weights_from_points)(along, 3, 1, part[r][v][i], kernel + 3 * i);
                CX_UNROLL for (int p = 3 * i; p < 3 * i + 3; p++)
                    zeros += kernel[p] * 0;
            }
            *check += NAME(first_lanes)(zeros, some);
            T *at = to + r * pitch + v * taps * LANES;
            const NAME(vector) *from = kernel;
            if (!pass->taps_in_order) {
                for (int t = 0; t < taps; t++)
                    in_order[pass->tap_weight[t]] = kernel[t];
                from = in_order;
            }
            if (some == LANES)
                NAME(join_ninths)(from, at);
            else {
                T kernels[NAME(PASSING_TAPS) * LANES];
                NAME(join_ninths)(from, kernels);
                NAME(copy)(at, kernels, some * taps);
            }
        }
}

/* The same of some register blocks of filters: the one step of a gradient, whose outputs are at the
   points in space->y, and the inputs of these channels in space->x. */
static void NAME(restore_panel)(const cx_pass *pass, const NAME(gradient_space) *space,
                                int64_t tiles, int64_t first_block, int64_t end_block,
                                int64_t width, int64_t channels, T *to, NAME(vector) *check)
{
    int64_t pitch = pass->channels * NAME(PASSING_TAPS);
    for (int64_t b = first_block; b < end_block; b++) {
        int64_t rows = NAME(first_filter)(pass, b + 1) - NAME(first_filter)(pass, b);
        const T *y = space->y + (b - first_block) * NAME(winograd_sums)(pass) * space->y_plane;
        for (int64_t r = 0; r < rows; r += 2, y += 2, to += 2 * pitch) {
#define RESTORE_KERNELS(COUNT, VECTORS, FEW)                                                      \
    NAME(restore_kernels)(COUNT, VECTORS, FEW, pass, space, tiles, y, rows, channels, to, check)
            if (rows - r > 1 && width > LANES && tiles == 4)
                RESTORE_KERNELS(2, 2, 4);
            else if (rows - r > 1 && width > LANES)
                RESTORE_KERNELS(2, 2, 0);
            else if (rows - r > 1)
                RESTORE_KERNELS(2, 1, 0);
            else if (width > LANES)
                RESTORE_KERNELS(1, 2, 0);
            else
                RESTORE_KERNELS(1, 1, 0);
#undef RESTORE_KERNELS
        }
        to -= rows % 2 * pitch;
    }
}

static void NAME(gradient_passing)(const cx_pass *pass, const cx_call *call,
                                   const cx_gradient_share *share, char *scratch)
{
    NAME(gradient_space) space = NAME(carve_gradient)(pass, &scratch);
    NAME(sums) sums = NAME(sums_of)(pass);
    int64_t panel = NAME(GRADIENT_PANEL), channels = share->channels;
    int64_t filter = share->group * pass->filters + NAME(first_filter)(pass, share->block);
    T *to = (T *)call->output +
            (filter * pass->channels + share->channel) * NAME(PASSING_TAPS);
    NAME(vector) check = {0};
    T sum = 0;
    for (int64_t b = 0; b < pass->boxes_together; b++)
        NAME(clear_gaps)(pass, space.tile + b * pass->channel_block * pass->tile_size);
    int64_t boxes = NAME(take_step)(pass, call, share, 0, &space);
    for (int64_t c = 0; c < channels; c += panel) {
        int64_t width = channels - c > LANES ? panel : LANES;
        for (int64_t b = 0; b < boxes; b++)
            NAME(place_inputs)(pass, &space, &sums, b, c, cx_min(channels - c, width), width);
        NAME(transform_panel)(pass, &space, &sums, boxes, 0, width);
        NAME(restore_panel)(pass, &space, space.first_tile[boxes], share->block,
                            share->end_block, width, cx_min(panel, channels - c),
                            to + c * NAME(PASSING_TAPS), &check);
    }
    for (int64_t lane = 0; lane < LANES; lane++)
        sum += check[lane];
    if (sum != 0)
        __atomic_store_n(call->overflow, 1, __ATOMIC_RELAXED);
}
