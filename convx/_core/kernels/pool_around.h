/* Sums of 3 by 3 elements around every element of a plane. Vectors begin with the row, so that few of
   them lie in two lines of the cache, and neighbours come by shuffles; the last vector of a row overlaps
   the one before it. */

/* Whether there is a window around each element along the last axis, and rows have two vectors. */
CX_INLINE int NAME(are_around)(const cx_pool_job *job)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    return job->reducer == CX_POOL_SUM && axis->taps == 3 && axis->stride == 1 && axis->low == 1 &&
           axis->outputs == axis->size && axis->size >= 2 * LANES;
}

/* Columns with those before and behind them. */
CX_INLINE NAME(vector) NAME(sum_around)(const NAME(vector) *column)
{
    NAME(vector) sum = NAME(behind)(column[0], column[1], 1) + column[1];
    return sum + NAME(ahead)(column[1], column[2]);
}

/* Sums of columns of two rows of windows, which share two rows. */
CX_INLINE void NAME(columns_of_two)(const T *x, int64_t size, NAME(vector) *above,
                                    NAME(vector) *below)
{
    NAME(vector) row[4];
    CX_UNROLL for (int r = 0; r < 4; r++)
        row[r] = *(const NAME(loose) *)(x + r * size);
    *above = row[0] + row[1] + row[2];
    *below = row[1] + row[2] + row[3];
}

CX_INLINE void NAME(store_two)(const int how, const NAME(vector) *above, const NAME(vector) *below,
                               NAME(division) by, T *y, int64_t size)
{
    *(NAME(loose) *)y = NAME(quotient)(how, NAME(sum_around)(above), by);
    *(NAME(loose) *)(y + size) = NAME(quotient)(how, NAME(sum_around)(below), by);
}

/* Pairs of rows of outputs, all of whose windows lie in the plane. */
CX_INLINE void NAME(pool_around_how)(const int how, const T *x, int64_t size, T *y, int64_t pairs,
                                     NAME(division) by)
{
    int64_t last = size - LANES;
    for (int64_t n = 0; n < pairs; n++, x += 2 * size, y += 2 * size) {
        NAME(vector) above[3] = {NAME(zero)()}, below[3] = {NAME(zero)()};
        NAME(columns_of_two)(x, size, above + 1, below + 1);
        int64_t o = 0;
        for (; o + LANES <= last; o += LANES) {
            NAME(columns_of_two)(x + o + LANES, size, above + 2, below + 2);
            NAME(store_two)(how, above, below, by, y + o, size);
            above[0] = above[1], above[1] = above[2];
            below[0] = below[1], below[1] = below[2];
        }
        if (o < last) { /* only the next column is wanted, and there is no vector that begins with it */
            NAME(columns_of_two)(x + o + 1, size, above + 2, below + 2);
            above[2] = NAME(behind)(above[2], above[2], 1);
            below[2] = NAME(behind)(below[2], below[2], 1);
            NAME(store_two)(how, above, below, by, y + o, size);
            NAME(columns_of_two)(x + last - LANES, size, above, below);
            NAME(columns_of_two)(x + last, size, above + 1, below + 1);
        }
        above[2] = below[2] = NAME(zero)();
        NAME(store_two)(how, above, below, by, y + last, size);
    }
}

static CX_NOINLINE void NAME(pool_around)(const T *x, int64_t size, T *y, int64_t pairs,
                                          NAME(division) by)
{
    if (by.how == CX_SCALES)
        NAME(pool_around_how)(CX_SCALES, x, size, y, pairs, by);
    else if (by.how == CX_CORRECTS)
        NAME(pool_around_how)(CX_CORRECTS, x, size, y, pairs, by);
    else
        NAME(pool_around_how)(CX_DIVIDES, x, size, y, pairs, by);
}
