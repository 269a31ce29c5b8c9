/* Sums of 3 by 3 elements around every element of a plane. Vectors begin with the row, so that few of
   them lie in two lines of the cache, and neighbours come by shuffles; the last vector of a row overlaps
   the one before it. */

/* Whether there is a window around each element along the last axis, and rows have two vectors. */
static int NAME(are_around)(const cx_pool_job *job)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1, *outer = axis - 1;
    return job->reducer == CX_POOL_SUM && axis->taps == 3 && axis->stride == 1 && axis->low == 1 &&
           axis->outputs == axis->size && axis->size >= 2 * LANES && job->window_rows == 3 &&
           outer->longest == 3 && outer->step == 1;
}

/* What a row of windows and the next one are, if that is before `end`. */
static int NAME(pair_of)(const cx_pool_job *job, int64_t plane, int64_t row, int64_t end)
{
    const cx_pool_axis *outer = job->axis + job->axes - 2;
    int64_t place = row % outer->outputs;
    if (row + 1 >= end || place + 1 >= outer->outputs)
        return CX_NO_PAIR;
    const int64_t *start = NAME(plane_table)(outer, outer->start, plane) + place;
    const int64_t *count = NAME(plane_table)(outer, outer->count, plane) + place;
    int64_t on = start[1] - start[0];
    if (count[0] == 3 && on == 1)
        return count[1] == 3 ? CX_INNER_PAIR : count[1] == 2 ? CX_LAST_PAIR : CX_NO_PAIR;
    return count[0] == 2 && count[1] == 3 && on == 0 ? CX_FIRST_PAIR : CX_NO_PAIR;
}

/* Columns with those before and behind them. */
CX_INLINE NAME(vector) NAME(sum_around)(const NAME(vector) *column)
{
    NAME(vector) sum = NAME(behind)(column[0], column[1], 1) + column[1];
    return sum + NAME(ahead)(column[1], column[2]);
}

/* Sums of columns of two rows of windows, each from above to below. */
CX_INLINE void NAME(columns_of_two)(const int pair, const T *x, int64_t size, NAME(vector) *above,
                                    NAME(vector) *below)
{
    NAME(vector) row[4];
    CX_UNROLL for (int r = 0; r < 4; r++)
        row[r] = *(const NAME(loose) *)(x + (r < 3 || pair == CX_INNER_PAIR ? r : 2) * size);
    CX_HOLD(row[1]);
    CX_HOLD(row[2]);
    *above = row[0] + row[1];
    if (pair == CX_FIRST_PAIR) {
        *below = *above + row[2];
        return;
    }
    *above += row[2];
    *below = row[1] + row[2];
    if (pair == CX_INNER_PAIR)
        *below += row[3];
}

CX_INLINE void NAME(store_two)(const int how, const NAME(vector) *above, const NAME(vector) *below,
                               NAME(division) by, T *y, int64_t size)
{
    *(NAME(loose) *)y = NAME(quotient)(how, NAME(sum_around)(above), by);
    *(NAME(loose) *)(y + size) = NAME(quotient)(how, NAME(sum_around)(below), by);
}

CX_INLINE void NAME(pool_around_how)(const int how, const int pair, const T *x, int64_t size, T *y,
                                     int64_t pairs, NAME(division) by)
{
    int64_t last = size - LANES;
    for (int64_t n = 0; n < pairs; n++, x += 2 * size, y += 2 * size) {
        NAME(vector) above[3] = {NAME(zero)()}, below[3] = {NAME(zero)()};
        NAME(columns_of_two)(pair, x, size, above + 1, below + 1);
        int64_t o = 0;
        for (; o + LANES <= last; o += LANES) {
            NAME(columns_of_two)(pair, x + o + LANES, size, above + 2, below + 2);
            NAME(store_two)(how, above, below, by, y + o, size);
            above[0] = above[1], above[1] = above[2];
            below[0] = below[1], below[1] = below[2];
        }
        if (o < last) { /* only the next column is wanted, and there is no vector that begins with it */
            NAME(columns_of_two)(pair, x + o + 1, size, above + 2, below + 2);
            above[2] = NAME(behind)(above[2], above[2], 1);
            below[2] = NAME(behind)(below[2], below[2], 1);
            NAME(store_two)(how, above, below, by, y + o, size);
            NAME(columns_of_two)(pair, x + last - LANES, size, above, below);
            NAME(columns_of_two)(pair, x + last, size, above + 1, below + 1);
        }
        above[2] = below[2] = NAME(zero)();
        NAME(store_two)(how, above, below, by, y + last, size);
    }
}

#define DEFINE_AROUND(NAMED, HOW)                                                                 \
    static CX_NOINLINE void NAME(NAMED)(int pair, const T *x, int64_t size, T *y, int64_t pairs,  \
                                        NAME(division) by)                                        \
    {                                                                                             \
        if (pair == CX_FIRST_PAIR)                                                                \
            NAME(pool_around_how)(HOW, CX_FIRST_PAIR, x, size, y, pairs, by);                     \
        else if (pair == CX_LAST_PAIR)                                                            \
            NAME(pool_around_how)(HOW, CX_LAST_PAIR, x, size, y, pairs, by);                      \
        else                                                                                      \
            NAME(pool_around_how)(HOW, CX_INNER_PAIR, x, size, y, pairs, by);                     \
    }
DEFINE_AROUND(scaled_around, CX_SCALES)
DEFINE_AROUND(split_around, CX_SPLITS)
DEFINE_AROUND(divided_around, CX_DIVIDES)
#undef DEFINE_AROUND

/* Pairs of rows of outputs, of which `x` is the first row of the first window. */
static void NAME(pool_around)(int pair, const T *x, int64_t size, T *y, int64_t pairs,
                              NAME(division) by)
{
    if (by.how == CX_SCALES)
        NAME(scaled_around)(pair, x, size, y, pairs, by);
    else if (by.how == CX_SPLITS)
        NAME(split_around)(pair, x, size, y, pairs, by);
    else
        NAME(divided_around)(pair, x, size, y, pairs, by);
}
