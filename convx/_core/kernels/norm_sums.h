/* Sums for normalisation, over a chunk of a run, and their lanes, which losses are added up in too.
   They are sums of double precision whatever the element type, of differences from a pivot, an
   element of the same segment: so a large mean costs the variance nothing. Element i goes to
   accumulator i mod 16, and the 16 are added pairwise: that depends on no vector's width. */

#define SUM_LANES 16
#define SUM_VECTORS (SUM_LANES * 8 / VECTOR_BYTES)
#define SUM_STEP (VECTOR_BYTES / 8)

typedef double NAME(sums) __attribute__((vector_size(VECTOR_BYTES)));
typedef double NAME(loose_sums) __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));
typedef T NAME(few)
    __attribute__((vector_size(VECTOR_BYTES / 8 * sizeof(T)), aligned(sizeof(T)), may_alias));

/* By sum: of d = x - pivot, of d², of g = dy or dy * weight, of g d. */
typedef struct {
    NAME(sums) of[4][SUM_VECTORS];
} NAME(accumulators);

CX_INLINE NAME(sums) NAME(widened)(const T *x)
{
    return __builtin_convertvector(*(const NAME(few) *)x, NAME(sums));
}

CX_INLINE void NAME(add_lanes)(NAME(accumulators) *sums, const T *x, const T *dy, const T *weight,
                               double pivot, const int has_gradient, const int is_weighted)
{
    CX_UNROLL
    for (int v = 0; v < SUM_VECTORS; v++) {
        NAME(sums) d = NAME(widened)(x + v * SUM_STEP) - pivot;
        sums->of[0][v] += d;
        sums->of[1][v] += d * d;
        if (has_gradient) {
            NAME(sums) g = NAME(widened)(dy + v * SUM_STEP);
            if (is_weighted)
                g = g * NAME(widened)(weight + v * SUM_STEP);
            sums->of[2][v] += g;
            sums->of[3][v] += g * d;
        }
    }
}

CX_INLINE double NAME(fold_lanes)(NAME(sums) *of)
{
    for (int half = SUM_VECTORS / 2; half; half /= 2)
        for (int v = 0; v < half; v++)
            of[v] += of[v + half];
    double lanes[SUM_STEP];
    *(NAME(loose_sums) *)lanes = of[0];
    for (int half = SUM_STEP / 2; half; half /= 2)
        for (int lane = 0; lane < half; lane++)
            lanes[lane] += lanes[lane + half];
    return lanes[0];
}

/* The next chunk, `ahead` elements on, is asked for meanwhile: in a batch it is far away. */
CX_INLINE void NAME(sum_chunk)(const T *x, const T *dy, const T *weight, int64_t length, T pivot,
                               int64_t ahead, const int has_gradient, const int is_weighted,
                               double *result)
{
    NAME(accumulators) sums = {0};
    int64_t i = 0;
    for (; i + SUM_LANES <= length; i += SUM_LANES) {
        for (int line = 0; line < (int)sizeof(T) / 4; line++) {
            __builtin_prefetch(x + i + ahead + line * 8);
            if (has_gradient)
                __builtin_prefetch(dy + i + ahead + line * 8);
        }
        NAME(add_lanes)(&sums, x + i, dy + i, weight + i, pivot, has_gradient, is_weighted);
    }
    if (i < length) { /* what is missing adds nothing */
        T some_x[SUM_LANES], some_dy[SUM_LANES], some_weight[SUM_LANES];
        for (int lane = 0; lane < SUM_LANES; lane++) {
            int is_there = i + lane < length;
            some_x[lane] = is_there ? x[i + lane] : pivot;
            some_dy[lane] = is_there && has_gradient ? dy[i + lane] : 0;
            some_weight[lane] = is_there && is_weighted ? weight[i + lane] : 0;
        }
        NAME(add_lanes)(&sums, some_x, some_dy, some_weight, pivot, has_gradient, is_weighted);
    }
    for (int sum = 0; sum < (has_gradient ? 4 : 2); sum++)
        result[sum] = NAME(fold_lanes)(sums.of[sum]);
}
