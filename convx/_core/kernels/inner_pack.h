/* Packing of matrices for their product by Winograd's inner products (inner_product.h).

   A panel of the left matrix is [factor, what is subtracted][row], then [step][row]; of the right one the
   same of columns, a vector of them. Each row and each column of a block of the depth is brought below 2
   by its factor, a power of two. What is not finite, or so large or small that a product of two such
   factors may overflow or vanish, has a factor that is no number. */

enum { NAME(INNER_STEPS) = 3 };

#if ROWS < 8 /* sixteen registers, of which a row takes one */
#define INNER_ROWS 10
#define EACH_INNER_ROW(X) CX_EACH_ROW(X) X(7) X(8) X(9) X(10)
#else
#define INNER_ROWS ROWS
#define EACH_INNER_ROW(X) CX_EACH_ROW(X)
#endif

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

/* Vectors of a panel of so many rows or columns, and where the first element of one is: the last ones
   overlap. */
CX_INLINE int64_t NAME(panel_vectors)(int64_t width)
{
    return (width + LANES - 1) / LANES;
}

CX_INLINE int64_t NAME(panel_vector)(int64_t width, int64_t v)
{
    return cx_max(0, cx_min(v * LANES, width - LANES));
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

/* [step][row or column] as they are, in whole vectors; of those past `width` the last are copies. */
static void NAME(gather_panel)(const T *from, const int64_t *across, int64_t width,
                               const int64_t *along, int64_t depth, T *to)
{
    int64_t pitch = NAME(panel_vectors)(width) * LANES;
    int64_t row_step = NAME(even_step)(across, width);
    int64_t ahead = row_step * width, k = 0;
    if (width == LANES && row_step == 2) {
        for (; k < depth; k++)
            *(NAME(loose) *)(to + k * LANES) = NAME(every_other)(from + across[0] + along[k]);
        return;
    }
    while (k < depth) {
        int64_t count = cx_min(LANES, depth - k), step = NAME(even_step)(along + k, count);
        if (row_step != 1 && count == LANES && (step == 1 || step == 2))
            for (int64_t r = 0; r < width; r += LANES) {
                if (step == 1)
                    NAME(turn_steps)(1, from + along[k], across + r, width - r, ahead,
                                     to + k * pitch + r, pitch);
                else
                    NAME(turn_steps)(2, from + along[k], across + r, width - r, ahead,
                                     to + k * pitch + r, pitch);
            }
        else if (row_step == 1 && width >= LANES)
            for (int64_t i = k; i < k + count; i++)
                for (int64_t v = 0; v < NAME(panel_vectors)(width); v++) {
                    int64_t at = NAME(panel_vector)(width, v);
                    *(NAME(loose) *)(to + i * pitch + at) =
                        *(const NAME(loose) *)(from + across[0] + along[i] + at);
                }
        else
            for (int64_t i = k; i < k + count; i++)
                for (int64_t r = 0; r < width; r++)
                    to[i * pitch + r] = from[across[r] + along[i]];
        k += count;
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
   too small; and its inverse. `most` has the bits of the largest size. */
CX_INLINE NAME(vector) NAME(factor_of)(NAME(mask) most, NAME(vector) *inverse)
{
    const INNER_BITS one = (INNER_BITS)1 << INNER_MANTISSA;
    NAME(mask) exponent = most & -one;
    NAME(mask) fits = (exponent >= (INNER_BIAS - INNER_LEAST) * one) &
                      (exponent <= (INNER_BIAS + INNER_MOST) * one);
    *inverse = (NAME(vector))(2 * INNER_BIAS * one - exponent);
    return (NAME(vector))((exponent & fits) | (~(fits | (most == 0)) & ((2 * INNER_BIAS + 1) * one + 1)));
}

/* The bits of the largest size in each lane of some vectors that follow one another at every step. */
CX_INLINE void NAME(find_most)(const int vectors, const T *from, const int64_t *place, int64_t depth,
                               NAME(mask) *most)
{
    const INNER_BITS size = (INNER_BITS)-1 ^ (INNER_BITS)1 << (8 * sizeof(T) - 1);
    NAME(mask) found[4] = {{0}, {0}, {0}, {0}};
    for (int64_t k = 0; k < depth; k++)
        CX_UNROLL for (int v = 0; v < vectors; v++) {
            if (vectors > 1)
                __builtin_prefetch(from + place[k] + (v + vectors) * LANES);
            NAME(mask) bits = (NAME(mask))*(const NAME(loose) *)(from + place[k] + v * LANES) & size;
            NAME(mask) more = bits > found[v];
            found[v] = (bits & more) | (found[v] & ~more);
        }
    CX_UNROLL for (int v = 0; v < vectors; v++)
        most[v] = found[v];
}

/* A vector of a panel of `width` rows or columns, from where its steps are. */
static void NAME(scale_vector)(const T *from, const int64_t *place, int64_t depth, NAME(mask) most,
                               int64_t width, T *to)
{
    int64_t end = NAME(panel_steps)(depth) - 2, count = cx_min(LANES, width);
    NAME(vector) inverse, subtracted = {0}, factor = NAME(factor_of)(most, &inverse);
    T *steps = to + 2 * width;
    for (int64_t k = 0; k < end; k += NAME(INNER_STEPS), steps += NAME(INNER_STEPS) * width) {
        NAME(vector) scaled[NAME(INNER_STEPS)];
        CX_UNROLL for (int i = 0; i < NAME(INNER_STEPS); i++) {
            scaled[i] = (NAME(vector)){0};
            if (k + i < depth)
                scaled[i] = *(const NAME(loose) *)(from + place[k + i]) * inverse;
            if (k + i + 1 < end)
                *(NAME(loose) *)(steps + i * width) = scaled[i];
            else
                NAME(store_some)(steps + i * width, scaled[i], count);
        }
        subtracted += scaled[0] * scaled[1];
    }
    NAME(store_some)(to, factor, count);
    NAME(store_some)(to + width, subtracted, count);
}

/* A panel from gathered steps, of whole vectors. */
static void NAME(scale_panel)(const T *steps, const int64_t *place, int64_t width, int64_t depth,
                              T *panel)
{
    for (int64_t v = 0; v < NAME(panel_vectors)(width); v++) {
        int64_t at = NAME(panel_vector)(width, v);
        NAME(mask) most;
        NAME(find_most)(1, steps + at, place, depth, &most);
        NAME(scale_vector)(steps + at, place, depth, most, width, panel + at);
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
    int64_t *along, *gathered, *across, *out; /* gathered: the places of steps */
    T *steps, *left, *right, *outputs;
} NAME(inner_space);

CX_INLINE NAME(inner_space) NAME(carve_inner)(const cx_inner_product *job, char **scratch)
{
    NAME(inner_space) space;
    int64_t steps = NAME(panel_steps)(job->depth_block);
    int64_t most = (INNER_ROWS + LANES) * (int64_t)sizeof(int64_t);
    space.along = cx_carve(scratch, job->depth_block * (int64_t)sizeof(int64_t));
    space.gathered = cx_carve(scratch, job->depth_block * (int64_t)sizeof(int64_t));
    space.across = cx_carve(scratch, most);
    space.out = cx_carve(scratch, job->columns_together * (int64_t)sizeof(int64_t));
    space.steps = cx_carve(scratch, (steps + 1) * (INNER_ROWS + LANES) * (int64_t)sizeof(T));
    space.outputs = cx_carve(scratch, INNER_ROWS * LANES * (int64_t)sizeof(T));
    space.right = cx_carve(scratch, steps * job->columns_together * (int64_t)sizeof(T));
    int64_t rows = job->packed ? 0 : job->row_block * INNER_ROWS;
    space.left = cx_carve(scratch, steps * rows * (int64_t)sizeof(T));
    return space;
}

/* Bytes of scratch memory. */
static int64_t NAME(inner_space_bytes)(const cx_inner_product *job)
{
    char *end = NULL;
    NAME(carve_inner)(job, &end);
    return (int64_t)(intptr_t)end;
}

/* A block of the depth, whose places in one matrix are `along`. */
CX_INLINE int64_t NAME(depth_from)(const cx_inner_product *job, int64_t first)
{
    return cx_min(job->depth_block, job->depth - first);
}

/* Panels of rows from a block of the depth, one behind the other. */
static void NAME(pack_rows)(const cx_inner_product *job, const NAME(inner_space) *space,
                            int64_t first_step, int64_t first, int64_t end, T *to)
{
    int64_t depth = NAME(depth_from)(job, first_step), panels = NAME(inner_panels)(job->rows);
    NAME(find_places)(&job->left_depth, first_step, depth, space->along);
    for (int64_t panel = first; panel < end; panel++) {
        int64_t row = panel * job->rows / panels, width = (panel + 1) * job->rows / panels - row;
        for (int64_t r = 0; r < width; r++)
            space->across[r] = (row + r) * job->left_row;
        NAME(gather_panel)(job->left, space->across, width, space->along, depth, space->steps);
        for (int64_t k = 0; k < depth; k++)
            space->gathered[k] = k * NAME(panel_vectors)(width) * LANES;
        NAME(scale_panel)(space->steps, space->gathered, width, depth, to);
        to += width * NAME(panel_steps)(depth);
    }
}

/* Where a panel of a block of the depth is in what was packed beforehand. */
CX_INLINE int64_t NAME(packed_place)(const cx_inner_product *job, int64_t first_step, int64_t panel)
{
    int64_t blocks = first_step / job->depth_block, panels = NAME(inner_panels)(job->rows);
    return blocks * NAME(panel_steps)(job->depth_block) * job->rows +
           NAME(panel_steps)(NAME(depth_from)(job, first_step)) * (panel * job->rows / panels);
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

/* Panels of columns that are neighbours in memory: none of them is gathered. */
static void NAME(pack_neighbours)(const cx_inner_product *job, const NAME(inner_space) *space,
                                  const T *from, int64_t depth, int64_t panels, T *to)
{
    NAME(mask) most[4];
    int64_t size = LANES * NAME(panel_steps)(depth);
    if (panels == 4)
        NAME(find_most)(4, from, space->along, depth, most);
    else
        for (int64_t v = 0; v < panels; v++)
            NAME(find_most)(1, from + v * LANES, space->along, depth, most + v);
    for (int64_t v = 0; v < panels; v++)
        NAME(scale_vector)(from + v * LANES, space->along, depth, most[v], LANES, to + v * size);
}

/* Panels of columns from a block of the depth; the last one may have fewer columns, others are 0.
   Returns whether all factors are numbers. */
static int NAME(pack_columns)(const cx_inner_product *job, const NAME(inner_space) *space,
                              int64_t first_step, int64_t first, int64_t end)
{
    int64_t depth = NAME(depth_from)(job, first_step), size = LANES * NAME(panel_steps)(depth);
    T *to = space->right;
    int numbers = 1;
    NAME(find_places)(&job->right_depth, first_step, depth, space->along);
    for (int64_t k = 0; k < depth; k++)
        space->gathered[k] = k * LANES;
    for (int64_t column = first; column < end;) {
        int64_t panels = cx_min(4, (end - column) / LANES), count = cx_min(LANES, end - column);
        int64_t length = job->columns.step == 1 ? job->columns.length : 1;
        panels = cx_min(panels, (length - column % length) / LANES);
        NAME(find_places)(&job->columns, column, count, space->across);
        if (panels)
            NAME(pack_neighbours)(job, space, (const T *)job->right + space->across[0], depth,
                                  panels, to);
        else {
            NAME(gather_panel)(job->right, space->across, count, space->along, depth,
                               space->steps);
            for (int64_t k = 0; count < LANES && k < depth; k++)
                for (int64_t i = count; i < LANES; i++) /* they may be copies */
                    space->steps[k * LANES + i] = 0;
            NAME(scale_panel)(space->steps, space->gathered, LANES, depth, to);
            panels = 1;
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
