/* Filters along a line, which has the samples of its border around it: output i takes the elements
   i + t * step of it. */

/* Asks for some elements of a row to come, while memory would have nothing to do. */
CX_INLINE void NAME(ask_for_row)(const T *from, int64_t count)
{
    for (int64_t i = 0; i < count; i += 64 / (int64_t)sizeof(T))
        __builtin_prefetch(from + i);
}

#if IS_FLOAT
/* Mirrored weights fold the line, in the order of `window_block`. */
CX_INLINE void NAME(along_block)(const int vectors, const int more, const int mirrored, T *to,
                                 const T *line, const T *weights, int64_t taps, int64_t step)
{
    NAME(vector) sum[8];
    int64_t last = taps - 1, steps = mirrored ? taps / 2 : taps;
#define EACH_VECTOR CX_UNROLL for (int v = 0; v < vectors; v++)
#define INPUT(t) *(const NAME(loose) *)(line + (t) * step + v * LANES)
    EACH_VECTOR sum[v] = more ? *(NAME(loose) *)(to + v * LANES) : (NAME(loose)){0};
    for (int64_t t = 0; t < steps; t++)
        EACH_VECTOR
        {
            NAME(vector) x = INPUT(t);
            if (mirrored)
                x = mirrored > 0 ? x + INPUT(last - t) : x - INPUT(last - t);
            sum[v] += weights[t] * x;
        }
    if (mirrored)
        EACH_VECTOR sum[v] += weights[steps] * INPUT(steps);
    EACH_VECTOR *(NAME(loose) *)(to + v * LANES) = sum[v];
#undef EACH_VECTOR
#undef INPUT
}

/* Weighted sums, or `more` of them for sums that are there. While they are made, as much from
   `ahead` on is asked for, a row to come: but sums of three floats are made faster than that comes. */
CX_INLINE void NAME(along_sums)(const int more, const int mirrored, T *to, const T *line,
                                const T *weights, int64_t taps, int64_t step, int64_t length,
                                const T *ahead)
{
#define BLOCK(vectors, to) NAME(along_block)(vectors, more, mirrored, to, line + i, weights, taps, step)
    const int asks = sizeof(T) == 8 || taps > 3;
    int64_t i = 0;
    for (; i + 8 * LANES <= length; i += 8 * LANES) {
        if (asks)
            NAME(ask_for_row)(ahead + i, 8 * LANES);
        BLOCK(8, to + i);
    }
    for (; i + 3 * LANES <= length; i += 3 * LANES)
        BLOCK(3, to + i);
    for (; i + LANES <= length; i += LANES)
        BLOCK(1, to + i);
    if (i < length) { /* a line may be read beyond its end */
        T rest[LANES] = {0};
        for (int64_t e = i; more && e < length; e++)
            rest[e - i] = to[e];
        BLOCK(1, rest);
        NAME(store_some)(to + i, *(const NAME(loose) *)rest, length - i);
    }
#undef BLOCK
}

static CX_NOINLINE void NAME(along_weights)(const cx_filter_axis *axis, T *to, const T *line,
                                            int64_t step, int64_t length, const T *ahead)
{
    if (axis->symmetry > 0)
        NAME(along_sums)(0, 1, to, line, axis->weights, axis->taps, step, length, ahead);
    else if (axis->symmetry)
        NAME(along_sums)(0, -1, to, line, axis->weights, axis->taps, step, length, ahead);
    else
        NAME(along_sums)(0, 0, to, line, axis->weights, axis->taps, step, length, ahead);
}

static CX_NOINLINE void NAME(along_more_weights)(const cx_filter_axis *axis, T *to, const T *line,
                                                 int64_t step, int64_t length, const T *ahead)
{
    NAME(along_sums)(1, 0, to, line, axis->weights, axis->taps, step, length, ahead);
}

/* Sums of three elements of rows, and of three that follow one another on a line, for the outputs from
   `first` to `last`, if they are a vector. Vectors overlap the first and the last one, so that rows
   that are in step with the second are read without crossing cache lines. Returns where it ended. */
static CX_NOINLINE int64_t NAME(crosses)(T *to, const T *const *rows, const T *line, const T *down,
                                         const T *along, int64_t first, int64_t last)
{
    const T *a = rows[0], *b = rows[1], *c = rows[2];
    NAME(vector) weights[6];
    int64_t beyond = (int64_t)((uintptr_t)(b + first) / sizeof(T) % LANES);
    if (last - first < LANES)
        return first;
    CX_UNROLL for (int t = 0; t < 6; t++)
        weights[t] = (NAME(vector)){0} + (t < 3 ? down[t] : along[t - 3]);
    for (int64_t next = first - beyond; next < last; next += LANES) {
        int64_t i = next < first ? first : cx_min(next, last - LANES);
        NAME(vector) sum = {0};
#define ADD(t, from) sum += weights[t] * *(const NAME(loose) *)((from) + i)
        ADD(0, a);
        ADD(1, b);
        ADD(2, c);
        ADD(3, line);
        ADD(4, line + 1);
        ADD(5, line + 2);
#undef ADD
        *(NAME(loose) *)(to + i) = sum;
    }
    return last;
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

/* Windows of three to six parts that follow one another. */
CX_INLINE void NAME(joined_along)(const int what, const int exact, T *restrict to, const T *line,
                                  int64_t parts, int64_t step, int64_t length)
{
    const T *a = line, *b = line + step, *c = b + step, *d = c + step * (parts > 3),
            *e = d + step * (parts > 4), *f = e + step * (parts > 5);
#define FOUR PAIR(PAIR(a[i], b[i]), PAIR(c[i], d[i]))
    if (parts == 3)
        EACH(to[i] = PAIR(PAIR(a[i], b[i]), c[i]))
    else if (parts == 4)
        EACH(to[i] = FOUR)
    else if (parts == 5)
        EACH(to[i] = PAIR(FOUR, e[i]))
    else
        EACH(to[i] = PAIR(FOUR, PAIR(e[i], f[i])))
#undef FOUR
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

/* A window is put together of shorter ones: of equal ones, or of 1, 4, 16 … taps; sums of parts that
   follow one another, extrema of as few as cover it. The parts' lines are `pitch` apart in
   `scratch`. */
CX_INLINE void NAME(along_window)(const int what, const int exact, T *restrict to, const T *line,
                                  int64_t taps, int64_t step, int64_t length, int64_t pitch,
                                  T *scratch)
{
    NAME(mean) mean_of = {.factor = (T)(1 / (double)taps), .taps = (T)taps}, *mean = &mean_of;
    const T *level[CX_FILTER_LEVELS], *part[4 * CX_FILTER_LEVELS];
    const int8_t *joined = what == CX_FILTER_MEAN ? cx_joined_sums : cx_joined_extrema;
    int64_t equal = taps <= CX_JOINED_TAPS ? joined[taps] : 0, factor = equal ? equal : 4;
    int top = 0, last = equal ? 1 : CX_FILTER_LEVELS - 1;
    int64_t size = 1, parts = 0;
    level[0] = line;
    for (int p = 0; p < 7; p++) /* those that are named below; to clear all takes long */
        part[p] = line;
    while (taps > 7 && factor * size <= taps && top < last) {
        T *next = scratch + top * pitch;
        NAME(joined_along)(what, exact, next, level[top], factor, size * step,
                           length + (taps - factor * size) * step);
        level[++top] = next;
        size *= factor;
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
                size /= factor, top--;
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

#if IS_FLOAT
/* Means. Those of doubles are made some at a time, and the row to come is asked for between; others are
   made faster than it comes. */
#define CX_MEANS_AT_ONCE 256
CX_INLINE void NAME(along_means)(const int exact, const cx_filter_axis *axis, T *to, const T *line,
                                 int64_t step, int64_t length, const T *ahead, int64_t pitch,
                                 T *scratch)
{
    const int asks = sizeof(T) == 8;
    int64_t longer = axis->taps > 7 ? 2 : 1; /* parts of windows are made anew each time */
    int64_t part = asks ? longer * CX_MEANS_AT_ONCE : length;
    for (int64_t at = 0; at < length; at += part) {
        int64_t count = cx_min(part, length - at);
        if (asks)
            NAME(ask_for_row)(ahead + at, count);
        NAME(along_window)(CX_FILTER_MEAN, exact, to + at, line + at, axis->taps, step, count, pitch,
                           scratch);
    }
}
#endif

/* What an axis asks for. Scratch memory has room for CX_FILTER_LEVELS + 1 lines, `pitch` apart. */
static CX_NOINLINE void NAME(filter_along)(const cx_filter_axis *axis, int64_t exact, T *to,
                                           const T *line, int64_t step, int64_t length,
                                           const T *ahead, int64_t pitch, T *scratch)
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
        NAME(along_means)(1, axis, to, line, step, length, ahead, pitch, scratch);
    else if (axis->what == CX_FILTER_MEAN)
        NAME(along_means)(0, axis, to, line, step, length, ahead, pitch, scratch);
    else if (exact)
        NAME(along_exact)(axis, to, line, step, length);
    else
        NAME(along_weights)(axis, to, line, step, length, ahead);
#else
    else if (axis->what == CX_FILTER_WEIGHTS)
        NAME(along_weights)(axis, to, line, step, length, ahead);
    else
        NAME(along_mean)(axis, to, line, step, length);
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
