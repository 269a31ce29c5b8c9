/* The task that computes the outputs of one box for a part of the filters. */

/* Asks for a panel's outputs before their product, where they are no stretch of memory. */
static void NAME(fetch_outputs)(const cx_pass *pass, const cx_panel *panel, int64_t rows, T *out)
{
    int64_t step = pass->axes[pass->rank - 1].out_stride, line = 64 / (int64_t)sizeof(T);
    for (int64_t r = 0; r < rows; r++, out += pass->out_channel)
        for (const cx_run *run = panel->run; run < panel->run + panel->runs; run++)
            for (int64_t i = 0; i < run->length * step; i += line)
                __builtin_prefetch(out + run->out + i, 1);
}

/* A register block of filters over one panel, for one step of the reduction. */
CX_INLINE void NAME(multiply_panel)(const cx_pass *pass, const NAME(space) *space,
                                    const cx_panel *panel, int64_t reduction, const T *x,
                                    const int64_t *offset, const NAME(rows) *block, int64_t rows,
                                    T *out, int start)
{
    int kind = block->weight_offset ? CX_STRIDED : CX_PACKED;
    if (block->next && !block->weight_offset && panel->width == 2 * LANES)
        kind = CX_FETCHING;
    NAME(product) product = NAME(product_of)(rows, panel->width, kind);
    if (panel->whole && panel->columns == panel->width) {
        T *y = out + panel->run->out;
        if (start == CX_FAR)
            start = NAME(start_far)(y, pass->out_channel, panel->width);
        product(reduction, offset, x, block, y, pass->out_channel, start);
        return;
    }
    if (start == CX_CONTINUE)
        NAME(stage)(pass, panel, out, space->staged, rows, 0);
    else
        NAME(fetch_outputs)(pass, panel, rows, out);
    product(reduction, offset, x, block, space->staged, panel->width,
            start == CX_FAR ? CX_START : start);
    NAME(stage)(pass, panel, out, space->staged, rows, 1);
}

/* Whether panels leave out taps in a step: zeros times its weights are zeros. */
static int NAME(leaves_out)(const cx_pass *pass, const cx_share *share, const cx_box *box,
                            const NAME(step) *s, const NAME(rows) *filters)
{
    int64_t reduction = s->channels * s->taps, first = NAME(first_filter)(pass, share->block);
    int64_t count = (NAME(first_filter)(pass, share->end_block) - first) * reduction, i = 0;
    const T *weights = filters->weights + first * reduction;
    NAME(vector) products = {0};
    T product = 0;
    if (!box->edges)
        return 0;
    for (; i + LANES <= count; i += LANES)
        products += 0 * *(const NAME(loose) *)(weights + i);
    for (; i < count; i++)
        product += 0 * weights[i];
    for (int lane = 0; lane < LANES; lane++)
        product += products[lane];
    return product == 0;
}

/* A panel beside a padded plane, without the taps that reach nothing but zeros. */
static void NAME(multiply_edge)(const cx_pass *pass, const NAME(space) *space,
                                const cx_panel *panel, int64_t channels, const T *tile,
                                NAME(rows) block, int64_t rows, T *out, int start)
{
    block.weights += panel->tap * rows;
    block.left_out = (pass->taps - panel->taps) * rows;
    block.channel_pitch = pass->tile_size;
    block.more_channels = channels - 1;
    NAME(multiply_panel)(pass, space, panel, panel->taps, tile + panel->run->tile,
                         space->offset + panel->tap, &block, rows, out, start);
}

/* One step of the reduction over all the panels of a box. Panels are gathered a few at a time, so
   that they stay in L1 for all the filters. Where the input is read in place without gathering, a
   few panels at a time for all the filters, the first two register blocks ask for the panels to
   come, a vector each. Where they are gathered from the input, the last products ask for a line
   each: what is asked for earlier is driven out of L2 by the weights. The outputs of a register block
   are finished while they are in L1. */
static void NAME(multiply_box)(const cx_pass *pass, const cx_call *call, const cx_share *share,
                               const NAME(space) *space, const NAME(step) *s,
                               const NAME(inputs) *from, NAME(rows) filters, int edges, T *output)
{
    const cx_box *box = &space->box;
    int start = s->channel == 0 && s->tap == 0 ? CX_START : CX_CONTINUE;
    int last = NAME(is_last_step)(pass, s);
    if (pass->far && start == CX_START && last && !NAME(finishes)(call))
        start = CX_FAR;
    int64_t reduction = s->channels * s->taps, panel_size = PANEL_SIZE(reduction);
    int64_t together = box->panels, streamed = !pass->gathered && pass->in_place && pass->taps == 1;
    NAME(lines) lines = {.count = 0};
    if (pass->gathered)
        together = cx_max(1, PANELS_SIZE / panel_size);
    else if (streamed)
        together = STREAMED_PANELS;
    for (int64_t p = 0; p < box->panels; p += together) {
        int64_t end = cx_min(p + together, box->panels);
        int64_t products = (end - p) * (share->end_block - share->block);
        if (pass->gathered)
            NAME(gather)(pass, box->panel + p, box->panel + end, from, space, reduction);
        if (pass->gathered && pass->in_place)
            NAME(find_lines)(pass, box, from, end, together, &lines);
        for (int64_t b = share->block; b < share->end_block; b++) {
            int64_t first = NAME(first_filter)(pass, b);
            int64_t rows = NAME(first_filter)(pass, b + 1) - first;
            NAME(rows) block = filters;
            block.weights += first * filters.weight_stride;
            block.bias += filters.bias ? first : 0;
            T *out = output + first * pass->out_channel;
            block.next_offset = space->offset;
            for (int64_t q = p; q < end; q++) {
                if (last)
                    NAME(fetch_residual)(pass, call, &box->panel[q], rows, out);
                if (streamed && b - share->block < 2)
                    block.next = from->tile + box->panel[q].run->tile + together * PANEL_PITCH +
                                 (b - share->block) * LANES;
                else if (--products < lines.count)
                    block.next = lines.tile + lines.offset[products];
                if (edges && box->panel[q].taps < pass->taps) {
                    NAME(multiply_edge)(pass, space, &box->panel[q], s->channels, from->tile, block,
                                        rows, out, start);
                    continue;
                }
                NAME(multiply_panel)(
                    pass, space, &box->panel[q], reduction,
                    pass->gathered ? space->panel + (q - p) * panel_size
                                   : from->tile + box->panel[q].run->tile,
                    pass->gathered ? space->panel_offset : space->offset, &block, rows, out, start);
            }
            if (last)
                NAME(finish_panels)(pass, call, &box->panel[p], &box->panel[end], rows, out);
        }
    }
}

/* The outputs of a box in one group, step by step of the reduction, for some items. */
static void NAME(forward_group)(const cx_pass *pass, const cx_call *call, int64_t group,
                                const cx_share *share, const NAME(space) *space)
{
    const T *input = (const T *)call->input + group * pass->channels * pass->in_channel;
    T *output = (T *)call->output + group * pass->filters * pass->out_channel;
    NAME(step) s = NAME(first_step)(pass);
    do {
        NAME(rows) filters =
            NAME(find_weights)(pass, call, group, share->block, share->end_block, &s, space);
        NAME(find_offsets)(pass, &s, pass->in_place ? pass->in_channel : pass->tile_size,
                           space->offset);
        int edges = NAME(leaves_out)(pass, share, &space->box, &s, &filters);
        for (int64_t n = share->item; n < share->end_item; n++) {
            NAME(inputs) from = NAME(find_inputs)(pass, call, space, &s, input + n * pass->in_batch,
                                                  n + 1 < share->end_item);
            NAME(multiply_box)(pass, call, share, space, &s, &from, filters, edges,
                               output + n * pass->out_batch + space->box.out);
        }
    } while (NAME(next_step)(pass, &s));
}

/* The outputs of a box by the direct algorithm, for some groups and items. */
static void NAME(forward_direct)(const cx_pass *pass, const cx_call *call, const cx_share *share,
                                 char *scratch)
{
    NAME(space) space = NAME(carve)(pass, CX_FORWARD, &scratch);
    int64_t widths[2 * CX_MOST_VECTORS + 1];
    NAME(find_widths)(NAME(first_filter)(pass, 1), pass->gathered ? 2 : CX_MOST_VECTORS,
                      pass->narrowest, widths);
    cx_place_box(pass, share->box, &space.box);
    if (!pass->in_place) {
        cx_find_rows(pass, &space.box);
        cx_find_stretches(pass, &space.box);
        NAME(clear_gaps)(pass, space.tile);
    }
    if (NAME(slides)(pass, &space.box)) {
        NAME(forward_slide)(pass, call, share, &space);
        return;
    }
    if (pass->flat) {
        for (int64_t group = share->group; group < share->end_group; group++) {
            NAME(forward_flat)(pass, call, group, share->item, share->end_item, widths, &space);
            NAME(finish_box)(pass, call, &space.box, share->item, share->end_item,
                             group * pass->filters, (group + 1) * pass->filters);
        }
        return;
    }
    cx_cut_panels(pass, &space.box, widths);
    space.box.edges = 0;
    if (!pass->gathered && !pass->in_place && pass->tap_block == pass->taps)
        cx_find_taps(pass, &space.box);
    NAME(clear)(space.staged, ROWS * CX_MOST_VECTORS * LANES);
    if (pass->gathered)
        NAME(find_panel_offsets)(pass->channel_block * pass->tap_block, space.panel_offset);
    for (int64_t group = share->group; group < share->end_group; group++)
        NAME(forward_group)(pass, call, group, share, &space);
    if (pass->far)
        CX_END_FAR();
}
