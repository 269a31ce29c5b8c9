/* Pooling of one window of neighbours, and divisors of windows. */

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

#if IS_FLOAT && LANES >= 8 && defined CX_PICK && defined CX_JOIN
/* The 16 parts of a stretch of `whole` elements, as 8. */
CX_INLINE NAME(parts_8) NAME(eight_parts)(const T *x, int64_t whole)
{
    NAME(parts_8) low = *(const NAME(parts_8) *)x, high = *(const NAME(parts_8) *)(x + 8);
    for (int64_t t = 16; t < whole; t += 16) {
        low += *(const NAME(parts_8) *)(x + t);
        high += *(const NAME(parts_8) *)(x + t + 8);
    }
    return low + high;
}

/* The halves of two vectors added up, those of halves of them, and so on: the sums of stretches lie in
   their order at last if vectors come together as by `sums_of_eight`. */
CX_INLINE NAME(parts_8) NAME(four_parts)(NAME(parts_8) a, NAME(parts_8) b)
{
    return CX_SHUFFLE(a, b, 4, 5, 6, 7, 8, 9, 10, 11) +
           CX_SHUFFLE(a, b, 0, 1, 2, 3, 12, 13, 14, 15);
}

CX_INLINE NAME(parts_8) NAME(two_parts)(NAME(parts_8) a, NAME(parts_8) b)
{
    return CX_SHUFFLE(a, b, 2, 3, 8, 9, 6, 7, 12, 13) +
           CX_SHUFFLE(a, b, 0, 1, 10, 11, 4, 5, 14, 15);
}

CX_INLINE NAME(parts_8) NAME(one_part)(NAME(parts_8) a, NAME(parts_8) b)
{
    return CX_SHUFFLE(a, b, 0, 2, 8, 10, 4, 6, 12, 14) +
           CX_SHUFFLE(a, b, 1, 3, 9, 11, 5, 7, 13, 15);
}

CX_INLINE NAME(parts_8) NAME(each_eighth)(const T *x, int64_t size)
{
    const T *y = x + 4 * size;
    return (NAME(parts_8)){x[0], x[size], x[2 * size], x[3 * size],
                           y[0], y[size], y[2 * size], y[3 * size]};
}

/* Sums of stretches, eight at a time, in the order of `sum_stretch`, most of whose time goes into the last
   parts. All have `whole` elements and up to two more. Returns how many stretches there are sums of. */
CX_INLINE int64_t NAME(sums_of_eight)(const T *x, int64_t size, int64_t whole, int64_t more,
                                      int64_t stretches, T *y)
{
    int64_t n = 0;
    for (; n + 8 <= stretches; n += 8, x += 8 * size) {
        NAME(parts_8) four[4], last = {0};
        CX_UNROLL for (int i = 0; i < 4; i++)
            four[i] = NAME(four_parts)(NAME(eight_parts)(x + i * size, whole),
                                       NAME(eight_parts)(x + (i + 4) * size, whole));
        for (int64_t i = 0; i < more; i++)
            last += NAME(each_eighth)(x + whole + i, size);
        *(NAME(parts_8) *)(y + n) = NAME(one_part)(NAME(two_parts)(four[0], four[1]),
                                                   NAME(two_parts)(four[2], four[3])) + last;
    }
    return n;
}

/* As many of the first stretches as go together; returns how many. */
static CX_NOINLINE int64_t NAME(sums_of_many)(const T *x, int64_t size, int64_t count,
                                              int64_t stretches, T *y)
{
    if (count == 49) /* planes of 7 by 7, as at the end of most networks */
        return NAME(sums_of_eight)(x, size, 48, 1, stretches, y);
    if (count >= 16 && count % 16 <= 2)
        return NAME(sums_of_eight)(x, size, count / 16 * 16, count % 16, stretches, y);
    return 0;
}
#else
CX_INLINE int64_t NAME(sums_of_many)(const T *x, int64_t size, int64_t count, int64_t stretches, T *y)
{
    return 0; /* none at a time */
}
#endif

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
static CX_NOINLINE void NAME(divide_all)(T divisor, int64_t outputs, T *restrict y)
{
    NAME(division) by = NAME(division_by)(divisor);
    if (by.how == CX_SCALES)
        for (int64_t o = 0; o < outputs; o++)
            y[o] *= by.inverse;
    else if (by.how == CX_CORRECTS && outputs >= CX_LONG_ROW)
        NAME(divide_line)(y, outputs, by, y);
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
