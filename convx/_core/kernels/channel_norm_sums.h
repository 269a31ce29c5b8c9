/* Sums over rows of channels, for channel_norm_sweep.h. */

/* What of a channel lies in one part: `length` neighbours in each of some items. */
typedef struct {
    int64_t at, length, runs, stride;
} NAME(channel_part);

CX_INLINE NAME(channel_part) NAME(channel_part_of)(const cx_channel_norm_job *job, int64_t channel,
                                                   int64_t part)
{
    int64_t item = part / job->chunks * job->together, start = part % job->chunks * CX_NORM_CHUNK;
    int64_t stride = job->channels * job->inner;
    return (NAME(channel_part)){
        .at = item * stride + channel * job->inner + start,
        .length = cx_min(CX_NORM_CHUNK, job->inner - start),
        .runs = cx_min(job->together, job->items - item),
        .stride = stride,
    };
}

CX_INLINE double NAME(channel_rescale)(const cx_channel_norm_job *job, int64_t channel)
{
    return 1 / __builtin_sqrt(job->variance[channel] + job->eps);
}

/* d of SUM_LANES elements, without the first `skipped`, which were counted before. */
CX_INLINE NAME(sums) NAME(unskipped)(NAME(sums) d, int v, int64_t skipped)
{
    typedef int64_t lanes __attribute__((vector_size(VECTOR_BYTES)));
    lanes number;
    for (int lane = 0; lane < SUM_STEP; lane++)
        number[lane] = v * SUM_STEP + lane;
    return (NAME(sums))((lanes)d & (lanes)(number >= skipped));
}

/* Sums of d = x - pivot and of d². */
CX_INLINE void NAME(add_moments)(NAME(sums) of[2][SUM_VECTORS], const T *x, double pivot,
                                 int64_t skipped)
{
    CX_UNROLL
    for (int v = 0; v < SUM_VECTORS; v++) {
        NAME(sums) d = NAME(widened)(x + v * SUM_STEP) - pivot;
        if (skipped)
            d = NAME(unskipped)(d, v, skipped);
        of[0][v] += d;
        of[1][v] += d * d;
    }
}

/* How x is normalised, but for what its mean lacks in its type. */
typedef struct {
    T near, rescale;
} NAME(normal);

/* Sums of g and of g times the normalised x. */
CX_INLINE void NAME(add_slopes)(NAME(sums) of[2][SUM_VECTORS], const T *x, const T *g,
                                const NAME(normal) *normal, int64_t skipped)
{
    double near = normal->near, rescale = normal->rescale;
    CX_UNROLL
    for (int v = 0; v < SUM_VECTORS; v++) {
        NAME(sums) d = (NAME(widened)(x + v * SUM_STEP) - near) * rescale;
        NAME(sums) slope = NAME(widened)(g + v * SUM_STEP);
        if (skipped)
            slope = NAME(unskipped)(slope, v, skipped);
        of[0][v] += slope;
        of[1][v] += slope * d;
    }
}

/* So many elements of a lane are added up in their own type before they are widened, which takes longer
   than their sums. Rows of 7², 14² and 28² are nearly whole times 3 of SUM_LANES. */
#define SUMMED_FIRST 3

CX_INLINE void NAME(add_many_slopes)(NAME(sums) of[2][SUM_VECTORS], const T *x, const T *g,
                                     const NAME(normal) *normal)
{
    T slopes[SUM_LANES], products[SUM_LANES];
    CX_UNROLL
    for (int v = 0; v < SUM_LANES; v += LANES) {
        NAME(vector) slope = {0}, product = {0};
        CX_UNROLL
        for (int k = 0; k < SUMMED_FIRST; k++) {
            NAME(vector) g_k = *(const NAME(loose) *)(g + k * SUM_LANES + v);
            NAME(vector) x_k = *(const NAME(loose) *)(x + k * SUM_LANES + v);
            NAME(vector) d = (x_k - normal->near) * normal->rescale;
            slope = k ? slope + g_k : g_k;
            product = k ? product + g_k * d : g_k * d;
        }
        *(NAME(loose) *)(slopes + v) = slope;
        *(NAME(loose) *)(products + v) = product;
    }
    CX_UNROLL
    for (int v = 0; v < SUM_VECTORS; v++) {
        of[0][v] += NAME(widened)(slopes + v * SUM_STEP);
        of[1][v] += NAME(widened)(products + v * SUM_STEP);
    }
}

/* Rows that are asked for while another one is summed up: in a batch they are far away. */
typedef struct {
    const T *x, *dy, *residual, *y;
} NAME(asked);

CX_INLINE void NAME(ask_for)(const NAME(asked) *next, int64_t i)
{
    for (int line = 0; line < (int)sizeof(T) / 4; line++) {
        __builtin_prefetch(next->x + i + line * 8);
        if (next->dy)
            __builtin_prefetch(next->dy + i + line * 8);
        if (next->residual)
            __builtin_prefetch(next->residual + i + line * 8);
        if (next->y)
            __builtin_prefetch(next->y + i + line * 8, 1);
    }
}

/* What is left of a row from i on, by its last SUM_LANES elements. */
CX_INLINE void NAME(sum_end)(NAME(sums) of[2][SUM_VECTORS], const T *x, const T *g, int64_t length,
                             int64_t i, double pivot, const NAME(normal) *normal)
{
    T some_x[SUM_LANES] = {0}, some_g[SUM_LANES] = {0};
    int64_t first = length - SUM_LANES;
    if (first < 0) { /* a short row, with lanes to spare in front */
        for (int64_t k = 0; k < length; k++) {
            some_x[k - first] = x[k];
            some_g[k - first] = g ? g[k] : 0;
        }
        x = some_x, g = g ? some_g : g, i = -first, first = 0;
    } else {
        i -= first;
    }
    if (g)
        NAME(add_slopes)(of, x + first, g + first, normal, i);
    else
        NAME(add_moments)(of, x + first, pivot, i);
}

/* What is summed up of channels. */
typedef struct {
    NAME(sums) of[2][SUM_VECTORS];
} NAME(channel_sums);

/* A row of x, or with g of both. Sums are in registers meanwhile. */
CX_INLINE void NAME(sum_row)(NAME(channel_sums) *all, const T *x, const T *g, int64_t length,
                             double pivot, const NAME(normal) *normal, NAME(asked) next)
{
    NAME(channel_sums) sums = *all;
    NAME(sums) (*of)[SUM_VECTORS] = sums.of;
    int64_t i = 0;
    for (; g && i + SUMMED_FIRST * SUM_LANES <= length; i += SUMMED_FIRST * SUM_LANES) {
        for (int k = 0; k < SUMMED_FIRST; k++)
            NAME(ask_for)(&next, i + k * SUM_LANES);
        NAME(add_many_slopes)(of, x + i, g + i, normal);
    }
    for (; i + SUM_LANES <= length; i += SUM_LANES) {
        NAME(ask_for)(&next, i);
        if (g)
            NAME(add_slopes)(of, x + i, g + i, normal, 0);
        else
            NAME(add_moments)(of, x + i, pivot, 0);
    }
    if (i < length)
        NAME(sum_end)(of, x, g, length, i, pivot, normal);
    *all = sums;
}

#undef SUMMED_FIRST
