/* Items of a batch side by side, [element][item], so that rows of small planes are as many times as
   long; and back. A piece is CX_INTERLEAVED elements of a row, of all items. */

/* Where a piece begins in the first item and among the lines of items, and how long it is. */
typedef struct {
    int64_t array, line, length;
} NAME(interleaved);

CX_INLINE NAME(interleaved) NAME(find_interleaved)(const cx_interleave_job *job, int64_t piece)
{
    int64_t pieces = (job->length + CX_INTERLEAVED - 1) / CX_INTERLEAVED;
    int64_t row = piece / pieces, first = piece % pieces * CX_INTERLEAVED;
    return (NAME(interleaved)){job->row[row] + first * job->step,
                               (row * job->length + first) * job->items,
                               cx_min(CX_INTERLEAVED, job->length - first)};
}

/* Elements in whole squares, of rows without gaps. The last square of items overlaps the one before.
   Returns how many elements are done. */
CX_INLINE int64_t NAME(turn_squares)(const cx_interleave_job *job, const int separates,
                                     NAME(interleaved) at)
{
    int64_t items = job->items, apart = job->item, i = 0;
    if (job->step != 1 || job->present < LANES)
        return 0;
    for (; i + LANES <= at.length; i += LANES)
        for (int64_t n = 0; n < job->present; n += LANES) {
            int64_t item = cx_min(n, job->present - LANES);
            int64_t array = at.array + i + item * apart, line = at.line + i * items + item;
            if (separates)
                NAME(turn_square)((T *)job->to + array, apart, (const T *)job->from + line, items);
            else
                NAME(turn_square)((T *)job->to + line, items, (const T *)job->from + array, apart);
        }
    return i;
}

static void NAME(sweep_interleave)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_interleave_job *job = of;
    (void)scratch;
    for (int64_t piece = first; piece < end; piece++) {
        NAME(interleaved) at = NAME(find_interleaved)(job, piece);
        const T *array = (const T *)job->from + at.array;
        T *line = (T *)job->to + at.line;
        for (int64_t i = NAME(turn_squares)(job, 0, at); i < at.length; i++)
            for (int64_t n = 0; n < job->present; n++)
                line[i * job->items + n] = array[n * job->item + i * job->step];
        for (int64_t i = 0; i < at.length; i++)
            for (int64_t n = job->present; n < job->items; n++)
                line[i * job->items + n] = 0;
    }
}

static void NAME(sweep_separate)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_interleave_job *job = of;
    (void)scratch;
    for (int64_t piece = first; piece < end; piece++) {
        NAME(interleaved) at = NAME(find_interleaved)(job, piece);
        const T *line = (const T *)job->from + at.line;
        T *array = (T *)job->to + at.array;
        int64_t done = NAME(turn_squares)(job, 1, at);
        for (int64_t n = 0; n < job->present; n++)
            for (int64_t i = done; i < at.length; i++)
                array[n * job->item + i * job->step] = line[i * job->items + n];
    }
}
