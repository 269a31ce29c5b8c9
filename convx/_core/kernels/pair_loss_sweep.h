/* Losses of pairs of elements, input and target, or both of their derivatives: one row each in a
   table. `p` is the weight of what is positive, for those losses that have one.

   Losses are added up in double precision, element i of a stretch by the sum i mod 16 of 16, and
   the stretches' sums in their order: that depends on no vector's width and on no threads. */

/* As in PyTorch, so that a wrong certainty costs a finite loss and has a finite slope. */
#define LEAST_LOG (-100)
#define LEAST_SPREAD ((T)1e-12)

CX_INLINE NAME(vector) NAME(squared_loss)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                          const T *given)
{
    return (x - t) * (x - t);
}

CX_INLINE void NAME(squared_loss_slopes)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                         const T *given, NAME(vector) *slopes)
{
    slopes[0] = 2 * (x - t);
    slopes[1] = -slopes[0];
}

CX_INLINE NAME(vector) NAME(absolute_loss)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                           const T *given)
{
    return NAME(size)(x - t);
}

CX_INLINE void NAME(absolute_loss_slopes)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                          const T *given, NAME(vector) *slopes)
{
    NAME(vector) d = x - t, one = 1 - NAME(zero)();
    NAME(vector) unless_positive = NAME(select)((NAME(mask))(d < 0), -one, d);
    slopes[0] = NAME(select)((NAME(mask))(d > 0), one, unless_positive);
    slopes[1] = -slopes[0];
}

/* given: delta, and a scale. Both d * d / 2 and delta * (|d| - delta / 2) are least * (|d| - least / 2)
   with the lesser of |d| and delta. */
CX_INLINE NAME(vector) NAME(huber_loss)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                        const T *given)
{
    NAME(vector) size = NAME(size)(x - t), least = NAME(at_most)(size, given[0]);
    return (size - least * (T)0.5) * least * given[1];
}

CX_INLINE void NAME(huber_loss_slopes)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                       const T *given, NAME(vector) *slopes)
{
    slopes[0] = NAME(at_most)(NAME(at_least)(x - t, -given[0]), given[0]) * given[1];
    slopes[1] = -slopes[0];
}

CX_INLINE NAME(vector) NAME(probability_loss)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                              const T *given)
{
    NAME(vector) own = NAME(at_least)(NAME(log_of_share)(x), LEAST_LOG);
    NAME(vector) other = NAME(at_least)(NAME(log_of_rest)(x), LEAST_LOG);
    return (t - 1) * other - t * own;
}

CX_INLINE void NAME(probability_loss_slopes)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                             const T *given, NAME(vector) *slopes)
{
    slopes[0] = (x - t) / NAME(at_least)(x * (1 - x), LEAST_SPREAD);
    slopes[1] = NAME(log_of_rest)(x) - NAME(log_of_share)(x);
}

CX_INLINE NAME(vector) NAME(logit_loss)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                        const T *given)
{
    return (1 - t) * x - NAME(logsigmoid)(x, given);
}

CX_INLINE void NAME(logit_loss_slopes)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                       const T *given, NAME(vector) *slopes)
{
    slopes[0] = NAME(logistic)(x) - t;
    slopes[1] = -x;
}

CX_INLINE NAME(vector) NAME(weighted_logit_loss)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                                 const T *given)
{
    return (1 - t) * x - ((p - 1) * t + 1) * NAME(logsigmoid)(x, given);
}

CX_INLINE void NAME(weighted_logit_loss_slopes)(NAME(vector) x, NAME(vector) t, NAME(vector) p,
                                                const T *given, NAME(vector) *slopes)
{
    slopes[0] = (1 - t) - ((p - 1) * t + 1) * NAME(logistic)(-x);
    slopes[1] = -x - (p - 1) * NAME(logsigmoid)(x, given);
}

#define EACH_PAIR_LOSS(X)                                                                         \
    X(CX_SQUARED_LOSS, squared_loss) X(CX_ABSOLUTE_LOSS, absolute_loss)                           \
    X(CX_HUBER_LOSS, huber_loss) X(CX_PROBABILITY_LOSS, probability_loss)                         \
    X(CX_LOGIT_LOSS, logit_loss) X(CX_WEIGHTED_LOGIT_LOSS, weighted_logit_loss)

/* Where the operands of a stretch begin; those that are left out are NULL. */
typedef struct {
    const T *of[CX_PAIR_OPERANDS];
    T given[2], less, factor;
} NAME(pairs);

CX_INLINE NAME(pairs) NAME(pairs_of)(const cx_pair_job *job, int64_t first)
{
    NAME(pairs) pairs = {.given = {(T)job->given[0], (T)job->given[1]},
                         .less = (T)job->less,
                         .factor = (T)job->factor};
    for (int k = 0; k < CX_PAIR_OPERANDS; k++) {
        const T *elements = job->operand[k].elements;
        pairs.of[k] = elements ? elements + job->operand[k].step * first : 0;
    }
    return pairs;
}

CX_INLINE NAME(vector) NAME(load_pair)(const NAME(pairs) *pairs, const int operand, int64_t i,
                                       int64_t count)
{
    return NAME(load_some)(pairs->of[operand] + i, count);
}

/* (v - less), times weight and gradient. */
CX_INLINE NAME(vector) NAME(times_others)(const NAME(pairs) *pairs, NAME(vector) v, int64_t i,
                                          int64_t count)
{
    v -= pairs->less;
    if (pairs->of[CX_PAIR_WEIGHT])
        v *= NAME(load_pair)(pairs, CX_PAIR_WEIGHT, i, count);
    if (pairs->of[CX_PAIR_GRAD])
        v *= NAME(load_pair)(pairs, CX_PAIR_GRAD, i, count);
    return v * pairs->factor;
}

CX_INLINE NAME(vector) NAME(pair_loss)(const int loss, const NAME(pairs) *pairs, int64_t i,
                                       int64_t count)
{
    NAME(vector) x = NAME(load_pair)(pairs, CX_PAIR_INPUT, i, count), v = x, p = x;
    NAME(vector) t = NAME(load_pair)(pairs, CX_PAIR_TARGET, i, count);
    if (loss == CX_WEIGHTED_LOGIT_LOSS)
        p = NAME(load_pair)(pairs, CX_PAIR_POSITIVE, i, count);
    switch (loss) {
#define TAKE(LOSS, name)                                                                          \
    case LOSS:                                                                                    \
        v = NAME(name)(x, t, p, pairs->given);                                                    \
        break;
        EACH_PAIR_LOSS(TAKE)
#undef TAKE
    }
    return NAME(times_others)(pairs, v, i, count);
}

CX_INLINE void NAME(pair_slopes)(const int loss, const NAME(pairs) *pairs, int64_t i,
                                 int64_t count, T *const *y)
{
    NAME(vector) x = NAME(load_pair)(pairs, CX_PAIR_INPUT, i, count), p = x, slopes[2] = {x, x};
    NAME(vector) t = NAME(load_pair)(pairs, CX_PAIR_TARGET, i, count);
    if (loss == CX_WEIGHTED_LOGIT_LOSS)
        p = NAME(load_pair)(pairs, CX_PAIR_POSITIVE, i, count);
    switch (loss) {
#define TAKE(LOSS, name)                                                                          \
    case LOSS:                                                                                    \
        NAME(name##_slopes)(x, t, p, pairs->given, slopes);                                       \
        break;
        EACH_PAIR_LOSS(TAKE)
#undef TAKE
    }
    for (int k = 0; k < 2; k++)
        if (y[k])
            NAME(store_some)(y[k] + i, NAME(times_others)(pairs, slopes[k], i, count), count);
}

CX_INLINE double NAME(sum_pairs)(const int loss, const NAME(pairs) *pairs, int64_t length)
{
    NAME(sums) sums[SUM_VECTORS] = {{0}};
    for (int64_t i = 0; i < length; i += SUM_LANES) {
        T losses[SUM_LANES];
        if (i + SUM_LANES <= length)
            for (int k = 0; k < SUM_LANES; k += LANES)
                NAME(store_some)(losses + k, NAME(pair_loss)(loss, pairs, i + k, LANES), LANES);
        else
            for (int k = 0; k < SUM_LANES; k++) /* what is missing adds nothing */
                losses[k] = i + k < length ? NAME(pair_loss)(loss, pairs, i + k, 1)[0] : 0;
        for (int v = 0; v < SUM_VECTORS; v++)
            sums[v] += NAME(widened)(losses + v * SUM_STEP);
    }
    return NAME(fold_lanes)(sums);
}

CX_INLINE void NAME(pair_stretches)(const int loss, const int slopes, const cx_pair_job *job,
                                    int64_t first, int64_t end)
{
    for (int64_t stretch = first; stretch < end; stretch++) {
        int64_t from = stretch * CX_STRETCH, length = cx_min(CX_STRETCH, job->length - from);
        int64_t whole = length / LANES * LANES;
        NAME(pairs) pairs = NAME(pairs_of)(job, from);
        T *y[2];
        for (int k = 0; k < 2; k++)
            y[k] = job->y[k] ? (T *)job->y[k] + from : 0;
        if (slopes) {
            for (int64_t i = 0; i < whole; i += LANES)
                NAME(pair_slopes)(loss, &pairs, i, LANES, y);
            if (whole < length)
                NAME(pair_slopes)(loss, &pairs, whole, length - whole, y);
        } else if (y[0]) {
            for (int64_t i = 0; i < whole; i += LANES)
                NAME(store_some)(y[0] + i, NAME(pair_loss)(loss, &pairs, i, LANES), LANES);
            if (whole < length)
                NAME(store_some)(y[0] + whole,
                                 NAME(pair_loss)(loss, &pairs, whole, length - whole),
                                 length - whole);
        } else
            job->sums[stretch] = NAME(sum_pairs)(loss, &pairs, length);
    }
}

#define DEFINE_PAIR_SWEEP(NAMED, SLOPES)                                                          \
    static void NAMED(const void *of, int64_t first, int64_t end, char *scratch)                  \
    {                                                                                             \
        const cx_pair_job *job = of;                                                              \
        (void)scratch;                                                                            \
        switch (job->loss) {                                                                      \
            EACH_PAIR_LOSS(SLOPES)                                                                \
        }                                                                                         \
    }
#define LOSSES(LOSS, name)                                                                        \
    case LOSS:                                                                                    \
        NAME(pair_stretches)(LOSS, 0, job, first, end);                                           \
        break;
#define SLOPES(LOSS, name)                                                                        \
    case LOSS:                                                                                    \
        NAME(pair_stretches)(LOSS, 1, job, first, end);                                           \
        break;
DEFINE_PAIR_SWEEP(NAME(sweep_pair_loss), LOSSES)
DEFINE_PAIR_SWEEP(NAME(sweep_pair_slopes), SLOPES)

#undef DEFINE_PAIR_SWEEP
#undef LOSSES
#undef SLOPES
#undef EACH_PAIR_LOSS
#undef LEAST_LOG
#undef LEAST_SPREAD
#undef SUM_LANES
#undef SUM_VECTORS
#undef SUM_STEP
