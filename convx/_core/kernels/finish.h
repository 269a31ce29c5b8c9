/* What becomes of finished sums, in place, while they are in the cache:

       y = activation(y + residual)

   Every output is computed by the same operations, wherever in a line of outputs it lies: so its
   bits do not depend on how a plan cuts them. */

#if !defined EACH_ACTIVATION
#error "include activations.h before finish.h"
#endif

CX_INLINE NAME(vector) NAME(finish_vector)(const int activation, T slope, const T *y,
                                           const T *residual)
{
    NAME(vector) v = *(const NAME(loose) *)y;
    if (residual)
        v += *(const NAME(loose) *)residual;
    return NAME(activate)(activation, v, slope);
}

/* A few outputs, `step` apart, in a vector with lanes to spare. */
CX_INLINE void NAME(finish_few)(const int activation, T slope, T *y, const T *residual,
                                int64_t step, int64_t count)
{
    T padded[LANES] = {0}, added[LANES] = {0};
    for (int64_t i = 0; i < count; i++) {
        padded[i] = y[i * step];
        added[i] = residual ? residual[i * step] : (T)0;
    }
    NAME(vector) v = NAME(finish_vector)(activation, slope, padded, residual ? added : 0);
    NAME(scatter)(y, step, (const T *)&v, count);
}

/* Neighbouring outputs. The last vector overlaps the one before it, and is computed before that
   one is stored. */
CX_INLINE void NAME(finish_neighbours)(const int activation, T slope, T *y, const T *residual,
                                       int64_t length)
{
    int64_t end = length - LANES;
    NAME(vector) last = NAME(finish_vector)(activation, slope, y + end,
                                            residual ? residual + end : 0);
    for (int64_t i = 0; i < end; i += LANES)
        *(NAME(loose) *)(y + i) = NAME(finish_vector)(activation, slope, y + i,
                                                      residual ? residual + i : 0);
    *(NAME(loose) *)(y + end) = last;
}

/* A line of outputs, `step` apart. */
static void NAME(finish_line)(const cx_call *call, T *y, int64_t step, int64_t length)
{
    const T *residual = call->residual;
    T slope = (T)call->slope;
    if (residual)
        residual += y - (T *)call->output;
    switch (call->activation) {
#define FINISH_LINE(ACTIVATION, name)                                                             \
    case ACTIVATION:                                                                              \
        if (step == 1 && length >= LANES)                                                         \
            NAME(finish_neighbours)(ACTIVATION, slope, y, residual, length);                      \
        else                                                                                      \
            for (int64_t i = 0; i < length; i += LANES)                                           \
                NAME(finish_few)(ACTIVATION, slope, y + i * step,                                 \
                                 residual ? residual + i * step : 0, step,                        \
                                 cx_min(LANES, length - i));                                      \
        break;
        FINISH_LINE(CX_IDENTITY, identity)
        EACH_ACTIVATION(FINISH_LINE)
#undef FINISH_LINE
    }
}

CX_INLINE int NAME(finishes)(const cx_call *call)
{
    return call->residual || call->activation != CX_IDENTITY;
}

/* Asks for the residual of a panel's outputs before their product: it comes from memory, in pieces
   too short for the hardware to foresee. */
static void NAME(fetch_residual)(const cx_pass *pass, const cx_call *call, const cx_panel *panel,
                                 int64_t rows, const T *output)
{
    if (!call->residual)
        return;
    int64_t step = pass->axes[pass->rank - 1].out_stride;
    const T *residual = (const T *)call->residual + (output - (const T *)call->output);
    for (int64_t r = 0; r < rows; r++, residual += pass->out_channel)
        for (const cx_run *run = panel->run; run < panel->run + panel->runs; run++)
            for (int64_t i = 0; i < run->length; i += 64 / (int64_t)sizeof(T))
                __builtin_prefetch(residual + run->out + i * step);
}

/* The outputs of some panels, of `rows` filters, in lines as long as their runs follow one
   another. */
static void NAME(finish_panels)(const cx_pass *pass, const cx_call *call, const cx_panel *panel,
                                const cx_panel *end, int64_t rows, T *output)
{
    if (!NAME(finishes)(call))
        return;
    int64_t step = pass->axes[pass->rank - 1].out_stride;
    const cx_run *run = panel->run, *end_run = end[-1].run + end[-1].runs;
    while (run < end_run) {
        int64_t out = run->out, length = run->length;
        for (run++; run < end_run && run->out == out + length * step; run++)
            length += run->length;
        for (int64_t r = 0; r < rows; r++)
            NAME(finish_line)(call, output + r * pass->out_channel + out, step, length);
    }
}

/* The outputs of a box for some items and output channels, in lines as long as they lie evenly. */
static void NAME(finish_box)(const cx_pass *pass, const cx_call *call, const cx_box *box,
                             int64_t item, int64_t end_item, int64_t channel, int64_t end_channel)
{
    if (!NAME(finishes)(call))
        return;
    int64_t extent[CX_MAX_RANK + 2] = {end_item - item, end_channel - channel};
    int64_t stride[CX_MAX_RANK + 2] = {pass->out_batch, pass->out_channel};
    for (int64_t a = 0; a < pass->rank; a++) {
        extent[a + 2] = box->extent[a];
        stride[a + 2] = pass->axes[a].out_stride;
    }
    int64_t outer = pass->rank + 1, step = stride[outer], length = extent[outer];
    for (; outer > 0 && (extent[outer - 1] == 1 || stride[outer - 1] == length * step); outer--)
        length *= extent[outer - 1];
    int64_t first = item * pass->out_batch + channel * pass->out_channel + box->out;
    int64_t index[CX_MAX_RANK + 2] = {0};
    do {
        int64_t at = first;
        for (int64_t a = 0; a < outer; a++)
            at += index[a] * stride[a];
        NAME(finish_line)(call, (T *)call->output + at, step, length);
    } while (cx_next(index, extent, outer));
}

/* A whole output, for a call without tasks. */
static void NAME(finish)(const cx_call *call, int64_t outputs)
{
    NAME(finish_line)(call, call->output, 1, outputs);
}

#undef EACH_ACTIVATION
