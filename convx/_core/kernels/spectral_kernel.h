/* The spectrum of a kernel, which great tiles are multiplied with: see spectral_sweep.h.

   Its tile would be zeros for the most part, and is never made. Rows with taps are transformed to
   lines that follow one another. Then columns, LANES at a time, are transformed where their spectrum
   is to be: the first step is made from the lines, part by part, for each of which the other steps
   follow while it is in L1. The rows of a chain are not transformed before its columns are, but after
   them, as those of tiles.

   Stages follow one another; what a stage consists of is shared out among threads. */

/* Elements of a line: of columns that are not transformed there is one, in the first lane. */
CX_INLINE int64_t NAME(line_width)(const cx_spectral_job *tiles)
{
    return tiles->along ? tiles->columns : LANES;
}

/* By what transforms there and back have to be multiplied. */
CX_INLINE T NAME(kernel_scale)(const cx_spectral_job *tiles)
{
    return (T)1 / (T)(tiles->rows * (tiles->along ? tiles->columns : 1));
}

/* The real or the imaginary part of a line. An odd number of vectors apart, as rows of tiles. */
CX_INLINE T *NAME(kernel_line)(const cx_kernel_job *job, int64_t row, int64_t part)
{
    return (T *)job->lines + (2 * row + part) * (NAME(line_width)(&job->tiles) + LANES);
}

/* A row of taps, followed by zeros; zeros if there are none. */
static void NAME(load_taps)(const T *taps, int64_t count, T *to, int64_t width)
{
    if (taps)
        __builtin_memcpy(to, taps, count * sizeof(T));
    else
        count = 0;
    __builtin_memset(to + count, 0, (width - count) * sizeof(T));
}

static void NAME(kernel_rows)(const cx_kernel_job *job, int64_t first, int64_t end)
{
    const cx_spectral_job *tiles = &job->tiles;
    NAME(way) way = NAME(way_of_rows)(tiles, CX_LINE_FORWARD);
    int64_t width = NAME(line_width)(tiles);
    for (int64_t row = first; row < end; row++) {
        T *line[2] = {NAME(kernel_line)(job, row, 0), NAME(kernel_line)(job, row, 1)};
        int64_t start = row * job->row_taps, count = cx_min(job->row_taps, job->taps - start);
        for (int part = 0; part < 2; part++) {
            const T *taps = part ? job->imaginary : job->real;
            NAME(load_taps)(taps ? taps + start : NULL, count, line[part], width);
        }
        if (tiles->along && !tiles->chained)
            NAME(go_along_row)(&way, tiles, line[0], line[1]);
    }
}

/* The first step of a transform of LANES columns: one of the parts that it leaves, of which each line
   is added at one place. Places ascend, and so do multiples of the part that are below them. */
static void NAME(spread_lines)(const cx_kernel_job *job, int64_t c, int64_t which, int64_t part,
                               T *column)
{
    const T *roots = job->tiles.row_roots;
    int64_t rows = job->tiles.rows, below = 0, turns_below = 0;
    __builtin_memset(column, 0, 2 * part * LANES * sizeof(T));
    for (int64_t row = 0; row < job->rows; row++) {
        for (; job->place[row] - below >= part; below += part)
            turns_below = (turns_below + which * part) % rows;
        int64_t place = job->place[row] - below, turns = turns_below + which * place;
        NAME(vector) re = *(const NAME(vector) *)(NAME(kernel_line)(job, row, 0) + c);
        NAME(vector) im = *(const NAME(vector) *)(NAME(kernel_line)(job, row, 1) + c);
        NAME(turn)(&re, &im, roots + 2 * (turns < rows ? turns : turns - rows));
        *(NAME(vector) *)(column + 2 * place * LANES) += re;
        *(NAME(vector) *)(column + (2 * place + 1) * LANES) += im;
    }
}

/* LANES columns of the kernel's tile, transformed; real and imaginary parts take turns. */
static void NAME(kernel_column)(const cx_kernel_job *job, int64_t c, T *column)
{
    const cx_spectral_job *tiles = &job->tiles;
    NAME(way) way = {.how = CX_COLUMNS_KERNEL, .pitch = 2 * LANES, .roots = tiles->row_roots,
                     .scale = NAME(kernel_scale)(tiles)};
    int64_t rows = tiles->rows, radix = cx_radix(rows) < rows ? cx_radix(rows) : 1;
    int64_t part = rows / radix;
    T *im = column + LANES;
    for (int64_t which = 0; which < radix; which++) {
        int64_t first = which * part;
        NAME(spread_lines)(job, c, which, part, column + first * way.pitch);
        if (tiles->chained)
            NAME(transform_places)(column + first * way.pitch, im + first * way.pitch, part,
                                   way.pitch, tiles->row_roots, radix);
        else
            NAME(go_through)(&way, column, im, first, part, radix);
    }
}

static void NAME(kernel_columns)(const cx_kernel_job *job, int64_t first, int64_t end, T *scratch)
{
    const cx_spectral_job *tiles = &job->tiles;
    int64_t together = 2 * LANES, size = together * tiles->rows;
    int in_place = tiles->along && !tiles->chained;
    for (int64_t group = first; group < end; group++) {
        T *to = (T *)tiles->spectrum + group * (tiles->chained ? together : size);
        NAME(kernel_column)(job, group * LANES, in_place ? to : scratch);
        for (int64_t row = 0; tiles->chained && row < tiles->rows; row++)
            __builtin_memcpy(to + 2 * row * tiles->columns, scratch + row * together,
                             together * sizeof(T));
        for (int64_t i = 0; !tiles->along && i < 2 * tiles->rows; i++)
            to[i] = scratch[i * LANES];
    }
}

/* Rows of a chain, where their spectrum is to be. */
static void NAME(kernel_chain)(const cx_kernel_job *job, int64_t first, int64_t end)
{
    const cx_spectral_job *tiles = &job->tiles;
    NAME(way) way = NAME(way_of_rows)(tiles, CX_LINE_KERNEL);
    way.pitch = 2 * LANES;
    way.scale = NAME(kernel_scale)(tiles);
    for (int64_t row = first; row < end; row++) {
        T *re = (T *)tiles->spectrum + 2 * row * tiles->columns, *im = re + LANES;
        if (tiles->rows > 1)
            NAME(turn_chain)(0, tiles, re, im, way.pitch, row);
        NAME(go_along_row)(&way, tiles, re, im);
    }
}

/* A piece is a row of taps, LANES columns, or a row of the tile. */
static void NAME(sweep_kernel)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_kernel_job *job = of;
    if (job->stage == CX_KERNEL_ROWS)
        NAME(kernel_rows)(job, first, end);
    else if (job->stage == CX_KERNEL_COLUMNS)
        NAME(kernel_columns)(job, first, end, (T *)scratch);
    else
        NAME(kernel_chain)(job, first, end);
}
