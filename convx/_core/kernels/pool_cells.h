/* Indices each in its own one of the cells that a plane is cut into, as those of maxima: rows are chosen
   from, or picked from, by comparing. */

#define DEFINE_CHOOSE(TAPS)                                                                       \
    static CX_NOINLINE void NAME(choose_##TAPS)(T *restrict to, const T *restrict grad,           \
                                                const KEY *restrict index, KEY first,             \
                                                int64_t outputs)                                  \
    {                                                                                             \
        for (int64_t o = 0; o < outputs; o++) {                                                   \
            KEY at = index[o] - first - TAPS * (KEY)o;                                            \
            CX_UNROLL for (int t = 0; t < TAPS; t++) to[o * TAPS + t] = at == t ? grad[o] : 0;    \
        }                                                                                         \
    }
DEFINE_CHOOSE(2)
DEFINE_CHOOSE(3)
DEFINE_CHOOSE(4)
#undef DEFINE_CHOOSE

/* to[o * stride + t] = grad[o] if index[o] is first + o * stride + t, else 0. */
static void NAME(choose)(T *to, const T *grad, const KEY *index, KEY first,
                         const cx_pool_axis *axis)
{
    int64_t stride = axis->stride;
    if (stride == axis->taps && stride == 2)
        NAME(choose_2)(to, grad, index, first, axis->outputs);
    else if (stride == axis->taps && stride == 3)
        NAME(choose_3)(to, grad, index, first, axis->outputs);
    else if (stride == axis->taps && stride == 4)
        NAME(choose_4)(to, grad, index, first, axis->outputs);
    else
        for (int64_t o = 0; o < axis->outputs; o++)
            for (int64_t t = 0; t < stride; t++) /* between windows there is no such index */
                to[o * stride + t] = index[o] - first == o * stride + t ? grad[o] : 0;
}

/* Indices as keys; tells whether any is too large to be one. */
static CX_NOINLINE int NAME(as_keys)(KEY *restrict key, const int64_t *restrict index,
                                     int64_t count)
{
    int64_t lost = 0;
    for (int64_t i = 0; i < count; i++) {
        key[i] = (KEY)index[i];
        lost |= index[i] ^ key[i];
    }
    return lost != 0;
}

/* How many keys lie in the row of their own cell that begins at first + i * taps. */
static CX_NOINLINE KEY NAME(count_inside)(const KEY *restrict key, KEY first, KEY taps,
                                          int64_t count)
{
    KEY inside = 0;
    for (int64_t i = 0; i < count; i++) {
        KEY at = key[i] - first - taps * (KEY)i;
        inside += (at >= 0) & (at < taps);
    }
    return inside;
}

#define DEFINE_PICK(TAPS)                                                                         \
    static CX_NOINLINE void NAME(pick_##TAPS)(T *restrict x, const T *restrict y,                 \
                                              const KEY *restrict key, KEY first, int64_t count)  \
    {                                                                                             \
        for (int64_t i = 0; i < count; i++) {                                                     \
            KEY at = key[i] - first - TAPS * (KEY)i;                                              \
            T there[TAPS], picked = x[i]; /* all are read: so the compiler need not branch */     \
            CX_UNROLL for (int t = 0; t < TAPS; t++) there[t] = y[i * TAPS + t];                  \
            CX_UNROLL for (int t = 0; t < TAPS; t++) picked = at == t ? there[t] : picked;        \
            x[i] = picked;                                                                        \
        }                                                                                         \
    }
DEFINE_PICK(2)
DEFINE_PICK(3)
DEFINE_PICK(4)
#undef DEFINE_PICK

/* x[i] = y[i * taps + t] if key[i] is first + i * taps + t, else x[i]. */
static void NAME(pick)(T *x, const T *y, const KEY *key, KEY first, int64_t taps, int64_t count)
{
    if (taps == 2)
        NAME(pick_2)(x, y, key, first, count);
    else if (taps == 3)
        NAME(pick_3)(x, y, key, first, count);
    else
        NAME(pick_4)(x, y, key, first, count);
}

/* Which element of its own square of 2 by 2 each of LANES indices is that of: the first square begins at
   `first`, and a row has `width` elements. Those that are none get bits in `lost`. */
CX_INLINE void NAME(find_places)(const int64_t *index, KEY first, KEY width, NAME(mask) *place,
                                 NAME(mask) *lost)
{
    NAME(mask) at, lane;
#if VECTOR_BYTES / LANES == 8
    at = *(const NAME(loose_mask) *)index;
#else
    const int little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    NAME(vector) halves[2];
    NAME(deal)(2, (const T *)index, halves);
    at = (NAME(mask))halves[!little];
    *lost |= (NAME(mask))halves[little];
#endif
    for (int i = 0; i < LANES; i++)
        lane[i] = 2 * i;
    at = at - first - lane;
    place[0] = at == 0;
    place[1] = at == 1;
    place[2] = at == width;
    place[3] = at == width + 1;
    *lost |= ~(place[0] | place[1] | place[2] | place[3]);
}

/* LANES squares of two rows get an element each, and zeros. */
CX_INLINE void NAME(choose_of_squares)(const int far, const NAME(mask) *place, const T *x, T *above,
                                       T *below)
{
    NAME(mask) v = (NAME(mask))*(const NAME(loose) *)x;
    NAME(vector) y[4];
    CX_UNROLL for (int k = 0; k < 4; k++) y[k] = (NAME(vector))(v & place[k]);
    NAME(join_rows)(far, y, above, below);
}

CX_INLINE void NAME(pick_of_squares)(const NAME(mask) *place, const T *above, const T *below, T *x)
{
    NAME(vector) y[4];
    NAME(deal)(2, above, y);
    NAME(deal)(2, below, y + 2);
    CX_UNROLL for (int k = 1; k < 4; k++) y[0] = NAME(select)(place[k], y[k], y[0]);
    *(NAME(loose) *)x = y[0];
}

/* A row of squares, of LANES or more; the last vector overlaps the one before. Tells whether all indices
   are those of their squares. */
CX_INLINE int NAME(scatter_squares_how)(const int back, const int far, const int64_t *index,
                                        int64_t first, int64_t width, int64_t count, T *x, T *y)
{
    NAME(mask) place[4], lost = {0};
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t from = cx_min(i, count - LANES);
        T *above = y + 2 * from;
        NAME(find_places)(index + from, (KEY)(first + 2 * from), (KEY)width, place, &lost);
        if (back)
            NAME(pick_of_squares)(place, above, above + width, x + from);
        else
            NAME(choose_of_squares)(far, place, x + from, above, above + width);
    }
    KEY any = 0;
    for (int i = 0; i < LANES; i++)
        any |= lost[i];
    return !any;
}

#define DEFINE_SQUARES(NAMED, BACK, FAR)                                                          \
    static CX_NOINLINE int NAME(NAMED)(const int64_t *index, int64_t first, int64_t width,        \
                                       int64_t count, T *x, T *y)                                 \
    {                                                                                             \
        return NAME(scatter_squares_how)(BACK, FAR, index, first, width, count, x, y);            \
    }
DEFINE_SQUARES(choose_squares, 0, 0)
DEFINE_SQUARES(choose_squares_far, 0, 1)
DEFINE_SQUARES(pick_squares, 1, 0)
#undef DEFINE_SQUARES

/* Whether cells are squares of 2 by 2, and rows of them have a vector. */
static int NAME(are_squares)(const cx_pool_job *cells)
{
    const cx_pool_axis *axis = cells->axis;
    return cells->axes == 2 && axis[0].taps == 2 && axis[1].taps == 2 && axis[1].outputs >= LANES;
}

/* The same as `scatter_cells` of squares. Both rows of the plane are asked for in the order of memory,
   for processors foresee a stream and not two that take turns. */
static int NAME(scatter_squares)(const cx_scatter_job *job, const int64_t *index, T *x, T *y)
{
    const cx_pool_job *cells = job->cells;
    int64_t count = cells->axis[1].outputs, width = cells->axis[1].size;
    int back = job->how == CX_SCATTER_BACK, holds = 1;
    int far = !back && width % LANES == 0 &&
              NAME(is_far)(y, job->planes * job->plane_outputs * (int64_t)sizeof(T));
    for (int64_t row = 0; holds && row < cells->rows; row++, index += count, x += count) {
        int64_t at = 2 * row * width;
        if (job->asks_ahead && !far)
            NAME(ask_for_block)(y + at, 2 * width);
        if (back)
            holds = NAME(pick_squares)(index, at, width, count, x, y + at);
        else if (far)
            holds = NAME(choose_squares_far)(index, at, width, count, x, y + at);
        else
            holds = NAME(choose_squares)(index, at, width, count, x, y + at);
    }
    if (far)
        CX_END_FAR();
    return holds;
}

/* A plane whose indices are those of maxima, each in its input's own cell: none is wrong, none is
   there twice, and rows are chosen or picked from by comparing. Tells whether it is such a plane;
   if not, what was written counts for nothing. */
static int NAME(scatter_cells)(const cx_scatter_job *job, const int64_t *index, T *x, T *y,
                               char *scratch)
{
    const cx_pool_job *cells = job->cells;
    const cx_pool_axis *axis = cells->axis + cells->axes - 1;
    int64_t *offset = (int64_t *)scratch, count = axis->outputs, taps = axis->taps;
    KEY *key = (KEY *)(offset + cells->window_rows);
    if (NAME(are_squares)(cells))
        return NAME(scatter_squares)(job, index, x, y);
    for (int64_t row = 0; row < cells->rows; row++, index += count, x += count) {
        double unused;
        int64_t rows = NAME(window_rows)(cells, 0, row, offset, &unused), inside = 0;
        if (NAME(as_keys)(key, index, count))
            return 0;
        for (int64_t r = 0; r < rows; r++)
            inside += NAME(count_inside)(key, (KEY)offset[r], (KEY)taps, count);
        if (inside < count)
            return 0;
        for (int64_t r = 0; r < rows; r++)
            if (job->how == CX_SCATTER_BACK)
                NAME(pick)(x, y + offset[r], key, (KEY)offset[r], taps, count);
            else
                NAME(choose)(y + offset[r], x, key, (KEY)offset[r], axis);
    }
    return 1;
}
