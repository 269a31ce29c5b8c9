/* The outputs of a single filter, several rows at a time: an input row is loaded once for all the
   output rows that its taps reach, which are as many as the kernel has rows. Each output remains one
   chain of multiply-adds in the order of (channel, tap). */

enum { NAME(SLIDE_ROWS) = 4, NAME(SLIDE_VECTORS) = 2, NAME(SLIDE_WIDTH) = 2 * LANES };

/* What a block of output rows is computed from. Row r of it takes tap row k from input row r + k. */
typedef struct {
    int64_t planes;        /* channels by taps of the axes before the last two */
    int64_t rows, columns; /* taps along the last two axes */
    int64_t pitch;         /* from one input row to the next, negative for a mirrored kernel */
    const int64_t *offset; /* of each (plane, tap) in the tile */
    const T *weights;      /* in the same order */
    T bias;
} NAME(slide);

typedef NAME(vector) NAME(slide_sums)[NAME(SLIDE_ROWS)][NAME(SLIDE_VECTORS)];

/* One input row, for the output rows low … high. */
CX_INLINE void NAME(slide_row)(const int low, const int high, const int64_t columns,
                               const int64_t *offset, const T *weights, const T *x,
                               NAME(slide_sums) sum)
{
    CX_UNROLL for (int64_t k = 0; k < columns; k++) {
        NAME(vector) pixels[NAME(SLIDE_VECTORS)];
        CX_UNROLL for (int v = 0; v < NAME(SLIDE_VECTORS); v++)
            pixels[v] = *(const NAME(loose) *)(x + offset[k] + v * LANES);
        CX_UNROLL for (int r = 0; r < NAME(SLIDE_ROWS); r++)
            if (low <= r && r <= high) {
                NAME(vector) weight = weights[k - r * columns] - (NAME(vector)){0};
                CX_UNROLL for (int v = 0; v < NAME(SLIDE_VECTORS); v++)
                    sum[r][v] += weight * pixels[v];
            }
    }
}

/* A block of output rows, two vectors wide: y[r][i]. */
CX_INLINE void NAME(slide_columns)(const int64_t columns, const NAME(slide) *slide, const T *x,
                                   T *y, int64_t y_stride)
{
    NAME(slide_sums) sum;
    CX_UNROLL for (int r = 0; r < NAME(SLIDE_ROWS); r++)
        CX_UNROLL for (int v = 0; v < NAME(SLIDE_VECTORS); v++) {
            sum[r][v] = slide->bias - (NAME(vector)){0};
            __builtin_prefetch(y + r * y_stride + (NAME(SLIDE_VECTORS) + v) * LANES, 1);
        }
    for (int64_t p = 0; p < slide->planes; p++) {
        const int64_t *offset = slide->offset + p * slide->rows * columns;
        const T *weights = slide->weights + p * slide->rows * columns;
        const T *from = x;
        for (int64_t row = 0; row < slide->rows + NAME(SLIDE_ROWS) - 1; row++) {
            int64_t low = cx_max(0, row - slide->rows + 1);
            int64_t high = cx_min(row, NAME(SLIDE_ROWS) - 1);
            switch (low * NAME(SLIDE_ROWS) + high) {
#define SLIDE_CASE(LOW, HIGH)                                                                     \
    case LOW * NAME(SLIDE_ROWS) + HIGH:                                                           \
        NAME(slide_row)(LOW, HIGH, columns, offset, weights, from, sum);                          \
        break;
                SLIDE_CASE(0, 0)
                SLIDE_CASE(0, 1)
                SLIDE_CASE(0, 2)
                SLIDE_CASE(0, 3)
                SLIDE_CASE(1, 1)
                SLIDE_CASE(1, 2)
                SLIDE_CASE(1, 3)
                SLIDE_CASE(2, 2)
                SLIDE_CASE(2, 3)
                SLIDE_CASE(3, 3)
#undef SLIDE_CASE
            }
            from += slide->pitch;
            weights += columns;
        }
    }
    CX_UNROLL for (int r = 0; r < NAME(SLIDE_ROWS); r++)
        CX_UNROLL for (int v = 0; v < NAME(SLIDE_VECTORS); v++)
            *(NAME(loose) *)(y + r * y_stride + v * LANES) = sum[r][v];
}

static void NAME(slide_block)(const NAME(slide) *slide, const T *x, T *y, int64_t y_stride)
{
    switch (slide->columns) {
    case 3:
        NAME(slide_columns)(3, slide, x, y, y_stride);
        break;
    case 5:
        NAME(slide_columns)(5, slide, x, y, y_stride);
        break;
    case 7:
        NAME(slide_columns)(7, slide, x, y, y_stride);
        break;
    default:
        NAME(slide_columns)(slide->columns, slide, x, y, y_stride);
    }
}

/* Whether a box is worth it: enough rows, and rows that fill most of their vectors. */
CX_INLINE int NAME(slides)(const cx_pass *pass, const cx_box *box)
{
    int64_t last = pass->rank - 1;
    if (pass->slide_rows == 0 || box->extent[last - 1] < NAME(SLIDE_ROWS))
        return 0;
    int64_t length = box->extent[last], width = NAME(SLIDE_WIDTH);
    return 4 * length >= 3 * ((length + width - 1) / width * width);
}

/* All the outputs of a box. The last block of rows, and the last of columns, may compute outputs
   for the second time: to the same result. */
static void NAME(slide_box)(const cx_pass *pass, const cx_box *box, NAME(slide) slide,
                            const T *tile, T *staged, T *output)
{
    int64_t last = pass->rank - 1, index[CX_MAX_RANK] = {0};
    const cx_axis *rows = &pass->axes[last - 1], *columns = &pass->axes[last];
    int64_t height = box->extent[last - 1], length = box->extent[last];
    int64_t width = NAME(SLIDE_WIDTH), count = NAME(SLIDE_ROWS);
    int64_t mirrored = slide.pitch < 0;
    do {
        const T *plane = tile;
        T *to = output;
        for (int64_t a = 0; a < last - 1; a++) {
            plane += index[a] * pass->axes[a].position_stride;
            to += index[a] * pass->axes[a].out_stride;
        }
        for (int64_t row = 0; row < height; row += count) {
            int64_t first = cx_min(row, height - count) + (mirrored ? count - 1 : 0);
            int64_t step = mirrored ? -rows->out_stride : rows->out_stride;
            const T *x = plane + first * rows->position_stride;
            T *y = to + first * rows->out_stride;
            for (int64_t at = 0; at < length; at += width) {
                int64_t start = cx_max(0, cx_min(at, length - width));
                if (columns->out_stride == 1 && length >= width) {
                    NAME(slide_block)(&slide, x + start, y + start, step);
                    continue;
                }
                int64_t wanted = cx_min(width, length);
                NAME(slide_block)(&slide, x + start, staged, width);
                for (int64_t r = 0; r < count; r++)
                    NAME(put)(y + r * step + start * columns->out_stride, columns->out_stride,
                              staged + r * width, wanted);
            }
        }
    } while (cx_next(index, box->extent, last - 1));
}
