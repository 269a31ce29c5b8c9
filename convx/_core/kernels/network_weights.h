/* Weights of 3 by 3 taps at the points of Winograd's algorithm, as network_points.h reads them:
   [point][block of filters][channel][filter]. Filters are lanes here too. */

CX_INLINE void NAME(kernel_to_points)(const T *taps, T *points, int64_t pitch)
{
    NAME(vector) g[CX_ROW_TAPS], u[NAME(MAP_POINTS)], down[NAME(MAP_POINTS)][CX_ROW_TAPS];
    CX_UNROLL for (int j = 0; j < CX_ROW_TAPS; j++) {
        CX_UNROLL for (int i = 0; i < CX_ROW_TAPS; i++)
            g[i] = *(const NAME(loose) *)(taps + (i * CX_ROW_TAPS + j) * LANES);
        NAME(weights_to_points)(NAME(MAP_POINTS), CX_ROW_TAPS, g, u);
        CX_UNROLL for (int i = 0; i < NAME(MAP_POINTS); i++)
            down[i][j] = u[i];
    }
    CX_UNROLL for (int i = 0; i < NAME(MAP_POINTS); i++) {
        NAME(weights_to_points)(NAME(MAP_POINTS), CX_ROW_TAPS, down[i], u);
        CX_UNROLL for (int j = 0; j < NAME(MAP_POINTS); j++)
            *(NAME(loose) *)(points + (i * NAME(MAP_POINTS) + j) * pitch) = u[j];
    }
}

/* A piece is a vector of filters; where there are fewer, the other lanes are zeros. */
static void NAME(pack_points)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_points_job *job = of;
    int64_t all = (job->filters + LANES - 1) / LANES;
    (void)scratch;
    for (int64_t v = first; v < end; v++) {
        int64_t block = v - v % job->vectors, lanes = cx_min(LANES, job->filters - v * LANES);
        int64_t width = cx_min(job->vectors, all - block) * LANES;
        const T *from = (const T *)job->weights + v * LANES * job->filter_step;
        T *to = (T *)job->points + block * LANES * job->channels + (v - block) * LANES;
        T taps[CX_KERNEL_PLACES * LANES] = {0};
        for (int64_t c = 0; c < job->channels; c++, from += job->channel_step, to += width) {
            for (int64_t lane = 0; lane < lanes; lane++)
                for (int t = 0; t < CX_KERNEL_PLACES; t++)
                    taps[t * LANES + lane] = from[lane * job->filter_step + job->place[t]];
            NAME(kernel_to_points)(taps, to, all * LANES * job->channels);
        }
    }
}
