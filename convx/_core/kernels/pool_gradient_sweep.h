/* Gradients of pooling, and scattering by indices: a plane at a time. */

#if IS_FLOAT

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

/* to[o * taps + t] = grad[o], divided, and 0 behind the last window. */
#define DEFINE_REPEAT(TAPS)                                                                       \
    static CX_NOINLINE void NAME(repeat_##TAPS)(const T *restrict grad, int64_t outputs,          \
                                                int64_t rows, T divisor, T *restrict to,          \
                                                int64_t size)                                     \
    {                                                                                             \
        for (int64_t r = 0; r < rows; r++, grad += outputs, to += size) {                         \
            for (int64_t o = 0; o < outputs; o++) {                                               \
                T share = grad[o] / divisor;                                                      \
                CX_UNROLL for (int t = 0; t < TAPS; t++) to[o * TAPS + t] = share;                \
            }                                                                                     \
            for (int64_t i = outputs * TAPS; i < size; i++)                                       \
                to[i] = 0;                                                                        \
        }                                                                                         \
    }
DEFINE_REPEAT(2)
DEFINE_REPEAT(3)
DEFINE_REPEAT(4)
#undef DEFINE_REPEAT

/* Where the gradients of a row begin in a line: behind the windows that an input is in before the
   first, if they are an element apart. */
CX_INLINE int64_t NAME(spread_start)(const cx_pool_axis *axis)
{
    int64_t before = axis->taps - 1 - axis->low;
    return (before + CX_BLOCK_ALIGNMENT - 1) / CX_BLOCK_ALIGNMENT * CX_BLOCK_ALIGNMENT;
}

static void NAME(clear_lines)(const cx_pool_job *job, const NAME(pool_room) *room)
{
    for (int64_t i = 0; i < job->spread_rows * job->spread_pitch; i++)
        room->line[i] = 0;
}

static CX_NOINLINE void NAME(divide_lines)(const T *restrict grad, int64_t outputs, int64_t rows,
                                           T divisor, T *restrict line, int64_t pitch)
{
    for (int64_t r = 0; r < rows; r++, grad += outputs, line += pitch)
        for (int64_t o = 0; o < outputs; o++)
            line[o] = grad[o] / divisor;
}

/* Rows of gradients, spread along the last axis: as sums of neighbours, or repeated. */
static void NAME(spread_block)(const cx_pool_job *job, const T *grad, int64_t rows, T divisor,
                               const NAME(pool_room) *room, T *to)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    int64_t outputs = axis->outputs, size = axis->size, taps = axis->taps;
    if (axis->stride == 1) {
        int64_t start = NAME(spread_start)(axis), pitch = job->spread_pitch;
        NAME(divide_lines)(grad, outputs, rows, divisor, room->line + start, pitch);
        const T *lines = room->line + start - (taps - 1 - axis->low);
        NAME(sum_few)(lines, pitch, to, size, rows, taps, 1);
    } else if (taps == 2)
        NAME(repeat_2)(grad, outputs, rows, divisor, to, size);
    else if (taps == 3)
        NAME(repeat_3)(grad, outputs, rows, divisor, to, size);
    else
        NAME(repeat_4)(grad, outputs, rows, divisor, to, size);
}

/* Every output's gradient, divided, goes to all inputs of its window: rows of outputs become rows
   of inputs along the last axis first, and these are added up along the others. */
static void NAME(sweep_pool_sum_gradient)(const void *of, int64_t first, int64_t end,
                                          char *scratch)
{
    const cx_pool_job *job = of, *adjoint = job->adjoint;
#if IS_FLOAT
    if (job->halves != 0) {
        NAME(pool_halves_gradient)(job, first, end, scratch);
        return;
    }
#endif
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    int64_t size = axis->size;
    NAME(pool_room) room = NAME(divide_room)(job, scratch);
    T *spread = (T *)(room.offset + job->window_rows), shared = (T)NAME(one_divisor)(job);
    NAME(clear_lines)(job, &room);
    for (int64_t plane = first; plane < end; plane++) {
        const T *grad = (const T *)job->x + plane * job->plane_outputs;
        T *y = (T *)job->y + plane * job->plane_size;
        if (job->axes == 1) {
            NAME(spread_row)(job, grad, 1, &room, y);
            continue;
        }
        for (int64_t row = 0; row < job->rows;) {
            const T *of_row = grad + row * axis->outputs;
            if (job->spread_rows) {
                int64_t count = cx_min(job->spread_rows, job->rows - row);
                NAME(spread_block)(job, of_row, count, shared, &room, spread + row * size);
                row += count;
                continue;
            }
            double divisor;
            NAME(window_rows)(job, plane, row, room.offset, &divisor);
            NAME(spread_row)(job, of_row, divisor, &room, spread + row * size);
            row++;
        }
        for (int64_t row = 0, like; row < adjoint->rows; row += like) {
            double divisor;
            int64_t step = 0, rows = NAME(window_rows)(adjoint, plane, row, room.offset, &divisor);
            like = 1;
            if (job->spread_rows)
                like = NAME(like_rows)(adjoint, plane, row, adjoint->rows, &step);
            for (int64_t r = 0; r < rows; r++)
                room.row[r] = spread + room.offset[r];
            if (rows)
                NAME(sum_rows)(y + row * size, size, room.row, rows, step, like, size);
            else
                for (int64_t i = 0; i < like * size; i++)
                    y[row * size + i] = 0;
        }
    }
}

/* Whether windows do not overlap, along any axis. */
static int NAME(are_apart)(const cx_pool_job *job)
{
    for (int64_t a = 0; a < job->axes; a++) {
        const cx_pool_axis *axis = job->axis + a;
        if (!axis->taps || axis->stride < axis->taps || axis->step != 1)
            return 0;
    }
    return job->axis[job->axes - 1].taps > 1;
}

static CX_NOINLINE void NAME(clear)(T *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = 0;
}

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

/* A row of outputs whose windows do not overlap any others: all of their rows are written. */
static void NAME(choose_rows)(const cx_pool_job *job, const T *grad, int64_t rows,
                              const NAME(pool_room) *room, T *y)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    int64_t low = axis->low, size = axis->size;
    int64_t covered = cx_min(size, (axis->outputs - 1) * axis->stride + axis->taps - low);
    KEY *index = room->out_keys;
    int direct = !low && axis->stride == axis->taps && axis->outputs * axis->stride <= size;
    for (int64_t o = 0; o < axis->outputs; o++)
        index[o] = index[o] < 0 ? ~index[o] : index[o];
    for (int64_t r = 0; r < rows; r++) {
        T *to = y + room->offset[r], *line = direct ? to : room->other;
        NAME(choose)(line, grad, index, (KEY)(room->offset[r] - low), axis);
        if (!direct)
            for (int64_t i = 0; i < covered; i++)
                to[i] = line[i + low];
        for (int64_t i = covered; i < size; i++)
            to[i] = 0;
    }
}

/* Every output's gradient goes to the input that is its maximum, in the order of the outputs. */
static void NAME(sweep_pool_max_gradient)(const void *of, int64_t first, int64_t end,
                                          char *scratch)
{
    const cx_pool_job *job = of;
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    NAME(pool_room) room = NAME(divide_room)(job, scratch);
    NAME(fill_line)(job, &room);
    NAME(pool_queue) queue = NAME(make_queue)(job, &room);
    int apart = NAME(are_apart)(job), all_rows = apart;
    for (int64_t a = 0; a < job->axes - 1; a++) {
        const cx_pool_axis *other = job->axis + a;
        all_rows &= other->stride == other->taps &&
                    other->outputs * other->stride >= other->size + other->low;
    }
    for (int64_t plane = first; plane < end; plane++) {
        const T *x = (const T *)job->x + plane * job->plane_size;
        const T *grad = (const T *)job->grad + plane * job->plane_outputs;
        T *y = (T *)job->y + plane * job->plane_size;
        queue.place = -1;
        if (!all_rows)
            NAME(clear)(y, job->plane_size);
        for (int64_t row = 0; row < job->rows; row++, grad += axis->outputs) {
            double divisor;
            const KEY *ready_keys = NULL;
            int64_t rows;
            if (job->queue_rows) {
                rows = NAME(queue_rows)(job, x, plane, row, &queue, &room, &divisor);
                ready_keys = queue.result_keys;
            } else {
                rows = NAME(window_rows)(job, plane, row, room.offset, &divisor);
                for (int64_t r = 0; r < rows; r++)
                    room.row[r] = x + room.offset[r];
            }
            NAME(place_row)(job, plane, rows, ready_keys, &room);
            if (apart) {
                NAME(choose_rows)(job, grad, rows, &room, y);
                continue;
            }
            for (int64_t o = 0; o < axis->outputs; o++) {
                KEY key = room.out_keys[o];
                if (key != NO_KEY)
                    y[key < 0 ? ~key : key] += grad[o];
            }
        }
    }
}

#endif

/* Whether an index is that of an output; else, whether it may not be. */
CX_INLINE int NAME(is_inside)(int64_t at, int64_t outputs)
{
    return (uint64_t)at < (uint64_t)outputs;
}

CX_INLINE int NAME(is_wrong)(int64_t at, int64_t least) { return (at >= 0) | (at < least); }

CX_INLINE void NAME(note_wrong)(const cx_scatter_job *job, int wrong)
{
    if (wrong)
        __atomic_store_n(job->wrong, 1, __ATOMIC_RELAXED);
}

/* x[i] = y[index[i]]; tells whether any element of y was fetched more than once. What is fetched
   next is asked for early, for nobody foresees it. */
static CX_NOINLINE int NAME(fetch)(const cx_scatter_job *job, const int64_t *restrict index,
                                   const T *restrict y, T *restrict x, char *restrict taken)
{
    int64_t inputs = job->plane_size, outputs = job->plane_outputs, least = job->least;
    int again = 0, wrong = 0;
    __builtin_memset(taken, 0, (size_t)outputs);
    for (int64_t i = 0; i < inputs; i++) {
        int64_t at = index[i];
        T fetched = 0;
        if (NAME(is_inside)(at, outputs)) {
            fetched = y[at];
            again |= taken[at];
            taken[at] = 1;
        } else
            wrong |= NAME(is_wrong)(at, least);
        x[i] = fetched;
        __builtin_prefetch(y + index[cx_min(i + CX_FETCHED_AHEAD, inputs - 1)]);
    }
    NAME(note_wrong)(job, wrong);
    return again;
}

/* The same, but of those with one index the last alone has the element: it wrote there last. */
static CX_NOINLINE void NAME(fetch_last)(const cx_scatter_job *job, const int64_t *restrict index,
                                         const T *restrict y, T *restrict x,
                                         int64_t *restrict last)
{
    for (int64_t i = 0; i < job->plane_size; i++)
        if (NAME(is_inside)(index[i], job->plane_outputs))
            last[index[i]] = i;
    for (int64_t i = 0; i < job->plane_size; i++) {
        int is_there = NAME(is_inside)(index[i], job->plane_outputs);
        x[i] = is_there && last[index[i]] == i ? y[index[i]] : 0;
    }
}

CX_INLINE void NAME(scatter_plane)(const cx_scatter_job *job, const int adds,
                                   const int64_t *restrict index, const T *restrict x,
                                   T *restrict y)
{
    int64_t inputs = job->plane_size, outputs = job->plane_outputs, least = job->least;
    int wrong = 0;
    for (int64_t i = 0; i < outputs; i++)
        y[i] = 0;
    for (int64_t i = 0; i < inputs; i++) {
        int64_t at = index[i];
        if (NAME(is_inside)(at, outputs))
            y[at] = adds ? NAME(pool_pair)(CX_POOL_SUM, y[at], x[i]) : x[i];
        else
            wrong |= NAME(is_wrong)(at, least);
    }
    NAME(note_wrong)(job, wrong);
}

static void NAME(sweep_scatter)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_scatter_job *job = of;
    for (int64_t plane = first; plane < end; plane++) {
        const int64_t *index = job->indices + plane * job->plane_size;
        T *x = (T *)job->x + plane * job->plane_size;
        T *y = (T *)job->y + plane * job->plane_outputs;
        if (job->how == CX_SCATTER_SET)
            NAME(scatter_plane)(job, 0, index, x, y);
        else if (job->how == CX_SCATTER_ADD)
            NAME(scatter_plane)(job, 1, index, x, y);
        else if (NAME(fetch)(job, index, y, x, scratch))
            NAME(fetch_last)(job, index, y, x, (int64_t *)scratch);
    }
}

#undef EACH_FEW
#undef NEXT
#undef BETTER
#undef PAIR
#undef LEAST
#undef IS_NAN
#undef KEY
#undef NO_KEY
