/* Filters along a line, which has the samples of its border around it: output i takes the elements
   i + t * step of it. */

#if IS_FLOAT
CX_INLINE void NAME(along_block)(const int vectors, const int more, T *to, const T *line,
                                 const T *weights, int64_t taps, int64_t step)
{
    NAME(vector) sum[8];
    CX_UNROLL
    for (int v = 0; v < vectors; v++)
        if (more)
            sum[v] = *(const NAME(loose) *)(to + v * LANES);
        else
            sum[v] = (NAME(vector)){0};
    for (int64_t t = 0; t < taps; t++) {
        const T *from = line + t * step;
        CX_UNROLL
        for (int v = 0; v < vectors; v++)
            sum[v] += weights[t] * *(const NAME(loose) *)(from + v * LANES);
    }
    CX_UNROLL
    for (int v = 0; v < vectors; v++)
        *(NAME(loose) *)(to + v * LANES) = sum[v];
}

/* Weighted sums, or `more` of them for sums that are there. */
CX_INLINE void NAME(along_sums)(const int more, T *to, const T *line, const T *weights,
                                int64_t taps, int64_t step, int64_t length)
{
    int64_t i = 0;
    for (; i + 8 * LANES <= length; i += 8 * LANES)
        NAME(along_block)(8, more, to + i, line + i, weights, taps, step);
    for (; i + 3 * LANES <= length; i += 3 * LANES)
        NAME(along_block)(3, more, to + i, line + i, weights, taps, step);
    for (; i + LANES <= length; i += LANES)
        NAME(along_block)(1, more, to + i, line + i, weights, taps, step);
    if (i < length) { /* a line may be read beyond its end */
        T rest[LANES] = {0};
        for (int64_t e = i; more && e < length; e++)
            rest[e - i] = to[e];
        NAME(along_block)(1, more, rest, line + i, weights, taps, step);
        NAME(store_some)(to + i, *(const NAME(loose) *)rest, length - i);
    }
}

static CX_NOINLINE void NAME(along_weights)(T *to, const T *line, const T *weights, int64_t taps,
                                            int64_t step, int64_t length)
{
    NAME(along_sums)(0, to, line, weights, taps, step, length);
}

static CX_NOINLINE void NAME(along_more_weights)(T *to, const T *line, const T *weights,
                                                 int64_t taps, int64_t step, int64_t length)
{
    NAME(along_sums)(1, to, line, weights, taps, step, length);
}

#define INPUT(t) *(const NAME(loose) *)(line + i + (t) * step)
static CX_NOINLINE void NAME(along_exact)(const cx_filter_axis *axis, T *to, const T *line,
                                          int64_t step, int64_t length)
{
    const T *weights = axis->weights;
    int64_t taps = axis->taps;
    for (int64_t i = 0; i < length; i += LANES) {
        EXACT_SUM
        NAME(store_some)(to + i, sum, length - i);
    }
}
#undef INPUT
#endif

CX_INLINE void NAME(four_along)(const int what, const int exact, T *restrict to, const T *line, int64_t step,
                                int64_t length)
{
    const T *a = line, *b = line + step, *c = b + step, *d = c + step;
    EACH(to[i] = PAIR(PAIR(a[i], b[i]), PAIR(c[i], d[i])))
}

/* More than four parts of windows; `some` is a line of scratch memory. */
CX_INLINE void NAME(many_parts)(const int what, const int exact, const NAME(mean) *mean,
                                T *restrict to, const T *const *part, int64_t parts,
                                int64_t length, T *restrict some)
{
    const T *a = part[0], *b = part[1], *c = part[2], *d = part[3], *e = part[4],
            *f = part[5 - (parts < 6)], *g = part[6 - 2 * (parts < 7)];
#define FOUR PAIR(PAIR(a[i], b[i]), PAIR(c[i], d[i]))
    if (parts == 5)
        EACH(to[i] = DONE(PAIR(FOUR, e[i])))
    else if (parts == 6)
        EACH(to[i] = DONE(PAIR(FOUR, PAIR(e[i], f[i]))))
    else if (parts == 7)
        EACH(to[i] = DONE(PAIR(FOUR, PAIR(PAIR(e[i], f[i]), g[i]))))
    else {
        EACH(some[i] = FOUR)
        for (int64_t p = 4; p < parts - 1; p++)
            NAME(combine_more)(what, exact, some, part[p], length);
        NAME(finish_pair)(what, exact, mean, to, some, part[parts - 1], length);
    }
#undef FOUR
}

/* A window is put together of windows of 1, 4, 16 … taps: sums of parts that follow one another,
   extrema of as few as cover it. The parts' lines are `pitch` apart in `scratch`. */
CX_INLINE void NAME(along_window)(const int what, const int exact, T *restrict to, const T *line,
                                  int64_t taps, int64_t step, int64_t length, int64_t pitch,
                                  T *scratch)
{
    NAME(mean) mean_of = {.factor = (T)(1 / (double)taps), .taps = (T)taps}, *mean = &mean_of;
    const T *level[CX_FILTER_LEVELS] = {line}, *part[4 * CX_FILTER_LEVELS] = {line};
    int64_t size = 1, parts = 0;
    int top = 0;
    while (taps > 4 && 4 * size <= taps) {
        T *next = scratch + top * pitch;
        NAME(four_along)(what, exact, next, level[top], size * step, length + (taps - 4 * size) * step);
        level[++top] = next;
        size *= 4;
    }
    int64_t at = 0;
    while (taps - at >= size) {
        part[parts++] = level[top] + at * step;
        at += size;
    }
    if (what != CX_FILTER_MEAN && at < taps)
        part[parts++] = level[top] + (taps - size) * step;
    else
        for (; at < taps; at += size) {
            while (size > taps - at)
                size /= 4, top--;
            part[parts++] = level[top] + at * step;
        }
    const T *a = part[0], *b = part[parts > 1], *c = part[2 * (parts > 2)],
            *d = part[3 * (parts > 3)];
    if (parts == 1)
        EACH(to[i] = DONE(a[i]))
    else if (parts == 2)
        EACH(to[i] = DONE(PAIR(a[i], b[i])))
    else if (parts == 3)
        EACH(to[i] = DONE(PAIR(PAIR(a[i], b[i]), c[i])))
    else if (parts == 4)
        EACH(to[i] = DONE(PAIR(PAIR(a[i], b[i]), PAIR(c[i], d[i]))))
    else
        NAME(many_parts)(what, exact, mean, to, part, parts, length,
                         scratch + CX_FILTER_LEVELS * pitch);
}

/* What an axis asks for. Scratch memory has room for CX_FILTER_LEVELS + 1 lines, `pitch` apart. */
static CX_NOINLINE void NAME(filter_along)(const cx_filter_axis *axis, int64_t exact, T *to,
                                           const T *line, int64_t step, int64_t length,
                                           int64_t pitch, T *scratch)
{
    int64_t taps = axis->taps;
#define WINDOW(what, exact)                                                                       \
    NAME(along_window)(what, exact, to, line, taps, step, length, pitch, scratch)
    if (axis->what == CX_FILTER_MAX && !exact)
        WINDOW(CX_FILTER_MAX, 0);
    else if (axis->what == CX_FILTER_MIN && !exact)
        WINDOW(CX_FILTER_MIN, 0);
#if IS_FLOAT
    else if (axis->what == CX_FILTER_MAX)
        WINDOW(CX_FILTER_MAX, 1);
    else if (axis->what == CX_FILTER_MIN)
        WINDOW(CX_FILTER_MIN, 1);
    else if (axis->what == CX_FILTER_MEAN && exact)
        WINDOW(CX_FILTER_MEAN, 1);
    else if (axis->what == CX_FILTER_MEAN)
        WINDOW(CX_FILTER_MEAN, 0);
    else if (exact)
        NAME(along_exact)(axis, to, line, step, length);
    else
        NAME(along_weights)(to, line, axis->weights, taps, step, length);
#endif
#undef WINDOW
}

#undef EACH
#undef DONE
#undef PAIR
#if IS_FLOAT
#undef EXACT
#undef EXACT_SUM
#endif
