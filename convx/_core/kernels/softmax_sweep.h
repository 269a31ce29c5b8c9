/* Softmax and its logarithm, and their gradients:

       e = exp(x - max x),  softmax = e / sum e,  log_softmax = (x - max x) - log sum e,
       softmax's gradient = softmax (grad - sum(softmax grad)),
       log_softmax's gradient = grad - softmax sum grad.

   Sums are made in an order that depends on the axis alone: along rows 64 bytes of partial sums,
   added up by halves; across rows, each column from first to last. An element of y is written
   after those of x and grad there were read for the last time. */

enum { NAME(parts) = 64 / sizeof(T), NAME(part_vectors) = 64 / VECTOR_BYTES };

typedef struct {
    NAME(vector) of[64 / VECTOR_BYTES];
} NAME(group);

/* 64 bytes of a row, with a filler after its end. */
CX_INLINE NAME(group) NAME(load_group)(const T *from, int64_t count, T filler)
{
    NAME(group) group;
    T padded[NAME(parts)];
    if (count < NAME(parts)) {
        for (int64_t i = 0; i < NAME(parts); i++)
            padded[i] = filler;
        for (int64_t i = 0; i < count; i++)
            padded[i] = from[i];
        from = padded;
    }
    for (int k = 0; k < NAME(part_vectors); k++)
        group.of[k] = *(const NAME(loose) *)(from + k * LANES);
    return group;
}

CX_INLINE void NAME(store_group)(T *to, const NAME(group) *group, int64_t count)
{
    for (int k = 0; k < NAME(part_vectors); k++)
        NAME(store_some)(to + k * LANES, group->of[k], count - k * LANES);
}

CX_INLINE NAME(group) NAME(group_of)(T value)
{
    NAME(group) group;
    for (int k = 0; k < NAME(part_vectors); k++)
        group.of[k] = value + NAME(zero)();
    return group;
}

CX_INLINE NAME(vector) NAME(larger)(NAME(vector) a, NAME(vector) b)
{
    return NAME(select)((NAME(mask))(a > b), a, b);
}

CX_INLINE T NAME(largest)(const NAME(group) *group)
{
    T part[NAME(parts)];
    __builtin_memcpy(part, group, sizeof part);
    for (int half = NAME(parts) / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            part[i] = part[i] > part[i + half] ? part[i] : part[i + half];
    return part[0];
}

CX_INLINE T NAME(total)(const NAME(group) *group)
{
    T part[NAME(parts)];
    __builtin_memcpy(part, group, sizeof part);
    for (int half = NAME(parts) / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            part[i] += part[i + half];
    return part[0];
}

/* What a row or a column comes down to. */
typedef struct {
    NAME(vector) max, sum, log_sum, product; /* product: sum(softmax grad), or sum grad */
} NAME(softmax);

CX_INLINE NAME(vector) NAME(softmax_of)(const int logarithm, const int gradient, NAME(vector) x,
                                        NAME(vector) g, NAME(softmax) row)
{
    NAME(vector) below = x - row.max;
    if (logarithm && !gradient)
        return below - row.log_sum;
    NAME(vector) share = NAME(exp_negative)(below) / row.sum;
    if (!gradient)
        return share;
    return logarithm ? g - share * row.product : share * (g - row.product);
}

CX_INLINE void NAME(softmax_row)(const int logarithm, const int gradient, const T *x,
                                 const T *grad, T *y, int64_t length)
{
    NAME(group) max = NAME(group_of)(-(T)INFINITY), sum = NAME(group_of)(0), product = sum;
    for (int64_t i = 0; i < length; i += NAME(parts)) {
        NAME(group) here = NAME(load_group)(x + i, length - i, -(T)INFINITY);
        for (int k = 0; k < NAME(part_vectors); k++)
            max.of[k] = NAME(larger)(here.of[k], max.of[k]);
    }
    NAME(softmax) row = {.max = NAME(largest)(&max) + NAME(zero)()};
    for (int64_t i = 0; i < length; i += NAME(parts)) {
        NAME(group) here = NAME(load_group)(x + i, length - i, -(T)INFINITY), g = here;
        if (gradient)
            g = NAME(load_group)(grad + i, length - i, 0);
        for (int k = 0; k < NAME(part_vectors); k++) {
            NAME(vector) e = NAME(exp_negative)(here.of[k] - row.max);
            here.of[k] = e;
            sum.of[k] += e;
            if (gradient)
                product.of[k] += logarithm ? g.of[k] : e * g.of[k];
        }
        if (!logarithm && !gradient)
            NAME(store_group)(y + i, &here, length - i);
    }
    T all = NAME(total)(&sum), products = NAME(total)(&product);
    row.sum = all + NAME(zero)();
    row.log_sum = logarithm && !gradient ? NAME(log)(row.sum) : row.sum;
    row.product = (logarithm ? products : products / all) + NAME(zero)();
    for (int64_t i = 0; i < length; i += LANES) {
        int64_t count = length - i;
        NAME(vector) g = gradient ? NAME(load_some)(grad + i, count) : NAME(zero)(), v;
        if (!logarithm && !gradient)
            v = NAME(load_some)(y + i, count) / row.sum;
        else
            v = NAME(softmax_of)(logarithm, gradient, NAME(load_some)(x + i, count), g, row);
        NAME(store_some)(y + i, v, count);
    }
}

/* Columns that are neighbours, `width` of them, whose elements lie `pitch` apart. */
CX_INLINE void NAME(softmax_columns)(const int logarithm, const int gradient, const T *x,
                                     const T *grad, T *y, int64_t length, int64_t pitch,
                                     int64_t width, NAME(softmax) *columns)
{
    for (int64_t i = 0; i < width; i += LANES)
        columns[i / LANES] = (NAME(softmax)){.max = NAME(load_some)(x + i, width - i)};
    for (int64_t j = 1; j < length; j++)
        for (int64_t i = 0; i < width; i += LANES) {
            NAME(vector) *max = &columns[i / LANES].max;
            *max = NAME(larger)(NAME(load_some)(x + j * pitch + i, width - i), *max);
        }
    for (int64_t j = 0; j < length; j++)
        for (int64_t i = 0; i < width; i += LANES) {
            NAME(softmax) *column = columns + i / LANES;
            int64_t at = j * pitch + i, count = width - i;
            NAME(vector) e = NAME(exp_negative)(NAME(load_some)(x + at, count) - column->max);
            column->sum += e;
            if (gradient) {
                NAME(vector) g = NAME(load_some)(grad + at, count);
                column->product += logarithm ? g : e * g;
            } else if (!logarithm)
                NAME(store_some)(y + at, e, count);
        }
    for (int64_t i = 0; i < width; i += LANES) {
        NAME(softmax) *column = columns + i / LANES;
        if (gradient && !logarithm)
            column->product /= column->sum;
        if (logarithm && !gradient)
            column->log_sum = NAME(log)(column->sum);
    }
    for (int64_t j = 0; j < length; j++)
        for (int64_t i = 0; i < width; i += LANES) {
            NAME(softmax) column = columns[i / LANES];
            int64_t at = j * pitch + i, count = width - i;
            NAME(vector) g = gradient ? NAME(load_some)(grad + at, count) : NAME(zero)(), v;
            if (!logarithm && !gradient)
                v = NAME(load_some)(y + at, count) / column.sum;
            else
                v = NAME(softmax_of)(logarithm, gradient, NAME(load_some)(x + at, count), g,
                                     column);
            NAME(store_some)(y + at, v, count);
        }
}

CX_INLINE void NAME(softmax_pieces)(const int logarithm, const int gradient,
                                    const cx_softmax_job *job, int64_t first, int64_t end)
{
    const T *x = job->x, *grad = job->grad;
    T *y = job->y;
    if (job->inner == 1) {
        for (int64_t row = first; row < end; row++) {
            int64_t at = row * job->length;
            NAME(softmax_row)(logarithm, gradient, x + at, grad + (gradient ? at : 0), y + at,
                              job->length);
        }
        return;
    }
    NAME(softmax) columns[CX_SOFTMAX_BLOCK / LANES];
    int64_t blocks = (job->inner + job->block - 1) / job->block;
    for (int64_t piece = first; piece < end; piece++) {
        int64_t start = piece % blocks * job->block;
        int64_t at = piece / blocks * job->length * job->inner + start;
        NAME(softmax_columns)(logarithm, gradient, x + at, grad + (gradient ? at : 0), y + at,
                              job->length, job->inner, cx_min(job->block, job->inner - start),
                              columns);
    }
}

static void NAME(sweep_softmax)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_softmax_job *job = of;
    (void)scratch;
    if (job->grad && job->logarithm)
        NAME(softmax_pieces)(1, 1, job, first, end);
    else if (job->grad)
        NAME(softmax_pieces)(0, 1, job, first, end);
    else if (job->logarithm)
        NAME(softmax_pieces)(1, 0, job, first, end);
    else
        NAME(softmax_pieces)(0, 0, job, first, end);
}
