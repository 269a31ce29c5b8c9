/* The task that computes a part of the gradient of the weights,

       dW[k, c, t] = sum over items n, positions p of  dY[n, k, p] * tile[n, c, p + offset[t]]

   the same product again: now the reduction runs over the positions of a box, and a panel's
   columns are the (c, t) of a block of channels. A task owns its part of dW and goes through the
   boxes in order, in one call or in several, so the order of the sum depends on shapes alone. Boxes
   of small planes are summed together, those of one step: all of these are alike. dY is read where
   it lies; only rows that would drive one another out of the L1 cache are packed, of one box. So is
   the input of kernels with one tap: it is transposed from there, and the products over a panel ask
   for what the next one is filled from. */

/* Where the columns (c, t) from `first` on begin in the tile. */
static void NAME(find_column_offsets)(const cx_pass *pass, int64_t first, int64_t columns,
                                      int64_t *offset)
{
    int64_t channel = first / pass->taps, tap = first % pass->taps;
    int64_t apart = pass->in_place ? pass->in_channel : pass->tile_size;
    for (int64_t i = 0; i < columns; i++) {
        offset[i] = channel * apart + pass->tap_offset[tap];
        if (++tap == pass->taps) {
            tap = 0;
            channel++;
        }
    }
}

/* Rows narrower than a vector are filled as one stretch, with the gaps between them, if that takes
   fewer squares: its length, else 0. */
static int64_t NAME(find_stretch)(const cx_panel *all)
{
    const cx_run *end = all->run + all->runs;
    int64_t length = end[-1].tile + end[-1].length, squares = 0;
    for (const cx_run *run = all->run; run < end; run++)
        squares += (run->length + LANES - 1) / LANES;
    return (length + LANES - 1) / LANES < squares && 2 * length <= 3 * all->columns ? length : 0;
}

/* Where the positions of a step lie in the panel and in dY. */
static void NAME(find_positions)(const cx_pass *pass, const NAME(space) *space, int64_t boxes)
{
    const cx_panel *all = space->box.panel;
    int64_t stretch = NAME(find_stretch)(all), m = 0;
    for (int64_t i = 0; i < boxes; i++)
        for (const cx_run *run = all->run; run < all->run + all->runs; run++) {
            int64_t row = stretch ? i * stretch + run->tile : i * all->columns + run->column;
            int64_t place = i * pass->out_batch + run->out;
            for (int64_t j = 0; j < run->length; j++, m++) {
                space->panel_offset[m] = (row + j) * PANEL_PITCH;
                if (pass->strided)
                    space->weight_offset[m] = place + j;
            }
        }
    for (int64_t i = 0; pass->strided && i < CX_AHEAD; i++)
        space->weight_offset[m + i] = space->weight_offset[m - 1];
}

/* The panel of a step, for the columns whose offsets were found, from the tiles of its boxes. */
static void NAME(fill_columns)(const cx_pass *pass, const NAME(space) *space, const T *tiles,
                               int64_t columns, int64_t boxes)
{
    int64_t apart = pass->in_place ? pass->in_batch : pass->channel_block * pass->tile_size;
    const cx_panel *all = space->box.panel;
    const cx_run *end = all->run + all->runs;
    int64_t stretch = NAME(find_stretch)(all), rows = stretch ? stretch : all->columns;
    for (int64_t q = 0; q < columns; q += LANES) {
        const int64_t *offset = space->offset + q;
        int64_t last = cx_min(columns - q, LANES) - 1;
        for (int64_t i = 0; i < boxes; i++) {
            const T *tile = tiles + i * apart;
            T *to = space->panel + i * rows * PANEL_PITCH + q;
            if (stretch)
                NAME(fill_stretch)(1, tile, offset, last, stretch, to, PANEL_PITCH);
            else if (pass->axes[pass->rank - 1].position_stride == 1)
                for (const cx_run *run = all->run; run < end; run++)
                    NAME(fill_stretch)(1, tile + run->tile, offset, last, run->length,
                                       to + run->column * PANEL_PITCH, PANEL_PITCH);
            else
                for (const cx_run *run = all->run; run < end; run++)
                    NAME(fill_stretch)(2, tile + run->tile, offset, last, run->length,
                                       to + run->column * PANEL_PITCH, PANEL_PITCH);
        }
    }
}

/* Asks for some rows of what the next panel of a step is filled from, those of its first channel
   first. */
static void NAME(ask_for_rows)(const cx_pass *pass, const NAME(space) *space, const T *input,
                               int64_t boxes, int64_t first, int64_t end)
{
    const cx_panel *all = space->box.panel;
    int64_t step = pass->axes[pass->rank - 1].position_stride, line = 64 / (int64_t)sizeof(T);
    for (int64_t row = first; row < end; row++) {
        const cx_run *run = &all->run[row % all->runs];
        int64_t item = row / all->runs % boxes, channel = row / all->runs / boxes;
        int64_t last = (run->length - 1) * step;
        const T *from = input + channel * pass->in_channel + item * pass->in_batch + run->tile;
        for (int64_t i = 0; i < last; i += line)
            __builtin_prefetch(from + i, 0, 2);
        __builtin_prefetch(from + last, 0, 2);
    }
}

/* The tiles of a step's boxes, which are alike: filled one after the other, or parts of the input. */
static const T *NAME(gradient_tiles)(const cx_pass *pass, NAME(space) *space, const T *input,
                                     const cx_gradient_share *share, int64_t boxes)
{
    if (pass->in_place)
        return input + space->box.in + share->channel * pass->in_channel;
    cx_find_rows(pass, &space->box);
    cx_find_stretches(pass, &space->box);
    for (int64_t i = 0; i < boxes; i++)
        NAME(fill_tile)(pass, &space->box, input + i * pass->in_batch, share->channel,
                        share->channels, space->tile + i * pass->channel_block * pass->tile_size);
    return space->tile;
}

/* weights[position][r] = grad_output of filter first + r. */
static void NAME(pack_gradient)(const cx_pass *pass, const NAME(space) *space, const T *gradient,
                                int64_t rows, T *weights)
{
    const cx_panel *all = space->box.panel;
    if (all->whole)
        NAME(interleave)(weights, rows, gradient, pass->out_channel, rows, all->columns,
                         all->columns);
    else
        for (const cx_run *run = all->run; run < all->run + all->runs; run++)
            NAME(interleave)(weights + run->column * rows, rows, gradient + run->out,
                             pass->out_channel, rows, run->length, run->length);
}

/* The rows of dY from `gradient` on that a register block multiplies with. */
CX_INLINE NAME(rows) NAME(gradient_rows)(const cx_pass *pass, const NAME(space) *space,
                                         const T *gradient, int64_t first, int64_t part_filter,
                                         int64_t positions)
{
    if (pass->strided)
        return (NAME(rows)){.weights = gradient + first * pass->out_channel,
                            .weight_offset = space->weight_offset,
                            .weight_stride = pass->out_channel};
    return (NAME(rows)){.weights = space->weights + (first - part_filter) * positions};
}

static void NAME(gradient_direct)(const cx_pass *pass, const cx_call *call,
                                  const cx_gradient_share *share, char *scratch)
{
    NAME(space) space = NAME(carve)(pass, CX_WEIGHT_GRADIENT, &scratch);
    int64_t kernel = pass->channels * pass->taps, total = share->channels * pass->taps;
    int64_t first_block = share->block, end_block = share->end_block;
    int64_t blocks = end_block - first_block;
    int64_t part_filter = NAME(first_filter)(pass, first_block);
    const T *input = (const T *)call->input + share->group * pass->channels * pass->in_channel;
    const T *gradient = (const T *)call->weight + share->group * pass->filters * pass->out_channel;
    T *output = (T *)call->output + share->channel * pass->taps +
                (share->row_part * pass->groups + share->group) * pass->filters * kernel;
    int64_t everything[2] = {pass->positions, 0}, widths[2 * CX_MOST_VECTORS + 1];

    NAME(find_widths)(NAME(first_filter)(pass, 1), 2, pass->narrowest, widths);
    for (int64_t step = share->step; step < share->end_step; step++) {
        int64_t box = step * pass->boxes_together, item = box / pass->boxes;
        int64_t boxes = cx_min(pass->boxes_together, pass->batch * pass->boxes - box);
        cx_place_box(pass, box % pass->boxes, &space.box);
        cx_cut_panels(pass, &space.box, everything);
        const T *tiles = NAME(gradient_tiles)(pass, &space, input + item * pass->in_batch, share, boxes);
        NAME(find_positions)(pass, &space, boxes);
        int64_t positions = boxes * space.box.panel->columns;
        const T *from = gradient + item * pass->out_batch + space.box.out;
        for (int64_t b = first_block; b < end_block && !pass->strided; b++) {
            int64_t first = NAME(first_filter)(pass, b);
            int64_t rows = NAME(first_filter)(pass, b + 1) - first;
            NAME(pack_gradient)(pass, &space, from + first * pass->out_channel, rows,
                                space.weights + (first - part_filter) * positions);
        }
        for (int64_t q = 0, columns; q < total; q += columns) {
            int64_t width = cx_fitting_width(widths, total - q);
            columns = cx_min(width, total - q);
            NAME(find_column_offsets)(pass, q, columns, space.offset);
            NAME(fill_columns)(pass, &space, tiles, columns, boxes);
            int64_t coming = cx_min(width, total - q - columns) * boxes * space.box.panel->runs;
            for (int64_t b = first_block; b < end_block; b++) {
                int64_t first = NAME(first_filter)(pass, b);
                int64_t rows = NAME(first_filter)(pass, b + 1) - first;
                NAME(rows) block =
                    NAME(gradient_rows)(pass, &space, from, first, part_filter, positions);
                T *y = output + first * kernel + q;
                if (pass->in_place)
                    NAME(ask_for_rows)(pass, &space, tiles + (q + columns) * pass->in_channel, boxes,
                                       cx_part(coming, blocks, b - first_block),
                                       cx_part(coming, blocks, b - first_block + 1));
                NAME(product) product =
                    NAME(product_of)(rows, width, pass->strided ? CX_STRIDED : CX_PACKED);
                if (columns == width) {
                    int start = step == share->part_step ? CX_START : CX_ADD;
                    if (pass->far && share->part_end == share->part_step + 1)
                        start = NAME(start_far)(y, kernel, width);
                    product(positions, space.panel_offset, space.panel, &block, y, kernel, start);
                    continue;
                }
                product(positions, space.panel_offset, space.panel, &block, space.staged, width,
                        CX_START);
                for (int64_t r = 0; r < rows; r++)
                    for (int64_t i = 0; i < columns; i++)
                        y[r * kernel + i] = space.staged[r * width + i] +
                                            (step == share->part_step ? (T)0 : y[r * kernel + i]);
            }
        }
    }
    if (pass->far)
        CX_END_FAR();
}
