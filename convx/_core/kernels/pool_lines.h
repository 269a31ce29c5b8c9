/* Pooling of lines: rows of a window become one line, and windows along a line become outputs.

   Sums and maxima are taken of one axis after another. A maximum's place goes along as its *key*,
   its index in the plane; of equal maxima the least key is kept, as the first in the order of the
   plane. NaN is greater than any number, and of several the last one is kept: its key is the
   complement of its index, less than any index. Padding has the greatest key. Thus the order in
   which two candidates meet does not matter, and windows may be put together of overlapping parts. */

#if VECTOR_BYTES / LANES == 4
#define KEY int32_t
#define NO_KEY INT32_MAX
#else
#define KEY int64_t
#define NO_KEY INT64_MAX
#endif

#if IS_FLOAT
#define LEAST (-(T)__builtin_inf())
#define IS_NAN(v) ((v) != (v))
#else
#define LEAST INT64_MIN
#define IS_NAN(v) ((v) & 0)
#endif

CX_INLINE T NAME(pool_pair)(const int reducer, T a, T b)
{
    if (reducer == CX_POOL_MAX) {
        T greater = b > a ? b : a; /* a if one is NaN */
        return IS_NAN(b) ? b : greater;
    }
#if IS_FLOAT
    return a + b;
#else
    return (T)((uint64_t)a + (uint64_t)b);
#endif
}

/* to[i] = row[0][i] with row[1][i] …, four rows at a time; and the same `count` times, with lines that
   are `pitch` and rows that are `step` elements further on. */
CX_INLINE void NAME(pool_rows_of)(const int reducer, T *restrict to, int64_t pitch,
                                  const T *const *row, int64_t rows, int64_t step, int64_t count,
                                  int64_t length)
{
#define PAIR(a, b) NAME(pool_pair)(reducer, a, b)
    for (int64_t n = 0; n < count; n++, to += pitch) {
        int64_t r = cx_min(rows, 4), at = n * step;
        const T *restrict a = row[0] + at, *restrict b = rows > 1 ? row[1] + at : a,
                          *restrict c = rows > 2 ? row[2] + at : a,
                          *restrict d = rows > 3 ? row[3] + at : a;
        if (r == 1)
            for (int64_t i = 0; i < length; i++)
                to[i] = a[i];
        else if (r == 2)
            for (int64_t i = 0; i < length; i++)
                to[i] = PAIR(a[i], b[i]);
        else if (r == 3)
            for (int64_t i = 0; i < length; i++)
                to[i] = PAIR(PAIR(a[i], b[i]), c[i]);
        else
            for (int64_t i = 0; i < length; i++)
                to[i] = PAIR(PAIR(a[i], b[i]), PAIR(c[i], d[i]));
        for (; r + 4 <= rows; r += 4) {
            a = row[r] + at, b = row[r + 1] + at, c = row[r + 2] + at, d = row[r + 3] + at;
            for (int64_t i = 0; i < length; i++)
                to[i] = PAIR(to[i], PAIR(PAIR(a[i], b[i]), PAIR(c[i], d[i])));
        }
        for (; r < rows; r++) {
            a = row[r] + at;
            for (int64_t i = 0; i < length; i++)
                to[i] = PAIR(to[i], a[i]);
        }
    }
}

static CX_NOINLINE void NAME(sum_rows)(T *restrict to, int64_t pitch, const T *const *row,
                                       int64_t rows, int64_t step, int64_t count, int64_t length)
{
    NAME(pool_rows_of)(CX_POOL_SUM, to, pitch, row, rows, step, count, length);
}

static CX_NOINLINE void NAME(max_rows)(T *restrict to, int64_t pitch, const T *const *row,
                                       int64_t rows, int64_t step, int64_t count, int64_t length)
{
    NAME(pool_rows_of)(CX_POOL_MAX, to, pitch, row, rows, step, count, length);
}

CX_INLINE void NAME(pool_rows)(const int reducer, T *to, const T *const *row, int64_t rows,
                               int64_t length)
{
    if (reducer == CX_POOL_MAX)
        NAME(max_rows)(to, 0, row, rows, 0, 1, length);
    else
        NAME(sum_rows)(to, 0, row, rows, 0, 1, length);
}

#define NEXT(from, place)                                                                         \
    {                                                                                             \
        int better = ((from) > v) | IS_NAN(from);                                                 \
        v = better ? (from) : v;                                                                  \
        at = better ? (place) : at;                                                               \
    }

static CX_NOINLINE void NAME(place_more)(T *restrict to, KEY *restrict key, const T *restrict a,
                                         const T *restrict b, KEY a_key, KEY b_key,
                                         int64_t length)
{
    for (int64_t i = 0; i < length; i++) {
        T v = to[i];
        KEY at = key[i];
        NEXT(a[i], a_key)
        NEXT(b[i], b_key)
        to[i] = v;
        key[i] = at;
    }
}

/* The same of maxima with their keys. Rows are in the order of the plane. */
static CX_NOINLINE void NAME(place_rows)(T *restrict to, KEY *restrict key, const T *const *row,
                                         const int64_t *offset, int64_t rows, int64_t length)
{
    const T *restrict a = row[0], *restrict b = rows > 1 ? row[1] : a,
                      *restrict c = rows > 2 ? row[2] : b;
    KEY a_key = (KEY)offset[0], b_key = rows > 1 ? (KEY)offset[1] : a_key,
        c_key = rows > 2 ? (KEY)offset[2] : b_key;
#define LAST                                                                                      \
    at += (KEY)i;                                                                                 \
    to[i] = v;                                                                                    \
    key[i] = IS_NAN(v) ? ~at : at;
    if (rows <= 2) {
        for (int64_t i = 0; i < length; i++) {
            T v = a[i];
            KEY at = a_key;
            NEXT(b[i], b_key)
            LAST
        }
        return;
    }
    if (rows == 3) {
        for (int64_t i = 0; i < length; i++) {
            T v = a[i];
            KEY at = a_key;
            NEXT(b[i], b_key)
            NEXT(c[i], c_key)
            LAST
        }
        return;
    }
    for (int64_t i = 0; i < length; i++) {
        T v = a[i];
        KEY at = a_key;
        NEXT(b[i], b_key)
        NEXT(c[i], c_key)
        to[i] = v;
        key[i] = at;
    }
    int64_t r = 3;
    for (; r + 2 <= rows; r += 2)
        NAME(place_more)(to, key, row[r], row[r + 1], (KEY)offset[r], (KEY)offset[r + 1], length);
    if (r < rows) /* again the last one of before, which changes nothing */
        NAME(place_more)(to, key, row[r - 1], row[r], (KEY)offset[r - 1], (KEY)offset[r], length);
    for (int64_t i = 0; i < length; i++) {
        T v = to[i];
        KEY at = key[i];
        LAST
    }
#undef NEXT
#undef LAST
}

#define BETTER(a, a_key, b, b_key) (((b) > (a)) | (((b_key) < (a_key)) & !((a) > (b))))

/* line[i] becomes that of line[i] … line[i + (taps - 1) * step], for taps > 1. Windows are put
   together of windows of 1, 2, 4 … taps, for i < length; what lies behind must be readable. */
static CX_NOINLINE void NAME(slide_sum)(T *line, T *restrict sum, int64_t length, int64_t taps,
                                        int64_t step)
{
    int64_t done = 0, width = 1;
    for (;; width *= 2) {
        if (taps & width) {
            const T *more = line + done * step;
            if (!done)
                for (int64_t i = 0; i < length; i++)
                    sum[i] = more[i];
            else
                for (int64_t i = 0; i < length; i++)
                    sum[i] = NAME(pool_pair)(CX_POOL_SUM, sum[i], more[i]);
            done += width;
        }
        if (done == taps)
            return;
        int64_t ahead = width * step, until = length + (taps - 2 * width) * step;
        for (int64_t i = 0; i < until; i += LANES)
            *(NAME(loose) *)(line + i) =
                *(NAME(loose) *)(line + i) + *(NAME(loose) *)(line + i + ahead);
    }
}

static CX_NOINLINE void NAME(join_max)(const T *restrict line, const T *restrict ahead,
                                       T *restrict to, int64_t length)
{
    for (int64_t i = 0; i < length; i++)
        to[i] = NAME(pool_pair)(CX_POOL_MAX, line[i], ahead[i]);
}

static CX_NOINLINE void NAME(join_sum)(const T *restrict line, const T *restrict ahead,
                                       T *restrict to, int64_t length)
{
    for (int64_t i = 0; i < length; i++)
        to[i] = NAME(pool_pair)(CX_POOL_SUM, line[i], ahead[i]);
}

/* Maxima, for which parts may overlap: returns the line, of two, that they are in at last. */
CX_INLINE T *NAME(slide_max)(T *line, T *other, int64_t length, int64_t taps, int64_t step)
{
    for (int64_t width = 1, next; width < taps; width = next) {
        next = cx_min(2 * width, taps);
        NAME(join_max)(line, line + (next - width) * step, other, length + (taps - next) * step);
        T *done = other;
        other = line;
        line = done;
    }
    return line;
}

static CX_NOINLINE void NAME(join_places)(const T *restrict line, const KEY *restrict keys,
                                          const T *restrict ahead, const KEY *restrict ahead_keys,
                                          T *restrict to, KEY *restrict to_keys, int64_t length)
{
    for (int64_t i = 0; i < length; i++) {
        int better = BETTER(line[i], keys[i], ahead[i], ahead_keys[i]);
        to[i] = better ? ahead[i] : line[i];
        to_keys[i] = better ? ahead_keys[i] : keys[i];
    }
}

/* Few taps with a stride, both known to the compiler: functions of their own, for where they are
   inlined it no longer knows that lines do not overlap. Outputs that fill no vectors are computed
   with some of those before them, once more. */
#define WHOLE_VECTORS 16
#define EACH_FEW(DO)                                                                              \
    DO(2, 1) DO(3, 1) DO(4, 1) DO(2, 2) DO(3, 2) DO(4, 2) DO(3, 3) DO(4, 4)

#define DEFINE_POOL(NAMED, REDUCER, ENDED, TAPS, STRIDE)                                          \
    CX_INLINE void NAME(NAMED##_outputs)(const T *restrict line, T *restrict out,                 \
                                         int64_t outputs, T divisor)                    \
    {                                                                                             \
        for (int64_t o = 0; o < outputs; o++) {                                                   \
            const T *x = line + o * STRIDE;                                                       \
            T a = PAIR_OF(REDUCER, x[0], x[1]);                                                   \
            if (TAPS > 2)                                                                         \
                a = PAIR_OF(REDUCER, a, x[TAPS > 2 ? 2 : 0]);                                     \
            if (TAPS > 3)                                                                         \
                a = PAIR_OF(REDUCER, a, x[TAPS > 3 ? 3 : 0]);                                     \
            out[o] = ENDED(a, divisor);                                                   \
        }                                                                                         \
    }                                                                                             \
    static CX_NOINLINE void NAME(NAMED)(const T *restrict line, int64_t pitch, T *restrict out,   \
                                        int64_t outputs, int64_t rows, T divisor)       \
    {                                                                                             \
        int64_t last = outputs - WHOLE_VECTORS, whole = outputs / WHOLE_VECTORS * WHOLE_VECTORS;  \
        for (int64_t r = 0; r < rows; r++, line += pitch, out += outputs) {                       \
            if (last < 0) {                                                                       \
                NAME(NAMED##_outputs)(line, out, outputs, divisor);                       \
                continue;                                                                         \
            }                                                                                     \
            NAME(NAMED##_outputs)(line, out, whole, divisor);                             \
            if (whole < outputs)                                                                  \
                NAME(NAMED##_outputs)(line + last * STRIDE, out + last, WHOLE_VECTORS, divisor);  \
        }                                                                                         \
    }
#define AS_IT_IS(a, divisor) (a)
#define SCALED(a, divisor) ((a) * (divisor))
#define DIVIDED(a, divisor) ((a) / (divisor))
#define PAIR_OF(REDUCER, a, b) NAME(pool_pair)(REDUCER, a, b)
#if IS_FLOAT
#define DEFINE_MEAN(TAPS, STRIDE)                                                                 \
    DEFINE_POOL(scaled_##TAPS##_##STRIDE, CX_POOL_SUM, SCALED, TAPS, STRIDE)                      \
    DEFINE_POOL(mean_##TAPS##_##STRIDE, CX_POOL_SUM, DIVIDED, TAPS, STRIDE)
#else
#define DEFINE_MEAN(TAPS, STRIDE)
#endif
#define DEFINE_FEW(TAPS, STRIDE)                                                                  \
    DEFINE_POOL(sum_##TAPS##_##STRIDE, CX_POOL_SUM, AS_IT_IS, TAPS, STRIDE)                       \
    DEFINE_POOL(max_##TAPS##_##STRIDE, CX_POOL_MAX, AS_IT_IS, TAPS, STRIDE)                       \
    DEFINE_MEAN(TAPS, STRIDE)                                                                     \
    static CX_NOINLINE void NAME(place_##TAPS##_##STRIDE)(                                        \
        const T *restrict line, const KEY *restrict keys, T *restrict out,                        \
        KEY *restrict out_keys, int64_t outputs)                                                  \
    {                                                                                             \
        for (int64_t o = 0; o < outputs; o++) {                                                   \
            const T *x = line + o * STRIDE;                                                       \
            const KEY *k = keys + o * STRIDE;                                                     \
            int better = BETTER(x[0], k[0], x[1], k[1]);                                          \
            T a = better ? x[1] : x[0];                                                           \
            KEY key = better ? k[1] : k[0];                                                       \
            JOIN(TAPS, 2)                                                                         \
            JOIN(TAPS, 3)                                                                         \
            out[o] = a;                                                                           \
            out_keys[o] = key;                                                                    \
        }                                                                                         \
    }
#define JOIN(TAPS, TAP)                                                                           \
    if (TAPS > TAP) {                                                                             \
        T b = x[TAPS > TAP ? TAP : 0];                                                            \
        KEY other = k[TAPS > TAP ? TAP : 0];                                                      \
        int more = BETTER(a, key, b, other);                                                      \
        a = more ? b : a;                                                                         \
        key = more ? other : key;                                                                 \
    }
EACH_FEW(DEFINE_FEW)
#undef DEFINE_FEW
#undef DEFINE_MEAN
#undef JOIN
#undef DEFINE_POOL
#undef AS_IT_IS
#undef SCALED
#undef DIVIDED
#undef PAIR_OF
#undef WHOLE_VECTORS

/* Outputs of some lines, `pitch` apart, by windows of few taps. Returns 0 if there is no such loop. */
#define OF_FEW(TAPS, STRIDE)                                                                      \
    if (taps == TAPS && stride == STRIDE) {                                                       \
        OF(TAPS, STRIDE)                                                                          \
        return 1;                                                                                 \
    }
#define OF(TAPS, STRIDE) NAME(sum_##TAPS##_##STRIDE)(line, pitch, out, outputs, rows, 1);
CX_INLINE int NAME(sum_few)(const T *line, int64_t pitch, T *out, int64_t outputs, int64_t rows,
                            int64_t taps, int64_t stride)
{
    EACH_FEW(OF_FEW)
    return 0;
}
#undef OF

#define OF(TAPS, STRIDE) NAME(max_##TAPS##_##STRIDE)(line, pitch, out, outputs, rows, 1);
CX_INLINE int NAME(max_few)(const T *line, int64_t pitch, T *out, int64_t outputs, int64_t rows,
                            int64_t taps, int64_t stride)
{
    EACH_FEW(OF_FEW)
    return 0;
}
#undef OF

#if IS_FLOAT
#define OF(TAPS, STRIDE)                                                                          \
    if (by.how == CX_SCALES)                                                                      \
        NAME(scaled_##TAPS##_##STRIDE)(line, pitch, out, outputs, rows, by.inverse);              \
    else                                                                                          \
        NAME(mean_##TAPS##_##STRIDE)(line, pitch, out, outputs, rows, by.divisor);
/* Divisions take no time of their own there. */
CX_INLINE int NAME(mean_few)(const T *line, int64_t pitch, T *out, int64_t outputs, int64_t rows,
                             int64_t taps, int64_t stride, NAME(division) by)
{
    EACH_FEW(OF_FEW)
    return 0;
}
#undef OF
#endif
#undef OF_FEW

/* Regular windows over a padded line, which is used up: out[o] = that of line[o * stride] …. */
CX_INLINE void NAME(pool_line)(const int reducer, T *line, T *restrict other, T *restrict out,
                               int64_t outputs, int64_t taps, int64_t stride, int64_t step)
{
    if (step == 1 && (reducer == CX_POOL_SUM
                          ? NAME(sum_few)(line, 0, out, outputs, 1, taps, stride)
                          : NAME(max_few)(line, 0, out, outputs, 1, taps, stride)))
        return;
    int64_t length = (outputs - 1) * stride + 1;
    const T *from = line;
    if (reducer == CX_POOL_SUM && taps > 1) {
        NAME(slide_sum)(line, stride == 1 ? out : other, length, taps, step);
        from = other;
        if (stride == 1)
            return;
    } else if (taps > 1)
        from = NAME(slide_max)(line, other, length, taps, step);
    if (stride == 1)
        for (int64_t o = 0; o < outputs; o++)
            out[o] = from[o];
    else
        for (int64_t o = 0; o < outputs; o++)
            out[o] = from[o * stride];
}

CX_INLINE void NAME(place_line)(T *line, KEY *keys, T *other, KEY *other_keys, T *restrict out,
                                KEY *restrict out_keys, int64_t outputs, int64_t taps,
                                int64_t stride, int64_t step)
{
#define FEW(TAPS, STRIDE)                                                                         \
    if (taps == TAPS && stride == STRIDE && step == 1) {                                          \
        NAME(place_##TAPS##_##STRIDE)(line, keys, out, out_keys, outputs);                        \
        return;                                                                                   \
    }
    EACH_FEW(FEW)
#undef FEW
    int64_t length = (outputs - 1) * stride + 1;
    for (int64_t width = 1, next; width < taps; width = next) {
        next = cx_min(2 * width, taps);
        int64_t ahead = (next - width) * step;
        NAME(join_places)(line, keys, line + ahead, keys + ahead, other, other_keys,
                          length + (taps - next) * step);
        T *done = other;
        KEY *done_keys = other_keys;
        other = line, other_keys = keys;
        line = done, keys = done_keys;
    }
    for (int64_t o = 0; o < outputs; o++) {
        out[o] = line[o * stride];
        out_keys[o] = keys[o * stride];
    }
}
