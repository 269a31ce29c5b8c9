/* Weighted sums along one axis, by a table of taps for each output. */

/* One output of a line: rows of `inner` elements, a vector at a time. */
CX_INLINE void NAME(resample_row)(const cx_resample_job *job, int64_t output, const T *x, T *y)
{
    const T *weights = job->weights;
    int64_t inner = job->inner, from = job->starts[output], to = job->starts[output + 1], i = 0;
    for (; i + LANES <= inner; i += LANES) {
        NAME(vector) sum = {0};
        for (int64_t t = from; t < to; t++)
            sum += weights[t] * *(const NAME(loose) *)(x + job->sources[t] * inner + i);
        *(NAME(loose) *)(y + i) = sum;
    }
    for (; i < inner; i++) {
        T sum = 0;
        for (int64_t t = from; t < to; t++)
            sum += weights[t] * x[job->sources[t] * inner + i];
        y[i] = sum;
    }
}

/* Some whole lines of single elements, side by side, so that the table is read once for them. */
CX_INLINE void NAME(resample_lines)(const int lines, const cx_resample_job *job, const T *x, T *y)
{
    const T *weights = job->weights;
    int64_t inputs = job->inputs, outputs = job->outputs;
    for (int64_t output = 0; output < outputs; output++) {
        T sums[4] = {0};
        for (int64_t t = job->starts[output]; t < job->starts[output + 1]; t++)
            CX_UNROLL
            for (int line = 0; line < lines; line++)
                sums[line] += weights[t] * x[line * inputs + job->sources[t]];
        CX_UNROLL
        for (int line = 0; line < lines; line++)
            y[line * outputs + output] = sums[line];
    }
}

static void NAME(sweep_resample)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_resample_job *job = of;
    const T *x = job->x;
    T *y = job->y;
    (void)scratch;
    if (job->inner > 1) {
        for (int64_t piece = first; piece < end; piece++)
            NAME(resample_row)(job, piece % job->outputs,
                               x + piece / job->outputs * job->inputs * job->inner,
                               y + piece * job->inner);
        return;
    }
    int64_t line = first;
    for (; line + 4 <= end; line += 4)
        NAME(resample_lines)(4, job, x + line * job->inputs, y + line * job->outputs);
    for (; line < end; line++)
        NAME(resample_lines)(1, job, x + line * job->inputs, y + line * job->outputs);
}
