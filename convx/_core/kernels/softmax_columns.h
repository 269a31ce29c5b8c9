/* Softmax of columns that are neighbours, and its gradient: three steps, each of which goes down the
   columns some rows at a time, from one end of those rows to the other. */

/* What neighbouring columns come down to, and the sums of the last CX_SOFTMAX_ROWS rows: the sums of a
   column come in an order that depends on the axis alone. */
typedef struct {
    NAME(softmax) of[CX_SOFTMAX_BLOCK / LANES];
    NAME(vector) sum[CX_SOFTMAX_BLOCK / LANES], product[CX_SOFTMAX_BLOCK / LANES];
} NAME(softmax_block);

/* A step for a few vectors of columns, the last with what is left of `width`, in so many rows. From
   one call to the next maxima and sums wait in L1, unless they begin. Of what comes from memory the next
   rows are asked for: processors foresee none of rows that are a page apart or more. */
CX_INLINE void NAME(softmax_step)(const int step, const int logarithm, const int gradient,
                                  const int vectors, int begins, int64_t rows, const T *x,
                                  const T *grad, T *y, int64_t pitch, int64_t width,
                                  NAME(softmax) *column, NAME(vector) *sums,
                                  NAME(vector) *products)
{
    const int waits = gradient || !logarithm; /* the exponentials, in y */
    const int64_t ahead = rows * pitch;
    NAME(vector) max[CX_SOFTMAX_STRIP], sum[CX_SOFTMAX_STRIP], product[CX_SOFTMAX_STRIP];
    CX_UNROLL
    for (int k = 0; k < vectors; k++) {
        max[k] = column[k].max;
        if (step == CX_SOFTMAX_MAXIMA && begins)
            max[k] = NAME(load_some)(x + k * LANES, width - k * LANES);
        sum[k] = begins ? NAME(zero)() : sums[k];
        product[k] = begins ? NAME(zero)() : products[k];
    }
    for (int64_t j = 0; j < rows; j++) {
        CX_UNROLL
        for (int k = 0; k < vectors; k++) {
            int64_t at = j * pitch + k * LANES, count = width - k * LANES;
            if (step == CX_SOFTMAX_MAXIMA) {
                __builtin_prefetch(x + at + ahead);
                max[k] = NAME(greater)(NAME(load_some)(x + at, count), max[k]);
            } else if (step == CX_SOFTMAX_SUMS) {
                NAME(vector) e = NAME(exp_negative)(NAME(load_some)(x + at, count) - max[k]);
                sum[k] += e;
                if (gradient) {
                    __builtin_prefetch(grad + at + ahead);
                    NAME(vector) g = NAME(load_some)(grad + at, count);
                    product[k] += logarithm ? g : e * g;
                } else if (waits)
                    __builtin_prefetch(y + at + ahead, 1);
                if (waits)
                    NAME(store_some)(y + at, e, count);
            } else {
                NAME(vector) g = gradient ? NAME(load_some)(grad + at, count) : NAME(zero)();
                NAME(vector) from = NAME(load_some)((waits ? y : x) + at, count);
                NAME(store_some)(y + at,
                                 NAME(softmax_of)(logarithm, gradient, from, g, column + k), count);
            }
        }
    }
    CX_UNROLL
    for (int k = 0; k < vectors; k++) {
        if (step == CX_SOFTMAX_MAXIMA)
            column[k].max = max[k];
        if (step == CX_SOFTMAX_SUMS)
            sums[k] = sum[k];
        if (step == CX_SOFTMAX_SUMS && gradient)
            products[k] = product[k];
    }
}

/* A step for so many rows of all columns, a few vectors at a time while there are as many. */
CX_INLINE void NAME(softmax_across)(const int step, const int logarithm, const int gradient,
                                    const int vectors, int begins, int64_t rows, const T *x,
                                    const T *grad, T *y, int64_t pitch, int64_t width,
                                    NAME(softmax_block) *block)
{
    const int64_t strip = vectors * LANES;
    int64_t i = 0, k = 0;
#define STEP(VECTORS, WIDTH)                                                                      \
    NAME(softmax_step)(step, logarithm, gradient, VECTORS, begins, rows, x + i,                   \
                       gradient ? grad + i : grad, y + i, pitch, WIDTH, block->of + k,            \
                       block->sum + k, block->product + k)
    for (; i + strip <= width; i += strip, k += vectors)
        STEP(vectors, strip);
    for (; i + LANES <= width; i += LANES, k++)
        STEP(1, LANES);
    if (i < width)
        STEP(1, width - i);
#undef STEP
}

/* Adds the sums of some rows to those of all before them, if there are any. */
CX_INLINE void NAME(add_softmax_rows)(const int gradient, int is_first, int64_t vectors,
                                      NAME(softmax_block) *block)
{
    for (int64_t k = 0; k < vectors; k++) {
        NAME(softmax) *column = block->of + k;
        column->sum = (is_first ? NAME(zero)() : column->sum) + block->sum[k];
        if (gradient)
            column->product = (is_first ? NAME(zero)() : column->product) + block->product[k];
    }
}

/* A step for all rows. */
CX_INLINE void NAME(softmax_down)(const int step, const int logarithm, const int gradient,
                                  const T *x, const T *grad, T *y, int64_t length, int64_t pitch,
                                  int64_t width, NAME(softmax_block) *block)
{
    const int is_crowded = pitch * (int64_t)sizeof(T) % CX_SOFTMAX_CROWDED == 0;
    int64_t vectors = (width + LANES - 1) / LANES;
    int64_t together = is_crowded ? CX_SOFTMAX_FEW_ROWS : CX_SOFTMAX_MANY_ROWS;
    for (int64_t j = 0; j < length; j += together) {
        int64_t rows = cx_min(together, length - j), at = j * pitch, end = j + rows;
        int begins = step == CX_SOFTMAX_MAXIMA ? j == 0 : j % CX_SOFTMAX_ROWS == 0;
        if (is_crowded)
            NAME(softmax_across)(step, logarithm, gradient, CX_SOFTMAX_STRIP, begins, rows, x + at,
                                 grad + (gradient ? at : 0), y + at, pitch, width, block);
        else
            NAME(softmax_across)(step, logarithm, gradient, 1, begins, rows, x + at,
                                 grad + (gradient ? at : 0), y + at, pitch, width, block);
        if (step == CX_SOFTMAX_SUMS && (end % CX_SOFTMAX_ROWS == 0 || end == length))
            NAME(add_softmax_rows)(gradient, end <= CX_SOFTMAX_ROWS, vectors, block);
    }
}

/* Columns that are neighbours, `width` of them, whose elements lie `pitch` apart. */
CX_INLINE void NAME(softmax_columns)(const int logarithm, const int gradient, const T *x,
                                     const T *grad, T *y, int64_t length, int64_t pitch,
                                     int64_t width)
{
    NAME(softmax_block) block;
    NAME(softmax_down)(CX_SOFTMAX_MAXIMA, logarithm, gradient, x, grad, y, length, pitch, width,
                       &block);
    NAME(softmax_down)(CX_SOFTMAX_SUMS, logarithm, gradient, x, grad, y, length, pitch, width,
                       &block);
    for (int64_t k = 0; k * LANES < width; k++)
        NAME(close_sums)(logarithm, gradient, &block.of[k]);
    NAME(softmax_down)(CX_SOFTMAX_RESULTS, logarithm, gradient, x, grad, y, length, pitch, width,
                       &block);
}
