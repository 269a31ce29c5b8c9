/* The outputs of a single filter, several rows at a time: an input row is loaded once for all the
   output rows that its taps reach. Each output remains one chain of multiply-adds in the order of
   (channel, tap). A block is one vector wide: loads that are not aligned take two lines of the cache
   each, and weights are multiplied with as they are loaded. */

/* What a block of output rows is computed from. Row r of it takes tap row k from input row r + k. */
typedef struct {
    int64_t planes;        /* channels by taps of the axes before the last two */
    int64_t rows, columns; /* taps along the last two axes */
    int64_t pitch;         /* from one input row to the next, negative for a mirrored kernel */
    const int64_t *offset; /* of each (plane, tap) in the tile */
    const T *weights;      /* in the same order */
    T bias;
} NAME(slide);

/* One input row, for the output rows low … high. */
CX_INLINE void NAME(slide_row)(const int low, const int high, const NAME(slide) *slide,
                               const int64_t *offset, const T *weights, const T *x,
                               NAME(vector) *sum)
{
    for (int64_t k = 0; k < slide->columns; k++) {
        NAME(vector) pixels = *(const NAME(loose) *)(x + offset[k]);
        CX_HOLD(pixels);
        CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
            if (low <= r && r <= high)
                sum[r] += weights[k - r * slide->columns] * pixels;
    }
}

/* A block for a kernel of any size. */
static void NAME(slide_any)(const NAME(slide) *slide, const T *x, NAME(vector) *sums)
{
    NAME(vector) sum[CX_SLIDE_ROWS];
    CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
        sum[r] = slide->bias - (NAME(vector)){0};
    for (int64_t p = 0; p < slide->planes; p++) {
        const int64_t *offset = slide->offset + p * slide->rows * slide->columns;
        const T *weights = slide->weights + p * slide->rows * slide->columns;
        const T *from = x;
        for (int64_t row = 0; row < slide->rows + CX_SLIDE_ROWS - 1; row++) {
            int64_t low = cx_max(0, row - slide->rows + 1);
            int64_t high = cx_min(row, CX_SLIDE_ROWS - 1);
            switch (low * CX_SLIDE_ROWS + high) {
#define SLIDE(LOW, HIGH)                                                                          \
    case LOW * CX_SLIDE_ROWS + HIGH:                                                           \
        NAME(slide_row)(LOW, HIGH, slide, offset, weights, from, sum);                            \
        break;
                SLIDE(0, 0) SLIDE(0, 1) SLIDE(0, 2) SLIDE(0, 3) SLIDE(0, 4) SLIDE(0, 5) SLIDE(0, 6)
                SLIDE(1, 1) SLIDE(1, 2) SLIDE(1, 3) SLIDE(1, 4) SLIDE(1, 5) SLIDE(1, 6)
                SLIDE(2, 2) SLIDE(2, 3) SLIDE(2, 4) SLIDE(2, 5) SLIDE(2, 6)
                SLIDE(3, 3) SLIDE(3, 4) SLIDE(3, 5) SLIDE(3, 6)
                SLIDE(4, 4) SLIDE(4, 5) SLIDE(4, 6)
                SLIDE(5, 5) SLIDE(5, 6)
                SLIDE(6, 6)
#undef SLIDE
            }
            from += slide->pitch;
            weights += slide->columns;
        }
    }
    CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
        sums[r] = sum[r];
}

/* A block for a kernel of size by size taps; `held` are the weights of a single plane, or NULL. */
CX_INLINE void NAME(slide_square)(const int size, const NAME(slide) *slide,
                                  const NAME(vector) *held, const T *x, NAME(vector) *sum)
{
    CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
        sum[r] = slide->bias - (NAME(vector)){0};
    for (int64_t p = 0; p < (held ? 1 : slide->planes); p++) {
        const int64_t *offset = slide->offset + p * size * size;
        const T *weights = slide->weights + p * size * size, *from = x;
        CX_UNROLL for (int row = 0; row < size + CX_SLIDE_ROWS - 1; row++) {
            CX_UNROLL for (int k = 0; k < size; k++) {
                NAME(vector) pixels = *(const NAME(loose) *)(from + offset[k]);
                CX_HOLD(pixels);
                CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
                    if (row - size < r && r <= row) {
                        const int tap = (row - r) * size + k;
                        sum[r] += (held ? held[tap] : weights[tap] - (NAME(vector)){0}) * pixels;
                    }
            }
            from += slide->pitch;
            CX_FORGET(weights); /* there are not as many registers as weights */
        }
    }
}

/* Where a band of output rows belongs. */
typedef struct {
    T *output;                      /* of its first row */
    int64_t row_stride, out_stride; /* between rows, negative for a mirrored kernel; in a row */
    int64_t length;                 /* of a row */
    int dense;                      /* rows follow one another in memory */
} NAME(band);

/* Stores the outputs of a block from column `at` on. */
CX_INLINE void NAME(store_block)(const NAME(band) *band, const NAME(vector) *sum, int64_t at)
{
    T *y = band->output + at * band->out_stride;
    if (band->out_stride == 1 && at + LANES <= band->length) {
        CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
            *(NAME(loose) *)(y + r * band->row_stride) = sum[r];
        return;
    }
    T staged[CX_SLIDE_ROWS * LANES];
    CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
        *(NAME(loose) *)(staged + r * LANES) = sum[r];
    int64_t mirrored = band->row_stride < 0;
    for (int64_t i = 0; i < CX_SLIDE_ROWS; i++) { /* as the rows lie in memory */
        int64_t r = mirrored ? CX_SLIDE_ROWS - 1 - i : i;
        const T *from = staged + r * LANES;
        T *to = y + r * band->row_stride;
        if (band->dense && i < CX_SLIDE_ROWS - 1) /* what is too much the next row overwrites */
            *(NAME(loose) *)to = *(const NAME(loose) *)from;
        else
            NAME(put)(to, band->out_stride, from, cx_min(LANES, band->length - at));
    }
}

/* A band of output rows from left to right. The last block may compute outputs for the second time:
   to the same result. */
CX_INLINE void NAME(slide_along)(const int size, const NAME(slide) *slide, const T *x,
                                 const NAME(band) *band)
{
    NAME(vector) weights[9], sum[CX_SLIDE_ROWS];
    for (int tap = 0; size == 3 && tap < 9; tap++)
        weights[tap] = slide->weights[tap] - (NAME(vector)){0};
    for (int64_t column = 0; column < band->length; column += LANES) {
        int64_t at = cx_max(0, cx_min(column, band->length - LANES));
        if (size == 0)
            NAME(slide_any)(slide, x + at, sum);
        else if (size == 3 && slide->planes == 1)
            NAME(slide_square)(size, slide, weights, x + at, sum);
        else
            NAME(slide_square)(size, slide, NULL, x + at, sum);
        NAME(store_block)(band, sum, at);
    }
}

/* Functions of their own: compilers spill registers where they are parts of a large one. */
#define SLIDE_BAND(SIZE)                                                                          \
    CX_NOINLINE static void NAME(slide_band_##SIZE)(const NAME(slide) *slide, const T *x,         \
                                                    const NAME(band) *band)                       \
    {                                                                                             \
        NAME(slide_along)(SIZE, slide, x, band);                                                  \
    }
SLIDE_BAND(0)
#if IS_FLOAT
SLIDE_BAND(3)
SLIDE_BAND(5)
SLIDE_BAND(7)
#endif
#undef SLIDE_BAND

static void NAME(slide_band)(const NAME(slide) *slide, const T *x, const NAME(band) *band)
{
    switch (slide->rows == slide->columns ? slide->rows : 0) {
#if IS_FLOAT
    case 3:
        NAME(slide_band_3)(slide, x, band);
        break;
    case 5:
        NAME(slide_band_5)(slide, x, band);
        break;
    case 7:
        NAME(slide_band_7)(slide, x, band);
        break;
#endif
    default:
        NAME(slide_band_0)(slide, x, band);
    }
}

/* Whether a box is worth it: enough rows, and rows that fill most of their vectors. */
CX_INLINE int NAME(slides)(const cx_pass *pass, const cx_box *box)
{
    int64_t last = pass->rank - 1;
    if (pass->slide_rows == 0 || box->extent[last - 1] < CX_SLIDE_ROWS)
        return 0;
    int64_t length = box->extent[last];
    return 4 * length >= 3 * ((length + LANES - 1) / LANES * LANES);
}

/* All the outputs of a box. The last band of a plane may compute rows for the second time. */
static void NAME(slide_box)(const cx_pass *pass, const cx_box *box, const NAME(slide) *slide,
                            const T *tile, T *output)
{
    int64_t last = pass->rank - 1, index[CX_MAX_RANK] = {0};
    const cx_axis *rows = &pass->axes[last - 1], *columns = &pass->axes[last];
    int64_t height = box->extent[last - 1], count = CX_SLIDE_ROWS;
    int64_t mirrored = slide->pitch < 0;
    NAME(band) band = {NULL, mirrored ? -rows->out_stride : rows->out_stride, columns->out_stride,
                       box->extent[last], 0};
    band.dense = columns->out_stride == 1 && rows->out_stride == band.length;
    do {
        const T *plane = tile;
        T *to = output;
        for (int64_t a = 0; a < last - 1; a++) {
            plane += index[a] * pass->axes[a].position_stride;
            to += index[a] * pass->axes[a].out_stride;
        }
        for (int64_t row = 0; row < height; row += count) {
            int64_t first = cx_min(row, height - count) + (mirrored ? count - 1 : 0);
            band.output = to + first * rows->out_stride;
            NAME(slide_band)(slide, plane + first * rows->position_stride, &band);
        }
    } while (cx_next(index, box->extent, last - 1));
}
