/* Winograd's algorithm, forward: the tasks that compute the outputs of a box. The product at each
   point is the one of product.h, with tiles as its columns; taps along axes that are not
   transformed are summed in it like channels. */

/* Lays out the columns of a box after those of others: runs for the inputs of an item, patches for
   the outputs of all. */
static void NAME(place_tiles)(const cx_pass *pass, int64_t items, NAME(winograd_space) *space)
{
    const cx_box *box = &space->box;
    int64_t last = pass->rank - 1, first_axis = pass->rank - pass->winograd_axes;
    int64_t extent[CX_MAX_RANK], index[CX_MAX_RANK] = {0}, column = space->columns;
    int64_t tile = pass->winograd_tile, out_step = tile * pass->axes[last].out_stride;
    for (int64_t a = 0; a <= last; a++)
        extent[a] = NAME(tiles_along)(pass, a, box->extent[a]);
    space->runs = 0;
    for (int64_t n = 0; n < items; n++) {
        do {
            int64_t from = 0, out = box->out + n * pass->out_batch, rows = 1;
            for (int64_t a = 0; a < last; a++) {
                int64_t at = index[a] * (a < first_axis ? 1 : tile);
                from += at * pass->axes[a].position_stride;
                out += at * pass->axes[a].out_stride;
                if (a >= first_axis)
                    rows = cx_min(tile, box->extent[a] - at);
            }
            if (n == 0)
                space->run[space->runs++] =
                    (cx_run){from, out, column - space->columns, extent[last]};
            int64_t left = box->extent[last];
            for (int64_t tiles = extent[last], count; tiles > 0; tiles -= count) {
                count = cx_min(tiles, LANES - column % LANES);
                int64_t length = cx_min(count * tile, left);
                space->patch[space->patches++] = (NAME(patch)){column, out, rows, length};
                column += count;
                left -= length;
                out += count * out_step;
            }
        } while (cx_next(index, extent, last));
        if (n == 0)
            space->box_columns = column - space->columns;
    }
    space->columns = column;
}

/* Bᵀ d B of a row of tiles: down the axis before the last by vectors of neighbouring inputs, then
   along the last by vectors of tiles, stored whole as far as there is room: what is too much is
   overwritten by the next row of tiles. */
CX_INLINE void NAME(transform_row)(const int tile, const int taps, const int axes, int64_t tiles,
                                   const T *x, int64_t x_pitch, T *rows, T *to, int64_t plane,
                                   int64_t room)
{
    const int along = tile + taps - 1;
    int64_t pitch = NAME(row_elements)(tile, tiles);
    if (axes == 2) {
        for (int64_t i = 0; i < tiles * tile + taps - 1; i += LANES) {
            NAME(vector) d[6], points[6];
            CX_UNROLL for (int r = 0; r < along; r++)
                d[r] = *(const NAME(loose) *)(x + r * x_pitch + i);
            NAME(to_points)(along, 1, d, points);
            CX_UNROLL for (int r = 0; r < along; r++)
                *(NAME(loose) *)(rows + r * pitch + i) = points[r];
        }
        x = rows;
    }
    for (int64_t i = 0; i < tiles; i += LANES)
        for (int r = 0; r < (axes == 2 ? along : 1); r++) {
            NAME(vector) d[8], points[6];
            const T *from = x + r * pitch + i * tile;
            CX_UNROLL for (int p = 0; p < along; p += tile)
                NAME(deal)(tile, from + p, d + p);
            NAME(to_points)(along, 1, d, points);
            T *at = to + r * along * plane + i;
            if (i + LANES <= room)
                CX_UNROLL for (int p = 0; p < along; p++)
                    *(NAME(loose) *)(at + p * plane) = points[p];
            else
                for (int p = 0; p < along; p++)
                    for (int64_t lane = 0; lane < tiles - i; lane++)
                        at[p * plane + lane] = points[p][lane];
        }
}

/* The same with a stride of 2: the row's even and odd inputs lie apart, `odd_line` and `odd` from
   the even ones, and so do they in `rows`. For row m of the reduction; `to`: its first point. */
CX_INLINE void NAME(transform_strided_row)(int64_t tiles, const T *x, int64_t x_pitch,
                                           int64_t odd_line, int64_t odd, T *rows, T *to,
                                           const NAME(winograd_space) *space, int64_t m,
                                           int64_t room)
{
    int64_t pitch = 2 * NAME(row_elements)(2, tiles), half = pitch / 2;
    for (int64_t phase = 0; phase < 2; phase++)
        for (int64_t i = 0; i < 2 * tiles + 1 - phase; i += LANES) {
            const T *even = x + phase * odd + i;
            NAME(vector) d[5], points[5];
            CX_UNROLL for (int r = 0; r < 5; r++)
                d[r] = *(const NAME(loose) *)(even + r % 2 * odd_line + r / 2 * x_pitch);
            NAME(to_points)(5, 2, d, points);
            CX_UNROLL for (int r = 0; r < 5; r++)
                *(NAME(loose) *)(rows + r * pitch + phase * half + i) = points[r];
        }
    for (int64_t i = 0; i < tiles; i += LANES)
        CX_UNROLL for (int r = 0; r < 5; r++) {
            const T *from = rows + r * pitch + 2 * i;
            NAME(vector) even[2], last[2], between[2], points[5];
            NAME(deal)(2, from, even);
            NAME(deal)(2, from + 2, last);
            NAME(deal)(2, from + half, between);
            NAME(vector) d[5] = {even[0], between[0], even[1], between[1], last[0]};
            NAME(to_points)(5, 2, d, points);
            CX_UNROLL for (int p = 0; p < 5; p++) {
                NAME(place) place = NAME(place_of)(2, 5, r, p);
                T *at = to + place.first * space->plane +
                        (m * place.count + place.which) * space->pitch + i;
                if (i + LANES <= room)
                    *(NAME(loose) *)at = points[p];
                else
                    NAME(copy)(at, (const T *)&points[p], cx_min(room - i, tiles - i));
            }
        }
}

CX_INLINE void NAME(transform_strided_tile)(const cx_pass *pass, const NAME(winograd_space) *space,
                                            int64_t channels, int64_t first_column)
{
    int64_t x_pitch = pass->axes[pass->rank - 2].position_stride, m = 0;
    int64_t odd = pass->tap_offset[1] - pass->tap_offset[0];
    int64_t odd_line = pass->tap_offset[3] - pass->tap_offset[0];
    for (int64_t c = 0; c < channels; c++)
        for (int64_t t = 0; t < pass->taps; t += 9, m++) {
            const T *x = space->tile + c * pass->tile_size + pass->tap_offset[t];
            for (const cx_run *run = space->run; run < space->run + space->runs; run++) {
                int64_t column = first_column + run->column;
                NAME(transform_strided_row)(run->length, x + run->tile, x_pitch, odd_line, odd,
                                            space->rows, space->points + column, space, m,
                                            space->pitch - column);
            }
        }
}

CX_INLINE void NAME(transform_tile)(const int tile, const int taps, const int axes,
                                    const int stride, const cx_pass *pass,
                                    const NAME(winograd_space) *space, int64_t channels,
                                    int64_t first_column)
{
    if (stride == 2) {
        NAME(transform_strided_tile)(pass, space, channels, first_column);
        return;
    }
    const int inner = axes == 2 ? taps * taps : taps;
    int64_t x_pitch = axes == 2 ? pass->axes[pass->rank - 2].position_stride : 0;
    T *to = space->points + first_column;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t t = 0; t < pass->taps; t += inner, to += space->pitch) {
            const T *x = space->tile + c * pass->tile_size + pass->tap_offset[t];
            for (const cx_run *run = space->run; run < space->run + space->runs; run++)
                NAME(transform_row)(tile, taps, axes, run->length, x + run->tile, x_pitch,
                                    space->rows, to + run->column, space->plane,
                                    space->pitch - first_column - run->column);
        }
}

/* The sums of some register blocks, for one step of the reduction. */
static void NAME(multiply_points)(const cx_pass *pass, const cx_call *call, int64_t group,
                                  const NAME(step) *s, const NAME(winograd_space) *space,
                                  const int64_t *widths, int64_t first_block, int64_t end_block,
                                  int64_t first_slot)
{
    int64_t reduction = s->channels * NAME(outer_taps)(pass);
    for (int64_t sum = 0; sum < NAME(winograd_sums)(pass); sum++) {
        NAME(addends) of = NAME(addends_of)((int)pass->winograd_stride, sum);
        const T *x = space->points + of.first * space->plane;
        for (int64_t b = first_block; b < end_block; b++) {
            int64_t first = NAME(first_filter)(pass, b);
            int64_t rows = NAME(first_filter)(pass, b + 1) - first;
            int64_t at = NAME(transformed_at)(pass, group, s, of.first, first * of.count);
            NAME(rows) block = {(const T *)call->packed + at, 0, reduction, 0};
            T *y = space->sums + sum * space->sums_plane + (first - first_slot) * space->pitch;
            for (int64_t i = 0, width; i < space->columns; i += width) {
                width = cx_fitting_width(widths, space->columns - i);
                NAME(product_of)(rows, width, 0)(of.count * reduction, space->offset, x + i, &block,
                                                 y + i, space->pitch,
                                                 s->channel == 0 ? CX_START : CX_CONTINUE);
            }
        }
    }
}

/* Aᵀ m A of one filter's sums, and their outputs. Returns whether all of them are finite. */
CX_INLINE int NAME(restore_outputs)(const int tile, const int taps, const int axes,
                                    const cx_pass *pass,
                                    const NAME(winograd_space) *space, const T *sums, T bias,
                                    T *output)
{
    const int along = tile + taps - 1, lines = axes == 2 ? tile : 1, down = axes == 2 ? along : 1;
    int64_t step = pass->axes[pass->rank - 1].out_stride;
    int64_t phases = pass->axes[pass->rank - 1].phases; /* outputs between are other boxes' */
    int64_t row_step = axes == 2 ? pass->axes[pass->rank - 2].out_stride : 0;
    const NAME(patch) *patch = space->patch, *end = space->patch + space->patches;
    NAME(vector) check = {0};
    for (int64_t i = 0; i < space->columns; i += LANES) {
        NAME(vector) part[4][6], m[6], y[4], zeros = {0};
        for (int p = 0; p < along; p++) {
            CX_UNROLL for (int r = 0; r < down; r++)
                m[r] = *(const NAME(loose) *)(sums + (r * along + p) * space->sums_plane + i);
            if (axes == 2)
                NAME(from_points)(along, tile, m, y);
            else
                y[0] = m[0];
            CX_UNROLL for (int r = 0; r < lines; r++)
                part[r][p] = y[r];
        }
        for (int r = 0; r < lines; r++) {
            NAME(from_points)(along, tile, part[r], y);
            CX_UNROLL for (int p = 0; p < tile; p++) {
                y[p] += bias;
                zeros += y[p] * 0;
            }
            NAME(join)(tile, y, space->staged + r * tile * LANES);
        }
        for (int64_t lane = space->columns - i; lane < LANES; lane++)
            zeros[lane] = 0; /* no tile */
        check += zeros;
        for (; patch < end && patch->column < i + LANES; patch++)
            for (int64_t r = 0; r < patch->rows; r++) {
                T *to = output + patch->out + r * row_step;
                const T *from = space->staged + (r * LANES + patch->column - i) * tile;
                if (phases == 1)
                    NAME(put)(to, step, from, patch->length);
                else
                    NAME(scatter)(to, step, from, patch->length);
            }
    }
    T sum = 0;
    for (int64_t lane = 0; lane < LANES; lane++)
        sum += check[lane];
    return sum == 0;
}

static void NAME(restore_blocks)(const cx_pass *pass, const cx_call *call, int64_t group,
                                 const NAME(winograd_space) *space, int64_t first_block,
                                 int64_t end_block, int64_t first_slot, T *output)
{
    int64_t end = NAME(first_filter)(pass, end_block);
    const T *bias = call->bias ? (const T *)call->bias + group * pass->filters : 0;
    for (int64_t f = NAME(first_filter)(pass, first_block); f < end; f++) {
        const T *sums = space->sums + (f - first_slot) * space->pitch;
        T start = bias ? bias[f] : (T)0, *to = output + f * pass->out_channel;
        int finite = 1;
#define RESTORE_OUTPUTS(TILE, TAPS, AXES, STRIDE)                                                 \
    finite = NAME(restore_outputs)(TILE, (TAPS + STRIDE - 1) / STRIDE, AXES, pass, space, sums,   \
                                   start, to)
        EACH_TILING(RESTORE_OUTPUTS)
#undef RESTORE_OUTPUTS
        if (!finite)
            __atomic_store_n(call->overflow, 1, __ATOMIC_RELAXED);
    }
}

/* After they were found finite or not. */
static void NAME(finish_blocks)(const cx_pass *pass, const cx_call *call, int64_t group,
                                const cx_share *share, cx_box *box, int64_t first_block,
                                int64_t end_block)
{
    for (int64_t index = share->box; index < share->end_box; index++)
        if (cx_place_box(pass, index, box))
            NAME(finish_box)(pass, call, box, share->item, share->end_item,
                             group * pass->filters + NAME(first_filter)(pass, first_block),
                             group * pass->filters + NAME(first_filter)(pass, end_block));
}

/* The inputs of a box for some items, at the points. */
static void NAME(transform_box)(const cx_pass *pass, const cx_share *share, const T *input,
                                const NAME(step) *s, NAME(winograd_space) *space)
{
    int64_t first_column = space->columns;
    cx_find_rows(pass, &space->box);
    cx_find_stretches(pass, &space->box);
    NAME(place_tiles)(pass, share->end_item - share->item, space);
    for (int64_t n = share->item; n < share->end_item; n++) {
        NAME(fill_tile)(pass, &space->box, input + n * pass->in_batch, s->channel, s->channels,
                        space->tile);
#define TRANSFORM_TILE(TILE, TAPS, AXES, STRIDE)                                                  \
    NAME(transform_tile)(TILE, TAPS, AXES, STRIDE, pass, space, s->channels, first_column)
        EACH_TILING(TRANSFORM_TILE)
#undef TRANSFORM_TILE
        first_column += space->box_columns;
    }
}

/* The outputs of some boxes. If one step is the whole reduction, the sums of a few register blocks
   are turned into outputs before the next are begun; otherwise the sums of all are kept. */
static void NAME(forward_winograd)(const cx_pass *pass, const cx_call *call, int64_t group,
                                   const cx_share *share, char *scratch)
{
    NAME(winograd_space) space = NAME(carve_winograd)(pass, &scratch);
    const T *input = (const T *)call->input + group * pass->channels * pass->in_channel;
    int64_t widths[2 * CX_MOST_VECTORS + 1], outer = NAME(outer_taps)(pass);
    NAME(find_widths)(NAME(first_filter)(pass, 1), 2, pass->narrowest, widths);
    for (int64_t m = 0; m < space.addends * pass->channel_block * outer; m++)
        space.offset[m] = m * space.pitch;
    NAME(clear_gaps)(pass, space.tile);
    NAME(clear)(space.rows, space.row_size);
    for (int64_t m = 0; m < NAME(winograd_points)(pass) * pass->channel_block * outer; m++)
        NAME(clear)(space.points + (m + 1) * space.pitch - LANES, LANES);
    T *output = (T *)call->output + group * pass->filters * pass->out_channel +
                share->item * pass->out_batch;
    NAME(step) s = NAME(first_step)(pass);
    int more, whole = s.channels == pass->channels;
    do {
        NAME(step) now = s;
        space.columns = space.patches = 0;
        for (int64_t box = share->box; box < share->end_box; box++)
            if (cx_place_box(pass, box, &space.box))
                NAME(transform_box)(pass, share, input, &s, &space);
        more = NAME(next_step)(pass, &s);
        for (int64_t b = share->block; b < share->end_block; b += pass->sum_blocks) {
            int64_t end = cx_min(b + pass->sum_blocks, share->end_block);
            int64_t slot = NAME(first_filter)(pass, whole ? b : share->block);
            NAME(multiply_points)(pass, call, group, &now, &space, widths, b, end, slot);
            if (!more) {
                NAME(restore_blocks)(pass, call, group, &space, b, end, slot, output);
                NAME(finish_blocks)(pass, call, group, share, &space.box, b, end);
            }
        }
    } while (more);
}
