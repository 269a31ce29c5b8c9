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
