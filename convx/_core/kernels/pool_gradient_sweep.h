/* Gradients of pooling, and scattering by indices: a plane at a time. */

#if IS_FLOAT

/* line[q * stride + f] = wide[q] for f <= last, else narrow[q]. */
CX_INLINE void NAME(deal_phases)(const int64_t stride, T *restrict line, const T *restrict wide,
                                 const T *restrict narrow, int64_t last, int64_t count)
{
    if (last == stride - 1)
        narrow = wide;
    for (int64_t q = 0; q < count; q++)
        for (int64_t f = 0; f < stride; f++)
            line[q * stride + f] = f <= last ? wide[q] : narrow[q];
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
    else if (stride == 2)
        NAME(deal_phases)(2, line, wide, narrow, last, count);
    else if (stride == 3)
        NAME(deal_phases)(3, line, wide, narrow, last, count);
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

/* Every output's gradient, divided, goes to all inputs of its window: rows of outputs become rows
   of inputs along the last axis first, and these are added up along the others. */
static void NAME(sweep_pool_sum_gradient)(const void *of, int64_t first, int64_t end,
                                          char *scratch)
{
    const cx_pool_job *job = of, *adjoint = job->adjoint;
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    int64_t size = axis->size;
    NAME(pool_room) room = NAME(divide_room)(job, scratch);
    T *spread = (T *)(room.offset + job->window_rows);
    for (int64_t plane = first; plane < end; plane++) {
        const T *grad = (const T *)job->x + plane * job->plane_outputs;
        T *y = (T *)job->y + plane * job->plane_size;
        if (job->axes == 1) {
            NAME(spread_row)(job, grad, 1, &room, y);
            continue;
        }
        for (int64_t row = 0; row < job->rows; row++) {
            double divisor;
            NAME(window_rows)(job, plane, row, room.offset, &divisor);
            NAME(spread_row)(job, grad + row * axis->outputs, divisor, &room, spread + row * size);
        }
        for (int64_t row = 0; row < adjoint->rows; row++) {
            double divisor;
            int64_t rows = NAME(window_rows)(adjoint, plane, row, room.offset, &divisor);
            for (int64_t r = 0; r < rows; r++)
                room.row[r] = spread + room.offset[r];
            if (rows)
                NAME(pool_rows)(CX_POOL_SUM, y + row * size, room.row, rows, size);
            else
                for (int64_t i = 0; i < size; i++)
                    y[row * size + i] = 0;
        }
    }
}

CX_INLINE void NAME(clear)(T *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = 0;
}

/* Every output's gradient goes to the input that is its maximum, in the order of the outputs. */
static void NAME(sweep_pool_max_gradient)(const void *of, int64_t first, int64_t end,
                                          char *scratch)
{
    const cx_pool_job *job = of;
    const cx_pool_axis *axis = job->axis + job->axes - 1;
    NAME(pool_room) room = NAME(divide_room)(job, scratch);
    NAME(fill_line)(job, &room);
    for (int64_t plane = first; plane < end; plane++) {
        const T *x = (const T *)job->x + plane * job->plane_size;
        const T *grad = (const T *)job->grad + plane * job->plane_outputs;
        T *y = (T *)job->y + plane * job->plane_size;
        NAME(clear)(y, job->plane_size);
        for (int64_t row = 0; row < job->rows; row++, grad += axis->outputs) {
            double divisor;
            int64_t rows = NAME(window_rows)(job, plane, row, room.offset, &divisor);
            for (int64_t r = 0; r < rows; r++)
                room.row[r] = x + room.offset[r];
            NAME(place_row)(job, plane, rows, &room);
            for (int64_t o = 0; o < axis->outputs; o++) {
                int64_t index = NAME(index_of)(room.out_keys[o]);
                if (index >= 0)
                    y[index] += grad[o];
            }
        }
    }
}

#endif

static void NAME(sweep_scatter)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_scatter_job *job = of;
    int64_t *last = (int64_t *)scratch;
    for (int64_t plane = first; plane < end; plane++) {
        const int64_t *index = job->indices + plane * job->plane_size;
        T *x = (T *)job->x + plane * job->plane_size;
        T *y = (T *)job->y + plane * job->plane_outputs;
        if (job->how == CX_SCATTER_BACK) { /* who writes a place last has its gradient */
            for (int64_t i = 0; i < job->plane_size; i++)
                if (index[i] >= 0)
                    last[index[i]] = i;
            for (int64_t i = 0; i < job->plane_size; i++)
                x[i] = index[i] >= 0 && last[index[i]] == i ? y[index[i]] : 0;
            continue;
        }
        for (int64_t i = 0; i < job->plane_outputs; i++)
            y[i] = 0;
        for (int64_t i = 0; i < job->plane_size; i++)
            if (index[i] >= 0) {
                T *to = y + index[i];
                *to = job->how == CX_SCATTER_ADD ? NAME(pool_pair)(CX_POOL_SUM, *to, x[i]) : x[i];
            }
    }
}

#undef EACH_FEW
#undef BETTER
#undef PAIR
#undef LEAST
#undef IS_NAN
#undef KEY
#undef NO_KEY
