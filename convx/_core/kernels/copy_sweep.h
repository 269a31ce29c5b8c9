/* Copies along index maps, for elements of any size: padding, cropping, nearest neighbours. */

#include <string.h>

/* Half of a vector of AVX-512: where few of the stores are aligned, whole ones are no faster. */
typedef char NAME(chunk) __attribute__((vector_size(32), aligned(1), may_alias));
enum { CX_CHUNK = 32 };
enum { CX_LONG_COPY = 16384 }; /* bytes from which on the library's copy is better */

/* A copy of a row: the last chunk may overlap the one before. */
CX_INLINE void NAME(copy_bytes)(const char *x, char *y, int64_t bytes)
{
    if (bytes < CX_CHUNK || bytes >= CX_LONG_COPY) {
        memcpy(y, x, bytes);
        return;
    }
    int64_t i = 0;
    for (; i + CX_CHUNK <= bytes; i += CX_CHUNK)
        *(NAME(chunk) *)(y + i) = *(const NAME(chunk) *)(x + i);
    if (i < bytes)
        *(NAME(chunk) *)(y + bytes - CX_CHUNK) = *(const NAME(chunk) *)(x + bytes - CX_CHUNK);
}

CX_INLINE void NAME(copy_elements)(const int64_t item, const char *x, const int64_t *from,
                                   int64_t count, char *y)
{
    for (int64_t i = 0; i < count; i++)
        memcpy(y + i * item, x + from[i] * item, item);
}

/* The inside first: where the ends are taken from has then been read in order. */
CX_INLINE void NAME(copy_row)(const int64_t item, const cx_copy_job *job, const char *x, char *y)
{
    int64_t low = job->low, high = job->high, inside = job->inside * item;
    char *after = y + low * item + inside;
    NAME(copy_bytes)(x + job->start * item, y + low * item, inside);
    if (job->ends) {
        NAME(copy_elements)(item, x, job->ends, low, y);
        NAME(copy_elements)(item, x, job->ends + low, high, after);
    } else {
        memcpy(y, job->fill, low * item);
        memcpy(after, job->fill, high * item);
    }
}

CX_INLINE void NAME(copy_rows)(const int64_t item, const cx_copy_job *job, int64_t first,
                               int64_t end)
{
    int64_t x_bytes = job->x_row * item, y_bytes = (job->low + job->inside + job->high) * item;
    int64_t block = first / job->y_rows, row = first % job->y_rows;
    for (int64_t piece = first; piece < end; piece++) {
        char *y = job->y + piece * y_bytes;
        int64_t source = job->rows[row];
        if (source < 0)
            memcpy(y, job->fill, y_bytes);
        else if (row && piece > first && source == job->rows[row - 1])
            NAME(copy_bytes)(y - y_bytes, y, y_bytes); /* in the cache, and in one piece */
        else
            NAME(copy_row)(item, job, job->x + (block * job->x_rows + source) * x_bytes, y);
        if (++row == job->y_rows)
            row = 0, block++;
    }
}

static void NAME(sweep_copy)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_copy_job *job = of;
    (void)scratch;
    switch (job->item) { /* copies of a known size are moves */
#define COPY(bytes)                                                                               \
    case bytes:                                                                                   \
        NAME(copy_rows)(bytes, job, first, end);                                                  \
        break;
        COPY(1) COPY(2) COPY(4) COPY(8) COPY(16)
#undef COPY
    default:
        NAME(copy_rows)(job->item, job, first, end);
    }
}
