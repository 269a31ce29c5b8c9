/* The activations that a convolution may end with, of a vector of values; activation_table.h has
   the others. NaN passes through every one of them. `given` are the numbers that some take. */

#if !defined T || !defined LANES || !defined NAME
#error "define T, LANES and NAME before including activations.h"
#endif

#if IS_FLOAT

#include "elementary.h"

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
CX_INLINE NAME(vector) NAME(tanh)(NAME(vector) v, const T *given)
{
    NAME(mask) sign = (NAME(mask))v & (NAME(mask))(-(T)0 - (NAME(vector)){0});
    NAME(vector) size = (NAME(vector))((NAME(mask))v ^ sign);
    NAME(power) power = NAME(find_power)(NAME(at_least)(-2 * size, -40));
    NAME(vector) scale = power.scale * DOWN, less = power.rest * scale + (scale - 1);
    return (NAME(vector))((NAME(mask))((0 - less) / (2 + less)) | sign);
}

CX_INLINE NAME(vector) NAME(relu)(NAME(vector) v, const T *given)
{
    return NAME(at_least)(v, 0);
}

CX_INLINE NAME(vector) NAME(relu6)(NAME(vector) v, const T *given)
{
    return NAME(at_most)(NAME(at_least)(v, 0), 6);
}

CX_INLINE NAME(vector) NAME(silu)(NAME(vector) v, const T *given)
{
    return NAME(logistic)(v, NAME(at_least)(v, LOWEST)); /* not -inf times 0 */
}

CX_INLINE NAME(vector) NAME(hardswish)(NAME(vector) v, const T *given)
{
    NAME(vector) inside = v * ((v + 3) * (T)(1 / 6.0));
    inside = NAME(select)((NAME(mask))(v >= 3), v, inside);
    return NAME(select)((NAME(mask))(v <= -3), (NAME(vector)){0}, inside);
}

/* given: the slope where v < 0. */
CX_INLINE NAME(vector) NAME(leaky_relu)(NAME(vector) v, const T *given)
{
    return NAME(select)((NAME(mask))(v > 0), v, v * given[0]);
}

CX_INLINE NAME(vector) NAME(sigmoid)(NAME(vector) v, const T *given)
{
    return NAME(logistic)(v, 1 - (NAME(vector)){0});
}

#define EACH_ACTIVATION(X)                                                                        \
    X(CX_RELU, relu) X(CX_RELU6, relu6) X(CX_SILU, silu) X(CX_HARDSWISH, hardswish)               \
    X(CX_LEAKY_RELU, leaky_relu) X(CX_SIGMOID, sigmoid) X(CX_TANH, tanh)

#else

#define EACH_ACTIVATION(X)

#endif

/* One of these, or nothing. */
CX_INLINE NAME(vector) NAME(activate)(const int activation, NAME(vector) v, T slope)
{
    switch (activation) {
#define ACTIVATE(ACTIVATION, name)                                                                \
    case ACTIVATION:                                                                              \
        return NAME(name)(v, &slope);
        EACH_ACTIVATION(ACTIVATE)
#undef ACTIVATE
    default:
        return v;
    }
}
