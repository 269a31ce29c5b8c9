/* Sums of copies: the adjoint of copying along index maps. */

/* Elements beside the inside of the first row of copies have no copy in it. */
CX_INLINE void NAME(fold_first)(const cx_fold_job *job, const T *y, T *x)
{
    int64_t from = job->start * job->parts, to = from + job->inside * job->parts;
    for (int64_t i = 0; i < from; i++)
        x[i] = 0;
    for (int64_t i = from; i < to; i++)
        x[i] = y[i - from];
    for (int64_t i = to; i < job->x_row * job->parts; i++)
        x[i] = 0;
}

CX_INLINE void NAME(fold_ends)(int64_t parts, const int64_t *to, int64_t count, const T *y, T *x)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t part = 0; part < parts; part++)
            x[to[i] * parts + part] += y[i * parts + part];
}

CX_INLINE void NAME(fold_row)(const cx_fold_job *job, int is_first, const T *y, T *restrict x)
{
    int64_t parts = job->parts;
    const T *inside = y + job->low * parts, *high = inside + job->inside * parts;
    if (is_first)
        NAME(fold_first)(job, inside, x);
    else
        for (int64_t i = 0; i < job->inside * parts; i++)
            x[job->start * parts + i] += inside[i];
    if (job->ends) {
        NAME(fold_ends)(parts, job->ends, job->low, y, x);
        NAME(fold_ends)(parts, job->ends + job->low, job->high, high, x);
    }
}

static void NAME(sweep_fold)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_fold_job *job = of;
    (void)scratch;
    int64_t x_row = job->x_row * job->parts;
    int64_t y_row = (job->low + job->inside + job->high) * job->parts;
    for (int64_t piece = first; piece < end; piece++) {
        int64_t block = piece / job->x_rows, row = piece % job->x_rows;
        const T *y = (const T *)job->y + block * job->y_rows * y_row;
        T *x = (T *)job->x + piece * x_row;
        int64_t copy = job->starts[row], last = job->starts[row + 1];
        if (copy == last)
            for (int64_t i = 0; i < x_row; i++)
                x[i] = 0;
        for (int is_first = 1; copy < last; copy++, is_first = 0)
            NAME(fold_row)(job, is_first, y + job->rows[copy] * y_row, x);
    }
}
