/* Packing of matrices for their product by Winograd's inner products (inner_product.h).

   A panel of the left matrix is [factor, what is subtracted][row], then [step][row]; of the right one the
   same of columns, a vector of them. Each row and each column of a block of the depth is brought below 2
   by its factor, a power of two. Infinities, and numbers so large or small that a product of two such
   factors may overflow or vanish, have a factor that is no number. Other NaN need no care: they make the
   same outputs NaN as in a direct sum. */

enum { NAME(INNER_STEPS) = 3 };

#if ROWS < 8 /* sixteen registers, of which a row takes one */
#define INNER_ROWS 10
#define EACH_INNER_ROW(X) CX_EACH_ROW(X) X(7) X(8) X(9) X(10)
#else
#define INNER_ROWS ROWS
#define EACH_INNER_ROW(X) CX_EACH_ROW(X)
#endif

/* From one step of a panel of rows to the next: whole vectors. */
enum { NAME(INNER_PITCH) = (INNER_ROWS + LANES - 1) / LANES * LANES };

/* Steps of a panel from so many of a matrix, and the two that it begins with. */
CX_INLINE int64_t NAME(panel_steps)(int64_t depth)
{
    int64_t steps = NAME(INNER_STEPS);
    return 2 + (depth + steps - 1) / steps * steps;
}

/* Where the elements from `first` on lie that follow one another in a matrix. */
static void NAME(find_places)(const cx_sequence *of, int64_t first, int64_t count, int64_t *place)
{
    int64_t line = first / of->length, along = first % of->length;
    int64_t item = line / of->lines;
    line %= of->lines;
    for (int64_t i = 0; i < count; i++) {
        place[i] = item * of->item + line * of->line + along * of->step;
        if (++along == of->length) {
            along = 0;
            if (++line == of->lines)
                line = 0, item++;
        }
    }
}

/* The distance of `count` places, 0 if they are not at the same one. */
CX_INLINE int64_t NAME(even_step)(const int64_t *place, int64_t count)
{
    int64_t step = count > 1 ? place[1] - place[0] : 1;
    for (int64_t i = 2; i < count; i++)
        if (place[i] - place[i - 1] != step)
            return 0;
    return step;
}

CX_INLINE NAME(vector) NAME(load_steps)(const int step, const T *from)
{
    if (step == 2)
        return NAME(every_other)(from);
    return *(const NAME(loose) *)from;
}

/* LANES steps of LANES rows that lie apart, from a place on: to[step * pitch + row]. */
CX_INLINE void NAME(turn_steps)(const int step, const T *from, const int64_t *across, int64_t rows,
                                int64_t ahead, T *to, int64_t pitch)
{
    NAME(vector) v[LANES];
    CX_UNROLL for (int r = 0; r < LANES; r++) {
        const T *row = from + across[cx_min(r, rows - 1)];
        __builtin_prefetch(row + ahead);
        v[r] = NAME(load_steps)(step, row);
    }
    NAME(transpose)(v);
    CX_UNROLL for (int r = 0; r < LANES; r++)
        *(NAME(loose) *)(to + r * pitch) = v[r];
}

/* [step][row or column] as they are, `pitch` elements from one step to the next: whole vectors, in which
   something follows the last row. `readable`: of neighbours those that may be read, at least width. */
static void NAME(gather_panel)(const T *from, const int64_t *across, int64_t width, int64_t readable,
                               const int64_t *along, int64_t depth, int64_t pitch, T *to)
{
    int64_t row_step = NAME(even_step)(across, width), ahead = row_step * width;
    if (width == LANES && row_step == 2) {
        for (int64_t k = 0; k < depth; k++) {
            const T *x = from + across[0] + along[k];
            __builtin_prefetch(x + 2 * LANES);
            __builtin_prefetch(x + 3 * LANES);
            *(NAME(loose) *)(to + k * pitch) = NAME(every_other)(x);
        }
        return;
    }
    for (int64_t k = 0; k < depth; k += LANES) {
        int64_t count = cx_min(LANES, depth - k), step = NAME(even_step)(along + k, count);
        if (row_step != 1 && count == LANES && step == 1)
            for (int64_t r = 0; r < width; r += LANES)
                NAME(turn_steps)(1, from + along[k], across + r, width - r, ahead,
                                 to + k * pitch + r, pitch);
        else if (row_step != 1 && count == LANES && step == 2)
            for (int64_t r = 0; r < width; r += LANES)
                NAME(turn_steps)(2, from + along[k], across + r, width - r, ahead,
                                 to + k * pitch + r, pitch);
        else if (row_step == 1 && readable >= LANES)
            for (int64_t i = k; i < k + count; i++)
                for (int64_t r = 0; r < width; r += LANES) {
                    int64_t at = cx_min(r, readable - LANES);
                    *(NAME(loose) *)(to + i * pitch + at) =
                        *(const NAME(loose) *)(from + across[0] + along[i] + at);
                }
        else
            for (int64_t i = k; i < k + count; i++)
                for (int64_t r = 0; r < width; r++)
                    to[i * pitch + r] = from[across[r] + along[i]];
    }
}

#if VECTOR_BYTES / LANES == 4
#define INNER_BITS int32_t
#define INNER_MANTISSA 23
#define INNER_BIAS 127
#define INNER_LEAST 62
#define INNER_MOST 50 /* a sum of many products of both */
#else
#define INNER_BITS int64_t
#define INNER_MANTISSA 52
#define INNER_BIAS 1023
#define INNER_LEAST 500
#define INNER_MOST 500
#endif

/* A power of two that numbers are below twice of, 0 if all are 0, not a number if they are too large or
   too small; and its inverse. */
CX_INLINE NAME(vector) NAME(factor_of)(NAME(vector) most, NAME(vector) *inverse)
{
    const INNER_BITS one = (INNER_BITS)1 << INNER_MANTISSA;
    NAME(mask) exponent = (NAME(mask))most & -one;
    NAME(mask) fits = (exponent >= (INNER_BIAS - INNER_LEAST) * one) &
                      (exponent <= (INNER_BIAS + INNER_MOST) * one);
    NAME(mask) nothing = (NAME(mask))most == 0;
    NAME(mask) no_number = (2 * INNER_BIAS + 1) * one + 1 + (NAME(mask)){0};
    *inverse = (NAME(vector))(2 * INNER_BIAS * one - exponent);
    return (NAME(vector))((exponent & fits) | (no_number & ~(fits | nothing)));
}

CX_INLINE NAME(vector) NAME(magnitude)(NAME(vector) v)
{
    const INNER_BITS sign = (INNER_BITS)1 << (8 * sizeof(T) - 1);
    return (NAME(vector))((NAME(mask))v & ~sign);
}

/* The largest sizes in the lanes of four vectors that follow one another at every step. */
static void NAME(find_most)(const T *from, const int64_t *place, int64_t depth, NAME(vector) *most)
{
    NAME(vector) found[4] = {{0}, {0}, {0}, {0}};
    for (int64_t k = 0; k < depth; k++)
        CX_UNROLL for (int v = 0; v < 4; v++) {
            const T *x = from + place[k] + v * LANES;
            __builtin_prefetch(x + 4 * LANES);
            found[v] = NAME(greater)(NAME(magnitude)(*(const NAME(loose) *)x), found[v]);
        }
    CX_UNROLL for (int v = 0; v < 4; v++)
        most[v] = found[v];
}

/* A vector of a panel, `pitch` elements from one step to the next, from steps that are where `place`
   tells, or in their places already. */
CX_INLINE void NAME(scale)(const T *from, const int64_t *place, int64_t depth, NAME(vector) most,
                           int64_t pitch, T *to)
{
    NAME(vector) inverse, subtracted = {0}, factor = NAME(factor_of)(most, &inverse);
    T *step = to + 2 * pitch;
    int64_t k = 0;
#define SCALED(k) (*(const NAME(loose) *)(place ? from + place[k] : step) * inverse)
    for (; k + NAME(INNER_STEPS) <= depth; k += NAME(INNER_STEPS)) {
        NAME(vector) first = SCALED(k), second;
        *(NAME(loose) *)step = first;
        step += pitch;
        *(NAME(loose) *)step = second = SCALED(k + 1);
        step += pitch;
        *(NAME(loose) *)step = SCALED(k + 2);
        step += pitch;
        subtracted += first * second;
    }
    NAME(vector) before = {0};
    for (; k < depth; k++, step += pitch) {
        NAME(vector) last = SCALED(k);
        *(NAME(loose) *)step = last;
        subtracted += before * last; /* nothing for one that is left, one product for two */
        before = last;
    }
#undef SCALED
    for (T *end = to + NAME(panel_steps)(depth) * pitch; step < end; step += pitch)
        *(NAME(loose) *)step = (NAME(vector)){0};
    *(NAME(loose) *)to = factor;
    *(NAME(loose) *)(to + pitch) = subtracted;
}

/* The same for a panel whose steps are in their places, for each of its vectors. */
static void NAME(scale_gathered)(int64_t width, int64_t depth, int64_t pitch, T *panel)
{
    for (int64_t v = 0; v < width; v += LANES) {
        NAME(vector) most = {0};
        const T *step = panel + 2 * pitch + v;
        for (int64_t k = 0; k < depth; k++, step += pitch)
            most = NAME(greater)(NAME(magnitude)(*(const NAME(loose) *)step), most);
        NAME(scale)(NULL, NULL, depth, most, pitch, panel + v);
    }
}

/* Whether all the factors that a panel begins with are numbers. */
CX_INLINE int NAME(are_numbers)(const T *factor, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (factor[i] != factor[i])
            return 0;
    return 1;
}

/* Rows are dealt evenly to as few panels as there can be. */
CX_INLINE int64_t NAME(inner_panels)(int64_t rows)
{
    return (rows + INNER_ROWS - 1) / INNER_ROWS;
}

typedef struct {
    int64_t *along, *across, *out;
    T *left, *right, *outputs;
} NAME(inner_space);

CX_INLINE NAME(inner_space) NAME(carve_inner)(const cx_inner_product *job, char **scratch)
{
    NAME(inner_space) space;
    int64_t steps = NAME(panel_steps)(job->depth_block);
    int64_t panels = job->packed ? 0 : job->row_block;
    space.along = cx_carve(scratch, job->depth_block * (int64_t)sizeof(int64_t));
    space.across = cx_carve(scratch, (INNER_ROWS + LANES) * (int64_t)sizeof(int64_t));
    space.out = cx_carve(scratch, job->columns_together * (int64_t)sizeof(int64_t));
    space.outputs = cx_carve(scratch, INNER_ROWS * LANES * (int64_t)sizeof(T));
    space.right = cx_carve(scratch, steps * job->columns_together * (int64_t)sizeof(T));
    space.left = cx_carve(scratch, steps * panels * NAME(INNER_PITCH) * (int64_t)sizeof(T));
    return space;
}

/* Bytes of scratch memory. */
static int64_t NAME(inner_space_bytes)(const cx_inner_product *job)
{
    char *end = NULL;
    NAME(carve_inner)(job, &end);
    return (int64_t)(intptr_t)end;
}

/* Steps of the block of the depth that begins with one. */
CX_INLINE int64_t NAME(depth_from)(const cx_inner_product *job, int64_t first)
{
    return cx_min(job->depth_block, job->depth - first);
}

/* Panels of rows from a block of the depth, one behind the other. */
static void NAME(pack_rows)(const cx_inner_product *job, const NAME(inner_space) *space,
                            int64_t first_step, int64_t first, int64_t end, T *to)
{
    int64_t depth = NAME(depth_from)(job, first_step), panels = NAME(inner_panels)(job->rows);
    int64_t pitch = NAME(INNER_PITCH);
    NAME(find_places)(&job->left_depth, first_step, depth, space->along);
    for (int64_t panel = first; panel < end; panel++, to += pitch * NAME(panel_steps)(depth)) {
        int64_t row = panel * job->rows / panels, width = (panel + 1) * job->rows / panels - row;
        for (int64_t r = 0; r < width; r++)
            space->across[r] = (row + r) * job->left_row;
        NAME(gather_panel)(job->left, space->across, width, job->rows - row, space->along, depth,
                           pitch, to + 2 * pitch);
        NAME(scale_gathered)(width, depth, pitch, to);
    }
}

/* Where a panel of a block of the depth is in what was packed beforehand. */
CX_INLINE int64_t NAME(packed_place)(const cx_inner_product *job, int64_t first_step, int64_t panel)
{
    int64_t blocks = first_step / job->depth_block, panels = NAME(inner_panels)(job->rows);
    int64_t before = blocks * panels * NAME(panel_steps)(job->depth_block);
    before += panel * NAME(panel_steps)(NAME(depth_from)(job, first_step));
    return before * NAME(INNER_PITCH);
}

/* Packs the left matrix beforehand. A piece is a panel of a block of the depth. */
static void NAME(pack_inner)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_inner_product *job = of;
    NAME(inner_space) space = NAME(carve_inner)(job, &scratch);
    int64_t panels = NAME(inner_panels)(job->rows);
    for (int64_t piece = first; piece < end; piece++) {
        int64_t step = piece / panels * job->depth_block, panel = piece % panels;
        NAME(pack_rows)(job, &space, step, panel, panel + 1,
                        (T *)job->packed + NAME(packed_place)(job, step, panel));
    }
}

/* Panels of columns from a block of the depth; the last one may have fewer columns, others are 0.
   Neighbours in memory are not gathered, but looked through twice. Returns whether all factors are
   numbers. */
static int NAME(pack_columns)(const cx_inner_product *job, const NAME(inner_space) *space,
                              int64_t first_step, int64_t first, int64_t end)
{
    int64_t depth = NAME(depth_from)(job, first_step), size = LANES * NAME(panel_steps)(depth);
    int64_t length = job->columns.step == 1 ? job->columns.length : 1;
    T *to = space->right;
    int numbers = 1;
    NAME(find_places)(&job->right_depth, first_step, depth, space->along);
    for (int64_t column = first; column < end;) {
        int64_t count = cx_min(LANES, end - column), panels = 1;
        NAME(find_places)(&job->columns, column, count, space->across);
        if (cx_min(end - column, length - column % length) >= 4 * LANES) {
            const T *from = (const T *)job->right + space->across[0];
            NAME(vector) most[4];
            panels = 4;
            NAME(find_most)(from, space->along, depth, most);
            for (int64_t v = 0; v < panels; v++)
                NAME(scale)(from + v * LANES, space->along, depth, most[v], LANES, to + v * size);
        } else {
            T *steps = to + 2 * LANES;
            NAME(gather_panel)(job->right, space->across, count, count, space->along, depth, LANES,
                               steps);
            for (int64_t k = 0; count < LANES && k < depth; k++)
                for (int64_t i = count; i < LANES; i++) /* they may be copies */
                    steps[k * LANES + i] = 0;
            NAME(scale_gathered)(LANES, depth, LANES, to);
        }
        for (int64_t panel = 0; panel < panels; panel++, to += size)
            numbers &= NAME(are_numbers)(to, LANES);
        column += panels * LANES;
    }
    return numbers;
}

#undef INNER_BITS
#undef INNER_MANTISSA
#undef INNER_BIAS
#undef INNER_LEAST
#undef INNER_MOST
