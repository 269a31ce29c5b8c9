/* One or two blocks of output rows, BLOCK_LANES wide: slide.h includes this for vectors, and where it
   makes sense for halves of them too, of which BLOCK gives the names. */

/* What tap k of a row takes for a vector of outputs. */
CX_INLINE BLOCK(vector) BLOCK(slide_pixels)(const int stride, const int k, const T *x,
                                            const int64_t *column)
{
#if BLOCK_LANES == LANES
    if (stride == 2) {
        x += column[0] + (k & ~1);
        NAME(vector) first = *(const NAME(loose) *)x, second = *(const NAME(loose) *)(x + LANES);
        return k & 1 ? NAME(odd_lanes)(first, second) : NAME(even_lanes)(first, second);
    }
#endif
    (void)stride;
    return *(const BLOCK(loose) *)(x + column[k]);
}

CX_INLINE BLOCK(vector) BLOCK(mask_lanes)(BLOCK(vector) v, BLOCK(vector) mask)
{
    return (BLOCK(vector))((BLOCK(mask))v & (BLOCK(mask))mask);
}

/* Blocks of size by size taps from column `at` on, one or two below one another, which share weights
   and give the processor more sums to go on with. `held` are the weights of a single plane, or
   NULL. */
CX_INLINE void BLOCK(slide_blocks)(const int size, const int stride, const int count,
                                  const int masked, const NAME(slide) *slide,
                                  const BLOCK(vector) *held, const int64_t *first_row, int64_t at,
                                  const NAME(target) *target)
{
    BLOCK(vector) sum[2 * CX_SLIDE_ROWS];
    const int64_t *column = slide->column;
    BLOCK(vector) inside[7];
    if (masked)
        CX_UNROLL for (int k = 0; k < size; k++)
            inside[k] = BLOCK(slide_pixels)(stride, k, slide->inside + at, column);
    CX_UNROLL for (int r = 0; r < count * CX_SLIDE_ROWS; r++)
        sum[r] = slide->bias - (BLOCK(vector)){0};
    for (int64_t p = 0; p < (held ? 1 : slide->planes); p++) {
        const T *weights = slide->weights + p * size * size;
        const T **source[2];
        CX_UNROLL for (int b = 0; b < count; b++)
            source[b] = slide->source + slide->row[p] + first_row[b];
        CX_UNROLL for (int row = 0; row < size + stride * (CX_SLIDE_ROWS - 1); row++) {
            CX_UNROLL for (int k = 0; k < size; k++) {
                BLOCK(vector) pixels[2];
                CX_UNROLL for (int b = 0; b < count; b++) {
                    pixels[b] = BLOCK(slide_pixels)(stride, k, *source[b] + at, column);
                    if (masked)
                        pixels[b] = BLOCK(mask_lanes)(pixels[b], inside[k]);
                    CX_HOLD(pixels[b]);
                }
                CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++) {
                    const int tap_row = row - r * stride;
                    if (0 <= tap_row && tap_row < size) {
                        const int tap = tap_row * size + k;
                        BLOCK(vector) weight = held ? held[tap] : weights[tap] - (BLOCK(vector)){0};
                        if (!held && count > 1)
                            CX_HOLD(weight);
                        CX_UNROLL for (int b = 0; b < count; b++)
                            sum[b * CX_SLIDE_ROWS + r] += weight * pixels[b];
                    }
                }
            }
            const int done = row - size + 1; /* this many rows below the first, by strides */
            if (done >= 0 && done % stride == 0 && (held || p + 1 == slide->planes))
                CX_UNROLL for (int b = 0; b < count; b++)
                    *(BLOCK(loose) *)NAME(target_row)(&target[b], done / stride) =
                        sum[b * CX_SLIDE_ROWS + done / stride];
            CX_UNROLL for (int b = 0; b < count; b++)
                source[b] += slide->down;
            CX_FORGET(weights); /* there are not as many registers as weights */
        }
    }
}

#undef BLOCK
#undef BLOCK_LANES
