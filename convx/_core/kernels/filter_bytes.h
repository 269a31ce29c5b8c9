/* Sums over bytes, in rows and along lines. A vector of bytes is one of 16-bit numbers as well, two
   bytes in each: these are split by a mask and a shift, summed, and put together again, so that nothing
   has to change its place.

   A mean is its sum divided and rounded down, as in SciPy. A weighted sum with integers is what a byte
   holds of it, so that it is computed modulo 256 from the beginning, weights as well. */

typedef uint16_t NAME(pairs) __attribute__((vector_size(VECTOR_BYTES)));
typedef uint16_t NAME(loose_pairs)
    __attribute__((vector_size(VECTOR_BYTES), aligned(1), may_alias));

#define PAIRS_AT(from) (*(const NAME(loose_pairs) *)(from))

/* Sums of the even and of the odd bytes. */
typedef struct {
    NAME(pairs) even, odd;
} NAME(byte_sums);

/* How sums are divided by the taps: multiplied by factor / 2^16, then shifted. The factor is rounded up,
   by less than 1. Of n bytes that adds less than 255 n / 2^(16 + shift) to a mean, which is less than
   what is missing to the next integer, 1 / n, for 2 to 128 bytes, as n / 2 is 2^shift at most. */
typedef struct {
    uint16_t factor;
    int shift;
} NAME(quotient);

CX_INLINE NAME(quotient) NAME(quotient_by)(int64_t taps)
{
    NAME(quotient) by = {.shift = 0};
    while ((2 << by.shift) < taps)
        by.shift++;
    by.factor = (uint16_t)((((int64_t)1 << (16 + by.shift)) + taps - 1) / taps);
    return by;
}

/* Compilers know the instruction for the upper halves of products, but only in such a loop. */
CX_INLINE NAME(pairs) NAME(divided)(NAME(quotient) by, NAME(pairs) sum)
{
    NAME(pairs) found = {0};
    uint16_t __attribute__((aligned(VECTOR_BYTES))) one[LANES / 2], half[LANES / 2];
    __builtin_memcpy(one, &sum, sizeof(sum));
    for (int i = 0; i < LANES / 2; i++)
        half[i] = (uint16_t)((uint32_t)one[i] * by.factor >> 16);
    __builtin_memcpy(&found, half, sizeof(found));
    return found >> by.shift;
}

CX_INLINE NAME(vector) NAME(byte_means)(NAME(quotient) by, NAME(byte_sums) sum)
{
    return (NAME(vector))(NAME(divided)(by, sum.even) | NAME(divided)(by, sum.odd) << 8);
}

/* Weighted bytes are summed where they are: what is beyond a byte is of no interest. */
CX_INLINE void NAME(add_weighted)(NAME(byte_sums) *sum, uint16_t weight, NAME(pairs) x)
{
    sum->even += weight * x;
    sum->odd += weight * (x & 0xff00);
}

CX_INLINE NAME(vector) NAME(weighted_bytes)(NAME(byte_sums) sum)
{
    return (NAME(vector))((sum.even & 0xff) | sum.odd);
}

#define EACH_VECTOR CX_UNROLL for (int v = 0; v < vectors; v++)

/* Means of windows of neighbouring rows, for columns of `vectors` vectors: the next row is added, the
   first one is taken away again, which leaves nothing behind in integers. */
CX_INLINE void NAME(down_mean_block)(const int vectors, NAME(quotient) by, T *const *to,
                                     const T *const *from, int64_t taps, int64_t rows, int64_t at)
{
    NAME(byte_sums) sum[4];
    EACH_VECTOR sum[v] = (NAME(byte_sums)){{0}, {0}};
    for (int64_t r = 1 - taps; r < rows; r++) {
        EACH_VECTOR
        {
            NAME(pairs) next = PAIRS_AT(from[r + taps - 1] + at + v * LANES);
            sum[v].even += next & 0xff;
            sum[v].odd += next >> 8;
        }
        if (r < 0)
            continue;
        EACH_VECTOR
        {
            NAME(pairs) first = PAIRS_AT(from[r] + at + v * LANES);
            *(NAME(loose) *)(to[r] + at + v * LANES) = NAME(byte_means)(by, sum[v]);
            sum[v].even -= first & 0xff;
            sum[v].odd -= first >> 8;
        }
    }
}

/* Rows that are shorter than a vector. */
static void NAME(down_mean_short)(T *const *to, const T *const *from, int64_t taps, int64_t rows,
                                  int64_t length)
{
    for (int64_t i = 0; i < length; i++) {
        int32_t sum = 0;
        for (int64_t t = 0; t < taps - 1; t++)
            sum += from[t][i];
        for (int64_t r = 0; r < rows; r++) {
            sum += from[r + taps - 1][i];
            to[r][i] = (T)(sum / (int32_t)taps);
            sum -= from[r][i];
        }
    }
}

static CX_NOINLINE void NAME(down_mean)(const cx_filter_axis *axis, T *const *to,
                                        const T *const *from, int64_t rows, int64_t length)
{
    NAME(quotient) by = NAME(quotient_by)(axis->taps);
    int64_t i = 0;
    if (length < LANES) {
        NAME(down_mean_short)(to, from, axis->taps, rows, length);
        return;
    }
    for (; i + 4 * LANES <= length; i += 4 * LANES)
        NAME(down_mean_block)(4, by, to, from, axis->taps, rows, i);
    for (; i < length; i += LANES)
        NAME(down_mean_block)(1, by, to, from, axis->taps, rows, cx_min(i, length - LANES));
}

/* Sums of `taps` bytes of a line from each one on. Those from an even and from the next one have all
   between in common. */
CX_INLINE NAME(byte_sums) NAME(line_sums)(const T *line, int64_t taps)
{
    int64_t last = taps & ~(int64_t)1;
    NAME(pairs) x = PAIRS_AT(line), common = x >> 8;
    NAME(byte_sums) sum = {.even = x & 0xff};
    for (int64_t t = 2; t < last; t += 2) {
        x = PAIRS_AT(line + t);
        common += (x & 0xff) + (x >> 8);
    }
    x = PAIRS_AT(line + last);
    sum.even += common;
    sum.odd = common + (x & 0xff);
    if (taps % 2) {
        sum.even += x & 0xff;
        sum.odd += x >> 8;
    }
    return sum;
}

CX_INLINE NAME(byte_sums) NAME(line_sums_apart)(const T *line, int64_t taps, int64_t step)
{
    NAME(byte_sums) sum = {{0}, {0}};
    for (int64_t t = 0; t < taps; t++) {
        NAME(pairs) x = PAIRS_AT(line + t * step);
        sum.even += x & 0xff;
        sum.odd += x >> 8;
    }
    return sum;
}

/* Outputs of a row, a vector at a time: the last one takes some once more; shorter rows are made in
   memory of their own. BYTES(i) is the vector from i on; inputs may be read beyond. */
#define EACH_BYTES(to, length, BYTES)                                                             \
    if ((length) < LANES) {                                                                       \
        NAME(vector) short_row = BYTES(0);                                                        \
        __builtin_memcpy(to, &short_row, length);                                                 \
    } else                                                                                        \
        for (int64_t at = 0; at < (length); at += LANES) {                                        \
            int64_t i = cx_min(at, (length) - LANES);                                             \
            *(NAME(loose) *)((to) + i) = BYTES(i);                                                \
        }

static CX_NOINLINE void NAME(along_mean)(const cx_filter_axis *axis, T *restrict to, const T *line,
                                         int64_t step, int64_t length)
{
    NAME(quotient) by = NAME(quotient_by)(axis->taps);
    int64_t taps = axis->taps;
#define NEAR(i) NAME(byte_means)(by, NAME(line_sums)(line + i, taps))
#define APART(i) NAME(byte_means)(by, NAME(line_sums_apart)(line + i, taps, step))
    if (step == 1)
        EACH_BYTES(to, length, NEAR)
    else
        EACH_BYTES(to, length, APART)
#undef NEAR
#undef APART
}

/* Where weighted bytes are: in rows, along a line, or at places of a footprint. */
typedef struct {
    const T *const *rows;
    const T *line;
    const int64_t *offsets;
    int64_t step;
} NAME(byte_taps);

CX_INLINE const T *NAME(byte_tap)(NAME(byte_taps) of, int64_t t)
{
    if (of.rows)
        return of.rows[t * of.step];
    return of.line + (of.offsets ? of.offsets[t] : t * of.step);
}

CX_INLINE void NAME(weighted_block)(const int vectors, const int more, NAME(byte_taps) of,
                                    const T *weights, int64_t taps, T *to, int64_t i)
{
    NAME(byte_sums) sum[4];
    EACH_VECTOR sum[v] = (NAME(byte_sums)){{0}, {0}};
    for (int64_t t = 0; t < taps; t++) {
        const T *x = NAME(byte_tap)(of, t) + i;
        EACH_VECTOR NAME(add_weighted)(&sum[v], weights[t], PAIRS_AT(x + v * LANES));
    }
    EACH_VECTOR
    {
        NAME(loose) *result = (NAME(loose) *)(to + i + v * LANES);
        *result = NAME(weighted_bytes)(sum[v]) + (more ? *result : (NAME(loose)){0});
    }
}

/* Weighted sums of a row of outputs, or `more` of them for sums that are there. */
CX_INLINE void NAME(weighted_row)(const int more, NAME(byte_taps) of, const T *weights, int64_t taps,
                                  T *to, int64_t length)
{
    int64_t i = 0;
    for (; i + 4 * LANES <= length; i += 4 * LANES)
        NAME(weighted_block)(4, more, of, weights, taps, to, i);
    for (; i + LANES <= length; i += LANES)
        NAME(weighted_block)(1, more, of, weights, taps, to, i);
    if (i < length && length >= LANES && !more) {
        NAME(weighted_block)(1, 0, of, weights, taps, to, length - LANES);
        return;
    }
    for (; i < length; i++) {
        uint32_t sum = more ? to[i] : 0;
        for (int64_t t = 0; t < taps; t++)
            sum += (uint32_t)weights[t] * NAME(byte_tap)(of, t)[i];
        to[i] = (T)sum;
    }
}

static CX_NOINLINE void NAME(down_weights)(const cx_filter_axis *axis, T *const *to,
                                           const T *const *from, int64_t rows, int64_t length)
{
    for (int64_t r = 0; r < rows; r++) {
        NAME(byte_taps) of = {.rows = from + r, .step = axis->dilation};
        NAME(weighted_row)(0, of, axis->weights, axis->taps, to[r], length);
    }
}

static CX_NOINLINE void NAME(along_weights)(const cx_filter_axis *axis, T *to, const T *line,
                                            int64_t step, int64_t length, const T *ahead)
{
    NAME(byte_taps) of = {.line = line, .step = step};
    (void)ahead;
    NAME(weighted_row)(0, of, axis->weights, axis->taps, to, length);
}

static CX_NOINLINE void NAME(along_more_weights)(const cx_filter_axis *axis, T *to, const T *line,
                                                 int64_t step, int64_t length, const T *ahead)
{
    NAME(byte_taps) of = {.line = line, .step = step};
    (void)ahead;
    NAME(weighted_row)(1, of, axis->weights, axis->taps, to, length);
}

static CX_NOINLINE void NAME(footprint_weights)(const cx_footprint_job *job, const T *x, T *to)
{
    NAME(byte_taps) of = {.line = x, .offsets = job->offsets};
    NAME(weighted_row)(0, of, job->weights, job->taps, to, job->length);
}

#undef EACH_BYTES
#undef EACH_VECTOR
#undef PAIRS_AT
