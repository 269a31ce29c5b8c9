/* Gradients of maxima of the blocks of 2 by 2 that planes are cut into. Of each block the first of the
   greatest elements, or the last NaN, has the gradient: a few comparisons tell, and no key is made. */

static int NAME(are_pairs)(const cx_pool_job *job)
{
    for (int64_t a = 0; a < 2; a++) {
        const cx_pool_axis *axis = job->axis + a;
        if (job->axes != 2 || axis->taps != 2 || axis->stride != 2 || axis->step != 1 ||
            axis->low || 2 * axis->outputs > axis->size)
            return 0;
    }
    return 1;
}

/* Whether `v` takes the place of the greatest before it. */
CX_INLINE NAME(mask) NAME(exceeds)(NAME(vector) v, NAME(vector) greatest)
{
    return (NAME(mask))(v > greatest) | (NAME(mask))(v != v);
}

/* Four elements of each of LANES blocks go to two rows, perhaps past the caches. */
CX_INLINE void NAME(join_rows)(int far, const NAME(vector) *y, T *above, T *below)
{
    if (!far) {
        NAME(join)(2, y, above);
        NAME(join)(2, y + 2, below);
        return;
    }
    NAME(vector) joined[4];
    NAME(join)(2, y, (T *)joined);
    NAME(join)(2, y + 2, (T *)(joined + 2));
    for (int k = 0; k < 2; k++) {
        NAME(store_vector)(1, above + k * LANES, joined[k]);
        NAME(store_vector)(1, below + k * LANES, joined[2 + k]);
    }
}

/* LANES blocks of two rows. */
CX_INLINE void NAME(choose_of_pairs)(int far, const T *above, const T *below, const T *grad,
                                     T *to_above, T *to_below)
{
    NAME(vector) x[4], y[4];
    NAME(mask) g = (NAME(mask))*(const NAME(loose) *)grad;
    NAME(deal)(2, above, x);
    NAME(deal)(2, below, x + 2);
    NAME(mask) second = NAME(exceeds)(x[1], x[0]);
    NAME(vector) greatest = NAME(select)(second, x[1], x[0]);
    NAME(mask) third = NAME(exceeds)(x[2], greatest);
    greatest = NAME(select)(third, x[2], greatest);
    NAME(mask) fourth = NAME(exceeds)(x[3], greatest), early = g & ~fourth;
    y[0] = (NAME(vector))(early & ~third & ~second);
    y[1] = (NAME(vector))(early & ~third & second);
    y[2] = (NAME(vector))(early & third);
    y[3] = (NAME(vector))(g & fourth);
    NAME(join_rows)(far, y, to_above, to_below);
}

static CX_NOINLINE void NAME(copy_line)(const T *restrict line, T *restrict to, int64_t length)
{
    for (int64_t i = 0; i < length; i++)
        to[i] = line[i];
}

/* A row of blocks, `above` and `below` in y. The last vector of them overlaps the one before; fewer
   than a vector are completed by what counts for nothing. */
static CX_NOINLINE void NAME(choose_of_rows)(const T *x, const T *grad, T *above, T *below,
                                             int64_t width, int64_t outputs, int far)
{
    if (outputs < LANES) {
        T blocks[4 * LANES] = {0}, chosen[4 * LANES], shares[LANES] = {0};
        for (int64_t i = 0; i < 2 * outputs; i++) {
            blocks[i] = x[i];
            blocks[2 * LANES + i] = x[width + i];
        }
        for (int64_t o = 0; o < outputs; o++)
            shares[o] = grad[o];
        NAME(choose_of_pairs)(0, blocks, blocks + 2 * LANES, shares, chosen, chosen + 2 * LANES);
        for (int64_t i = 0; i < 2 * outputs; i++) {
            above[i] = chosen[i];
            below[i] = chosen[2 * LANES + i];
        }
        return;
    }
    for (int64_t o = 0; o < outputs; o += LANES) {
        int64_t from = cx_min(o, outputs - LANES), at = 2 * from;
        NAME(choose_of_pairs)(far, x + at, x + width + at, grad + from, above + at, below + at);
    }
}

/* Arrays that come from memory are gone over in its order, for processors foresee a stream and not two
   that take turns: the first row of blocks is asked for before both are read, and the second row of
   the result waits in a line until the first is written, unless it goes past the caches. */
static void NAME(choose_of_planes)(const cx_pool_job *job, int64_t first, int64_t end, T *line)
{
    int64_t width = job->axis[1].size, outputs = job->axis[1].outputs;
    int64_t rows = job->axis[0].outputs;
    int far = width % LANES == 0 && job->plane_size % LANES == 0 &&
              NAME(is_far)(job->y, job->planes * job->plane_size * (int64_t)sizeof(T));
    int waits = job->asks_ahead && !far;
    for (int64_t plane = first; plane < end; plane++) {
        const T *x = (const T *)job->x + plane * job->plane_size;
        const T *grad = (const T *)job->grad + plane * job->plane_outputs;
        T *y = (T *)job->y + plane * job->plane_size;
        for (int64_t r = 0; r < rows; r++) {
            const T *of = x + 2 * r * width;
            T *to = y + 2 * r * width, *below = waits ? line : to + width;
            if (job->asks_ahead)
                NAME(ask_for_block)(of, width);
            NAME(choose_of_rows)(of, grad + r * outputs, to, below, width, outputs, far);
            for (int64_t i = 2 * outputs; i < width; i++)
                to[i] = below[i] = 0;
            if (waits)
                NAME(copy_line)(below, to + width, width);
        }
        for (int64_t i = 2 * rows * width; i < job->plane_size; i++)
            y[i] = 0;
    }
    if (far)
        CX_END_FAR();
}
