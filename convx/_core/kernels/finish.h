/* What becomes of finished sums, in place, while they are in the cache:

       y = activation(y + residual)

   Every output is computed by the same operations, wherever in a line of outputs it lies: so its
   bits do not depend on how a plan cuts them. NaN passes through every activation. */

#if !defined T || !defined LANES || !defined NAME
#error "define T, LANES and NAME before including finish.h"
#endif

#if IS_FLOAT

#if VECTOR_BYTES / LANES == 4
#define ROUND 0x1.8p23f /* added to a small number it leaves a whole one in the low bits */
#define SCALE_BIT 23    /* the lowest bit of the exponent, and what stands there for 2^0 */
#define SCALE_ONE 127
#define SPARE 64        /* powers of 2 are made so much greater, and are never subnormal */
#define DOWN 0x1p-64f
#define LOWEST -112.0f  /* exp(v), and v exp(v) too, round to 0 from here on */
#define LN2_HIGH 0.693359375f /* so few bits that whole multiples are exact */
#define LN2_LOW -2.12194440e-4f
#define EACH_TERM(X) X(6) X(5) X(4) X(3) X(2)
#define LAST_TERM 7
#else
#define ROUND 0x1.8p52
#define SCALE_BIT 52
#define SCALE_ONE 1023
#define SPARE 512
#define DOWN 0x1p-512
#define LOWEST -760.0
#define LN2_HIGH 0.693145751953125
#define LN2_LOW 1.42860682030941723212e-6
#define EACH_TERM(X) X(12) X(11) X(10) X(9) X(8) X(7) X(6) X(5) X(4) X(3) X(2)
#define LAST_TERM 13
#endif

static const T NAME(one_over_factorial)[] = {
    0, 0,
    (T)(1 / 2.0), (T)(1 / 6.0), (T)(1 / 24.0), (T)(1 / 120.0), (T)(1 / 720.0), (T)(1 / 5040.0),
    (T)(1 / 40320.0), (T)(1 / 362880.0), (T)(1 / 3628800.0), (T)(1 / 39916800.0),
    (T)(1 / 479001600.0), (T)(1 / 6227020800.0),
};

/* Lanes of `a` where a comparison holds, else of `b`. */
CX_INLINE NAME(vector) NAME(select)(NAME(mask) holds, NAME(vector) a, NAME(vector) b)
{
    return (NAME(vector))((holds & (NAME(mask))a) | (~holds & (NAME(mask))b));
}

CX_INLINE NAME(vector) NAME(at_least)(NAME(vector) v, T least)
{
    return NAME(select)((NAME(mask))(v < least), least - (NAME(vector)){0}, v);
}

CX_INLINE NAME(vector) NAME(at_most)(NAME(vector) v, T most)
{
    return NAME(select)((NAME(mask))(v > most), most - (NAME(vector)){0}, v);
}

/* exp(v) = (1 + rest) * scale * DOWN for LOWEST <= v <= 0: v = n ln 2 + r with |r| <= ln 2 / 2,
   rest = exp(r) - 1 by its Taylor series, whose next term is at most a quarter of a rounding, and
   scale = 2^(n + SPARE). With the smallest factor last, subnormal results are rounded once. */
typedef struct {
    NAME(vector) rest, scale;
} NAME(power);

CX_INLINE NAME(power) NAME(find_power)(NAME(vector) v)
{
    NAME(vector) shifted = v * (T)1.4426950408889634 + ROUND, whole = shifted - ROUND;
    NAME(vector) r = v - whole * LN2_HIGH - whole * LN2_LOW;
    NAME(vector) sum = NAME(one_over_factorial)[LAST_TERM] - (NAME(vector)){0};
#define ADD_TERM(k) sum = sum * r + NAME(one_over_factorial)[k];
    EACH_TERM(ADD_TERM)
#undef ADD_TERM
    NAME(mask) exponent = (NAME(mask))shifted + (SCALE_ONE + SPARE);
    return (NAME(power)){sum * r * r + r, (NAME(vector))(exponent << SCALE_BIT)};
}

/* factor / (1 + exp(-v)). Only exp(-|v|) is computed, which cannot overflow: for negative v
   numerator and denominator are multiplied by it. */
CX_INLINE NAME(vector) NAME(logistic)(NAME(vector) v, NAME(vector) factor)
{
    NAME(mask) negative = (NAME(mask))(v < 0);
    NAME(power) power = NAME(find_power)(NAME(at_least)(NAME(select)(negative, v, -v), LOWEST));
    NAME(vector) above = factor * (1 + power.rest) * power.scale * DOWN;
    NAME(vector) below = 1 + (1 + power.rest) * power.scale * DOWN;
    return NAME(select)(negative, above, factor) / below;
}

/* With less = exp(-2 |v|) - 1, tanh |v| = -less / (2 + less): nothing is lost near 0. */
CX_INLINE NAME(vector) NAME(tanh)(NAME(vector) v)
{
    NAME(mask) sign = (NAME(mask))v & (NAME(mask))(-(T)0 - (NAME(vector)){0});
    NAME(vector) size = (NAME(vector))((NAME(mask))v ^ sign);
    NAME(power) power = NAME(find_power)(NAME(at_least)(-2 * size, -40));
    NAME(vector) scale = power.scale * DOWN, less = power.rest * scale + (scale - 1);
    return (NAME(vector))((NAME(mask))((0 - less) / (2 + less)) | sign);
}

CX_INLINE NAME(vector) NAME(activate)(const int activation, NAME(vector) v, T slope)
{
    switch (activation) {
    case CX_RELU:
        return NAME(at_least)(v, 0);
    case CX_RELU6:
        return NAME(at_most)(NAME(at_least)(v, 0), 6);
    case CX_SILU:
        return NAME(logistic)(v, NAME(at_least)(v, LOWEST)); /* not -inf times 0 */
    case CX_HARDSWISH: {
        NAME(vector) inside = v * ((v + 3) * (T)(1 / 6.0));
        inside = NAME(select)((NAME(mask))(v >= 3), v, inside);
        return NAME(select)((NAME(mask))(v <= -3), (NAME(vector)){0}, inside);
    }
    case CX_LEAKY_RELU:
        return NAME(select)((NAME(mask))(v > 0), v, v * slope);
    case CX_SIGMOID:
        return NAME(logistic)(v, 1 - (NAME(vector)){0});
    case CX_TANH:
        return NAME(tanh)(v);
    default:
        return v;
    }
}

#define EACH_ACTIVATION(X)                                                                        \
    X(CX_RELU) X(CX_RELU6) X(CX_SILU) X(CX_HARDSWISH) X(CX_LEAKY_RELU) X(CX_SIGMOID) X(CX_TANH)

#undef ROUND
#undef SCALE_BIT
#undef SCALE_ONE
#undef SPARE
#undef DOWN
#undef LOWEST
#undef LN2_HIGH
#undef LN2_LOW
#undef EACH_TERM
#undef LAST_TERM

#else

CX_INLINE NAME(vector) NAME(activate)(const int activation, NAME(vector) v, T slope)
{
    (void)activation, (void)slope;
    return v;
}

#define EACH_ACTIVATION(X)

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
#define FINISH_LINE(ACTIVATION)                                                                   \
    case ACTIVATION:                                                                              \
        if (step == 1 && length >= LANES)                                                         \
            NAME(finish_neighbours)(ACTIVATION, slope, y, residual, length);                      \
        else                                                                                      \
            for (int64_t i = 0; i < length; i += LANES)                                           \
                NAME(finish_few)(ACTIVATION, slope, y + i * step,                                 \
                                 residual ? residual + i * step : 0, step,                        \
                                 cx_min(LANES, length - i));                                      \
        break;
        FINISH_LINE(CX_IDENTITY)
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
