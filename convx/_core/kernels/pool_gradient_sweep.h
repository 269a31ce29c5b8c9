/* Gradients of pooling, and scattering by indices: a plane at a time. */

#if IS_FLOAT

/* Every output's gradient, divided, goes to all inputs of its window: rows of outputs become rows
   of inputs along the last axis first, and these are added up along the others. */
static void NAME(sweep_pool_sum_gradient)(const void *of, int64_t first, int64_t end,
                                          char *scratch)
{
    const cx_pool_job *job = of, *adjoint = job->adjoint;
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    int64_t size = axis->size;
    if (job->halves != 0) {
        NAME(pool_halves_gradient)(job, first, end, scratch);
        return;
    }
    if (job->axes == 1 && axis->outputs == 1 && !axis->taps && axis->count[0] == size) {
        NAME(spread_whole)(job, first, end);
        return;
    }
    T shared = (T)NAME(one_divisor)(job);
    if (NAME(are_blocks)(job)) {
        NAME(repeat_planes)(job, first, end, shared);
        return;
    }
    NAME(pool_room) room = NAME(divide_room)(job, scratch);
    T *spread = (T *)(room.offset + job->window_rows);
    int far = NAME(is_far)(job->y, job->planes * job->plane_size * (int64_t)sizeof(T));
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
            if (far && rows == 1)
                NAME(copy_far)(room.row[0], step, y + row * size, size, like);
            else if (rows)
                NAME(sum_rows)(y + row * size, size, room.row, rows, step, like, size);
            else
                for (int64_t i = 0; i < like * size; i++)
                    y[row * size + i] = 0;
        }
    }
    if (far)
        CX_END_FAR();
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
    if (NAME(are_pairs)(job)) {
        NAME(choose_of_planes)(job, first, end, (T *)scratch);
        return;
    }
    if (NAME(are_thirds)(job)) {
        NAME(thirds_of_planes)(job, first, end, (T *)scratch);
        return;
    }
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

#if IS_FLOAT

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

#endif

static void NAME(sweep_scatter)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_scatter_job *job = of;
    for (int64_t plane = first; plane < end; plane++) {
        const int64_t *index = job->indices + plane * job->plane_size;
        T *x = (T *)job->x + plane * job->plane_size;
        T *y = (T *)job->y + plane * job->plane_outputs;
#if IS_FLOAT
        if (job->cells && NAME(scatter_cells)(job, index, x, y, scratch))
            continue;
#endif
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
