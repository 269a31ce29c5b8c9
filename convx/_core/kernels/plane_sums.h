/* Sums of planes, and of rows, for gradients of biases. The order of a plane's sum is the same whether
   its elements are neighbours, or items lie side by side:

       place p of a plane is added to chain p mod PLACES, some CX_SUMMED places at a time;
       the chains are added up by halves, and what comes of them in order.

   So who sums decides no bits. */

#define PLACES (64 / (int64_t)sizeof(T))

/* The sum of up to CX_SUMMED neighbours. */
CX_INLINE T NAME(sum_neighbours)(const T *x, int64_t count)
{
    NAME(vector) sum[PLACES / LANES] = {0};
    T chain[PLACES];
    int64_t i = 0;
    for (; i + PLACES <= count; i += PLACES)
        CX_UNROLL for (int v = 0; v < PLACES / LANES; v++)
            sum[v] += *(const NAME(loose) *)(x + i + v * LANES);
    CX_UNROLL for (int v = 0; v < PLACES / LANES; v++)
        *(NAME(loose) *)(chain + v * LANES) = sum[v];
    for (int64_t p = 0; i + p < count; p++)
        chain[p] += x[i + p];
    CX_UNROLL for (int half = PLACES / 2; half > 0; half /= 2)
        CX_UNROLL for (int p = 0; p < half; p++)
            chain[p] += chain[p + half];
    return chain[0];
}

/* The same of a vector of items, a place of which is `step` elements from the next. */
CX_INLINE NAME(vector) NAME(sum_lines)(const T *x, int64_t step, int64_t count)
{
    NAME(vector) chain[PLACES] = {0};
    int64_t i = 0;
    for (; i + PLACES <= count; i += PLACES)
        CX_UNROLL for (int p = 0; p < PLACES; p++)
            chain[p] += *(const NAME(loose) *)(x + (i + p) * step);
    CX_UNROLL for (int p = 0; p < PLACES; p++)
        if (i + p < count)
            chain[p] += *(const NAME(loose) *)(x + (i + p) * step);
    CX_UNROLL for (int half = PLACES / 2; half > 0; half /= 2)
        CX_UNROLL for (int p = 0; p < half; p++)
            chain[p] += chain[p + half];
    return chain[0];
}

/* A piece is a plane, of one item or of all. */
static void NAME(sweep_plane_sums)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_plane_sums_job *job = of;
    int64_t items = job->items, size = job->size;
    (void)scratch;
    for (int64_t plane = first; plane < end; plane++) {
        const T *x = (const T *)job->x + plane * size * items;
        T *sums = (T *)job->sums + plane * items;
        if (items == 1)
            *sums = 0;
        for (int64_t at = 0; at < size && items == 1; at += CX_SUMMED)
            *sums += NAME(sum_neighbours)(x + at, cx_min(CX_SUMMED, size - at));
        for (int64_t n = 0; n < items && items > 1; n += LANES) {
            NAME(vector) total = {0};
            for (int64_t at = 0; at < size; at += CX_SUMMED)
                total += NAME(sum_lines)(x + at * items + n, items, cx_min(CX_SUMMED, size - at));
            *(NAME(loose) *)(sums + n) = total;
        }
    }
}

/* Rows added up in order. A piece is a column. */
static void NAME(sweep_row_sums)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_row_sums_job *job = of;
    T *restrict y = job->y;
    (void)scratch;
    for (int64_t c = first; c < end; c++)
        y[c] = 0;
    for (int64_t r = 0; r < job->rows; r++) {
        const T *restrict x = (const T *)job->x + r * job->columns;
        for (int64_t c = first; c < end; c++)
            y[c] += x[c];
    }
}

#undef PLACES
