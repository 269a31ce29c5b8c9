/* Gradients of pooling, a plane at a time. */

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
