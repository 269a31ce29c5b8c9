/* The outputs of a group of few filters and channels, a depthwise one above all. There are so few
   sums for each output that the start and the end of every row cost as much. So where rows cannot
   share their input (slide.h), they are computed as one stretch of the tile, with the gaps of the
   halo between them, and the outputs are picked from it. */

/* Copies a box's outputs from where they lie as in the tile. */
static void NAME(pick_outputs)(const cx_pass *pass, const cx_box *box, const T *flat, T *output)
{
    int64_t last = pass->rank - 1, index[CX_MAX_RANK] = {0};
    int64_t step = pass->axes[last].out_stride, length = box->extent[last];
    do {
        const T *from = flat;
        T *to = output;
        for (int64_t a = 0; a < last; a++) {
            from += index[a] * pass->axes[a].position_stride;
            to += index[a] * pass->axes[a].out_stride;
        }
        NAME(put)(to, step, from, length);
    } while (cx_next(index, box->extent, last));
}

/* Every filter of the group takes part in one register block, and the reduction is one step. */
static void NAME(forward_flat)(const cx_pass *pass, const cx_call *call, int64_t group,
                               int64_t item, int64_t end_item, const int64_t *widths,
                               const NAME(space) *space)
{
    const T *input = (const T *)call->input + group * pass->channels * pass->in_channel;
    T *output = (T *)call->output + group * pass->filters * pass->out_channel + space->box.out;
    int64_t outer, length = cx_flatten(pass, &space->box, &outer);
    NAME(step) s = NAME(first_step)(pass);
    NAME(rows) filters = NAME(find_weights)(pass, call, group, 0, 1, &s, space);
    NAME(find_offsets)(pass, &s, pass->tile_size, space->offset);
    for (int64_t n = item; n < end_item; n++) {
        int64_t index[CX_MAX_RANK] = {0};
        NAME(fill_tile)(pass, &space->box, input + n * pass->in_batch, 0, s.channels, space->tile);
        do {
            int64_t at = 0;
            for (int64_t a = 0; a < outer; a++)
                at += index[a] * pass->axes[a].position_stride;
            for (int64_t end = at + length, width; at < end; at += width) {
                width = cx_fitting_width(widths, end - at);
                NAME(product_of)(pass->filters, width, 0)(s.channels * s.taps, space->offset,
                                                          space->tile + at, &filters,
                                                          space->staged + at, FLAT_PITCH(pass),
                                                          CX_START);
            }
        } while (cx_next(index, space->box.extent, outer));
        for (int64_t r = 0; r < pass->filters; r++)
            NAME(pick_outputs)(pass, &space->box, space->staged + r * FLAT_PITCH(pass),
                               output + n * pass->out_batch + r * pass->out_channel);
    }
}
