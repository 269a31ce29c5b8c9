/* Weighted sums of several rows of outputs at a time, a vector wide.

   The rows of a tap are a window in registers, which goes down by one from tap to tap. If weights are
   mirrored (1, or -1 if they are negated too), they fold the rows of the taps: pairs are multiplied,
   from the outer ones to the middle, and a second window goes up from the last tap. So each row is
   loaded once for all outputs, and each sum goes through the taps, or the pairs, in the same order.
   Exact sums begin with the middle, or else the last tap, and round products before they are added, as
   SciPy does.

   Rows lie anywhere, at `from`; or they are a tile in the L1 cache, rows of one vector each that follow
   one another, whose first rows the sums replace: LANES lines side by side, transposed. */

#if IS_FLOAT
#define WINDOW_ROWS (VECTOR_BYTES == 64 ? 8 : 4)
#define EACH_ROW(first, end) CX_UNROLL for (int r = first; r < (end); r++)
#define INPUT(row)                                                                                \
    *(const NAME(loose) *)(tiled ? tile + (row) * LANES : from[row] + i)
CX_INLINE void NAME(window_block)(const int rows, const int mirrored, const int exact,
                                  const int tiled, const cx_filter_axis *axis, T *tile,
                                  T *const *to, const T *const *from, int64_t i)
{
    NAME(vector) sum[8], low[8], high[8];
    const T *weights = axis->weights;
    int64_t last = axis->taps - 1, steps = mirrored ? axis->taps / 2 : last + !exact;
    EACH_ROW(0, rows) sum[r] = (NAME(vector)){0};
    if (exact)
        EACH_ROW(0, rows)
        {
            sum[r] = INPUT(steps + r) * weights[steps];
            CX_HOLD(sum[r]);
        }
    EACH_ROW(0, rows - 1) low[r] = INPUT(r);
    EACH_ROW(1, rows) high[r] = mirrored ? INPUT(last + r) : (NAME(loose)){0};
    CX_UNROLL_8 for (int64_t t = 0; t < steps; t++)
    {
        low[rows - 1] = INPUT(t + rows - 1);
        if (mirrored)
            high[0] = INPUT(last - t);
        EACH_ROW(0, rows)
        {
            NAME(vector) x = low[r];
            if (mirrored)
                x = mirrored > 0 ? x + high[r] : x - high[r];
            x *= weights[t];
            if (exact)
                CX_HOLD(x);
            sum[r] += x;
        }
        EACH_ROW(1, rows)
        {
            low[r - 1] = low[r];
            if (mirrored)
                high[rows - r] = high[rows - r - 1];
        }
    }
    if (mirrored && !exact) {
        low[rows - 1] = INPUT(steps + rows - 1);
        EACH_ROW(0, rows) sum[r] += weights[steps] * low[r];
    }
    EACH_ROW(0, rows) *(NAME(loose) *)(tiled ? tile + r * LANES : to[r] + i) = sum[r];
}
#undef EACH_ROW
#undef INPUT

/* Calls M(mirrored, exact) for what the weights of an axis are. */
#define EACH_KIND(M)                                                                              \
    if (axis->symmetry > 0 && exact)                                                              \
        M(1, 1)                                                                                   \
    else if (axis->symmetry > 0)                                                                  \
        M(1, 0)                                                                                   \
    else if (axis->symmetry && exact)                                                             \
        M(-1, 1)                                                                                  \
    else if (axis->symmetry)                                                                      \
        M(-1, 0)                                                                                  \
    else if (exact)                                                                               \
        M(0, 1)                                                                                   \
    else                                                                                          \
        M(0, 0)

/* WINDOW_ROWS rows of outputs. */
static CX_NOINLINE void NAME(shared_rows)(const cx_filter_axis *axis, int64_t exact, T *const *to,
                                          const T *const *from, int64_t length)
{
#define COLUMNS(mirrored, exact)                                                                  \
    for (int64_t i = 0; i < length; i += LANES)                                                   \
        NAME(window_block)(WINDOW_ROWS, mirrored, exact, 0, axis, NULL, to, from,                 \
                           cx_min(i, length - LANES));
    EACH_KIND(COLUMNS)
#undef COLUMNS
}

static CX_NOINLINE void NAME(tile_sums)(const cx_filter_axis *axis, int64_t exact, T *tile,
                                        int64_t rows)
{
    int64_t r = 0;
#define BLOCKS(mirrored, exact)                                                                   \
    for (; r + WINDOW_ROWS <= rows; r += WINDOW_ROWS)                                             \
        NAME(window_block)(WINDOW_ROWS, mirrored, exact, 1, axis, tile + r * LANES, NULL, NULL, 0);
#define REST(mirrored, exact)                                                                     \
    for (; r < rows; r++)                                                                         \
        NAME(window_block)(1, mirrored, exact, 1, axis, tile + r * LANES, NULL, NULL, 0);
    EACH_KIND(BLOCKS)
    EACH_KIND(REST)
#undef BLOCKS
#undef REST
}
#undef EACH_KIND

/* Sums along LANES lines at once, which may replace their beginnings. Lines are read up to a vector
   beyond their ends; as much of the rows `ahead`, which are to come, is asked for meanwhile. */
static CX_NOINLINE void NAME(along_tiles)(const cx_filter_axis *axis, int64_t exact, T *const *to,
                                          const T *const *line, int64_t length, T *tile,
                                          const T *const *ahead)
{
    for (int64_t at = 0; at < length; at += CX_TILE_PLACES) {
        int64_t count = cx_min(CX_TILE_PLACES, length - at), needed = count + axis->taps - 1;
        NAME(vector) v[LANES];
        for (int64_t i = 0; i < needed; i += LANES) {
            CX_UNROLL for (int r = 0; r < LANES; r++)
                v[r] = *(const NAME(loose) *)(line[r] + at + i);
            NAME(transpose)(v);
            CX_UNROLL for (int r = 0; r < LANES; r++)
                *(NAME(vector) *)(tile + (i + r) * LANES) = v[r];
        }
        NAME(tile_sums)(axis, exact, tile, count);
        for (int64_t i = 0; i < count; i += LANES) {
            CX_UNROLL for (int r = 0; r < LANES; r++)
                v[r] = *(const NAME(vector) *)(tile + (i + r) * LANES);
            NAME(transpose)(v);
            CX_UNROLL for (int r = 0; r < LANES; r++) {
                NAME(store_some)(to[r] + at + i, v[r], count - i);
                __builtin_prefetch(ahead[r] + at + i);
            }
        }
    }
}
#endif
