/* Softmax and its logarithm, and their gradients:

       e = exp(x - max x),  softmax = e / sum e,  log_softmax = (x - max x) - log sum e,
       softmax's gradient = softmax (grad - sum(softmax grad)),
       log_softmax's gradient = grad - softmax sum grad.

   Sums are made in an order that depends on the axis alone: along rows 64 bytes of partial sums,
   added up by halves; across rows, of each column the sums of CX_SOFTMAX_ROWS rows each. The exponentials wait in y, but
   for log_softmax, which has no need of them: so y may be x unless there is a gradient. */

enum { NAME(parts) = 64 / sizeof(T), NAME(part_vectors) = 64 / VECTOR_BYTES };

/* 64 bytes of a row. */
typedef struct {
    NAME(vector) of[64 / VECTOR_BYTES];
} NAME(group);

/* What a row or a column comes down to. */
typedef struct {
    NAME(vector) max, sum, log_sum, product; /* product: sum(softmax grad), or sum grad */
} NAME(softmax);

CX_INLINE NAME(vector) NAME(largest)(const NAME(group) *group)
{
    T part[NAME(parts)];
    __builtin_memcpy(part, group, sizeof part);
    for (int half = NAME(parts) / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            part[i] = part[i] > part[i + half] ? part[i] : part[i + half];
    return part[0] + NAME(zero)();
}

CX_INLINE NAME(vector) NAME(total)(const NAME(group) *group)
{
    T part[NAME(parts)];
    __builtin_memcpy(part, group, sizeof part);
    for (int half = NAME(parts) / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            part[i] += part[i + half];
    return part[0] + NAME(zero)();
}

/* Turns the sums of a row or a column into what its elements are computed with. */
CX_INLINE void NAME(close_sums)(const int logarithm, const int gradient, NAME(softmax) *row)
{
    if (logarithm && !gradient)
        row->log_sum = NAME(log)(row->sum);
    row->sum = 1 / row->sum;
    if (gradient && !logarithm)
        row->product *= row->sum;
}

/* A vector of results, from its exponentials (in log_softmax from x). */
CX_INLINE NAME(vector) NAME(softmax_of)(const int logarithm, const int gradient, NAME(vector) from,
                                        NAME(vector) g, const NAME(softmax) *row)
{
    if (logarithm && !gradient)
        return from - row->max - row->log_sum;
    NAME(vector) share = from * row->sum;
    if (!gradient)
        return share;
    return logarithm ? g - share * row->product : share * (g - row->product);
}

/* Adds a group to the sums and returns its exponentials; of an incomplete one those that are
   `fresh`, which others do not have. */
CX_INLINE NAME(group) NAME(add_group)(const int logarithm, const int gradient, const T *x,
                                      const T *grad, const NAME(mask) *fresh, NAME(vector) max,
                                      NAME(group) *sum, NAME(group) *product)
{
    NAME(group) e;
    for (int k = 0; k < NAME(part_vectors); k++) {
        e.of[k] = NAME(exp_negative)(NAME(load_some)(x + k * LANES, LANES) - max);
        NAME(vector) g = gradient ? NAME(load_some)(grad + k * LANES, LANES) : NAME(zero)();
        if (fresh) {
            e.of[k] = (NAME(vector))((NAME(mask))e.of[k] & fresh[k]);
            g = (NAME(vector))((NAME(mask))g & fresh[k]);
        }
        sum->of[k] += e.of[k];
        if (gradient)
            product->of[k] += logarithm ? g : e.of[k] * g;
    }
    return e;
}

CX_INLINE NAME(group) NAME(finish_group)(const int logarithm, const int gradient, const T *from,
                                         const T *grad, const NAME(softmax) *row)
{
    NAME(group) y;
    for (int k = 0; k < NAME(part_vectors); k++) {
        NAME(vector) g = gradient ? NAME(load_some)(grad + k * LANES, LANES) : NAME(zero)();
        y.of[k] = NAME(softmax_of)(logarithm, gradient,
                                   NAME(load_some)(from + k * LANES, LANES), g, row);
    }
    return y;
}

CX_INLINE void NAME(store_group)(T *to, const NAME(group) *group)
{
    for (int k = 0; k < NAME(part_vectors); k++)
        NAME(store_some)(to + k * LANES, group->of[k], LANES);
}

/* A row of at least a group, in three steps. The last group overlaps the one before it: it is read
   first and stored last. */
CX_INLINE NAME(vector) NAME(row_max)(const T *x, int64_t length)
{
    const int64_t last = length - NAME(parts);
    NAME(group) max;
    for (int k = 0; k < NAME(part_vectors); k++)
        max.of[k] = NAME(load_some)(x + last + k * LANES, LANES);
    for (int64_t i = 0; i < last; i += NAME(parts))
        for (int k = 0; k < NAME(part_vectors); k++)
            max.of[k] = NAME(greater)(NAME(load_some)(x + i + k * LANES, LANES), max.of[k]);
    return NAME(largest)(&max);
}

CX_INLINE void NAME(row_sums)(const int logarithm, const int gradient, const T *x, const T *grad,
                              T *y, int64_t length, const NAME(mask) *fresh, NAME(softmax) *row)
{
    const int waits = gradient || !logarithm; /* the exponentials, in y */
    const int64_t last = length - NAME(parts), whole = length - length % NAME(parts);
    const T *last_grad = gradient ? grad + last : x;
    NAME(group) sum, product, e, end;
    for (int k = 0; k < NAME(part_vectors); k++)
        sum.of[k] = product.of[k] = NAME(zero)();
    if (whole < length)
        end = NAME(add_group)(logarithm, gradient, x + last, last_grad, fresh, row->max, &sum,
                              &product);
    for (int64_t i = 0; i < whole; i += NAME(parts)) {
        e = NAME(add_group)(logarithm, gradient, x + i, gradient ? grad + i : x, 0, row->max, &sum,
                            &product);
        if (waits)
            NAME(store_group)(y + i, &e);
    }
    if (waits && whole < length) {
        for (int k = 0; k < NAME(part_vectors); k++)
            end.of[k] = NAME(select)(fresh[k], end.of[k],
                                     NAME(load_some)(y + last + k * LANES, LANES));
        NAME(store_group)(y + last, &end);
    }
    row->sum = NAME(total)(&sum);
    row->product = gradient ? NAME(total)(&product) : NAME(zero)();
}

CX_INLINE void NAME(finish_row)(const int logarithm, const int gradient, const T *x, const T *grad,
                                T *y, int64_t length, NAME(softmax) *row)
{
    const int64_t last = length - NAME(parts);
    const T *from = gradient || !logarithm ? y : x;
    NAME(close_sums)(logarithm, gradient, row);
    NAME(group) end = NAME(finish_group)(logarithm, gradient, from + last,
                                         gradient ? grad + last : x, row);
    for (int64_t i = 0; i < last; i += NAME(parts)) {
        NAME(group) e = NAME(finish_group)(logarithm, gradient, from + i, gradient ? grad + i : x,
                                           row);
        NAME(store_group)(y + i, &e);
    }
    NAME(store_group)(y + last, &end);
}

/* Rows one after the other, each step for all of them: meanwhile the processor need not wait for
   what one row comes down to. */
CX_INLINE void NAME(softmax_rows)(const int logarithm, const int gradient, const T *x,
                                  const T *grad, T *y, int64_t count, int64_t length,
                                  const NAME(mask) *fresh)
{
    NAME(softmax) rows[CX_SOFTMAX_TOGETHER];
    for (int64_t i = 0; i < count; i++)
        rows[i].max = NAME(row_max)(x + i * length, length);
    for (int64_t i = 0; i < count; i++)
        NAME(row_sums)(logarithm, gradient, x + i * length, gradient ? grad + i * length : 0,
                       y + i * length, length, fresh, rows + i);
    for (int64_t i = 0; i < count; i++)
        NAME(finish_row)(logarithm, gradient, x + i * length, gradient ? grad + i * length : 0,
                         y + i * length, length, rows + i);
}

/* A row of less than a group: elements that count for nothing complete it. */
CX_INLINE void NAME(softmax_short_row)(const int logarithm, const int gradient, const T *x,
                                       const T *grad, T *y, int64_t length)
{
    T padded_x[NAME(parts)], padded_grad[NAME(parts)] = {0}, padded_y[NAME(parts)];
    for (int i = 0; i < NAME(parts); i++)
        padded_x[i] = -(T)INFINITY;
    for (int64_t i = 0; i < length; i++) {
        padded_x[i] = x[i];
        if (gradient)
            padded_grad[i] = grad[i];
    }
    NAME(softmax_rows)(logarithm, gradient, padded_x, padded_grad, padded_y, 1, NAME(parts), 0);
    for (int64_t i = 0; i < length; i++)
        y[i] = padded_y[i];
}

#include "softmax_columns.h"

CX_INLINE void NAME(softmax_pieces)(const int logarithm, const int gradient,
                                    const cx_softmax_job *job, int64_t first, int64_t end)
{
    const T *x = job->x, *grad = job->grad;
    T *y = job->y;
    if (job->inner == 1) {
        NAME(mask) fresh[NAME(part_vectors)];
        for (int k = 0; k < NAME(parts); k++)
            fresh[k / LANES][k % LANES] = k < NAME(parts) - job->length % NAME(parts) ? 0 : -1;
        int64_t together = cx_min(CX_SOFTMAX_TOGETHER, 1 + 1024 / (1 + job->length)), count;
        for (int64_t row = first; row < end; row += count) {
            int64_t at = row * job->length;
            const T *row_grad = gradient ? grad + at : 0;
            count = job->length < NAME(parts) ? 1 : cx_min(together, end - row);
            if (job->length < NAME(parts))
                NAME(softmax_short_row)(logarithm, gradient, x + at, row_grad, y + at,
                                        job->length);
            else
                NAME(softmax_rows)(logarithm, gradient, x + at, row_grad, y + at, count,
                                   job->length, fresh);
        }
        return;
    }
    int64_t blocks = (job->inner + job->block - 1) / job->block;
    for (int64_t piece = first; piece < end; piece++) {
        int64_t start = piece % blocks * job->block;
        int64_t at = piece / blocks * job->length * job->inner + start;
        NAME(softmax_columns)(logarithm, gradient, x + at, grad + (gradient ? at : 0), y + at,
                              job->length, job->inner, cx_min(job->block, job->inner - start));
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
