/* A vector's columns of a plane of 5 by 5 or 7 by 7 taps, which go through all rows as those of
   slide_columns.h do: slide_small.h includes this for vectors, and where there are such for halves of
   them too, of which BLOCK gives the names. There are not as many registers as weights: these are
   loaded at every row, which costs nothing beside so many sums. */

/* One or two blocks of a vector's columns, the second `shift` rows of outputs further on than the first. */
typedef struct {
    const NAME(small) *of;
    int64_t at, shift;
    BLOCK(vector) inside[7], sum[2][7]; /* sums by tap rows: of the output that takes this one next */
} BLOCK(down);

/* An input row, for its tap rows low … high: at a plane's first and last rows there are no others. */
CX_INLINE void BLOCK(slide_step)(const int size, const int count, const int low, const int high,
                                 const int mirrored, BLOCK(down) *down, int64_t step)
{
    const NAME(small) *of = down->of;
    int64_t height = of->height, last = size - 1;
    const T *weights = of->weights, *x[2];
    int64_t row[2];
    CX_FORGET(weights);
    CX_UNROLL for (int b = 0; b < count; b++) {
        row[b] = step + b * down->shift;
        row[b] = mirrored ? height + last - 1 - row[b] : row[b];
        int64_t begin = of->row[row[b]];
        x[b] = (begin == CX_ZEROS ? of->zeros : of->x + begin) + down->at;
        if (of->in_ahead)
            __builtin_prefetch((begin == CX_ZEROS ? of->x : x[b]) + of->column[0] + of->in_ahead, 0, 2);
    }
    CX_UNROLL for (int k = 0; k < size; k++) {
        BLOCK(vector) pixels[2];
        CX_UNROLL for (int b = 0; b < count; b++) {
            pixels[b] = *(const BLOCK(loose) *)(x[b] + of->column[k]);
            pixels[b] = BLOCK(mask_lanes)(pixels[b], down->inside[k]);
            CX_HOLD(pixels[b]);
        }
        CX_UNROLL for (int i = 0; i < size; i++)
            if (low <= i && i <= high) {
                BLOCK(vector) weight = weights[i * size + k] - (BLOCK(vector)){0};
                if (count > 1)
                    CX_HOLD(weight);
                CX_UNROLL for (int b = 0; b < count; b++)
                    down->sum[b][i] += weight * pixels[b];
            }
    }
    CX_UNROLL for (int b = 0; b < count; b++) {
        if (high == last) {
            T *to = of->output + (mirrored ? row[b] : row[b] - last) * of->length + down->at;
            if (of->in_ahead)
                __builtin_prefetch(to + of->out_ahead, 1, 2);
            *(BLOCK(loose) *)to = down->sum[b][last];
        }
        CX_UNROLL for (int i = size - 1; i > 0; i--)
            down->sum[b][i] = down->sum[b][i - 1];
        down->sum[b][0] = of->bias - (BLOCK(vector)){0};
    }
}

/* Two blocks share the weights that are loaded: each has half of the rows, an odd one both. */
CX_INLINE void BLOCK(slide_down)(const int size, const int count, const int mirrored,
                                 const NAME(small) *of, int64_t at)
{
    int64_t height = (of->height + count - 1) / count;
    BLOCK(down) down = {.of = of, .at = at, .shift = of->height - height};
    CX_UNROLL for (int k = 0; k < size; k++) {
        down.inside[k] = (BLOCK(vector))((BLOCK(mask)){0} - 1);
        if (of->inside)
            down.inside[k] = *(const BLOCK(loose) *)(of->inside + of->column[k] + at);
        CX_UNROLL for (int b = 0; b < count; b++)
            down.sum[b][k] = of->bias - (BLOCK(vector)){0};
    }
    CX_UNROLL for (int i = 0; i < size - 1; i++)
        BLOCK(slide_step)(size, count, 0, i, mirrored, &down, i);
    for (int64_t step = size - 1; step < height; step++)
        BLOCK(slide_step)(size, count, 0, size - 1, mirrored, &down, step);
    CX_UNROLL for (int i = 1; i < size; i++)
        BLOCK(slide_step)(size, count, i, size - 1, mirrored, &down, height - 1 + i);
}
