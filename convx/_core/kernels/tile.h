/* Moving data into and out of a task's scratch memory: the padded tile, the panels, the staging
   of outputs that are not one stretch of memory. Scratch buffers end with room for the widest
   panel, so whole vectors may run over the end of what is wanted. */

/* Copies just `length` elements: whole vectors, then halves of what is left. */
CX_INLINE void NAME(copy)(T *restrict to, const T *restrict from, int64_t length)
{
    for (; length >= LANES; length -= LANES, to += LANES, from += LANES)
        *(NAME(loose) *)to = *(const NAME(loose) *)from;
    CX_UNROLL for (int piece = LANES / 2; piece > 0; piece /= 2)
        if (length & piece) {
            __builtin_memcpy(to, from, piece * sizeof(T));
            to += piece;
            from += piece;
        }
}

CX_INLINE void NAME(copy_every_other)(T *restrict to, const T *restrict from, int64_t length)
{
    int64_t i = 0;
    for (; i + LANES < length; i += LANES) /* one more is there, so all that is read here is */
        *(NAME(loose) *)(to + i) = NAME(even_lanes)(*(const NAME(loose) *)(from + 2 * i),
                                                    *(const NAME(loose) *)(from + 2 * i + LANES));
    if (length > LANES) { /* the last vector, some of it again, by what lies before */
        i = length - LANES;
        *(NAME(loose) *)(to + i) =
            NAME(odd_lanes)(*(const NAME(loose) *)(from + 2 * i - 1),
                            *(const NAME(loose) *)(from + 2 * i - 1 + LANES));
        return;
    }
    for (; i < length; i++)
        to[i] = from[2 * i];
}

CX_INLINE void NAME(clear)(T *to, int64_t length)
{
    for (int64_t i = 0; i < length; i++)
        to[i] = 0;
}

CX_INLINE void NAME(copy_every_third)(T *restrict to, const T *restrict from, int64_t length)
{
    int64_t i = 0;
    for (; i + LANES < length; i += LANES) /* one more is there, so all that is read here is */
        *(NAME(loose) *)(to + i) = NAME(every_third)(from + 3 * i, 0);
    if (length > LANES) { /* the last vector, some of it again, by what lies before */
        i = length - LANES;
        *(NAME(loose) *)(to + i) = NAME(every_third)(from + 3 * i - 2, 2);
        return;
    }
    for (; i < length; i++)
        to[i] = from[3 * i];
}

/* Copies `length` elements that lie `step` apart. */
CX_INLINE void NAME(copy_apart)(T *restrict to, const T *restrict from, int64_t step,
                                int64_t length)
{
    if (step == 1)
        NAME(copy)(to, from, length);
    else if (step == 2)
        NAME(copy_every_other)(to, from, length);
    else if (step == 3)
        NAME(copy_every_third)(to, from, length);
    else
        for (int64_t i = 0; i < length; i++)
            to[i] = from[i * step];
}

/* Clears what lies between the rows of a tile, between its channels, and after the last. Vectors run
   over what is wanted, and the lanes too many take part in sums that nobody reads. Scratch memory may
   hold anything there, such as the integers of a table: they are subnormal numbers, with which some
   processors are slow. */
static void NAME(clear_gaps)(const cx_pass *pass, T *tile)
{
    const cx_axis *axis = &pass->axes[pass->rank - 1];
    int64_t length = axis->tile_length, used = pass->tile_rows * length, filled = 0;
    for (int64_t m = 0; m < axis->strands; m++)
        filled += axis->strand_length[m];
    for (int64_t c = 0; c < pass->channel_block; c++, tile += pass->tile_size) {
        for (int64_t row = 0; row < pass->tile_rows && filled < length; row++)
            NAME(clear)(tile + row * length + filled, length - filled);
        NAME(clear)(tile + used, pass->tile_size - used);
    }
    NAME(clear)(tile, CX_MOST_VECTORS * LANES);
}

/* A row of the tile, from where its source points to; `ahead` from there, another row is asked
   for. */
CX_INLINE void NAME(fill_row)(const cx_box *box, const T *from, int64_t ahead, T *tile)
{
    for (int64_t s = 0; s < box->stretches; s++) {
        const cx_stretch *stretch = &box->stretch[s];
        T *to = tile + stretch->tile;
        const T *start = from + stretch->source;
        int64_t n = stretch->length, reach = ahead ? n * stretch->step : 0;
        for (int64_t i = 0; i < reach; i += 64 / (int64_t)sizeof(T))
            __builtin_prefetch(start + ahead + i);
        if (stretch->source == CX_ZEROS)
            for (int64_t i = 0; i < n; i++)
                to[i] = 0;
        else
            NAME(copy_apart)(to, start, stretch->step, n);
    }
}

/* Each row asks for that of the next channel: rows are too short for the hardware to foresee. */
static void NAME(fill_tile)(const cx_pass *pass, const cx_box *box, const T *input, int64_t first,
                            int64_t channels, T *space)
{
    int64_t length = pass->axes[pass->rank - 1].tile_length;
    for (int64_t c = first; c < first + channels; c++, space += pass->tile_size) {
        T *tile = space;
        for (int64_t row = 0; row < pass->tile_rows; row++, tile += length) {
            int64_t source = box->row_source[row];
            if (source == CX_ZEROS)
                for (int64_t i = 0; i < length; i++)
                    tile[i] = 0;
            else
                NAME(fill_row)(box, input + c * pass->in_channel + source,
                               channels > 1 ? pass->in_channel : 0, tile);
        }
    }
}

/* The tile of a step: the input itself where it is in place, else filled, unless the step before did
   that for the only item. */
CX_INLINE const T *NAME(find_tile)(const cx_pass *pass, const cx_box *box, const NAME(step) *s,
                                   const T *input, T *space)
{
    if (pass->in_place)
        return input + box->in + s->channel * pass->in_channel;
    if (s->tap == 0 || pass->items > 1)
        NAME(fill_tile)(pass, box, input, s->channel, s->channels, space);
    return space;
}

/* The same, and what is around it. */
CX_INLINE NAME(inputs) NAME(find_inputs)(const cx_pass *pass, const cx_call *call,
                                         const NAME(space) *space, const NAME(step) *s,
                                         const T *input, int more_items)
{
    NAME(inputs) from = {NAME(find_tile)(pass, &space->box, s, input, space->tile), NULL, NULL};
    if (!pass->in_place) {
        from.end = space->tile + pass->channel_block * pass->tile_size + CX_MOST_VECTORS * LANES;
        return from;
    }
    int64_t last = (pass->batch - 1) * pass->in_batch +
                   (pass->groups * pass->channels - 1) * pass->in_channel;
    for (int64_t a = 0; a < pass->rank; a++)
        last += (pass->axes[a].in_size - 1) * pass->axes[a].in_stride;
    from.end = (const T *)call->input + last + 1;
    from.next = more_items ? from.tile + pass->in_batch : NULL;
    return from;
}

CX_INLINE void NAME(gather_moves)(const int step, const int64_t count, const NAME(move) *moves,
                                  const T *tile, const int64_t *offset, int64_t reduction, T *to)
{
    for (int64_t m = 0; m < reduction; m++, to += PANEL_PITCH) {
        const T *from = tile + offset[m];
        CX_UNROLL for (int64_t i = 0; i < count; i++) {
            const NAME(loose) *at = (const NAME(loose) *)(from + moves[i].from);
            NAME(vector) v = at[0];
            if (step == 2)
                v = NAME(even_lanes)(v, at[1]);
            *(NAME(loose) *)(to + moves[i].to) = v;
        }
    }
}

/* Copies a step of the reduction to panels one after the other, panel[m][position], in whole
   vectors: what is copied past a run's end is overwritten by the next run, or is not wanted. Steps
   that whole vectors of would be read past the end are copied exactly. */
static void NAME(gather)(const cx_pass *pass, const cx_panel *panel, const cx_panel *end,
                         const NAME(inputs) *from, const NAME(space) *space, int64_t reduction)
{
    int64_t step = pass->axes[pass->rank - 1].position_stride, panel_size = PANEL_SIZE(reduction);
    int64_t count = 0, reach = 0, whole = reduction, *offset = space->offset;
    NAME(move) *moves = space->moves;
    T *to = space->panel;
    for (const cx_panel *one = panel; one < end; one++) {
        int64_t at = (one - panel) * panel_size;
        if (one->columns < one->width)
            for (int64_t m = 0; m < reduction; m++)
                NAME(clear)(to + at + m * PANEL_PITCH + cx_max(0, one->width - LANES), LANES);
        for (const cx_run *run = one->run; run < one->run + one->runs; run++)
            for (int64_t i = 0; i < run->length; i += LANES) {
                moves[count++] = (NAME(move)){run->tile + i * step, at + run->column + i};
                reach = cx_max(reach, run->tile + (i + LANES) * step);
            }
    }
    while (whole > 0 && offset[whole - 1] + reach > from->end - from->tile)
        whole--;
#define GATHER(STEP, COUNT)                                                                       \
    NAME(gather_moves)(STEP, COUNT, moves, from->tile, offset, whole, to)
#define GATHER_COUNT(STEP)                                                                        \
    switch (count) {                                                                              \
    case 2:                                                                                       \
        GATHER(STEP, 2);                                                                          \
        break;                                                                                    \
    case 3:                                                                                       \
        GATHER(STEP, 3);                                                                          \
        break;                                                                                    \
    case 4:                                                                                       \
        GATHER(STEP, 4);                                                                          \
        break;                                                                                    \
    default:                                                                                      \
        GATHER(STEP, count);                                                                      \
    }
    if (step == 1)
        GATHER_COUNT(1)
    else
        GATHER_COUNT(2)
#undef GATHER
#undef GATHER_COUNT
    for (const cx_panel *one = panel; one < end; one++, to += panel_size)
        for (int64_t m = whole; m < reduction; m++)
            for (const cx_run *run = one->run; run < one->run + one->runs; run++)
                NAME(copy_apart)(to + m * PANEL_PITCH + run->column,
                                 from->tile + offset[m] + run->tile, step, run->length);
}

/* The lines that some panels are gathered from, from `first` on: a box's, or the next item's. */
static void NAME(find_lines)(const cx_pass *pass, const cx_box *box, const NAME(inputs) *from,
                             int64_t first, int64_t panels, NAME(lines) *lines)
{
    int64_t step = pass->axes[pass->rank - 1].position_stride, line = 64 / (int64_t)sizeof(T);
    int is_here = first < box->panels;
    const cx_panel *panel = box->panel + (is_here ? first : 0);
    const cx_panel *end = panel + cx_min(panels, box->panel + box->panels - panel);
    *lines = (NAME(lines)){.tile = is_here ? from->tile : from->next};
    for (; lines->tile && panel < end; panel++)
        for (const cx_run *run = panel->run; run < panel->run + panel->runs; run++) {
            int64_t last = run->tile + (run->length - 1) * step;
            for (int64_t i = run->tile; i < last && lines->count < MOST_LINES - 1; i += line)
                lines->offset[lines->count++] = i;
            if (lines->count < MOST_LINES)
                lines->offset[lines->count++] = last;
        }
}

/* Puts neighbouring outputs where they belong, `step` apart, and writes nothing between: those may
   be the outputs of another task at the same time. */
CX_INLINE void NAME(scatter)(T *restrict to, int64_t step, const T *restrict from, int64_t length)
{
    if (step == 1)
        NAME(copy)(to, from, length);
    else
        for (int64_t i = 0; i < length; i++)
            to[i * step] = from[i];
}

/* The same where the outputs between are another pass's, at another time: with step 2 they are
   loaded and stored again. The last vector, some of it again, begins before its first output, so that
   it ends with the last. */
CX_INLINE void NAME(put)(T *restrict to, int64_t step, const T *restrict from, int64_t length)
{
    if (step != 2 || length <= LANES) {
        NAME(scatter)(to, step, from, length);
        return;
    }
    int64_t i = 0;
    for (; i + LANES < length; i += LANES) {
        NAME(vector) v[2] = {*(const NAME(loose) *)(from + i),
                             NAME(odd_lanes)(*(const NAME(loose) *)(to + 2 * i),
                                             *(const NAME(loose) *)(to + 2 * i + LANES))};
        NAME(join)(2, v, to + 2 * i);
    }
    T *end = to + 2 * (length - LANES) - 1;
    NAME(vector) v[2] = {NAME(even_lanes)(*(const NAME(loose) *)end,
                                          *(const NAME(loose) *)(end + LANES)),
                         *(const NAME(loose) *)(from + length - LANES)};
    NAME(join)(2, v, end);
}

/* Brings a panel's outputs of `rows` filters into the staging block, or back to the output. */
static void NAME(stage)(const cx_pass *pass, const cx_panel *panel, T *output, T *staged,
                        int64_t rows, int back)
{
    int64_t step = pass->axes[pass->rank - 1].out_stride;
    for (int64_t r = 0; r < rows; r++)
        for (const cx_run *run = panel->run; run < panel->run + panel->runs; run++) {
            T *out = output + r * pass->out_channel + run->out;
            T *here = staged + r * panel->width + run->column;
            if (back)
                NAME(put)(out, step, here, run->length);
            else
                NAME(copy_apart)(here, out, step, run->length);
        }
}
