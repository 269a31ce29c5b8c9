/* Sums of the blocks of 2 by 2 of what a ReLU leaves, and their gradient: what often follows a
   convolution. They are the sums of pool_halves.h, in its order, and nothing between the two is stored.
   The divisor is a power of 2.

   Rows may be shorter than a vector. So vectors go over the end of a row, as far as the rows reach that
   go together: what is too much of a line or of the result is written once more by the next row. The
   last vector of all outputs overlaps the one before. */

CX_INLINE T NAME(rectified)(T x)
{
    return x < 0 ? 0 : x; /* NaN stays */
}

/* line = rows 0, 2 … of x and those below them, added. Of x there are `length` elements. */
CX_INLINE void NAME(add_rectified_rows)(const T *x, T *line, int64_t rows, int64_t width,
                                        int64_t length)
{
    for (int64_t r = 0; r < rows; r++) {
        int64_t i = 0, at = 2 * r * width;
        for (; i < width && at + width + i + LANES <= length; i += LANES) {
            const T *above = x + at + i;
            *(NAME(loose) *)(line + r * width + i) =
                NAME(at_least)(*(const NAME(loose) *)above, 0) +
                NAME(at_least)(*(const NAME(loose) *)(above + width), 0);
        }
        for (; i < width; i++)
            line[r * width + i] =
                NAME(rectified)(x[at + i]) + NAME(rectified)(x[at + width + i]);
    }
}

CX_INLINE void NAME(halve_rectified)(const T *x, T *line, T *y, int64_t rows, int64_t width,
                                     int64_t length, T factor)
{
    NAME(add_rectified_rows)(x, line, rows, width, length);
    int64_t outputs = rows * (width / 2);
    if (outputs < LANES)
        for (int64_t o = 0; o < outputs; o++)
            y[o] = (line[2 * o] + line[2 * o + 1]) * factor;
    else
        for (int64_t o = 0; o < outputs; o += LANES) {
            int64_t from = cx_min(o, outputs - LANES);
            NAME(vector) pair[2];
            NAME(deal)(2, line + 2 * from, pair);
            *(NAME(loose) *)(y + from) = (pair[0] + pair[1]) * factor;
        }
}

CX_INLINE void NAME(double_rectified)(const T *x, const T *grad, T *line, T *y, int64_t rows,
                                      int64_t width, int64_t length, T factor)
{
    int64_t outputs = rows * (width / 2);
    if (outputs < LANES)
        for (int64_t o = 0; o < outputs; o++)
            line[2 * o] = line[2 * o + 1] = grad[o] * factor;
    else
        for (int64_t o = 0; o < outputs; o += LANES) {
            int64_t from = cx_min(o, outputs - LANES);
            NAME(vector) g = *(const NAME(loose) *)(grad + from) * factor, pair[2] = {g, g};
            NAME(join)(2, pair, line + 2 * from);
        }
    for (int64_t r = 0; r < 2 * rows; r++) {
        const T *slopes = line + r / 2 * width;
        int64_t i = 0, at = r * width;
        for (; i < width && at + i + LANES <= length; i += LANES) {
            NAME(mask) stops = (NAME(mask))(*(const NAME(loose) *)(x + at + i) <= 0);
            NAME(mask) slope = (NAME(mask))*(const NAME(loose) *)(slopes + i);
            *(NAME(loose) *)(y + at + i) = (NAME(vector))(~stops & slope);
        }
        for (; i < width; i++)
            y[at + i] = x[at + i] <= 0 ? 0 : slopes[i]; /* that of NaN passes */
    }
}

/* Pieces are planes, which are cut without rest: together they are one tall plane. */
static void NAME(sweep_pool_relu)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_pool_job *job = of;
    int64_t width = job->axis[1].size, most = NAME(rows_at_once)(job), last = end * job->rows;
    T *line = (T *)scratch, factor = (T)(1 / job->halves);
    for (int64_t row = first * job->rows; row < last; row += most) {
        int64_t at = row * (width / 2), rows = cx_min(most, last - row), length = 2 * rows * width;
        const T *x = (const T *)job->x + 4 * at;
        if (job->grad)
            NAME(double_rectified)(x, (const T *)job->grad + at, line, (T *)job->y + 4 * at, rows,
                                   width, length, factor);
        else
            NAME(halve_rectified)(x, line, (T *)job->y + at, rows, width, length, factor);
    }
}
