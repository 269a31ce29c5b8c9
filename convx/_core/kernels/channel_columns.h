/* Channels of one position each, for channel_norm_sweep.h: channels are neighbours, and a vector has
   several of them. Each has sums of its own, over the items of a part one after the other: so which
   channels go together changes none of them. */

/* y = (x - near) * scale + shift: see norm_sweep.h. */
typedef struct {
    T near[CX_COLUMNS_TOGETHER], scale[CX_COLUMNS_TOGETHER], shift[CX_COLUMNS_TOGETHER];
} NAME(column_lines);

static void NAME(find_column_lines)(const cx_channel_norm_job *job, int64_t first, int64_t channels,
                                    NAME(column_lines) *lines)
{
    const double *means = job->mean + first, *variances = job->variance + first;
    const T *weight = job->weight, *bias = job->bias;
    double eps = job->eps;
    for (int64_t k = 0; k < channels; k++) {
        double scale = 1 / __builtin_sqrt(variances[k] + eps), shift = 0;
        T near = (T)means[k];
        if (weight)
            scale *= weight[first + k];
        if (bias)
            shift = bias[first + k];
        lines->near[k] = near;
        lines->scale[k] = (T)scale;
        lines->shift[k] = (T)(shift - (means[k] - near) * scale);
    }
}

/* What a row of channels is gone over with: rows lie a stride apart. */
typedef struct {
    const T *x, *residual, *dy;
    T *y;
    int64_t rows, stride, channels;
} NAME(column_rows);

/* Elements of a row from its channel k on: activated, or with dy the gradient before the activation.
   What is loaded comes first: see channel_norm_sweep.h. */
CX_INLINE void NAME(end_some_columns)(const int activation, const int has_residual,
                                      const int has_gradient, const NAME(column_lines) *lines,
                                      const NAME(column_rows) *r, int64_t at, int64_t k,
                                      int64_t count, const T *given)
{
    NAME(vector) near = NAME(load_some)(lines->near + k, LANES);
    NAME(vector) scale = NAME(load_some)(lines->scale + k, LANES);
    NAME(vector) shift = NAME(load_some)(lines->shift + k, LANES);
    NAME(vector) x = NAME(load_some)(r->x + at + k, count);
    NAME(vector) residual = has_residual ? NAME(load_some)(r->residual + at + k, count) : x;
    NAME(vector) g = has_gradient ? NAME(load_some)(r->dy + at + k, count) : x;
    NAME(vector) v = (x - near) * scale + shift;
    if (has_residual)
        v += residual;
    NAME(store_some)(r->y + at + k, NAME(apply)(activation, has_gradient, v, g, given), count);
}

CX_INLINE void NAME(end_columns)(const int activation, const int has_residual,
                                 const int has_gradient, const NAME(column_lines) *lines,
                                 const NAME(column_rows) *r, const T *given)
{
    for (int64_t row = 0; row < r->rows; row++) {
        int64_t at = row * r->stride, k = 0;
        for (; k + LANES <= r->channels; k += LANES)
            NAME(end_some_columns)(activation, has_residual, has_gradient, lines, r, at, k, LANES,
                                   given);
        if (k < r->channels)
            NAME(end_some_columns)(activation, has_residual, has_gradient, lines, r, at, k,
                                   r->channels - k, given);
    }
}

static void NAME(end_all_columns)(const cx_channel_norm_job *job, const NAME(column_lines) *lines,
                                  const NAME(column_rows) *r)
{
    const T given[] = {(T)job->slope, 0, 0};
    switch (job->activation) {
#define ACTIVATE(ACTIVATION, name)                                                                \
    case ACTIVATION:                                                                              \
        if (r->dy && r->residual)                                                                 \
            NAME(end_columns)(ACTIVATION, 1, 1, lines, r, given);                                 \
        else if (r->dy)                                                                           \
            NAME(end_columns)(ACTIVATION, 0, 1, lines, r, given);                                 \
        else if (r->residual)                                                                     \
            NAME(end_columns)(ACTIVATION, 1, 0, lines, r, given);                                 \
        else                                                                                      \
            NAME(end_columns)(ACTIVATION, 0, 0, lines, r, given);                                 \
        break;
        EACH_ACTIVATION(ACTIVATE)
#undef ACTIVATE
    case CX_IDENTITY:
        if (r->residual)
            NAME(end_columns)(CX_IDENTITY, 1, 0, lines, r, given);
        else
            NAME(end_columns)(CX_IDENTITY, 0, 0, lines, r, given);
    }
}

/* Of channels side by side, as many as are in some vectors, the sums of d = x - centre and of d²; or
   with g those of g and of g d. */
CX_INLINE void NAME(sum_some_columns)(const T *x, const T *g, const double *centre, int64_t rows,
                                      int64_t stride, const int vectors, const int has_gradient,
                                      double *sum, double *product)
{
    NAME(sums) middle[4], first[4], second[4];
    CX_UNROLL
    for (int v = 0; v < vectors; v++) {
        middle[v] = *(const NAME(loose_sums) *)(centre + v * SUM_STEP);
        first[v] = second[v] = (NAME(sums)){0};
    }
    for (int64_t row = 0; row < rows; row++) {
        CX_UNROLL
        for (int v = 0; v < vectors; v++) {
            int64_t at = row * stride + v * SUM_STEP;
            NAME(sums) d = NAME(widened)(x + at) - middle[v];
            NAME(sums) one = has_gradient ? NAME(widened)(g + at) : d;
            first[v] += one;
            second[v] += one * d;
        }
    }
    CX_UNROLL
    for (int v = 0; v < vectors; v++) {
        *(NAME(loose_sums) *)(sum + v * SUM_STEP) = first[v];
        *(NAME(loose_sums) *)(product + v * SUM_STEP) = second[v];
    }
}

CX_INLINE void NAME(sum_columns)(const T *x, const T *g, const double *centre, int64_t rows,
                                 int64_t stride, int64_t channels, const int has_gradient,
                                 double *sum, double *product)
{
    int64_t k = 0;
    for (; k + 4 * SUM_STEP <= channels; k += 4 * SUM_STEP)
        NAME(sum_some_columns)(x + k, g + k, centre + k, rows, stride, 4, has_gradient, sum + k,
                               product + k);
    for (; k + SUM_STEP <= channels; k += SUM_STEP)
        NAME(sum_some_columns)(x + k, g + k, centre + k, rows, stride, 1, has_gradient, sum + k,
                               product + k);
    for (; k < channels; k++) {
        double first = 0, second = 0;
        for (int64_t row = 0; row < rows; row++) {
            double d = x[row * stride + k] - centre[k];
            double one = has_gradient ? g[row * stride + k] : d;
            first += one;
            second += one * d;
        }
        sum[k] = first, product[k] = second;
    }
}

/* As sum_channels_part; `g` is where the gradient before the activation lies. */
static void NAME(sum_columns_part)(const cx_channel_norm_job *job, int64_t first, int64_t channels,
                                   int64_t part, T *g)
{
    NAME(channel_part) p = NAME(channel_part_of)(job, first, part);
    double sum[CX_COLUMNS_TOGETHER], product[CX_COLUMNS_TOGETHER];
    const T *x = (const T *)job->x + p.at, *dy = job->dy, *residual = job->residual;
    if (dy && job->activation != CX_IDENTITY) {
        NAME(column_lines) lines = {0};
        NAME(find_column_lines)(job, first, channels, &lines);
        NAME(column_rows) rows = {x, residual ? residual + p.at : NULL, dy + p.at, g + p.at, p.runs,
                                  p.stride, channels};
        NAME(end_all_columns)(job, &lines, &rows);
    }
    if (dy)
        NAME(sum_columns)(x, g + p.at, job->mean + first, p.runs, p.stride, channels, 1, sum,
                          product);
    else
        NAME(sum_columns)(x, x, job->mean + first, p.runs, p.stride, channels, 0, sum, product);
    for (int64_t k = 0; k < channels; k++) {
        job->partial[((first + k) * job->parts + part) * 2] = sum[k];
        job->partial[((first + k) * job->parts + part) * 2 + 1] =
            dy ? NAME(channel_rescale)(job, first + k) * product[k] : product[k];
    }
}

static void NAME(activate_columns_part)(const cx_channel_norm_job *job, int64_t first,
                                        int64_t channels, int64_t part)
{
    NAME(channel_part) p = NAME(channel_part_of)(job, first, part);
    NAME(column_lines) lines = {0};
    const T *x = job->x, *residual = job->residual;
    NAME(column_rows) rows = {x + p.at, residual ? residual + p.at : NULL, NULL,
                              (T *)job->y + p.at, p.runs, p.stride, channels};
    NAME(find_column_lines)(job, first, channels, &lines);
    NAME(end_all_columns)(job, &lines, &rows);
}

/* dx = scale * g + slope * (x - near) + level. */
typedef struct {
    T near[CX_COLUMNS_TOGETHER], scale[CX_COLUMNS_TOGETHER];
    T slope[CX_COLUMNS_TOGETHER], level[CX_COLUMNS_TOGETHER];
} NAME(column_tilts);

/* See tilt_of. */
static void NAME(find_column_tilts)(const cx_channel_norm_job *job, int64_t first, int64_t channels,
                                    NAME(column_tilts) *tilts)
{
    const double *means = job->mean + first, *variances = job->variance + first;
    const double *sums = job->channel_sums + first, *products = sums + job->channels;
    const T *weight = job->weight;
    double share = 1 / (double)job->items, eps = job->eps;
    for (int64_t k = 0; k < channels; k++) {
        double rescale = 1 / __builtin_sqrt(variances[k] + eps), scale = rescale;
        T near = (T)means[k];
        if (weight)
            scale *= weight[first + k];
        double slope = -rescale * scale * (products[k] * share);
        double level = -scale * (sums[k] * share);
        tilts->near[k] = near;
        tilts->scale[k] = (T)scale;
        tilts->slope[k] = (T)slope;
        tilts->level[k] = (T)(level - (means[k] - near) * slope);
    }
}

CX_INLINE void NAME(tilt_some_columns)(const NAME(column_tilts) *t, const T *x, const T *g, T *dx,
                                       int64_t k, int64_t count, const int of_input)
{
    NAME(vector) near = NAME(load_some)(t->near + k, LANES);
    NAME(vector) scale = NAME(load_some)(t->scale + k, LANES);
    NAME(vector) slope = NAME(load_some)(t->slope + k, LANES);
    NAME(vector) level = NAME(load_some)(t->level + k, LANES);
    NAME(vector) gradient = NAME(load_some)(g + k, count);
    NAME(vector) value = of_input ? NAME(load_some)(x + k, count) : near;
    NAME(vector) rest = of_input ? (value - near) * slope + level : NAME(zero)();
    NAME(store_some)(dx + k, of_input ? gradient * scale + rest : gradient * scale, count);
}

CX_INLINE void NAME(tilt_columns)(const NAME(column_tilts) *t, const T *x, const T *g, T *dx,
                                  int64_t rows, int64_t stride, int64_t channels,
                                  const int of_input)
{
    for (int64_t row = 0; row < rows; row++) {
        int64_t at = row * stride, k = 0;
        for (; k + LANES <= channels; k += LANES)
            NAME(tilt_some_columns)(t, x + at, g + at, dx + at, k, LANES, of_input);
        if (k < channels)
            NAME(tilt_some_columns)(t, x + at, g + at, dx + at, k, channels - k, of_input);
    }
}

static void NAME(tilt_columns_part)(const cx_channel_norm_job *job, int64_t first, int64_t channels,
                                    int64_t part, const T *g)
{
    NAME(channel_part) p = NAME(channel_part_of)(job, first, part);
    NAME(column_tilts) tilts = {0};
    const T *x = (const T *)job->x + p.at;
    T *dx = (T *)job->y + p.at;
    NAME(find_column_tilts)(job, first, channels, &tilts);
    if (job->of_input)
        NAME(tilt_columns)(&tilts, x, g + p.at, dx, p.runs, p.stride, channels, 1);
    else
        NAME(tilt_columns)(&tilts, x, g + p.at, dx, p.runs, p.stride, channels, 0);
}
