/* Convolution by discrete Fourier transforms of tiles that overlap (overlap-save), over the last
   one or two axes. Of a tile of n inputs along an axis, n - taps + 1 outputs are right.

   Two neighbouring tiles are the real and the imaginary part of one, as weights are real: so there
   is nothing to take apart. The lanes of vectors are such pairs, or, in depthwise convolutions,
   groups. Taps along axes that are not transformed are summed like channels. */

/* Outputs of a pair of tiles: places of both, of which there may be fewer than a tile has. */
typedef struct {
    int64_t in, out[2], rows[2], columns[2];
} NAME(pair);

typedef struct {
    cx_box box;
    int64_t rows, columns;     /* points of a tile: along the axis before the last, the last */
    int64_t row_size, size;    /* elements of a row of a spectrum, of a whole one */
    int64_t reduction, pairs;
    int used_once;             /* a spectrum: so it need not be kept with its columns transformed */
    int64_t row_step, row_out; /* between rows: places of the tile, outputs */
    int64_t tile_rows, tile_columns; /* right outputs of a tile */
    NAME(pair) *pair;
    T *row_roots, *column_roots;
    T *line;    /* one row or column: real, then imaginary parts */
    T *other;   /* another one */
    T *tile, *spectra, *result;
    T *totals;  /* weight gradient: the sums of each tap */
} NAME(spectral_space);

CX_INLINE int64_t NAME(pairs_of_axis)(const cx_pass *pass, int64_t axis)
{
    const cx_axis *a = &pass->axes[axis];
    return (a->block + a->pair_outputs - 1) / a->pair_outputs;
}

/* The sizes of a spectrum, and room for one to be made. */
static NAME(spectral_space) NAME(carve_transform)(const cx_pass *pass, char **scratch)
{
    NAME(spectral_space) space = {0};
    int64_t last = pass->rank - 1;
    const cx_axis *along = &pass->axes[last], *down = &pass->axes[cx_max(0, last - 1)];
    int both = pass->fft_axes == 2;
    space.columns = along->points;
    space.rows = both ? down->points : 1;
    space.tile_columns = along->tile;
    space.tile_rows = both ? down->tile : 1;
    space.row_step = both ? down->position_stride : 0;
    space.row_out = both ? down->out_stride : 0;
    space.row_size = (2 * space.columns + 1) * LANES; /* rows are not one set of the cache */
    space.size = space.rows * space.row_size;
    int64_t inner = (along->points - along->tile + 1) * (both ? down->points - down->tile + 1 : 1);
    space.reduction = pass->channels * (pass->taps / inner);
    int64_t pairs = pass->boxes_together;
    for (int64_t a = 0; a < pass->rank; a++)
        pairs *= NAME(pairs_of_axis)(pass, a);
    cx_carve_box(pass, &space.box, scratch);
    space.pair = cx_carve(scratch, pairs * (int64_t)sizeof(*space.pair));
    space.row_roots = NAME(carve_elements)(scratch, 2 * space.rows);
    space.column_roots = NAME(carve_elements)(scratch, 2 * space.columns);
    int64_t line = 2 * cx_max(space.rows, space.columns) * LANES;
    space.line = NAME(carve_elements)(scratch, line);
    space.other = NAME(carve_elements)(scratch, line);
    return space;
}

static NAME(spectral_space) NAME(carve_spectral)(const cx_pass *pass, char **scratch)
{
    NAME(spectral_space) space = NAME(carve_transform)(pass, scratch);
    space.used_once = space.reduction * pass->filters == 1;
    space.tile = NAME(carve_elements)(scratch, pass->channel_block * pass->tile_size);
    space.spectra = NAME(carve_elements)(scratch, space.reduction * space.size);
    space.result = space.spectra; /* in place where nothing else needs it */
    if (!space.used_once)
        space.result = NAME(carve_elements)(scratch, space.size);
    return space;
}

static void NAME(find_roots)(const cx_pass *pass, NAME(spectral_space) *space)
{
    int64_t last = pass->rank - 1;
    for (int64_t i = 0; i < 2 * space->columns; i++)
        space->column_roots[i] = (T)pass->axes[last].roots[i];
    for (int64_t i = 0; space->rows > 1 && i < 2 * space->rows; i++)
        space->row_roots[i] = (T)pass->axes[last - 1].roots[i];
}

/* Between a line and column k of a spectrum; the places of a column from `rows` on are zeros. */
CX_INLINE void NAME(load_column)(const NAME(spectral_space) *space, const T *spectrum, int64_t k,
                                 int64_t rows, T *line)
{
    T *im = line + space->rows * LANES;
    for (int64_t r = 0; r < rows; r++, spectrum += space->row_size) {
        *(NAME(vector) *)(line + r * LANES) = *(const NAME(vector) *)(spectrum + k * LANES);
        *(NAME(vector) *)(im + r * LANES) =
            *(const NAME(vector) *)(spectrum + (space->columns + k) * LANES);
    }
    NAME(clear)(line + rows * LANES, (space->rows - rows) * LANES);
    NAME(clear)(im + rows * LANES, (space->rows - rows) * LANES);
}

CX_INLINE void NAME(store_column)(const NAME(spectral_space) *space, const T *line, int64_t k,
                                  int64_t rows, T *spectrum)
{
    const T *im = line + space->rows * LANES;
    for (int64_t r = 0; r < rows; r++, spectrum += space->row_size) {
        *(NAME(vector) *)(spectrum + k * LANES) = *(const NAME(vector) *)(line + r * LANES);
        *(NAME(vector) *)(spectrum + (space->columns + k) * LANES) =
            *(const NAME(vector) *)(im + r * LANES);
    }
}

/* Column k of a spectrum whose rows are transformed, transformed; from row `rows` on are zeros. */
CX_INLINE void NAME(transform_column)(const NAME(spectral_space) *space, const T *spectrum,
                                      int64_t k, int64_t rows, T *line)
{
    NAME(load_column)(space, spectrum, k, rows, line);
    if (space->rows > 1)
        NAME(transform)(line, line + space->rows * LANES, space->rows, space->row_roots);
}

/* to[i * LANES + lane] = from[lane][i] for i < length, a multiple of LANES. */
CX_INLINE void NAME(gather_lanes)(T *to, const T *const *from, int64_t offset, int64_t length)
{
    for (int64_t i = 0; i < length; i += LANES) {
        NAME(vector) v[LANES];
        CX_UNROLL for (int lane = 0; lane < LANES; lane++)
            v[lane] = *(const NAME(loose) *)(from[lane] + offset + i);
        NAME(transpose)(v);
        CX_UNROLL for (int lane = 0; lane < LANES; lane++)
            *(NAME(vector) *)(to + (i + lane) * LANES) = v[lane];
    }
}

/* Packing: the conjugate of the weights' spectrum, divided by the number of points, as columns:
   [row of the reduction][column][real or imaginary][row]. As lanes there are the groups of a
   block; otherwise each filter's is by itself, and the filters are the lanes while it is made. */

CX_INLINE int64_t NAME(spectrum_elements)(const NAME(spectral_space) *space)
{
    return 2 * space->rows * space->columns;
}

/* Where the packed spectra of a filter lie, of a group or of the block of groups that it begins. */
CX_INLINE int64_t NAME(spectra_at)(const cx_pass *pass, const NAME(spectral_space) *space,
                                   int64_t group, int64_t filter)
{
    int64_t elements = space->reduction * NAME(spectrum_elements)(space);
    int64_t lanes = pass->lanes ? LANES : 1;
    return (group * pass->filters + filter * lanes) * elements;
}

/* The kernels of some lanes, of one row of the reduction. */
static void NAME(transform_kernels)(const cx_pass *pass, const NAME(spectral_space) *space,
                                    const T *weight, int64_t lane_stride, int64_t lanes,
                                    const int64_t *tap_weight, T *to)
{
    int64_t taps = space->columns - space->tile_columns + 1, rows = space->rows;
    int64_t tap_rows = rows - space->tile_rows + 1;
    int64_t one = space->reduction * NAME(spectrum_elements)(space);
    T *line = space->line, *im = line + rows * LANES;
    T scale = (T)1 / (T)(rows * space->columns);
    for (int64_t r = 0; r < tap_rows; r++) {
        T *row = space->spectra + r * space->row_size;
        NAME(clear)(row, 2 * space->columns * LANES);
        for (int64_t j = 0; j < taps; j++)
            for (int64_t lane = 0; lane < lanes; lane++)
                row[j * LANES + lane] =
                    weight[lane * lane_stride + tap_weight[r * taps + j]] * scale;
        NAME(transform)(row, row + space->columns * LANES, space->columns, space->column_roots);
    }
    for (int64_t k = 0; k < space->columns; k++) {
        NAME(transform_column)(space, space->spectra, k, tap_rows, line);
        for (int64_t i = 0; i < rows * LANES; i++)
            im[i] = -im[i];
        if (pass->lanes)
            NAME(copy)(to, line, 2 * rows * LANES);
        for (int64_t lane = 0; !pass->lanes && lane < lanes; lane++)
            for (int64_t r = 0; r < 2 * rows; r++)
                to[lane * one + r] = line[r * LANES + lane];
        to += 2 * rows * (pass->lanes ? LANES : 1);
    }
}

/* Filters of a packing task. */
CX_INLINE int64_t NAME(filters_together)(const cx_pass *pass)
{
    return pass->lanes ? 1 : LANES;
}

static int64_t NAME(pack_tasks_of_spectra)(const cx_pass *pass)
{
    int64_t together = NAME(filters_together)(pass), groups = pass->lanes ? LANES : 1;
    return (pass->groups + groups - 1) / groups * ((pass->filters + together - 1) / together);
}

static void NAME(pack_spectra)(const cx_pass *pass, const cx_call *call, int64_t task,
                               char *scratch)
{
    NAME(spectral_space) space = NAME(carve_spectral)(pass, &scratch);
    NAME(find_roots)(pass, &space);
    int64_t outer = space.reduction / pass->channels, inner = pass->taps / outer;
    int64_t together = NAME(filters_together)(pass);
    int64_t filter_parts = (pass->filters + together - 1) / together;
    int64_t group = task / filter_parts * (pass->lanes ? LANES : 1);
    int64_t filter = task % filter_parts * together;
    int64_t lanes = cx_min(LANES, pass->lanes ? pass->groups - group : pass->filters - filter);
    int64_t stride = pass->lanes ? pass->weight_group : pass->weight_filter;
    const T *weight = (const T *)call->weight + group * pass->weight_group +
                      filter * pass->weight_filter;
    T *to = (T *)call->output + NAME(spectra_at)(pass, &space, group, filter);
    for (int64_t m = 0; m < space.reduction; m++)
        NAME(transform_kernels)(
            pass, &space, weight + m / outer * pass->weight_channel, stride, lanes,
            pass->tap_weight + m % outer * inner,
            to + m * NAME(spectrum_elements)(&space) * (pass->lanes ? LANES : 1));
}

/* Finds the pairs of tiles of a box, after those that there are. */
static void NAME(find_pairs)(const cx_pass *pass, NAME(spectral_space) *space)
{
    const cx_box *box = &space->box;
    int64_t last = pass->rank - 1, first = pass->rank - pass->fft_axes;
    int64_t extent[CX_MAX_RANK], index[CX_MAX_RANK] = {0};
    for (int64_t a = 0; a <= last; a++) {
        int64_t outputs = pass->axes[a].pair_outputs;
        extent[a] = (box->extent[a] + outputs - 1) / outputs;
    }
    do {
        NAME(pair) pair = {0, {box->out, box->out}, {1, 1}, {1, 1}};
        for (int64_t a = 0; a <= last; a++) {
            const cx_axis *axis = &pass->axes[a];
            int64_t at = index[a] * axis->pair_outputs;
            int64_t next = axis->pair_outputs > axis->tile ? axis->tile : 0;
            pair.in += at * axis->position_stride;
            for (int part = 0; part < 2; part++, at += next) {
                int64_t left = cx_max(0, cx_min(axis->tile, box->extent[a] - at));
                pair.out[part] += at * axis->out_stride;
                if (a == last)
                    pair.columns[part] = left;
                else if (a >= first)
                    pair.rows[part] = left;
            }
        }
        space->pair[space->pairs++] = pair;
    } while (cx_next(index, extent, pass->rank));
}

/* Transforms the inputs of the lanes: of one row of the reduction. */
static void NAME(transform_pairs)(const NAME(spectral_space) *space, const T *const *from,
                                  int64_t offset, int64_t other, T *spectrum)
{
    for (int64_t r = 0; r < space->rows; r++, spectrum += space->row_size) {
        T *im = spectrum + space->columns * LANES;
        NAME(gather_lanes)(spectrum, from, offset + r * space->row_step, space->columns);
        NAME(gather_lanes)(im, from, offset + r * space->row_step + other, space->columns);
        NAME(transform)(spectrum, im, space->columns, space->column_roots);
    }
}

/* Transforms all columns; from row `rows` on are zeros. */
static void NAME(transform_columns)(const NAME(spectral_space) *space, T *spectrum, int64_t rows)
{
    for (int64_t k = 0; space->rows > 1 && k < space->columns; k++) {
        NAME(transform_column)(space, spectrum, k, rows, space->line);
        NAME(store_column)(space, space->line, k, space->rows, spectrum);
    }
}

/* Multiplies a filter's spectra with those of the inputs, and transforms the columns of their sum
   back, as many rows as are wanted. */
CX_INLINE void NAME(multiply_spectra)(const int by_lane, const int used_once,
                                      const NAME(spectral_space) *space, const T *weights)
{
    int64_t rows = space->rows, step = by_lane ? LANES : 1;
    int64_t x_step = used_once ? LANES : space->row_size;
    int64_t x_im = (used_once ? rows : space->columns) * LANES;
    T *sum = space->other, *sum_im = sum + rows * LANES;
    for (int64_t k = 0; k < space->columns; k++) {
        const T *spectrum = space->spectra;
        if (used_once)
            NAME(transform_column)(space, spectrum, k, rows, space->line);
        for (int64_t m = 0; m < space->reduction; m++, spectrum += space->size) {
            const T *w = weights + (m * space->columns + k) * 2 * rows * step;
            const T *x = used_once ? space->line : spectrum + k * LANES;
            for (int64_t r = 0; r < rows; r++, w += step, x += x_step) {
                NAME(vector) re = *(const NAME(vector) *)x;
                NAME(vector) im = *(const NAME(vector) *)(x + x_im);
                NAME(vector) w_re = {0}, w_im = {0};
                if (by_lane) {
                    w_re = *(const NAME(loose) *)w;
                    w_im = *(const NAME(loose) *)(w + rows * step);
                } else {
                    w_re += *w;
                    w_im += w[rows * step];
                }
                NAME(vector) *y = (NAME(vector) *)(sum + r * LANES);
                NAME(vector) *y_im = (NAME(vector) *)(sum_im + r * LANES), zero = {0};
                *y = (m ? *y : zero) + re * w_re - im * w_im;
                *y_im = (m ? *y_im : zero) + re * w_im + im * w_re;
            }
        }
        if (rows > 1)
            NAME(transform_back)(sum, sum_im, rows, space->row_roots);
        NAME(store_column)(space, sum, k, space->tile_rows, space->result);
    }
}

/* The outputs of the lanes, from the result. Returns whether all of them are finite. */
static int NAME(restore_pairs)(const NAME(spectral_space) *space, int64_t lanes,
                               const NAME(pair) *const *pair, T *const *output, int64_t step,
                               NAME(vector) bias)
{
    NAME(vector) check = {0};
    for (int64_t r = 0; r < space->tile_rows; r++) {
        T *line = space->result + r * space->row_size;
        NAME(transform_back)(line, line + space->columns * LANES, space->columns,
                             space->column_roots);
        for (int part = 0; part < 2; part++, line += space->columns * LANES)
            for (int64_t i = 0; i < space->tile_columns; i += LANES) {
                NAME(vector) v[LANES];
                CX_UNROLL for (int l = 0; l < LANES; l++)
                {
                    v[l] = *(const NAME(vector) *)(line + (i + l) * LANES) + bias;
                    check += v[l] * 0;
                }
                NAME(transpose)(v);
                for (int64_t lane = 0; lane < lanes; lane++) {
                    const NAME(pair) *p = pair[lane];
                    int64_t length = cx_min(LANES, p->columns[part] - i);
                    if (r < p->rows[part] && length > 0)
                        NAME(scatter)(output[lane] + p->out[part] + r * space->row_out + i * step,
                                      step, (const T *)&v[lane], length);
                }
            }
    }
    T sum = 0;
    for (int64_t lane = 0; lane < LANES; lane++)
        sum += check[lane];
    return sum == 0;
}

/* Places between the two tiles of a pair. */
CX_INLINE int64_t NAME(between_tiles)(const cx_pass *pass)
{
    for (int64_t a = 0; a < pass->rank; a++)
        if (pass->axes[a].pair_outputs > pass->axes[a].tile)
            return pass->axes[a].tile * pass->axes[a].position_stride;
    return 0;
}

static void NAME(forward_spectra)(const cx_pass *pass, const cx_call *call,
                                  const cx_share *share, char *scratch)
{
    NAME(spectral_space) space = NAME(carve_spectral)(pass, &scratch);
    NAME(find_roots)(pass, &space);
    NAME(clear_gaps)(pass, space.tile);
    int64_t groups = share->end_group - share->group, outer = space.reduction / pass->channels;
    int64_t inner = pass->taps / outer, other = NAME(between_tiles)(pass);
    int64_t step = pass->axes[pass->rank - 1].out_stride;
    int64_t together = pass->lanes ? 1 : LANES; /* pairs of a vector */
    int64_t rows = space.rows;
    if (!cx_place_box(pass, share->box, &space.box))
        return;
    cx_find_rows(pass, &space.box);
    cx_find_stretches(pass, &space.box);
    NAME(find_pairs)(pass, &space);
    for (int64_t n = share->item; n < share->end_item; n++) {
        NAME(fill_tile)(pass, &space.box,
                        (const T *)call->input + n * pass->in_batch +
                            share->group * pass->channels * pass->in_channel,
                        0, groups * pass->channels, space.tile);
        for (int64_t first = 0; first < space.pairs; first += together) {
            int64_t lanes = pass->lanes ? groups : cx_min(LANES, space.pairs - first);
            const T *from[LANES];
            T *to[LANES];
            const NAME(pair) *pair[LANES];
            for (int64_t lane = 0; lane < LANES; lane++) { /* those too many repeat the last */
                int64_t real = cx_min(lane, lanes - 1), group = pass->lanes ? real : 0;
                pair[lane] = &space.pair[first + (pass->lanes ? 0 : real)];
                from[lane] = space.tile + group * pass->channels * pass->tile_size +
                             pair[lane]->in;
                to[lane] = (T *)call->output + n * pass->out_batch +
                           (share->group + group) * pass->filters * pass->out_channel;
            }
            for (int64_t m = 0; m < space.reduction; m++) {
                T *spectrum = space.spectra + m * space.size;
                NAME(transform_pairs)(&space, from, m / outer * pass->tile_size +
                                                        pass->tap_offset[m % outer * inner],
                                      other, spectrum);
                if (!space.used_once)
                    NAME(transform_columns)(&space, spectrum, rows);
            }
            for (int64_t f = 0; f < pass->filters; f++) {
                const T *weights = (const T *)call->packed +
                                   NAME(spectra_at)(pass, &space, share->group, f);
                NAME(vector) bias = {0};
                for (int64_t lane = 0; call->bias && lane < LANES; lane++) {
                    int64_t group = share->group + (pass->lanes ? cx_min(lane, lanes - 1) : 0);
                    bias[lane] = ((const T *)call->bias)[group * pass->filters + f];
                }
                if (pass->lanes && space.used_once)
                    NAME(multiply_spectra)(1, 1, &space, weights);
                else if (pass->lanes)
                    NAME(multiply_spectra)(1, 0, &space, weights);
                else if (space.used_once)
                    NAME(multiply_spectra)(0, 1, &space, weights);
                else
                    NAME(multiply_spectra)(0, 0, &space, weights);
                if (!NAME(restore_pairs)(&space, lanes, pair, to, step, bias))
                    __atomic_store_n(call->overflow, 1, __ATOMIC_RELAXED);
                for (int64_t lane = 0; lane < LANES; lane++)
                    to[lane] += pass->out_channel;
            }
        }
        NAME(finish_box)(pass, call, &space.box, n, n + 1, share->group * pass->filters,
                         share->end_group * pass->filters);
    }
}
