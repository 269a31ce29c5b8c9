/* Filters as the lanes of vectors: the product with its operands changed round. Weights are packed
   [(c, t)][filter] and loaded in vectors, pixels are multiplied with as they are loaded from the
   tile, for up to ROWS neighbouring outputs of a row. So rows need not fill vectors and are never
   copied to panels: for narrow planes, and strides. The sums of a box, [position][filter], stay in
   scratch memory over the steps of the reduction, and are transposed at its end. Each is the same
   chain in the order of (channel, tap) as elsewhere. While a step is multiplied, the weights of the
   next one are asked for: packing or reading them would wait for every line otherwise.

   Where the weights of a channel's filters are neighbours in memory, as in the transposed direction
   with one tap, they are not packed but read where they are. */

#define PIXEL(from, r) (from)[rows.weight_offset[m] + (r)]
#define FETCH_FILTERS(VECTORS)                                                                    \
    CX_UNROLL for (int v = 0; v < VECTORS; v++)                                                   \
        __builtin_prefetch(x + offset[m + CX_FILTERS_AHEAD] + v * LANES);                         \
    __builtin_prefetch(rows.next + rows.next_offset[m], 0, 2);
#define FILTER_PRODUCT(ROWS, VECTORS)                                                             \
    PRODUCT_OF(ROWS, VECTORS, vector, loose, LANES, x##VECTORS##_filters, PIXEL, 0,               \
               FETCH_FILTERS(VECTORS))
CX_EACH_FILTER_PRODUCT(FILTER_PRODUCT)

/* By vectors of filters and by outputs. */
static const NAME(product) NAME(filter_products)[CX_MOST_FILTER_VECTORS + 1][ROWS + 1] = {
#define FILTER_ENTRY(ROWS, VECTORS) [VECTORS][ROWS] = NAME(product_##ROWS##x##VECTORS##_filters),
    CX_EACH_FILTER_PRODUCT(FILTER_ENTRY)
};

#undef PIXEL
#undef FETCH_FILTERS
#undef FILTER_PRODUCT
#undef FILTER_ENTRY

typedef struct {
    cx_box box;
    int64_t width;                         /* filters of a block */
    int64_t *offset, *panel_offset;        /* of each step of the reduction: in the tile, of weights */
    int64_t *next_offset;                  /* of the lines of weights that come next */
    int64_t *row_place, *row_out, rows;    /* of outputs: in the tile, in the output */
    int64_t positions;
    T *tile, *weights, *kernels, *sums;
} NAME(filter_space);

static NAME(filter_space) NAME(carve_filters)(const cx_pass *pass, char **scratch)
{
    NAME(filter_space) space;
    int64_t reduction = pass->channel_block * pass->tap_block;
    int64_t blocks = NAME(filter_blocks)(pass) / pass->filter_parts + 1;
    space.width = pass->filter_vectors * LANES;
    cx_carve_box(pass, &space.box, scratch);
    space.offset = cx_carve(scratch, reduction * (int64_t)sizeof(int64_t));
    space.panel_offset =
        cx_carve(scratch, (reduction + CX_FILTERS_AHEAD) * (int64_t)sizeof(int64_t));
    space.next_offset = cx_carve(scratch, reduction * (int64_t)sizeof(int64_t));
    space.row_place = cx_carve(scratch, pass->positions * (int64_t)sizeof(int64_t));
    space.row_out = cx_carve(scratch, pass->positions * (int64_t)sizeof(int64_t));
    space.tile = NAME(carve_elements)(
        scratch, pass->in_place ? 0 : pass->channel_block * pass->tile_size);
    space.weights = NAME(carve_elements)(
        scratch, pass->strided ? 0 : blocks * space.width * reduction);
    space.kernels = NAME(carve_elements)(scratch, (pass->kernel_taps + LANES) * LANES);
    space.sums = NAME(carve_elements)(
        scratch, blocks * space.width * (pass->items * pass->positions + LANES));
    return space;
}

/* to[i * step + r] = from[r * stride + i] for up to LANES rows, in whole vectors: lanes past the
   last row repeat it. `readable`: elements that may be read from each row. */
static void NAME(interleave_all)(T *to, int64_t step, const T *from, int64_t stride, int64_t rows,
                                 int64_t length, int64_t readable)
{
    int64_t i = 0;
    for (; rows == LANES && i + LANES <= length; i += LANES)
        NAME(transpose_square)(to + i * step, step, from + i, stride);
    for (; i < length && i + LANES <= readable; i += LANES)
        NAME(interleave_lanes)(to + i * step, step, from + i, stride, rows,
                               cx_min(LANES, length - i));
    for (; i < length; i++)
        for (int64_t r = 0; r < LANES; r++)
            to[i * step + r] = from[cx_min(r, rows - 1) * stride + i];
}

/* to[place[i] * step + r] = from[r * stride + i] of LANES rows, for those columns that have a place. */
CX_INLINE void NAME(transpose_places)(T *to, int64_t step, const T *from, int64_t stride,
                                      const int64_t *place)
{
    NAME(vector) v[LANES];
    CX_UNROLL for (int r = 0; r < LANES; r++)
        v[r] = *(const NAME(loose) *)(from + r * stride);
    NAME(transpose)(v);
    CX_UNROLL for (int i = 0; i < LANES; i++)
        if (place[i] >= 0)
            *(NAME(loose) *)(to + place[i] * step) = v[i];
}

/* Where the packed weights of a step begin; those of a block follow one another. */
CX_INLINE int64_t NAME(packed_filters_at)(const cx_pass *pass, int64_t group, const NAME(step) *s)
{
    int64_t filters = NAME(filter_blocks)(pass) * pass->filter_vectors * LANES;
    return ((group * pass->channels + s->channel) * pass->taps + s->tap * s->channels) * filters;
}

/* to[(c, t)][filter] of a block. Lanes past the last filter repeat it. Where taps are not in order,
   channels are far apart in memory: the weights of the third after it are asked for. */
static void NAME(pack_filter_block)(const cx_pass *pass, const T *weight, int64_t group,
                                    int64_t block, const NAME(step) *s, T *to, T *kernels)
{
    int64_t width = pass->filter_vectors * LANES, first = NAME(first_filter)(pass, block);
    int64_t count = NAME(first_filter)(pass, block + 1) - first;
    int64_t part = pass->taps_in_order ? s->channels : 1, line = 64 / (int64_t)sizeof(T);
    int64_t ahead = pass->weight_filter <= pass->kernel_taps ? LANES * pass->weight_filter : 0;
    const int64_t *tap = pass->tap_weight + s->tap;
    int64_t place[CX_MOST_KERNEL_TAPS + LANES], squares = pass->kernel_taps <= CX_MOST_KERNEL_TAPS;
    int64_t reach = (pass->kernel_taps + LANES - 1) / LANES * LANES;
    for (int64_t i = 0; squares && i < reach; i++)
        place[i] = -1;
    for (int64_t t = 0; squares && t < s->taps; t++)
        place[tap[t]] = t;
    for (int64_t c = 0; c < s->channels; c += part)
        for (int64_t lane = 0; lane < width; lane += LANES) {
            int64_t rows = cx_max(1, cx_min(LANES, count - lane));
            int64_t start = group * pass->weight_group +
                            (first + cx_min(lane, count - 1)) * pass->weight_filter +
                            (s->channel + c) * pass->weight_channel;
            int64_t readable = pass->weight_size - start - (rows - 1) * pass->weight_filter;
            const T *from = weight + start;
            T *here = to + c * s->taps * width + lane;
            if (pass->taps_in_order) {
                NAME(interleave_all)(here, width, from + s->tap, pass->weight_filter, rows,
                                     s->channels * s->taps, readable - s->tap);
                continue;
            }
            for (int64_t i = 0; i < ahead; i += line)
                __builtin_prefetch(from + 3 * pass->weight_channel + i);
            if (pass->kernel_taps == 1 && pass->weight_filter == 1 && rows == LANES) {
                *(NAME(loose) *)here = *(const NAME(loose) *)from;
                continue;
            }
            if (squares && rows == LANES && reach <= readable) {
                for (int64_t i = 0; i < pass->kernel_taps; i += LANES)
                    NAME(transpose_places)(here, width, from + i, pass->weight_filter, place + i);
                continue;
            }
            NAME(interleave_all)(kernels, LANES, from, pass->weight_filter, rows, pass->kernel_taps,
                                 readable);
            for (int64_t t = 0; t < s->taps; t++)
                *(NAME(loose) *)(here + t * width) =
                    *(const NAME(loose) *)(kernels + tap[t] * LANES);
        }
}

/* Packs the blocks of a step one after the other. Channels that would drive one another out of the L1
   cache are packed a few at a time for all blocks, each of which takes a small part of them. */
static void NAME(pack_filter_blocks)(const cx_pass *pass, const T *weight, int64_t group,
                                     int64_t first_block, int64_t end_block, const NAME(step) *s,
                                     T *to, T *kernels)
{
    int64_t width = pass->filter_vectors * LANES * s->taps;
    int64_t apart = pass->weight_channel * (int64_t)sizeof(T) % CX_L1_PERIOD;
    int64_t together = pass->taps_in_order || apart ? s->channels : 8;
    for (int64_t c = 0; c < s->channels; c += together) {
        NAME(step) some = {s->channel + c, cx_min(together, s->channels - c), s->tap, s->taps};
        for (int64_t b = first_block; b < end_block; b++)
            NAME(pack_filter_block)(pass, weight, group, b, &some,
                                    to + (b - first_block) * width * s->channels + c * width,
                                    kernels);
    }
}

/* Packs a block for calls to come. */
static void NAME(pack_filters)(const cx_pass *pass, const cx_call *call, int64_t group,
                               int64_t block, char *scratch)
{
    NAME(filter_space) space = NAME(carve_filters)(pass, &scratch);
    NAME(step) s = NAME(first_step)(pass);
    do {
        T *to = (T *)call->output + NAME(packed_filters_at)(pass, group, &s) +
                block * space.width * s.channels * s.taps;
        NAME(pack_filter_block)(pass, call->weight, group, block, &s, to, space.kernels);
    } while (NAME(next_step)(pass, &s));
}

/* The sums of a block begin with the bias. */
static void NAME(begin_sums)(const cx_pass *pass, const cx_call *call, int64_t group,
                             int64_t block, int64_t positions, int64_t width, T *sums)
{
    int64_t first = NAME(first_filter)(pass, block);
    int64_t count = NAME(first_filter)(pass, block + 1) - first;
    const T *bias = (const T *)call->bias + group * pass->filters + first;
    for (int64_t lane = 0; lane < width; lane++)
        sums[lane] = call->bias && lane < count ? bias[lane] : 0;
    for (int64_t i = width; i < positions * width; i++)
        sums[i] = sums[i - width];
}

/* One step of the reduction for the positions of a box, by a block of filters. Meanwhile `next`, the
   weights of the next step, are asked for where they are not NULL: a line at each m. */
static void NAME(multiply_filters)(const cx_pass *pass, const NAME(filter_space) *space,
                                   int64_t reduction, const T *tile, const T *weights, T *sums,
                                   const T *next)
{
    int64_t apart = LANES * pass->weight_filter, asked_for = next ? 0 : pass->filter_vectors;
    int64_t length = space->box.extent[pass->rank - 1];
    int64_t most = pass->filter_vectors > 2 ? ROWS / 2 : ROWS, pieces = (length + most - 1) / most;
    for (int64_t row = 0; row < space->rows; row++)
        for (int64_t piece = 0; piece < pieces; piece++) {
            int64_t at = cx_part(length, pieces, piece);
            int64_t count = cx_part(length, pieces, piece + 1) - at;
            NAME(rows) pixels = {.weights = tile + space->row_place[row] + at,
                                 .weight_offset = space->offset};
            int asks = asked_for < pass->filter_vectors;
            pixels.next = asks ? next + asked_for++ * apart : pixels.weights;
            pixels.next_offset = asks ? space->next_offset : space->offset;
            NAME(filter_products)[pass->filter_vectors][count](
                reduction, space->panel_offset, weights, &pixels,
                sums + (row * length + at) * space->width, space->width, CX_CONTINUE);
        }
}

/* Transposes the sums of a block to the outputs of its filters. */
static void NAME(end_sums)(const cx_pass *pass, const NAME(filter_space) *space, int64_t block,
                           const T *sums, T *output)
{
    int64_t last = pass->rank - 1, length = space->box.extent[last], rows = 1;
    int64_t first = NAME(first_filter)(pass, block);
    int64_t count = NAME(first_filter)(pass, block + 1) - first;
    if (NAME(is_dense)(pass, &space->box)) /* the rows of a plane are one stretch */
        rows = space->box.extent[last - 1];
    output += first * pass->out_channel;
    for (int64_t lane = 0; lane < count; lane += LANES)
        for (int64_t row = 0; row < space->rows; row += rows)
            NAME(collect_lanes)(output + lane * pass->out_channel + space->row_out[row],
                                pass->out_channel, pass->axes[last].out_stride,
                                sums + row * length * space->width + lane, space->width,
                                cx_min(LANES, count - lane), rows * length, rows * length);
}

/* The weights of a step, from the first block on, and in *size how far its blocks are apart. */
static const T *NAME(find_filters)(const cx_pass *pass, const cx_call *call, int64_t group,
                                   const cx_share *share, const NAME(step) *s,
                                   const NAME(filter_space) *space, int64_t *size)
{
    *size = space->width * s->channels * s->taps;
    if (call->packed)
        return (const T *)call->packed + NAME(packed_filters_at)(pass, group, s) +
               share->block * *size;
    if (pass->strided) {
        *size = space->width;
        return (const T *)call->weight + group * pass->weight_group +
               s->channel * pass->weight_channel + share->block * space->width;
    }
    NAME(pack_filter_blocks)(pass, call->weight, group, share->block, share->end_block, s,
                             space->weights, space->kernels);
    return space->weights;
}

/* Where the weights of each step of the reduction begin. Behind the last step come those of the next
   block, which are asked for early. */
static void NAME(find_filter_offsets)(const cx_pass *pass, const cx_call *call,
                                      const NAME(filter_space) *space)
{
    int64_t steps = pass->channel_block * pass->tap_block, stays = pass->strided && !call->packed;
    int64_t apart = stays ? pass->weight_channel : space->width;
    int64_t block = stays ? space->width : steps * space->width;
    for (int64_t m = 0; m < steps; m++)
        space->panel_offset[m] = m * apart;
    for (int64_t m = 0; m < CX_FILTERS_AHEAD; m++)
        space->panel_offset[steps + m] = block + m * apart;
}

/* The weights of the step after this one, unless they were packed beforehand or lie scattered, then
   NULL: as many lines as there are vectors in this one. */
static const T *NAME(find_next_filters)(const cx_pass *pass, const cx_call *call, int64_t group,
                                        int64_t first_block, const NAME(step) *s,
                                        const NAME(filter_space) *space)
{
    int kernels = pass->weight_filter == pass->taps && pass->kernel_taps == pass->taps;
    int64_t channel = s->channel + s->channels;
    if (call->packed || s->taps < pass->taps || channel >= pass->channels ||
        !(kernels || pass->taps_in_order))
        return NULL;
    for (int64_t m = 0; m < s->channels * s->taps; m++)
        space->next_offset[m] =
            pass->taps_in_order
                ? m % LANES * pass->weight_filter + m / LANES * LANES
                : m / s->taps * pass->weight_channel + m % s->taps * LANES;
    return (const T *)call->weight + group * pass->weight_group +
           NAME(first_filter)(pass, first_block) * pass->weight_filter +
           channel * pass->weight_channel;
}

/* The outputs of a box in one group, step by step of the reduction, for some items. */
static void NAME(forward_filters_of)(const cx_pass *pass, const cx_call *call, int64_t group,
                                     const cx_share *share, const NAME(filter_space) *space)
{
    const T *input = (const T *)call->input + group * pass->channels * pass->in_channel;
    T *output = (T *)call->output + group * pass->filters * pass->out_channel + space->box.out;
    int64_t blocks = share->end_block - share->block, block_sums = space->width * space->positions;
    int64_t apart = space->width * pass->weight_filter;
    for (int64_t i = 0; i < (share->end_item - share->item) * blocks; i++)
        NAME(begin_sums)(pass, call, group, share->block + i % blocks, space->positions,
                         space->width, space->sums + i * block_sums);
    NAME(step) s = NAME(first_step)(pass);
    do {
        int64_t reduction = s.channels * s.taps, size;
        const T *weights = NAME(find_filters)(pass, call, group, share, &s, space, &size);
        NAME(find_offsets)(pass, &s, pass->in_place ? pass->in_channel : pass->tile_size,
                           space->offset);
        const T *next = NAME(find_next_filters)(pass, call, group, share->block, &s, space);
        for (int64_t n = share->item; n < share->end_item; n++) {
            const T *tile = NAME(find_tile)(pass, &space->box, &s, input + n * pass->in_batch,
                                            space->tile);
            T *sums = space->sums + (n - share->item) * blocks * block_sums;
            for (int64_t b = 0; b < blocks; b++)
                NAME(multiply_filters)(pass, space, reduction, tile, weights + b * size,
                                       sums + b * block_sums,
                                       next && n == share->item ? next + b * apart : NULL);
        }
    } while (NAME(next_step)(pass, &s));
    for (int64_t i = 0; i < (share->end_item - share->item) * blocks; i++)
        NAME(end_sums)(pass, space, share->block + i % blocks, space->sums + i * block_sums,
                       output + (share->item + i / blocks) * pass->out_batch);
    NAME(finish_box)(pass, call, &space->box, share->item, share->end_item,
                     group * pass->filters + NAME(first_filter)(pass, share->block),
                     group * pass->filters + NAME(first_filter)(pass, share->end_block));
}

static void NAME(forward_filters)(const cx_pass *pass, const cx_call *call, const cx_share *share,
                                  char *scratch)
{
    NAME(filter_space) space = NAME(carve_filters)(pass, &scratch);
    cx_place_box(pass, share->box, &space.box);
    if (!pass->in_place) {
        cx_find_rows(pass, &space.box);
        cx_find_stretches(pass, &space.box);
    }
    space.rows = cx_find_output_rows(pass, space.box.extent, space.row_place, space.row_out);
    space.positions = space.rows * space.box.extent[pass->rank - 1];
    NAME(find_filter_offsets)(pass, call, &space);
    for (int64_t group = share->group; group < share->end_group; group++)
        NAME(forward_filters_of)(pass, call, group, share, &space);
}
