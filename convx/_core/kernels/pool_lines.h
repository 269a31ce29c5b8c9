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
    if (reducer == CX_POOL_MAX)
        return (b > a) | IS_NAN(b) ? b : a;
#if IS_FLOAT
    return a + b;
#else
    return (T)((uint64_t)a + (uint64_t)b);
#endif
}

/* to[i] = row[0][i] with row[1][i] …, four rows at a time. */
CX_INLINE void NAME(pool_rows)(const int reducer, T *restrict to, const T *const *row,
                               int64_t rows, int64_t length)
{
#define PAIR(a, b) NAME(pool_pair)(reducer, a, b)
    int64_t r = cx_min(rows, 4);
    const T *a = row[0], *b = rows > 1 ? row[1] : a, *c = rows > 2 ? row[2] : a,
            *d = rows > 3 ? row[3] : a;
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

/* The same of maxima with their keys. Rows are in the order of the plane. */
CX_INLINE void NAME(place_rows)(T *restrict to, KEY *restrict key, const T *const *row,
                                const int64_t *offset, int64_t rows, int64_t length)
{
    const T *a = row[0];
    KEY place = (KEY)offset[0];
    for (int64_t i = 0; i < length; i++) {
        to[i] = a[i];
        key[i] = place;
    }
    for (int64_t r = 1; r < rows; r++) {
        a = row[r];
        place = (KEY)offset[r];
        for (int64_t i = 0; i < length; i++) {
            int better = (a[i] > to[i]) | IS_NAN(a[i]);
            to[i] = better ? a[i] : to[i];
            key[i] = better ? place : key[i];
        }
    }
    for (int64_t i = 0; i < length; i++) {
        KEY index = key[i] + (KEY)i;
        key[i] = IS_NAN(to[i]) ? ~index : index;
    }
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

CX_INLINE void NAME(slide_max)(T *line, int64_t length, int64_t taps, int64_t step)
{
    for (int64_t width = 1, next; width < taps; width = next) {
        next = cx_min(2 * width, taps);
        int64_t ahead = (next - width) * step, until = length + (taps - next) * step;
        for (int64_t i = 0; i < until; i += LANES) {
            NAME(vector) a = *(NAME(loose) *)(line + i), b = *(NAME(loose) *)(line + i + ahead);
            NAME(mask) better = (NAME(mask))(b > a) | (NAME(mask))IS_NAN(b);
            *(NAME(loose) *)(line + i) =
                (NAME(vector))((better & (NAME(mask))b) | (~better & (NAME(mask))a));
        }
    }
}

typedef KEY NAME(loose_keys)
    __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(KEY)), may_alias));

CX_INLINE void NAME(slide_places)(T *line, KEY *key, int64_t length, int64_t taps, int64_t step)
{
    for (int64_t width = 1, next; width < taps; width = next) {
        next = cx_min(2 * width, taps);
        int64_t ahead = (next - width) * step, until = length + (taps - next) * step;
        for (int64_t i = 0; i < until; i += LANES) {
            NAME(vector) a = *(NAME(loose) *)(line + i), b = *(NAME(loose) *)(line + i + ahead);
            NAME(mask) a_key = (NAME(mask))*(NAME(loose_keys) *)(key + i);
            NAME(mask) b_key = (NAME(mask))*(NAME(loose_keys) *)(key + i + ahead);
            NAME(mask) better = (NAME(mask))(b > a) |
                                ((NAME(mask))(b_key < a_key) & ~(NAME(mask))(a > b));
            *(NAME(loose) *)(line + i) =
                (NAME(vector))((better & (NAME(mask))b) | (~better & (NAME(mask))a));
            *(NAME(loose_keys) *)(key + i) =
                (NAME(loose_keys))((better & b_key) | (~better & a_key));
        }
    }
}

/* Few taps with a stride, both known to the compiler. */
CX_INLINE void NAME(pool_few)(const int reducer, const int taps, const int stride,
                              const T *restrict line, T *restrict out, int64_t outputs,
                              int64_t step)
{
    for (int64_t o = 0; o < outputs; o++) {
        T a = line[o * stride];
        CX_UNROLL for (int t = 1; t < taps; t++) a = PAIR(a, line[o * stride + t * step]);
        out[o] = a;
    }
}

CX_INLINE void NAME(place_few)(const int taps, const int stride, const T *restrict line,
                               const KEY *restrict keys, T *restrict out, KEY *restrict out_keys,
                               int64_t outputs, int64_t step)
{
    for (int64_t o = 0; o < outputs; o++) {
        T a = line[o * stride];
        KEY key = keys[o * stride];
        CX_UNROLL for (int t = 1; t < taps; t++)
        {
            T b = line[o * stride + t * step];
            KEY other = keys[o * stride + t * step];
            int better = BETTER(a, key, b, other);
            a = better ? b : a;
            key = better ? other : key;
        }
        out[o] = a;
        out_keys[o] = key;
    }
}

#define EACH_FEW(DO)                                                                              \
    DO(2, 1) DO(3, 1) DO(4, 1) DO(2, 2) DO(3, 2) DO(4, 2) DO(3, 3) DO(4, 4)

/* Regular windows over a padded line, which is used up: out[o] = that of line[o * stride] …. */
CX_INLINE void NAME(pool_line)(const int reducer, T *line, T *restrict other, T *restrict out,
                               int64_t outputs, int64_t taps, int64_t stride, int64_t step)
{
#define FEW(TAPS, STRIDE)                                                                         \
    if (taps == TAPS && stride == STRIDE) {                                                       \
        if (step == 1)                                                                            \
            NAME(pool_few)(reducer, TAPS, STRIDE, line, out, outputs, 1);                         \
        else                                                                                      \
            NAME(pool_few)(reducer, TAPS, STRIDE, line, out, outputs, step);                      \
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
        NAME(slide_max)(line, length, taps, step);
    for (int64_t o = 0; o < outputs; o++)
        out[o] = from[o * stride];
}

CX_INLINE void NAME(place_line)(T *line, KEY *keys, T *restrict out, KEY *restrict out_keys,
                                int64_t outputs, int64_t taps, int64_t stride, int64_t step)
{
#define FEW(TAPS, STRIDE)                                                                         \
    if (taps == TAPS && stride == STRIDE) {                                                       \
        if (step == 1)                                                                            \
            NAME(place_few)(TAPS, STRIDE, line, keys, out, out_keys, outputs, 1);                 \
        else                                                                                      \
            NAME(place_few)(TAPS, STRIDE, line, keys, out, out_keys, outputs, step);              \
        return;                                                                                   \
    }
    EACH_FEW(FEW)
#undef FEW
    NAME(slide_places)(line, keys, (outputs - 1) * stride + 1, taps, step);
    for (int64_t o = 0; o < outputs; o++) {
        out[o] = line[o * stride];
        out_keys[o] = keys[o * stride];
    }
}

/* One window of neighbours, in 16 parts whatever the vectors are, so that all machines agree. */
CX_INLINE T NAME(pool_stretch)(const int reducer, const T *x, int64_t count)
{
    if (count < 16) {
        T a = x[0];
        for (int64_t t = 1; t < count; t++)
            a = PAIR(a, x[t]);
        return a;
    }
    T part[16];
    int64_t t = 16;
    for (int i = 0; i < 16; i++)
        part[i] = x[i];
    for (; t + 16 <= count; t += 16)
        for (int i = 0; i < 16; i++)
            part[i] = PAIR(part[i], x[t + i]);
    for (int i = 0; t + i < count; i++)
        part[i] = PAIR(part[i], x[t + i]);
    for (int i = 0; i < 8; i++)
        part[i] = PAIR(part[i], part[i + 8]);
    for (int i = 0; i < 4; i++)
        part[i] = PAIR(part[i], part[i + 4]);
    return PAIR(PAIR(part[0], part[2]), PAIR(part[1], part[3]));
}
