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

/* The sums lie [filter][row of the reduction][vector][column][real or imaginary][row], or where one
   axis is transformed [real or imaginary][column]. */
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
    int64_t inputs = pass->filters == 1 ? 1 : space.reduction;
    space.tile = NAME(carve_elements)(
        scratch, pass->boxes_together * (pass->lanes ? LANES : 1) * pass->tile_size);
    space.spectra = NAME(carve_elements)(scratch, inputs * space.size);
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

/* Transforms the gradients of some pairs of tiles, in so many lanes; their columns only where each
   is used several times, apart from one another. */
static void NAME(transform_gradients)(const cx_pass *pass, const NAME(spectral_space) *space,
                                      int64_t lanes, const NAME(pair) *const *pair,
                                      const T *const *gradient)
{
    int64_t step = pass->axes[pass->rank - 1].out_stride;
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
    if (pass->filters == 1 && space->reduction > 1)
        NAME(transform_columns)(space, space->result, space->tile_rows);
}

/* A column of a spectrum: real parts `step` apart, the imaginary ones `im` further. */
typedef struct {
    const T *re;
    int64_t step, im;
} NAME(column);

/* Column k of a spectrum whose rows are transformed. What is used once is transformed here, in the
   line given; so were all the columns of others. Where one axis is transformed, the row takes the
   place of a column. */
CX_INLINE NAME(column) NAME(column_of)(const NAME(spectral_space) *space, const T *spectrum,
                                       int64_t k, int used_once, int64_t rows, T *line)
{
    if (space->rows == 1)
        return (NAME(column)){spectrum, LANES, space->columns * LANES};
    if (!used_once)
        return (NAME(column)){spectrum + k * LANES, space->row_size, space->columns * LANES};
    NAME(transform_column)(space, spectrum, k, rows, line);
    return (NAME(column)){line, LANES, space->rows * LANES};
}

/* Adds the products of some rows of the reduction with the gradients of a filter to their sums. */
static void NAME(multiply_gradients)(const NAME(spectral_space) *space, int64_t reduction,
                                     int inputs_once, int gradients_once, T *sums,
                                     int64_t sum_step)
{
    int64_t columns = space->rows > 1 ? space->columns : 1;
    int64_t points = space->rows > 1 ? space->rows : space->columns;
    for (int64_t k = 0; k < columns; k++, sums += 2 * points * LANES) {
        NAME(column) gradients = NAME(column_of)(space, space->result, k, gradients_once,
                                                 space->tile_rows, space->other);
        for (int64_t m = 0; m < reduction; m++) {
            const T *spectrum = space->spectra + m * space->size;
            NAME(column) d = gradients;
            NAME(column) x = NAME(column_of)(space, spectrum, k, inputs_once, space->rows,
                                             space->line);
            NAME(vector) *y = (NAME(vector) *)(sums + m * sum_step), *y_im = y + points;
            for (int64_t i = 0; i < points; i++, x.re += x.step, d.re += d.step) {
                NAME(vector) re = *(const NAME(vector) *)x.re;
                NAME(vector) im = *(const NAME(vector) *)(x.re + x.im);
                NAME(vector) d_re = *(const NAME(vector) *)d.re;
                NAME(vector) d_im = *(const NAME(vector) *)(d.re + d.im);
                y[i] = y[i] + re * d_re + im * d_im;
                y_im[i] = y_im[i] + im * d_re - re * d_im;
            }
        }
    }
}

/* Adds the products of some pairs, one to a lane or one for all groups. With a single filter there
   is one spectrum of inputs at a time. */
static void NAME(add_pairs)(const cx_pass *pass, const cx_call *call,
                            const cx_gradient_share *share, int64_t step, int64_t first,
                            NAME(spectral_space) *space, T *sums)
{
    int64_t groups = share->end_group - share->group, outer = space->reduction / pass->channels;
    int64_t inner = pass->taps / outer, other = NAME(between_tiles)(pass), m = 0;
    int64_t sum_step = NAME(sum_vectors)(pass) * LANES * NAME(spectrum_elements)(space);
    int64_t lanes = pass->lanes ? groups : cx_min(LANES, space->pairs - first);
    int single = pass->filters == 1;
    const T *from[LANES], *gradient[LANES];
    const NAME(pair) *pair[LANES];
    for (int64_t lane = 0; lane < LANES; lane++) { /* those too many repeat the last input */
        int64_t real = cx_min(lane, lanes - 1), group = pass->lanes ? real : 0;
        pair[lane] = &space->pair[first + (pass->lanes ? 0 : real)];
        from[lane] = space->tile + group * pass->tile_size + pair[lane]->in;
        gradient[lane] = (const T *)call->weight +
                         (share->group + group) * pass->filters * pass->out_channel;
    }
    if (single)
        NAME(transform_gradients)(pass, space, lanes, pair, gradient);
    for (int64_t c = 0; c < pass->channels; c++) {
        if (pass->channels > 1)
            NAME(take_boxes)(pass, call, share, step, c, space);
        for (int64_t t = 0; t < outer; t++, m++) {
            T *spectrum = space->spectra + (single ? 0 : m * space->size);
            NAME(transform_pairs)(space, from, pass->tap_offset[t * inner], other, spectrum);
            if (single)
                NAME(multiply_gradients)(space, 1, 1, space->reduction == 1,
                                         sums + m * sum_step, 0);
            else
                NAME(transform_columns)(space, spectrum, space->rows);
        }
    }
    for (int64_t f = 0; !single && f < pass->filters; f++, sums += m * sum_step) {
        NAME(transform_gradients)(pass, space, lanes, pair, gradient);
        NAME(multiply_gradients)(space, m, 0, 1, sums, sum_step);
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
    for (int64_t k = 0; rows > 1 && k < space->columns; k++) {
        T *column = sums + k * 2 * rows * LANES;
        NAME(transform_back)(column, column + rows * LANES, rows, space->row_roots);
        NAME(store_column)(space, column, k, tap_rows, space->result);
    }
    for (int64_t r = 0; r < tap_rows; r++) {
        T *row = rows > 1 ? space->result + r * space->row_size : sums;
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
    if (share->end_step < share->part_end || share->step >= share->part_end)
        return; /* there is more to come, or it was done before, when another part was not */
    T *to = (T *)call->output + (share->row_part * pass->groups + share->group) * pass->filters *
                                    pass->channels * pass->taps;
    if (!NAME(restore_spectra)(pass, &space, groups, sums, to))
        __atomic_store_n(call->overflow, 1, __ATOMIC_RELAXED);
}
