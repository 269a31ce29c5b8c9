/* Packing weights into register blocks: to[(c, t)][r] for the filters r of a block. */

/* Where the packed weights of a step and a register block lie. */
CX_INLINE int64_t NAME(packed_at)(const cx_pass *pass, int64_t group, const NAME(step) *s,
                                  int64_t first_filter)
{
    int64_t reduction = (group * pass->channels + s->channel) * pass->taps + s->tap;
    return reduction * pass->filters + first_filter * s->channels * s->taps;
}

/* Channels that are packed together where taps are not in order: as many as fill squares where each
   filter's follow one another, for a kernel of few taps leaves most of a square empty. */
CX_INLINE int64_t NAME(channels_packed)(const cx_pass *pass)
{
    return pass->kernel_taps <= 9 && pass->weight_channel == pass->kernel_taps ? LANES : 1;
}

/* to[t][r] = from[r][t] for kernels of 3 or 9 taps that follow one another, those of whole vectors. */
CX_INLINE void NAME(deal_kernels)(const int taps, const T *from, int64_t rows, T *to)
{
    NAME(vector) v[(ROWS + LANES - 1) / LANES][9];
    int64_t blocks = (rows + LANES - 1) / LANES;
    for (int64_t b = 0; b < blocks; b++)
        if (taps == 3)
            NAME(deal)(3, from + b * LANES * taps, v[b]);
        else
            NAME(deal_ninths)(from + b * LANES * taps, v[b]);
    for (int t = 0; t < taps; t++)
        for (int64_t b = 0; b < blocks; b++)
            *(NAME(loose) *)(to + t * rows + b * LANES) = v[b][t];
}

/* The kernels of some channels, to[c][t][r], with all taps that they have. */
CX_INLINE void NAME(take_kernels)(const cx_pass *pass, const T *from, int64_t readable,
                                  int64_t rows, int64_t channels, T *to)
{
    int64_t taps = pass->kernel_taps, dealt = (rows + LANES - 1) / LANES * LANES * taps;
    int follow = channels == 1 && pass->weight_filter == taps &&
                 (rows - 1) * taps + readable >= dealt;
    if (follow && taps == 3)
        NAME(deal_kernels)(3, from, rows, to);
    else if (follow && taps == 9)
        NAME(deal_kernels)(9, from, rows, to);
    else
        NAME(interleave)(to, rows, from, pass->weight_filter, rows, channels * taps, readable);
}

/* Packs weights of `rows` filters where they are not in order: to[c][t][r]. Those of taps that have
   none, whose place is the kernel's end, are zeros. */
CX_INLINE void NAME(pack_channels)(const cx_pass *pass, const T *from, int64_t readable,
                                   int64_t rows, int64_t channels, const NAME(step) *s, T *to,
                                   T *kernels)
{
    const int64_t *tap = pass->tap_weight + s->tap, taps = pass->kernel_taps;
    if (taps == 1 && pass->weight_filter == 1 && channels == 1)
        NAME(copy)(to, from, rows);
    else if (rows > 1 && taps <= CX_MOST_KERNEL_TAPS) {
        const T *zeros = kernels + channels * taps * rows;
        NAME(take_kernels)(pass, from, readable, rows, channels, kernels);
        NAME(clear)(kernels + channels * taps * rows, rows);
        for (int64_t c = 0; c < channels; c++, kernels += taps * rows)
            for (int64_t t = 0; t < s->taps; t++, to += rows)
                NAME(copy)(to, tap[t] < taps ? kernels + tap[t] * rows : zeros, rows);
    } else
        for (int64_t c = 0; c < channels; c++, from += pass->weight_channel)
            for (int64_t t = 0; t < s->taps; t++, to += rows)
                for (int64_t r = 0; r < rows; r++)
                    to[r] = tap[t] < taps ? from[tap[t] + r * pass->weight_filter] : (T)0;
}

/* Packs the blocks of a step one after the other, in the order in which the weights lie in memory:
   by filter where the taps are in order, else by channel. Whole vectors are stored, so `to` needs
   room after its end. */
static void NAME(pack_blocks)(const cx_pass *pass, const T *weight, int64_t group,
                              int64_t first_block, int64_t end_block, const NAME(step) *s, T *to,
                              T *kernels)
{
    int64_t part_filter = NAME(first_filter)(pass, first_block), reduction = s->channels * s->taps;
    int64_t part = pass->taps_in_order ? s->channels : 1;
    for (int64_t c = 0; c < s->channels; c += part)
        for (int64_t b = first_block; b < end_block; b++) {
            int64_t first = NAME(first_filter)(pass, b);
            int64_t rows = NAME(first_filter)(pass, b + 1) - first;
            int64_t start = group * pass->weight_group + first * pass->weight_filter +
                            (s->channel + c) * pass->weight_channel;
            int64_t readable = pass->weight_size - start - (rows - 1) * pass->weight_filter;
            T *block = to + (first - part_filter) * reduction + c * s->taps * rows;
            if (pass->taps_in_order)
                NAME(interleave)(block, rows, weight + start + s->tap, pass->weight_filter, rows,
                                 reduction, readable - s->tap);
            else
                NAME(pack_channels)(pass, weight + start, readable, rows, 1, s, block, kernels);
        }
}

/* The weights of a step: packed beforehand, read where they are, or packed now. */
static NAME(rows) NAME(find_weights)(const cx_pass *pass, const cx_call *call, int64_t group,
                                     int64_t first_block, int64_t end_block,
                                     const NAME(step) *s, const NAME(space) *space)
{
    int64_t reduction = s->channels * s->taps;
    NAME(rows) rows = {.weight_stride = reduction};
    if (call->bias)
        rows.bias = (const T *)call->bias + group * pass->filters;
    if (call->packed)
        rows.weights = (const T *)call->packed + NAME(packed_at)(pass, group, s, 0);
    else if (pass->strided) {
        int64_t *offset = space->weight_offset;
        for (int64_t c = s->channel; c < s->channel + s->channels; c++)
            for (int64_t t = s->tap; t < s->tap + s->taps; t++)
                *offset++ = c * pass->weight_channel + pass->tap_weight[t];
        for (int64_t i = 0; i < CX_AHEAD; i++)
            offset[i] = offset[-1];
        rows.weights = (const T *)call->weight + group * pass->weight_group;
        rows.weight_offset = space->weight_offset;
        rows.weight_stride = pass->weight_filter;
    } else {
        NAME(pack_blocks)(pass, call->weight, group, first_block, end_block, s, space->weights,
                          space->kernels);
        rows.weights = space->weights - NAME(first_filter)(pass, first_block) * reduction;
    }
    return rows;
}

/* Packs a register block for calls to come. */
static void NAME(pack_direct)(const cx_pass *pass, const cx_call *call, int64_t group,
                              int64_t block, char *scratch)
{
    NAME(space) space = NAME(carve)(pass, CX_FORWARD, &scratch);
    int64_t first = NAME(first_filter)(pass, block);
    int64_t rows = NAME(first_filter)(pass, block + 1) - first;
    NAME(step) s = NAME(first_step)(pass);
    do {
        NAME(pack_blocks)(pass, call->weight, group, block, block + 1, &s, space.weights,
                          space.kernels);
        NAME(copy)((T *)call->output + NAME(packed_at)(pass, group, &s, first), space.weights,
                   s.channels * s.taps * rows);
    } while (NAME(next_step)(pass, &s));
}
