/* Activations, of a vector of values. NaN passes through every one of them. */

#if !defined T || !defined LANES || !defined NAME
#error "define T, LANES and NAME before including activations.h"
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
