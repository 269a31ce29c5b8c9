/* Correlation of arrays of one or two axes with a large kernel: Fourier transforms of great tiles
   that overlap. Of a tile, a matrix of points, some outputs are right (overlap-save).

   Two tiles are the real and the imaginary part of one. Columns of a tile are the lanes of vectors
   while they are transformed, where they lie, then rows are: the tile is transposed in registers on
   the way. A row is transformed, multiplied with the kernel's spectrum and transformed back while it
   is in L1.

   Several axes that are filtered become one axis of rows: tables tell which rows are read, and which
   of the outputs are wanted.

   A long line is a tile too, whose rows follow one another: between the transforms of columns and
   those of rows its points are turned by powers of the root of all of them (the chain). */

typedef struct {
    T *re, *im;          /* the tile, [row][pitch] */
    T *line;             /* LANES columns or rows: real and imaginary parts */
    T *row_roots, *column_roots;
    int64_t pitch;       /* an odd number of vectors: rows are not one set of the cache */
} NAME(great_tile);

CX_INLINE T *NAME(take)(char **scratch, int64_t elements)
{
    T *taken = (T *)*scratch;
    *scratch += (elements * (int64_t)sizeof(T) + 63) / 64 * 64;
    return taken;
}

static NAME(great_tile) NAME(carve_great_tile)(const cx_spectral_job *job, char *scratch)
{
    NAME(great_tile) tile;
    tile.pitch = job->columns + LANES;
    tile.re = NAME(take)(&scratch, job->rows * tile.pitch + CX_SPECTRAL_GAP * LANES);
    tile.im = NAME(take)(&scratch, job->rows * tile.pitch);
    int64_t points = cx_max(job->rows, job->columns);
    tile.line = NAME(take)(&scratch, 2 * (points + CX_SPECTRAL_GAP) * LANES);
    tile.row_roots = NAME(take)(&scratch, 2 * job->rows);
    tile.column_roots = NAME(take)(&scratch, 2 * job->columns);
    for (int64_t i = 0; i < 2 * job->rows; i++)
        tile.row_roots[i] = (T)job->row_roots[i];
    for (int64_t i = 0; i < 2 * job->columns; i++)
        tile.column_roots[i] = (T)job->column_roots[i];
    return tile;
}

/* Samples start ... start + count - 1 of a row with its padding; there are zeros beyond. */
static void NAME(load_padded)(const cx_spectral_job *job, const T *x, int64_t start,
                              int64_t count, T *to)
{
    int64_t end = start + count, inside = job->low + job->inside, i = start;
    for (; i < cx_min(end, job->low); i++)
        *to++ = job->low_source ? x[job->low_source[i]] : 0;
    if (i < cx_min(end, inside)) {
        int64_t length = cx_min(end, inside) - i;
        __builtin_memcpy(to, x + i - job->low, length * sizeof(T));
        to += length;
        i += length;
    }
    for (; i < cx_min(end, inside + job->high); i++)
        *to++ = job->high_source ? x[job->high_source[i - inside]] : 0;
    for (; i < end; i++)
        *to++ = 0;
}

/* Loads a tile, or zeros for one that there is not. */
static void NAME(load_tile)(const cx_spectral_job *job, const T *x, int64_t index, T *to,
                            int64_t pitch)
{
    int64_t along = index % job->tiles_along, down = index / job->tiles_along;
    int wanted = x && index < job->tiles_down * job->tiles_along;
    for (int64_t r = 0; r < job->rows; r++, to += pitch) {
        int64_t start = along * job->tile_columns, source = 0;
        if (job->chained) {
            start += r * job->columns;
        } else {
            int64_t row = down * job->tile_rows + r;
            source = row < job->padded_rows ? job->row_source[row] : -1;
        }
        if (wanted && source >= 0)
            NAME(load_padded)(job, x + source * job->x_row, start, job->columns, to);
        else
            __builtin_memset(to, 0, job->columns * sizeof(T));
    }
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

static T NAME(store_tile)(const cx_spectral_job *job, int64_t index, const T *from, int64_t pitch,
                          T *y)
{
    if (index >= job->tiles_down * job->tiles_along)
        return 0;
    int64_t along = index % job->tiles_along, down = index / job->tiles_along;
    int64_t length = cx_min(job->tile_columns, job->out_columns - along * job->tile_columns);
    T sum = 0;
    y += along * job->tile_columns;
    if (job->chained) {
        for (int64_t i = 0; i < length; i += job->columns, from += pitch)
            sum += NAME(store_outputs)(y + i, from, cx_min(job->columns, length - i));
        return sum;
    }
    int64_t rows = cx_min(job->tile_rows, job->out_rows - down * job->tile_rows);
    const int64_t *target = job->row_target + down * job->tile_rows;
    for (int64_t r = 0; r < rows; r++)
        if (target[r] >= 0)
            sum += NAME(store_outputs)(y + target[r] * job->out_columns, from + r * pitch, length);
    return sum;
}

/* Where the imaginary parts of a line are: not in the same sets of the cache as the real ones. */
CX_INLINE T *NAME(imaginary)(T *line, int64_t points)
{
    return line + (points + CX_SPECTRAL_GAP) * LANES;
}

CX_INLINE void NAME(load_columns)(const NAME(great_tile) *tile, int64_t rows, int64_t column)
{
    T *im = NAME(imaginary)(tile->line, rows);
    for (int64_t r = 0; r < rows; r++) {
        *(NAME(vector) *)(tile->line + r * LANES) =
            *(const NAME(vector) *)(tile->re + r * tile->pitch + column);
        *(NAME(vector) *)(im + r * LANES) =
            *(const NAME(vector) *)(tile->im + r * tile->pitch + column);
    }
}

CX_INLINE void NAME(store_columns)(const NAME(great_tile) *tile, int64_t rows, int64_t all,
                                   int64_t column)
{
    const T *im = NAME(imaginary)(tile->line, all);
    for (int64_t r = 0; r < rows; r++) {
        *(NAME(vector) *)(tile->re + r * tile->pitch + column) =
            *(const NAME(vector) *)(tile->line + r * LANES);
        *(NAME(vector) *)(tile->im + r * tile->pitch + column) =
            *(const NAME(vector) *)(im + r * LANES);
    }
}

/* Between LANES rows of the tile and a line; as many of its columns as are a multiple of LANES. */
CX_INLINE void NAME(load_rows)(const NAME(great_tile) *tile, int64_t columns, int64_t row)
{
    for (int part = 0; part < 2; part++) {
        const T *from = (part ? tile->im : tile->re) + row * tile->pitch;
        T *to = part ? NAME(imaginary)(tile->line, columns) : tile->line;
        for (int64_t c = 0; c < columns; c += LANES) {
            NAME(vector) v[LANES];
            CX_UNROLL for (int i = 0; i < LANES; i++)
                v[i] = *(const NAME(vector) *)(from + i * tile->pitch + c);
            NAME(transpose)(v);
            CX_UNROLL for (int i = 0; i < LANES; i++)
                *(NAME(vector) *)(to + (c + i) * LANES) = v[i];
        }
    }
}

CX_INLINE void NAME(store_rows)(const NAME(great_tile) *tile, int64_t columns, int64_t wanted,
                                int64_t row)
{
    for (int part = 0; part < 2; part++) {
        T *to = (part ? tile->im : tile->re) + row * tile->pitch;
        const T *from = part ? NAME(imaginary)(tile->line, columns) : tile->line;
        for (int64_t c = 0; c < wanted; c += LANES) {
            NAME(vector) v[LANES];
            CX_UNROLL for (int i = 0; i < LANES; i++)
                v[i] = *(const NAME(vector) *)(from + (c + i) * LANES);
            NAME(transpose)(v);
            CX_UNROLL for (int i = 0; i < LANES; i++)
                *(NAME(vector) *)(to + i * tile->pitch + c) = v[i];
        }
    }
}

/* Turns the points of some rows by their root of all points, or back. */
CX_INLINE void NAME(turn_chain)(const int backward, const cx_spectral_job *job,
                                const NAME(great_tile) *tile, int64_t row)
{
    int64_t coarse = job->columns / CX_CHAIN, plane = (coarse + CX_CHAIN) * job->rows;
    const T *root = (const T *)job->chain + row;
    T *re = tile->line, *im = NAME(imaginary)(re, job->columns);
    for (int64_t a = 0; a < coarse; a++) {
        NAME(vector) a_re = *(const NAME(loose) *)(root + a * job->rows);
        NAME(vector) a_im = *(const NAME(loose) *)(root + plane + a * job->rows);
        const T *fine = root + coarse * job->rows;
        for (int64_t b = 0; b < CX_CHAIN; b++, fine += job->rows, re += LANES, im += LANES) {
            NAME(vector) b_re = *(const NAME(loose) *)fine;
            NAME(vector) b_im = *(const NAME(loose) *)(fine + plane);
            NAME(vector) w_re = a_re * b_re - a_im * b_im, w_im = a_re * b_im + a_im * b_re;
            NAME(vector) x_re = *(NAME(vector) *)re, x_im = *(NAME(vector) *)im;
            w_im = backward ? -w_im : w_im;
            *(NAME(vector) *)re = x_re * w_re - x_im * w_im;
            *(NAME(vector) *)im = x_re * w_im + x_im * w_re;
        }
    }
}

/* A line times the same part of the kernel's spectrum: vectors, or numbers for all lanes. */
CX_INLINE void NAME(multiply_line)(const int by_lane, T *line, int64_t points, const T *w)
{
    T *im = NAME(imaginary)(line, points);
    int64_t step = by_lane ? LANES : 1;
    const T *w_im = w + points * step;
    for (int64_t i = 0; i < points; i++) {
        NAME(vector) x_re = *(NAME(vector) *)(line + i * LANES), v_re = {0};
        NAME(vector) x_im = *(NAME(vector) *)(im + i * LANES), v_im = {0};
        if (by_lane) {
            v_re = *(const NAME(loose) *)(w + i * step);
            v_im = *(const NAME(loose) *)(w_im + i * step);
        } else {
            v_re += w[i];
            v_im += w_im[i];
        }
        *(NAME(vector) *)(line + i * LANES) = x_re * v_re - x_im * v_im;
        *(NAME(vector) *)(im + i * LANES) = x_re * v_im + x_im * v_re;
    }
}

/* The conjugate of a line, divided by the number of all points, to where it is read as a factor. */
CX_INLINE void NAME(pack_line)(const int by_lane, T *line, int64_t points, T scale, T *to)
{
    for (int64_t i = 0; i < 2 * points; i++) {
        const T *from = i < points ? line + i * LANES
                                   : NAME(imaginary)(line, points) + (i - points) * LANES;
        T factor = i < points ? scale : -scale;
        if (by_lane)
            *(NAME(loose) *)(to + i * LANES) = *(const NAME(vector) *)from * factor;
        else
            to[i] = *from * factor;
    }
}

/* One pair of tiles, or the kernel as one tile, whose spectrum goes to the job's. */
CX_INLINE void NAME(transform_tile)(const int packing, const cx_spectral_job *job,
                                    const NAME(great_tile) *tile)
{
    int64_t rows = job->rows, columns = job->columns;
    T *line = tile->line, *im = NAME(imaginary)(line, rows), *spectrum = (T *)job->spectrum;
    T scale = (T)1 / (T)(rows * (job->turns ? columns : 1));
    int64_t out_rows = job->chained ? rows : job->tile_rows;
    int64_t out_columns = job->chained ? columns : job->tile_columns;
    /* beside a kernel there are zeros, which stay what they are */
    int64_t filled = packing && !job->chained ? job->inside : columns;
    for (int64_t c = 0; c < filled; c += LANES) {
        if (job->turns) {
            NAME(transform_places)(tile->re + c, tile->im + c, rows, tile->pitch,
                                   tile->row_roots, 1);
            continue;
        }
        NAME(load_columns)(tile, rows, c);
        NAME(transform)(line, im, rows, tile->row_roots);
        if (packing) { /* of one column */
            NAME(pack_line)(0, line, rows, scale, spectrum);
            return;
        } else {
            NAME(multiply_line)(0, line, rows, spectrum);
            NAME(transform_back)(line, im, rows, tile->row_roots);
            NAME(store_columns)(tile, out_rows, rows, c);
        }
    }
    im = NAME(imaginary)(line, columns);
    for (int64_t r = 0; job->turns && r < rows; r += LANES) {
        NAME(load_rows)(tile, columns, r);
        if (job->chained)
            NAME(turn_chain)(0, job, tile, r);
        NAME(transform)(line, im, columns, tile->column_roots);
        T *part = spectrum + 2 * r * columns;
        if (packing) {
            NAME(pack_line)(1, line, columns, scale, part);
            continue;
        }
        NAME(multiply_line)(1, line, columns, part);
        NAME(transform_back)(line, im, columns, tile->column_roots);
        if (job->chained)
            NAME(turn_chain)(1, job, tile, r);
        NAME(store_rows)(tile, columns, out_columns, r);
    }
    for (int64_t c = 0; job->turns && !packing && c < out_columns; c += LANES)
        NAME(transform_places_back)(tile->re + c, tile->im + c, rows, tile->pitch,
                                    tile->row_roots, 1);
}

/* A piece is a pair of tiles of one item, whose bits do not depend on other items then. */
static void NAME(sweep_spectral)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_spectral_job *job = of;
    NAME(great_tile) tile = NAME(carve_great_tile)(job, scratch);
    int parts = job->packing || job->y_imaginary;
    int64_t tiles = job->tiles_down * job->tiles_along, pieces = parts ? tiles : (tiles + 1) / 2;
    for (int64_t piece = first; piece < end; piece++) {
        int64_t item = piece / pieces, one = piece % pieces * (parts ? 1 : 2);
        int64_t other = parts ? one : one + 1;
        const T *x = (const T *)job->x + item * job->x_item, *x_other = x;
        T *y = (T *)job->y + item * job->y_item, *y_other = y;
        if (parts) {
            x_other = job->x_imaginary ? (const T *)job->x_imaginary + item * job->x_item : NULL;
            y_other = (T *)job->y_imaginary + item * job->y_item;
        }
        NAME(load_tile)(job, x, one, tile.re, tile.pitch);
        NAME(load_tile)(job, x_other, other, tile.im, tile.pitch);
        if (job->packing) {
            NAME(transform_tile)(1, job, &tile);
            continue;
        }
        NAME(transform_tile)(0, job, &tile);
        T sum = NAME(store_tile)(job, one, tile.re, tile.pitch, y) +
                NAME(store_tile)(job, other, tile.im, tile.pitch, y_other);
        if (!(sum == 0))
            __atomic_store_n(job->overflow, 1, __ATOMIC_RELAXED);
    }
}
