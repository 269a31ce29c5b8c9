/* The task that computes the outputs of one box. */

/* One register block of filters over all the panels of a box, for one step of the reduction. */
static void NAME(multiply_panels)(const cx_pass *pass, const NAME(space) *space,
                                  const NAME(step) *s, const T *tile, const T *weights,
                                  int64_t rows, const T *bias, T *out)
{
    int64_t reduction = s->channels * s->taps;
    int start = s->channel == 0 && s->tap == 0 ? CX_START : CX_CONTINUE;
    for (int64_t q = 0; q < space->box.panels; q++) {
        const cx_panel *panel = &space->box.panel[q];
        int staged = !panel->whole || panel->columns < panel->width;
        T *y = staged ? space->staged : out + panel->run->out;
        int64_t y_stride = staged ? panel->width : pass->out_channel;
        const T *x = tile + panel->run->tile;
        const int64_t *offset = space->offset;
        if (pass->gathered) {
            x = space->panels + q * reduction * space->box.pitch;
            offset = space->panel_offset;
        }
        if (staged && start == CX_CONTINUE)
            NAME(stage)(pass, panel, out, space->staged, rows, 0);
        NAME(product_of)(rows, panel->width)(reduction, offset, x, weights, y, y_stride, bias,
                                             start);
        if (staged)
            NAME(stage)(pass, panel, out, space->staged, rows, 1);
    }
}

static void NAME(forward)(const cx_pass *pass, const cx_call *call, int64_t task, char *scratch)
{
    NAME(space) space = NAME(carve)(pass, CX_FORWARD, &scratch);
    int64_t part = task % pass->filter_parts, box = task / pass->filter_parts;
    int64_t group = box / pass->boxes % pass->groups, item = box / pass->boxes / pass->groups;
    int64_t blocks = NAME(filter_blocks)(pass), widths[2 * CX_MOST_VECTORS + 1];
    const T *bias = (const T *)call->bias + group * pass->filters;
    const T *input = (const T *)call->input + item * pass->in_batch +
                     group * pass->channels * pass->in_channel;
    T *output = (T *)call->output + item * pass->out_batch +
                group * pass->filters * pass->out_channel;

    NAME(find_widths)(NAME(first_filter)(pass, 1), pass->gathered ? 2 : CX_MOST_VECTORS, widths);
    cx_place_box(pass, box % pass->boxes, &space.box);
    cx_cut_panels(pass, &space.box, widths);
    NAME(find_panel_offsets)(pass->channel_block * pass->tap_block, space.box.pitch,
                             space.panel_offset);
    if (!pass->in_place) {
        cx_find_rows(pass, &space.box);
        cx_find_stretches(pass, &space.box);
    }
    int64_t channel_stride = pass->in_place ? pass->in_channel : pass->tile_size;
    NAME(step) s = NAME(first_step)(pass);
    do {
        const T *tile = space.tile;
        if (pass->in_place)
            tile = input + space.box.in + s.channel * pass->in_channel;
        else if (s.tap == 0)
            NAME(fill_tile)(pass, &space.box, input, s.channel, s.channels, space.tile);
        NAME(find_offsets)(pass, &s, channel_stride, space.offset);
        if (pass->gathered)
            NAME(gather)(pass, &space, tile, s.channels * s.taps);
        for (int64_t b = cx_part(blocks, pass->filter_parts, part);
             b < cx_part(blocks, pass->filter_parts, part + 1); b++) {
            int64_t first = NAME(first_filter)(pass, b);
            int64_t rows = NAME(first_filter)(pass, b + 1) - first;
            const T *weights = space.weights;
            if (call->packed)
                weights = (const T *)call->packed + NAME(packed_at)(pass, group, &s, first);
            else
                NAME(pack_block)(pass, call->weight, group, first, rows, &s, space.weights,
                                 space.kernels);
            NAME(multiply_panels)(pass, &space, &s, tile, weights, rows,
                                  call->bias ? bias + first : 0,
                                  output + space.box.out + first * pass->out_channel);
        }
    } while (NAME(next_step)(pass, &s));
}
