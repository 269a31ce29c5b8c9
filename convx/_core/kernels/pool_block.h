/* Pooling by windows of few taps, some rows of outputs at a time: first the rows of all their windows
   become lines, then lines become outputs. So what is read of a line was written long before, for a
   processor that has to put together what is read of two stores just made waits until both are done. */

/* The divisor that all outputs have, 0 if they have several, 1 if there is none. */
static double NAME(one_divisor)(const cx_pool_job *job)
{
    double divisor = 1;
    for (int64_t a = 0; a < job->axes; a++) {
        const cx_pool_axis *axis = job->axis + a;
        if (axis->divisor)
            divisor *= axis->divisor_step ? 0 : *axis->divisor;
    }
    return divisor;
}

/* Where the row begins in a line, behind its padding. */
CX_INLINE int64_t NAME(block_start)(const cx_pool_job *job)
{
    int64_t low = job->axis[job->axes - 1].low;
    return (low + CX_BLOCK_ALIGNMENT - 1) / CX_BLOCK_ALIGNMENT * CX_BLOCK_ALIGNMENT;
}

/* How many rows of outputs, of those before `end`, have windows of as many rows as `row` has, each of
   them `step` elements behind that of the row before. */
CX_INLINE int64_t NAME(like_rows)(const cx_pool_job *job, int64_t plane, int64_t row, int64_t end,
                                  int64_t *step)
{
    const cx_pool_axis *axis = job->axis + job->axes - 2;
    const int64_t *start = NAME(plane_table)(axis, axis->start, plane);
    const int64_t *count = NAME(plane_table)(axis, axis->count, plane);
    int64_t place = row % axis->outputs, like = 1;
    end = cx_min(end - row, axis->outputs - place);
    start += place, count += place;
    *step = end > 1 ? start[1] - start[0] : 0;
    if (axis->taps && *count == axis->taps) /* whole windows, up to the end of the axis */
        like = cx_min(end, (axis->size - 1 - *start - (axis->taps - 1) * axis->step) / axis->stride + 1);
    while (like < end && count[like] == *count && start[like] - start[like - 1] == *step)
        like++;
    *step *= axis[1].size;
    return like;
}

/* Asks for the inputs of as many rows of outputs as have their lines now: memory need not wait while
   lines become outputs. */
CX_INLINE void NAME(ask_for_block)(const T *next, int64_t length)
{
    for (int64_t i = 0; i < length; i += 64 / (int64_t)sizeof(T))
        __builtin_prefetch(next + i);
}

CX_INLINE void NAME(pool_block)(const int reducer, const cx_pool_job *job, int64_t plane,
                                int64_t first, int64_t count, double divisor,
                                const NAME(pool_room) *room)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    const T *x = (const T *)job->x + plane * job->plane_size;
    T *y = (T *)job->y + plane * job->plane_outputs + first * axis->outputs;
    int64_t outputs = axis->outputs, pitch = job->block_pitch, start = NAME(block_start)(job);
    const T *lines = room->line + start - axis->low;
    for (int64_t r = 0, like; r < count; r += like) {
        double unused;
        int64_t step, rows = NAME(window_rows)(job, plane, first + r, room->offset, &unused);
        for (int64_t k = 0; k < rows; k++)
            room->row[k] = x + room->offset[k];
        T *line = room->line + r * pitch + start;
        like = NAME(like_rows)(job, plane, first + r, first + count, &step);
        if (!rows)
            for (int64_t i = 0; i < axis->size * like; i++)
                line[i / axis->size * pitch + i % axis->size] = reducer == CX_POOL_MAX ? LEAST : 0;
        else if (reducer == CX_POOL_MAX)
            NAME(max_rows)(line, pitch, room->row, rows, step, like, axis->size);
        else
            NAME(sum_rows)(line, pitch, room->row, rows, step, like, axis->size);
        if (job->asks_ahead && rows && r + like >= count)
            NAME(ask_for_block)(x + room->offset[0] + like * step, count * step);
    }
    if (reducer == CX_POOL_MAX) {
        NAME(max_few)(lines, pitch, y, outputs, count, axis->taps, axis->stride);
        return;
    }
#if IS_FLOAT
    if (divisor > 0) {
        NAME(mean_few)(lines, pitch, y, outputs, count, axis->taps, axis->stride,
                       NAME(division_by)((T)divisor));
        return;
    }
#endif
    NAME(sum_few)(lines, pitch, y, outputs, count, axis->taps, axis->stride);
    for (int64_t r = 0; r < count && axis->divisor; r++) {
        double row_divisor;
        NAME(window_rows)(job, plane, first + r, room->offset, &row_divisor);
        NAME(divide)(axis, row_divisor, y + r * outputs);
    }
}

static void NAME(pool_blocks)(const cx_pool_job *job, int64_t first, int64_t end, char *scratch)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    NAME(pool_room) room = NAME(divide_room)(job, scratch);
    double divisor = NAME(one_divisor)(job);
    int64_t start = NAME(block_start)(job);
    for (int64_t r = 0; r < job->block_rows; r++) { /* padding, which stays */
        T *line = room.line + r * job->block_pitch, outside = job->reducer == CX_POOL_MAX ? LEAST : 0;
        for (int64_t i = 0; i < start; i++)
            line[i] = outside;
        for (int64_t i = start + axis->size; i < job->block_pitch; i++)
            line[i] = outside;
    }
    for (int64_t piece = first; piece < end; piece++) {
        int64_t plane = piece / job->pieces, row = piece % job->pieces * job->piece_rows;
        int64_t last = cx_min(job->rows, row + job->piece_rows);
        for (; row < last; row += job->block_rows) {
            int64_t count = cx_min(job->block_rows, last - row);
            if (job->reducer == CX_POOL_MAX)
                NAME(pool_block)(CX_POOL_MAX, job, plane, row, count, divisor, &room);
            else
                NAME(pool_block)(CX_POOL_SUM, job, plane, row, count, divisor, &room);
        }
    }
}
