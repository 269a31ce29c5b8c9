/* Copies along index maps, for elements of any size: padding, cropping, nearest neighbours. */

#include <string.h>

CX_INLINE void NAME(copy_elements)(const int64_t item, const char *x, const int64_t *from,
                                   int64_t count, char *y)
{
    for (int64_t i = 0; i < count; i++)
        memcpy(y + i * item, x + from[i] * item, item);
}

static void NAME(copy_each)(int64_t item, const char *x, const int64_t *from, int64_t count,
                            char *y)
{
    switch (item) { /* copies of a known size are moves */
#define COPY(bytes)                                                                               \
    case bytes:                                                                                   \
        NAME(copy_elements)(bytes, x, from, count, y);                                            \
        break;
        COPY(1) COPY(2) COPY(4) COPY(8) COPY(16)
#undef COPY
    default:
        NAME(copy_elements)(item, x, from, count, y);
    }
}

static void NAME(copy_row)(const cx_copy_job *job, const char *x, char *y)
{
    int64_t item = job->item;
    char *inside = y + job->low * item, *high = inside + job->inside * item;
    if (job->ends)
        NAME(copy_each)(item, x, job->ends, job->low, y);
    else
        memcpy(y, job->fill, job->low * item);
    memcpy(inside, x + job->start * item, job->inside * item);
    if (job->ends)
        NAME(copy_each)(item, x, job->ends + job->low, job->high, high);
    else
        memcpy(high, job->fill, job->high * item);
}

static void NAME(sweep_copy)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_copy_job *job = of;
    (void)scratch;
    int64_t x_bytes = job->x_row * job->item;
    int64_t y_bytes = (job->low + job->inside + job->high) * job->item;
    int64_t block = first / job->y_rows, row = first % job->y_rows;
    for (int64_t piece = first; piece < end; piece++) {
        char *y = job->y + piece * y_bytes;
        int64_t source = job->rows[row];
        if (source < 0)
            memcpy(y, job->fill, y_bytes);
        else if (row && piece > first && source == job->rows[row - 1])
            memcpy(y, y - y_bytes, y_bytes); /* it is in the cache, and in one piece */
        else
            NAME(copy_row)(job, job->x + (block * job->x_rows + source) * x_bytes, y);
        if (++row == job->y_rows)
            row = 0, block++;
    }
}
