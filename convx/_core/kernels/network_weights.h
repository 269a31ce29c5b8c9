/* Weights as layers read them: [block of filters][channel][tap][filter], or for Winograd's algorithm
   [point][block of filters][channel][filter]. Filters are lanes here too; where there are fewer, the
   other lanes are zeros. */

/* Where the weights of a vector of filters are, and where they go. */
typedef struct {
    const T *from;
    T *to;
    int64_t lanes, width; /* filters that there are, and elements of a block's filters */
} NAME(filters_at);

CX_INLINE NAME(filters_at) NAME(filters_of)(const cx_filters_job *job, int64_t v)
{
    int64_t all = (job->filters + LANES - 1) / LANES, block = v - v % job->vectors;
    return (NAME(filters_at)){
        (const T *)job->weights + v * LANES * job->filter_step,
        (T *)job->packed + block * LANES * job->channels * job->taps + (v - block) * LANES,
        cx_min(LANES, job->filters - v * LANES),
        cx_min(job->vectors, all - block) * LANES,
    };
}

static void NAME(pack_filters)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_filters_job *job = of;
    (void)scratch;
    for (int64_t v = first; v < end; v++) {
        NAME(filters_at) at = NAME(filters_of)(job, v);
        for (int64_t c = 0; c < job->channels; c++, at.from += job->channel_step)
            for (int64_t t = 0; t < job->taps; t++, at.to += at.width)
                for (int64_t lane = 0; lane < LANES; lane++)
                    at.to[lane] = lane < at.lanes
                                      ? at.from[lane * job->filter_step + job->place[t]]
                                      : 0;
    }
}

CX_INLINE void NAME(kernel_to_points)(const T *taps, T *points, int64_t pitch)
{
    NAME(vector) g[CX_ROW_TAPS], u[NAME(MAP_POINTS)], down[NAME(MAP_POINTS)][CX_ROW_TAPS];
    CX_UNROLL for (int j = 0; j < CX_ROW_TAPS; j++) {
        CX_UNROLL for (int i = 0; i < CX_ROW_TAPS; i++)
            g[i] = *(const NAME(loose) *)(taps + (i * CX_ROW_TAPS + j) * LANES);
        NAME(weights_to_points)(NAME(MAP_POINTS), CX_ROW_TAPS, 1, g, u);
        CX_UNROLL for (int i = 0; i < NAME(MAP_POINTS); i++)
            down[i][j] = u[i];
    }
    CX_UNROLL for (int i = 0; i < NAME(MAP_POINTS); i++) {
        NAME(weights_to_points)(NAME(MAP_POINTS), CX_ROW_TAPS, 1, down[i], u);
        CX_UNROLL for (int j = 0; j < NAME(MAP_POINTS); j++)
            *(NAME(loose) *)(points + (i * NAME(MAP_POINTS) + j) * pitch) = u[j];
    }
}

/* The job has one tap for each channel of the result: all points of a filter come from one kernel. */
static void NAME(pack_points)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_filters_job *job = of;
    int64_t pitch = (job->filters + LANES - 1) / LANES * LANES * job->channels;
    (void)scratch;
    for (int64_t v = first; v < end; v++) {
        NAME(filters_at) at = NAME(filters_of)(job, v);
        T taps[CX_KERNEL_PLACES * LANES] = {0};
        for (int64_t c = 0; c < job->channels; c++, at.from += job->channel_step) {
            for (int64_t lane = 0; lane < at.lanes; lane++)
                for (int t = 0; t < CX_KERNEL_PLACES; t++)
                    taps[t * LANES + lane] = at.from[lane * job->filter_step + job->place[t]];
            NAME(kernel_to_points)(taps, at.to, pitch);
            at.to += at.width;
        }
    }
}
