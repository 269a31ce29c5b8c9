/* Which rows the windows of a row of outputs have, and the lines of scratch memory that pooling goes
   through. */

CX_INLINE const int64_t *NAME(plane_table)(const cx_pool_axis *axis, const int64_t *table,
                                           int64_t plane)
{
    return table + plane * axis->tables_stride;
}

/* Offsets in the plane of the rows that the windows of a row of outputs have, in order, and the
   product of their divisors. Returns how many there are. Along all but the first axes, of which so
   many are told, only the first row of the plane is meant. */
static int64_t NAME(window_rows_of)(const cx_pool_job *job, int64_t axes, int64_t plane, int64_t row,
                                    int64_t *offset, double *divisor)
{
    int64_t rows = 1, place[CX_MAX_RANK];
    *divisor = 1;
    offset[0] = 0;
    for (int64_t a = job->axes - 2; a >= 0; a--) {
        place[a] = row % job->axis[a].outputs;
        row /= job->axis[a].outputs;
    }
    for (int64_t a = 0; a < job->axes; a++) {
        const cx_pool_axis *axis = job->axis + a;
        if (a < job->axes - 1 && axis->divisor)
            *divisor *= axis->divisor[place[a] * axis->divisor_step];
        if (a >= axes) {
            for (int64_t r = 0; r < rows; r++)
                offset[r] *= axis->size;
            continue;
        }
        int64_t start = NAME(plane_table)(axis, axis->start, plane)[place[a]];
        int64_t count = NAME(plane_table)(axis, axis->count, plane)[place[a]];
        for (int64_t r = rows - 1; r >= 0; r--) {
            int64_t before = offset[r] * axis->size + start;
            for (int64_t t = count - 1; t >= 0; t--)
                offset[r * count + t] = before + t * axis->step;
        }
        rows *= count;
    }
    return rows;
}

static int64_t NAME(window_rows)(const cx_pool_job *job, int64_t plane, int64_t row,
                                 int64_t *restrict offset, double *divisor)
{
    if (job->axes != 2)
        return NAME(window_rows_of)(job, job->axes - 1, plane, row, offset, divisor);
    const cx_pool_axis *axis = job->axis; /* most windows have two axes, and rows may be short */
    int64_t size = axis[1].size, step = axis->step * size;
    int64_t count = NAME(plane_table)(axis, axis->count, plane)[row];
    int64_t at = NAME(plane_table)(axis, axis->start, plane)[row] * size;
    *divisor = axis->divisor ? axis->divisor[row * axis->divisor_step] : 1;
    for (int64_t r = 0; r < count; r++, at += step)
        offset[r] = at;
    return count;
}

/* Asks for the rows that the next row of outputs of a plane of two axes reads, unless they are so
   many that they would drive others out of L1. Processors foresee no rows of another page. */
CX_INLINE void NAME(ask_ahead)(const cx_pool_job *job, const T *const *row, int64_t rows)
{
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    if (job->axes != 2 || job->queue_rows || rows > CX_ROWS_AHEAD)
        return;
    int64_t ahead = job->axis[0].stride * axis->size;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < axis->size; i += 64 / (int64_t)sizeof(T))
            __builtin_prefetch(row[r] + ahead + i);
}

/* Lines of scratch memory, of job->line elements each, and the rows of a window. */
typedef struct {
    T *line, *other, *out;
    KEY *keys, *other_keys, *out_keys;
    const T **row;
    int64_t *offset;
} NAME(pool_room);

static NAME(pool_room) NAME(divide_room)(const cx_pool_job *job, char *scratch)
{
    int64_t line = job->line * 8;
    NAME(pool_room) room;
    room.line = (T *)scratch;
    room.other = (T *)(scratch + line);
    room.out = (T *)(scratch + 2 * line);
    room.keys = (KEY *)(scratch + 3 * line);
    room.other_keys = (KEY *)(scratch + 4 * line);
    room.out_keys = (KEY *)(scratch + 5 * line);
    room.row = (const T **)(scratch + 6 * line);
    room.offset = (int64_t *)(scratch + 6 * line) + job->window_rows;
    return room;
}
