/* Filters across rows: every row of outputs from rows of inputs, wherever these lie. `from` has the
   rows of the taps of the first output, then one more for each further output. */

/* Weighted sums of DOWN_ROWS rows of outputs, which share their inputs, for columns of `vectors`
   vectors; each sum goes through the taps in their order. */
#define DOWN_ROWS 4
#if IS_FLOAT
CX_INLINE void NAME(down_block)(const int vectors, T *const *to, const T *const *from,
                                const T *weights, int64_t taps, int64_t i)
{
    NAME(vector) sum[DOWN_ROWS][4];
#define TAP(row, tap)                                                                             \
    CX_UNROLL                                                                                     \
    for (int v = 0; v < vectors; v++)                                                             \
        sum[row][v] += weights[tap] * x[v];
#define INPUT(s)                                                                                  \
    NAME(vector) x[4];                                                                            \
    CX_UNROLL                                                                                     \
    for (int v = 0; v < vectors; v++)                                                             \
        x[v] = *(const NAME(loose) *)(from[s] + i + v * LANES);
    CX_UNROLL
    for (int r = 0; r < DOWN_ROWS; r++)
        CX_UNROLL
        for (int v = 0; v < vectors; v++)
            sum[r][v] = (NAME(vector)){0};
    for (int64_t s = 0; s < 3; s++) {
        INPUT(s)
        TAP(0, s)
        if (s > 0)
            TAP(1, s - 1)
        if (s > 1)
            TAP(2, s - 2)
    }
    for (int64_t s = 3; s < taps; s++) {
        INPUT(s)
        TAP(0, s)
        TAP(1, s - 1)
        TAP(2, s - 2)
        TAP(3, s - 3)
    }
    for (int64_t s = taps; s < taps + 3; s++) {
        INPUT(s)
        TAP(3, s - 3)
        if (s < taps + 2)
            TAP(2, s - 2)
        if (s < taps + 1)
            TAP(1, s - 1)
    }
#undef TAP
#undef INPUT
    CX_UNROLL
    for (int r = 0; r < DOWN_ROWS; r++)
        CX_UNROLL
        for (int v = 0; v < vectors; v++)
            *(NAME(loose) *)(to[r] + i + v * LANES) = sum[r][v];
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
    if (!exact && axis->dilation == 1 && axis->taps >= 3 && length >= LANES)
        for (; r + DOWN_ROWS <= rows; r += DOWN_ROWS)
            NAME(down_rows)(to + r, from + r, axis->weights, axis->taps, length);
    for (; r < rows; r++)
        if (exact)
            NAME(down_row_exact)(axis, to[r], from + r, length);
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

/* Loops over elements: a row combined with another, and finished to be an output. */
#define PAIR(a, b) NAME(filter_pair)(what, a, b)
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

CX_INLINE void NAME(combine)(const int what, T *restrict to, const T *a, const T *b,
                             int64_t length)
{
    EACH(to[i] = PAIR(a[i], b[i]))
}

CX_INLINE void NAME(combine_more)(const int what, T *restrict to, const T *restrict a,
                                  int64_t length)
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
            NAME(combine)(what, next, from[s] + at, back, length);
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
                NAME(combine_more)(what, front, from[reached++] + at, length);
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
    for (int64_t r = 0; r < rows; r++)
        if (taps <= 4)
            NAME(down_some)(what, exact, &mean, to[r], from + r, step, taps, length);
        else {
            NAME(combine)(what, scratch, from[r], from[r + step], length);
            for (int64_t t = 2; t < taps - 1; t++)
                NAME(combine_more)(what, scratch, from[r + t * step], length);
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
    if (axis->what == CX_FILTER_MAX)
        WINDOW(CX_FILTER_MAX, 0);
    else if (axis->what == CX_FILTER_MIN)
        WINDOW(CX_FILTER_MIN, 0);
#if IS_FLOAT
    else if (axis->what == CX_FILTER_WEIGHTS)
        NAME(down_weights)(axis, exact, to, from, rows, length);
    else if (exact)
        WINDOW(CX_FILTER_MEAN, 1);
    else
        WINDOW(CX_FILTER_MEAN, 0);
#endif
#undef WINDOW
}
