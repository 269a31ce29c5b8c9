/* Windows of any shape: every tap is the place of an element, counted from where the row begins. */

#if IS_FLOAT
CX_INLINE void NAME(footprint_sums)(const int vectors, const int exact,
                                    const cx_footprint_job *job, const T *x, T *to)
{
    const T *weights = job->weights;
    NAME(vector) sum[4];
    CX_UNROLL
    for (int v = 0; v < vectors; v++)
        sum[v] = (NAME(vector)){0};
    for (int64_t t = 0; t < job->taps; t++)
        CX_UNROLL
        for (int v = 0; v < vectors; v++) {
            NAME(vector) one = *(const NAME(loose) *)(x + job->offsets[t] + v * LANES);
            one *= weights[t];
            if (exact)
                CX_HOLD(one);
            sum[v] += one;
        }
    CX_UNROLL
    for (int v = 0; v < vectors; v++)
        *(NAME(loose) *)(to + v * LANES) = sum[v];
}
#endif

/* Extrema of a stretch of a row, which stays in L1. */
CX_INLINE void NAME(footprint_extrema)(const int what, const int weighted,
                                       const cx_footprint_job *job, const T *x, T *restrict to,
                                       int64_t length)
{
    const T *weights = job->weights;
    for (int64_t t = 0; t < job->taps; t++) {
        const T *restrict from = x + job->offsets[t];
        T added = weighted ? weights[t] : 0;
        if (t == 0)
            for (int64_t i = 0; i < length; i++)
                to[i] = weighted ? from[i] + added : from[i];
        else
            for (int64_t i = 0; i < length; i++)
                to[i] = NAME(filter_pair)(what, 1, to[i], weighted ? from[i] + added : from[i]);
    }
}

CX_INLINE void NAME(footprint_row)(const int what, const int option, const cx_footprint_job *job,
                                   const T *x, T *to)
{
    int64_t i = 0;
    if (what != CX_FILTER_WEIGHTS) {
        for (; i < job->length; i += CX_STRETCH / 4)
            NAME(footprint_extrema)(what, option, job, x + i, to + i,
                                    cx_min(CX_STRETCH / 4, job->length - i));
        return;
    }
#if IS_FLOAT
    for (; i + 4 * LANES <= job->length; i += 4 * LANES)
        NAME(footprint_sums)(4, option, job, x + i, to + i);
    for (; i < job->length; i += LANES)
        NAME(footprint_sums)(1, option, job, x + i, to + i);
#else
    NAME(footprint_weights)(job, x, to);
#endif
}

/* A row of outputs is made in scratch memory, whole vectors of it; x may be read as far. */
static void NAME(sweep_footprint)(const void *given, int64_t first, int64_t end, char *scratch)
{
    const cx_footprint_job *job = given;
    T *row = (T *)scratch;
    for (int64_t piece = first; piece < end; piece++) {
        const T *x = (const T *)job->x + job->starts[piece];
#define ROW(what, option) NAME(footprint_row)(what, option, job, x, row)
        if (job->what == CX_FILTER_MAX && job->weights)
            ROW(CX_FILTER_MAX, 1);
        else if (job->what == CX_FILTER_MAX)
            ROW(CX_FILTER_MAX, 0);
        else if (job->what == CX_FILTER_MIN && job->weights)
            ROW(CX_FILTER_MIN, 1);
        else if (job->what == CX_FILTER_MIN)
            ROW(CX_FILTER_MIN, 0);
        else if (job->exact)
            ROW(CX_FILTER_WEIGHTS, 1);
        else
            ROW(CX_FILTER_WEIGHTS, 0);
#undef ROW
        NAME(row_to)(job->y_type, (char *)job->y + piece * job->length * job->y_item, row,
                     job->length);
    }
}
