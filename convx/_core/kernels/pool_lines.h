/* Pooling of lines: rows of a window become one line, and windows along a line become outputs.

   Sums and maxima are taken of one axis after another. A maximum's place goes along as its *key*,
   its index in the plane; of equal maxima the least key is kept, as the first in the order of the
   plane. NaN is greater than any number, and of several the last one is kept: its key is the
   complement of its index, less than any index. Padding has the greatest key. Thus the order in
   which two candidates meet does not matter, and windows may be put together of overlapping parts. */

#if VECTOR_BYTES / LANES == 4
#define KEY int32_t
#define SIGNIFICAND 0x7fffff
#define NO_KEY INT32_MAX
#else
#define KEY int64_t
#define SIGNIFICAND 0xfffffffffffff
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

/* to[i] = row[0][i] with row[1][i] …, four rows at a time. */
CX_INLINE void NAME(pool_rows_of)(const int reducer, T *restrict to, const T *const *row,
                                  int64_t rows, int64_t length)
{
#define PAIR(a, b) NAME(pool_pair)(reducer, a, b)
    int64_t r = cx_min(rows, 4);
    const T *restrict a = row[0], *restrict b = rows > 1 ? row[1] : a,
                      *restrict c = rows > 2 ? row[2] : a, *restrict d = rows > 3 ? row[3] : a;
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
        a = row[r], b = row[r + 1], c = row[r + 2], d = row[r + 3];
        for (int64_t i = 0; i < length; i++)
            to[i] = PAIR(to[i], PAIR(PAIR(a[i], b[i]), PAIR(c[i], d[i])));
    }
    for (; r < rows; r++) {
        a = row[r];
        for (int64_t i = 0; i < length; i++)
            to[i] = PAIR(to[i], a[i]);
    }
}

static CX_NOINLINE void NAME(sum_rows)(T *restrict to, const T *const *row, int64_t rows,
                                       int64_t length)
{
    NAME(pool_rows_of)(CX_POOL_SUM, to, row, rows, length);
}

static CX_NOINLINE void NAME(max_rows)(T *restrict to, const T *const *row, int64_t rows,
                                       int64_t length)
{
    NAME(pool_rows_of)(CX_POOL_MAX, to, row, rows, length);
}

CX_INLINE void NAME(pool_rows)(const int reducer, T *to, const T *const *row, int64_t rows,
                               int64_t length)
{
    if (reducer == CX_POOL_MAX)
        NAME(max_rows)(to, row, rows, length);
    else
        NAME(sum_rows)(to, row, rows, length);
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
CX_INLINE void NAME(slide_sum)(T *line, T *restrict sum, int64_t length, int64_t taps,
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

#define DEFINE_POOL(NAMED, REDUCER, TAPS, STRIDE)                                                 \
    CX_INLINE void NAME(NAMED##_outputs)(const T *restrict line, T *restrict out, int64_t outputs)      \
    {                                                                                             \
        for (int64_t o = 0; o < outputs; o++) {                                                   \
            const T *x = line + o * STRIDE;                                                       \
            T a = PAIR_OF(REDUCER, x[0], x[1]);                                                   \
            if (TAPS > 2)                                                                         \
                a = PAIR_OF(REDUCER, a, x[TAPS > 2 ? 2 : 0]);                                     \
            if (TAPS > 3)                                                                         \
                a = PAIR_OF(REDUCER, a, x[TAPS > 3 ? 3 : 0]);                                     \
            out[o] = a;                                                                           \
        }                                                                                         \
    }                                                                                             \
    static CX_NOINLINE void NAME(NAMED)(const T *restrict line, T *restrict out, int64_t outputs)       \
    {                                                                                             \
        int64_t last = outputs - WHOLE_VECTORS;                                                   \
        if (last < 0) {                                                                           \
            NAME(NAMED##_outputs)(line, out, outputs);                                                  \
            return;                                                                               \
        }                                                                                         \
        NAME(NAMED##_outputs)(line, out, outputs / WHOLE_VECTORS * WHOLE_VECTORS);                      \
        if (outputs % WHOLE_VECTORS)                                                              \
            NAME(NAMED##_outputs)(line + last * STRIDE, out + last, WHOLE_VECTORS);                     \
    }
#define PAIR_OF(REDUCER, a, b) NAME(pool_pair)(REDUCER, a, b)
#define DEFINE_FEW(TAPS, STRIDE)                                                                  \
    DEFINE_POOL(sum_##TAPS##_##STRIDE, CX_POOL_SUM, TAPS, STRIDE)                           \
    DEFINE_POOL(max_##TAPS##_##STRIDE, CX_POOL_MAX, TAPS, STRIDE)                           \
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
#undef JOIN
#undef DEFINE_POOL
#undef PAIR_OF
#undef WHOLE_VECTORS

/* Regular windows over a padded line, which is used up: out[o] = that of line[o * stride] …. */
CX_INLINE void NAME(pool_line)(const int reducer, T *line, T *restrict other, T *restrict out,
                               int64_t outputs, int64_t taps, int64_t stride, int64_t step)
{
#define FEW(TAPS, STRIDE)                                                                         \
    if (taps == TAPS && stride == STRIDE && step == 1) {                                          \
        if (reducer == CX_POOL_SUM)                                                               \
            NAME(sum_##TAPS##_##STRIDE)(line, out, outputs);                                      \
        else                                                                                      \
            NAME(max_##TAPS##_##STRIDE)(line, out, outputs);                                      \
        return;                                                                                   \
    }
    EACH_FEW(FEW)
#undef FEW
    int64_t length = (outputs - 1) * stride + 1;
    const T *from = line;
    if (taps > 1 && reducer == CX_POOL_SUM) {
        NAME(slide_sum)(line, other, length, taps, step);
        from = other;
    } else if (taps > 1)
        from = NAME(slide_max)(line, other, length, taps, step);
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

/* One window of neighbours, in 16 parts whatever the vectors are, so that all machines agree. */
#define PARTS(count)                                                                              \
    typedef T NAME(parts_##count)                                                                 \
        __attribute__((vector_size(count * sizeof(T)), aligned(sizeof(T)), may_alias));
PARTS(16) PARTS(8) PARTS(4)
#undef PARTS

CX_INLINE T NAME(sum_stretch)(const T *x, int64_t count)
{
    T rest[16] = {0};
    int64_t t = 0;
    NAME(parts_16) sum = {0};
    for (; t + 16 <= count; t += 16)
        sum += *(const NAME(parts_16) *)(x + t);
    T last = 0;
    if (count - t > 2) {
        for (int64_t i = 0; t + i < count; i++)
            rest[i] = x[t + i];
        sum += *(const NAME(parts_16) *)rest;
    } else
        for (; t < count; t++)
            last += x[t];
    NAME(parts_8) eight = *(NAME(parts_8) *)&sum + *((NAME(parts_8) *)&sum + 1);
    NAME(parts_4) four = *(NAME(parts_4) *)&eight + *((NAME(parts_4) *)&eight + 1);
    return ((four[0] + four[2]) + (four[1] + four[3])) + last;
}

CX_INLINE T NAME(max_stretch)(const T *x, int64_t count)
{
    T part[16];
    for (int64_t i = 0; i < 16; i++)
        part[i] = x[cx_min(i, count - 1)];
    for (int64_t t = 16; t + 16 <= count; t += 16)
        for (int i = 0; i < 16; i++)
            part[i] = NAME(pool_pair)(CX_POOL_MAX, part[i], x[t + i]);
    for (int64_t i = count > 16 ? count - count % 16 : count; i < count; i++)
        part[0] = NAME(pool_pair)(CX_POOL_MAX, part[0], x[i]);
    for (int i = 1; i < 16; i++)
        part[0] = NAME(pool_pair)(CX_POOL_MAX, part[0], part[i]);
    return part[0];
}

CX_INLINE T NAME(pool_stretch)(const int reducer, const T *x, int64_t count)
{
    return reducer == CX_POOL_MAX ? NAME(max_stretch)(x, count) : NAME(sum_stretch)(x, count);
}

#if IS_FLOAT
/* Multiplies where that is the same: by what a power of 2 is the inverse of. */
static CX_NOINLINE void NAME(divide_all)(T divisor, int64_t outputs, T *restrict y)
{
    KEY bits;
    T factor = 1 / divisor;
    __builtin_memcpy(&bits, &divisor, sizeof bits);
    if (!(bits & SIGNIFICAND))
        for (int64_t o = 0; o < outputs; o++)
            y[o] *= factor;
    else
        for (int64_t o = 0; o < outputs; o++)
            y[o] /= divisor;
}
#endif

CX_INLINE void NAME(divide)(const cx_pool_axis *axis, double divisor, T *restrict y)
{
    const double *along = axis->divisor;
    int64_t step = axis->divisor_step;
#if IS_FLOAT
    if (step)
        for (int64_t o = 0; o < axis->outputs; o++)
            y[o] /= (T)(divisor * along[o]);
    else
        NAME(divide_all)((T)(divisor * *along), axis->outputs, y);
#else
    for (int64_t o = 0; o < axis->outputs; o++) { /* 2**63 is no int64, and larger than any sum */
        double by = divisor * along[o * step];
        y[o] = by < 0x1p62 ? y[o] / (T)by : 0;
    }
#endif
}
