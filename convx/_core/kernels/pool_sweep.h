/* Pooling: a row of outputs at a time. The rows of its windows are reduced to one line, of inputs
   along the last axis, and the line to the outputs. */

/* What a line holds outside of the axis. */
static void NAME(fill_line)(const cx_pool_job *job, const NAME(pool_room) *room)
{
    T outside = job->reducer == CX_POOL_MAX ? LEAST : 0;
    for (int64_t i = 0; i < job->line; i++) {
        room->line[i] = outside;
        room->other[i] = outside;
    }
    if (job->indices)
        for (int64_t i = 0; i < job->line; i++)
            room->keys[i] = NO_KEY;
}

/* A row of outputs without indices. */
CX_INLINE void NAME(pool_row)(const int reducer, const cx_pool_job *job, int64_t plane,
                              int64_t rows, double divisor, const NAME(pool_room) *room, T *y)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    int64_t size = axis->size, low = axis->taps ? axis->low : 0;
    const int64_t *start = NAME(plane_table)(axis, axis->start, plane);
    const int64_t *count = NAME(plane_table)(axis, axis->count, plane);
    NAME(ask_ahead)(job, room->row, rows);
    if (!rows) {
        for (int64_t o = 0; o < axis->outputs; o++)
            y[o] = reducer == CX_POOL_MAX ? LEAST : 0;
        return;
    }
    if (axis->taps == 1 && axis->stride == 1 && !low && size == axis->outputs)
        NAME(pool_rows)(reducer, y, room->row, rows, size);
    else if (axis->taps && (job->segment || !axis->longest || axis->stride < axis->taps ||
                            axis->taps < 8 || axis->step > 1)) {
        NAME(pool_rows)(reducer, room->line + low, room->row, rows, size);
        int64_t behind = (axis->outputs - 1) * axis->stride + (axis->taps - 1) * axis->step + 1;
        for (int64_t i = 0; i < low; i++) /* long windows use the line up */
            room->line[i] = reducer == CX_POOL_MAX ? LEAST : 0;
        for (int64_t i = low + size; i < behind; i++)
            room->line[i] = reducer == CX_POOL_MAX ? LEAST : 0;
        NAME(pool_line)(reducer, room->line, room->other, y, axis->outputs, axis->taps,
                        axis->stride, axis->step);
    } else {
        const T *line = room->row[0];
        if (rows > 1) {
            NAME(pool_rows)(reducer, room->line, room->row, rows, size);
            line = room->line;
        }
        for (int64_t o = 0; o < axis->outputs; o++) {
            T a = reducer == CX_POOL_MAX ? LEAST : 0;
            if (count[o] && axis->step == 1)
                a = NAME(pool_stretch)(reducer, line + start[o], count[o]);
            else
                for (int64_t t = 0; t < count[o]; t++)
                    a = PAIR(a, line[start[o] + t * axis->step]);
            y[o] = a;
        }
    }
    if (axis->divisor)
        NAME(divide)(axis, divisor, y);
}

/* A row of maxima in room->out, with their keys in room->out_keys. The rows of the windows may be
   one already, with keys. */
static void NAME(place_row)(const cx_pool_job *job, int64_t plane, int64_t rows,
                            const KEY *ready_keys, const NAME(pool_room) *room)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    int64_t size = axis->size, low = axis->taps ? axis->low : 0;
    T *line = room->line, *out = room->out;
    KEY *keys = room->keys, *out_keys = room->out_keys;
    NAME(ask_ahead)(job, room->row, rows);
    if (!rows) {
        for (int64_t o = 0; o < axis->outputs; o++) {
            out[o] = LEAST;
            out_keys[o] = NO_KEY;
        }
        return;
    }
    if (ready_keys)
        for (int64_t i = 0; i < size; i++) {
            line[low + i] = room->row[0][i];
            keys[low + i] = ready_keys[i];
        }
    else
        NAME(place_rows)(line + low, keys + low, room->row, room->offset, rows, size);
    if (axis->taps) {
        int64_t behind = (axis->outputs - 1) * axis->stride + (axis->taps - 1) * axis->step + 1;
        for (int64_t i = 0; i < low; i++) {
            line[i] = LEAST;
            keys[i] = NO_KEY;
        }
        for (int64_t i = low + size; i < behind; i++) {
            line[i] = LEAST;
            keys[i] = NO_KEY;
        }
        NAME(place_line)(line, keys, room->other, room->other_keys, out, out_keys, axis->outputs,
                         axis->taps, axis->stride, axis->step);
        return;
    }
    const int64_t *start = NAME(plane_table)(axis, axis->start, plane);
    const int64_t *count = NAME(plane_table)(axis, axis->count, plane);
    for (int64_t o = 0; o < axis->outputs; o++) {
        T a = LEAST;
        KEY key = NO_KEY;
        for (int64_t t = 0, i = start[o]; t < count[o]; t++, i += axis->step) {
            int better = BETTER(a, key, line[i], keys[i]);
            a = better ? line[i] : a;
            key = better ? keys[i] : key;
        }
        out[o] = a;
        out_keys[o] = key;
    }
}

/* Long windows along the last axis but one overlap so much that their rows are not reduced anew for
   each row of outputs. The rows of a window are two stacks, as of a queue: of those before `border`
   every one is reduced with all that follow it up to there, and those from there on are one. So each
   row is reduced three times, however long windows are, and only with rows of the same windows. */
typedef struct {
    int64_t place;              /* along the axes before; -1: there are no stacks yet */
    int64_t begin, border, end; /* rows */
    T *slot, *one, *more, *next, *result; /* a slot for each row before the border; more: the rest */
    KEY *slot_keys, *one_keys, *more_keys, *next_keys, *result_keys;
} NAME(pool_queue);

static NAME(pool_queue) NAME(make_queue)(const cx_pool_job *job, const NAME(pool_room) *room)
{
    int64_t size = job->axis[job->axes - 1].size;
    NAME(pool_queue) queue = {.place = -1};
    T *line = (T *)(room->offset + 2 * job->window_rows);
    queue.one = line;
    queue.more = line + size;
    queue.next = line + 2 * size;
    queue.result = line + 3 * size;
    queue.slot = line + 4 * size;
    KEY *keys = (KEY *)(queue.slot + job->queue_rows * size);
    queue.one_keys = keys;
    queue.more_keys = keys + size;
    queue.next_keys = keys + 2 * size;
    queue.result_keys = keys + 3 * size;
    queue.slot_keys = keys + 4 * size;
    return queue;
}

/* A row along the last axis but one, reduced along those before it, into `to`. */
static void NAME(queue_row)(const cx_pool_job *job, const T *x, int64_t row, int64_t slices,
                            const NAME(pool_room) *room, T *to, KEY *keys)
{
    int64_t size = job->axis[job->axes - 1].size, *offset = room->offset + job->window_rows;
    for (int64_t r = 0; r < slices; r++) {
        offset[r] = room->offset[r] + row * size;
        room->row[r] = x + offset[r];
    }
    if (job->indices)
        NAME(place_rows)(to, keys, room->row, offset, slices, size);
    else if (job->reducer == CX_POOL_MAX)
        NAME(pool_rows)(CX_POOL_MAX, to, room->row, slices, size);
    else
        NAME(pool_rows)(CX_POOL_SUM, to, room->row, slices, size);
}

static void NAME(queue_join)(const cx_pool_job *job, const T *a, const KEY *a_keys, const T *b,
                             const KEY *b_keys, T *to, KEY *keys)
{
    int64_t size = job->axis[job->axes - 1].size;
    if (job->indices)
        NAME(join_places)(a, a_keys, b, b_keys, to, keys, size);
    else if (job->reducer == CX_POOL_MAX)
        NAME(join_max)(a, b, to, size);
    else
        NAME(join_sum)(a, b, to, size);
}

/* Leaves the rows of a row of outputs as one, room->row[0], and returns 1, or 0 if there are none. */
static int64_t NAME(queue_rows)(const cx_pool_job *job, const T *x, int64_t plane, int64_t row,
                                NAME(pool_queue) *queue, const NAME(pool_room) *room,
                                double *divisor)
{
    const cx_pool_axis *axis = job->axis + job->axes - 2;
    int64_t size = job->axis[job->axes - 1].size, place = row / axis->outputs;
    int64_t slices = NAME(window_rows_of)(job, job->axes - 2, plane, row, room->offset, divisor);
    int64_t begin = axis->start[row % axis->outputs];
    int64_t end = begin + axis->count[row % axis->outputs];
    if (!slices || begin == end)
        return 0;
    if (place != queue->place || begin >= queue->border) {
        queue->place = place, queue->begin = begin;
        queue->border = queue->end = end;
        T *slot = queue->slot + (end - 1 - begin) * size;
        KEY *keys = queue->slot_keys + (end - 1 - begin) * size;
        NAME(queue_row)(job, x, end - 1, slices, room, slot, keys);
        for (int64_t r = end - 2; r >= begin; r--, slot -= size, keys -= size) {
            NAME(queue_row)(job, x, r, slices, room, queue->one, queue->one_keys);
            NAME(queue_join)(job, queue->one, queue->one_keys, slot, keys, slot - size,
                             keys - size);
        }
    }
    for (; queue->end < end; queue->end++) {
        if (queue->end == queue->border) {
            NAME(queue_row)(job, x, queue->end, slices, room, queue->more, queue->more_keys);
            continue;
        }
        NAME(queue_row)(job, x, queue->end, slices, room, queue->one, queue->one_keys);
        NAME(queue_join)(job, queue->more, queue->more_keys, queue->one, queue->one_keys,
                         queue->next, queue->next_keys);
        T *next = queue->next;
        KEY *next_keys = queue->next_keys;
        queue->next = queue->more, queue->next_keys = queue->more_keys;
        queue->more = next, queue->more_keys = next_keys;
    }
    const T *slot = queue->slot + (begin - queue->begin) * size;
    const KEY *keys = queue->slot_keys + (begin - queue->begin) * size;
    room->row[0] = queue->result;
    if (queue->end > queue->border) {
        NAME(queue_join)(job, slot, keys, queue->more, queue->more_keys, queue->result,
                         queue->result_keys);
        return 1;
    }
    for (int64_t i = 0; i < size; i++)
        queue->result[i] = slot[i];
    if (job->indices)
        for (int64_t i = 0; i < size; i++)
            queue->result_keys[i] = keys[i];
    return 1;
}

/* The index that a key stands for, -1 for that of padding. */
CX_INLINE int64_t NAME(index_of)(KEY key) { return key == NO_KEY ? -1 : key < 0 ? ~key : key; }

/* One window in all: planes may be small and many. */
static void NAME(pool_whole)(const cx_pool_job *job, int64_t first, int64_t end)
{
    const cx_pool_axis *axis = job->axis;
    const T *x = (const T *)job->x + axis->start[0];
    T *y = job->y;
    int64_t size = axis->size, count = axis->count[0];
    if (job->reducer == CX_POOL_MAX)
        for (int64_t plane = first; plane < end; plane++)
            y[plane] = NAME(pool_stretch)(CX_POOL_MAX, x + plane * size, count);
    else {
        int64_t plane =
            first + NAME(sums_of_many)(x + first * size, size, count, end - first, y + first);
        for (; plane < end; plane++)
            y[plane] = NAME(pool_stretch)(CX_POOL_SUM, x + plane * size, count);
    }
    if (!axis->divisor)
        return;
#if IS_FLOAT
    T divisor = (T)axis->divisor[0];
    for (int64_t plane = first; plane < end; plane++)
        y[plane] /= divisor;
#else
    for (int64_t plane = first; plane < end; plane++)
        NAME(divide)(axis, 1, y + plane);
#endif
}

/* Planes that are lines: outputs and their indices so many at a time, for which the inputs are a
   line of their own. */
static void NAME(pool_segments)(const cx_pool_job *job, int64_t first, int64_t end, char *scratch)
{
    const cx_pool_axis *axis = job->axis;
    NAME(pool_room) room = NAME(divide_room)(job, scratch);
    NAME(fill_line)(job, &room);
    for (int64_t piece = first; piece < end; piece++) {
        int64_t plane = piece / job->pieces, o = piece % job->pieces * job->segment;
        int64_t begin = o * axis->stride - axis->low, from = cx_max(0, begin);
        cx_pool_axis part = *axis;
        part.outputs = cx_min(job->segment, axis->outputs - o);
        part.size = cx_min(axis->size, begin + (part.outputs - 1) * axis->stride +
                                           (axis->taps - 1) * axis->step + 1) - from;
        part.low = from - begin;
        part.divisor = axis->divisor ? axis->divisor + o * axis->divisor_step : NULL;
        cx_pool_job line = *job;
        line.axis = &part;
        int64_t rows = part.size > 0, at = plane * job->plane_outputs + o;
        room.row[0] = (const T *)job->x + plane * job->plane_size + from;
        room.offset[0] = from;
        if (job->indices) {
            NAME(place_row)(&line, plane, rows, NULL, &room);
            for (int64_t i = 0; i < part.outputs; i++)
                job->indices[at + i] = NAME(index_of)(room.out_keys[i]);
            if (job->y)
                for (int64_t i = 0; i < part.outputs; i++)
                    ((T *)job->y)[at + i] = room.out[i];
        } else if (job->reducer == CX_POOL_MAX)
            NAME(pool_row)(CX_POOL_MAX, &line, plane, rows, 1, &room, (T *)job->y + at);
        else
            NAME(pool_row)(CX_POOL_SUM, &line, plane, rows, 1, &room, (T *)job->y + at);
    }
}

static void NAME(sweep_pool)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_pool_job *job = of;
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    if (job->axes == 1 && axis->outputs == 1 && !axis->taps && axis->step == 1 && !job->indices) {
        NAME(pool_whole)(job, first, end);
        return;
    }
    if (job->segment) {
        NAME(pool_segments)(job, first, end, scratch);
        return;
    }
#if IS_FLOAT && defined CX_PICK
    double divisor = NAME(one_divisor)(job);
    if (!job->indices && NAME(has_vectors)(job, divisor)) {
        NAME(pool_by_vectors)(job, first, end, (T)divisor, scratch);
        return;
    }
#endif
#if IS_FLOAT
    if (job->halves != 0) {
        NAME(pool_halves)(job, first, end, scratch);
        return;
    }
#endif
    if (job->block_rows && !job->indices) {
        NAME(pool_blocks)(job, first, end, scratch);
        return;
    }
    NAME(pool_room) room = NAME(divide_room)(job, scratch);
    NAME(fill_line)(job, &room);
    NAME(pool_queue) queue = NAME(make_queue)(job, &room);
    for (int64_t piece = first; piece < end; piece++) {
        int64_t plane = piece / job->pieces, row = piece % job->pieces * job->piece_rows;
        int64_t last = cx_min(job->rows, row + job->piece_rows);
        const T *x = (const T *)job->x + plane * job->plane_size;
        queue.place = -1;
        for (; row < last; row++) {
            double divisor;
            const KEY *ready_keys = NULL;
            int64_t rows, at = plane * job->plane_outputs + row * axis->outputs;
            if (job->queue_rows) {
                rows = NAME(queue_rows)(job, x, plane, row, &queue, &room, &divisor);
                ready_keys = job->indices ? queue.result_keys : NULL;
            } else {
                rows = NAME(window_rows)(job, plane, row, room.offset, &divisor);
                for (int64_t r = 0; r < rows; r++)
                    room.row[r] = x + room.offset[r];
            }
            if (job->indices) {
                NAME(place_row)(job, plane, rows, ready_keys, &room);
                for (int64_t o = 0; o < axis->outputs; o++)
                    job->indices[at + o] = NAME(index_of)(room.out_keys[o]);
                if (job->y)
                    for (int64_t o = 0; o < axis->outputs; o++)
                        ((T *)job->y)[at + o] = room.out[o];
            } else if (job->reducer == CX_POOL_MAX)
                NAME(pool_row)(CX_POOL_MAX, job, plane, rows, divisor, &room, (T *)job->y + at);
            else
                NAME(pool_row)(CX_POOL_SUM, job, plane, rows, divisor, &room, (T *)job->y + at);
        }
    }
}
