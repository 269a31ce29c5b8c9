/* A plane's part of the gradients of a kernel's weights: slide_gradient.h includes this for vectors,
   and where there are such for halves of them too, of which BLOCK gives the names. */

/* Adds what an input row gives, the vectors `pixels` of each tap column. It is row `phase` of those
   that lie between two rows of outputs; of these the rows `first` to `last` above it take part. */
CX_INLINE void BLOCK(sum_taps_of_row)(const int size, const int stride, const int phase,
                                      const int first, const int last,
                                      const BLOCK(vector) *gradient, const BLOCK(vector) *pixels,
                                      BLOCK(vector) *sum)
{
    CX_UNROLL for (int i = phase; i < size; i += stride)
        if (first <= i / stride && i / stride <= last)
            CX_UNROLL for (int k = 0; k < size; k++)
                sum[i * size + k] += gradient[i / stride] * pixels[k];
}

/* The input rows from that of an output row's first tap to that of the next one's. */
CX_INLINE void BLOCK(sum_rows_between)(const int size, const int stride, const int first,
                                       const int last, const NAME(summed) *plane, int64_t row,
                                       int64_t at, const BLOCK(vector) *gradient,
                                       const BLOCK(vector) *inside, BLOCK(vector) *sum)
{
    CX_UNROLL for (int phase = 0; phase < stride; phase++) {
        const int taps_left = size - 1 - phase;
        if (taps_left < 0 || taps_left / stride < first)
            continue;
        const T *x = NAME(summed_row)(plane, row * stride + phase) + at * stride;
        BLOCK(vector) pixels[3];
        CX_UNROLL for (int k = 0; k < size; k++)
            pixels[k] = BLOCK(mask_lanes)(BLOCK(slide_pixels)(stride, k, x, plane->column),
                                          inside[k]);
        BLOCK(sum_taps_of_row)(size, stride, phase, first, last, gradient, pixels, sum);
    }
}

/* A vector's columns. The gradients of as many rows of outputs as share an input row are held, the
   lowest first. */
CX_INLINE void BLOCK(sum_columns)(const int size, const int stride, const NAME(summed) *plane,
                                  int64_t at, BLOCK(vector) *sum)
{
    const int oldest = (size - 1) / stride;
    const T *from = plane->gradient + at;
    BLOCK(vector) keep = *(const BLOCK(loose) *)(plane->keep + at), gradient[3], inside[3];
    CX_UNROLL for (int k = 0; k < size; k++)
        inside[k] = plane->inside ? BLOCK(mask_lanes)(BLOCK(slide_pixels)(stride, k,
                                                          plane->inside + at * stride,
                                                          plane->column), keep)
                                  : keep;
    CX_UNROLL for (int i = 0; i <= oldest; i++)
        gradient[i] = (BLOCK(vector)){0};
#define SUM_ROW(first, last, row)                                                                \
    {                                                                                             \
        CX_UNROLL for (int i = oldest; i > 0; i--)                                                \
            gradient[i] = gradient[i - 1];                                                        \
        if ((first) == 0)                                                                         \
            gradient[0] = BLOCK(mask_lanes)(                                                      \
                *(const BLOCK(loose) *)(from + (row) * plane->gradient_stride), keep);            \
        BLOCK(sum_rows_between)(size, stride, first, last, plane, row, at, gradient, inside, sum); \
    }
    CX_UNROLL for (int row = 0; row < oldest; row++)
        SUM_ROW(0, row, row)
    for (int64_t row = oldest; row < plane->height; row++)
        SUM_ROW(0, oldest, row)
    CX_UNROLL for (int below = 1; below <= oldest; below++)
        SUM_ROW(below, oldest, plane->height - 1 + below)
#undef SUM_ROW
}

/* Adds to sums[tap][pitch]: column i of every row to that of i mod width. */
CX_INLINE void BLOCK(sum_plane)(const int size, const int stride, const NAME(summed) *plane,
                                int64_t width, T *sums)
{
    int64_t pitch = SUMS_PITCH(width);
    for (int64_t part = 0; part < cx_min(width, plane->length); part += BLOCK_LANES) {
        BLOCK(vector) sum[9];
        CX_UNROLL for (int t = 0; t < size * size; t++)
            sum[t] = *(const BLOCK(loose) *)(sums + t * pitch + part);
        for (int64_t at = part; at < plane->length; at += width)
            BLOCK(sum_columns)(size, stride, plane, at, sum);
        CX_UNROLL for (int t = 0; t < size * size; t++)
            *(BLOCK(loose) *)(sums + t * pitch + part) = sum[t];
    }
}

CX_NOINLINE static void BLOCK(sum_plane_of_3)(const NAME(summed) *plane, int64_t width, T *sums)
{
    BLOCK(sum_plane)(3, 1, plane, width, sums);
}

#if BLOCK_LANES == LANES
CX_NOINLINE static void NAME(sum_plane_of_every_other)(const NAME(summed) *plane, int64_t width,
                                                       T *sums)
{
    NAME(sum_plane)(3, 2, plane, width, sums);
}
#endif

#undef BLOCK
#undef BLOCK_LANES
