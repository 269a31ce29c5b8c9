/* Depthwise convolutions: groups of one channel are the lanes of a vector, so every tap of every
   output is one multiply-add of all of them, whatever stride, dilation and size of the plane are.
   Inputs are transposed into the tile, [place][group], outputs back from [place][group]. A sum is
   the same chain in the order of the taps as elsewhere.

   With strides, the gradient of the input takes other taps at every output phase. These phases are
   the parts of one pass: they share a tile, and those along the last axis the rows of outputs. */

typedef struct {
    cx_box box;
    int64_t rows; /* of outputs */
    int64_t *row_place, *row_out;
    T *tile, *staged, *weights, *kernels;
} NAME(lanes_space);

CX_INLINE NAME(lanes_space) NAME(carve_lanes)(const cx_pass *pass, char **scratch)
{
    NAME(lanes_space) space;
    cx_carve_box(pass, &space.box, scratch);
    int64_t places = pass->tile_rows * pass->axes[pass->rank - 1].tile_length;
    space.rows = 0;
    space.row_place = cx_carve(scratch, pass->positions * (int64_t)sizeof(int64_t));
    space.row_out = cx_carve(scratch, pass->positions * (int64_t)sizeof(int64_t));
    space.tile = NAME(carve_elements)(scratch, (places + LANES) * LANES);
    int64_t row = pass->axes[pass->rank - 1].block * pass->interleaved;
    space.staged =
        NAME(carve_elements)(scratch, (cx_max(pass->positions, row) + LANES) * LANES);
    space.weights = NAME(carve_elements)(scratch, pass->taps * LANES);
    space.kernels = NAME(carve_elements)(scratch, (pass->kernel_taps + LANES) * LANES);
    return space;
}

/* to[i * LANES + g] = from[g * stride + i] for i < length. Elements from -before to after - 1 may
   be read from each row. */
static void NAME(deal_groups)(T *to, const T *from, int64_t stride, int64_t groups, int64_t length,
                              int64_t before, int64_t after)
{
    int64_t i = 0;
    for (; i < length && i + LANES <= after; i += LANES)
        if (groups == LANES && i + LANES <= length)
            NAME(transpose_square)(to + i * LANES, LANES, from + i, stride);
        else
            NAME(interleave_lanes)(to + i * LANES, LANES, from + i, stride, groups,
                                   cx_min(LANES, length - i));
    if (i >= length)
        return;
    if (before + length >= LANES) { /* what ends with the row */
        T last[LANES * LANES];
        NAME(interleave_lanes)(last, LANES, from + length - LANES, stride, groups, LANES);
        NAME(copy)(to + i * LANES, last + (LANES - length + i) * LANES, (length - i) * LANES);
        return;
    }
    for (; i < length; i++)
        for (int64_t g = 0; g < LANES; g++)
            to[i * LANES + g] = from[cx_min(g, groups - 1) * stride + i];
}

/* The tile of some groups from the input of the first of them. */
static void NAME(fill_lanes)(const cx_pass *pass, const cx_box *box, const T *input, int64_t groups,
                             T *tile)
{
    int64_t length = pass->axes[pass->rank - 1].tile_length, span = 1;
    for (int64_t a = 0; a < pass->rank; a++) {
        span += (pass->axes[a].in_size - 1) * pass->axes[a].in_stride;
        if (pass->axes[a].in_stride < 0)
            span = INT64_MIN / 2; /* nothing is known of what lies beside a row */
    }
    for (int64_t row = 0; row < pass->tile_rows; row++, tile += length * LANES) {
        int64_t source = box->row_source[row];
        if (source == CX_ZEROS) {
            NAME(clear)(tile, length * LANES);
            continue;
        }
        for (int64_t s = 0; s < box->stretches; s++) {
            const cx_stretch *stretch = &box->stretch[s];
            T *to = tile + stretch->tile * LANES;
            int64_t from = source + stretch->source, n = stretch->length;
            if (stretch->source == CX_ZEROS)
                NAME(clear)(to, n * LANES);
            else if (stretch->step == 1)
                NAME(deal_groups)(to, input + from, pass->in_channel, groups, n,
                                  span > 0 ? from : 0, cx_max(n, span - from));
            else
                for (int64_t i = 0; i < n; i++)
                    for (int64_t g = 0; g < LANES; g++)
                        to[i * LANES + g] = input[from + cx_min(g, groups - 1) * pass->in_channel +
                                                  i * stretch->step];
        }
    }
}

/* The way back: to[g * stride + i * step] = from[i * pitch + g]. Up to `room` elements may be
   stored in each row if the step is 1: what is too much is overwritten. */
static void NAME(collect_lanes)(T *to, int64_t stride, int64_t step, const T *from, int64_t pitch,
                                int64_t groups, int64_t length, int64_t room)
{
    for (int64_t i = 0; i < length; i += LANES) {
        int whole = step == 1 && i + LANES <= room;
        if (whole && groups == LANES) {
            NAME(transpose_square)(to + i, stride, from + i * pitch, pitch);
            continue;
        }
        T rows[LANES * LANES];
        NAME(transpose_square)(rows, LANES, from + i * pitch, pitch);
        for (int64_t g = 0; g < groups; g++)
            if (whole)
                *(NAME(loose) *)(to + g * stride + i) = *(const NAME(loose) *)(rows + g * LANES);
            else
                NAME(put)(to + g * stride + i * step, step, rows + g * LANES,
                          cx_min(LANES, length - i));
    }
}

/* [tap][group] of the weights of some groups, of the filter that `from` begins with. */
static void NAME(pack_lanes)(const cx_pass *pass, const NAME(lanes_space) *space, const T *from,
                             int64_t groups)
{
    NAME(deal_groups)(space->kernels, from, pass->weight_group, groups, pass->kernel_taps, 0,
                      pass->kernel_taps);
    for (int64_t t = 0; t < pass->taps; t++)
        NAME(copy)(space->weights + t * LANES, space->kernels + pass->tap_weight[t] * LANES, LANES);
}

enum { NAME(LANES_BLOCK) = 8 }; /* outputs of a row that are computed together */

/* Outputs that take the same taps: how many there are of a box, and where they begin. */
typedef struct {
    int64_t taps, out, extent[CX_MAX_RANK];
    const int64_t *offset;
    const T *weights;
} NAME(part);

/* A part of a box; without parts, all of its outputs. */
static NAME(part) NAME(find_part)(const cx_pass *pass, const NAME(lanes_space) *space,
                                  int64_t index)
{
    NAME(part) part = {pass->taps, 0, {0}, pass->tap_offset, space->weights};
    const int64_t *table = pass->parts ? pass->part + index * (3 + pass->rank) : NULL;
    if (table)
        part = (NAME(part)){table[1], table[2], {0}, pass->tap_offset + table[0],
                            space->weights + table[0] * LANES};
    for (int64_t a = 0; a < pass->rank; a++) {
        part.extent[a] = space->box.extent[a];
        if (table) {
            int64_t first = space->box.origin[a] / pass->axes[a].stride;
            part.extent[a] = cx_max(0, cx_min(part.extent[a], table[3 + a] - first));
        }
    }
    return part;
}

/* Outputs of a row, `step` tile elements apart. */
CX_INLINE void NAME(multiply_lanes)(const int count, const NAME(part) *part, NAME(vector) bias,
                                    const T *x, int64_t step, T *y, int64_t y_step)
{
    NAME(vector) sum[NAME(LANES_BLOCK)];
    CX_UNROLL for (int i = 0; i < count; i++)
        sum[i] = bias;
    for (int64_t t = 0; t < part->taps; t++) {
        NAME(vector) weight = *(const NAME(loose) *)(part->weights + t * LANES);
        const T *from = x + part->offset[t] * LANES;
        CX_UNROLL for (int i = 0; i < count; i++)
            sum[i] += weight * *(const NAME(loose) *)(from + i * step);
    }
    CX_UNROLL for (int i = 0; i < count; i++)
        *(NAME(loose) *)(y + i * y_step) = sum[i];
}

static void NAME(multiply_row)(const NAME(part) *part, NAME(vector) bias, int64_t length,
                               const T *x, int64_t step, T *y, int64_t y_step)
{
    int64_t i = 0;
    for (; i + NAME(LANES_BLOCK) <= length; i += NAME(LANES_BLOCK))
        NAME(multiply_lanes)(NAME(LANES_BLOCK), part, bias, x + i * step, step, y + i * y_step,
                             y_step);
    for (; i + 2 <= length; i += 2)
        NAME(multiply_lanes)(2, part, bias, x + i * step, step, y + i * y_step, y_step);
    for (; i < length; i++)
        NAME(multiply_lanes)(1, part, bias, x + i * step, step, y + i * y_step, y_step);
}

/* Whether the rows of a plane's outputs follow one another without gaps. */
CX_INLINE int NAME(is_dense)(const cx_pass *pass, const cx_box *box)
{
    int64_t last = pass->rank - 1;
    return last > 0 && pass->axes[last].out_stride == 1 &&
           pass->axes[last - 1].out_stride == box->extent[last];
}

/* Elements from the beginning of a row's outputs to the end of the box's in its plane. */
CX_INLINE int64_t NAME(room_of_row)(const cx_pass *pass, const cx_box *box, int64_t row)
{
    int64_t last = pass->rank - 1, length = box->extent[last];
    if (!NAME(is_dense)(pass, box))
        return length;
    return (box->extent[last - 1] - row % box->extent[last - 1]) * length;
}

/* A filter's outputs of some parts of a box, which share rows, from the tile. */
static void NAME(forward_parts)(const cx_pass *pass, NAME(lanes_space) *space, int64_t first,
                                NAME(vector) bias, T *output, int64_t groups)
{
    int64_t last = pass->rank - 1, count = pass->interleaved;
    int64_t step = pass->axes[last].position_stride * LANES, y_step = count * LANES;
    NAME(part) part = NAME(find_part)(pass, space, first);
    for (int64_t a = 0; a < last; a++)
        if (part.extent[a] == 0)
            return;
    space->rows = cx_find_output_rows(pass, part.extent, space->row_place, space->row_out);
    output += part.out;
    for (int64_t row = 0; row < space->rows; row++) {
        const T *x = space->tile + space->row_place[row] * LANES;
        int64_t length = 0;
        for (int64_t i = 0; i < count; i++) {
            if (count > 1)
                part = NAME(find_part)(pass, space, first + i);
            NAME(multiply_row)(&part, bias, part.extent[last], x, step, space->staged + i * LANES,
                               y_step);
            length += part.extent[last];
        }
        int64_t room = count > 1 ? length : NAME(room_of_row)(pass, &space->box, row);
        NAME(collect_lanes)(output + space->row_out[row], pass->filters * pass->out_channel,
                            pass->axes[last].out_stride / count, space->staged, LANES, groups,
                            length, room);
    }
}

static void NAME(forward_lanes)(const cx_pass *pass, const cx_call *call, const cx_share *share,
                                char *scratch)
{
    NAME(lanes_space) carved = NAME(carve_lanes)(pass, &scratch), *space = &carved;
    cx_place_box(pass, share->box, &space->box);
    cx_find_rows(pass, &space->box);
    cx_find_stretches(pass, &space->box);
    for (int64_t group = share->group; group < share->end_group; group += LANES) {
        int64_t groups = cx_min(LANES, share->end_group - group);
        for (int64_t n = share->item; n < share->end_item; n++) {
            NAME(fill_lanes)(pass, &space->box,
                             (const T *)call->input + n * pass->in_batch + group * pass->in_channel,
                             groups, space->tile);
            for (int64_t f = 0; f < pass->filters; f++) {
                NAME(vector) bias = {0};
                if (call->bias)
                    for (int64_t g = 0; g < groups; g++)
                        bias[g] = ((const T *)call->bias)[(group + g) * pass->filters + f];
                if (n == share->item || pass->filters > 1)
                    NAME(pack_lanes)(pass, space,
                                     (const T *)call->weight + group * pass->weight_group +
                                         f * pass->weight_filter,
                                     groups);
                T *output = (T *)call->output + n * pass->out_batch + space->box.out +
                            (group * pass->filters + f) * pass->out_channel;
                for (int64_t part = 0; part < cx_max(1, pass->parts); part += pass->interleaved)
                    NAME(forward_parts)(pass, space, part, bias, output, groups);
            }
            NAME(finish_box)(pass, call, &space->box, n, n + 1, group * pass->filters,
                             (group + groups) * pass->filters);
        }
    }
}

enum { NAME(LANES_TAPS) = 12 }; /* taps whose gradients are summed together */

/* The gradients of some taps over a row of outputs, added to what they were. */
CX_INLINE void NAME(sum_taps)(const int count, const int64_t *offset, const T *x, int64_t step,
                              const T *y, int64_t length, T *sums)
{
    NAME(vector) sum[NAME(LANES_TAPS)];
    CX_UNROLL for (int t = 0; t < count; t++)
        sum[t] = *(const NAME(loose) *)(sums + t * LANES);
    for (int64_t i = 0; i < length; i++) {
        NAME(vector) gradient = *(const NAME(loose) *)(y + i * LANES);
        CX_UNROLL for (int t = 0; t < count; t++)
            sum[t] += gradient * *(const NAME(loose) *)(x + i * step + offset[t] * LANES);
    }
    CX_UNROLL for (int t = 0; t < count; t++)
        *(NAME(loose) *)(sums + t * LANES) = sum[t];
}

/* Sums over a box's rows for all taps. */
static void NAME(sum_box)(const cx_pass *pass, const NAME(lanes_space) *space)
{
    int64_t length = space->box.extent[pass->rank - 1];
    int64_t step = pass->axes[pass->rank - 1].position_stride * LANES;
    for (int64_t row = 0; row < space->rows; row++) {
        const T *x = space->tile + space->row_place[row] * LANES;
        const T *y = space->staged + row * length * LANES;
        T *sums = space->weights;
        for (int64_t t = 0; t < pass->taps;) {
            const int64_t *offset = pass->tap_offset + t;
            int64_t left = pass->taps - t;
            int64_t count = left >= 12 ? 12 : left >= 9 ? 9 : left >= 4 ? 4 : 1;
            switch (count) {
#define SUM_TAPS(COUNT)                                                                           \
    case COUNT:                                                                                   \
        NAME(sum_taps)(COUNT, offset, x, step, y, length, sums + t * LANES);                      \
        break;
                SUM_TAPS(12)
                SUM_TAPS(9)
                SUM_TAPS(4)
                SUM_TAPS(1)
#undef SUM_TAPS
            }
            t += count;
        }
    }
}

static void NAME(gradient_lanes)(const cx_pass *pass, const cx_call *call,
                                 const cx_gradient_share *share, char *scratch)
{
    NAME(lanes_space) carved = NAME(carve_lanes)(pass, &scratch), *space = &carved;
    int64_t groups = share->end_group - share->group;
    const T *input = (const T *)call->input + share->group * pass->in_channel;
    const T *gradient = (const T *)call->weight + share->group * pass->filters * pass->out_channel;
    T *output = (T *)call->output +
                (share->row_part * pass->groups + share->group) * pass->filters * pass->taps;
    for (int64_t step = share->step; step < share->end_step; step++) {
        int64_t item = step / pass->boxes;
        cx_place_box(pass, step % pass->boxes, &space->box);
        cx_find_rows(pass, &space->box);
        cx_find_stretches(pass, &space->box);
        space->rows =
            cx_find_output_rows(pass, space->box.extent, space->row_place, space->row_out);
        NAME(fill_lanes)(pass, &space->box, input + item * pass->in_batch, groups, space->tile);
        for (int64_t f = 0; f < pass->filters; f++) {
            const T *from = gradient + item * pass->out_batch + space->box.out +
                            f * pass->out_channel;
            int64_t length = space->box.extent[pass->rank - 1];
            int dense = NAME(is_dense)(pass, &space->box);
            for (int64_t row = 0; row < space->rows; row++)
                NAME(deal_groups)(space->staged + row * length * LANES, from + space->row_out[row],
                                  pass->filters * pass->out_channel, groups, length,
                                  dense ? row % space->box.extent[pass->rank - 2] * length : 0,
                                  NAME(room_of_row)(pass, &space->box, row));
            NAME(clear)(space->weights, pass->taps * LANES);
            NAME(sum_box)(pass, space);
            for (int64_t g = 0; g < groups; g++) {
                T *to = output + (g * pass->filters + f) * pass->taps;
                for (int64_t t = 0; t < pass->taps; t++)
                    to[t] = space->weights[t * LANES + g] +
                            (step == share->part_step ? (T)0 : to[t]);
            }
        }
    }
}
