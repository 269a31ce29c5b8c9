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

CX_INLINE void NAME(kernel_to_points)(const T *taps, const int64_t *place, T *points, int64_t pitch)
{
    NAME(vector) g[CX_ROW_TAPS], u[NAME(MAP_POINTS)], down[NAME(MAP_POINTS)][CX_ROW_TAPS];
    CX_UNROLL for (int j = 0; j < CX_ROW_TAPS; j++) {
        CX_UNROLL for (int i = 0; i < CX_ROW_TAPS; i++)
            g[i] = *(const NAME(loose) *)(taps + place[i * CX_ROW_TAPS + j] * LANES);
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

/* The kernels of LANES channels for a vector of filters, [channel][place][filter]. Whole vectors are
   read where the places of LANES channels, or filters, follow one another in memory. */
static void NAME(take_kernels)(const cx_filters_job *job, const NAME(filters_at) *at,
                               int64_t channels, T *taps)
{
    const int places = CX_KERNEL_PLACES;
    const T *from = at->from;
    if (at->lanes == LANES && job->filter_step == places)
        for (int64_t c = 0; c < channels; c++, from += job->channel_step) {
            NAME(vector) kernels[CX_KERNEL_PLACES];
            NAME(deal_ninths)(from, kernels);
            CX_UNROLL for (int t = 0; t < places; t++)
                *(NAME(loose) *)(taps + (c * places + t) * LANES) = kernels[t];
        }
    else if (at->lanes == LANES && channels == LANES && job->channel_step == places)
        for (int64_t i = 0; i < places * LANES; i += LANES) {
            NAME(vector) square[LANES];
            CX_UNROLL for (int r = 0; r < LANES; r++)
                square[r] = *(const NAME(loose) *)(from + r * job->filter_step + i);
            NAME(transpose)(square);
            CX_UNROLL for (int r = 0; r < LANES; r++)
                *(NAME(loose) *)(taps + (i + r) * LANES) = square[r];
        }
    else
        for (int64_t c = 0; c < channels; c++, from += job->channel_step)
            for (int t = 0; t < places; t++)
                for (int64_t lane = 0; lane < at->lanes; lane++)
                    taps[(c * places + t) * LANES + lane] = from[lane * job->filter_step + t];
}

/* The job has one tap for each channel of the result: all points of a filter come from one kernel. */
static void NAME(pack_points)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_filters_job *job = of;
    int64_t pitch = (job->filters + LANES - 1) / LANES * LANES * job->channels;
    (void)scratch;
    for (int64_t v = first; v < end; v++) {
        NAME(filters_at) at = NAME(filters_of)(job, v);
        T taps[CX_KERNEL_PLACES * LANES * LANES] = {0};
        for (int64_t c = 0, channels; c < job->channels; c += channels) {
            channels = cx_min(LANES, job->channels - c);
            NAME(take_kernels)(job, &at, channels, taps);
            at.from += channels * job->channel_step;
            for (int64_t k = 0; k < channels; k++, at.to += at.width)
                NAME(kernel_to_points)(taps + k * CX_KERNEL_PLACES * LANES, job->place, at.to, pitch);
        }
    }
}
