/* Filters across rows: every row of outputs from rows of inputs, wherever these lie. `from` has the
   rows of the taps of the first output, then one more for each further output. */

/* Weighted sums of DOWN_ROWS rows of outputs, which share their inputs, for columns of `vectors`
   vectors; each sum goes through the taps in their order. */
#if IS_FLOAT
#define DOWN_ROWS 4
CX_INLINE void NAME(down_block)(const int vectors, T *const *to, const T *const *from,
                                const T *weights, int64_t taps, int64_t i)
{
    NAME(vector) sum[DOWN_ROWS][4];
#define EACH_SUM(first, end)                                                                      \
    CX_UNROLL for (int r = first; r < (end); r++)                                                 \
        CX_UNROLL for (int v = 0; v < vectors; v++)
#define ADD(row, first, end)                                                                      \
    {                                                                                             \
        NAME(vector) x[4];                                                                        \
        CX_UNROLL for (int v = 0; v < vectors; v++)                                               \
            x[v] = *(const NAME(loose) *)(from[row] + i + v * LANES);                             \
        EACH_SUM(first, end) sum[r][v] += weights[(row) - r] * x[v];                              \
    }
    EACH_SUM(0, DOWN_ROWS) sum[r][v] = (NAME(vector)){0};
    CX_UNROLL for (int s = 0; s < DOWN_ROWS - 1; s++)
        ADD(s, 0, s + 1)
    for (int64_t s = DOWN_ROWS - 1; s < taps; s++)
        ADD(s, 0, DOWN_ROWS)
    CX_UNROLL for (int s = 0; s < DOWN_ROWS - 1; s++)
        ADD(taps + s, s + 1, DOWN_ROWS)
    EACH_SUM(0, DOWN_ROWS) *(NAME(loose) *)(to[r] + i + v * LANES) = sum[r][v];
#undef ADD
#undef EACH_SUM
}

static CX_NOINLINE void NAME(down_rows)(T *const *to, const T *const *from, const T *weights,
                                        int64_t taps, int64_t length)
{
    const int most = VECTOR_BYTES == 64 ? 4 : 2;
    int64_t i = 0;
    for (; i + most * LANES <= length; i += most * LANES)
        NAME(down_block)(most, to, from, weights, taps, i);
    for (; i < length; i += LANES)
        NAME(down_block)(1, to, from, weights, taps, cx_min(i, length - LANES));
}

/* A row of weighted sums. In exact ones, products are rounded before they are added, and inputs as
   far from the middle are paired, as SciPy does it. */
static CX_NOINLINE void NAME(down_row)(const cx_filter_axis *axis, T *to, const T *const *from,
                                       int64_t length)
{
    const T *weights = axis->weights;
    int64_t taps = axis->taps, step = axis->dilation, i = 0;
    for (; i + 4 * LANES <= length; i += 4 * LANES) {
        NAME(vector) sum[4];
        CX_UNROLL
        for (int v = 0; v < 4; v++)
            sum[v] = weights[0] * *(const NAME(loose) *)(from[0] + i + v * LANES);
        for (int64_t t = 1; t < taps; t++)
            CX_UNROLL
            for (int v = 0; v < 4; v++)
                sum[v] += weights[t] * *(const NAME(loose) *)(from[t * step] + i + v * LANES);
        CX_UNROLL
        for (int v = 0; v < 4; v++)
            *(NAME(loose) *)(to + i + v * LANES) = sum[v];
    }
    for (; i < length; i += LANES) {
        int64_t left = length - i;
        NAME(vector) sum = weights[0] * NAME(load_some)(from[0] + i, left);
        for (int64_t t = 1; t < taps; t++)
            sum += weights[t] * NAME(load_some)(from[t * step] + i, left);
        NAME(store_some)(to + i, sum, left);
    }
}

/* The same with mirrored weights, folded as in `window_block`. */
static CX_NOINLINE void NAME(down_row_mirrored)(const cx_filter_axis *axis, T *to,
                                                const T *const *from, int64_t length)
{
    const T *weights = axis->weights;
    int64_t last = axis->taps - 1, half = axis->taps / 2, i = 0;
    T sign = (T)axis->symmetry;
    for (; i + 4 * LANES <= length; i += 4 * LANES) {
        NAME(vector) sum[4] = {{0}};
        for (int64_t t = 0; t < half; t++)
            CX_UNROLL for (int v = 0; v < 4; v++)
            {
                NAME(vector) a = *(const NAME(loose) *)(from[t] + i + v * LANES);
                NAME(vector) b = *(const NAME(loose) *)(from[last - t] + i + v * LANES);
                sum[v] += weights[t] * (a + sign * b);
            }
        CX_UNROLL for (int v = 0; v < 4; v++)
        {
            sum[v] += weights[half] * *(const NAME(loose) *)(from[half] + i + v * LANES);
            *(NAME(loose) *)(to + i + v * LANES) = sum[v];
        }
    }
    for (; i < length; i += LANES) {
        int64_t left = length - i;
        NAME(vector) sum = {0};
        for (int64_t t = 0; t < half; t++) {
            NAME(vector) a = NAME(load_some)(from[t] + i, left);
            NAME(vector) b = NAME(load_some)(from[last - t] + i, left);
            sum += weights[t] * (a + sign * b);
        }
        sum += weights[half] * NAME(load_some)(from[half] + i, left);
        NAME(store_some)(to + i, sum, left);
    }
}

#define EXACT(sum, product)                                                                       \
    {                                                                                             \
        NAME(vector) one = product;                                                               \
        CX_HOLD(one);                                                                             \
        sum = sum + one;                                                                          \
    }
#define INPUT(t) NAME(load_some)(from[(t) * step] + i, left)
#define EXACT_SUM                                                                                 \
    int64_t middle = taps / 2, last = taps - 1;                                                   \
    NAME(vector) sum;                                                                             \
    if (axis->symmetry) {                                                                         \
        sum = INPUT(middle) * weights[middle];                                                    \
        CX_HOLD(sum);                                                                             \
        for (int64_t t = 0; t < middle; t++) {                                                    \
            NAME(vector) a = INPUT(t), b = INPUT(last - t);                                       \
            NAME(vector) pair = axis->symmetry > 0 ? a + b : a - b;                               \
            EXACT(sum, pair * weights[t])                                                         \
        }                                                                                         \
    } else {                                                                                      \
        sum = INPUT(last) * weights[last];                                                        \
        CX_HOLD(sum);                                                                             \
        for (int64_t t = 0; t < last; t++)                                                        \
            EXACT(sum, INPUT(t) * weights[t])                                                     \
    }

static CX_NOINLINE void NAME(down_row_exact)(const cx_filter_axis *axis, T *to,
                                             const T *const *from, int64_t length)
{
    const T *weights = axis->weights;
    int64_t taps = axis->taps, step = axis->dilation;
    for (int64_t i = 0; i < length; i += LANES) {
        int64_t left = length - i;
        EXACT_SUM
        NAME(store_some)(to + i, sum, left);
    }
}
#undef INPUT

static void NAME(down_weights)(const cx_filter_axis *axis, int64_t exact, T *const *to,
                               const T *const *from, int64_t rows, int64_t length)
{
    int64_t r = 0;
    if (axis->dilation == 1 && axis->taps >= 3 && length >= LANES) {
        for (; (exact || axis->symmetry) && r + WINDOW_ROWS <= rows; r += WINDOW_ROWS)
            NAME(shared_rows)(axis, exact, to + r, from + r, length);
        for (; !exact && !axis->symmetry && r + DOWN_ROWS <= rows; r += DOWN_ROWS)
            NAME(down_rows)(to + r, from + r, axis->weights, axis->taps, length);
    }
    for (; r < rows; r++)
        if (exact)
            NAME(down_row_exact)(axis, to[r], from + r, length);
        else if (axis->symmetry)
            NAME(down_row_mirrored)(axis, to[r], from + r, length);
        else
            NAME(down_row)(axis, to[r], from + r, length);
}
#endif

/* A mean is its sum times a factor, or in exact filters the sum divided. */
typedef struct {
    T factor, taps;
} NAME(mean);

CX_INLINE T NAME(finished)(const int what, const int exact, const NAME(mean) *mean, T v)
{
    if (what != CX_FILTER_MEAN)
        return v;
    return exact ? v / mean->taps : v * mean->factor;
}

/* Loops over elements: a row combined with another, and finished to be an output. What is `exact` of
   means is careful of extrema. */
#define PAIR(a, b) NAME(filter_pair)(what, exact, a, b)
#define DONE(v) NAME(finished)(what, exact, mean, v)
#define EACH(...)                                                                                 \
    for (int64_t i = 0; i < length; i++) {                                                        \
        __VA_ARGS__;                                                                              \
    }

CX_INLINE void NAME(down_some)(const int what, const int exact, const NAME(mean) *mean,
                               T *restrict to, const T *const *from, int64_t step, int64_t taps,
                               int64_t length)
{
    const T *a = from[0], *b = from[step * (taps > 1)], *c = from[2 * step * (taps > 2)],
            *d = from[3 * step * (taps > 3)];
    if (taps == 1)
        EACH(to[i] = DONE(a[i]))
    else if (taps == 2)
        EACH(to[i] = DONE(PAIR(a[i], b[i])))
    else if (taps == 3)
        EACH(to[i] = DONE(PAIR(PAIR(a[i], b[i]), c[i])))
    else
        EACH(to[i] = DONE(PAIR(PAIR(a[i], b[i]), PAIR(c[i], d[i]))))
}

/* Two rows of windows of three share what they have in common. */
CX_INLINE void NAME(down_twice_three)(const int what, const int exact, const NAME(mean) *mean,
                                      T *restrict to, T *restrict next, const T *a, const T *b,
                                      const T *c, const T *d, int64_t length)
{
    EACH(T both = PAIR(b[i], c[i]); to[i] = DONE(PAIR(a[i], both));
         next[i] = DONE(PAIR(both, d[i])))
}

CX_INLINE void NAME(combine)(const int what, const int exact, T *restrict to, const T *a,
                             const T *b, int64_t length)
{
    EACH(to[i] = PAIR(a[i], b[i]))
}

CX_INLINE void NAME(combine_more)(const int what, const int exact, T *restrict to,
                                  const T *restrict a, int64_t length)
{
    EACH(to[i] = PAIR(to[i], a[i]))
}

CX_INLINE void NAME(finish_one)(const int what, const int exact, const NAME(mean) *mean,
                                T *restrict to, const T *restrict a, int64_t length)
{
    EACH(to[i] = DONE(a[i]))
}

CX_INLINE void NAME(finish_pair)(const int what, const int exact, const NAME(mean) *mean,
                                 T *restrict to, const T *restrict a, const T *restrict b,
                                 int64_t length)
{
    EACH(to[i] = DONE(PAIR(a[i], b[i])))
}

/* The next row goes to the front part, and both parts make an output. */
CX_INLINE void NAME(advance)(const int what, const int exact, const NAME(mean) *mean,
                             T *restrict to, T *restrict front, const T *restrict next,
                             const T *restrict back, int64_t length)
{
    EACH(T v = PAIR(front[i], next[i]); front[i] = v; to[i] = DONE(PAIR(back[i], v)))
}

/* Long windows of neighbouring rows are cut at every row whose number is a multiple of the taps: the
   back parts of all windows over a cut are made from it upwards, then the front parts downwards.
   Of the rows, `length` elements from `at` on. */
CX_INLINE void NAME(down_long)(const int what, const int exact, const NAME(mean) *mean,
                               T *const *to, const T *const *from, int64_t taps, int64_t rows,
                               int64_t first, int64_t at, int64_t length, T *scratch)
{
    T *front = scratch, *backs = scratch + length;
    for (int64_t r = 0; r < rows;) {
        int64_t start = r, cut = r + taps - (first + r) % taps, end = cx_min(rows, cut);
        int64_t reached = cut; /* the front part has the rows up to it */
        const T *back = from[cut - 1] + at;
        for (int64_t s = cut - 2; s >= start; s--) {
            T *next = backs + (s - start) * length;
            NAME(combine)(what, exact, next, from[s] + at, back, length);
            back = next;
        }
        for (; r < end; r++) {
            int64_t last = r + taps - 1;
            back = r == cut - 1 ? from[r] + at : backs + (r - start) * length;
            if (last < cut) {
                NAME(finish_one)(what, exact, mean, to[r] + at, back, length);
                continue;
            }
            if (reached == cut)
                __builtin_memcpy(front, from[reached++] + at, length * sizeof(T));
            while (reached < last)
                NAME(combine_more)(what, exact, front, from[reached++] + at, length);
            if (reached == last)
                NAME(advance)(what, exact, mean, to[r] + at, front, from[reached++] + at, back,
                              length);
            else
                NAME(finish_pair)(what, exact, mean, to[r] + at, back, front, length);
        }
    }
}

#define COLUMNS_BYTES 32768
CX_INLINE void NAME(down_window)(const int what, const int exact, const cx_filter_axis *axis,
                                 T *const *to, const T *const *from, int64_t rows, int64_t first,
                                 int64_t length, int64_t pitch, T *scratch)
{
    int64_t taps = axis->taps, step = axis->dilation;
    NAME(mean) mean = {.factor = (T)(1 / (double)taps), .taps = (T)taps};
    if (taps > 4 && step == 1) {
        /* parts of the rows whose back parts fit into the L1 cache, or near it */
        int64_t part = COLUMNS_BYTES / (int64_t)sizeof(T) / taps / LANES * LANES;
        part = cx_min(part > 4 * LANES ? part : 4 * LANES, pitch);
        for (int64_t at = 0; at < length; at += part)
            NAME(down_long)(what, exact, &mean, to, from, taps, rows, first, at,
                            cx_min(part, length - at), scratch);
        return;
    }
    int64_t r = 0;
    if (taps == 3 && step == 1)
        for (; r + 2 <= rows; r += 2)
            NAME(down_twice_three)(what, exact, &mean, to[r], to[r + 1], from[r], from[r + 1],
                                   from[r + 2], from[r + 3], length);
    for (; r < rows; r++)
        if (taps <= 4)
            NAME(down_some)(what, exact, &mean, to[r], from + r, step, taps, length);
        else {
            NAME(combine)(what, exact, scratch, from[r], from[r + step], length);
            for (int64_t t = 2; t < taps - 1; t++)
                NAME(combine_more)(what, exact, scratch, from[r + t * step], length);
            NAME(finish_pair)(what, exact, &mean, to[r], scratch, from[r + (taps - 1) * step],
                              length);
        }
}

/* What an axis asks for. Scratch memory has room for taps + 1 rows, `pitch` apart. */
static CX_NOINLINE void NAME(filter_down)(const cx_filter_axis *axis, int64_t exact, T *const *to,
                                          const T *const *from, int64_t rows, int64_t first,
                                          int64_t length, int64_t pitch, T *scratch)
{
#define WINDOW(what, exact)                                                                       \
    NAME(down_window)(what, exact, axis, to, from, rows, first, length, pitch, scratch)
    if (axis->what == CX_FILTER_MAX && !exact)
        WINDOW(CX_FILTER_MAX, 0);
    else if (axis->what == CX_FILTER_MIN && !exact)
        WINDOW(CX_FILTER_MIN, 0);
#if IS_FLOAT
    else if (axis->what == CX_FILTER_MAX)
        WINDOW(CX_FILTER_MAX, 1);
    else if (axis->what == CX_FILTER_MIN)
        WINDOW(CX_FILTER_MIN, 1);
    else if (axis->what == CX_FILTER_WEIGHTS)
        NAME(down_weights)(axis, exact, to, from, rows, length);
    else if (exact)
        WINDOW(CX_FILTER_MEAN, 1);
    else
        WINDOW(CX_FILTER_MEAN, 0);
#else
    else if (axis->what == CX_FILTER_WEIGHTS)
        NAME(down_weights)(axis, to, from, rows, length);
    else
        NAME(down_mean)(axis, to, from, rows, length);
#endif
#undef WINDOW
}
