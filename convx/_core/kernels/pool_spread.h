/* Gradients of sums along the last axis: a row of outputs becomes a row of inputs, each with the sum of
   the windows that it is in. */

/* line[q * stride + f] = wide[q] for f <= last, else narrow[q]. */
CX_INLINE void NAME(deal_phases_of)(const int64_t stride, T *restrict line, const T *restrict wide,
                                    const T *restrict narrow, int64_t last, int64_t count)
{
    for (int64_t q = 0; q < count; q++)
        for (int64_t f = 0; f < stride; f++)
            line[q * stride + f] = f <= last ? wide[q] : narrow[q];
}

static CX_NOINLINE void NAME(deal_phases)(int64_t stride, T *restrict line,
                                          const T *restrict wide, const T *restrict narrow,
                                          int64_t last, int64_t count)
{
    if (stride == 2 && last == 0)
        NAME(deal_phases_of)(2, line, wide, narrow, 0, count);
    else if (stride == 2)
        NAME(deal_phases_of)(2, line, wide, narrow, 1, count);
    else if (stride == 3 && last == 2)
        NAME(deal_phases_of)(3, line, wide, narrow, 2, count);
    else
        NAME(deal_phases_of)(stride, line, wide, narrow, last, count);
}

/* What regular windows along a line make of the gradient of a row, in to[0] … to[size - 1].

   Input i, with i + low = q * stride + f, is in the windows of outputs q, q - 1 … as long as f plus
   the strides is a tap. So all inputs of a phase f have sums of equally many neighbours, and there
   are but two numbers of them. */
static void NAME(spread_regular)(const cx_pool_axis *axis, const T *grad,
                                 const NAME(pool_room) *room, T *restrict to)
{
    int64_t stride = axis->stride, more = (axis->taps - 1) / stride, last = (axis->taps - 1) % stride;
    int64_t count = (axis->size + axis->low + stride - 1) / stride;
    T *padded = room->line, *wide = room->other, *line = room->out;
    for (int64_t q = 0; q < more; q++)
        padded[q] = 0;
    int64_t outputs = cx_min(axis->outputs, count);
    for (int64_t q = 0; q < outputs; q++)
        padded[more + q] = grad[q];
    for (int64_t q = outputs; q < count; q++)
        padded[more + q] = 0;
    T *narrow = padded + 1;
    if (more == 0) {
        wide = padded;
        narrow = room->other;
        for (int64_t q = 0; q < count; q++)
            narrow[q] = 0;
    } else if (more == 1)
        for (int64_t q = 0; q < count; q++)
            wide[q] = padded[q] + padded[q + 1];
    else {
        NAME(slide_sum)(padded, wide, count + 1, more, 1); /* of q - more … q - 1 */
        narrow = (T *)room->keys;
        for (int64_t q = 0; q < count; q++)
            narrow[q] = wide[q + 1];
        for (int64_t q = 0; q < count; q++)
            wide[q] += q < outputs ? grad[q] : 0;
    }
    if (stride == 1)
        line = wide;
    else
        NAME(deal_phases)(stride, line, wide, narrow, last, count);
    for (int64_t i = 0; i < axis->size; i++)
        to[i] = line[i + axis->low];
}

static void NAME(spread_row)(const cx_pool_job *job, const T *grad, double divisor,
                             const NAME(pool_room) *room, T *restrict to)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    T *scaled = (T *)room->out_keys;
    for (int64_t o = 0; o < axis->outputs; o++)
        scaled[o] = grad[o];
    if (axis->divisor)
        NAME(divide)(axis, divisor, scaled);
    if (axis->taps) {
        NAME(spread_regular)(axis, scaled, room, to);
        return;
    }
    if (axis->outputs == 1 && axis->count[0] == axis->size) {
        for (int64_t i = 0; i < axis->size; i++)
            to[i] = scaled[0];
        return;
    }
    for (int64_t i = 0; i < axis->size; i++)
        to[i] = 0;
    for (int64_t o = 0; o < axis->outputs; o++)
        for (int64_t t = 0; t < axis->count[o]; t++)
            to[axis->start[o] + t * axis->step] += scaled[o];
}

/* Each gradient, divided, in all elements of a plane, some vectors. Vectors are stored as whole lines of
   the cache, of which one may have the end of a plane and the beginning of the next. */
static void NAME(spread_whole_lines)(const T *grad, int64_t planes, int64_t size, T divisor, T *y)
{
    NAME(mask) lane;
    for (int i = 0; i < LANES; i++)
        lane[i] = i;
    int64_t left = -(uintptr_t)y % VECTOR_BYTES / sizeof(T);
    NAME(vector) share = NAME(zero)() + grad[0] / divisor;
    NAME(store_some)(y, share, left);
    y += left;
    left = size - left;
    for (int64_t plane = 1; plane <= planes; plane++) {
        for (; left >= LANES; left -= LANES, y += LANES)
            *(NAME(loose) *)y = share;
        if (plane == planes)
            break;
        NAME(vector) next = NAME(zero)() + grad[plane] / divisor;
        *(NAME(loose) *)y = NAME(select)(lane < (KEY)left, share, next);
        y += LANES;
        left += size - LANES;
        share = next;
    }
    NAME(store_some)(y, share, left);
}

/* Planes of one window each: they may be small and many. */
static void NAME(spread_whole)(const cx_pool_job *job, int64_t first, int64_t end)
{
    const cx_pool_axis *axis = job->axis;
    const T *grad = job->x;
    T *restrict y = (T *)job->y + first * axis->size;
    T divisor = axis->divisor ? (T)axis->divisor[0] : 1;
    if (VECTOR_BYTES == 64 && axis->size >= 2 * LANES && axis->size % LANES && first < end) {
        NAME(spread_whole_lines)(grad + first, end - first, axis->size, divisor, y);
        return;
    }
    for (int64_t plane = first; plane < end; plane++, y += axis->size) {
        T share = grad[plane] / divisor;
        for (int64_t i = 0; i < axis->size; i++)
            y[i] = share;
    }
}

/* Each of up to LANES gradients, divided, `taps` times in so many rows that are alike; `left` elements of
   them are to be filled. If rows run over, a vector may be read and written beyond their end. */
CX_INLINE void NAME(repeat_some)(const int how, const int taps, const int runs_over, const T *grad,
                                 int64_t outputs, NAME(division) by, T *to, int64_t left,
                                 int64_t size, int64_t times)
{
    NAME(vector) v[4], g = NAME(load_some)(grad, runs_over ? LANES : outputs);
    NAME(repeat)(taps, NAME(quotient)(how, NAME(first_lanes)(g, outputs), by), v);
    for (int64_t t = 0; t < times; t++, to += size)
        CX_UNROLL for (int i = 0; i < taps; i++)
            if (i * LANES < left)
                NAME(store_some)(to + i * LANES, v[i], runs_over ? LANES : left - i * LANES);
}

/* to[o * taps + t] = grad[o], divided, and 0 behind the last window. Of several rows the last vectors come
   first, and what they write beyond a row is written again. */
CX_INLINE void NAME(repeat_row)(const int how, const int taps, const int runs_over, const T *grad,
                                int64_t outputs, NAME(division) by, T *to, int64_t size,
                                int64_t times)
{
    int64_t whole = outputs / LANES * LANES, left = size - whole * taps;
    for (int64_t i = (outputs + LANES - 1) / LANES * LANES * taps; i < size; i++)
        for (int64_t t = 0; t < times; t++)
            to[t * size + i] = 0;
    if (times > 1 && whole < outputs)
        NAME(repeat_some)(how, taps, runs_over, grad + whole, outputs - whole, by,
                          to + whole * taps, left, size, times);
    for (int64_t n = 0; n < whole; n += LANES) {
        NAME(vector) v[4];
        int64_t o = times > 1 ? whole - LANES - n : n;
        NAME(repeat)(taps, NAME(quotient)(how, *(const NAME(loose) *)(grad + o), by), v);
        for (int64_t t = 0; t < times; t++)
            CX_UNROLL for (int i = 0; i < taps; i++)
                *(NAME(loose) *)(to + t * size + o * taps + i * LANES) = v[i];
    }
    if (times == 1 && whole < outputs)
        NAME(repeat_some)(how, taps, runs_over, grad + whole, outputs - whole, by,
                          to + whole * taps, left, size, 1);
}

/* Rows of gradients, each of which becomes so many rows: of whole vectors one is made and copied, so that
   memory is gone over in its order. `grads` and `elements` tell how many there are in all from the first
   ones on. */
CX_INLINE void NAME(repeat_rows_how)(const int how, const int taps, const T *grad, int64_t grads,
                                     int64_t outputs, int64_t rows, int64_t times,
                                     NAME(division) by, T *to, int64_t elements, int64_t size)
{
    int64_t over = cx_min((grads - LANES) / outputs, (elements - LANES) / (times * size)), r = 0;
    for (; r < cx_min(over, rows); r++, grad += outputs, to += times * size) {
        if (size % LANES) {
            NAME(repeat_row)(how, taps, 1, grad, outputs, by, to, size, times);
            continue;
        }
        NAME(repeat_row)(how, taps, 1, grad, outputs, by, to, size, 1);
        for (int64_t i = 0; i < (times - 1) * size; i += LANES) /* of the row above each */
            *(NAME(loose) *)(to + size + i) = *(const NAME(loose) *)(to + i);
    }
    for (; r < rows; r++, grad += outputs, to += times * size)
        NAME(repeat_row)(how, taps, 0, grad, outputs, by, to, size, times);
}

#define DEFINE_REPEAT(TAPS)                                                                       \
    static CX_NOINLINE void NAME(repeat_##TAPS)(                                                  \
        const T *grad, int64_t grads, int64_t outputs, int64_t rows, int64_t times,               \
        NAME(division) by, T *to, int64_t elements, int64_t size)                                 \
    {                                                                                             \
        if (by.how == CX_SCALES)                                                                  \
            NAME(repeat_rows_how)(CX_SCALES, TAPS, grad, grads, outputs, rows, times, by, to,     \
                                  elements, size);                                                \
        else if (by.how == CX_CORRECTS)                                                           \
            NAME(repeat_rows_how)(CX_CORRECTS, TAPS, grad, grads, outputs, rows, times, by, to,   \
                                  elements, size);                                                \
        else                                                                                      \
            NAME(repeat_rows_how)(CX_DIVIDES, TAPS, grad, grads, outputs, rows, times, by, to,    \
                                  elements, size);                                                \
    }
DEFINE_REPEAT(2)
DEFINE_REPEAT(3)
DEFINE_REPEAT(4)
#undef DEFINE_REPEAT

/* The same of windows of three or four taps, two elements apart, where line[q] is the gradient of
   output q. Inputs 2 q - low are in windows q - 1 and q; the next ones too, or in q alone. */
#define DEFINE_SPREAD(TAPS)                                                                       \
    static CX_NOINLINE void NAME(spread_##TAPS)(const T *restrict line, int64_t pitch,            \
                                                int64_t rows, int64_t low, T *restrict to,        \
                                                int64_t size)                                     \
    {                                                                                             \
        int64_t odd = low % 2, first = (low + 1) / 2, pairs = (size - odd) / 2;                   \
        for (int64_t r = 0; r < rows; r++, line += pitch, to += size) {                           \
            if (odd)                                                                              \
                to[0] = TAPS == 3 ? line[low / 2] : line[low / 2 - 1] + line[low / 2];            \
            for (int64_t k = 0; k < pairs; k++) {                                                 \
                T here = line[first + k], both = line[first + k - 1] + here;                      \
                to[odd + 2 * k] = both;                                                           \
                to[odd + 2 * k + 1] = TAPS == 3 ? here : both;                                    \
            }                                                                                     \
            if (odd + 2 * pairs < size)                                                           \
                to[size - 1] = line[first + pairs - 1] + line[first + pairs];                     \
        }                                                                                         \
    }
DEFINE_SPREAD(3)
DEFINE_SPREAD(4)
#undef DEFINE_SPREAD

static void NAME(repeat_rows)(const T *grad, int64_t grads, int64_t outputs, int64_t rows,
                              int64_t times, NAME(division) by, int64_t taps, T *to,
                              int64_t elements, int64_t size)
{
    if (taps == 2)
        NAME(repeat_2)(grad, grads, outputs, rows, times, by, to, elements, size);
    else if (taps == 3)
        NAME(repeat_3)(grad, grads, outputs, rows, times, by, to, elements, size);
    else
        NAME(repeat_4)(grad, grads, outputs, rows, times, by, to, elements, size);
}

/* Whether planes have two axes, which windows cut into blocks, and what is left. */
static int NAME(are_blocks)(const cx_pool_job *job)
{
    const cx_pool_axis *outer = job->axis, *axis = outer + 1;
    return job->axes == 2 && job->spread_rows && axis->stride == axis->taps &&
           outer->taps && outer->taps == outer->stride && !outer->low &&
           outer->outputs * outer->taps <= outer->size;
}

/* The first row of each row of blocks is made where it belongs, and copied to the others. */
static void NAME(repeat_planes)(const cx_pool_job *job, int64_t first, int64_t end, T divisor)
{
    const cx_pool_axis *outer = job->axis, *axis = outer + 1;
    int64_t size = axis->size, outputs = axis->outputs, taps = outer->taps;
    NAME(division) by = NAME(division_by)(divisor);
    for (int64_t plane = first; plane < end; plane++) {
        const T *grad = (const T *)job->x + plane * job->plane_outputs;
        T *y = (T *)job->y + plane * job->plane_size, *rest = y + outer->outputs * taps * size;
        int64_t planes = end - plane; /* into which rows may run over: they come later */
        NAME(repeat_rows)(grad, planes * job->plane_outputs, outputs, outer->outputs, taps, by,
                          axis->taps, y, planes * job->plane_size, size);
        for (int64_t i = 0; i < (outer->size - outer->outputs * taps) * size; i++)
            rest[i] = 0;
    }
}

/* Where the gradients of a row begin in a line: behind the windows that an input is in before the
   first. */
CX_INLINE int64_t NAME(spread_start)(const cx_pool_axis *axis)
{
    int64_t before = axis->stride == 1 ? axis->taps - 1 - axis->low : 1;
    return (before + CX_BLOCK_ALIGNMENT - 1) / CX_BLOCK_ALIGNMENT * CX_BLOCK_ALIGNMENT;
}

static void NAME(clear_lines)(const cx_pool_job *job, const NAME(pool_room) *room)
{
    for (int64_t i = 0; i < job->spread_rows * job->spread_pitch; i++)
        room->line[i] = 0;
}

/* Rows of gradients, spread along the last axis: as sums of neighbours, or repeated if windows do not
   overlap. */
static void NAME(spread_block)(const cx_pool_job *job, const T *grad, int64_t rows, T divisor,
                               const NAME(pool_room) *room, T *to)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    int64_t outputs = axis->outputs, size = axis->size, taps = axis->taps, low = axis->low;
    NAME(division) by = NAME(division_by)(divisor);
    if (axis->stride < taps) {
        int64_t pitch = job->spread_pitch;
        T *lines = room->line + NAME(spread_start)(axis);
        for (int64_t r = 0; r < rows; r++)
            NAME(divide_line)(grad + r * outputs, outputs, by, lines + r * pitch);
        if (axis->stride == 1)
            NAME(sum_few)(lines - (taps - 1 - low), pitch, to, size, rows, taps, 1);
        else if (taps == 3)
            NAME(spread_3)(lines, pitch, rows, low, to, size);
        else
            NAME(spread_4)(lines, pitch, rows, low, to, size);
    } else
        NAME(repeat_rows)(grad, rows * outputs, outputs, rows, 1, by, taps, to, rows * size, size);
}
