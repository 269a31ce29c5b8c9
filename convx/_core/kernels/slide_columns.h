/* A vector's columns of a small plane of 3 by 3 taps: slide_small.h includes this for vectors, and
   where there are such for halves of them too, of which BLOCK gives the names. */

/* Stores a row that does not fill a vector, but three quarters of it. What is too much lies in the next
   row, which is stored later; or earlier, with a mirrored kernel: then what it begins with, of `below`,
   is stored once more. */
CX_INLINE void BLOCK(store_short)(const int mirrored, const NAME(small) *of, int64_t row,
                                  BLOCK(vector) v, BLOCK(vector) below)
{
    T *to = of->output + row * of->length, staged[BLOCK_LANES];
    if ((of->height - row) * of->length < BLOCK_LANES) {
        *(BLOCK(loose) *)staged = v;
        NAME(copy)(to, staged, of->length);
        return;
    }
    *(BLOCK(loose) *)to = v;
    if (mirrored && row + 1 < of->height)
        __builtin_memcpy(to + of->length, &below, BLOCK_LANES / 4 * sizeof(T));
}

CX_INLINE void BLOCK(slide_columns)(const int mirrored, const int is_short, const NAME(small) *of,
                                    int64_t at)
{
    BLOCK(vector) weight[9], inside[3], sum[3], below = {0};
    int64_t column[3], height = of->height;
    CX_UNROLL for (int t = 0; t < 9; t++)
        weight[t] = of->weights[t] - (BLOCK(vector)){0};
    CX_UNROLL for (int k = 0; k < 3; k++) {
        column[k] = of->column[k] + at;
        inside[k] = (BLOCK(vector))((BLOCK(mask)){0} - 1);
        if (of->inside)
            inside[k] = *(const BLOCK(loose) *)(of->inside + column[k]);
        sum[k] = of->bias - (BLOCK(vector)){0};
    }
    for (int64_t step = 0; step < height + 2; step++) {
        int64_t row = mirrored ? height + 1 - step : step, begin = of->row[row];
        const T *x = begin == CX_ZEROS ? of->zeros : of->x + begin;
        BLOCK(vector) pixels[3];
        if (of->in_ahead)
            __builtin_prefetch((begin == CX_ZEROS ? of->x : x) + column[1] + of->in_ahead, 0, 2);
        sum[2] = sum[1];
        sum[1] = sum[0];
        sum[0] = of->bias - (BLOCK(vector)){0};
        CX_UNROLL for (int k = 0; k < 3; k++)
            pixels[k] = BLOCK(mask_lanes)(*(const BLOCK(loose) *)(x + column[k]), inside[k]);
        CX_UNROLL for (int i = 0; i < 3; i++)
            CX_UNROLL for (int k = 0; k < 3; k++)
                sum[i] += weight[i * 3 + k] * pixels[k];
        if (step < 2)
            continue;
        int64_t done = mirrored ? row : row - 2;
        if (of->in_ahead)
            __builtin_prefetch(of->output + done * of->length + at + of->out_ahead, 1, 2);
        if (is_short)
            BLOCK(store_short)(mirrored, of, done, sum[2], below);
        else
            *(BLOCK(loose) *)(of->output + done * of->length + at) = sum[2];
        below = sum[2];
    }
}
