/* Sums of the blocks of 2 by 2 that planes are cut into, and their gradient: what halves pictures in
   most networks. Several rows are flat lines to the loops, for rows may be shorter than a vector. */

/* How many rows of outputs have their lines in scratch memory at a time. */
CX_INLINE int64_t NAME(rows_at_once)(const cx_pool_job *job)
{
    int64_t room = 48 * job->line / (int64_t)sizeof(T);
    return room / job->axis[1].size;
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
    NAME(division) by = NAME(division_by)((T)job->halves);
    for (int64_t piece = first; piece < end; piece++) {
        int64_t plane = piece / job->pieces, row = piece % job->pieces * job->piece_rows;
        int64_t last = cx_min(job->rows, row + job->piece_rows);
        for (; row < last; row += most) {
            const T *x = (const T *)job->x + plane * job->plane_size + 2 * row * width;
            T *y = (T *)job->y + plane * job->plane_outputs + row * (width / 2);
            int64_t rows = cx_min(most, last - row);
            if (by.how == CX_SCALES)
                NAME(halve_rows)(1, x, (T *)scratch, y, rows, width, by.inverse);
            else
                NAME(halve_rows)(0, x, (T *)scratch, y, rows, width, by.divisor);
        }
    }
}

CX_INLINE void NAME(double_row)(const int inverts, const T *restrict grad, T *restrict row,
                                int64_t length, T divisor)
{
    for (int64_t o = 0; o < length; o++)
        row[2 * o] = row[2 * o + 1] = inverts ? grad[o] * divisor : grad[o] / divisor;
}

/* Rows of some vectors are made where they belong and copied to the row below: memory is gone over in
   its order. Those that go past the caches wait in a line. */
CX_INLINE void NAME(double_wide_rows)(const int inverts, const T *grad, T *line, T *y, int64_t rows,
                                      int64_t width, T divisor, int far)
{
    for (int64_t r = 0; r < rows; r++, grad += width / 2, y += 2 * width) {
        T *restrict above = far ? line : y, *restrict below = y + width;
        NAME(double_row)(inverts, grad, above, width / 2, divisor);
        if (far)
            NAME(copy_far)(line, 0, y, width, 2);
        else
            for (int64_t i = 0; i < width; i++)
                below[i] = above[i];
    }
}

CX_INLINE void NAME(double_rows)(const int inverts, const T *grad, T *restrict line, T *restrict y,
                                 int64_t rows, int64_t width, T divisor, int far)
{
    if (width >= 3 * LANES) {
        NAME(double_wide_rows)(inverts, grad, line, y, rows, width, divisor, far);
        return;
    }
    NAME(double_row)(inverts, grad, line, rows * (width / 2), divisor);
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
    NAME(division) by = NAME(division_by)((T)job->halves);
    int far = width % LANES == 0 &&
              NAME(is_far)(job->y, job->planes * job->plane_size * (int64_t)sizeof(T));
    for (int64_t plane = first; plane < end; plane++)
        for (int64_t row = 0; row < job->rows; row += most) {
            const T *grad = (const T *)job->x + plane * job->plane_outputs + row * (width / 2);
            T *y = (T *)job->y + plane * job->plane_size + 2 * row * width;
            int64_t rows = cx_min(most, job->rows - row);
            if (by.how == CX_SCALES)
                NAME(double_rows)(1, grad, (T *)scratch, y, rows, width, by.inverse, far);
            else
                NAME(double_rows)(0, grad, (T *)scratch, y, rows, width, by.divisor, far);
        }
    if (far)
        CX_END_FAR();
}
