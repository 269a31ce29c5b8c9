/* Normalisation: y = (x - mean) / sqrt(variance + eps) * weight + bias, and its gradients. A segment
   is what has a mean and a variance of its own; see sweeps.h. */

CX_INLINE int64_t NAME(chunks_of)(const cx_norm_job *job)
{
    return (job->run_length + CX_NORM_CHUNK - 1) / CX_NORM_CHUNK;
}

CX_INLINE int NAME(sums_of)(const cx_norm_job *job)
{
    return job->dy ? 4 : 2;
}

/* Where a part of a segment begins, and how long it is. */
typedef struct {
    int64_t run, start, length, at;
} NAME(part);

CX_INLINE NAME(part) NAME(part_of)(const cx_norm_job *job, int64_t segment, int64_t part)
{
    int64_t chunks = NAME(chunks_of)(job), run = part / chunks;
    int64_t start = part % chunks * CX_NORM_CHUNK;
    return (NAME(part)){
        .run = run,
        .start = start,
        .length = cx_min(CX_NORM_CHUNK, job->run_length - start),
        .at = segment * job->segment_stride + run * job->run_stride + start,
    };
}

/* The parameters of a run, or of each of its elements from there on. */
CX_INLINE int64_t NAME(parameter_at)(const cx_norm_job *job, int64_t segment, int64_t run)
{
    return segment % job->period * job->segment_step + run * job->run_step;
}

/* The first element, unless it would make sums NaN that are infinite. */
CX_INLINE T NAME(pivot_of)(const cx_norm_job *job, int64_t segment)
{
    T first = ((const T *)job->x)[segment * job->segment_stride];
    return first - first == 0 ? first : 0;
}

static void NAME(sum_part)(const cx_norm_job *job, int64_t segment, int64_t part)
{
    NAME(part) p = NAME(part_of)(job, segment, part);
    T pivot = NAME(pivot_of)(job, segment);
    const T *x = (const T *)job->x + p.at;
    int64_t parts = job->runs * NAME(chunks_of)(job);
    int64_t ahead = part + 1 < parts ? NAME(part_of)(job, segment, part + 1).at - p.at : 0;
    double *result = job->partial + (segment * parts + part) * NAME(sums_of)(job);
    if (!job->dy) {
        NAME(sum_chunk)(x, x, x, p.length, pivot, ahead, 0, 0, result);
        return;
    }
    const T *dy = (const T *)job->dy + p.at;
    if (!job->by_element) {
        NAME(sum_chunk)(x, dy, x, p.length, pivot, ahead, 1, 0, result);
        return;
    }
    const T *weight = (const T *)job->weight + NAME(parameter_at)(job, segment, 0) + p.start;
    NAME(sum_chunk)(x, dy, weight, p.length, pivot, ahead, 1, 1, result);
}

CX_INLINE double NAME(rescale_of)(const cx_norm_job *job, int64_t segment)
{
    return 1 / __builtin_sqrt(job->variance[segment] + job->eps);
}

static void NAME(find_moments)(const cx_norm_job *job, int64_t segment)
{
    int64_t parts = job->runs * NAME(chunks_of)(job), sums = NAME(sums_of)(job);
    const double *partial = job->partial + segment * parts * sums;
    double count = (double)job->runs * (double)job->run_length, sum = 0, squares = 0;
    for (int64_t part = 0; part < parts; part++) {
        sum += partial[part * sums];
        squares += partial[part * sums + 1];
    }
    double variance = (squares - sum * (sum / count)) / count;
    job->mean[segment] = NAME(pivot_of)(job, segment) + sum / count;
    job->variance[segment] = variance < 0 ? 0 : variance;
}

/* Of each run the sums of dy and of dy * normalised x; from them, weighted, how the gradients of
   the statistics come into that of x: slope * (x - mean) + level for each element. */
static void NAME(find_gradients)(const cx_norm_job *job, int64_t segment)
{
    int64_t chunks = NAME(chunks_of)(job);
    const double *partial = job->partial + segment * job->runs * chunks * 4;
    const T *weight = job->weight;
    double count = (double)job->runs * (double)job->run_length, rescale = NAME(rescale_of)(job, segment);
    double offset = job->mean[segment] - NAME(pivot_of)(job, segment), all = 0, all_scaled = 0;
    for (int64_t run = 0; run < job->runs; run++) {
        double sum = 0, product = 0, factor = 1;
        for (int64_t chunk = 0; chunk < chunks; chunk++, partial += 4) {
            sum += partial[2];
            product += partial[3];
        }
        product = rescale * (product - offset * sum);
        if (weight && !job->by_element)
            factor = weight[NAME(parameter_at)(job, segment, run)];
        job->run_sums[2 * (segment * job->runs + run)] = sum;
        job->run_sums[2 * (segment * job->runs + run) + 1] = product;
        all += factor * sum;
        all_scaled += factor * product;
    }
    job->slopes[2 * segment] = -rescale * rescale * (all_scaled / count);
    job->slopes[2 * segment + 1] = -rescale * (all / count);
}

static void NAME(finish_segment)(const cx_norm_job *job, int64_t segment)
{
    NAME(find_moments)(job, segment);
    if (job->dy)
        NAME(find_gradients)(job, segment);
}

/* y = (x - near) * scale + shift. The mean is nearly `near`, from which differences are exact; the
   rest of it is in the shift. */
static void NAME(apply_run)(const T *restrict x, T *restrict y, int64_t length, T near, T scale,
                            T shift)
{
    for (int64_t i = 0; i < length; i++)
        y[i] = (x[i] - near) * scale + shift;
}

static void NAME(apply_elements)(const T *restrict x, T *restrict y, const T *restrict weight,
                                 const T *restrict bias, int64_t length, T near, T scale, T shift)
{
    for (int64_t i = 0; i < length; i++) {
        T normalised = (x[i] - near) * scale + shift;
        y[i] = normalised * weight[i] + bias[i];
    }
}

static void NAME(apply_part)(const cx_norm_job *job, int64_t segment, int64_t part)
{
    NAME(part) p = NAME(part_of)(job, segment, part);
    int64_t parameter = NAME(parameter_at)(job, segment, p.run);
    const T *x = (const T *)job->x + p.at, *weight = job->weight, *bias = job->bias;
    T *y = (T *)job->y + p.at;
    double mean = job->mean[segment], scale = NAME(rescale_of)(job, segment);
    T near = (T)mean;
    double rest = mean - near;
    if (job->by_element) {
        NAME(apply_elements)(x, y, weight + parameter + p.start, bias + parameter + p.start,
                             p.length, near, (T)scale, (T)(-rest * scale));
        return;
    }
    if (weight)
        scale *= weight[parameter];
    double shift = (bias ? bias[parameter] : 0) - rest * scale;
    NAME(apply_run)(x, y, p.length, near, (T)scale, (T)shift);
}

/* dx = scale * dy + slope * (x - near) + level. */
CX_INLINE void NAME(gradient_some)(const T *restrict x, const T *restrict dy, T *restrict dx,
                                   int64_t length, T near, T scale, T slope, T level)
{
    for (int64_t i = 0; i < length; i++) {
        T rest = (x[i] - near) * slope + level;
        dx[i] = dy[i] * scale + rest;
    }
}

static void NAME(gradient_run)(const T *x, const T *dy, T *dx, int64_t length, T near, T scale,
                               T slope, T level)
{
    NAME(gradient_some)(x, dy, dx, length, near, scale, slope, level);
}

/* The same of a part of many runs from memory: meanwhile what the next segment reads there is asked
   for, and where the next run's result will be; so memory does not wait for the sums, nor the other
   way round. */
static void NAME(gradient_ahead)(const T *x, const T *dy, T *dx, int64_t length, T near, T scale,
                                 T slope, T level, int64_t next_segment, int64_t next_run)
{
    enum { LINE = 64 / sizeof(T) };
    int64_t i = 0;
    for (; i + LINE <= length; i += LINE) {
        __builtin_prefetch(x + i + next_segment, 0, 2);
        __builtin_prefetch(dy + i + next_segment, 0, 2);
        __builtin_prefetch(dx + i + next_run, 1, 2);
        NAME(gradient_some)(x + i, dy + i, dx + i, LINE, near, scale, slope, level);
    }
    NAME(gradient_some)(x + i, dy + i, dx + i, length - i, near, scale, slope, level);
}

static void NAME(gradient_elements)(const T *restrict x, const T *restrict dy, T *restrict dx,
                                    const T *restrict weight, int64_t length, T near, T scale,
                                    T slope, T level)
{
    for (int64_t i = 0; i < length; i++) {
        T rest = (x[i] - near) * slope + level;
        dx[i] = dy[i] * weight[i] * scale + rest;
    }
}

/* The elements' own sums, of dy and of dy * normalised x. */
static void NAME(add_to_elements)(const T *restrict x, const T *restrict dy, double *restrict sum,
                                  double *restrict product, int64_t length, double mean,
                                  double scale)
{
    for (int64_t i = 0; i < length; i++) {
        double g = dy[i];
        sum[i] += g;
        product[i] += (x[i] - mean) * scale * g;
    }
}

static void NAME(gradient_part)(const cx_norm_job *job, int64_t segment, int64_t part)
{
    NAME(part) p = NAME(part_of)(job, segment, part);
    int64_t parameter = NAME(parameter_at)(job, segment, p.run);
    const T *x = (const T *)job->x + p.at, *dy = (const T *)job->dy + p.at, *weight = job->weight;
    T *dx = (T *)job->y + p.at;
    double mean = job->mean[segment], scale = NAME(rescale_of)(job, segment);
    double slope = job->slopes[2 * segment], level = job->slopes[2 * segment + 1];
    T near = (T)mean;
    level -= (mean - near) * slope;
    if (job->by_element) {
        int64_t elements = job->period * job->run_length, element = parameter + p.start;
        double *sums = job->element_sums + segment / job->segments_together * 2 * elements + element;
        NAME(gradient_elements)(x, dy, dx, weight + element, p.length, near, (T)scale, (T)slope,
                                (T)level);
        NAME(add_to_elements)(x, dy, sums, sums + elements, p.length, mean, scale);
        return;
    }
    if (weight)
        scale *= weight[parameter];
    if (job->runs == 1 || job->segments * job->runs * job->run_length < CX_NORM_LARGE) {
        NAME(gradient_run)(x, dy, dx, p.length, near, (T)scale, (T)slope, (T)level);
        return;
    }
    NAME(gradient_ahead)(x, dy, dx, p.length, near, (T)scale, (T)slope, (T)level,
                         segment + 1 < job->segments ? job->segment_stride : 0,
                         p.run + 1 < job->runs ? job->run_stride : 0);
}

static void NAME(finish_part)(const cx_norm_job *job, int64_t segment, int64_t part)
{
    if (job->dy)
        NAME(gradient_part)(job, segment, part);
    else
        NAME(apply_part)(job, segment, part);
}

static void NAME(norm_segment)(const cx_norm_job *job, int64_t segment)
{
    int64_t parts = job->runs * NAME(chunks_of)(job);
    for (int64_t part = 0; part < parts; part++)
        NAME(sum_part)(job, segment, part);
    NAME(finish_segment)(job, segment);
    for (int64_t part = 0; part < parts; part++)
        NAME(finish_part)(job, segment, part);
}

static void NAME(sweep_norm)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_norm_job *job = of;
    int64_t parts = job->runs * NAME(chunks_of)(job), together = job->segments_together;
    (void)scratch;
    switch (job->phase) {
    case CX_NORM_WHOLE:
        for (int64_t i = first * together; i < cx_min(end * together, job->segments); i++)
            NAME(norm_segment)(job, i);
        break;
    case CX_NORM_SUMS:
        for (int64_t piece = first; piece < end; piece++)
            NAME(sum_part)(job, piece / parts, piece % parts);
        break;
    case CX_NORM_FINISH:
        for (int64_t segment = first; segment < end; segment++)
            NAME(finish_segment)(job, segment);
        break;
    case CX_NORM_APPLY:
        for (int64_t piece = first; piece < end; piece++)
            NAME(finish_part)(job, piece / parts, piece % parts);
        break;
    }
}
