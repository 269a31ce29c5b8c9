/* Sums of copies: the adjoint of copying along index maps. */

/* x = y or x += y. */
CX_INLINE void NAME(fold_inside)(const int is_first, const T *y, T *x, int64_t length)
{
    int64_t i = 0;
    for (; i + LANES <= length; i += LANES) {
        NAME(vector) sum = *(const NAME(loose) *)(y + i);
        if (!is_first)
            sum += *(const NAME(loose) *)(x + i);
        *(NAME(loose) *)(x + i) = sum;
    }
    for (; i < length; i++)
        x[i] = is_first ? y[i] : x[i] + y[i];
}

CX_INLINE void NAME(fold_nothing)(T *x, int64_t length)
{
    for (int64_t i = 0; i < length; i++)
        x[i] = 0;
}

CX_INLINE void NAME(fold_ends)(const int64_t parts, const int64_t *to, int64_t count, const T *y,
                               T *x)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t part = 0; part < parts; part++)
            x[to[i] * parts + part] += y[i * parts + part];
}

CX_INLINE void NAME(fold_row)(const int is_first, const int64_t parts, const cx_fold_job *job,
                              const T *y, T *x)
{
    int64_t start = job->start * parts, length = job->inside * parts;
    const T *inside = y + job->low * parts;
    if (is_first) { /* what is beside the inside was cropped */
        NAME(fold_nothing)(x, start);
        NAME(fold_nothing)(x + start + length, job->x_row * parts - start - length);
    }
    NAME(fold_inside)(is_first, inside, x + start, length);
    if (job->ends) {
        NAME(fold_ends)(parts, job->ends, job->low, y, x);
        NAME(fold_ends)(parts, job->ends + job->low, job->high, inside + length, x);
    }
}

CX_INLINE void NAME(fold_rows)(const int64_t parts, const cx_fold_job *job, int64_t first,
                               int64_t end)
{
    int64_t x_row = job->x_row * parts, y_row = (job->low + job->inside + job->high) * parts;
    int64_t block = first / job->x_rows, row = first % job->x_rows;
    for (int64_t piece = first; piece < end; piece++) {
        const T *y = (const T *)job->y + block * job->y_rows * y_row;
        T *x = (T *)job->x + piece * x_row;
        int64_t copy = job->starts[row], last = job->starts[row + 1];
        if (copy == last)
            NAME(fold_nothing)(x, x_row);
        else
            NAME(fold_row)(1, parts, job, y + job->rows[copy++] * y_row, x);
        for (; copy < last; copy++)
            NAME(fold_row)(0, parts, job, y + job->rows[copy] * y_row, x);
        if (++row == job->x_rows)
            row = 0, block++;
    }
}

static void NAME(sweep_fold)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_fold_job *job = of;
    (void)scratch;
    if (job->parts == 1)
        NAME(fold_rows)(1, job, first, end);
    else
        NAME(fold_rows)(job->parts, job, first, end);
}
