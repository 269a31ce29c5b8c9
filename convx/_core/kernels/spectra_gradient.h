/* Gradient of the weights by discrete Fourier transforms of tiles: with d the gradients of a tile's
   outputs, and zeros up to the tile's inputs x,

       dW = inverse of  sum over tiles of  transform(x) · conj(transform(d))

   whose first taps along each axis are right. A task sums the products of spectra over all its
   boxes, and transforms the sums back after the last one. Of pairs of tiles, x1 + i x2 and
   d1 + i d2, the real part is the sum of both.

   As lanes there are groups, each with one sum; or pairs, with SPECTRAL_SUMS sums whatever the
   vectors are, which are added up at the end. A step then has no more pairs than that. */

enum { NAME(SPECTRAL_SUMS) = 64 / sizeof(T) };

/* Vectors that the sums of a weight's spectrum are. */
CX_INLINE int64_t NAME(sum_vectors)(const cx_pass *pass)
{
    return pass->lanes ? 1 : NAME(SPECTRAL_SUMS) / LANES;
}

/* The sums lie [filter][row of the reduction][vector][column][real or imaginary][row]. */
static int64_t NAME(spectral_sums_size)(const cx_pass *pass)
{
    char *end = NULL;
    NAME(spectral_space) space = NAME(carve_transform)(pass, &end);
    return pass->filters * space.reduction * NAME(sum_vectors)(pass) * LANES *
           NAME(spectrum_elements)(&space);
}

/* Here the tile is that of one channel, for each box of a step or each group. A row's gradients are
   staged in the place of a line, [lane][place]. */
static NAME(spectral_space) NAME(carve_spectral_gradient)(const cx_pass *pass, char **scratch)
{
    NAME(spectral_space) space = NAME(carve_transform)(pass, scratch);
    int64_t inner = pass->taps * pass->channels / space.reduction;
    space.used_once = pass->filters == 1;
    space.tile = NAME(carve_elements)(
        scratch, pass->boxes_together * (pass->lanes ? LANES : 1) * pass->tile_size);
    space.spectra = NAME(carve_elements)(scratch, space.reduction * space.size);
    space.result = NAME(carve_elements)(scratch, space.size);
    space.totals = NAME(carve_elements)(scratch, inner * NAME(SPECTRAL_SUMS));
    return space;
}

/* The pairs of a step's boxes, and a channel of their inputs for each group. */
static void NAME(take_boxes)(const cx_pass *pass, const cx_call *call,
                             const cx_gradient_share *share, int64_t step, int64_t channel,
                             NAME(spectral_space) *space)
{
    int64_t groups = share->end_group - share->group;
    int64_t first = step * pass->boxes_together;
    int64_t end = cx_min(first + pass->boxes_together, pass->batch * pass->boxes);
    T *tile = space->tile;
    space->pairs = 0;
    for (int64_t box = first; box < end; box++) {
        int64_t item = box / pass->boxes, before = space->pairs;
        if (!cx_place_box(pass, box % pass->boxes, &space->box))
            continue;
        cx_find_rows(pass, &space->box);
        cx_find_stretches(pass, &space->box);
        NAME(find_pairs)(pass, space);
        for (NAME(pair) *pair = space->pair + before; pair < space->pair + space->pairs; pair++) {
            pair->in += tile - space->tile;
            for (int part = 0; part < 2; part++)
                pair->out[part] += item * pass->out_batch;
        }
        for (int64_t g = share->group; g < share->end_group; g++)
            NAME(fill_tile)(pass, &space->box,
                            (const T *)call->input + item * pass->in_batch +
                                g * pass->channels * pass->in_channel,
                            channel, 1, tile + (g - share->group) * pass->tile_size);
        tile += groups * pass->tile_size;
    }
}

/* Transforms the rows of the gradients of pairs of tiles, of which there are `lanes`. */
static void NAME(transform_gradients)(const NAME(spectral_space) *space, int64_t lanes,
                                      const NAME(pair) *const *pair, const T *const *gradient,
                                      int64_t step)
{
    int64_t used = (space->tile_columns + LANES - 1) / LANES * LANES, pitch = used + LANES;
    const T *from[LANES];
    for (int64_t lane = 0; lane < LANES; lane++)
        from[lane] = space->line + lane * pitch;
    NAME(clear)(space->line, LANES * pitch);
    for (int64_t r = 0; r < space->tile_rows; r++) {
        T *row = space->result + r * space->row_size, *to = row;
        for (int part = 0; part < 2; part++, to += space->columns * LANES) {
            for (int64_t lane = 0; lane < lanes; lane++) {
                const NAME(pair) *p = pair[lane];
                const T *at = gradient[lane] + p->out[part] + r * space->row_out;
                T *staged = space->line + lane * pitch;
                int64_t length = r < p->rows[part] ? p->columns[part] : 0;
                if (step == 1)
                    NAME(copy)(staged, at, length);
                else
                    for (int64_t i = 0; i < length; i++)
                        staged[i] = at[i * step];
                NAME(clear)(staged + length, used - length);
            }
            NAME(gather_lanes)(to, from, 0, used);
            NAME(clear)(to + used * LANES, (space->columns - used) * LANES);
        }
        NAME(transform)(row, row + space->columns * LANES, space->columns, space->column_roots);
    }
}

/* Adds the products of a filter's gradients with all the inputs. */
CX_INLINE void NAME(add_spectra)(const int used_once, const NAME(spectral_space) *space, T *sums,
                                 int64_t sum_step)
{
    int64_t rows = space->rows, x_step = used_once ? LANES : space->row_size;
    int64_t x_im = (used_once ? rows : space->columns) * LANES;
    T *line = space->other;
    for (int64_t k = 0; k < space->columns; k++, sums += 2 * rows * LANES) {
        const T *spectrum = space->spectra;
        T *sum = sums;
        NAME(transform_column)(space, space->result, k, space->tile_rows, line);
        for (int64_t m = 0; m < space->reduction; m++, spectrum += space->size, sum += sum_step) {
            const T *x = spectrum + k * LANES, *d = line;
            NAME(vector) *y = (NAME(vector) *)sum, *y_im = y + rows;
            if (used_once) {
                NAME(transform_column)(space, spectrum, k, rows, space->line);
                x = space->line;
            }
            for (int64_t r = 0; r < rows; r++, x += x_step, d += LANES) {
                NAME(vector) re = *(const NAME(vector) *)x;
                NAME(vector) im = *(const NAME(vector) *)(x + x_im);
                NAME(vector) d_re = *(const NAME(vector) *)d;
                NAME(vector) d_im = *(const NAME(vector) *)(d + rows * LANES);
                y[r] = y[r] + re * d_re + im * d_im;
                y_im[r] = y_im[r] + im * d_re - re * d_im;
            }
        }
    }
}

/* Adds the products of some pairs, one to a lane or one for all groups. */
static void NAME(add_pairs)(const cx_pass *pass, const cx_call *call,
                            const cx_gradient_share *share, int64_t step, int64_t first,
                            NAME(spectral_space) *space, T *sums)
{
    int64_t groups = share->end_group - share->group, outer = space->reduction / pass->channels;
    int64_t inner = pass->taps / outer, other = NAME(between_tiles)(pass);
    int64_t sum_step = NAME(sum_vectors)(pass) * LANES * NAME(spectrum_elements)(space);
    int64_t out_step = pass->axes[pass->rank - 1].out_stride, lanes = groups;
    const T *from[LANES], *gradient[LANES];
    const NAME(pair) *pair[LANES];
    if (!pass->lanes)
        lanes = cx_min(LANES, space->pairs - first);
    for (int64_t lane = 0; lane < LANES; lane++) { /* those too many repeat the last input */
        int64_t real = cx_min(lane, lanes - 1), group = pass->lanes ? real : 0;
        pair[lane] = &space->pair[first + (pass->lanes ? 0 : real)];
        from[lane] = space->tile + group * pass->tile_size + pair[lane]->in;
        gradient[lane] = (const T *)call->weight +
                         (share->group + group) * pass->filters * pass->out_channel;
    }
    for (int64_t c = 0; c < pass->channels; c++) {
        if (pass->channels > 1)
            NAME(take_boxes)(pass, call, share, step, c, space);
        for (int64_t t = 0; t < outer; t++) {
            T *spectrum = space->spectra + (c * outer + t) * space->size;
            NAME(transform_pairs)(space, from, pass->tap_offset[t * inner], other, spectrum);
            if (!space->used_once)
                NAME(transform_columns)(space, spectrum);
        }
    }
    for (int64_t f = 0; f < pass->filters; f++, sums += space->reduction * sum_step) {
        NAME(transform_gradients)(space, lanes, pair, gradient, out_step);
        if (space->used_once)
            NAME(add_spectra)(1, space, sums, sum_step);
        else
            NAME(add_spectra)(0, space, sums, sum_step);
        for (int64_t lane = 0; lane < LANES; lane++)
            gradient[lane] += pass->out_channel;
    }
}

/* The weights of some lanes from their sums, which are used up: totals[tap][lane]. */
static void NAME(restore_taps)(const NAME(spectral_space) *space, T *sums, int64_t taps,
                               int64_t tap_rows, int64_t pitch, T *totals)
{
    int64_t rows = space->rows;
    T scale = (T)1 / (T)(rows * space->columns);
    for (int64_t k = 0; k < space->columns; k++, sums += 2 * rows * LANES) {
        if (rows > 1)
            NAME(transform_back)(sums, sums + rows * LANES, rows, space->row_roots);
        NAME(store_column)(space, sums, k, tap_rows, space->result);
    }
    for (int64_t r = 0; r < tap_rows; r++) {
        T *row = space->result + r * space->row_size;
        NAME(transform_back)(row, row + space->columns * LANES, space->columns,
                             space->column_roots);
        for (int64_t j = 0; j < taps; j++, totals += pitch)
            *(NAME(loose) *)totals = *(const NAME(vector) *)(row + j * LANES) * scale;
    }
}

/* A task's part of the gradient, from its sums. Returns whether all of it is finite. */
static int NAME(restore_spectra)(const cx_pass *pass, const NAME(spectral_space) *space,
                                 int64_t groups, T *sums, T *to)
{
    int64_t taps = space->columns - space->tile_columns + 1, vectors = NAME(sum_vectors)(pass);
    int64_t tap_rows = space->rows - space->tile_rows + 1, inner = taps * tap_rows;
    int64_t kernels = pass->filters * space->reduction, pitch = vectors * LANES;
    T wrong = 0;
    for (int64_t kernel = 0; kernel < kernels; kernel++, to += inner) {
        for (int64_t v = 0; v < vectors; v++, sums += LANES * NAME(spectrum_elements)(space))
            NAME(restore_taps)(space, sums, taps, tap_rows, pitch, space->totals + v * LANES);
        for (int64_t t = 0; t < inner; t++) {
            T *total = space->totals + t * pitch;
            for (int64_t half = pass->lanes ? 0 : pitch / 2; half > 0; half /= 2)
                for (int64_t i = 0; i < half; i++)
                    total[i] += total[half + i];
            for (int64_t g = 0; g < groups; g++) {
                to[g * kernels * inner + t] = total[g];
                wrong += total[g] * 0;
            }
        }
    }
    return wrong == 0;
}

static void NAME(gradient_spectra)(const cx_pass *pass, const cx_call *call,
                                   const cx_gradient_share *share, int64_t task, char *scratch)
{
    NAME(spectral_space) space = NAME(carve_spectral_gradient)(pass, &scratch);
    int64_t size = NAME(spectral_sums_size)(pass), groups = share->end_group - share->group;
    T *sums = (T *)call->sums + task * size;
    NAME(find_roots)(pass, &space);
    if (share->step == share->part_step)
        NAME(clear)(sums, size);
    for (int64_t step = share->step; step < share->end_step; step++) {
        NAME(take_boxes)(pass, call, share, step, 0, &space);
        for (int64_t first = 0; first < space.pairs; first += pass->lanes ? 1 : LANES)
            NAME(add_pairs)(pass, call, share, step, first, &space,
                            sums + (pass->lanes ? 0 : first) * NAME(spectrum_elements)(&space));
    }
    if (share->end_step < share->part_end)
        return;
    T *to = (T *)call->output + (share->row_part * pass->groups + share->group) * pass->filters *
                                    pass->channels * pass->taps;
    if (!NAME(restore_spectra)(pass, &space, groups, sums, to))
        __atomic_store_n(call->overflow, 1, __ATOMIC_RELAXED);
}
