/* Sums of the blocks of 2 by 2 that planes are cut into, and their gradient: what halves pictures in
   most networks. Several rows are flat lines to the loops, for rows may be shorter than a vector. */

/* How many rows of outputs have their lines in scratch memory at a time. */
CX_INLINE int64_t NAME(rows_at_once)(const cx_pool_job *job)
{
    int64_t room = 48 * job->line / (int64_t)sizeof(T);
    return room / job->axis[1].size;
}

/* Multiplied with the inverse of a power of 2, which is exact, quotients are the same. */
CX_INLINE T NAME(exact_inverse)(T divisor)
{
    int exponent;
    return __builtin_frexp((double)divisor, &exponent) == 0.5 ? 1 / divisor : 0;
}

CX_INLINE void NAME(halve_rows)(const int inverts, const T *restrict x, T *restrict line,
                                T *restrict y, int64_t rows, int64_t width, T divisor)
{
    for (int64_t r = 0; r < rows; r++) {
        const T *above = x + 2 * r * width, *below = above + width;
        for (int64_t i = 0; i < width; i++)
            line[r * width + i] = above[i] + below[i];
    }
    for (int64_t o = 0; o < rows * (width / 2); o++) {
        T sum = line[2 * o] + line[2 * o + 1];
        y[o] = inverts ? sum * divisor : sum / divisor;
    }
}

static void NAME(pool_halves)(const cx_pool_job *job, int64_t first, int64_t end, char *scratch)
{
    int64_t width = job->axis[1].size, most = NAME(rows_at_once)(job);
    T divisor = (T)job->halves, inverse = NAME(exact_inverse)(divisor);
    for (int64_t piece = first; piece < end; piece++) {
        int64_t plane = piece / job->pieces, row = piece % job->pieces * job->piece_rows;
        int64_t last = cx_min(job->rows, row + job->piece_rows);
        for (; row < last; row += most) {
            const T *x = (const T *)job->x + plane * job->plane_size + 2 * row * width;
            T *y = (T *)job->y + plane * job->plane_outputs + row * (width / 2);
            int64_t rows = cx_min(most, last - row);
            if (inverse != 0)
                NAME(halve_rows)(1, x, (T *)scratch, y, rows, width, inverse);
            else
                NAME(halve_rows)(0, x, (T *)scratch, y, rows, width, divisor);
        }
    }
}

/* Rows of some vectors are written at once. */
CX_INLINE void NAME(double_wide_rows)(const int inverts, const T *restrict grad, T *y,
                                      int64_t rows, int64_t width, T divisor)
{
    for (int64_t r = 0; r < rows; r++, grad += width / 2) {
        T *restrict above = y + 2 * r * width, *restrict below = above + width;
        for (int64_t o = 0; o < width / 2; o++) {
            T share = inverts ? grad[o] * divisor : grad[o] / divisor;
            above[2 * o] = above[2 * o + 1] = below[2 * o] = below[2 * o + 1] = share;
        }
    }
}

CX_INLINE void NAME(double_rows)(const int inverts, const T *restrict grad, T *restrict line,
                                 T *restrict y, int64_t rows, int64_t width, T divisor)
{
    if (width >= 3 * LANES) {
        NAME(double_wide_rows)(inverts, grad, y, rows, width, divisor);
        return;
    }
    for (int64_t o = 0; o < rows * (width / 2); o++)
        line[2 * o] = line[2 * o + 1] = inverts ? grad[o] * divisor : grad[o] / divisor;
    for (int64_t r = 0; r < rows; r++) {
        T *above = y + 2 * r * width, *below = above + width;
        for (int64_t i = 0; i < width; i++)
            above[i] = below[i] = line[r * width + i];
    }
}

static void NAME(pool_halves_gradient)(const cx_pool_job *job, int64_t first, int64_t end,
                                       char *scratch)
{
    int64_t width = job->axis[1].size, most = NAME(rows_at_once)(job);
    T divisor = (T)job->halves, inverse = NAME(exact_inverse)(divisor);
    for (int64_t plane = first; plane < end; plane++)
        for (int64_t row = 0; row < job->rows; row += most) {
            const T *grad = (const T *)job->x + plane * job->plane_outputs + row * (width / 2);
            T *y = (T *)job->y + plane * job->plane_size + 2 * row * width;
            int64_t rows = cx_min(most, job->rows - row);
            if (inverse != 0)
                NAME(double_rows)(1, grad, (T *)scratch, y, rows, width, inverse);
            else
                NAME(double_rows)(0, grad, (T *)scratch, y, rows, width, divisor);
        }
}
