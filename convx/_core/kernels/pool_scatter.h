/* Scattering by indices: a plane at a time. */

/* Whether an index is that of an output; else, whether it may not be. */
CX_INLINE int NAME(is_inside)(int64_t at, int64_t outputs)
{
    return (uint64_t)at < (uint64_t)outputs;
}

CX_INLINE int NAME(is_wrong)(int64_t at, int64_t least) { return (at >= 0) | (at < least); }

CX_INLINE void NAME(note_wrong)(const cx_scatter_job *job, int wrong)
{
    if (wrong)
        __atomic_store_n(job->wrong, 1, __ATOMIC_RELAXED);
}

/* x[i] = y[index[i]]; tells whether any element of y was fetched more than once. What is fetched
   next is asked for early, for nobody foresees it. */
static CX_NOINLINE int NAME(fetch)(const cx_scatter_job *job, const int64_t *restrict index,
                                   const T *restrict y, T *restrict x, char *restrict taken)
{
    int64_t inputs = job->plane_size, outputs = job->plane_outputs, least = job->least;
    int again = 0, wrong = 0;
    __builtin_memset(taken, 0, (size_t)outputs);
    for (int64_t i = 0; i < inputs; i++) {
        int64_t at = index[i];
        T fetched = 0;
        if (NAME(is_inside)(at, outputs)) {
            fetched = y[at];
            again |= taken[at];
            taken[at] = 1;
        } else
            wrong |= NAME(is_wrong)(at, least);
        x[i] = fetched;
        __builtin_prefetch(y + index[cx_min(i + CX_FETCHED_AHEAD, inputs - 1)]);
    }
    NAME(note_wrong)(job, wrong);
    return again;
}

/* The same, but of those with one index the last alone has the element: it wrote there last. */
static CX_NOINLINE void NAME(fetch_last)(const cx_scatter_job *job, const int64_t *restrict index,
                                         const T *restrict y, T *restrict x,
                                         int64_t *restrict last)
{
    for (int64_t i = 0; i < job->plane_size; i++)
        if (NAME(is_inside)(index[i], job->plane_outputs))
            last[index[i]] = i;
    for (int64_t i = 0; i < job->plane_size; i++) {
        int is_there = NAME(is_inside)(index[i], job->plane_outputs);
        x[i] = is_there && last[index[i]] == i ? y[index[i]] : 0;
    }
}

CX_INLINE void NAME(scatter_plane)(const cx_scatter_job *job, const int adds,
                                   const int64_t *restrict index, const T *restrict x,
                                   T *restrict y)
{
    int64_t inputs = job->plane_size, outputs = job->plane_outputs, least = job->least;
    int wrong = 0;
    for (int64_t i = 0; i < outputs; i++)
        y[i] = 0;
    for (int64_t i = 0; i < inputs; i++) {
        int64_t at = index[i];
        if (NAME(is_inside)(at, outputs))
            y[at] = adds ? NAME(pool_pair)(CX_POOL_SUM, y[at], x[i]) : x[i];
        else
            wrong |= NAME(is_wrong)(at, least);
    }
    NAME(note_wrong)(job, wrong);
}

static void NAME(sweep_scatter)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_scatter_job *job = of;
    for (int64_t plane = first; plane < end; plane++) {
        const int64_t *index = job->indices + plane * job->plane_size;
        T *x = (T *)job->x + plane * job->plane_size;
        T *y = (T *)job->y + plane * job->plane_outputs;
#if IS_FLOAT
        if (job->cells && NAME(scatter_cells)(job, index, x, y, scratch))
            continue;
#endif
        if (job->how == CX_SCATTER_SET)
            NAME(scatter_plane)(job, 0, index, x, y);
        else if (job->how == CX_SCATTER_ADD)
            NAME(scatter_plane)(job, 1, index, x, y);
        else if (NAME(fetch)(job, index, y, x, scratch))
            NAME(fetch_last)(job, index, y, x, (int64_t *)scratch);
    }
}

#undef EACH_FEW
#undef NEXT
#undef BETTER
#undef PAIR
#undef LEAST
#undef IS_NAN
#undef KEY
#undef NO_KEY
