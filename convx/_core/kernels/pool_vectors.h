/* Pooling by windows of few taps without lines: of a row of windows, the vectors along the last axis
   are reduced along the others in registers, and neighbours in them by shuffles. Sums and maxima are
   taken in the same order as by lines. */

/* Windows that there are loops for: taps and stride along the last axis. Maxima of all windows of three
   taps would take as long as by lines. */
#define EACH_MAX(DO) DO(2, 2) DO(3, 2) DO(3, 3)
#define EACH_SUM(DO) EACH_MAX(DO) DO(3, 1)

/* The first column that is read as a vector; where windows overlap, taps before it are those of the
   vector before. */
CX_INLINE int64_t NAME(first_column)(const cx_pool_axis *axis)
{
    return axis->taps - axis->stride - axis->low;
}

/* How many outputs of a row need no columns behind its end. */
CX_INLINE int64_t NAME(whole_outputs)(const cx_pool_axis *axis)
{
    return cx_min(axis->outputs, (axis->size - NAME(first_column)(axis)) / axis->stride);
}

/* Whether outputs, which have one divisor, can be computed so, and rows are worth it. Blocks of 2 by 2
   may be those of volumes, which have four rows. */
static int NAME(has_vectors)(const cx_pool_job *job, double divisor)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    int64_t taps = axis->taps, stride = axis->stride, least = stride == 1 ? 2 * LANES : LANES;
    int64_t most_rows = taps == 2 && stride == 2 ? 4 : 3;
    if (job->axes < 2 || job->window_rows > most_rows || axis->step != 1 || divisor <= 0)
        return 0;
    if (!(taps == 2 && stride == 2) && !(taps == 3 && (stride == 2 || stride == 3)) &&
        !(taps == 3 && stride == 1 && job->reducer == CX_POOL_SUM))
        return 0;
    return NAME(first_column)(axis) >= 0 && NAME(whole_outputs)(axis) >= least;
}

/* `b` where it is greater or NaN. */
CX_INLINE NAME(vector) NAME(pair_vectors)(const int reducer, NAME(vector) a, NAME(vector) b)
{
    if (reducer == CX_POOL_SUM)
        return a + b;
    return NAME(select)((NAME(mask))(b != b), b, NAME(greater)(b, a));
}

/* The rows of windows, as many as `count` tells, and `step` elements on those of the windows below. */
typedef struct {
    const T *a, *b, *c, *d;
    int64_t step, size;
} NAME(pooled_rows);

CX_INLINE NAME(vector) NAME(reduced_column)(const int reducer, const int count,
                                            const NAME(pooled_rows) *rows, int64_t at)
{
    NAME(vector) v = *(const NAME(loose) *)(rows->a + at);
    if (count > 1)
        v = NAME(pair_vectors)(reducer, v, *(const NAME(loose) *)(rows->b + at));
    if (count > 2) {
        NAME(vector) third = *(const NAME(loose) *)(rows->c + at);
        if (count > 3)
            third = NAME(pair_vectors)(reducer, third, *(const NAME(loose) *)(rows->d + at));
        v = NAME(pair_vectors)(reducer, v, third);
    }
    return v;
}

/* One column, also of the padding. */
CX_INLINE T NAME(reduced_element)(const int reducer, const int count,
                                  const NAME(pooled_rows) *rows, int64_t at)
{
    if (at < 0 || at >= rows->size)
        return reducer == CX_POOL_MAX ? LEAST : 0;
    T v = rows->a[at];
    if (count > 1)
        v = NAME(pool_pair)(reducer, v, rows->b[at]);
    if (count > 2) {
        T third = rows->c[at];
        if (count > 3)
            third = NAME(pool_pair)(reducer, third, rows->d[at]);
        v = NAME(pool_pair)(reducer, v, third);
    }
    return v;
}

/* LANES outputs of the columns from `at` on, or as many as the first of so many `vectors` have the
   columns of. Where windows overlap, `before` has the columns before in its last lanes, and gets those
   for the columns that follow. */
CX_INLINE NAME(vector) NAME(pooled_columns)(const int reducer, const int count, const int taps,
                                            const int stride, const int vectors,
                                            const NAME(pooled_rows) *rows, int64_t at,
                                            NAME(vector) *before)
{
    NAME(vector) v[3], tap[3];
    CX_UNROLL for (int i = 0; i < stride; i++)
        v[i] = i < vectors ? NAME(reduced_column)(reducer, count, rows, at + i * LANES) : v[0];
    if (stride == 3)
        NAME(deal_thirds)(v, tap);
    else if (stride == 2) {
        tap[taps - 2] = NAME(even_lanes)(v[0], v[1]);
        tap[taps - 1] = NAME(odd_lanes)(v[0], v[1]);
    } else
        tap[taps - 1] = v[0];
    if (taps > stride)
        tap[0] = NAME(behind)(*before, tap[taps - 1], taps - stride);
    if (stride == 1)
        tap[1] = NAME(behind)(*before, tap[2], 1);
    *before = tap[taps - 1];
    NAME(vector) pooled = NAME(pair_vectors)(reducer, tap[0], tap[1]);
    return taps == 2 ? pooled : NAME(pair_vectors)(reducer, pooled, tap[2]);
}

/* The taps before a column, as `pooled_columns` takes them. */
CX_INLINE NAME(vector) NAME(columns_before)(const int reducer, const int count, const int taps,
                                            const int stride, const NAME(pooled_rows) *rows,
                                            int64_t at)
{
    NAME(vector) before = NAME(zero)();
    if (taps > stride)
        before[LANES - 1] = NAME(reduced_element)(reducer, count, rows, at - 1);
    if (taps > stride + 1)
        before[LANES - 2] = NAME(reduced_element)(reducer, count, rows, at - 2);
    return before;
}

CX_INLINE T NAME(pooled_element)(const int reducer, const int count, const int taps,
                                 const NAME(pooled_rows) *rows, int64_t at)
{
    T pooled = NAME(reduced_element)(reducer, count, rows, at);
    for (int t = 1; t < taps; t++)
        pooled = NAME(pool_pair)(reducer, pooled, NAME(reduced_element)(reducer, count, rows, at + t));
    return pooled;
}

/* Memory is to be gone over in its order, for processors foresee a stream and not several that take
   turns. Of windows that overlap, and of volumes, all rows but the last are asked for before any is
   read. */
CX_INLINE void NAME(ask_in_order)(const int count, const int overlaps,
                                  const NAME(pooled_rows) *rows)
{
    if (count > 1 && !overlaps) /* else it was the last of the row before */
        NAME(ask_for_block)(rows->a, rows->size);
    if (count > 2)
        NAME(ask_for_block)(rows->b, rows->size);
    if (count > 3)
        NAME(ask_for_block)(rows->c, rows->size);
}

/* Rows of other windows lie one behind the other, and what follows them is asked for while they are
   read, as much as is. */
CX_INLINE void NAME(ask_for_vectors)(const int vectors, const T *next)
{
    CX_UNROLL for (int i = 0; i < vectors; i += 64 / VECTOR_BYTES)
        __builtin_prefetch(next + i * LANES);
}

/* Some rows of outputs, sums of which are divided. The last vector of a row of a plane runs over into the
   next one, which is written later; that of the last row, or of a volume, overlaps the one before it. */
CX_INLINE void NAME(pool_vectors_of)(const int reducer, const int how, const int count,
                                     const int taps, const int stride, NAME(pooled_rows) rows,
                                     const cx_pool_axis *axis, T *y, int64_t number,
                                     NAME(division) by)
{
    const int is_plane = count < 4, streams = is_plane && count > 1 && taps <= stride;
    int64_t first = NAME(first_column)(axis), whole = NAME(whole_outputs)(axis);
    for (int64_t n = 0; n < number; n++, y += axis->outputs) {
        NAME(vector) before = NAME(columns_before)(reducer, count, taps, stride, &rows, first);
        const T *next = rows.a + CX_POOL_AHEAD / (int64_t)sizeof(T);
        if (!streams)
            NAME(ask_in_order)(count, taps > stride, &rows);
        for (int64_t o = 0; o < whole; o += LANES) {
            int64_t from = is_plane && n + 1 < number ? o : cx_min(o, whole - LANES);
            int64_t at = first + from * stride;
            int is_short = is_plane && stride > 1 && (whole - from) * stride <= LANES;
            NAME(vector) v;
            if (from < o)
                before = NAME(columns_before)(reducer, count, taps, stride, &rows, at);
            if (is_short) {
                if (streams)
                    NAME(ask_for_vectors)(count, next);
                v = NAME(pooled_columns)(reducer, count, taps, stride, 1, &rows, at, &before);
            } else {
                if (streams)
                    NAME(ask_for_vectors)(count * stride, next);
                v = NAME(pooled_columns)(reducer, count, taps, stride, stride, &rows, at, &before);
            }
            next += count * stride * LANES;
            if (reducer == CX_POOL_SUM)
                v = NAME(quotient)(how, v, by);
            *(NAME(loose) *)(y + from) = v;
        }
        for (int64_t o = whole; o < axis->outputs; o++) {
            T v = NAME(pooled_element)(reducer, count, taps, &rows, o * stride - axis->low);
            y[o] = reducer == CX_POOL_MAX ? v : NAME(quotient_of_one)(v, by);
        }
        rows.a += rows.step;
        rows.b += rows.step;
        rows.c += rows.step;
        rows.d += rows.step;
    }
}

#define DEFINE_COUNTED(NAMED, REDUCER, HOW, TAPS, STRIDE)                                         \
    static CX_NOINLINE void NAME(NAMED##_##TAPS##_##STRIDE)(                                      \
        int64_t count, const NAME(pooled_rows) *rows, const cx_pool_axis *axis, T *y,             \
        int64_t number, NAME(division) by)                                                        \
    {                                                                                             \
        if (count == 1)                                                                           \
            NAME(pool_vectors_of)(REDUCER, HOW, 1, TAPS, STRIDE, *rows, axis, y, number, by);     \
        else if (count == 2)                                                                      \
            NAME(pool_vectors_of)(REDUCER, HOW, 2, TAPS, STRIDE, *rows, axis, y, number, by);     \
        else if (count == 4 && TAPS == 2) /* of three axes */                                      \
            NAME(pool_vectors_of)(REDUCER, HOW, TAPS == 2 ? 4 : 3, TAPS, STRIDE, *rows, axis, y,   \
                                  number, by);                                                    \
        else                                                                                      \
            NAME(pool_vectors_of)(REDUCER, HOW, 3, TAPS, STRIDE, *rows, axis, y, number, by);     \
    }
#define DEFINE_MAX(TAPS, STRIDE) DEFINE_COUNTED(max_vectors, CX_POOL_MAX, CX_SCALES, TAPS, STRIDE)
#define DEFINE_SUM(TAPS, STRIDE)                                                                  \
    DEFINE_COUNTED(scaled_vectors, CX_POOL_SUM, CX_SCALES, TAPS, STRIDE)                          \
    DEFINE_COUNTED(corrected_vectors, CX_POOL_SUM, CX_CORRECTS, TAPS, STRIDE)                     \
    DEFINE_COUNTED(divided_vectors, CX_POOL_SUM, CX_DIVIDES, TAPS, STRIDE)
EACH_MAX(DEFINE_MAX)
EACH_SUM(DEFINE_SUM)
#undef DEFINE_MAX
#undef DEFINE_SUM
#undef DEFINE_COUNTED

/* Rows of outputs whose windows have as many rows. */
static void NAME(pool_vectors)(const cx_pool_job *job, int64_t count,
                               const NAME(pooled_rows) *rows, T *y, int64_t number,
                               NAME(division) by)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
#define IF_SO(TAPS, STRIDE, POOL)                                                                 \
    if (axis->taps == TAPS && axis->stride == STRIDE)                                             \
        NAME(POOL##_##TAPS##_##STRIDE)(count, rows, axis, y, number, by);
#define MAX_OF(TAPS, STRIDE) IF_SO(TAPS, STRIDE, max_vectors)
#define SCALED(TAPS, STRIDE) IF_SO(TAPS, STRIDE, scaled_vectors)
#define CORRECTED(TAPS, STRIDE) IF_SO(TAPS, STRIDE, corrected_vectors)
#define DIVIDED(TAPS, STRIDE) IF_SO(TAPS, STRIDE, divided_vectors)
    if (job->reducer == CX_POOL_MAX) {
        EACH_MAX(MAX_OF)
    } else if (by.how == CX_SCALES) {
        EACH_SUM(SCALED)
    } else if (by.how == CX_CORRECTS) {
        EACH_SUM(CORRECTED)
    } else {
        EACH_SUM(DIVIDED)
    }
#undef IF_SO
#undef MAX_OF
#undef SCALED
#undef CORRECTED
#undef DIVIDED
}

#undef EACH_MAX
#undef EACH_SUM

/* Rows of outputs of one plane; where there is a window around every element, pairs of them have a division
   of their own. */
static void NAME(pool_rows_by_vectors)(const cx_pool_job *job, int64_t plane, int64_t row,
                                       int64_t last, int around, NAME(division) by,
                                       NAME(division) by_around, int64_t *offset)
{
    const T *x = (const T *)job->x + plane * job->plane_size;
    T *y = (T *)job->y + plane * job->plane_outputs;
    int64_t outputs = job->axis[job->axes - 1].outputs;
    NAME(pooled_rows) rows = {.size = job->axis[job->axes - 1].size};
    for (int64_t like; row < last; row += like) {
        double unused;
        int64_t count = NAME(window_rows)(job, plane, row, offset, &unused);
        like = NAME(like_rows)(job, plane, row, last, &rows.step);
        if (!count) {
            for (int64_t i = 0; i < like * outputs; i++)
                y[row * outputs + i] = job->reducer == CX_POOL_MAX ? LEAST : 0;
            continue;
        }
        int pair = around ? NAME(pair_of)(job, plane, row, last) : CX_NO_PAIR;
        if (pair != CX_NO_PAIR) {
            like = pair == CX_INNER_PAIR ? like - like % 2 : 2;
            NAME(pool_around)(pair, x + offset[0], rows.size, y + row * outputs, like / 2, by_around);
            continue;
        }
        rows.a = x + offset[0];
        rows.b = x + offset[count > 1 ? 1 : 0];
        rows.c = x + offset[count > 2 ? 2 : 0];
        rows.d = x + offset[count > 3 ? 3 : 0];
        NAME(pool_vectors)(job, count, &rows, y + row * outputs, like, by);
    }
}

static void NAME(pool_by_vectors)(const cx_pool_job *job, int64_t first, int64_t end, T divisor,
                                  char *scratch)
{
    int around = NAME(are_around)(job);
    NAME(division) by = NAME(division_by)(divisor), anew = by, split = by;
    if (around && by.how == CX_CORRECTS) {
        split = NAME(split_division)(divisor);
        anew.how = CX_DIVIDES;
    }
    for (int64_t piece = first; piece < end; piece++) {
        int64_t plane = piece / job->pieces, row = piece % job->pieces * job->piece_rows;
        int64_t last = cx_min(job->rows, row + job->piece_rows), *offset = (int64_t *)scratch;
        for (NAME(division) by_around = split;; by_around = anew) {
            if (by_around.how == CX_SPLITS)
                cx_clear_underflow();
            NAME(pool_rows_by_vectors)(job, plane, row, last, around, by, by_around, offset);
            if (by_around.how != CX_SPLITS || !cx_has_underflowed())
                break;
        }
    }
}
