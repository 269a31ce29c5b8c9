/* Correlation of arrays of one or two axes with a large kernel: Fourier transforms of great tiles
   that overlap. Of a tile, a matrix of points, some outputs are right (overlap-save).

   Two tiles are the real and the imaginary part of one. Each row is copied, with its border, and
   transformed while it is in L1. Then columns go all the way: LANES of them at a time are
   transformed, multiplied with the kernel's spectrum and transformed back. At last each row with
   outputs is transformed back and copied from there.

   Several axes that are filtered become one axis of rows: tables tell which rows are read, and which
   of the outputs are wanted.

   A long line is a tile of one row, which goes all the way itself; a longer one is a tile whose
   rows follow one another. Columns of it are transformed first; then its points are turned by powers
   of the root of all of them (the chain), and rows go all the way. */

typedef struct {
    T *re, *im;          /* the tile, [row][pitch] */
    int64_t pitch;       /* an odd number of vectors: rows are not one set of the cache */
} NAME(great_tile);

static NAME(great_tile) NAME(carve_great_tile)(const cx_spectral_job *job, char *scratch)
{
    NAME(great_tile) tile;
    tile.pitch = job->columns + LANES;
    tile.re = (T *)scratch;
    tile.im = tile.re + job->rows * tile.pitch + CX_SPECTRAL_GAP * LANES;
    return tile;
}

/* Copies a row, from its beginning on, so that the processor sees where it goes: memcpy begins with a
   row's end, or leaves it to an instruction that takes twice as long. */
CX_INLINE void NAME(copy_row)(T *restrict to, const T *restrict from, int64_t count)
{
    int64_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES)
        CX_UNROLL for (int v = 0; v < 4; v++)
            *(NAME(loose) *)(to + i + v * LANES) = *(const NAME(loose) *)(from + i + v * LANES);
    for (; i + LANES <= count; i += LANES)
        *(NAME(loose) *)(to + i) = *(const NAME(loose) *)(from + i);
    for (; i < count; i++)
        to[i] = from[i];
}

/* Samples start ... start + count - 1 of a row with its padding; there are zeros beyond. The same of the
   row ahead, if there is one, are asked for unless they are more than a page: the beginning of each is
   waited for otherwise, for it lies in a page of its own. */
static void NAME(load_padded)(const cx_spectral_job *job, const T *x, const T *ahead, int64_t start,
                              int64_t count, T *to)
{
    int64_t end = start + count, inside = job->low + job->inside, i = start;
    for (; i < cx_min(end, job->low); i++)
        *to++ = job->low_source ? x[job->low_source[i]] : 0;
    if (i < cx_min(end, inside)) {
        int64_t length = cx_min(end, inside) - i;
        if (ahead && length * (int64_t)sizeof(T) <= CX_PAGE_BYTES)
            NAME(ask_for_row)(ahead + i - job->low, length);
        NAME(copy_row)(to, x + i - job->low, length);
        to += length;
        i += length;
    }
    for (; i < cx_min(end, inside + job->high); i++)
        *to++ = job->high_source ? x[job->high_source[i - inside]] : 0;
    for (; i < end; i++)
        *to++ = 0;
}

/* Loads a row of a tile, or zeros where there is none; tells whether there is. */
static int NAME(load_row)(const cx_spectral_job *job, const T *x, int64_t index, int64_t r, T *to)
{
    int64_t along = index % job->tiles_along, down = index / job->tiles_along;
    int64_t row = down * job->tile_rows + r, start = along * job->tile_columns, source = -1;
    int64_t next = -1;
    if (job->chained) {
        start += r * job->columns;
        source = 0;
    } else if (row < job->padded_rows) {
        source = job->row_source[row];
        int apart = job->x_row * (int64_t)sizeof(T) >= CX_PAGE_BYTES;
        next = apart && row + 1 < job->padded_rows ? job->row_source[row + 1] : -1;
    }
    if (index < job->tiles_down * job->tiles_along && source >= 0) {
        const T *ahead = next < 0 ? NULL : x + next * job->x_row;
        NAME(load_padded)(job, x + source * job->x_row, ahead, start, job->columns, to);
        return 1;
    }
    __builtin_memset(to, 0, job->columns * sizeof(T));
    return 0;
}

/* Copies outputs. Returns a sum that is 0 if all of them are finite. */
static T NAME(store_outputs)(T *to, const T *from, int64_t length)
{
    NAME(vector) check = {0};
    T sum = 0;
    int64_t i = 0;
    for (; i + LANES <= length; i += LANES) {
        NAME(vector) v = *(const NAME(loose) *)(from + i);
        check += v * 0;
        *(NAME(loose) *)(to + i) = v;
    }
    for (; i < length; i++) {
        sum += from[i] * 0;
        to[i] = from[i];
    }
    for (int64_t lane = 0; lane < LANES; lane++)
        sum += check[lane];
    return sum;
}

/* Where a row of a tile begins in the result; NULL if nothing of it is wanted. */
static T *NAME(row_target)(const cx_spectral_job *job, T *y, int64_t index, int64_t r)
{
    int64_t along = index % job->tiles_along, down = index / job->tiles_along;
    if (index >= job->tiles_down * job->tiles_along)
        return NULL;
    y += along * job->tile_columns;
    if (job->chained)
        return y + r * job->columns;
    int64_t row = down * job->tile_rows + r;
    int wanted = r < job->tile_rows && row < job->out_rows && job->row_target[row] >= 0;
    return wanted ? y + job->row_target[row] * job->out_columns : NULL;
}

/* How many outputs a row of a tile has. */
static int64_t NAME(row_outputs)(const cx_spectral_job *job, int64_t index, int64_t r)
{
    int64_t start = index % job->tiles_along * job->tile_columns;
    int64_t length = cx_min(job->tile_columns, job->out_columns - start);
    return job->chained ? cx_min(job->columns, length - r * job->columns) : length;
}

/* Turns the points of a row, places of which are `pitch` apart, by their root of all points, or back. */
static void NAME(turn_chain)(const int backward, const cx_spectral_job *job, T *re, T *im,
                             int64_t pitch, int64_t row)
{
    int64_t coarse = job->columns / CX_CHAIN;
    const T *root = (const T *)job->chain + 2 * row * (coarse + CX_CHAIN), *fine = root + 2 * coarse;
    for (int64_t a = 0; a < coarse; a++)
        for (int64_t b = 0; b < CX_CHAIN; b += LANES, re += pitch, im += pitch) {
            NAME(vector) r = *(NAME(vector) *)re, i = *(NAME(vector) *)im;
            NAME(vector) w_re = *(const NAME(loose) *)(fine + b);
            NAME(vector) w_im = *(const NAME(loose) *)(fine + CX_CHAIN + b);
            NAME(turn)(&w_re, &w_im, root + 2 * a);
            w_im = backward ? -w_im : w_im;
            *(NAME(vector) *)re = r * w_re - i * w_im;
            *(NAME(vector) *)im = r * w_im + i * w_re;
        }
}

/* How a line goes its way, of which a row is one. */
CX_INLINE NAME(way) NAME(way_of_rows)(const cx_spectral_job *job, int how)
{
    NAME(way) way = {.how = how, .pitch = LANES, .roots = job->place_roots, .turns = job->turns,
                     .lane_roots = job->lane_roots};
    return way;
}

CX_INLINE void NAME(go_along_row)(const NAME(way) *way, const cx_spectral_job *job, T *re, T *im)
{
    NAME(go_through)(way, re, im, 0, job->columns / LANES, 1);
}

CX_INLINE void NAME(transform_columns)(const cx_spectral_job *job, const NAME(great_tile) *tile)
{
    for (int64_t c = 0; c < job->columns; c += LANES)
        NAME(transform_places)(tile->re + c, tile->im + c, job->rows, tile->pitch, job->row_roots, 1);
}

/* Columns there, times the kernel's spectrum, and back. */
static void NAME(filter_columns)(const cx_spectral_job *job, const NAME(great_tile) *tile)
{
    NAME(way) way = {.how = job->along ? CX_COLUMNS_FILTER : CX_COLUMN_FILTER,
                     .pitch = tile->pitch, .roots = job->row_roots, .spectrum = job->spectrum};
    for (int64_t c = 0; c < job->columns; c += LANES) {
        NAME(go_through)(&way, tile->re + c, tile->im + c, 0, job->rows, 1);
        way.spectrum += job->along ? 2 * job->rows * LANES : 0;
    }
}

/* A line whose rows follow one another: there, times the kernel's spectrum, and back. */
static void NAME(filter_chain)(const cx_spectral_job *job, const NAME(great_tile) *tile)
{
    NAME(way) way = NAME(way_of_rows)(job, CX_LINE_FILTER);
    if (job->rows > 1)
        NAME(transform_columns)(job, tile);
    for (int64_t r = 0; r < job->rows; r++) {
        T *re = tile->re + r * tile->pitch, *im = tile->im + r * tile->pitch;
        way.spectrum = (const T *)job->spectrum + 2 * r * job->columns;
        if (job->rows > 1)
            NAME(turn_chain)(0, job, re, im, LANES, r);
        NAME(go_along_row)(&way, job, re, im);
        if (job->rows > 1)
            NAME(turn_chain)(1, job, re, im, LANES, r);
    }
    for (int64_t c = 0; job->rows > 1 && c < job->columns; c += LANES)
        NAME(transform_places_back)(tile->re + c, tile->im + c, job->rows, tile->pitch,
                                    job->row_roots, 1);
}

/* A pair of tiles, with their rows transformed if both axes are filtered. */
static void NAME(load_tiles)(const cx_spectral_job *job, const NAME(great_tile) *tile, const T *x,
                             int64_t one, const T *x_other, int64_t other)
{
    NAME(way) way = NAME(way_of_rows)(job, CX_LINE_FORWARD);
    for (int64_t r = 0; r < job->rows; r++) {
        T *re = tile->re + r * tile->pitch, *im = tile->im + r * tile->pitch;
        int there = NAME(load_row)(job, x, one, r, re);
        there |= NAME(load_row)(job, x_other, other, r, im);
        if (there && job->along && !job->chained) /* zeros stay what they are */
            NAME(go_along_row)(&way, job, re, im);
    }
}

/* What is right of a pair of tiles. Returns 0 if all of it is finite. */
static T NAME(store_tiles)(const cx_spectral_job *job, const NAME(great_tile) *tile, T *y,
                           int64_t one, T *y_other, int64_t other)
{
    NAME(way) way = NAME(way_of_rows)(job, CX_LINE_BACK);
    T sum = 0;
    for (int64_t r = 0; r < job->rows; r++) {
        T *re = tile->re + r * tile->pitch, *im = tile->im + r * tile->pitch;
        T *to = NAME(row_target)(job, y, one, r);
        T *to_other = NAME(row_target)(job, y_other, other, r);
        if ((to || to_other) && job->along && !job->chained)
            NAME(go_along_row)(&way, job, re, im);
        if (to)
            sum += NAME(store_outputs)(to, re, NAME(row_outputs)(job, one, r));
        if (to_other)
            sum += NAME(store_outputs)(to_other, im, NAME(row_outputs)(job, other, r));
    }
    return sum;
}

/* A piece is a pair of tiles of one item, whose bits do not depend on other items then. */
static void NAME(sweep_spectral)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_spectral_job *job = of;
    NAME(great_tile) tile = NAME(carve_great_tile)(job, scratch);
    int parts = job->y_imaginary != NULL;
    int64_t tiles = job->tiles_down * job->tiles_along, pieces = parts ? tiles : (tiles + 1) / 2;
    for (int64_t piece = first; piece < end; piece++) {
        int64_t item = piece / pieces, one = piece % pieces * (parts ? 1 : 2);
        int64_t other = parts ? one : one + 1;
        const T *x = (const T *)job->x + item * job->x_item, *x_other = x;
        T *y = (T *)job->y + item * job->y_item, *y_other = y;
        if (parts) {
            x_other = (const T *)job->x_imaginary + item * job->x_item;
            y_other = (T *)job->y_imaginary + item * job->y_item;
        }
        NAME(load_tiles)(job, &tile, x, one, x_other, other);
        if (job->chained)
            NAME(filter_chain)(job, &tile);
        else
            NAME(filter_columns)(job, &tile);
        T sum = NAME(store_tiles)(job, &tile, y, one, y_other, other);
        if (!(sum == 0))
            __atomic_store_n(job->overflow, 1, __ATOMIC_RELAXED);
    }
}
