/* Normalisation of channels over a batch, y = activation(normalised x * weight + bias + residual),
   and its gradients: see sweeps.h. What a channel takes is gone over twice, from memory for the
   sums and from the cache for what they are needed for. Sums are those of norm_sums.h: of each part
   two, in lanes that go on from run to run and are added up at its end. */

/* y = (x - near) * scale + shift, to which the residual may come: see norm_sweep.h. */
typedef struct {
    T near, scale, shift;
} NAME(channel_line);

CX_INLINE NAME(channel_line) NAME(channel_line_of)(const cx_channel_norm_job *job, int64_t channel)
{
    const T *weight = job->weight, *bias = job->bias;
    double mean = job->mean[channel], scale = NAME(channel_rescale)(job, channel);
    T near = (T)mean;
    double rest = mean - near;
    if (weight)
        scale *= weight[channel];
    double shift = (bias ? bias[channel] : 0) - rest * scale;
    return (NAME(channel_line)){near, (T)scale, (T)shift};
}

CX_INLINE NAME(vector) NAME(on_line)(const NAME(channel_line) *line, const T *x, const T *residual,
                                     int64_t count)
{
    NAME(vector) y = (NAME(load_some)(x, count) - line->near) * line->scale + line->shift;
    return residual ? y + NAME(load_some)(residual, count) : y;
}

/* Elements of a row: activated, or with dy the gradient before the activation. */
CX_INLINE NAME(vector) NAME(ending)(const int activation, const NAME(channel_line) *line, const T *x,
                                    const T *residual, const T *dy, int64_t count, const T *given)
{
    NAME(vector) v = NAME(on_line)(line, x, residual, count);
    if (dy)
        return NAME(apply)(activation, 1, v, NAME(load_some)(dy, count), given);
    return NAME(apply)(activation, 0, v, v, given);
}

#define ENDING(i, count)                                                                          \
    NAME(ending)(activation, line, x + (i), residual ? residual + (i) : NULL,                     \
                 dy ? dy + (i) : NULL, count, given)

/* The last vector of a row overlaps the one before it, and is there before that one is stored: the
   result may be the input. No sooner, for processors foresee what comes in the order of memory. */
CX_INLINE void NAME(end_row)(const int activation, const NAME(channel_line) *line, const T *x,
                             const T *residual, const T *dy, T *y, int64_t length, const T *given)
{
    if (length < LANES) {
        NAME(store_some)(y, ENDING(0, length), length);
        return;
    }
    int64_t i = 0;
    for (; i + 2 * LANES <= length; i += LANES)
        NAME(store_some)(y + i, ENDING(i, LANES), LANES);
    NAME(vector) v = ENDING(i, LANES), last = ENDING(length - LANES, LANES);
    NAME(store_some)(y + i, v, LANES);
    NAME(store_some)(y + length - LANES, last, LANES);
}

#undef ENDING

#define EACH_ENDING(X) X(CX_IDENTITY, identity) EACH_ACTIVATION(X)

static void NAME(activate_row)(const cx_channel_norm_job *job, const NAME(channel_line) *line,
                               const T *x, const T *residual, T *y, int64_t length)
{
    const T given[] = {(T)job->slope, 0, 0};
    switch (job->activation) {
#define ACTIVATE(ACTIVATION, name)                                                                \
    case ACTIVATION:                                                                              \
        if (residual)                                                                             \
            NAME(end_row)(ACTIVATION, line, x, residual, NULL, y, length, given);                 \
        else                                                                                      \
            NAME(end_row)(ACTIVATION, line, x, NULL, NULL, y, length, given);                     \
        break;
        EACH_ENDING(ACTIVATE)
#undef ACTIVATE
    }
}

static void NAME(slope_row)(const cx_channel_norm_job *job, const NAME(channel_line) *line,
                            const T *x, const T *residual, const T *dy, T *g, int64_t length)
{
    const T given[] = {(T)job->slope, 0, 0};
    switch (job->activation) {
#define ACTIVATE(ACTIVATION, name)                                                                \
    case ACTIVATION:                                                                              \
        if (residual)                                                                             \
            NAME(end_row)(ACTIVATION, line, x, residual, dy, g, length, given);                   \
        else                                                                                      \
            NAME(end_row)(ACTIVATION, line, x, NULL, dy, g, length, given);                       \
        break;
        EACH_ACTIVATION(ACTIVATE)
#undef ACTIVATE
    }
}

#undef EACH_ENDING

/* Where the gradient before the activation lies: what it was given as if there is none. */
CX_INLINE T *NAME(slopes_of)(const cx_channel_norm_job *job)
{
    if (job->activation == CX_IDENTITY)
        return (T *)job->dy;
    return job->grad_residual ? job->grad_residual : job->y;
}

/* How far it is from a row to the one that is read after it, in this part or the next. */
CX_INLINE int64_t NAME(way_ahead)(const cx_channel_norm_job *job, const NAME(channel_part) *p,
                                  int64_t run, int64_t part)
{
    if (run + 1 < p->runs)
        return p->stride;
    if (part + 1 == job->parts)
        return 0;
    return NAME(channel_part_of)(job, 0, part + 1).at - NAME(channel_part_of)(job, 0, part).at -
           run * p->stride;
}

/* Of the channels from `first` on, as far as they are in a part. Every channel has sums of its own,
   so how many go together changes none of them. */
static void NAME(sum_channels_part)(const cx_channel_norm_job *job, int64_t first, int64_t channels,
                                    int64_t part)
{
    NAME(channel_part) p = NAME(channel_part_of)(job, first, part);
    NAME(channel_sums) sums[CX_CHANNELS_TOGETHER] = {0};
    NAME(channel_line) lines[CX_CHANNELS_TOGETHER];
    NAME(normal) normals[CX_CHANNELS_TOGETHER] = {0};
    const T *x = job->x, *dy = job->dy, *residual = dy ? job->residual : NULL, *y = job->y;
    T *g = dy ? NAME(slopes_of)(job) : NULL;
    if (job->inner == 1) {
        NAME(sum_columns_part)(job, first, channels, part, g);
        return;
    }
    int is_activated = dy && job->activation != CX_IDENTITY;
    if (is_activated)
        for (int64_t k = 0; k < channels; k++)
            lines[k] = NAME(channel_line_of)(job, first + k);
    for (int64_t k = 0; dy && k < channels; k++)
        normals[k] = (NAME(normal)){(T)job->mean[first + k],
                                    (T)NAME(channel_rescale)(job, first + k)};
    for (int64_t run = 0; run < p.runs; run++) {
        int64_t ahead = NAME(way_ahead)(job, &p, run, part);
        /* All rows first: a vector over two lines that was stored a moment ago is slow to be loaded. */
        for (int64_t k = 0; is_activated && k < channels; k++) {
            int64_t at = p.at + run * p.stride + k * job->inner;
            NAME(slope_row)(job, &lines[k], x + at, residual ? residual + at : NULL, dy + at, g + at,
                            p.length);
        }
        for (int64_t k = 0; k < channels; k++) {
            int64_t at = p.at + run * p.stride + k * job->inner, after = at + ahead;
            NAME(asked) next = {x + after, dy ? dy + after : NULL, residual ? residual + after : NULL,
                                y ? y + after : NULL};
            NAME(sum_row)(&sums[k], x + at, g ? g + at : NULL, p.length, job->mean[first + k],
                          &normals[k], next);
        }
    }
    for (int64_t k = 0; k < channels; k++) {
        double *partial = job->partial + ((first + k) * job->parts + part) * 2;
        for (int sum = 0; sum < 2; sum++)
            partial[sum] = NAME(fold_lanes)(sums[k].of[sum]);
        if (dy) /* what the mean lacks in its type */
            partial[1] -= partial[0] * (job->mean[first + k] - normals[k].near) * normals[k].rescale;
    }
}

/* The first element, unless it would make sums NaN that are infinite; it stands for the mean until
   that is known. */
CX_INLINE void NAME(set_pivot)(const cx_channel_norm_job *job, int64_t channel)
{
    T first = ((const T *)job->x)[channel * job->inner];
    job->mean[channel] = first - first == 0 ? first : 0;
}

/* The variance that others see is that without bias. */
CX_INLINE void NAME(update_running)(const cx_channel_norm_job *job, int64_t channel, double count)
{
    T *mean = job->running_mean, *variance = job->running_variance;
    double kept = 1 - job->momentum, unbiased = job->variance[channel] * (count / (count - 1));
    if (!mean)
        return;
    mean[channel] = (T)(kept * mean[channel] + job->momentum * job->mean[channel]);
    variance[channel] = (T)(kept * variance[channel] + job->momentum * unbiased);
}

static void NAME(finish_channel)(const cx_channel_norm_job *job, int64_t channel)
{
    const double *partial = job->partial + channel * job->parts * 2;
    double count = (double)job->items * (double)job->inner, sum = 0, product = 0;
    for (int64_t part = 0; part < job->parts; part++) {
        sum += partial[2 * part];
        product += partial[2 * part + 1];
    }
    if (job->dy) {
        job->channel_sums[channel] = sum;
        job->channel_sums[job->channels + channel] = product;
        return;
    }
    double variance = (product - sum * (sum / count)) / count;
    job->mean[channel] += sum / count;
    job->variance[channel] = variance < 0 ? 0 : variance;
    NAME(update_running)(job, channel, count);
}

/* dx = scale * g + slope * (x - near) + level. */
typedef struct {
    T near, scale, slope, level;
} NAME(tilt);

/* What is loaded comes first: no branch lies between products and sums then, which would keep a
   compiler from joining them into one instruction, and so change bits. */
CX_INLINE NAME(vector) NAME(tilted)(const NAME(tilt) *t, const T *x, const T *g, int64_t count,
                                    const int of_input)
{
    NAME(vector) slope = NAME(load_some)(g, count);
    if (!of_input)
        return slope * t->scale;
    NAME(vector) value = NAME(load_some)(x, count);
    NAME(vector) rest = (value - t->near) * t->slope + t->level;
    return slope * t->scale + rest;
}

CX_INLINE void NAME(tilt_row)(const NAME(tilt) *t, const T *x, const T *g, T *dx, int64_t length,
                              const int of_input)
{
    if (length < LANES) {
        NAME(store_some)(dx, NAME(tilted)(t, x, g, length, of_input), length);
        return;
    }
    int64_t end = length - LANES, i = 0;
    for (; i + LANES <= end; i += LANES)
        NAME(store_some)(dx + i, NAME(tilted)(t, x + i, g + i, LANES, of_input), LANES);
    NAME(vector) v = NAME(tilted)(t, x + i, g + i, LANES, of_input);
    NAME(vector) last = NAME(tilted)(t, x + end, g + end, LANES, of_input);
    NAME(store_some)(dx + i, v, LANES);
    NAME(store_some)(dx + end, last, LANES);
}

/* Where the statistics are those of the input, its gradient has lost its mean, and what goes with x. */
CX_INLINE NAME(tilt) NAME(tilt_of)(const cx_channel_norm_job *job, int64_t channel)
{
    NAME(channel_line) line = NAME(channel_line_of)(job, channel);
    double count = (double)job->items * (double)job->inner, mean = job->mean[channel];
    if (!job->of_input)
        return (NAME(tilt)){.scale = line.scale};
    double factor = job->weight ? ((const T *)job->weight)[channel] : 1;
    double rescale = NAME(channel_rescale)(job, channel);
    double product = factor * job->channel_sums[job->channels + channel];
    double slope = -rescale * rescale * (product / count);
    double level = -rescale * (factor * job->channel_sums[channel] / count);
    return (NAME(tilt)){line.near, line.scale, (T)slope, (T)(level - (mean - line.near) * slope)};
}

static void NAME(tilt_channels_part)(const cx_channel_norm_job *job, int64_t first, int64_t channels,
                                     int64_t part)
{
    NAME(channel_part) p = NAME(channel_part_of)(job, first, part);
    NAME(tilt) tilts[CX_CHANNELS_TOGETHER];
    const T *x = job->x, *g = NAME(slopes_of)(job);
    T *dx = job->y;
    if (job->inner == 1) {
        NAME(tilt_columns_part)(job, first, channels, part, g);
        return;
    }
    for (int64_t k = 0; k < channels; k++)
        tilts[k] = NAME(tilt_of)(job, first + k);
    for (int64_t run = 0; run < p.runs; run++)
        for (int64_t k = 0; k < channels; k++) {
            int64_t at = p.at + run * p.stride + k * job->inner;
            if (job->of_input)
                NAME(tilt_row)(&tilts[k], x + at, g + at, dx + at, p.length, 1);
            else
                NAME(tilt_row)(&tilts[k], x + at, g + at, dx + at, p.length, 0);
        }
}

static void NAME(activate_channels_part)(const cx_channel_norm_job *job, int64_t first,
                                         int64_t channels, int64_t part)
{
    NAME(channel_part) p = NAME(channel_part_of)(job, first, part);
    NAME(channel_line) lines[CX_CHANNELS_TOGETHER];
    const T *x = job->x, *residual = job->residual;
    T *y = job->y;
    if (job->inner == 1) {
        NAME(activate_columns_part)(job, first, channels, part);
        return;
    }
    for (int64_t k = 0; k < channels; k++)
        lines[k] = NAME(channel_line_of)(job, first + k);
    for (int64_t run = 0; run < p.runs; run++)
        for (int64_t k = 0; k < channels; k++) {
            int64_t at = p.at + run * p.stride + k * job->inner;
            NAME(activate_row)(job, &lines[k], x + at, residual ? residual + at : NULL, y + at,
                               p.length);
        }
}

static void NAME(finish_channels_part)(const cx_channel_norm_job *job, int64_t first,
                                       int64_t channels, int64_t part)
{
    if (job->dy)
        NAME(tilt_channels_part)(job, first, channels, part);
    else
        NAME(activate_channels_part)(job, first, channels, part);
}

static void NAME(sum_channels)(const cx_channel_norm_job *job, int64_t first, int64_t channels)
{
    for (int64_t part = 0; part < job->parts; part++)
        NAME(sum_channels_part)(job, first, channels, part);
    for (int64_t k = 0; k < channels; k++)
        NAME(finish_channel)(job, first + k);
}

/* The gradient is what is read next, so that is asked for meanwhile. */
static void NAME(find_channel_moments)(const cx_channel_norm_job *job, int64_t first,
                                       int64_t channels)
{
    cx_channel_norm_job moments = *job;
    moments.dy = NULL;
    if (job->dy)
        moments.y = (void *)job->dy;
    for (int64_t k = 0; k < channels; k++)
        NAME(set_pivot)(job, first + k);
    NAME(sum_channels)(&moments, first, channels);
}

static void NAME(norm_channels)(const cx_channel_norm_job *job, int64_t first, int64_t channels)
{
    if (job->finds_moments)
        NAME(find_channel_moments)(job, first, channels);
    if (job->dy)
        NAME(sum_channels)(job, first, channels);
    for (int64_t part = 0; part < job->parts; part++)
        NAME(finish_channels_part)(job, first, channels, part);
}

/* Where mean and variance are given, nothing of a part depends on others. */
static void NAME(norm_channels_apart)(const cx_channel_norm_job *job, int64_t piece)
{
    int64_t together = job->channels_together, groups = (job->channels + together - 1) / together;
    int64_t part = piece / groups, first = piece % groups * together;
    int64_t channels = cx_min(together, job->channels - first);
    if (job->dy)
        NAME(sum_channels_part)(job, first, channels, part);
    NAME(finish_channels_part)(job, first, channels, part);
}

static void NAME(sweep_channel_norm)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_channel_norm_job *job = of;
    int64_t channels = job->channels_together, parts = job->parts;
    (void)scratch;
    for (int64_t piece = first; piece < end; piece++)
        switch (job->phase) {
        case CX_NORM_WHOLE:
            NAME(norm_channels)(job, piece * channels,
                                cx_min(channels, job->channels - piece * channels));
            break;
        case CX_NORM_APART:
            NAME(norm_channels_apart)(job, piece);
            break;
        case CX_NORM_START:
            NAME(set_pivot)(job, piece);
            break;
        case CX_NORM_SUMS:
            NAME(sum_channels_part)(job, piece / parts, 1, piece % parts);
            break;
        case CX_NORM_FINISH:
            NAME(finish_channel)(job, piece);
            break;
        case CX_NORM_APPLY:
            NAME(finish_channels_part)(job, piece / parts, 1, piece % parts);
            break;
        }
}
